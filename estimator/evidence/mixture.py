"""Doubts joined: how many of those who leave a thing unsaid run which way, and what of it an answer tells.

The point is the middle of the mixture, about as many being faster as slower, and the range is the mixture's.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from estimator.evidence.likeness import LAB_SPREAD, RUN_SPREAD
from estimator.question.question import Caution, Question

__all__ = [
    "HELD",
    "TOLD_FROM",
    "WORTH_SAYING",
    "Doubt",
    "SplitNormal",
    "Times",
    "Ways",
    "borne",
    "if_held",
    "median_log",
    "mixed",
    "mixture_quantile",
    "read_beside",
    "read_between",
    "split_quantile",
    "told_times",
    "worth_telling",
]

Ways = tuple[tuple[float, float], ...]
"""Factor on the step and share of each other way."""
HELD = 0.05
"""Share that reaches into a range of nine tenths: what lies beyond one of its ends."""
WORTH_SAYING = 0.15
"""Log time below which a doubt changes nothing."""
TOLD_FROM = 0.01
"""Share of those who leave a thing unsaid from which on a way is told: what is untrue for ninety-nine in a hundred
readers hides what is true for them."""
_MOVED = 0.05
"""Log time from which on a point is told to be none of the ways: it is not the one that is assumed."""
_LARGE = 100.0
"""Times from which on they are told whole."""
_ALIKE = math.hypot(LAB_SPREAD, RUN_SPREAD)
"""Standard deviation of log time among runs that are alike in all that is said: labs differ, and so do one's runs."""
_FAR, _EXACT = 5.0, 1e-6
"""Standard deviations beyond which a normal has no mass that counts, and the log time to which a quantile is exact."""
_ROOT_2 = math.sqrt(2.0)
_ROOT_TAU = math.sqrt(math.tau)
_JUDGED_TO = 0.2
"""How far shares may be from the truth, either way: they are judged, and hardly any was counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How many times as long as it is answered a step takes once a doubt is settled: each is an answer over this one.

    The point lies among all ways, so that it is longer than some of them and shorter than others.
    """

    assumed: float
    """As is assumed."""
    others: tuple[float, ...]
    """The other ways, in the doubt's order."""

    @property
    def moved(self) -> bool:
        """Whether what is answered is felt to be another time than that of what is assumed."""
        return abs(math.log(self.assumed)) >= _MOVED

    def told(self, *where: str, assumed: str) -> str:
        """Return the first of the other ways in words, as many as are named in `where`, and what is `assumed` if moved.

        `2.2 times as long`, or `1.8 times as long as here, 0.81 in bf16`: a name may be empty.
        """
        here = " as here" if self.moved else ""
        ways = [*zip(self.others, where, strict=False), *(((self.assumed, assumed),) if self.moved else ())]
        (first, its), *rest = ((_figure(times), f" {name}" if name else "") for times, name in ways)
        return ", ".join((f"{first} times as long{here}{its}", *(f"{times}{name}" for times, name in rest)))


def read_beside(step_log: float, read_log: float) -> float:
    """Return the log time of a step whose samples others read meanwhile: the slower of both sets the pace."""
    return max(step_log, read_log) if read_log > 0.0 else step_log


def read_between(step_log: float, read_log: float) -> float:
    """Return the log time of a step after which its samples are read: they take as long after a slow one."""
    return math.log(math.exp(step_log) + math.expm1(read_log)) if read_log > 0.0 else step_log


def told_times(times: float) -> str:
    """Return a ratio of times in words, to two digits."""
    return f"{_figure(times)} times"


def _figure(times: float) -> str:
    return f"{times:,.0f}" if times >= _LARGE else f"{times:.2g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One thing unsaid: by what factors a step is longer the other ways, and how many run so."""

    argument: str
    ways: Ways
    """What is left of the shares runs as is assumed."""
    code: str
    """Of its warning."""
    words: Callable[[Times], str]
    """The warning's message."""
    moves: bool = True
    """Whether the point is the middle of all ways, and not of the one alone that is assumed and printed."""
    joined: Callable[[float, float], float] = operator.add
    """The log time of its way beside another's, of the logs of both: what multiplies a step multiplies any."""
    asked: tuple[Question, ...] = ()
    """What whoever says the other ways asks, in their order, as far as that is a question; each tells its batch."""

    def caution(self, times: Times) -> Caution:
        """Return its warning, where its ways take so many `times` as long as is answered."""
        furthest = max((max(other, 1.0 / other) for other in times.others), default=1.0)
        return Caution(code=self.code, message=self.words(times), times=furthest)

    def times(self, doubts: Sequence["Doubt"]) -> Times:
        """Return each way over the point of `doubts`, of which it is one.

        Once it is settled, the point lies among the ways of the others alone; they are taken not to matter more or less
        for it.
        """
        others = [doubt for doubt in doubts if doubt is not self]
        settled = math.exp(median_log(others) - median_log(doubts)) if self.moves else 1.0
        return Times(assumed=settled, others=tuple(settled * factor for factor, _ in self.ways))


