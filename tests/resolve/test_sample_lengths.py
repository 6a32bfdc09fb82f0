"""Lengths of samples, of the longest of several, and of those that are cut.

Authority: the log-normal distribution, drawn from; order statistics of it.
"""

import math
import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.prior import Prior
from estimator.resolve.sample_lengths import LENGTH_VARIATION, SampleLengths, expected_longest

MEANS = st.floats(8, 8192)
VARIATIONS = st.floats(LENGTH_VARIATION.low, LENGTH_VARIATION.high)


@pytest.mark.parametrize("draws", [1, 2, 4, 8])
@pytest.mark.parametrize("limit", [None, 600.0, 2048.0])
def test_the_expected_longest_is_that_of_drawn_samples(draws: int, limit: float | None) -> None:
    """The mean of twenty thousand micro-batches, within its own error."""
    whole, variation = 300.0, 0.9
    sigma = math.sqrt(math.log1p(variation**2))
    random.seed(draws)
    drawn = mean(
        min(max(random.lognormvariate(math.log(whole) - sigma**2 / 2, sigma) for _ in range(draws)), limit or math.inf)
        for _ in range(20_000)
    )
    assert expected_longest(whole, draws, limit, variation) == pytest.approx(drawn, rel=0.02)


@given(whole=MEANS, variation=VARIATIONS)
def test_one_uncut_sample_is_as_long_as_the_mean(whole: float, variation: float) -> None:
    assert expected_longest(whole, 1, None, variation) == whole
    assert expected_longest(whole, 1, 1e9 * whole, variation) == pytest.approx(whole, rel=1e-6)


@given(whole=MEANS, variation=VARIATIONS, draws=st.integers(1, 64), share=st.floats(0.05, 4.0))
def test_more_draws_are_longer_and_a_limit_cuts(whole: float, variation: float, draws: int, share: float) -> None:
    free = expected_longest(whole, draws, None, variation)
    cut = expected_longest(whole, draws, whole / share, variation)
    assert expected_longest(whole, draws + 1, None, variation) > free
    assert cut <= min(free, whole / share) * (1 + 1e-6)


@given(whole=MEANS, variations=st.tuples(VARIATIONS, VARIATIONS), draws=st.integers(2, 64), pictures=st.floats(0, 4096))
def test_samples_that_differ_more_are_never_padded_to_less(
    whole: float, variations: tuple[float, float], draws: int, pictures: float
) -> None:
    """Also beside pictures, which every sample has alike."""
    alike, apart = (
        SampleLengths(mean=whole, variation=Prior(low=v, mode=v, high=v, why="")).beside(pictures)
        for v in sorted(variations)
    )
    most = alike.expected_longest(draws, None)
    assert pictures + whole * (1 - 1e-6) <= most <= apart.expected_longest(draws, None) * (1 + 1e-6)


@given(draws=st.integers(1, 16), shares=st.tuples(st.floats(0.02, 1.5), st.floats(0.02, 1.5)))
def test_longer_samples_are_not_shorter_when_cut(draws: int, shares: tuple[float, float]) -> None:
    """As the mean comes near the limit, samples become chunks of it."""
    short, long = (expected_longest(2048 * share, draws, 2048.0, 0.9) for share in sorted(shares))
    assert short <= long * (1 + 1e-3)
    assert expected_longest(2048.0, draws, 2048.0, 0.9) == 2048.0
