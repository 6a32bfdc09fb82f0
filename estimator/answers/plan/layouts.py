"""Which layout: the fastest that fits, and the best of every other way to split the model."""

import math
from dataclasses import replace
from typing import Any

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.limits import infeasible
from estimator.answers.plan.trials import Trials, fits, in_full, sureness
from estimator.answers.plan.types import Option
from estimator.base.errors import InvalidValueError
from estimator.question.question import Assumption, Layout, LayoutRequest, Question
from estimator.question.request import Request

__all__ = ["planned_layout"]

_ALTERNATIVES = 5
_ALIKE = 1e-6
"""By which two times may differ that are one, priced twice."""


def planned_layout(trials: Trials) -> tuple[Option, Option | None, tuple[Option, ...]]:
    """Return the fastest layout, itself again where it surely keeps to the limits, and the best of other splits.

    Every one is priced as stated in full, the fastest too: of a layout that is left open, an estimate takes the
    stack's usual recomputation and what such runs lose on average, so that the two cannot be ranked together. Where
    the fastest is the layout that an estimate of the question has, and takes as long, it is that estimate: told a
    layout or none, a plan says of it what an estimate says, the range with it.
    Raises InfeasibleError where no layout fits or keeps to the limits, InvalidValueError where nothing is predicted.
    """
    request = trials.base
    run = trials.resolved(request)
    if run.question is None or run.utilization is not None:
        what = "is not known to the step-time model, which finds layouts; give a catalogued one"
        if run.utilization is not None:
            raise InvalidValueError(
                "utilization", run.utilization, "turns prediction off, which finds layouts; leave it out"
            )
        argument = "gpu" if run.subject.transformer is not None else "model"
        raise InvalidValueError(argument, getattr(request, argument), what)
    limits = trials.limits
    # What is left open has a layout if anything has, and says what is lacking where nothing fits.
    left_open = trials.at(request)
    candidates = [] if left_open is None else _best_of_each_split(run.question)
    tried = [trials.at(_pinned(request, layout)) for layout in candidates]
    if not any(tried):
        # The usual batch on millions of devices is larger than one that may be stated.
        tried = [left_open]
    priced = [estimate for estimate in tried if estimate is not None and fits(estimate)]
    priced.sort(key=lambda estimate: estimate.training_s)
    if not priced or not trials.meets(priced[0], sure=False):
        raise infeasible(trials, f"no layout trains {run.subject.name} on {run.device.counted(run.n_gpus)}")
    best = in_full(left_open if left_open is not None and _are_one(left_open, priced[0]) else priced[0])
    best = _as_searched(best, request)
    solution = Option(why="the fastest that fits", meets=True, estimate=best)
    bounded = limits.deadline_s is not None or limits.budget is not None
    sure = (
        Option(why=sureness(best), meets=True, estimate=best)
        if bounded and best.coverage is not None and trials.meets(best, sure=True)
        else None
    )
    others = tuple(
        Option(
            why=f"{estimate.training_s / best.training_s - 1.0:.1%} slower",
            meets=bool(trials.meets(estimate, sure=False)),
            estimate=estimate,
        )
        for estimate in priced[1 : _ALTERNATIVES + 1]
    )
    return solution, sure, others


def _are_one(left_open: Estimate, stated: Estimate) -> bool:
    """Return whether a question is answered with a layout, and as long, as where that is stated in full.

    Who states it tells more than the layout where that says how devices are started, and is then no slower for it.
    """
    alike = math.isclose(left_open.training_s, stated.training_s, rel_tol=_ALIKE)
    return left_open.layout == stated.layout and alike


def _best_of_each_split(question: Question) -> list[Layout]:
    """Return the fastest layout that fits of each split over tensor, pipeline, context and experts, fastest first."""
    # NumPy comes with it, and a plan by the rule of thumb does without.
    import numpy as np

    from estimator.answers.estimate.runnable import runnable
    from estimator.evidence.calibration import committed_calibration
    from estimator.physics.choice import ranked_layouts, setting_of

    constants = committed_calibration().constants
    if question.precedent is not None:
        # Other layouts of the same training, in its batch where any divides it: in another it would be another.
        question = runnable(replace(question, layout=question.precedent.own_layout), constants)
    posed = setting_of(question)
    priced = ranked_layouts(posed, constants)
    # The order of the choice prefers what users of the stack run; here the time alone counts.
    rows = np.flatnonzero(priced.fits)
    rows = rows[np.argsort(priced.seconds[rows], kind="stable")]
    fitting = posed.layouts.taken(rows)
    splits = np.stack([fitting.tensor, fitting.pipeline, fitting.context, fitting.expert], axis=1)
    _, first = np.unique(splits, axis=0, return_index=True)
    return [fitting.row(int(place), question.sequences_each) for place in np.sort(first)[: _ALTERNATIVES + 1]]


def _pinned(request: Request, layout: Layout) -> Request:
    """Return `request` with every knob as in `layout`."""
    knobs: dict[str, Any] = {**layout.by_argument(), "global_batch_sequences": layout.counted_batch}
    return replace(request, **knobs)


def _as_searched(estimate: Estimate, request: Request) -> Estimate:
    """Return the estimate of a pinned layout with what `request` left open named as found, not as told."""
    knobs = (*LayoutRequest().by_argument(), "global_batch_sequences")
    open_knobs = {name for name in knobs if getattr(request, name) in {None, "auto"}}

    def renamed(assumption: Assumption) -> Assumption:
        if assumption.name not in open_knobs:
            return assumption
        if assumption.name == "global_batch_sequences":
            return replace(assumption, source="default", note="a usual batch for the size of the model and the cluster")
        return replace(assumption, source="searched", note="the fastest layout that fits")

    return replace(estimate, assumptions=tuple(renamed(assumption) for assumption in estimate.assumptions))
