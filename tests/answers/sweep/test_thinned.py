"""A thinned sweep keeps what none beats and the fastest on each number of GPUs, however the sweep was cut.

Authority: the definition of the Pareto front, and the least of each group, by loops over all points.
"""

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.sweep.points import Axis, Sweep
from estimator.answers.sweep.thinned import Slice, Thinned, Thinning

MODELS, COUNTS, LENGTHS = ("a", "b"), (8, 16, 64), (2048, 4096, 8192)
DESCRIBED = Sweep(
    axes=(
        Axis(name="model", values=MODELS),
        Axis(name="n_gpus", values=COUNTS),
        Axis(name="sequence_length", values=LENGTHS),
    ),
    fixed={},
)
POINTS = len(DESCRIBED)
_Points = list[tuple[bool, float, float]]
POSSIBLE = st.tuples(
    st.booleans(),
    # Few values, so that some are equal.
    st.sampled_from((1.0, 2.0, 3.0, 5.0, math.nan)),
    st.sampled_from((1.0, 2.0, 3.0, 5.0, math.nan)),
)


def _thinned(described: Sweep, points: _Points, cuts: list[int]) -> Thinned:
    thinning = Thinning(described)
    edges = [0, *sorted(cuts), len(points)]
    for start, stop in pairwise(edges):
        part = points[start:stop]
        thinning.add(
            Slice(
                point=np.arange(start, stop, dtype=np.int64),
                possible=np.array([possible for possible, _, _ in part], dtype=np.bool_),
                training_s=np.array([training_s for _, training_s, _ in part], dtype=np.float64),
                cost_usd=np.array([cost_usd for _, _, cost_usd in part], dtype=np.float64),
            )
        )
    return thinning.thinned()


def _front(points: _Points) -> set[int]:
    """Return the points that none beats: as fast and cheaper, as cheap and faster, or equal and earlier."""
    priced = [
        (training_s, cost_usd, point)
        for point, (possible, training_s, cost_usd) in enumerate(points)
        if possible and math.isfinite(training_s) and math.isfinite(cost_usd)
    ]
    return {
        point
        for training_s, cost_usd, point in priced
        if not any(
            other_s <= training_s
            and other_usd <= cost_usd
            and (other_s, other_usd, other) < (training_s, cost_usd, point)
            for other_s, other_usd, other in priced
        )
    }


def _fastest(points: _Points) -> set[int]:
    """Return for each model and count the fastest point, the first of equals."""
    fastest: set[int] = set()
    for model, count in product(range(len(MODELS)), range(len(COUNTS))):
        several = [
            (points[point][1], point)
            for point in range(POINTS)
            if DESCRIBED.places(point)[:2] == (model, count) and points[point][0] and math.isfinite(points[point][1])
        ]
        fastest |= {min(several)[1]} if several else set()
    return fastest


@given(
    points=st.lists(POSSIBLE, min_size=POINTS, max_size=POINTS),
    cuts=st.lists(st.integers(0, POINTS), max_size=3),
)
def test_what_is_left_is_the_front_and_the_fastest_of_each_series_and_count(points: _Points, cuts: list[int]) -> None:
    left = _thinned(DESCRIBED, points, cuts)
    assert left.front == _front(points)
    assert set(left.points) == _front(points) | _fastest(points)
    assert list(left.points) == sorted(set(left.points))
    assert left.training_s.tolist() == [points[point][1] for point in left.points]
    assert left.n_front == len(left.front)
    assert left.n_possible == sum(possible and math.isfinite(training_s) for possible, training_s, _ in points)


@pytest.mark.parametrize("on_front", [False, True])
def test_a_large_sweep_leaves_what_can_be_shown(on_front: bool) -> None:
    """Series and counts are as many as one tells apart; the fastest, the cheapest and both ends of the GPUs stay."""
    described = Sweep(
        axes=(
            Axis(name="gpu", values=tuple(f"gpu {number}" for number in range(40))),
            Axis(name="n_gpus", values=tuple(range(8, 8 * 513, 8))),
        ),
        fixed={},
    )
    order = np.random.default_rng(7).permutation(len(described))
    points: _Points = [
        (True, 1.0 + place, float(len(described) - place if on_front else 1 + place)) for place in order.tolist()
    ]
    left = _thinned(described, points, [3000, 9000])
    assert len(left.points) <= 200
    assert left.n_front == (len(described) if on_front else 1)
    assert int(np.argmin(order)) in left.points
    if on_front:
        assert int(np.argmax(order)) in left.front
    else:
        places = [described.places(point) for point in left.points]
        assert len({gpu for gpu, _ in places}) <= 8
        for gpu in {gpu for gpu, _ in places}:
            assert {count for other, count in places if other == gpu} >= {0, 511}


def test_a_sweep_that_does_not_vary_its_gpus_leaves_its_series() -> None:
    described = Sweep(axes=(Axis(name="model", values=MODELS),), fixed={"n_gpus": 8})
    assert _thinned(described, [(True, 2.0, 3.0), (True, 3.0, 4.0)], []).points == (0, 1)
    assert _thinned(described, [(False, 2.0, 3.0), (True, 3.0, math.nan)], [1]).points == (1,)
    assert _thinned(described, [(False, math.nan, math.nan)] * 2, []).points == ()
