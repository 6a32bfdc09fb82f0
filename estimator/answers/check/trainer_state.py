"""What a Hugging Face Trainer's `trainer_state.json` says: its closing entry has the only times in it."""

import json
from collections.abc import Mapping
from typing import cast

from estimator.answers.check.log_point import LogPoint

__all__ = ["state_points"]

_LARGEST = 1e18


def state_points(text: str) -> list[LogPoint] | None:
    """Return the closing entry of a state as a point; None where `text` is none, or tells no time."""
    if not text.lstrip().startswith("{") or '"log_history"' not in text:
        return None
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(state, dict):
        return None
    fields = cast("dict[str, object]", state)
    history = fields.get("log_history")
    listed = cast("list[object]", history) if isinstance(history, list) else []
    entries = [cast("dict[str, object]", entry) for entry in listed if isinstance(entry, dict)]
    end = next((entry for entry in reversed(entries) if "train_runtime" in entry), None)
    if end is None:
        return None
    steps, runtime = _number(fields, "global_step") or _number(end, "step"), _number(end, "train_runtime")
    rate = _number(end, "train_steps_per_second")
    step_s = runtime / steps if runtime and steps else 1.0 / rate if rate else None
    samples = _number(end, "train_samples_per_second")
    seen = _number(fields, "num_input_tokens_seen") or next(
        (value for entry in reversed(entries) if (value := _number(entry, "num_input_tokens_seen"))), None
    )
    point = LogPoint(
        dialect="trainer_state.json",
        line=json.dumps({name: value for name, value in end.items() if name.startswith(("train_", "step"))}),
        step=steps,
        total_steps=_number(fields, "max_steps"),
        step_s=step_s,
        sequences_per_step=samples * step_s if samples and step_s else None,
        sequences_per_second=samples,
        tokens_per_second=_number(end, "train_tokens_per_second") or (seen / runtime if seen and runtime else None),
        tokens_seen=seen,
    )
    return [point] if step_s or samples or point.tokens_per_second else None


def _number(source: Mapping[str, object], key: str) -> float | None:
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < _LARGEST else None
