"""Which layout: the fastest that fits, and the best of every other way to split the model."""

from dataclasses import replace

from estimator.errors import InvalidValueError
from estimator.plan_limits import infeasible
from estimator.plan_trials import Trials, fits
from estimator.plan_types import Option
from estimator.question import Layout, Question
from estimator.request import Request

__all__ = ["layouts"]

_ALTERNATIVES = 5
_LOOKED_AT = 2_000
"""Layouts, best first, among which other splits are looked for."""


def layouts(trials: Trials) -> tuple[Option, Option | None, tuple[Option, ...]]:
    """Return the best layout, itself again where it surely keeps to the limits, and the best of other splits.

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
    best = trials.at(request)
    of = trials.limits
    if best is None or best.layout is None or not trials.meets(best, sure=False):
        raise infeasible(trials, f"no layout trains {run.subject.name} on {run.n_gpus:,} × {run.device.name}")
    solution = Option(why="the fastest that fits", meets=True, estimate=best)
    bounded = of.deadline_s is not None or of.budget_usd is not None
    sure = (
        Option(why=f"at least {best.coverage:.0%} sure", meets=True, estimate=best)
        if bounded and best.coverage is not None and trials.meets(best, sure=True)
        else None
    )
    others: list[Option] = []
    for layout in _other_splits(run.question, best.layout):
        one = trials.at(_pinned(request, layout))
        if one is not None and fits(one):
            slower = one.training_s / best.training_s - 1.0
            meets = bool(trials.meets(one, sure=False))
            others.append(Option(why=f"{slower:.1%} slower", meets=meets, estimate=one))
    others.sort(key=lambda option: option.estimate.training_s)
    return solution, sure, tuple(others[:_ALTERNATIVES])


def _other_splits(question: Question, best: Layout) -> list[Layout]:
    """Return the best layout of each other split over tensor, pipeline, context and experts, fastest first."""
    # NumPy comes with it, and a plan by the rule of thumb does without.
    from estimator.calibration import calibration
    from estimator.pricing import choice, setting

    found = setting(question)
    priced = choice(found, calibration().constants)
    seen = {_split(best)}
    out: list[Layout] = []
    for index in priced.order[:_LOOKED_AT]:
        if not priced.fits[index] or len(out) == _ALTERNATIVES:
            break
        layout = found.layouts.row(int(index))
        if _split(layout) not in seen:
            seen.add(_split(layout))
            out.append(layout)
    return out


def _split(layout: Layout) -> tuple[int, ...]:
    return (layout.tensor_parallel, layout.pipeline_parallel, layout.context_parallel, layout.expert_parallel)


def _pinned(request: Request, layout: Layout) -> Request:
    """Return `request` with every knob as in `layout`."""
    return replace(
        request,
        tensor_parallel=layout.tensor_parallel,
        pipeline_parallel=layout.pipeline_parallel,
        virtual_pipeline=layout.virtual_pipeline,
        context_parallel=layout.context_parallel,
        expert_parallel=layout.expert_parallel,
        data_sharding=layout.data_sharding,
        micro_batch_size=layout.micro_batch_size,
        activation_recompute=layout.recompute,
        global_batch_sequences=layout.data_parallel * layout.micro_batch_size * layout.micro_batches,
    )
