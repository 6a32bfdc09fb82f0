"""Prediction intervals on step time: conformal quantiles of left-out errors, by regime, scaled by expected error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.evidence.calibration import Calibration
from estimator.evidence.correction import Neighbours, error_scale, numbered
from estimator.evidence.kinds import kind_outlook
from estimator.evidence.likeness import Traits
from estimator.evidence.mixture import Doubt, mixed, mixture_quantile
from estimator.evidence.outlook import outlook_of
from estimator.evidence.reach import beyond_of
from estimator.physics.choice import Setting
from estimator.physics.effects import regime_keys
from estimator.physics.layout import Floats
from estimator.question.question import Caution, Question

__all__ = [
    "COVERAGE",
    "Interval",
    "coverage_of",
    "interval",
    "left_out_inside",
    "left_out_scales",
    "regime_quantiles",
]

COVERAGE = 0.9
_LEVEL = 0.90
"""Level of the quantiles; whether ranges hold what they promise is checked with whole labs left out."""
_LAB_POWER = 0.6
"""A row of a lab of n weighs n to minus this power in a quantile: labs differ by more than the runs of one do."""
_FEWEST_LABS = 2
"""Labs a regime needs before its own quantile is believed at all."""
_FULL_TRUST_LABS = 12
"""Labs at which a regime's quantile replaces the wider one."""
_SCALE_POWER = 0.5
"""How far ranges follow expected errors: 0 not at all, 1 in proportion. The expectation itself is uncertain."""
_UNSEEN_FAMILY, _UNSEEN_BETWEEN = 1.4, 1.2
"""Factors on the log width on a device family no published run is of: where nothing near it was measured either, and
where its maker's generations before and after it were."""
_GENERATIONS = ("pascal", "volta", "turing", "ampere", "ada", "hopper", "blackwell", "rubin")
"""NVIDIA's, in order."""
_LONGEST_SEEN = 131_072
"""Tokens of the longest sequences that more than two labs published a decoder's speed at."""
_UNSEEN_LENGTH = 1.4
"""Factor on the log width beyond: attention is then most of a step, and the rest of what was fitted says little."""
_UNKNOWN_STACK = 1.4
"""The same for a stack that nobody here has heard of."""
_TWO_SIDED_90 = 1.645
"""Standard deviations that hold 90 % of a normal distribution to both sides."""
_PARTING = 0.5
"""Log time by which the two opinions may part before the range holds both: about their joint error."""
_SECOND_OPINION = 0.15
"""Share of the second opinion in the range where it does: its weight in the point; see `blended_log`."""


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
    scales: Floats,
    regimes: Sequence[tuple[str, ...]],
    labs: Sequence[str],
) -> dict[str, float]:
    """Return the conformal quantile of each regime, half the log width of a range per unit of scale ^ power.

    The quantile of left-out absolute log errors over their expected size ^ power, labs of n rows weighing
    n^(1 − `_LAB_POWER`), blended with the widest regime's by how many labs stand behind it. Source: Vovk et al. 2005;
    Tibshirani et al. 2019 (weighted). Labs are not exchangeable, so coverage is checked with whole labs left out
    (`left_out_inside`), not guaranteed.
    """
    scores = np.abs(log_errors) / scales**_SCALE_POWER
    codes = numbered(labs)
    weights = np.bincount(codes)[codes].astype(np.float64) ** -_LAB_POWER
    own: dict[str, tuple[float, int]] = {}
    for name in sorted({name for keys in regimes for name in keys}):
        rows = np.array([name in keys for keys in regimes])
        own[name] = (_weighted_quantile(scores[rows], weights[rows]), len(np.unique(codes[rows])))
    widest = own["all"][0]
    out: dict[str, float] = {}
    for name, (width, count) in own.items():
        trust = 0.0 if count < _FEWEST_LABS else min(1.0, count / _FULL_TRUST_LABS)
        out[name] = trust * width + (1.0 - trust) * max(width, widest)
    return out


