"""The rows of a sweep as columns: what was asked, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from estimator.answers.compare.compare import Outcome
from estimator.answers.estimate.estimate import Estimate
from estimator.answers.sweep.points import Sweep, outcome_of_points

__all__ = ["WHOLE", "Column", "columns"]

Column = NDArray[np.float64] | NDArray[np.int64] | NDArray[np.bool_] | Sequence[str | None]
"""Values of one column; NaN and None where there is none."""

_BY_TIME: Mapping[str, tuple[int, Callable[[Estimate], float | None]]] = {
    "training_seconds": (0, lambda estimate: estimate.training_s),
    "training_seconds_low": (1, lambda estimate: estimate.training_low_s),
    "training_seconds_high": (2, lambda estimate: estimate.training_high_s),
    "gpu_hours": (0, lambda estimate: estimate.gpu_hours[0]),
    "cost_usd": (0, lambda estimate: estimate.cost_usd.value),
    "cost_usd_low": (1, lambda estimate: estimate.cost_usd.low),
    "cost_usd_high": (2, lambda estimate: estimate.cost_usd.high),
    "energy_kwh": (0, lambda estimate: estimate.energy_kwh.value),
}
"""What is proportional to the time, to its point, its low or its high end."""
_BY_TOKENS: Mapping[str, Callable[[Estimate], float | None]] = {"model_flops": lambda estimate: estimate.model_flop}
"""What is proportional to the tokens."""
_CONSTANT: Mapping[str, Callable[[Estimate], float | None]] = {
    "interval_coverage": lambda estimate: estimate.coverage,
    "tokens_per_second": lambda estimate: estimate.tokens_per_second,
    "step_seconds": lambda estimate: estimate.step_s,
    "flops_per_token": lambda estimate: estimate.hardware_flop_per_token,
    "model_flops_utilization": lambda estimate: estimate.model_flops_utilization,
    "hardware_flops_utilization": lambda estimate: estimate.hardware_flops_utilization,
    "memory_bytes": lambda estimate: None if estimate.memory is None else estimate.memory.total_bytes,
}
_DEGREES: Mapping[str, str] = {
    "layout_tensor_parallel": "tensor_parallel",
    "layout_pipeline_parallel": "pipeline_parallel",
    "layout_virtual_pipeline": "virtual_pipeline",
    "layout_context_parallel": "context_parallel",
    "layout_expert_parallel": "expert_parallel",
    "layout_data_parallel": "data_parallel",
    "layout_micro_batch_size": "counted_micro_batch",
    "layout_micro_batches": "micro_batches",
}
"""Properties of a layout, by column."""
WHOLE = frozenset(_DEGREES)
"""Columns of whole numbers; floats only because an array of whole numbers has no NaN."""
_TEXTS: Mapping[str, Callable[[Outcome], str | None]] = {
    "reason": lambda outcome: outcome.reason or None,
    "basis": lambda outcome: outcome.estimate.basis if outcome.estimate else None,
    "stack": lambda outcome: outcome.framework or None,
    "layout_data_sharding": lambda outcome: _habit(outcome, "data_sharding"),
    "layout_recompute": lambda outcome: _habit(outcome, "recompute"),
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
    scale = np.ones(len(which))
    if "tokens" in rows:
        asked = np.array([outcome.request.tokens for outcome in distinct], dtype=np.float64)
        scale = np.asarray(rows["tokens"], dtype=np.float64) / asked[taken_outcomes]
    longer = _longer(distinct, which, scale)
    rows["possible"] = np.array([not outcome.reason for outcome in distinct], dtype=np.bool_)[taken_outcomes]
    for name, text in _TEXTS.items():
        texts = [text(outcome) for outcome in distinct]
        rows[name] = [texts[place] for place in which]
    for name, (end, value) in _BY_TIME.items():
        rows[name] = _numbers(distinct, value)[taken_outcomes] * longer[:, end]
    for name, value in _BY_TOKENS.items():
        rows[name] = _numbers(distinct, value)[taken_outcomes] * scale
    for name, value in _CONSTANT.items():
        rows[name] = _numbers(distinct, value)[taken_outcomes]
    for name, degree in _DEGREES.items():
        rows[name] = _numbers(distinct, partial(_degree, name=degree))[taken_outcomes]
    return rows


def _longer(distinct: Sequence[Outcome], which: Sequence[int], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many times longer each point takes than its outcome, shape (points, 3): point, low and high end.

    Not as many times as it has tokens: longer runs meet with more trouble, and the shortest only start up.
    """
    known: dict[tuple[int, float], tuple[float, float, float]] = {}
    for place, factor in zip(which, scale.tolist(), strict=True):
        estimate = distinct[place].estimate
        if (place, factor) not in known and estimate is not None and factor != 1.0:
            taken = estimate.timing.training_s(estimate.run.amount.tokens * factor)
            ends = estimate.training_s, estimate.training_low_s, estimate.training_high_s
            known[place, factor] = (taken[0] / ends[0], taken[1] / ends[1], taken[2] / ends[2])
    ones = (1.0, 1.0, 1.0)
    return np.array([known.get((place, factor), ones) for place, factor in zip(which, scale.tolist(), strict=True)])


def _axis(values: Sequence[str | int | float], taken: Sequence[int]) -> Column:
    if all(isinstance(value, str) for value in values):
        return [str(values[place]) for place in taken]
    whole = all(isinstance(value, int) for value in values)
    places = np.array(taken, dtype=np.intp)
    return np.array(values, dtype=np.int64)[places] if whole else np.array(values, dtype=np.float64)[places]


def _numbers(outcomes: Sequence[Outcome], value: Callable[[Estimate], float | None]) -> NDArray[np.float64]:
    numbers = (value(outcome.estimate) if outcome.estimate else None for outcome in outcomes)
    return np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)


def _degree(estimate: Estimate, name: str) -> float | None:
    degree: int | None = getattr(estimate.layout, name, None)
    return degree


def _habit(outcome: Outcome, name: str) -> str | None:
    word: str | None = getattr(outcome.estimate and outcome.estimate.layout, name, None)
    return word
