"""Prediction intervals on step time: conformal quantiles of left-out errors by regime, beside what is known to vary."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from estimator.evidence.calibration import Calibration
from estimator.evidence.correction import numbered
from estimator.evidence.kinds import kind_outlook
from estimator.evidence.mixture import Doubt, mixed, mixture_quantile, told_times
from estimator.evidence.reach import beyond_of, length_beyond
from estimator.physics.choice import Setting
from estimator.physics.effects import regime_keys
from estimator.physics.layout import Floats
from estimator.question.question import Caution, Question

__all__ = [
    "COVERAGE",
    "OPINIONS_PART",
    "TWO_SIDED_90",
    "Interval",
    "coverage_of",
    "half_widths",
    "holds",
    "interval",
    "left_out_half_widths",
    "regime_quantiles",
]

OPINIONS_PART = "opinions_part"
"""Code of the warning that runs of its kind reach another share of their peak than is predicted."""
COVERAGE = 0.9
"""What ranges promise, and the level of the quantiles; whether they hold it is checked with whole labs left out."""
_LAB_POWER = 0.6
"""A row of a lab of n weighs n to minus this power in a quantile: labs differ by more than the runs of one do."""
_FEWEST_LABS = 2
"""Labs a regime needs before its own quantile is believed at all."""
_FULL_TRUST_LABS, _FULL_TRUST_WIDER = 20, 8
"""Labs at which a regime's quantile replaces that of the next wider one: of fewer, one of nine tenths is mostly chance.
The second where it is the larger: what is too narrow breaks a promise, what is too wide only says little."""
_SKEW = 0.2
"""By how much of itself a range reaches further up, and less far down, than evenly: a step has more ways to be slower
than to be faster. With labs left out 5 % of the weight is slower by more than 0.36 of log time, and 5 % faster by more
than 0.22; it is so within nearly every lab."""
_UNSEEN_FAMILY, _UNSEEN_BETWEEN = 1.4, 1.2
"""Factors on the log width on a device family no published run is of: where nothing near it was measured either, and
where its maker's generations before and after it were."""
_GENERATIONS = ("kepler", "maxwell", "pascal", "volta", "turing", "ampere", "ada", "hopper", "blackwell", "rubin")
"""NVIDIA's, in order."""
_UNKNOWN_STACK = 1.4
"""The same for a stack that nobody here has heard of."""
TWO_SIDED_90 = 1.645
"""Standard deviations that hold 90 % of a normal distribution to both sides."""
_SECOND_OPINION = 0.15
"""Share of the second opinion in the range where the two part: its weight in the point; see `blended_log`."""
_SLOWER_PARTED, _FASTER_PARTED = 0.45, 0.7
"""Log time of parting at which it has half of that share, by whether it is slower than the physics or faster. Where
kinds of runs are slower, some measured times of left-out labs are by as much; where they are faster, physics mostly has
a reason."""
_STEEPNESS = 4.0
"""Power of the parting by which the share grows: nearly nothing within their joint error, nearly all at twice that."""
_AS_PUBLISHED = 0.1
"""Share of people whose steps are as quick as those that are published: own code, a new machine, little beside it. A
range of nine tenths reaches so far down."""
_BLUR = 0.15
"""Standard deviation of how far another way shifts a step, of the shift: what is priced beside the answer is less sure.
"""
_REACHED = 0.1
"""Share of a way from which on a range of nine tenths reaches as far as it lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Prediction interval as factors on the predicted time, of nominal probability `coverage`."""

    low: float
    high: float
    coverage: float
    regime: str
    warnings: tuple[Caution, ...]


