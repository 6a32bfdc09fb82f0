"""The speed a trainer's log shows: read from its lines, taken in the middle, warm-up left out."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import cast

from estimator.answers.check.dialects import LogPoint, LogSetup, line_point, line_setup
from estimator.base.errors import InvalidValueError

__all__ = ["MOST_LOG_BYTES", "LogReading", "log_reading"]

MOST_LOG_BYTES = 256_000
_WARM_UP_SHARE = 0.1
_WARM_UP_STEPS = 10.0
"""Compilation, allocation and autotuning are done with by then in every stack."""
_FEWEST_KEPT = 3
_WINDOWS = 20
"""Of clock times: clocks tick in seconds, so a window must be long against one."""
_PATH = re.compile(
    r"(?:[/~.]|[a-z]:\\|\w+://)?[^\s{}|]*\.(?:jsonl?|log|txt|out|csv)|[/~][^\s{}|]*|[a-z]:\\\S*", re.IGNORECASE
)
_LARGEST = 1e18
_NANOGPT_PEAK_FLOP_PER_S = 312e12
"""nanoGPT prints utilization against an A100, whatever the device: `estimate_mfu` in its model.py."""
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FORMATS = "Hugging Face, Megatron, NeMo, torchtitan, nanoGPT, llm.c, DeepSpeed and LLaMA-Factory"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What a log says about speed; None for what it does not say. Rates are medians after warm-up."""

    dialect: str
    points: int
    warm_up_points: int
    """Left out at the start."""
    spread: float | None
    """Third over first quartile of the step times; None where there are too few."""
    step_s: float | None = None
    sequences_per_step: float | None = None
    tokens_per_step: float | None = None
    tokens_per_second: float | None = None
    tokens_per_second_per_gpu: float | None = None
    sequences_per_second: float | None = None
    flop_per_s_per_gpu: float | None = None
    utilization: float | None = None
    steps_done: float | None = None
    total_steps: float | None = None
    tokens_seen: float | None = None


def log_reading(text: str, argument: str = "observed_log") -> LogReading:
    """Return the speed in the text of a log or of a `trainer_state.json`.

        the median over the steps after the first tenth (at least ten steps), so that evaluation and checkpoints,
        which few steps pay for, do not count

    Raises InvalidValueError for text without a known line, for a path, and beyond 256 kB.
    """
    size = len(text.encode(errors="surrogatepass"))
    if size > MOST_LOG_BYTES:
        remedy = f"is {size:,} bytes long; at most {MOST_LOG_BYTES:,} are read: the last few hundred lines would do"
        raise InvalidValueError(argument, text, remedy)
    if _PATH.fullmatch(text.strip()):
        raise InvalidValueError(argument, text, "is a path; give the text of the log itself: no file is opened here")
    state = _state(text)
    if state is not None:
        return _state_reading(state, text, argument)
    lines = _ANSI.sub("", text).replace("\r", "\n").split("\n")
    setup = LogSetup()
    points: list[LogPoint] = []
    for line in lines:
        if (said := line_setup(line)) is not None:
            setup = setup.with_setup(said)
        if (point := line_point(line)) is not None:
            points.append(point)
    if not points:
        remedy = f"holds no line that tells a speed; lines of {_FORMATS} are read, and trainer_state.json"
        raise InvalidValueError(argument, text, remedy)
    return _reading(_of_one_run(points), setup)


def _of_one_run(points: Sequence[LogPoint]) -> list[LogPoint]:
    """Return the points of the commonest kind: bars of evaluation have other totals than the bar of training."""
    # The closing line of a Hugging Face run covers evaluation and start-up too: it counts where nothing else is there.
    running = [point for point in points if point.dialect != "huggingface-end"] or list(points)
    kinds = Counter(point.dialect for point in running)
    dialect = max(kinds, key=lambda name: kinds[name])
    kept = [point for point in running if point.dialect == dialect]
    spans: dict[float | None, float] = {}
    for point in kept:
        weight = point.elapsed_s if point.elapsed_s is not None else 1.0
        spans[point.total_steps] = max(spans.get(point.total_steps, 0.0), weight)
    total = max(spans, key=lambda key: spans[key])
    return [point for point in kept if point.total_steps == total]


def _reading(points: Sequence[LogPoint], setup: LogSetup) -> LogReading:
    warm = _warm(points)
    kept = points[warm:]
    steps = [p.step_s for p in kept if p.step_s]
    by_clock = _clock_step_s(kept) or _clock_step_s(points)
    seen = _last(points, "tokens_seen")
    tokens_per_second = _clock_tokens_per_second(kept) or _middle(kept, "tokens_per_second")
    dialect = points[0].dialect.removesuffix("-end")
    step_s = by_clock or (median(steps) if steps else None)
    samples = _middle(kept, "sequences_per_second")
    batch = _middle(kept, "sequences_per_step") or setup.sequences_per_step or _consumed_per_step(kept)
    if batch is None and samples and step_s:
        batch = samples * step_s
    flop_per_s, utilization = _middle(kept, "flop_per_s_per_gpu"), _middle(kept, "utilization")
    if dialect == "nanogpt" and utilization is not None:
        flop_per_s, utilization = utilization * _NANOGPT_PEAK_FLOP_PER_S, None
    return LogReading(
        dialect=dialect,
        points=len(points),
        warm_up_points=warm,
        spread=_spread(steps),
        step_s=step_s,
        sequences_per_step=batch,
        tokens_per_step=setup.tokens_per_step,
        tokens_per_second=tokens_per_second,
        tokens_per_second_per_gpu=_middle(kept, "tokens_per_second_per_gpu"),
        sequences_per_second=samples,
        flop_per_s_per_gpu=flop_per_s,
        utilization=utilization,
        steps_done=_last(points, "step"),
        total_steps=_last(points, "total_steps") or setup.total_steps,
        tokens_seen=seen,
    )


