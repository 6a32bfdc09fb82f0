"""What interruptions cost a run whose owner tells how often they come: failures, or spot machines taken back."""

import math

from estimator.base.prior import Prior
from estimator.base.units import HOUR_S
from estimator.question.profile import Goodput

__all__ = ["interrupted_share", "interruptions_told", "told"]

_MINUTE_S = 60.0


def interrupted_share(interval_s: float, stall_s: float, restart_s: float, between_s: float | None = None) -> float:
    """Return the time lost to interruptions and checkpoints, as a fraction of the time in steps.

        M/τ · e^(R/M) · (e^((τ + δ)/M) − 1) − 1        τ = √(2 · δ · M) − δ, at most M

    M: mean time between interruptions, δ: stall of a checkpoint, R: restart. Every τ seconds of steps a checkpoint,
    which is the best there is unless it was told as `between_s`.
    Source: Daly 2006, equations 13 and 21. Restarts may be interrupted too. For rare interruptions it is the
    √(2 · δ / M) + R / M of Young 1974.
    """
    stall_s = max(stall_s, 1e-3)
    if between_s is None:
        between_s = max(math.sqrt(2.0 * stall_s * interval_s) - stall_s, stall_s)
    between_s = min(between_s, interval_s)
    return (
        interval_s / between_s * math.exp(restart_s / interval_s) * math.expm1((between_s + stall_s) / interval_s)
    ) - 1.0


def told(value: float | None, usual: Prior) -> Prior:
    """Return what was told, as surely as it was, or what is usual."""
    return usual if value is None else Prior(low=value, mode=value, high=value, why="as told")


def interruptions_told(goodput: Goodput | None) -> str:
    """Return what was told of interruptions, in words; empty where nothing was."""
    if goodput is None:
        return ""
    words = [
        (goodput.interval_s, HOUR_S, "one interruption in {:,.3g} h"),
        (goodput.restart_s, _MINUTE_S, "{:,.3g} min to restart"),
        (goodput.checkpoint_s, 1.0, "{:,.3g} s for a checkpoint"),
    ]
    return ", ".join(text.format(value / unit) for value, unit, text in words if value is not None) + " as told"
