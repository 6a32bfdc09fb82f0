"""Doubts joined: shares that add up, a point that most are near to, quantiles with as much below them as they say.

Authority: arithmetic on mixtures of normals.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.evidence.mixture import (
    Doubt,
    SplitNormal,
    median_log,
    mixed,
    mixture_quantile,
    read_beside,
    read_between,
    split_quantile,
)


def _doubt(*ways: tuple[float, float]) -> Doubt:
    return Doubt(argument="framework", ways=ways, code="any", words=lambda _: "any")


@given(
    st.lists(
        st.tuples(st.floats(0.2, 30.0), st.floats(0.0, 0.3), st.floats(0.2, 30.0), st.floats(0.0, 0.3)), max_size=3
    )
)
def test_the_ways_of_several_doubts_together_have_shares_that_add_up(
    several: list[tuple[float, float, float, float]],
) -> None:
    """Independent doubts: the mean of the mixture is the sum of their means."""
    doubts = [_doubt((a, p), (b, q)) for a, p, b, q in several]
    shares = mixed(doubts)
    assert sum(shares.values()) == pytest.approx(1.0)
    mean = sum(shift * share for shift, share in shares.items())
    means = (sum(share * math.log(factor) for factor, share in doubt.ways) for doubt in doubts)
    assert mean == pytest.approx(sum(means), abs=1e-9)


@given(st.floats(0.1, 30.0), st.floats(1.1, 30.0))
def test_what_is_read_beside_a_step_or_after_it_does_not_multiply_what_makes_the_step_longer(
    slower: float, reading: float
) -> None:
    """Workers set the pace where they are the slower; a process that reads between steps takes as long after each."""
    step = _doubt((slower, 0.5))
    beside, between = (
        Doubt(argument="framework", ways=((reading, 0.5),), code="any", words=lambda _: "any", joined=joined)
        for joined in (read_beside, read_between)
    )
    both = {"beside": max(slower, reading), "after": slower + reading - 1.0}
    for doubt, together in ((beside, both["beside"]), (between, both["after"])):
        for order in ([step, doubt], [doubt, step]):
            shares = mixed(order)
            assert sum(shares.values()) == pytest.approx(1.0)
            assert {round(math.exp(at), 6) for at in shares} == {
                round(factor, 6) for factor in (1.0, slower, reading, together)
            }


@given(st.floats(2.0, 30.0), st.floats(0.05, 0.95))
def test_the_point_is_nearer_to_the_way_that_most_run(factor: float, share: float) -> None:
    """Of two ways apart, a point in the middle would be wrong for everybody."""
    point = median_log([_doubt((factor, share))])
    assert (point < math.log(factor) / 2.0) == (share < 0.5) or share == pytest.approx(0.5)
    assert -0.01 <= point <= math.log(factor) + 0.01


@given(st.floats(1.2, 30.0), st.floats(0.0, 0.99))
def test_no_hundredth_of_a_share_makes_the_point_leap(factor: float, share: float) -> None:
    """Shares are judged: the median alone goes from one way to the other where one of them has about half."""
    before, after = (median_log([_doubt((factor, its))]) for its in (share, share + 0.01))
    assert before <= after <= before + 0.06 * math.log(factor)


@given(st.floats(0.05, 1.0), st.floats(0.05, 0.95), st.floats(0.1, 3.0), st.floats(0.0, 0.9))
def test_a_quantile_of_a_mixture_has_as_much_below_it(spread: float, level: float, other: float, share: float) -> None:
    shares = {0.0: 1.0 - share, other: share}
    at = mixture_quantile(shares, spread, level)
    below = sum(part * 0.5 * math.erfc((shift - at) / (spread * math.sqrt(2.0))) for shift, part in shares.items())
    assert below == pytest.approx(level, abs=1e-3)


def test_a_mixture_of_one_is_the_normal_that_the_conformal_range_is() -> None:
    assert mixture_quantile({0.0: 1.0}, 0.3, 0.95) == pytest.approx(0.3 * 1.645, abs=1e-3)


@given(st.floats(0.05, 1.0), st.floats(0.5, 0.99), st.floats(0.1, 3.0), st.floats(0.01, 0.5))
def test_what_lies_far_is_less_sure_by_as_much(spread: float, level: float, other: float, blur: float) -> None:
    """All of it at one shift: a normal of the two spreads joined. At no shift a blur blurs nothing."""
    wide = math.hypot(spread, blur * other)
    at = mixture_quantile({other: 1.0}, spread, level, blur=blur)
    assert at - other == pytest.approx((mixture_quantile({0.0: 1.0}, wide, level)), abs=1e-5)
    assert mixture_quantile({0.0: 1.0}, spread, level, blur=blur) == mixture_quantile({0.0: 1.0}, spread, level)


@given(
    st.lists(
        st.tuples(st.floats(-3.0, 3.0), st.floats(0.05, 1.0), st.floats(0.05, 1.0), st.floats(0.05, 1.0)),
        min_size=1,
        max_size=4,
    ),
    st.floats(0.03, 0.97),
)
def test_a_quantile_of_unevenly_wide_normals_has_as_much_below_it(
    several: list[tuple[float, float, float, float]], level: float
) -> None:
    whole = sum(share for _, share, _, _ in several)
    normals = [SplitNormal(at=at, share=share / whole, below=below, above=above) for at, share, below, above in several]
    found = split_quantile(normals, level)
    assert sum(one.mass_below(found) for one in normals) == pytest.approx(level, abs=1e-4)
    assert all(one.mass_below(one.at) == pytest.approx(one.share / 2.0) for one in normals)