def regime_quantiles(
    log_errors: Floats,
    spreads: Floats,
    regimes: Sequence[tuple[str, ...]],
    labs: Sequence[str],
    *,
    full_trust: int = _FULL_TRUST_LABS,
) -> dict[str, float]:
    """Return the conformal quantile of each regime: half the log width of its ranges beside what is known to vary.

    The score of a row is the half width that would just hold it, less in squares than the `spreads` that are known of
    it (standard deviation, log time). Labs of n rows weigh n^(1 − `_LAB_POWER`), and a regime's quantile is drawn to
    that of the next wider one by how few labs stand behind it, at less than `full_trust` labs where it is the smaller.
    Labs are not exchangeable, so coverage is checked with whole labs left out (`left_out_half_widths`), not guaranteed.
    Source: Vovk et al. 2005; Tibshirani et al. 2019 (weighted).
    """
    known = TWO_SIDED_90 * spreads
    scores = np.sqrt(np.maximum(_least_half(log_errors) ** 2 - known**2, 0.0))
    codes = numbered(labs)
    weights = np.bincount(codes)[codes].astype(np.float64) ** -_LAB_POWER
    wider = {name: other for keys in regimes for name, other in pairwise(keys)}
    out: dict[str, float] = {}
    # The widest first: each is drawn to the next wider one, which has been drawn already.
    for name in sorted({name for keys in regimes for name in keys}, key=lambda name: (_breadth(name, wider), name)):
        rows = np.array([name in keys for keys in regimes])
        own, count = _weighted_quantile(scores[rows], weights[rows]), len(np.unique(codes[rows]))
        around = out[wider[name]] if name in wider else own
        full = _FULL_TRUST_WIDER if own > around else full_trust
        trust = 0.0 if count < _FEWEST_LABS else min(1.0, count / full)
        out[name] = trust * own + (1.0 - trust) * around
    return out


def _breadth(name: str, wider: Mapping[str, str]) -> int:
    """Return how many regimes are wider than one."""
    return 1 + _breadth(wider[name], wider) if name in wider else 0


def _least_half(log_errors: Floats) -> Floats:
    """Return the half log width of the range that just holds each row; errors are of predicted over measured time."""
    return np.where(log_errors < 0.0, -log_errors / (1.0 + _SKEW), log_errors / (1.0 - _SKEW))


def holds(log_errors: Floats, halves: Floats) -> NDArray[np.bool_]:
    """Return whether ranges of half log width `halves` hold what was measured, the prediction being off by so much."""
    return np.asarray(_least_half(log_errors) <= halves)


def _weighted_quantile(scores: Floats, weights: Floats) -> float:
    """Return the score below which `COVERAGE` of the weight lies.

    Without the infinite score that conformal prediction adds: with the few labs of a kind it would be most of the tail.
    """
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order])
    place = int(np.searchsorted(reached, COVERAGE * float(reached[-1])))
    return float(scores[order][min(place, len(scores) - 1)])


def half_widths(quantiles: Mapping[str, float], regimes: Sequence[tuple[str, ...]], spreads: Floats | float) -> Floats:
    """Return half the log width of ranges: the quantile of the narrowest regime that has one, and the known spreads."""
    found = [quantiles[next(key for key in keys if key in quantiles)] for keys in regimes]
    return np.asarray(np.hypot(np.array(found), TWO_SIDED_90 * np.asarray(spreads)))


def interval(
    setting: Setting,
    calibration: Calibration,
    *,
    parting_log: float = 0.0,
    as_published_log: float = 0.0,
    situation: float = 0.0,
    doubts: Sequence[Doubt] = (),
    point_log: float = 0.0,
) -> Interval:
    """Return the prediction interval of a setting with its warnings.

    The central range of a mixture: a normal about each way that `doubts` leave open, by its share, and about the second
    opinion, which lies `parting_log` of log time from the point, by a share that grows from nothing as they part; and
    about the step as somebody would have published it, `as_published_log` from one that people run as they have it.
    Each is as wide as the left-out errors of runs like it, and beside them the spread `situation` (standard deviation,
    log time) of what differs between machines; wider on device families and stacks that no published run is of, and the
    further a question lies beyond what was measured. The factors are on a point that lies `point_log` above the first
    way.
    """
    question, stack = setting.question, setting.stack
    keys = regime_keys(question, stack)
    regime = next(key for key in keys if key in calibration.quantiles)
    # What changes an answer most comes first: an assistant repeats one.
    by_reach = sorted(doubts, key=lambda doubt: -max(abs(math.log(factor)) * share for factor, share in doubt.ways))
    wider, by_family = _unseen_family(question, calibration)
    warnings = [*(doubt.caution(doubt.times(doubts)) for doubt in by_reach), *by_family, *length_beyond(setting)]
    kind = kind_outlook(setting, calibration)
    half = kind.widened(calibration.quantiles[regime] * wider)
    if kind.caution is not None:
        warnings.append(kind.caution)
    if stack.name == "unknown":
        half *= _UNKNOWN_STACK
    half = math.hypot(half, TWO_SIDED_90 * situation, TWO_SIDED_90 * beyond_of(setting))
    second = _second_opinion_share(parting_log)
    if second > _REACHED:
        warnings.append(_opinions_part(parting_log - point_log))
    shares = _joined(mixed(doubts), parting_log, second)
    shares = _joined(shares, as_published_log, _AS_PUBLISHED)
    low, high = (
        mixture_quantile(shares, half / TWO_SIDED_90, tail, blur=_BLUR)
        for tail in ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)
    )
    off = _SKEW * half - point_log
    return Interval(
        low=math.exp(min(low + off, 0.0)),
        high=math.exp(max(high + off, 0.0)),
        coverage=calibration.coverage,
        regime=regime,
        warnings=tuple(warnings),
    )


