"""The calibrated constants, effects and intervals, as the calibration wrote them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from estimator import catalogue
from estimator.constants import PRIORS, Constants
from estimator.files import CalibrationFile

__all__ = ["Calibration", "calibration", "calibration_as_written", "effect_keys", "regime_keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was fitted, and how wrong it was on sources that were left out."""

    constants: Constants
    effects: Mapping[str, float]
    """Log of measured over physical step time, by key; keys never seen have none."""
    quantiles: Mapping[str, tuple[float, float]]
    """Low and high log error of left-out rows at 90 %, by regime; `all` always there."""
    ratios: Mapping[str, float]
    """Left-out predicted over measured time, by run id."""
    coverage: float


def effect_keys(
    family: str, segment: str, stack: str, tier: str, precision: str, *, moe: bool, frozen: bool
) -> tuple[str, ...]:
    """Return the keys whose effects add up for one question."""
    keys = [f"device:{family}-{segment}", f"stack:{stack}", f"tier:{tier}", f"precision:{precision}"]
    if moe:
        keys.append("experts")
        keys.append(f"experts-stack:{stack}")
    if frozen:
        keys.append("frozen-base")
    return tuple(keys)


def regime_keys(tier: str, precision: str, *, moe: bool, frozen: bool) -> tuple[str, ...]:
    """Return the regimes of one question, the narrowest first."""
    bits = "16-bit" if precision in {"bf16", "fp16", "tf32", "fp32"} else "8-bit" if precision != "nvfp4" else "4-bit"
    what = "experts" if moe else "adapters" if frozen else "dense"
    if tier == "untuned":
        return ("untuned", f"{what} {bits}", what, "all")
    return (f"{what} {bits}", what, "all")


@cache
def calibration() -> Calibration:
    """Return the committed calibration."""
    return calibration_as_written(catalogue.calibration_file())


def calibration_as_written(raw: CalibrationFile) -> Calibration:
    """Return the calibration that a file holds; a constant that it lacks keeps its prior's mode."""
    return Calibration(
        constants=Constants({name: raw["constants"].get(name, prior.mode) for name, prior in PRIORS.items()}),
        effects=raw["effects"],
        quantiles={name: (low, high) for name, (low, high) in raw["quantiles"].items()},
        ratios=raw["ratios"],
        coverage=raw["coverage"],
    )