def _warm(points: Sequence[LogPoint]) -> int:
    """Return how many points at the start are warm-up; a few are kept whatever they are."""
    first = points[0].step or 0.0
    # A log that starts in mid-run has no warm-up but its first point's.
    limit = max(_WARM_UP_STEPS, first)
    early = sum(1 for point in points if (point.step or limit + 1) <= limit)
    return min(max(early, int(len(points) * _WARM_UP_SHARE)), max(0, len(points) - _FEWEST_KEPT))


def _middle(points: Sequence[LogPoint], field: str) -> float | None:
    values = [value for point in points if (value := getattr(point, field))]
    return median(values) if values else None


def _last(points: Sequence[LogPoint], field: str) -> float | None:
    return next((value for point in reversed(points) if (value := getattr(point, field)) is not None), None)


def _clock_rates(points: Sequence[LogPoint], field: str) -> list[float]:
    """Return increments of `field` per second between clock times, in windows long against the clock's tick."""
    timed = [p for p in points if p.elapsed_s is not None and getattr(p, field) is not None]
    thinned = timed[:: max(1, len(timed) // _WINDOWS)]
    rates: list[float] = []
    for earlier, later in pairwise(thinned):
        seconds = (later.elapsed_s or 0.0) - (earlier.elapsed_s or 0.0)
        more = getattr(later, field) - getattr(earlier, field)
        if seconds > 0 and more > 0:
            rates.append(more / seconds)
    return rates


def _clock_step_s(points: Sequence[LogPoint]) -> float | None:
    rates = _clock_rates(points, "step")
    return 1.0 / median(rates) if rates else None


def _clock_tokens_per_second(points: Sequence[LogPoint]) -> float | None:
    rates = _clock_rates(points, "tokens_seen")
    return median(rates) if rates else None


def _consumed_per_step(points: Sequence[LogPoint]) -> float | None:
    grown = [
        (later.consumed_sequences - earlier.consumed_sequences) / (later.step - earlier.step)
        for earlier, later in pairwise(points)
        if later.consumed_sequences is not None
        and earlier.consumed_sequences is not None
        and later.step is not None
        and earlier.step is not None
        and later.step > earlier.step
    ]
    return median(grown) if grown else None


def _spread(steps: Sequence[float]) -> float | None:
    if len(steps) < 4:  # noqa: PLR2004 - quartiles of fewer say nothing
        return None
    ordered = sorted(steps)
    return ordered[3 * len(ordered) // 4] / ordered[len(ordered) // 4]


def _state(text: str) -> dict[str, object] | None:
    """Return a `trainer_state.json` where `text` is one."""
    if not text.lstrip().startswith("{") or '"log_history"' not in text:
        return None
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", state) if isinstance(state, dict) else None


def _state_reading(state: dict[str, object], text: str, argument: str) -> LogReading:
    """Return what a Trainer's state says: its closing entry has the only times in it."""
    history = state.get("log_history")
    listed = cast("list[object]", history) if isinstance(history, list) else []
    entries = [cast("dict[str, object]", entry) for entry in listed if isinstance(entry, dict)]

    def number(source: dict[str, object], key: str) -> float | None:
        value = source.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if 0 < value < _LARGEST else None

    end = next((e for e in reversed(entries) if "train_runtime" in e), None)
    if end is None:
        remedy = (
            "has no train_runtime: a trainer_state.json tells times only when the run has ended; give the printed log, "
            "or observed_step_seconds"
        )
        raise InvalidValueError(argument, text, remedy)
    steps, runtime = number(state, "global_step") or number(end, "step"), number(end, "train_runtime")
    samples = number(end, "train_samples_per_second")
    rate = number(end, "train_steps_per_second")
    step_s = runtime / steps if runtime and steps else 1.0 / rate if rate else None
    seen = number(state, "num_input_tokens_seen") or next(
        (value for e in reversed(entries) if (value := number(e, "num_input_tokens_seen"))), None
    )
    return LogReading(
        dialect="trainer_state.json",
        points=len(entries),
        warm_up_points=0,
        spread=None,
        step_s=step_s,
        sequences_per_step=samples * step_s if samples and step_s else None,
        tokens_per_second=number(end, "train_tokens_per_second") or (seen / runtime if seen and runtime else None),
        sequences_per_second=samples,
        steps_done=steps,
        total_steps=number(state, "max_steps"),
        tokens_seen=seen,
    )