def _weighted_quantile(scores: Floats, weights: Floats) -> float:
    """Return the score below which `_LEVEL` of the weight lies.

    Without the infinite score that conformal prediction adds: with the few labs of a kind it would be most of the tail.
    """
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order])
    place = int(np.searchsorted(reached, _LEVEL * float(reached[-1])))
    return float(scores[order][min(place, len(scores) - 1)])


def half_width_log(quantiles: Mapping[str, float], keys: Sequence[str], scale: float) -> float:
    """Return half the log width of a range: the quantile of the narrowest regime that has one, times scale ^ power."""
    return quantiles[next(key for key in keys if key in quantiles)] * math.pow(scale, _SCALE_POWER)


def interval(
    setting: Setting,
    calibration: Calibration,
    *,
    parting_log: float = 0.0,
    situation: float = 0.0,
    doubts: Sequence[Doubt] = (),
    point_log: float = 0.0,
) -> Interval:
    """Return the prediction interval of a setting with its warnings.

    The central range of a mixture: a normal about each way that `doubts` leave open, by its share, and about the second
    opinion where that lies `parting_log` of log time from the physics, further than both are usually off. Each is as
    wide as the left-out errors of runs like it, and beside them the spread `situation` (standard deviation, log time)
    of what differs between machines; wider on device families and stacks that no published run is of and at lengths
    that hardly any is of, and the further a question lies beyond what was measured. The factors are on a point that
    lies `point_log` above the first way.
    """
    question, stack = setting.question, setting.stack
    keys = regime_keys(question, stack)
    regime = next(key for key in keys if key in calibration.quantiles)
    half = half_width_log(calibration.quantiles, keys, outlook_of(setting).error_scale)
    # What changes an answer most comes first: an assistant repeats one.
    by_reach = sorted(doubts, key=lambda doubt: -max(abs(math.log(factor)) * share for factor, share in doubt.ways))
    wider, by_family = _unseen_family(question, calibration)
    longer, by_length = _unseen_length(question)
    warnings = [*(doubt.caution for doubt in by_reach), *by_family, *by_length]
    kind = kind_outlook(setting, calibration)
    half = max(half * wider * longer, kind.half_log)
    if kind.caution is not None:
        warnings.append(kind.caution)
    if stack.name == "unknown":
        half *= _UNKNOWN_STACK
    around, beyond = _TWO_SIDED_90 * situation, _TWO_SIDED_90 * beyond_of(setting)
    # A length is widened for once: by the factor of all such lengths, or by how far it lies beyond.
    half = max(math.hypot(half, around), math.hypot(half / longer, around, beyond))
    shares = dict(mixed(doubts))
    if abs(parting_log) > _PARTING:
        shares = {shift: (1.0 - _SECOND_OPINION) * share for shift, share in shares.items()}
        shares[parting_log] = shares.get(parting_log, 0.0) + _SECOND_OPINION
        warnings.append(_opinions_part(parting_log, question.cluster.n_gpus))
    low, high = (
        mixture_quantile(shares, half / _TWO_SIDED_90, tail) for tail in ((1 - COVERAGE) / 2, (1 + COVERAGE) / 2)
    )
    return Interval(
        low=math.exp(min(low - point_log, 0.0)),
        high=math.exp(max(high - point_log, 0.0)),
        coverage=calibration.coverage,
        regime=regime,
        warnings=tuple(warnings),
    )


def _unseen_family(question: Question, calibration: Calibration) -> tuple[float, tuple[Caution, ...]]:
    """Return a factor on the log width, with its warning, where no published run is on such a device."""
    chip = question.cluster.accelerator
    if f"device:{chip.family}-{chip.segment}" in calibration.effects:
        return 1.0, ()
    message = (
        f"no published run in the calibration is on a device of the family {chip.family} ({chip.segment}): the range "
        "is widened, and rests on datasheet figures"
    )
    wider = _UNSEEN_BETWEEN if _is_between(chip.family, calibration) else _UNSEEN_FAMILY
    return wider, (Caution(code="unseen_device_family", message=message),)