def _second_opinion_share(parting_log: float) -> float:
    """Return the share of the second opinion in a range.

    s · (p/h)⁴ / (1 + (p/h)⁴)      s: its share where the two part widely, p: the parting, h: half of that
    """
    half = _SLOWER_PARTED if parting_log > 0.0 else _FASTER_PARTED
    parted = math.pow(abs(parting_log) / half, _STEEPNESS)
    return _SECOND_OPINION * parted / (1.0 + parted)


def _joined(shares: Mapping[float, float], shift: float, share: float) -> Mapping[float, float]:
    """Return `shares` of shifts of log time with one more, of which some have `share`."""
    together = {other: (1.0 - share) * its for other, its in shares.items()}
    together[shift] = together.get(shift, 0.0) + share
    return together


def _unseen_family(question: Question, calibration: Calibration) -> tuple[float, tuple[Caution, ...]]:
    """Return a factor on the log width, with its warning, where no published run is on such a device."""
    chip = question.cluster.accelerator
    if f"device:{chip.family}-{chip.segment}" in calibration.effects:
        return 1.0, ()
    # What a chip is counted with is not always what it is called by: Turing without tensor cores, with Pascal.
    called = chip.architecture.split()[0].casefold() if chip.family in _GENERATIONS else chip.family
    message = (
        f"no published run is on {called} ({chip.segment}) devices: the range is widened, and rests on datasheet "
        "figures"
    )
    wider = _UNSEEN_BETWEEN if _is_between(chip.family, calibration) else _UNSEEN_FAMILY
    return wider, (Caution(code="unseen_device_family", message=message),)


def _opinions_part(from_point_log: float) -> Caution:
    """Return that the second opinion is so far from the point, and what ends it: a step that was measured."""
    return Caution(
        code=OPINIONS_PART,
        message=f"by the share of their peak that runs on such stacks reach, a step would take "
        f"{told_times(math.exp(from_point_log))} as long as here, and the range holds both: say "
        "observed_tokens_per_second of a step",
    )


def _is_between(family: str, calibration: Calibration) -> bool:
    """Return whether generations before and after one were measured; its own, in chips of another segment, is both."""
    if family not in _GENERATIONS:
        return False
    seen = {key.removeprefix("device:").rpartition("-")[0] for key in calibration.effects if key.startswith("device:")}
    places = [place for place, name in enumerate(_GENERATIONS) if name in seen]
    return bool(places) and places[0] <= _GENERATIONS.index(family) <= places[-1]


def coverage_of(
    log_errors: Floats, spreads: Floats, quantiles: Mapping[str, float], regimes: Sequence[tuple[str, ...]]
) -> NDArray[np.bool_]:
    """Return whether each row's measured time lies in its range, shape (R,): empirical coverage is the mean."""
    return holds(log_errors, half_widths(quantiles, regimes, spreads))


def left_out_half_widths(
    log_errors: Floats,
    spreads: Floats,
    regimes: Sequence[tuple[str, ...]],
    labs: Sequence[str],
    beyond: Floats,
    *,
    full_trust: int = _FULL_TRUST_LABS,
) -> Floats:
    """Return half the log width of each row's range, shape (R,), its own lab left out of the quantiles too.

    `spreads`, `beyond`: standard deviations from what differs between machines, which errors are freed of before a
    quantile is taken, and from lying beyond what others measured (see `left_out_beyond`), which few rows do.
    """
    labels = np.array(labs)
    halves = np.zeros(len(log_errors))
    for label in np.unique(labels):
        kept: list[int] = np.flatnonzero(labels != label).tolist()
        quantiles = regime_quantiles(
            log_errors[kept],
            spreads[kept],
            [regimes[i] for i in kept],
            [labs[i] for i in kept],
            full_trust=full_trust,
        )
        out: list[int] = np.flatnonzero(labels == label).tolist()
        halves[out] = half_widths(quantiles, [regimes[i] for i in out], np.hypot(spreads[out], beyond[out]))
    return halves
