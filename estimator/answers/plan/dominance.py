"""Pareto dominance among runs on one device: what is no better in anything than what is planned is no alternative."""

from collections.abc import Iterable

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.trials import Trials

__all__ = ["as_good", "dominated"]

_ALIKE = 0.01
"""Share by which two runs may differ in time, in GPU-hours or in tokens and be alike: nobody would choose by it."""


def as_good(run: Estimate, other: Estimate) -> bool:
    """Return whether `run` takes no more time and GPU-hours than `other`, on no fewer tokens; or hardly so."""
    most = 1.0 + _ALIKE
    return (
        run.training_s <= most * other.training_s
        and run.gpu_hours[0] <= most * other.gpu_hours[0]
        and most * run.run.amount.real_tokens >= other.run.amount.real_tokens
    )


def dominated(trials: Trials, option: Estimate, taken: Iterable[Estimate]) -> bool:
    """Return whether one of the runs `taken` is as good as `option` in time, GPU-hours, tokens and sureness.

    A run that keeps to the limits by the far end of its range is better than one that does not, whatever it takes.
    """
    surely = bool(trials.meets(option, sure=True))
    return any(as_good(run, option) and (not surely or bool(trials.meets(run, sure=True))) for run in taken)
