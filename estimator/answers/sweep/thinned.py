"""A sweep's points thinned to what a report can show: those that none beats, and the fastest on each number of GPUs."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.answers.sweep.points import Sweep

__all__ = ["SERIES", "Slice", "Thinned", "Thinning"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SERIES = ("model", "gpu", "precision", "method", "tokens")
"""Axes that tell one line of a plot from another; over all others but the GPUs the fastest is taken."""
_COUNT = "n_gpus"
_MOST_SERIES, _MOST_COUNTS, _MOST_ON_FRONT = 6, 16, 32
"""What one can tell apart in a plot and read in a table."""
_MOST_CELLS = 4_000_000
"""Series times counts that are kept while a sweep is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Some points of a sweep, shape (points,) each; time and cost are NaN where there is none."""

    point: Ints
    possible: NDArray[np.bool_]
    training_s: Floats
    cost_usd: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Points:
    """Points that can be run, shape (points,) each."""

    point: Ints
    training_s: Floats
    cost_usd: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """What is left of a sweep."""

    points: tuple[int, ...]
    """In the sweep's order, each once."""
    training_s: Floats
    """How long each of them takes."""
    front: frozenset[int]
    """Those of them that are on the Pareto front of time and cost of all points."""
    n_front: int
    """How many are on it in all; of points that are equal in both, the first counts."""
    n_possible: int


class Thinning:
    """Takes a sweep slice by slice, in memory that does not grow with it."""

    def __init__(self, described: Sweep) -> None:
        names = [axis.name for axis in described.axes]
        self._sizes = tuple(len(axis.values) for axis in described.axes)
        self._telling = [names.index(name) for name in SERIES if name in names]
        self._counting = [names.index(_COUNT)] if _COUNT in names else []
        # Their numbers as a report thins them: the fewest GPUs in full, as they stand apart on a logarithmic axis.
        self._counts = _geometric(self._size(self._counting), _MOST_COUNTS)
        self._series = _even(self._size(self._telling), _MOST_CELLS // len(self._counts))
        self._least_s = np.full((len(self._series), len(self._counts)), np.inf)
        self._fastest = np.zeros(self._least_s.shape, dtype=np.int64)
        nothing = np.zeros(0)
        self._front = _Points(point=nothing.astype(np.int64), training_s=nothing, cost_usd=nothing)
        self._n_possible = 0

    def add(self, several: Slice) -> None:
        """Take some more points."""
        chosen = several.possible & np.isfinite(several.training_s)
        self._n_possible += int(chosen.sum())
        points = _Points(
            point=several.point[chosen], training_s=several.training_s[chosen], cost_usd=several.cost_usd[chosen]
        )
        self._front = _on_front(self._front, points)
        self._note_fastest(points)

    def thinned(self) -> Thinned:
        """Return what is left of all that was taken."""
        front = self._front.point
        best = self._best_series()
        known = np.isfinite(self._least_s[best])
        fastest, least_s = self._fastest[best][known], self._least_s[best][known]
        shown = _even(len(front), _MOST_ON_FRONT)
        points, places = np.unique(np.concatenate((front[shown], fastest)), return_index=True)
        return Thinned(
            points=tuple(points.tolist()),
            training_s=np.concatenate((self._front.training_s[shown], least_s))[places],
            front=frozenset(np.intersect1d(front, points).tolist()),
            n_front=len(front),
            n_possible=self._n_possible,
        )

    def _note_fastest(self, points: _Points) -> None:
        """Keep of each series and count the fastest point; of equals the first."""
        series, known_series = _placed(self._series, self._numbers(points.point, self._telling))
        count, known_count = _placed(self._counts, self._numbers(points.point, self._counting))
        # The fastest last, as the last assignment to a cell stays.
        order = np.lexsort((-points.point, -points.training_s))
        order = order[(known_series & known_count)[order]]
        cells, points_s = (series[order], count[order]), points.training_s[order]
        faster = points_s < self._least_s[cells]
        cells = (cells[0][faster], cells[1][faster])
        self._least_s[cells] = points_s[faster]
        self._fastest[cells] = points.point[order][faster]

    def _best_series(self) -> Ints:
        """Return the rows of the series to show: with most on the front, then the fastest, in the sweep's order."""
        of_front, known = _placed(self._series, self._numbers(self._front.point, self._telling))
        n_on_front = np.bincount(of_front[known], minlength=len(self._series))
        order = np.lexsort((self._least_s.min(axis=1), -n_on_front))
        return np.sort(order[:_MOST_SERIES])

    def _numbers(self, point: Ints, axes: list[int]) -> Ints:
        """Return the number of each point's combination of `axes`, shape (points,)."""
        places = np.unravel_index(point, self._sizes)
        numbers = np.zeros(len(point), dtype=np.int64)
        for axis in axes:
            numbers = numbers * self._sizes[axis] + places[axis]
        return numbers

    def _size(self, axes: list[int]) -> int:
        return math.prod(self._sizes[axis] for axis in axes)


def _on_front(*several: _Points) -> _Points:
    """Return the points that none beats in time and cost, the fastest first; of equals the first in the sweep."""
    point = np.concatenate([points.point for points in several])
    training_s = np.concatenate([points.training_s for points in several])
    cost_usd = np.concatenate([points.cost_usd for points in several])
    priced = np.flatnonzero(np.isfinite(cost_usd))
    order = priced[np.lexsort((point[priced], cost_usd[priced], training_s[priced]))]
    cheapest_so_far = np.minimum.accumulate(cost_usd[order])
    kept = order[np.concatenate(([True], cost_usd[order][1:] < cheapest_so_far[:-1]))[: len(order)]]
    return _Points(point=point[kept], training_s=training_s[kept], cost_usd=cost_usd[kept])


def _placed(kept: Ints, numbers: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return where each of `numbers` is in `kept`, which is sorted, and whether it is there at all."""
    places = np.minimum(np.searchsorted(kept, numbers), len(kept) - 1)
    return places, kept[places] == numbers


def _even(size: int, most: int) -> Ints:
    """Return up to `most` of the places before `size`, evenly apart, with both ends."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(np.int64))


def _geometric(size: int, most: int) -> Ints:
    """Return up to `most` of the places before `size`, growing ever further apart, with both ends."""
    return _even(size, most) if size <= most else np.unique(np.geomspace(1, size, most).round().astype(np.int64)) - 1
