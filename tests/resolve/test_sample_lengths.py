"""Lengths of samples, of the longest of several, and of those that are cut.

Authority: the log-normal distribution, drawn from; order statistics of it.
"""

import math
import random
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.prior import Prior
from estimator.question.practice import Padding, Practice
from estimator.question.request import Request
from estimator.resolve.sample_lengths import LENGTH_VARIATION, SampleLengths, expected_longest
from estimator.resolve.samples import padded_samples

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


@pytest.mark.parametrize("padding", ["longest", "none", "alike", "limit"])
@pytest.mark.parametrize(("n_replicas", "micro"), [(1, 4), (2, 1), (8, 4), (8, 32), (64, 2)])
def test_the_longest_of_all_replicas_rows_is_as_much_longer_as_drawn_samples_have_it(
    padding: Padding, n_replicas: int, micro: int
) -> None:
    """Against samples drawn: the longest row of all replicas over any one, each padded on its own."""
    limit = 2048.0
    request = Request(
        model="llama-3.1-8b",
        gpu="H100",
        n_gpus=n_replicas,
        samples=10_000_000,
        tokens_per_sample=300,
        micro_batch_size=micro,
        sequence_length=int(limit),
    )
    rows = padded_samples(request, practice=Practice(padding=padding), n_replicas=n_replicas)
    assert rows is not None
    sigma = math.sqrt(math.log1p(LENGTH_VARIATION.mode**2))
    drawn = np.random.default_rng(0).lognormal(math.log(300) - sigma**2 / 2, sigma, size=(4000, n_replicas, micro))
    drawn = np.minimum(drawn, limit)
    by_padding = {"longest": drawn.max(axis=2), "none": drawn.sum(axis=2)}
    lengths = by_padding.get(padding, np.ones((4000, n_replicas)))
    expected = lengths.max(axis=1).mean() / lengths.mean() - 1.0
    assert rows.waits == pytest.approx(expected, rel=0.2, abs=0.02)
    if n_replicas > 1:
        assert rows.unevenness * math.log(n_replicas) == pytest.approx(rows.waits)


@pytest.mark.parametrize("limit", [None, 2048.0])
@pytest.mark.parametrize("draws", [1, 4, 16])
@pytest.mark.parametrize("replicas", [2, 4, 16, 32])
def test_waits_grow_about_with_the_log_of_the_replicas(replicas: int, draws: int, limit: float | None) -> None:
    """A question that was posed for eight is asked for fewer and for more."""

    def waits(n: int) -> float:
        return expected_longest(300.0, draws * n, limit, 0.9) / expected_longest(300.0, draws, limit, 0.9) - 1.0

    assert waits(replicas) == pytest.approx(waits(8) * math.log(replicas) / math.log(8), rel=0.25)
