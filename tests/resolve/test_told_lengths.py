"""Lengths of samples as people write them, and the spread that follows.

Authority: the uniform and the log-normal distribution, drawn from; the definitions in the program's contract.
"""

import math
import random
from contextlib import suppress
from statistics import mean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import InvalidValueError
from estimator.resolve.sample_lengths import LENGTH_VARIATION, even_longest
from estimator.resolve.told_lengths import told_lengths

USUAL = LENGTH_VARIATION.mode
PHRASES = [
    (400, 400, USUAL),
    ("400", 400, USUAL),
    ("1.5k", 1500, USUAL),
    ("2,048", 2048, USUAL),
    ("300 tokens", 300, USUAL),
    ("300 tokens per sample", 300, USUAL),
    ("~550", 550, USUAL),
    ("about 550 tokens", 550, USUAL),
    ("mean 300", 300, USUAL),
    ("300 avg", 300, USUAL),
    ("500-600", 550, 0.0525),
    ("500–600", 550, 0.0525),
    ("500 to 600", 550, 0.0525),
    ("500..600 tokens", 550, 0.0525),
    ("between 500 and 600 tokens", 550, 0.0525),
    ("550 ± 30", 550, 30 / 550),
    ("550 +/- 30 tokens", 550, 30 / 550),
    ("550 ± 10%", 550, 0.1),
    ("mean 300, std 150", 300, 0.5),
    ("mean=300 std=150", 300, 0.5),
    ("mean 300, max 2048", 300, 0.74),
    ("avg 300 tokens, max 2048", 300, 0.74),
    ("300 mean, 2048 max", 300, 0.74),
    ("300, max 2048", 300, 0.74),
    ("300 (max 2,048)", 300, 0.74),
    ("median 200, p95 900", 303.8, 1.144),
    ("p50=200, p95=900", 303.8, 1.144),
    ("6 turns of 200 tokens", 1200, USUAL),
    ("6 turns x 200", 1200, USUAL),
    ("about 4 messages of 150 tokens each", 600, USUAL),
    ("5 turns, 150 tokens per turn", 750, USUAL),
]


@pytest.mark.parametrize(("said", "whole", "variation"), PHRASES)
def test_what_is_said_of_lengths_is_a_mean_and_a_spread(said: str | int, whole: float, variation: float) -> None:
    lengths = told_lengths(said)
    assert lengths.mean == pytest.approx(whole, rel=1e-3)
    assert lengths.variation.mode == pytest.approx(variation, rel=0.01)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("lots", "must be a mean length"),
        ("576 + 50", "must be a mean length"),
        ("min 20", "mean sample"),
        ("600-500", "shorter one first"),
        ("std 20", "mean sample"),
        ("mean 2000, max 300", "mean above the longest"),
        ("0-10", "a range"),
        ("500 ± 900", "as much as the mean"),
        ("median 900, p95 200", "below the middle"),
        ("x" * 200, "a range"),
    ],
)
def test_what_is_no_length_is_refused_with_what_would_do(said: str, what: str) -> None:
    with pytest.raises(InvalidValueError, match=what):
        told_lengths(said)


@given(st.text(alphabet="0123456789 -–.,±%kmeanxpst", max_size=90))
def test_any_text_is_lengths_or_refused(text: str) -> None:
    with suppress(InvalidValueError):
        lengths = told_lengths(text)
        assert 0 < lengths.mean < math.inf
        assert 0 <= lengths.variation.low <= lengths.variation.mode <= lengths.variation.high < math.inf


@pytest.mark.parametrize(("draws", "limit"), [(1, None), (4, None), (4, 570.0), (8, 510.0), (2, 400.0)])
def test_the_longest_of_even_lengths_is_that_of_drawn_ones(draws: int, limit: float | None) -> None:
    random.seed(draws)
    most = math.inf if limit is None else limit
    drawn = mean(min(max(500 + 100 * random.betavariate(1, 1) for _ in range(draws)), most) for _ in range(20_000))
    assert even_longest(500, 600, draws, limit) == pytest.approx(drawn, rel=0.005)


def test_a_percentile_and_a_mean_give_the_lengths_they_are_of() -> None:
    """Drawn from what was read, the lengths have the percentile that was told."""
    lengths = told_lengths("mean 300, p95 800")
    sigma = math.sqrt(math.log1p(lengths.variation.mode**2))
    random.seed(1)
    drawn = sorted(random.lognormvariate(math.log(300) - sigma**2 / 2, sigma) for _ in range(40_000))
    assert drawn[int(0.95 * len(drawn))] == pytest.approx(800, rel=0.03)
    assert pstdev(drawn) / mean(drawn) == pytest.approx(lengths.variation.mode, rel=0.1)


@given(low=st.integers(50, 2000), width=st.floats(0.01, 0.95))
def test_a_narrower_range_is_padded_less(low: int, width: float) -> None:
    wide = told_lengths(f"{low}-{low * (1 + width):.0f}")
    narrow = told_lengths(f"{low}-{low * (1 + width / 2):.0f}")
    padding = [lengths.expected_longest(8, None) / lengths.mean for lengths in (narrow, wide)]
    assert 1.0 <= padding[0] <= padding[1] < 1.4


def test_a_wide_range_leaves_the_mean_open() -> None:
    """A range of 100 to 4,000 tells the ends of a skewed set, whose mean may be the middle or far below it."""
    lengths = told_lengths("100-4000")
    assert lengths.low_factor * lengths.mean < 1000
    assert lengths.high_factor * lengths.mean == pytest.approx(2050, rel=0.01)


@pytest.mark.parametrize(
    ("said", "spelt"), [("1-2k", "1000-2000"), ("1.5 to 2k tokens", "1500-2000"), ("500-2k", "500-2000")]
)
def test_thousands_at_the_end_of_a_range_are_those_of_both_ends_where_they_must_be(said: str, spelt: str) -> None:
    assert told_lengths(said) == told_lengths(spelt)


@pytest.mark.parametrize(("said", "low", "high"), [("400 words", 450, 700), ("2 KB", 350, 600), ("a page", 300, 800)])
def test_a_sample_may_be_so_much_text(said: str, low: float, high: float) -> None:
    """Authority: OpenAI's rule of thumb, of 75 words to 100 tokens and about four characters to one, of English."""
    lengths = told_lengths(said)
    assert low < lengths.mean < high
    assert lengths.low_factor < 1.0 < lengths.high_factor


@pytest.mark.parametrize("longest", [64, 128, 512, 2048, 8192])
@pytest.mark.parametrize("said", ["max {}", "up to {}", "at most {} tokens", "{} max", "≤ {}", "<={}", "cut at {}"])
def test_of_the_longest_alone_the_mean_is_that_of_a_usual_set_cut_there(said: str, longest: int) -> None:
    lengths = told_lengths(said.format(longest))
    assert lengths.usual_mean
    assert lengths.longest == longest
    assert lengths.low_factor < 1.0 < lengths.high_factor
    assert lengths.high_factor * lengths.mean <= longest