def borne(share: float, factor: float, bearable: float, *, noticed: float = 2.0) -> float:
    """Return how many run so of `share`, of whom most would not bear a step `factor` times as long.

    share · (bearable / factor)^noticed      beyond what is bearable; `noticed`: how plainly what takes long is seen
    """
    return share * min(1.0, math.pow(bearable / factor, noticed))


def if_held(ways: Ways) -> str:
    """Return the end of a clause that the range holds `ways` beside what is assumed, where it reaches their middle."""
    # A way that fills what lies beyond the end alone is not reached as far as its middle.
    return ", and the range holds both" if sum(share for _, share in ways) > 2.0 * HELD else ""


def worth_telling(doubts: Sequence[Doubt]) -> tuple[Doubt, ...]:
    """Return those of `doubts` whose other ways are not hardly anybody's."""
    return tuple(doubt for doubt in doubts if sum(share for _, share in doubt.ways) >= TOLD_FROM)


def median_log(doubts: Sequence[Doubt]) -> float:
    """Return the log of the factor on a step that about as many of those who leave all this unsaid exceed as not.

    The median has the least expected error in log time; a mean would lie between two ways that nobody runs between. But
    where one of two ways that lie far apart has about half, the median leaps from one to the other by a hundredth of
    share, and no share is known so well: it is the average of the medians that the shares may have, which is the mean
    of what lies between the outermost of those.
    """
    moving = [doubt for doubt in doubts if doubt.moves]
    return _trimmed_mean(mixed(moving), _ALIKE, (0.5 - _JUDGED_TO, 0.5 + _JUDGED_TO)) if moving else 0.0


def _trimmed_mean(shares: Mapping[float, float], spread: float, levels: tuple[float, float]) -> float:
    """Return the mean of normals at the keys of `shares`, as in `mixture_quantile`, between two of their quantiles.

    Σ share · (at · (Φ(b) − Φ(a)) − spread · (φ(b) − φ(a))) / Σ share · (Φ(b) − Φ(a))      a, b: the quantiles, of each
    """
    ends = [mixture_quantile(shares, spread, level) for level in levels]
    total = mass = 0.0
    for at, share in shares.items():
        lower, upper = ((end - at) / spread for end in ends)
        within = (math.erfc(-upper / _ROOT_2) - math.erfc(-lower / _ROOT_2)) / 2.0
        density = (math.exp(-upper * upper / 2.0) - math.exp(-lower * lower / 2.0)) / _ROOT_TAU
        mass += share * within
        total += share * (at * within - spread * density)
    return total / mass


def mixture_quantile(shares: Mapping[float, float], spread: float, level: float, *, blur: float = 0.0) -> float:
    """Return the quantile `level` of normals at the keys of `shares`, by bisection.

    Of standard deviation √(spread² + (blur · shift)²): how far another way shifts a step is as uncertain as it is far.
    """
    widths = ((at, share, math.hypot(spread, blur * at)) for at, share in shares.items())
    return split_quantile([SplitNormal(at=at, share=share, below=its, above=its) for at, share, its in widths], level)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitNormal:
    """A normal of log time whose halves differ in width: half of its mass lies on either side of its middle."""

    at: float
    """Its median."""
    share: float
    below: float
    """Standard deviation of the half below …"""
    above: float
    """… and of that above."""

    def mass_below(self, log: float) -> float:
        """Return its mass below `log`."""
        its = self.below if log < self.at else self.above
        return self.share * math.erfc((self.at - log) / (its * _ROOT_2)) / 2.0


def split_quantile(normals: Sequence[SplitNormal], level: float) -> float:
    """Return the quantile `level` of a mixture, by bisection."""
    low = min(one.at - _FAR * one.below for one in normals)
    high = max(one.at + _FAR * one.above for one in normals)
    while high - low > _EXACT:
        middle = (low + high) / 2.0
        low, high = (low, middle) if sum(one.mass_below(middle) for one in normals) >= level else (middle, high)
    return (low + high) / 2.0


def mixed(doubts: Sequence[Doubt]) -> Mapping[float, float]:
    """Return the share of each shift of log time that `doubts` together may make; they are independent.

    What does not multiply a step comes beside all that does.
    """
    shares: dict[float, float] = {0.0: 1.0}
    for doubt in sorted(doubts, key=lambda one: one.joined is not operator.add):
        ways = [*((math.log(factor), share) for factor, share in doubt.ways)]
        ways.append((0.0, 1.0 - sum(share for _, share in ways)))
        together: dict[float, float] = {}
        for shift, share in shares.items():
            for other, its in ways:
                at = doubt.joined(shift, other)
                together[at] = together.get(at, 0.0) + share * its
        shares = together
    return shares