def _unseen_length(question: Question) -> tuple[float, tuple[Caution, ...]]:
    """Return a factor on the log width, with its warning, where hardly any published run has such sequences."""
    if not question.transformer.causal or question.sequence_length <= _LONGEST_SEEN:
        return 1.0, ()
    message = (
        f"hardly any published run in the calibration has sequences of more than {_LONGEST_SEEN:,} tokens: the range "
        "is widened"
    )
    return _UNSEEN_LENGTH, (Caution(code="unseen_length", message=message),)


def _opinions_part(parting_log: float, n_gpus: int) -> Caution:
    slower = "slower" if parting_log > 0.0 else "faster"
    checked = "batch per GPU, network" if n_gpus > 1 else "micro-batch"
    return Caution(
        code="opinions_part",
        message=f"runs of this kind reached a speed {math.exp(abs(parting_log)):.1f} times {slower} than the "
        f"step-time model predicts, so the range holds both: {checked} and framework are the assumptions to check",
    )


def _is_between(family: str, calibration: Calibration) -> bool:
    """Return whether generations before and after one were measured; its own, in chips of another segment, is both."""
    if family not in _GENERATIONS:
        return False
    seen = {key.removeprefix("device:").rpartition("-")[0] for key in calibration.effects if key.startswith("device:")}
    places = [place for place, name in enumerate(_GENERATIONS) if name in seen]
    return bool(places) and places[0] <= _GENERATIONS.index(family) <= places[-1]


def coverage_of(
    log_errors: Floats, scales: Floats, quantiles: Mapping[str, float], regimes: Sequence[tuple[str, ...]]
) -> NDArray[np.bool_]:
    """Return whether each row's measured time lies in its range, shape (R,): empirical coverage is the mean."""
    halves = [half_width_log(quantiles, keys, scale) for keys, scale in zip(regimes, scales, strict=True)]
    return np.abs(log_errors) <= np.array(halves)


def left_out_scales(log_errors: Floats, traits: Traits, labs: Sequence[str]) -> Floats:
    """Return each row's expected absolute log error, shape (R,), from the left-out errors of all other labs."""
    neighbours = Neighbours(
        traits=traits, weights=np.zeros(len(log_errors)), errors=np.abs(log_errors), labs=numbered(labs)
    )
    scales = np.empty(len(log_errors))
    for lab in np.unique(neighbours.labs):
        rows = np.flatnonzero(neighbours.labs == lab)
        scales[rows] = error_scale(traits.taken(rows), neighbours.without(int(lab)))
    return scales


def left_out_inside(
    log_errors: Floats,
    scales: Floats,
    regimes: Sequence[tuple[str, ...]],
    labs: Sequence[str],
    beyond: Floats,
) -> tuple[NDArray[np.bool_], Floats]:
    """Return whether each row lies in its range and how wide that is, its own lab left out of the quantiles too.

    Both of shape (R,). `beyond`: the standard deviation from lying beyond what others measured; see `left_out_beyond`.
    """
    labels = np.array(labs)
    halves = np.zeros(len(log_errors))
    for label in np.unique(labels):
        kept: list[int] = np.flatnonzero(labels != label).tolist()
        quantiles = regime_quantiles(
            log_errors[kept],
            scales[kept],
            [regimes[i] for i in kept],
            [labs[i] for i in kept],
        )
        for i in np.flatnonzero(labels == label).tolist():
            halves[i] = half_width_log(quantiles, regimes[i], float(scales[i]))
    halves = np.hypot(halves, _TWO_SIDED_90 * beyond)
    return np.abs(log_errors) <= halves, np.exp(2.0 * halves)
