"""Prediction intervals on step time: conformal quantiles of left-out errors, by regime, scaled by expected error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.evidence.calibration import Calibration
from estimator.evidence.correction import Neighbours, error_scale, numbered
from estimator.evidence.likeness import Traits
from estimator.evidence.outlook import outlook_of
from estimator.physics.choice import Setting
from estimator.physics.effects import regime_keys
from estimator.physics.layout import Floats
from estimator.question.question import Caution

__all__ = ["COVERAGE", "Interval", "coverage_of", "interval", "left_out_inside", "left_out_scales", "regime_quantiles"]

COVERAGE = 0.9
"""Nominal probability that a range holds the measured time."""
_LEVEL = 0.88
"""Conformal level, tuned to 90 % coverage with a row's own source left out of the quantiles too."""
_FEWEST_SOURCES = 3
"""Sources a regime needs before its own quantiles are believed at all."""
_FULL_TRUST_SOURCES = 12
"""Sources at which a regime's quantiles replace those of the wider one."""
_SCALE_POWER = 0.7
"""Exponent of the expected error in the scores: 0 ignores it, 1 trusts it; it is an estimate itself."""
_UNSEEN_FAMILY = 1.25
"""Factor on the log width for a device family that no published run is of: outside the calibration's support."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Prediction interval as factors on the predicted time, of nominal probability `coverage`."""

    low: float
    high: float
    coverage: float
    regime: str
    warnings: tuple[Caution, ...]


def regime_quantiles(
    log_errors: Floats, scales: Floats, regimes: Sequence[tuple[str, ...]], groups: Sequence[str]
) -> dict[str, float]:
    """Return the conformal quantile of scaled left-out errors by regime: half the log width per unit of scale.

        score = |log error| / expected error ^ 0.7      quantile at ⌈(n + 1) · level⌉ / n

    Locally weighted split conformal (Vovk et al. 2005; Lei et al. 2018, section 5.2). A regime of few sources is
    shrunk to the quantile of all rows where that is wider. Rows of one source are not exchangeable with those of
    others, so coverage is checked with whole sources left out (`left_out_inside`), not guaranteed.
    """
    scores = np.abs(log_errors) / scales**_SCALE_POWER
    own: dict[str, tuple[float, int]] = {}
    for name in sorted({name for keys in regimes for name in keys}):
        rows = np.array([name in keys for keys in regimes])
        sources = len({group for group, row in zip(groups, rows, strict=True) if row})
        own[name] = (_conformal(scores[rows]), sources)
    widest = own["all"][0]
    out: dict[str, float] = {}
    for name, (width, sources) in own.items():
        trust = 0.0 if sources < _FEWEST_SOURCES else min(1.0, sources / _FULL_TRUST_SOURCES)
        out[name] = trust * width + (1.0 - trust) * max(width, widest)
    return out


def _conformal(scores: Floats) -> float:
    n = len(scores)
    level = min(1.0, math.ceil((n + 1) * _LEVEL) / n)
    return float(np.quantile(scores, level))


def half_width_log(quantiles: Mapping[str, float], keys: Sequence[str], scale: float) -> float:
    """Return half the log width of a range: the quantile of the narrowest regime that has one, times scale ^ 0.7."""
    return quantiles[next(key for key in keys if key in quantiles)] * math.pow(scale, _SCALE_POWER)


def interval(setting: Setting, calibration: Calibration) -> Interval:
    """Return the prediction interval of a setting with its warnings, widened on device families never calibrated on."""
    question = setting.question
    keys = regime_keys(question, setting.stack)
    regime = next(key for key in keys if key in calibration.quantiles)
    half = half_width_log(calibration.quantiles, keys, outlook_of(setting).error_scale)
    chip = question.cluster.accelerator
    warnings: list[Caution] = []
    if f"device:{chip.family}-{chip.segment}" not in calibration.effects:
        half *= _UNSEEN_FAMILY
        warnings.append(
            Caution(
                code="unseen_device_family",
                message=f"no published run in the calibration is on a device of the family {chip.family} "
                f"({chip.segment}): the range is widened, and rests on datasheet figures",
            )
        )
    stack = setting.stack
    if stack.tier == "tuned" and question.framework == "auto":
        warnings.append(
            Caution(
                code="tuned_stack_assumed",
                message=f"a tuned stack ({stack.name}) is assumed; a first try on an untuned one (Hugging Face) "
                "often takes 1.5 to 3 times as long: name yours with framework",
            )
        )
    return Interval(
        low=math.exp(-half), high=math.exp(half), coverage=calibration.coverage, regime=regime, warnings=tuple(warnings)
    )


def coverage_of(
    log_errors: Floats, scales: Floats, quantiles: Mapping[str, float], regimes: Sequence[tuple[str, ...]]
) -> NDArray[np.bool_]:
    """Return whether each row's measured time lies in its range, shape (R,): empirical coverage is the mean."""
    halves = [half_width_log(quantiles, keys, scale) for keys, scale in zip(regimes, scales, strict=True)]
    return np.abs(log_errors) <= np.array(halves)


def left_out_scales(log_errors: Floats, traits: Traits, groups: Sequence[str]) -> Floats:
    """Return each row's expected absolute log error, shape (R,), from the left-out errors of all other sources."""
    neighbours = Neighbours(
        traits=traits, residuals=np.zeros(len(log_errors)), errors=np.abs(log_errors), groups=numbered(groups)
    )
    scales = np.empty(len(log_errors))
    for group in np.unique(neighbours.groups):
        rows = np.flatnonzero(neighbours.groups == group)
        scales[rows] = error_scale(traits.taken(rows), neighbours.without(int(group)))
    return scales


def left_out_inside(
    log_errors: Floats, scales: Floats, regimes: Sequence[tuple[str, ...]], groups: Sequence[str]
) -> tuple[NDArray[np.bool_], Floats]:
    """Return whether each row lies in its range and how wide that is, its own source left out of the quantiles too."""
    labels = np.array(groups)
    halves = np.zeros(len(log_errors))
    for label in np.unique(labels):
        kept: list[int] = np.flatnonzero(labels != label).tolist()
        quantiles = regime_quantiles(
            log_errors[kept], scales[kept], [regimes[i] for i in kept], [groups[i] for i in kept]
        )
        for i in np.flatnonzero(labels == label).tolist():
            halves[i] = half_width_log(quantiles, regimes[i], float(scales[i]))
    return np.abs(log_errors) <= halves, np.exp(2.0 * halves)
