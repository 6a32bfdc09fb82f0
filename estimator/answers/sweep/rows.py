"""The rows of a sweep as columns: what was asked, and what came of it."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from estimator.answers.compare.compare import Outcome
from estimator.answers.estimate.estimate import Estimate
from estimator.answers.sweep.points import Sweep, outcome_of_points, tokens_of_points
from estimator.question.question import Layout, MemoryUse

__all__ = ["WHOLE", "Column", "columns"]

Column = NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_] | Sequence[str | None]
"""Values of one column; NaN and None where there is none."""

_PROPORTIONAL: Mapping[str, Callable[[Estimate], float | None]] = {
    "training_seconds": lambda estimate: estimate.training_s,
    "training_seconds_low": lambda estimate: estimate.training_low_s,
    "training_seconds_high": lambda estimate: estimate.training_high_s,
    "gpu_hours": lambda estimate: estimate.gpu_hours[0],
    "cost_usd": lambda estimate: estimate.cost_usd.value,
    "cost_usd_low": lambda estimate: estimate.cost_usd.low,
    "cost_usd_high": lambda estimate: estimate.cost_usd.high,
    "energy_kwh": lambda estimate: estimate.energy_kwh.value,
    "model_flops": lambda estimate: estimate.model_flop,
}
"""What grows with the tokens."""
_CONSTANT: Mapping[str, Callable[[Estimate], float | None]] = {
    "interval_coverage": lambda estimate: estimate.coverage,
    "tokens_per_second": lambda estimate: estimate.tokens_per_second,
    "step_seconds": lambda estimate: estimate.step_s,
    "flops_per_token": lambda estimate: estimate.hardware_flop_per_token,
    "model_flops_utilization": lambda estimate: estimate.model_flops_utilization,
    "hardware_flops_utilization": lambda estimate: estimate.hardware_flops_utilization,
    "memory_bytes": lambda estimate: _of_memory(estimate, lambda memory: memory.total_bytes),
    "layout_tensor_parallel": lambda estimate: _of_layout(estimate, lambda layout: layout.tensor_parallel),
    "layout_pipeline_parallel": lambda estimate: _of_layout(estimate, lambda layout: layout.pipeline_parallel),
    "layout_virtual_pipeline": lambda estimate: _of_layout(estimate, lambda layout: layout.virtual_pipeline),
    "layout_context_parallel": lambda estimate: _of_layout(estimate, lambda layout: layout.context_parallel),
    "layout_expert_parallel": lambda estimate: _of_layout(estimate, lambda layout: layout.expert_parallel),
    "layout_data_parallel": lambda estimate: _of_layout(estimate, lambda layout: layout.data_parallel),
    "layout_micro_batch_size": lambda estimate: _of_layout(estimate, lambda layout: layout.micro_batch_size),
    "layout_micro_batches": lambda estimate: _of_layout(estimate, lambda layout: layout.micro_batches),
}
WHOLE: frozenset[str] = frozenset(name for name in _CONSTANT if name.startswith("layout_"))
"""Columns of whole numbers; floats only because an array of whole numbers has no NaN."""
_TEXTS: Mapping[str, Callable[[Outcome], str | None]] = {
    "reason": lambda outcome: outcome.reason or None,
    "basis": lambda outcome: outcome.estimate.basis if outcome.estimate else None,
    "stack": lambda outcome: outcome.framework or None,
    "layout_data_sharding": lambda outcome: _layout_of(outcome, lambda layout: layout.data_sharding),
    "layout_recompute": lambda outcome: _layout_of(outcome, lambda layout: layout.recompute),
}


def columns(described: Sweep, start: int, stop: int) -> dict[str, Column]:
    """Return the points from `start` to before `stop` as columns of equal length, in the sweep's order.

    `point` numbers them; the axes follow under their own names, then what came of each. What cannot be run says why
    under `reason`; one that is merely too large keeps its figures, for those who would make room.
    """
    distinct, which, places = outcome_of_points(described, start, stop)
    rows: dict[str, Column] = {"point": np.arange(start, stop, dtype=np.int64)}
    for axis, taken in zip(described.axes, zip(*places, strict=True), strict=True):
        rows[axis.name] = _axis(axis.values, taken)
    taken_outcomes = np.array(which, dtype=np.intp)
    scale: NDArray[np.float64] | float = 1.0
    tokens = tokens_of_points(described)
    if "tokens" in rows:
        scale = np.asarray(rows["tokens"], dtype=np.float64) / tokens[0]
    rows["possible"] = np.array([not outcome.reason for outcome in distinct], dtype=np.bool_)[taken_outcomes]
    for name, text in _TEXTS.items():
        texts = [text(outcome) for outcome in distinct]
        rows[name] = [texts[place] for place in which]
    for name, value in _PROPORTIONAL.items():
        rows[name] = _numbers(distinct, value)[taken_outcomes] * scale
    for name, value in _CONSTANT.items():
        rows[name] = _numbers(distinct, value)[taken_outcomes]
    return rows


def _axis(values: Sequence[str | int | float], taken: Sequence[int]) -> Column:
    if all(isinstance(value, str) for value in values):
        return [str(values[place]) for place in taken]
    whole = all(isinstance(value, int) for value in values)
    places = np.array(taken, dtype=np.intp)
    return np.array(values, dtype=np.int64)[places] if whole else np.array(values, dtype=np.float64)[places]


def _numbers(outcomes: Sequence[Outcome], value: Callable[[Estimate], float | None]) -> NDArray[np.float64]:
    numbers = (value(outcome.estimate) if outcome.estimate else None for outcome in outcomes)
    return np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)


def _of_memory(estimate: Estimate, value: Callable[[MemoryUse], float]) -> float | None:
    return value(estimate.memory) if estimate.memory else None


def _of_layout(estimate: Estimate, value: Callable[[Layout], int]) -> float | None:
    return float(value(estimate.layout)) if estimate.layout else None


def _layout_of(outcome: Outcome, value: Callable[[Layout], str]) -> str | None:
    return value(outcome.estimate.layout) if outcome.estimate and outcome.estimate.layout else None
