"""A thinned sweep as a comparison's rows, with the ranks they have among all its points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from estimator.answers.compare.compare import outcomes
from estimator.answers.compare.rank import Row, ranked
from estimator.answers.compare.wording import best_rows, told_option
from estimator.answers.sweep.points import Sweep
from estimator.answers.sweep.thinned import SERIES, Thinned

__all__ = ["ShownPoint", "shown_points", "sweep_summary"]

_NAMED = frozenset({*SERIES, "n_gpus"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPoint:
    """A point of a sweep that a report shows."""

    point: int
    row: Row
    varied: str
    """The values of the axes that a comparison's row does not name, such as `sequence_length 8192`."""


def shown_points(described: Sweep, thinned: Thinned, ranks: Mapping[int, int]) -> list[ShownPoint]:
    """Return the points that are left, estimated anew, the fastest first; `ranks` has each one's among all.

    How well they scale is not said: it is told against the fewest GPUs of all, which may not be among those left.
    """
    several = list(outcomes(described.request(described.places(point)) for point in thinned.points))
    numbers = {id(outcome): point for point, outcome in zip(thinned.points, several, strict=True)}
    return [
        ShownPoint(
            point=(point := numbers[id(row.outcome)]),
            row=replace(
                row,
                rank=None if row.rank is None else ranks[point],
                pareto=point in thinned.front,
                scaling_efficiency=None,
            ),
            varied=_varied(described, point),
        )
        for row in ranked(several, "time")
    ]


def _varied(described: Sweep, point: int) -> str:
    values = zip(described.axes, described.places(point), strict=True)
    return ", ".join(
        f"{axis.name} {axis.values[place]}"
        for axis, place in values
        if axis.name not in _NAMED and len(axis.values) > 1
    )


def sweep_summary(described: Sweep, thinned: Thinned, rows: Sequence[Row]) -> str:
    """Return what a sweep found, in a few sentences; `rows` are those that are shown, the fastest first."""
    points = len(described)
    parts = [f"{thinned.n_possible:,} of {points:,} points can be run."]
    possible = [row for row in rows if row.rank is not None]
    if possible:
        parts.extend(f"{word}: {told_option(row.outcome.estimate)}." for word, row in best_rows(possible, "time"))
    if thinned.n_front > 1:
        parts.append(f"{thinned.n_front:,} are Pareto-optimal: none is both faster and cheaper.")
    front = f"{len(thinned.front):,} of the Pareto-optimal ones, and " if thinned.front else ""
    parts.append(f"Listed are {len(rows):,}: {front}of the best series the fastest on each number of GPUs, or on some.")
    return " ".join(parts)
