"""Time that measuring may take: how it is shared out, and how many repetitions fit."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

__all__ = ["Budget", "Clock", "Quartiles", "quartiles", "repetitions", "samples"]

Clock = Callable[[], float]
"""Seconds from any beginning, never backwards."""

_SHORTEST_S = 0.01
"""Of one sample: shorter ones are of the clock and of the launch."""
_MOST_SAMPLES = 200
_LEAST_SAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Seconds to spend, from `started_s` of `clock` on."""

    seconds: float
    clock: Clock
    started_s: float

    @property
    def left_s(self) -> float:
        """Return what is left; below zero once it is spent."""
        return self.started_s + self.seconds - self.clock()

    def slice_s(self, weight: float, weights_left: float) -> float:
        """Return the share of what is left for work of `weight`, of `weights_left` that are still to be done."""
        return max(self.left_s, 0.0) * weight / weights_left


@dataclass(frozen=True, slots=True, kw_only=True)
class Quartiles:
    """The median of several samples, with the quartiles beside it."""

    median: float
    low: float
    high: float
    n: int

    def map(self, of_sample: Callable[[float], float]) -> "Quartiles":
        """Return the quartiles of a monotone function of the samples, such as a rate of seconds."""
        ends = sorted((of_sample(self.low), of_sample(self.high)))
        return Quartiles(median=of_sample(self.median), low=ends[0], high=ends[1], n=self.n)


def quartiles(values: Sequence[float]) -> Quartiles:
    """Return the median and the quartiles of one value or more."""
    if len(values) == 1:
        return Quartiles(median=values[0], low=values[0], high=values[0], n=1)
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Quartiles(median=median(values), low=low, high=high, n=len(values))


def repetitions(once_s: float) -> int:
    """Return how many runs make one sample that is long enough to be timed."""
    return max(1, math.ceil(_SHORTEST_S / max(once_s, 1e-9)))


def samples(work: Callable[[int], None], slice_s: float, clock: Clock) -> list[float]:
    """Return seconds of one run of `work`, sampled until `slice_s` is spent; `work` runs so many times and waits.

    The first run warms up: it allocates, compiles and picks kernels. Where it alone took all the time, it is the
    sample; else there are three at least, if three more fit twice the time.
    """
    began_s = clock()

    def timed(times: int) -> float:
        start_s = clock()
        work(times)
        return (clock() - start_s) / times

    first_s = timed(1)
    if clock() - began_s >= slice_s:
        return [first_s]
    times = repetitions(timed(1))
    taken: list[float] = []
    while len(taken) < _MOST_SAMPLES:
        taken.append(timed(times))
        spent_s, next_s = clock() - began_s, taken[-1] * times
        limit_s = slice_s if len(taken) >= _LEAST_SAMPLES else 2.0 * slice_s
        if spent_s + next_s > limit_s:
            break
    return taken
