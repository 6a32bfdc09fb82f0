"""Many questions priced together: the step of each on its best layout, and nothing that only a single answer shows.

One question has a few thousand layouts, of which most do not fit or are not what its stack's users run. Here those are
put aside before anything is timed, and what is left of many questions is timed in one pass over the arrays.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimator.answers.estimate.predict import effect
from estimator.base.errors import InfeasibleError
from estimator.evidence.calibration import Calibration, committed_calibration
from estimator.evidence.uncertainty import interval
from estimator.models.flops import flop_counts
from estimator.physics.case import Case
from estimator.physics.choice import Setting, setting_of, usual_recompute
from estimator.physics.lattice import least_recomputing
from estimator.physics.layout import Layouts
from estimator.physics.memory import USABLE_SHARE, Memory, memory_of
from estimator.physics.step import PARTS, StepTime, step_time
from estimator.question.question import MemoryUse, Prediction, Question

__all__ = ["QuickStep", "quick_steps"]

Rows = NDArray[np.intp]

_BLOCK_LAYOUTS = 16_384
"""Layouts looked at together: they stay in cache, and a block takes a few milliseconds, so that callers can stop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickStep:
    """The step of one question, as `predict.prediction` has it but for what only a single answer shows."""

    prediction: Prediction
    fits: bool
    framework: str


def quick_steps(questions: Sequence[Question]) -> Iterator[tuple[int, QuickStep | InfeasibleError]]:
    """Yield the place and the step of each question, in order; an InfeasibleError where no layout divides it.

    Neighbours of one model are cheapest, because what they share is worked out once. What is yielded does not depend
    on the neighbours.
    """
    known = committed_calibration()
    block: list[tuple[int, Setting | InfeasibleError]] = []
    pending = 0
    for place, question in enumerate(questions):
        try:
            found = setting_of(question)
        except InfeasibleError as error:
            block.append((place, error))
            continue
        block.append((place, found))
        pending += len(found.layouts)
        if pending >= _BLOCK_LAYOUTS:
            yield from _steps(block, known)
            block, pending = [], 0
    yield from _steps(block, known)


def _steps(
    block: Sequence[tuple[int, Setting | InfeasibleError]], known: Calibration
) -> Iterator[tuple[int, QuickStep | InfeasibleError]]:
    by_model: dict[object, list[Setting]] = {}
    for _, found in block:
        if isinstance(found, Setting):
            by_model.setdefault(found.case.matrices, []).append(found)
    chosen = {matrices: iter(_chosen(settings, known)) for matrices, settings in by_model.items()}
    for place, found in block:
        yield place, found if isinstance(found, InfeasibleError) else next(chosen[found.case.matrices])


def _chosen(settings: Sequence[Setting], known: Calibration) -> Iterator[QuickStep]:
    """Yield the best step of each of `settings`, which are of one model.

    The order of preference is that of `pricing.choice`: what fits before what does not, the stack's usual
    recomputation before others, then the fastest; of what does not fit, the smallest.
    """
    kept: list[Layouts] = []
    fitting: list[bool] = []
    for found in settings:
        rows, fits = _candidates(found)
        kept.append(found.layouts.taken(rows))
        fitting.append(fits)
    counts = [len(layouts) for layouts in kept]
    candidates = _joined(kept)
    spread = _spread([found.case for found in settings], counts)
    times = step_time(spread, candidates, known.constants)
    total_s, used = times.total_s, memory_of(spread, candidates)
    start = 0
    for found, count, fits in zip(settings, counts, fitting, strict=True):
        best = start + int(np.argmin(total_s[start : start + count]))
        start += count
        yield QuickStep(
            prediction=_prediction(found, known, candidates, times, used, best), fits=fits, framework=found.stack.name
        )


def _candidates(of: Setting) -> tuple[Rows, bool]:
    """Return the rows among which the fastest is sought, and whether they fit.

    Of layouts that differ in recomputation alone, the one that recomputes least is fastest: the others are left out.
    """
    capacity_bytes = USABLE_SHARE.mode * of.question.cluster.accelerator.memory_bytes
    blocks = of.layouts.blocks
    totals = [np.broadcast_to(memory_of(of.case, block.layouts).total_bytes, block.legal.shape) for block in blocks]
    for least in (usual_recompute(of), 0):
        rows: list[Rows] = []
        for block, total_bytes in zip(blocks, totals, strict=True):
            fits = block.legal & (total_bytes <= capacity_bytes) & (block.layouts.recompute >= least)
            rows.append(block.rows.start + np.flatnonzero(least_recomputing(fits)[block.legal]))
        found = np.concatenate(rows)
        if len(found):
            return found, True
    smallest = np.concatenate([total[block.legal] for block, total in zip(blocks, totals, strict=True)])
    return np.array([np.argmin(smallest)]), False


def _prediction(  # noqa: PLR0917 - what was worked out for all, and which of it is meant
    of: Setting, known: Calibration, layouts: Layouts, times: StepTime, used: Memory, best: int
) -> Prediction:
    question = of.question
    layout = layouts.row(best)
    total_s = float(times.total_s[best])
    span = interval(of, known)
    flop = flop_counts(
        question.transformer,
        sequence_length=question.sequence_length,
        method=question.method,
        recompute=layout.recompute,
    )
    return Prediction(
        step_s=total_s * math.exp(effect(of, known)),
        tokens_per_step=of.global_batch * question.sequence_length,
        low_factor=span.low,
        high_factor=span.high,
        coverage=span.coverage,
        layout=layout,
        memory=MemoryUse(
            weights_bytes=float(used.weights_bytes[best]),
            gradients_bytes=float(used.gradients_bytes[best]),
            optimizer_bytes=float(used.optimizer_bytes[best]),
            activations_bytes=float(used.activations_bytes[best]),
            other_bytes=float(used.other_bytes[best]),
            capacity_bytes=question.cluster.accelerator.memory_bytes,
        ),
        breakdown={part: float(getattr(times, f"{part}_s")[best]) / total_s for part in PARTS},
        model_flop_per_token=flop.model,
        hardware_flop_per_token=flop.hardware,
        assumptions=(),
        warnings=span.warnings,
        runner_ups=(),
        narrow_by=(),
        comparable_runs=(),
    )


def _joined(several: Sequence[Layouts]) -> Layouts:
    """Return the layouts of all, one after another."""
    return Layouts(
        **{field.name: np.concatenate([getattr(one, field.name) for one in several]) for field in fields(Layouts)}
    )


def _spread(cases: Sequence[Case], counts: Sequence[int]) -> Case:
    """Return cases of one model as one: what differs between them as an array with `counts` rows of each."""
    values: dict[str, Any] = {}
    for field in fields(Case):
        if field.name == "matrices":
            continue
        column = [getattr(one, field.name) for one in cases]
        same = all(value == column[0] for value in column)
        values[field.name] = column[0] if same else np.repeat(np.array(column, dtype=np.float64), counts)
    return replace(cases[0], **values)
