"""Parts of an answer as phrases: a layout, memory, what a step's time goes to."""

from collections.abc import Mapping
from typing import Any

from server.rendering.words import shown_number, shown_title

__all__ = ["layout_phrase", "log_phrase", "memory_phrase", "range_phrase", "shares_phrase", "spread_phrase"]

_Part = Mapping[str, Any]


def range_phrase(row: _Part, key: str) -> str:
    """Return a value of `row` with the ends of its range; nothing where it has none."""
    if row.get(key) is None:
        return ""
    return f"{shown_number(row[key])} ({shown_number(row[f'{key}_low'])} to {shown_number(row[f'{key}_high'])})"


def log_phrase(log: _Part) -> str:
    """Return what a log was read to say, in the units it says it in."""
    told = (
        ("s a step", "step_seconds"),
        ("tokens/s", "tokens_per_second"),
        ("samples/s", "samples_per_second"),
        ("steps done", "steps_done"),
        ("steps in all", "total_steps"),
        ("s left", "seconds_left"),
    )
    figures = [f"{shown_number(log[key])} {unit}" for unit, key in told if log.get(key) is not None]
    return ", ".join([f"{log['lines']:,} lines of {log['format']}", *figures]) if log else ""


def layout_phrase(layout: _Part | None) -> str:
    """Return how a step is spread over the GPUs."""
    if layout is None:
        return ""
    degrees = ", ".join(
        f"{name} {layout[key]}"
        for name, key in (
            ("data", "data_parallel"),
            ("tensor", "tensor_parallel"),
            ("pipeline", "pipeline_parallel"),
            ("virtual", "virtual_pipeline"),
            ("context", "context_parallel"),
            ("expert", "expert_parallel"),
        )
        if layout[key] > 1
    )
    return (
        f"{degrees or 'one GPU'}; {layout['data_sharding']}; {layout['micro_batches']} micro-batches of "
        f"{layout['micro_batch_size']} = {layout['global_batch_sequences']} sequences a step; recompute "
        f"{layout['activation_recompute']}"
    )


def memory_phrase(memory: _Part | None) -> str:
    """Return what the fullest GPU holds of what it has."""
    if memory is None:
        return ""
    parts = ", ".join(
        f"{name} {shown_number(memory[f'{name}_gb'])}"
        for name in ("weights", "gradients", "optimizer", "activations", "other")
    )
    verdict = "fits" if memory["fits"] else "DOES NOT FIT"
    return (
        f"{verdict}: {shown_number(memory['per_gpu_gb'])} of {shown_number(memory['capacity_gb'])} GB a GPU ({parts})"
    )


def shares_phrase(shares: Mapping[str, float] | None) -> str:
    """Return what a step's time goes to, without what rounds to nothing."""
    if shares is None:
        return ""
    return ", ".join(f"{shown_title(name).lower()} {share:.0%}" for name, share in shares.items() if round(share, 2))


def spread_phrase(spread: _Part, unit: str) -> str:
    """Return a value in `unit` with its range and its note; the note alone where there is no value."""
    if spread["value"] is None:
        return str(spread["note"])
    value, low, high = (shown_number(spread[key]) for key in ("value", "low", "high"))
    return f"{value} {unit} ({low} to {high}): {spread['note']}"
