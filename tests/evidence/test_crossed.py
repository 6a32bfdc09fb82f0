"""Between two ways that the amount of data decides between: time that never falls, and a range that holds both.

Authority: arithmetic on logs; a derivative that is not below 0, and quantiles of a mixture.
"""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.evidence.crossed import Way, crossed
from estimator.evidence.uncertainty import Interval
from estimator.physics.choice import setting_of
from estimator.physics.crossings import Crossing, crossings
from estimator.question.request import Request
from estimator.resolve.run import resolve

QUESTION = resolve(
    Request(model="mixtral-8x7b", gpu="h100", n_gpus=64, tokens="60B", framework="pytorch", precision="bf16")
).question
assert QUESTION is not None
SETTING = setting_of(QUESTION)
(OPEN,) = crossings(QUESTION)
FURTHEST_LOG = math.log(200.0)
"""Ways that lie further apart than any model's on any device."""


def _way(token_log: float, low: float = 0.7, high: float = 1.6) -> Way:
    span = Interval(low=low, high=high, coverage=0.9, regime="all", warnings=())
    return Way(setting=SETTING, token_log=token_log, span=span)


def _joined(crossing: Crossing, first: Way, second: Way) -> Way:
    taken, other = (first, second) if crossing.other_is_second else (second, first)
    return crossed(taken, other, crossing)


def _second_is(*, other: bool) -> Crossing:
    return replace(OPEN, other_is_second=other)


@given(
    ratio_log=st.floats(-3.0, FURTHEST_LOG),
    grown=st.floats(-1.0, 2.0),
    more_log=st.floats(0.001, 3.0),
    width_log=st.floats(1.0, 5.0),
)
def test_time_never_falls_as_tokens_grow(ratio_log: float, grown: float, more_log: float, width_log: float) -> None:
    width_log = max(width_log, ratio_log / 1.6)
    crossing = replace(OPEN, grown=grown, width_log=width_log)
    later = replace(crossing, grown=grown + more_log / width_log)
    before, after = (one.second_share(ratio_log) for one in (crossing, later))
    assert 0.0 <= before <= after <= 1.0
    assert more_log - (after - before) * ratio_log >= -1e-9


@given(ratio_log=st.floats(-2.0, 4.0), grown=st.floats(-0.4, 1.4))
def test_whichever_way_is_printed_the_time_and_its_range_are_the_same(ratio_log: float, grown: float) -> None:
    first, second = _way(ratio_log), _way(0.0, 0.8, 2.0)
    ways = [_joined(replace(_second_is(other=other), grown=grown), first, second) for other in (True, False)]
    ends = [(way.token_log, way.span.low, way.span.high) for way in ways]
    assert ends[0] == pytest.approx(ends[1], abs=1e-5)


@given(ratio_log=st.floats(-2.0, 4.0), grown=st.floats(-0.4, 1.4))
def test_the_range_holds_either_way_that_has_a_tenth(ratio_log: float, grown: float) -> None:
    crossing = replace(_second_is(other=True), grown=grown)
    first, second = _way(ratio_log), _way(0.0)
    way = _joined(crossing, first, second)
    share = crossing.second_share(ratio_log)
    low, high = (way.token_log + math.log(end) for end in (way.span.low, way.span.high))
    assert low <= way.token_log <= high
    for one, its in ((first, 1.0 - share), (second, share)):
        if its >= 0.1:
            assert low - 1e-5 <= one.token_log <= high + 1e-5


def test_beyond_the_crossing_each_way_is_answered_alone() -> None:
    first, second = _way(1.0), _way(0.0)
    before, after = (_joined(replace(OPEN, grown=grown, left=0.0), first, second) for grown in (-0.5, 1.5))
    for way, alone in ((before, first), (after, second)):
        assert way.token_log == pytest.approx(alone.token_log)
        assert (way.span.low, way.span.high) == pytest.approx((0.7, 1.6), abs=1e-3)


def test_the_way_that_most_take_is_the_one_that_is_printed() -> None:
    """However far the two lie apart."""
    for ratio_log in (-1.0, 0.0, 1.0, 3.0, FURTHEST_LOG):
        for grown in (-0.4, 0.3, 0.49, 0.51, 0.8, 1.4):
            assert (replace(OPEN, grown=grown).second_share(ratio_log) > 0.5) == (grown > 0.5)
