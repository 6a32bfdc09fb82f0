"""The calibrated constants, effects and intervals, as the calibration wrote them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from estimator.catalogue import catalogue
from estimator.catalogue.shapes import CalibrationFile
from estimator.physics.constants import PRIORS, Constants

__all__ = ["Calibration", "calibration_as_written", "committed_calibration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was fitted, and how wrong it was on sources that were left out."""

    constants: Constants
    effects: Mapping[str, float]
    """Log of measured over physical step time, by key; keys never seen have none."""
    quantiles: Mapping[str, float]
    """Half the log width of ranges, by regime and in units of the expected error's power; `all` always there."""
    ratios: Mapping[str, float]
    """Left-out predicted over measured time, by run id."""
    residuals: Mapping[str, tuple[float, float]]
    """Log of measured over predicted time before runs like it correct it, and tokens a step, by run id."""
    coverage: float


@cache
def committed_calibration() -> Calibration:
    """Return the committed calibration."""
    return calibration_as_written(catalogue.calibration_file())


def calibration_as_written(raw: CalibrationFile) -> Calibration:
    """Return the calibration that a file holds; a constant that it lacks keeps its prior's mode."""
    return Calibration(
        constants=Constants({name: raw["constants"].get(name, prior.mode) for name, prior in PRIORS.items()}),
        effects=raw["effects"],
        quantiles=raw["quantiles"],
        ratios=raw["ratios"],
        residuals={name: (residual, tokens) for name, (residual, tokens) in raw["residuals"].items()},
        coverage=raw["coverage"],
    )
