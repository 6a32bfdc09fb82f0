"""The calibrated constants, effects and intervals, as the calibration wrote them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from estimator.constants import PRIORS, Constants

__all__ = ["Calibration", "calibration", "effect_keys", "regime_keys"]

_FILE = Path(__file__).parent / "data" / "calibration.json"


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
    with _FILE.open(encoding="utf-8") as text:
        raw = json.load(text)
    values = {name: float(raw["constants"].get(name, prior.mode)) for name, prior in PRIORS.items()}
    return Calibration(
        constants=Constants(values),
        effects=raw["effects"],
        quantiles={name: (low, high) for name, (low, high) in raw["quantiles"].items()},
        ratios=raw["ratios"],
        coverage=raw["coverage"],
    )
