"""What a caller's own runs say of a question: kriging within one lab, where what a lab does is shared.

Between labs a residual tells little (`correction`), because most of it is the lab's own. A caller's runs are of the lab
that is asked about, so that here it carries over: nearly all of it to the same network, trained the same way on the
same device; of the rest less, the more the two differ.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from estimator.evidence.likeness import Traits, joined_traits, kernel, setting_traits
from estimator.evidence.uncertainty import Interval
from estimator.physics.choice import Setting
from estimator.physics.layout import Floats
from estimator.question.question import Caution, OwnRun

__all__ = [
    "NO_OWN_RUNS",
    "MeasuredStep",
    "OwnOutlook",
    "held_to_own_runs",
    "measured_step",
    "outlook_of_own",
    "own_outlook",
    "within_lab_correlation",
]

_WIDE, _NARROW = 0.7, 0.25
"""Shares of the variance of a lab's error that its runs of a kind share, and that only runs nearly equal do. The rest
is a run's own. With whole labs left out, the slope of one run's error on another's of the same lab is 0.4 for the same
stack and device, 0.5 to 0.85 for models of one kind, 0.2 between a mixture of experts and a dense model."""
_WIDE_FADING: Mapping[str, float] = MappingProxyType(
    {"log_size": 5.0, "log_length": 2.0, "log_batch": 6.0, "released": 5.0}
)
_WIDE_OTHER: Mapping[str, float] = MappingProxyType(
    {"stack": 0.5, "family": 0.8, "device": 0.75, "bits": 0.9, "experts": 0.6, "adapters": 0.6}
)
_NARROW_FADING: Mapping[str, float] = MappingProxyType(
    {"log_size": 2.5, "log_length": 1.2, "log_batch": 3.0, "released": 2.0}
)
_NARROW_OTHER: Mapping[str, float] = MappingProxyType(
    {"stack": 0.3, "family": 0.4, "device": 0.5, "bits": 0.7, "experts": 0.15, "adapters": 0.4, "network": 0.5}
)
"""As in `likeness`, by what a lab's runs differ in. The count of devices is not among them: see there."""
_BELIEVED = 0.2
"""Log time of a residual that a run of nothing in common is believed, over 1 − correlation². Large ones are more often
of one configuration than of the lab."""
_NARROWING = 0.2
"""Power of the posterior variance, as a share of the prior's, by which the log width of a range falls. A Gaussian's
would be 0.5; left-out runs of one lab differ with heavier tails, by so much less."""
_LEAST_VARIANCE = 0.04
"""Of the prior: runs of equal traits differ in what traits do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOutlook:
    """What a caller's runs change of one question's prediction."""

    correction_log: float
    """To be added to the log of predicted time."""
    narrowing: float
    """Factor on the log width of its range, at most 1."""
    used: int
    """Runs that it rests on …"""
    unused: int = 0
    """… and those that no layout divides, of which nothing can be predicted."""


NO_OWN_RUNS = OwnOutlook(correction_log=0.0, narrowing=1.0, used=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredStep:
    """A caller's run, held against what would have been predicted of it."""

    traits: Traits
    residual_log: float
    """Log of measured over predicted time."""


def measured_step(setting: Setting, run: OwnRun, predicted_s: float) -> MeasuredStep:
    """Return by how much `run` took longer than a step of `predicted_s` in its `setting`."""
    tokens = setting.global_batch * setting.question.sequence_length
    residual = math.log(tokens / (run.tokens_per_second * predicted_s))
    return MeasuredStep(traits=setting_traits(setting), residual_log=residual)


def outlook_of_own(setting: Setting, measured: Sequence[MeasuredStep | None]) -> OwnOutlook:
    """Return what measured steps say of a setting; None stands for one of which nothing could be predicted."""
    steps = [step for step in measured if step is not None]
    if not steps:
        return replace(NO_OWN_RUNS, unused=len(measured))
    traits = joined_traits([step.traits for step in steps])
    own = own_outlook(setting_traits(setting), traits, np.array([step.residual_log for step in steps]))
    return replace(own, unused=len(measured) - len(steps))


def held_to_own_runs(factor: float, span: Interval, own: OwnOutlook) -> tuple[float, Interval]:
    """Return `factor` on physical step time and its range, corrected and narrowed by a caller's own runs."""
    warnings = span.warnings
    if own.unused:
        runs = "1 of my_runs has" if own.unused == 1 else f"{own.unused} of my_runs have"
        message = f"{runs} no layout that divides its GPUs, layers and batch as told, and corrects nothing"
        warnings = (*warnings, Caution(code="own_run_unused", message=message))
    held = replace(
        span,
        low=math.pow(span.low, own.narrowing),
        high=math.pow(span.high, own.narrowing),
        warnings=warnings,
    )
    return factor * math.exp(own.correction_log), held


def within_lab_correlation(a: Traits, b: Traits) -> Floats:
    """Return the correlation of the log errors of predictions of runs `a` and `b` of one lab, shape (A, B).

    wide · kernel + narrow · kernel      kernels as `likeness` has them between labs
    """
    return _WIDE * kernel(a, b, _WIDE_FADING, _WIDE_OTHER) + _NARROW * kernel(a, b, _NARROW_FADING, _NARROW_OTHER)


def own_outlook(traits: Traits, measured: Traits, residuals: Floats) -> OwnOutlook:
    """Return what runs with traits `measured`, shape (N,), and `residuals` say of the question with `traits`, one row.

        mean = k' (R + n I)⁻¹ r,  variance = 1 − k' (R + n I)⁻¹ k

    R, k: correlations among the runs, and with the question; n: a run's own share; r: log of measured over predicted
    time, each cut where it is more than the question should believe (Huber 1964). The posterior of a Gaussian process
    of unit variance; source: Rasmussen and Williams 2006, section 2.2.
    """
    if not len(residuals):
        return NO_OWN_RUNS
    likeness = within_lab_correlation(traits, measured)[0]
    among = within_lab_correlation(measured, measured) + (1.0 - _WIDE - _NARROW) * np.eye(len(residuals))
    weights = np.linalg.solve(among, likeness)
    believed = _BELIEVED / (1.0 - likeness**2)
    mean = float(weights @ np.clip(residuals, -believed, believed))
    variance = max(_LEAST_VARIANCE, 1.0 - float(weights @ likeness))
    return OwnOutlook(correction_log=mean, narrowing=min(1.0, variance**_NARROWING), used=len(residuals))
