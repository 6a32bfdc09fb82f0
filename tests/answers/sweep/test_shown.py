"""What is shown of a thinned sweep is estimated as its points are, with what is known of all points.

Authority: `resolve` and `estimate_of`, asked for one point.
"""

import numpy as np
import pytest

from estimator.answers.estimate.estimate import estimate_of
from estimator.answers.sweep.points import sweep
from estimator.answers.sweep.shown import shown_points, sweep_summary
from estimator.answers.sweep.thinned import Thinned
from estimator.resolve.run import resolve

DESCRIBED = sweep(
    {
        "vary": {"n_gpus": [8, 16, 32], "sequence_length": [4096, 8192]},
        "fixed": {"model": "llama-3.1-8b", "gpu": "h100", "tokens": "100B"},
    }
)
LEFT = (0, 3, 5)
RANKS = {0: 40, 3: 20, 5: 7}


def _thinned(front: frozenset[int]) -> Thinned:
    return Thinned(points=LEFT, training_s=np.array([3.0, 2.0, 1.0]), front=front, n_front=99, n_possible=123)


@pytest.mark.parametrize("front", [frozenset[int](), frozenset({3}), frozenset(LEFT)])
def test_points_are_on_the_front_where_the_whole_sweep_has_them_there(front: frozenset[int]) -> None:
    """Among those that are left alone others may be: what beat them was thinned away."""
    shown = shown_points(DESCRIBED, _thinned(front), RANKS)
    assert {one.point for one in shown if one.row.pareto} == front
    assert {one.point: one.row.rank for one in shown} == RANKS


def test_points_are_estimated_as_they_are_alone_the_fastest_first() -> None:
    shown = shown_points(DESCRIBED, _thinned(frozenset()), RANKS)
    times = [one.row.outcome.estimate.training_s for one in shown if one.row.outcome.estimate is not None]
    alone = {point: estimate_of(resolve(DESCRIBED.request(DESCRIBED.places(point)))).training_s for point in LEFT}
    assert times == sorted(alone.values())
    assert [alone[one.point] for one in shown] == times
    assert [one.varied for one in shown] == [
        f"sequence_length {DESCRIBED.axes[1].values[DESCRIBED.places(one.point)[1]]}" for one in shown
    ]


def test_the_summary_counts_all_points_and_names_the_fastest() -> None:
    rows = [one.row for one in shown_points(DESCRIBED, _thinned(frozenset({3})), RANKS)]
    told = sweep_summary(DESCRIBED, _thinned(frozenset({3})), rows)
    assert told.startswith("123 of 6 points can be run. Fastest: Llama 3.1 8B on 100B tokens with 32 ")
    assert "99 are Pareto-optimal" in told
    assert "Listed are 3: 1 of the Pareto-optimal ones, and " in told
    unpriced = sweep_summary(DESCRIBED, _thinned(frozenset()), rows)
    assert "Listed are 3: of the best series" in unpriced
