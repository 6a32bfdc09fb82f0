"""How long samples are: one spread about their mean, and what padding and truncation make of it."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from estimator.base.prior import Prior

__all__ = [
    "ENCODED_VARIATION",
    "LENGTH_VARIATION",
    "PADDING",
    "USUAL_SAMPLE",
    "SampleLengths",
    "even_longest",
    "expected_longest",
]

_CHUNKED_FROM = 0.5
"""Share of the limit above which a mean tells that samples are chunks cut to it: of 1,024 in 1,024 none is shorter."""

LENGTH_VARIATION = Prior(
    low=0.3,
    mode=0.9,
    high=1.2,
    why="Standard deviation over mean of the lengths of samples: instruction sets have 0.6 and more, those of short "
    "answers (Alpaca) the least, those with pasted contexts and long conversations (Dolly, OpenAssistant) the most; "
    "tasks of one kind (labels, calls of functions, summaries of like texts) as little as 0.3; skewed as Krell et al. "
    "2021 (packing without cross-contamination) plot them, with half of all tokens padding.",
)
ENCODED_VARIATION = Prior(
    low=0.3,
    mode=0.5,
    high=1.0,
    why="The same of what encoders read: sentences, questions, passages and reviews. Of 1,648 sets of such texts that "
    "MTEB describes (embeddings-benchmark/mteb, descriptive_stats), mean, longest and count imply, were lengths "
    "log-normal, 0.34, 0.50 and 0.88 at the quartiles, 0.24 and 1.35 at the outer tenths; queries 0.38, passages 0.72, "
    "texts to classify 0.65, sentences of pairs 0.41 to 0.49 in the median.",
)
PADDING = Prior(
    low=1.3,
    mode=2.0,
    high=4.0,
    why="Longest over mean length in a batch of unknown size: Krell et al. 2021 count 50 % padding in Wikipedia "
    "sequences, up to 89 % in other sets.",
)
USUAL_SAMPLE = Prior(
    low=136.0,
    mode=420.0,
    high=1680.0,
    why="Mean tokens of a sample, over the catalogue's sets of instructions: a tenth of the sets have shorter ones, "
    "half of them have, and all but a tenth",
)
_WIDEST = 8.0
"""Standard deviations from the median at which an integral over a normal density ends."""
_POINTS = 256
"""Intervals of the trapezoidal rule: the error is below 1e-3 with a kink at the limit, below 1e-9 without."""
_End = Literal["low", "mode", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleLengths:
    """The lengths of a caller's samples, as far as told: their mean, and how far they lie about it."""

    mean: float
    variation: Prior = LENGTH_VARIATION
    """Standard deviation over mean."""
    shortest: float | None = None
    """With `longest`: lengths lie evenly between the two; else they are log-normal."""
    longest: float | None = None
    """No sample is longer; None where that is not known."""
    told: bool = False
    """Whether the spread is the caller's or the data set's own, so that nothing is read from how near the mean is to
    the limit."""
    low_factor: float = 1.0
    """The true mean is at least so much of `mean` …"""
    high_factor: float = 1.0
    """… and at most so much."""
    bare: bool = False
    """Whether one number was told, of which nobody says whether it is a mean or what samples are cut and padded to."""
    may_be_limit: bool = False
    """Whether `mean` is as likely what samples are cut and padded to, so that rows are as long as lie between the two.
    """
    usual_mean: bool = False
    """Whether only the longest was told, so that the mean is that of a usual set."""
    fixed: float = 0.0
    """Tokens that every sample has alike, its pictures; the rest is what is spread."""

    def expected_longest(self, draws: int, limit: float | None, end: _End = "mode") -> float:
        """Return the expected length of the longest of `draws` samples, each cut at `limit`, in tokens."""
        if limit is not None and limit <= self.fixed:
            return limit
        room = None if limit is None else limit - self.fixed
        longest = self.fixed + self._longest_text(draws, room, end)
        if not self.may_be_limit:
            return longest
        # In log time as far from either: as many are told one as the other.
        return math.sqrt(longest * (self.mean if limit is None else min(self.mean, limit)))

    def beside(self, fixed: float) -> "SampleLengths":
        """Return the lengths of samples with so many tokens more in each."""
        return replace(self, mean=self.mean + fixed, fixed=self.fixed + fixed)

    def _longest_text(self, draws: int, limit: float | None, end: _End) -> float:
        """Return the same of what is spread."""
        if self.shortest is not None and self.longest is not None:
            return even_longest(self.shortest, self.longest, draws, limit)
        if self.longest is not None:
            limit = self.longest if limit is None else min(limit, self.longest)
        variation: float = getattr(self.variation, end)
        return expected_longest(self.mean - self.fixed, draws, limit, variation, chunks=not self.told)

    @property
    def words(self) -> str:
        """How the lengths are spread, in words."""
        if self.shortest is not None and self.shortest == self.longest:
            return "all samples are as long"
        if self.shortest is not None and self.longest is not None:
            return f"lengths lie evenly between {self.shortest:,.0f} and {self.longest:,.0f}"
        low, mode, high = self.variation.low, self.variation.mode, self.variation.high
        spread = f"{mode:.2g}" if low == high else f"{mode:.2g} ({low:.2g} to {high:.2g})"
        return f"log-normal lengths, standard deviation {spread} of the mean"


@lru_cache(maxsize=4096)
def expected_longest(mean: float, draws: int, limit: float | None, variation: float, *, chunks: bool = True) -> float:
    """Return the expected length of the longest of `draws` samples, each cut at `limit`, in tokens.

        ∫ min(exp(μ + σ z), limit) · d(Φ(z)^draws),   σ² = ln(1 + variation²),   μ = ln(mean) − σ² / 2

    Lengths are log-normal about the `mean` of uncut samples; with one draw it is the mean of cut ones. Where samples
    may be `chunks` of longer text, they vary the less, the nearer the mean comes to the limit. Fails where lengths
    have several modes, as in mixtures of sets.
    """
    if limit is not None:
        if chunks:
            if mean >= limit:
                return limit
            variation *= min(1.0, (1.0 - mean / limit) / (1.0 - _CHUNKED_FROM))
    elif draws == 1:
        return mean
    if variation <= 0.0:
        return mean if limit is None else min(mean, limit)
    sigma = math.sqrt(math.log1p(variation * variation))
    mu = math.log(mean) - sigma * sigma / 2.0
    step = 2.0 * _WIDEST / _POINTS
    total = 0.0
    for point in range(_POINTS + 1):
        z = -_WIDEST + point * step
        below = 0.5 * math.erfc(-z / math.sqrt(2.0))
        density = draws * below ** (draws - 1) * math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
        length = math.exp(mu + sigma * z)
        total += density * (length if limit is None else min(length, limit))
    return total * step


def even_longest(shortest: float, longest: float, draws: int, limit: float | None) -> float:
    """Return the expected length of the longest of `draws` samples of even lengths, each cut at `limit`, in tokens.

    shortest + (longest − shortest) · (t − tⁿ⁺¹ / (n + 1)),   t = share of the span below the limit, at most 1
    """
    if limit is not None and limit <= shortest:
        return limit
    span = longest - shortest
    below = 1.0 if limit is None or limit >= longest else (limit - shortest) / span
    return shortest + span * (below - below ** (draws + 1) / (draws + 1))
