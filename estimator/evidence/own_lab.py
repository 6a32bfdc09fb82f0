"""What a caller's own runs say of a question: kriging within one lab, where what a lab does is shared.

Between labs a residual tells little (`correction`), because most of it is the lab's own. A caller's runs are of the lab
that is asked about, so that here it carries over: nearly all of it to the same network, trained the same way on the
same device; of the rest less, the more the two differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from estimator.evidence.likeness import Traits, kernel
from estimator.physics.layout import Floats

__all__ = ["NO_OWN_RUNS", "OwnOutlook", "own_outlook", "within_lab_correlation"]

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
    """Runs that it rests on."""


NO_OWN_RUNS = OwnOutlook(correction_log=0.0, narrowing=1.0, used=0)


def within_lab_correlation(a: Traits, b: Traits) -> Floats:
    """Return the correlation of the log errors of predictions of runs `a` and `b` of one lab, shape (A, B).

    wide · kernel + narrow · kernel      kernels as `likeness` has them between labs
    """
    return _WIDE * kernel(a, b, _WIDE_FADING, _WIDE_OTHER) + _NARROW * kernel(a, b, _NARROW_FADING, _NARROW_OTHER)


def own_outlook(traits: Traits, measured: Traits, residuals: Floats) -> OwnOutlook:
    """Return what runs with traits `measured`, shape (N,), and `residuals` say of the question with `traits`, one row.

        mean = k' (R + ν I)⁻¹ r,  variance = 1 − k' (R + ν I)⁻¹ k

    R, k: correlations among the runs, and with the question; ν: a run's own share; r: log of measured over predicted
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
