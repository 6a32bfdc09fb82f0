"""How wrong a prediction may be: what left-out runs of the same regime were."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.calibration import Calibration
from estimator.effects import regime_keys
from estimator.pricing import Setting
from estimator.question import Caution

__all__ = ["COVERAGE", "Interval", "coverage_of", "interval", "left_out_inside", "regime_quantiles"]

COVERAGE = 0.9
_FEWEST_SOURCES = 3
"""Sources a regime needs before its own quantiles are believed at all."""
_FULL_TRUST_SOURCES = 12
"""Sources at which a regime's quantiles replace those of the wider one."""
_UNSEEN_FAMILY = 1.25
"""Factor on the log width on a device family no published run is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Factors on the predicted time that hold the true one with probability `coverage`."""

    low: float
    high: float
    coverage: float
    regime: str
    warnings: tuple[Caution, ...]


def regime_quantiles(
    log_errors: NDArray[np.float64], regimes: Sequence[tuple[str, ...]], groups: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Return low and high quantiles of measured over predicted log time at `COVERAGE`, by regime.

    Conformal: the (n + 1)-corrected quantile of the absolute left-out log errors, blended with the wider regime's by
    how many sources stand behind it. Source: Vovk et al. 2005; Lei et al. 2018, section 2.
    """
    names = sorted({name for keys in regimes for name in keys})
    own: dict[str, tuple[float, int]] = {}
    for name in names:
        rows = np.array([name in keys for keys in regimes])
        sources = len({group for group, row in zip(groups, rows, strict=True) if row})
        own[name] = (_conformal(log_errors[rows]), sources)
    widest = own["all"][0]
    out: dict[str, tuple[float, float]] = {}
    for name, (width, sources) in own.items():
        trust = 0.0 if sources < _FEWEST_SOURCES else min(1.0, sources / _FULL_TRUST_SOURCES)
        blended = trust * width + (1.0 - trust) * max(width, widest)
        out[name] = (-blended, blended)
    return out


def _conformal(log_errors: NDArray[np.float64]) -> float:
    n = len(log_errors)
    level = min(1.0, math.ceil((n + 1) * COVERAGE) / n)
    return float(np.quantile(np.abs(log_errors), level))


def interval(of: Setting, known: Calibration) -> Interval:
    """Return the range of a setting: its narrowest regime's, wider where nothing like it was measured."""
    question = of.question
    keys = regime_keys(question, of.stack)
    regime = next(key for key in keys if key in known.quantiles)
    low, high = known.quantiles[regime]
    chip = question.cluster.accelerator
    warnings: list[Caution] = []
    if f"device:{chip.family}-{chip.segment}" not in known.effects:
        low, high = low * _UNSEEN_FAMILY, high * _UNSEEN_FAMILY
        warnings.append(
            Caution(
                code="unseen_device_family",
                message=f"no published run in the calibration is on a device of the family {chip.family} "
                f"({chip.segment}): the range is widened, and rests on datasheet figures",
            )
        )
    if of.stack.tier == "tuned" and question.framework == "auto":
        warnings.append(
            Caution(
                code="tuned_stack_assumed",
                message=f"a tuned stack ({of.stack.name}) is assumed; a first try on an untuned one (Hugging Face) "
                "often takes 1.5 to 3 times as long: name yours with framework",
            )
        )
    return Interval(
        low=math.exp(low), high=math.exp(high), coverage=known.coverage, regime=regime, warnings=tuple(warnings)
    )


def coverage_of(
    log_errors: NDArray[np.float64], quantiles: Mapping[str, tuple[float, float]], regimes: Sequence[tuple[str, ...]]
) -> NDArray[np.bool_]:
    """Return whether each row's measured time lies in its range."""
    inside: list[bool] = []
    for error, keys in zip(log_errors, regimes, strict=True):
        low, high = quantiles[next(key for key in keys if key in quantiles)]
        inside.append(low <= -error <= high)
    return np.array(inside)


def left_out_inside(
    log_errors: NDArray[np.float64], regimes: Sequence[tuple[str, ...]], groups: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return whether each row lies in its range and how wide that is, its own source left out of the quantiles too."""
    labels = np.array(groups)
    inside = np.zeros(len(log_errors), dtype=bool)
    width = np.zeros(len(log_errors))
    for label in np.unique(labels):
        out: list[int] = np.flatnonzero(labels == label).tolist()
        kept: list[int] = np.flatnonzero(labels != label).tolist()
        quantiles = regime_quantiles(log_errors[kept], [regimes[i] for i in kept], [groups[i] for i in kept])
        for i in out:
            low, high = quantiles[next(key for key in regimes[i] if key in quantiles)]
            inside[i] = low <= -log_errors[i] <= high
            width[i] = math.exp(high - low)
    return inside, width
