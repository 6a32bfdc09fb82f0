"""Which layout: the fastest that fits, the best of every other way to split the model, and the trainer's own."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.limits import infeasible
from estimator.answers.plan.trials import Trials, fits, in_full, sureness
from estimator.answers.plan.types import Option
from estimator.base.errors import InfeasibleError, InvalidValueError
from estimator.question.question import ZERO_STAGES, Assumption, Layout, LayoutRequest, Question, Sharding
from estimator.question.request import Request
from estimator.resolve.run import Run

__all__ = ["planned_layout"]

_ALTERNATIVES = 5
_WORTH_SHARDING = 0.01
"""Share of the time that another way to shard states must save: it is another engine or another configuration."""
_ALIKE = 1e-6
"""By which two times may differ that are one, priced twice."""


def planned_layout(trials: Trials) -> tuple[Option, Option | None, tuple[Option, ...]]:
    """Return the fastest layout, itself again where it surely keeps to the limits, and the best of other splits.

    Where nobody told micro-batch, recomputation and how states are sharded, all that the stack can be set to are tried,
    in the batch that it would have; what it does unless it is told stands among the others, where that is slower.
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
    candidates = [] if left_open is None else _candidates(trials, run, left_open)
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
    usual = None if left_open is None or priced[0].layout == left_open.layout else left_open.layout
    others = tuple(
        Option(
            why=f"{estimate.training_s / best.training_s - 1.0:.1%} slower",
            meets=bool(trials.meets(estimate, sure=False)),
            estimate=estimate,
            usual=estimate.layout == usual,
        )
        for estimate in _others(priced, usual)
    )
    return solution, sure, others


def _others(priced: list[Estimate], usual: Layout | None) -> list[Estimate]:
    """Return the best of every split but that of the first, and the `usual` layout, fastest first."""
    best: dict[tuple[int, ...], Estimate] = {}
    for estimate in priced:
        if estimate.layout is not None:
            best.setdefault(_split(estimate.layout), estimate)
    kept = [estimate for estimate in best.values() if estimate is not priced[0]][:_ALTERNATIVES]
    return [one for one in priced if one in kept or (usual is not None and one.layout == usual)]


def _split(layout: Layout) -> tuple[int, ...]:
    return layout.tensor_parallel, layout.pipeline_parallel, layout.context_parallel, layout.expert_parallel


def _are_one(left_open: Estimate, stated: Estimate) -> bool:
    """Return whether a question is answered with a layout, and as long, as where that is stated in full.

    Who states it tells more than the layout where that says how devices are started, and is then no slower for it.
    """
    alike = math.isclose(left_open.training_s, stated.training_s, rel_tol=_ALIKE)
    return left_open.layout == stated.layout and alike


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A layout that fits, by the physical time of its step."""

    sequence_s: float
    """Seconds of a sequence of the batch, all devices together: rows of other micro-batches are padded otherwise."""
    layout: Layout


def _candidates(trials: Trials, run: Run, left_open: Estimate) -> list[Layout]:
    """Return the layouts to price: the fastest of each split, and of each micro-batch, and the one of `left_open`."""
    usual = left_open.layout
    if usual is None:
        return []
    found: list[list[_Candidate]] = []
    for question in _posed(trials, run, usual):
        try:
            found.append(_best_of_each_split(question, usual.data_sharding))
        except InfeasibleError:
            # Micro-batches that do not divide what each device has of the batch.
            continue
        if not found[-1]:
            # Larger ones do not fit either.
            break
    best: dict[tuple[int, ...], Layout] = {}
    for one in sorted((one for each in found for one in each), key=lambda one: one.sequence_s):
        best.setdefault(_split(one.layout), one.layout)
    fastest = (each[0].layout for each in found if each)
    return list(dict.fromkeys([*list(best.values())[: _ALTERNATIVES + 1], *fastest, usual]))


def _posed(trials: Trials, run: Run, usual: Layout) -> Iterator[Question]:
    """Yield the question of `run`, or that of each micro-batch where samples are padded to one that nobody told.

    Not where a batch is whole, for its samples are one another's negatives, or cannot be accumulated.
    """
    # NumPy comes with it, and a plan by the rule of thumb does without.
    from estimator.answers.estimate.runnable import runnable
    from estimator.evidence.calibration import committed_calibration
    from estimator.physics.space import micro_batches

    question, request = run.question, trials.base
    if question is None:
        return
    if question.precedent is not None:
        # Other layouts of the same training, in its batch where any divides it: in another it would be another.
        own = replace(question, layout=question.precedent.own_layout)
        yield runnable(own, committed_calibration().constants)
        return
    padded = question.layout.micro_batch_size is not None and request.micro_batch_size is None
    if not padded or question.whole_batches or question.practice.releases_gradients:
        yield question
        return
    batch, length = usual.counted_batch, question.sequence_length * question.sequences_each
    for size in micro_batches(length, batch // math.gcd(batch, run.n_gpus)):
        if batch % size == 0:
            told = trials.resolved(replace(_in_batch(request, batch), micro_batch_size=size))
            if told.question is not None:
                yield told.question


def _best_of_each_split(question: Question, usual: Sharding) -> list[_Candidate]:
    """Return the fastest layout that fits of each split over tensor, pipeline, context and experts, fastest first.

    States are sharded as is `usual` with the stack unless another way saves time that is worth it.
    Raises InfeasibleError where no layout divides devices, layers and batch.
    """
    import numpy as np

    from estimator.evidence.calibration import committed_calibration
    from estimator.physics.choice import ranked_layouts, setting_of

    posed = setting_of(question, by_habit=False)
    priced = ranked_layouts(posed, committed_calibration().constants)
    # The order of the choice prefers what users of the stack run; here the time alone counts.
    rows = np.flatnonzero(priced.fits)
    resharded = posed.layouts.knob("shard_stage")[rows] != ZERO_STAGES.index(usual)
    rows = rows[np.argsort(priced.seconds[rows] * (1.0 + _WORTH_SHARDING * resharded), kind="stable")]
    fitting = posed.layouts.taken(rows)
    splits = np.stack([fitting.tensor, fitting.pipeline, fitting.context, fitting.expert], axis=1)
    _, first = np.unique(splits, axis=0, return_index=True)
    return [
        _Candidate(
            sequence_s=float(priced.seconds[rows[place]]) / posed.global_batch,
            layout=fitting.row(int(place), question.sequences_each),
        )
        for place in np.sort(first)[: _ALTERNATIVES + 1]
    ]


def _in_batch(request: Request, batch: int) -> Request:
    """Return `request` in so large a batch, whatever it was made of."""
    return replace(request, global_batch_sequences=batch, gradient_accumulation=None)


def _pinned(request: Request, layout: Layout) -> Request:
    """Return `request` with every knob as in `layout`."""
    knobs: dict[str, Any] = layout.by_argument()
    return replace(_in_batch(request, layout.counted_batch), **knobs)


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
