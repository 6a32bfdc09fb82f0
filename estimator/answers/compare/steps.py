"""Many questions priced together: the step of each on its best layout, and nothing that only a single answer shows.

One question has a few thousand layouts, of which most do not fit or are not what its stack's users run. Here those are
put aside before anything is timed, and what is left of many questions is timed in one pass over the arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from estimator.answers.estimate.best_step import factor_and_range, grounds_of, layout_prediction
from estimator.answers.estimate.runnable import runnable
from estimator.base.errors import InfeasibleError
from estimator.base.pauses import pause
from estimator.evidence.calibration import Calibration, committed_calibration
from estimator.physics.case import Case
from estimator.physics.choice import Setting, contenders, setting_of
from estimator.physics.layout import Layouts
from estimator.physics.memory import memory_of
from estimator.physics.step import step_time
from estimator.question.question import Prediction, Question

__all__ = ["QuickStep", "quick_steps"]

_BLOCK_LAYOUTS = 16_384
"""Layouts looked at together: they stay in cache, and a block takes a few milliseconds, so that callers can stop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickStep:
    """The step of one question, as `predict.prediction` has it but for what only a single answer shows."""

    prediction: Prediction
    framework: str

    @property
    def fits(self) -> bool:
        """Whether its layout does; where it does not, none does."""
        return self.prediction.memory.fits


def quick_steps(questions: Sequence[Question]) -> Iterator[tuple[int, QuickStep | InfeasibleError]]:
    """Yield the place and the step of each question, in order; an InfeasibleError where no layout divides it.

    Neighbours of one model are cheapest, because what they share is worked out once. What is yielded does not depend
    on the neighbours.
    """
    pause()
    fitted = committed_calibration()
    block: list[tuple[int, Setting | InfeasibleError]] = []
    pending = 0
    for place, question in enumerate(questions):
        try:
            pause()
            posed = setting_of(runnable(question, fitted.constants))
        except InfeasibleError as error:
            block.append((place, error))
            continue
        block.append((place, posed))
        pending += len(posed.layouts)
        if pending >= _BLOCK_LAYOUTS:
            yield from _steps(block, fitted)
            block, pending = [], 0
    yield from _steps(block, fitted)


def _steps(
    block: Sequence[tuple[int, Setting | InfeasibleError]], fitted: Calibration
) -> Iterator[tuple[int, QuickStep | InfeasibleError]]:
    by_model: dict[object, list[Setting]] = {}
    for _, posed in block:
        if isinstance(posed, Setting):
            by_model.setdefault(posed.case.matrices, []).append(posed)
    chosen = {matrices: iter(_chosen(settings, fitted)) for matrices, settings in by_model.items()}
    for place, posed in block:
        yield place, posed if isinstance(posed, InfeasibleError) else next(chosen[posed.case.matrices])


def _chosen(settings: Sequence[Setting], fitted: Calibration) -> Iterator[QuickStep]:
    """Yield the best step of each of `settings`, which are of one model: that which `ranked_layouts` puts first."""
    kept = [posed.layouts.taken(contenders(posed)) for posed in settings]
    counts = [len(layouts) for layouts in kept]
    layouts = _joined(kept)
    spread = _spread([posed.case for posed in settings], counts)
    times, used = step_time(spread, layouts, fitted.constants), memory_of(spread, layouts)
    total_s = times.total_s
    start = 0
    for posed, count in zip(settings, counts, strict=True):
        pause()
        best = start + int(np.argmin(total_s[start : start + count]))
        start += count
        grounds = grounds_of(posed, fitted, layouts.taken(np.array([best])), times.taken(best))
        factor, span = factor_and_range(grounds)
        prediction = layout_prediction(
            posed,
            factor,
            span,
            layouts=layouts,
            times=times,
            used=used,
            row=best,
        )
        yield QuickStep(prediction=prediction, framework=posed.stack.name)


def _joined(several: Sequence[Layouts]) -> Layouts:
    """Return the layouts of all, one after another."""
    return Layouts(
        **{
            field.name: np.concatenate([getattr(layouts, field.name) for layouts in several])
            for field in fields(Layouts)
        }
    )


def _spread(cases: Sequence[Case], counts: Sequence[int]) -> Case:
    """Return cases of one model as one: what differs between them as an array with `counts` rows of each."""
    values: dict[str, Any] = {}
    for field in fields(Case):
        if field.name == "matrices":
            continue
        column = [getattr(case, field.name) for case in cases]
        same = all(value == column[0] for value in column)
        values[field.name] = column[0] if same else np.repeat(np.array(column, dtype=np.float64), counts)
    return replace(cases[0], **values)
