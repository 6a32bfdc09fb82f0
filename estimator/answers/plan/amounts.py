"""Root search over a dear function: the largest amount whose use keeps to a limit."""

import math
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["NEARLY", "Used", "largest_within"]

NEARLY = 1.0 - 1e-6
"""Share of the limit that is used at least, or of the largest amount that is found."""
_AIM = math.log(NEARLY) / 2.0
"""Log share that the secant aims at: just within the limit, not at its edge, which half of all tries overstep."""
_HALF = 0.5
_PLAIN = 2
"""Steps up as they are proposed, before they are lengthened: what is short by a run's overhead alone needs no more."""
_ROUNDS = 60
_PERIOD = 3
"""Rounds of which one at least halves what is left, in log amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What an amount takes of its limit."""

    share: float
    """Above 1 where it takes more than there is; infinity where it cannot be had."""
    proposal: float
    """The amount that would take all of the limit, were this one's speed every amount's."""
    keeps: bool
    """Whether it keeps to the limit."""


def largest_within(used: Callable[[int], Used], start: int, most: int, nearly: float = NEARLY) -> int | None:
    """Return the largest amount up to `most` that keeps to its limit, `nearly`; None where not even one does.

    Each amount proposes the next, which ends in two tries where use is proportional to amount. Where it is not, ever
    longer steps find an amount on either side of the limit, and the secant in log-log, as in regula falsi, closes in
    with bisection in between, so that use that jumps, or hardly rises, is no obstacle. `used` is taken to rise with
    the amount; where it falls, too, what is found keeps to the limit and may not be the largest.
    """
    kept: tuple[int, float] | None = None
    over: tuple[int, float] | None = None
    amount, hits, misses = start, 0, 0
    for turn in range(_ROUNDS):
        found = used(amount)
        if found.keeps:
            kept, hits = (amount, min(math.log(found.share), 0.0)), hits + 1
            if found.share >= nearly:
                break
        else:
            over, misses = (amount, math.log(found.share)), misses + 1
        proposal = min(found.proposal, most)
        if kept is None:
            # Where use falls less than in proportion, its proposals come down slower and slower; in whole steps, not.
            ratio = proposal / amount if 0.0 < proposal < amount else _HALF
            amount = math.floor(amount * math.pow(ratio, 2.0 ** (misses - 1)))
        elif over is None:
            amount = math.floor(min(amount * math.pow(proposal / amount, 2.0 ** max(hits - _PLAIN, 0)), most))
        else:
            amount = _between(kept, over, proposal, turn)
        if amount < 1 or (kept is not None and amount * nearly <= kept[0]):
            break
    return None if kept is None else kept[0]


def _between(kept: tuple[int, float], over: tuple[int, float], proposal: float, turn: int) -> int:
    """Return the next amount to try: of the ways in turn the first that lies between the two, or `kept` where none."""
    low, high = math.log(kept[0]), math.log(over[0])
    rise = over[1] - kept[1]
    secant = math.exp(low + (_AIM - kept[1]) / rise * (high - low)) if 0.0 < rise < math.inf else 0.0
    ways = (proposal, secant, math.sqrt(kept[0]) * math.sqrt(over[0]))
    first = turn % _PERIOD
    amounts = (math.floor(way) for way in (*ways[first:], *ways[:first]))
    return next((amount for amount in amounts if kept[0] / NEARLY < amount < over[0] * NEARLY), kept[0])
