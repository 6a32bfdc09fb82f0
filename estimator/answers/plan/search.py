"""Threshold search over a nearly monotone verdict: where it turns along a ladder whose rungs are dear to price."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

__all__ = ["Ladder", "Verdict", "boundary", "nearest_rung"]

Verdict = Callable[[int], bool | None]
"""Whether a rung will do; None where it cannot be judged, because no layout divides it."""

_LOOKED_BACK = 4
"""Rungs before the turn that are looked at again: an awkward count can be slower than a rounder, smaller one."""
_SURVEYED = 24
"""Rungs tried over the whole ladder before it is said that none will do."""
_UNJUDGED = 24
"""Rungs in a row that no layout divides before some are passed over: on a million devices all may be so."""
_SMOOTH_PRIMES = (2, 3, 5, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The device counts that may be planned: parts of one node, then whole nodes, `step` devices at a time."""

    parts: tuple[int, ...]
    step: int
    most: int

    def coarse(self) -> tuple[int, ...]:
        """Return the counts whose number of steps has no prime factor above 7: they divide well."""
        return (*self.parts, *(self.step * steps for steps in _smooth(self.most // self.step)))

    def rising(self, above: int, to: int) -> Sequence[int]:
        """Return every count above `above` up to `to`, smallest first."""
        parts = [part for part in self.parts if above < part <= to]
        return [*parts, *range(max(above // self.step + 1, 1) * self.step, to + 1, self.step)]

    def falling(self, below: int, to: int) -> Sequence[int]:
        """Return every count below `below` down to `to`, largest first."""
        return self.rising(to - 1, below - 1)[::-1]

    def fewer(self, count: int) -> int | None:
        """Return the count one step down: a node fewer, or the next smaller part of one."""
        rungs = self.rising(max(count - self.step - 1, 0), count - 1)
        return rungs[-1] if rungs else None


def boundary(
    verdict: Verdict, coarse: Sequence[int], fine: Callable[[int, int], Sequence[int]] | None, near: float
) -> int | None:
    """Return the first rung in the order of `coarse` that will do and whose predecessor will not; None without one.

    The coarse rungs are searched from the one nearest to `near`, by galloping and bisection, then `fine(before,
    after)`, which lists every rung after the one up to the other. What is found is checked against its neighbours,
    because bisection alone trusts verdicts to turn once.
    """
    at = _first(verdict, coarse, nearest_rung(coarse, near))
    if at is None:
        return None
    if at == 0 or fine is None:
        return coarse[at]
    between = fine(coarse[at - 1], coarse[at])
    within = _first(verdict, between, len(between) - 1)
    return coarse[at] if within is None else between[within]


def nearest_rung(rungs: Sequence[int], near: float) -> int:
    """Return the position of the rung nearest to `near`, by ratio."""
    return min(range(len(rungs)), key=lambda at: abs(math.log(rungs[at] / near)))


def _first(verdict: Verdict, rungs: Sequence[int], start: int) -> int | None:
    """Return a position that will do while the one before does not, as early as was seen."""
    turn, low = _climbed(verdict, rungs, start)
    if turn is None:
        return None
    high = turn
    while high - low > 1:
        middle = (low + high) // 2
        at = _judged(verdict, rungs, range(middle, high))
        if at < high and not verdict(rungs[at]):
            low = at
            continue
        high = middle
        if at < turn and verdict(rungs[at]):
            turn = at
    return _looked_back(verdict, rungs, turn)


def _climbed(verdict: Verdict, rungs: Sequence[int], start: int) -> tuple[int | None, int]:
    """Return a position that will do and one before it that will not (-1 without), by doubling strides from `start`."""
    stride = 1
    if verdict(rungs[start]):
        high, at = start, _judged(verdict, rungs, range(start - 1, -1, -1))
        while at >= 0 and verdict(rungs[at]):
            stride *= 2
            high, at = at, _judged(verdict, rungs, range(at - stride, -1, -1))
        return high, max(at, -1)
    low, at = start, _judged(verdict, rungs, range(start + 1, len(rungs)))
    while at < len(rungs):
        if verdict(rungs[at]):
            return at, low
        stride *= 2
        low, at = at, _judged(verdict, rungs, range(at + stride, len(rungs)))
    stride = max(1, len(rungs) // _SURVEYED)
    survey = (at for at in range(len(rungs) - 1, -1, -stride) if verdict(rungs[at]))
    turn = next(survey, None)
    return turn, -1 if turn is None else max(turn - stride, -1)


def _judged(verdict: Verdict, rungs: Sequence[int], ahead: range) -> int:
    """Return the first of the positions `ahead` that can be judged, or one beyond them, which is not looked at.

    One by one, so that few that can be judged are not missed, and after many that cannot with ever longer strides: each
    is priced before it is known to be none.
    """
    at, unjudged = ahead.start, 0
    while at in ahead and verdict(rungs[at]) is None:
        unjudged += 1
        at += ahead.step * max(1, unjudged - _UNJUDGED)
    return at


def _looked_back(verdict: Verdict, rungs: Sequence[int], turn: int) -> int:
    """Return `turn`, or what is found from a rung a few before it that will do: strides double from there, too."""
    for at in range(turn - 1, max(turn - 1 - _LOOKED_BACK, -1), -1):
        if verdict(rungs[at]):
            earlier = _first(verdict, rungs, at)
            return at if earlier is None else earlier
    return turn


@cache
def _smooth_up_to(most: int) -> tuple[int, ...]:
    numbers = {1}
    for prime in _SMOOTH_PRIMES:
        for number in tuple(numbers):
            power = number * prime
            while power <= most:
                numbers.add(power)
                power *= prime
    return tuple(sorted(numbers))


def _smooth(most: int) -> tuple[int, ...]:
    """Return the 7-smooth numbers up to `most`, ascending: no prime factor above 7, so that they divide well."""
    power = 1 << max(most, 1).bit_length()
    numbers = _smooth_up_to(power)
    return numbers[: bisect_left(numbers, most + 1)]
