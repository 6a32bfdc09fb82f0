"""A prediction held to the published run that its question is about: drawn towards it, its time inside the range."""

import math
from dataclasses import dataclass, replace

from estimator.base.errors import InfeasibleError
from estimator.evidence.blend import blend_of
from estimator.evidence.calibration import Calibration, generation
from estimator.evidence.likeness import LAB_SPREAD, RUN_SPREAD, error_kernel, setting_traits
from estimator.evidence.outlook import outlook_of
from estimator.evidence.precedent import MOST_DOUBLINGS
from estimator.evidence.uncertainty import Interval
from estimator.physics.choice import Setting, nearest_setting, ranked_layouts
from estimator.question.choices import as_wide
from estimator.question.question import KnownSpeed, Precedent, Question

__all__ = ["drawn_log", "held_to_precedent"]

_GEOMETRIC_MEAN = 0.53
"""Geometric mean of a normal error's absolute value over its standard deviation: exp(−(γ + ln 2) / 2)."""
_WHOLE_RUN = 0.2
"""Log time by which a whole run may exceed its steps: some sources print the one and some the other."""
_STEADY = 0.05
"""Log time between two steady measurements of one run."""
_MISSED: dict[tuple[int, str], tuple[Setting, float] | None] = {}
"""By calibration and run, its setting and the log of published over predicted time: each is priced once."""


def held_to_precedent(
    setting: Setting, calibration: Calibration, factor: float, span: Interval, physical_s: float
) -> tuple[float, Interval]:
    """Return `factor` on physical step time and its range, held to the published run that the question is about.

        factor · exp(w · r)      r: log of the run's published over predicted time,  w = likeness · e² / (e² + σ²)

    Of two runs, on more devices and on fewer, w · r goes over from the one's to the other's.

    e: the expected error of predictions of the kind; σ: how far two labs' runs of one configuration lie apart. Likeness
    falls to nothing where counts of devices are so far apart that no run is asked about. The same for all layouts of a
    setting.

    Where nothing that was said differs from the run, the range holds what was published. If the stack was said too, or
    taken from the run, the range's log narrows by √(1 − likeness · w), as that of two normals joined: of 195 runs that
    another document has about the same of, it holds 93 %, as many as the wider one.
    """
    question = setting.question
    precedent = question.precedent
    if precedent is None:
        return factor, span
    said = _said_of(setting, calibration, precedent)
    if said is None:
        return factor, span
    factor *= math.exp(_drawn(setting, calibration, precedent, said))
    speeds = precedent.also_held
    if precedent.agrees:
        speeds = (precedent.tokens_per_second_per_gpu, *speeds)
        as_published = as_wide(precedent.as_published.precision, question.precision)
        if as_published and ("framework" not in question.unsaid or precedent.stack_adopted):
            # What draws the point says as much of how sure it is: a normal's posterior.
            # Of a training on other tokens, as far as it may be that very one.
            alike = precedent.amount_alike if precedent.trained else 1.0
            surer = math.sqrt(1.0 - alike * said.likeness * said.drawn)
            span = replace(span, low=span.low**surer, high=span.high**surer)
    for speed in speeds:
        left = _published_s(question, setting.global_batch, speed) / (physical_s * factor)
        span = replace(
            span,
            low=min(span.low, left * math.exp(-_WHOLE_RUN)),
            high=max(span.high, left * math.exp(_STEADY)),
        )
    return factor, span


def drawn_log(setting: Setting, calibration: Calibration) -> float:
    """Return the log of what the published run that the question is about draws a prediction by; 0 without one."""
    precedent = setting.question.precedent
    said = None if precedent is None else _said_of(setting, calibration, precedent)
    return 0.0 if precedent is None or said is None else _drawn(setting, calibration, precedent, said)


def _drawn(setting: Setting, calibration: Calibration, precedent: Precedent, said: "_Said") -> float:
    beside = None if precedent.beside is None else _said_of(setting, calibration, precedent.beside)
    return _between(said, beside)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What one published run says of a setting."""

    doublings: float
    """Between their counts of devices."""
    likeness: float
    drawn: float
    """Share of what the run was off by that the setting is thought to be."""
    residual_log: float


def _said_of(setting: Setting, calibration: Calibration, known: KnownSpeed) -> _Said | None:
    missed = _missed_log(known, calibration)
    if missed is None:
        return None
    run, residual = missed
    error = outlook_of(setting).error_scale / _GEOMETRIC_MEAN
    doublings = abs(math.log2(setting.question.cluster.n_gpus / run.question.cluster.n_gpus))
    fading = max(0.0, 1.0 - doublings / MOST_DOUBLINGS)
    likeness = float(error_kernel(setting_traits(setting), setting_traits(run))[0, 0]) * fading
    return _Said(
        doublings=doublings,
        likeness=likeness,
        drawn=likeness * error**2 / (error**2 + LAB_SPREAD**2 + RUN_SPREAD**2),
        residual_log=residual,
    )


def _between(nearest: _Said, beside: _Said | None) -> float:
    """Return by how much two runs draw a setting that lies between them, each the more the nearer it is.

        Σ w · drawn · r / Σ w      w = 1 / doublings − 1 / most doublings

    Of neighbouring counts the nearest run may be another, and they are drawn alike all the same.
    """
    said = [one for one in (nearest, beside) if one is not None and one.likeness > 0.0]
    if not said or nearest.doublings == 0.0:
        return nearest.drawn * nearest.residual_log
    weights = [1.0 / one.doublings - 1.0 / MOST_DOUBLINGS for one in said]
    drawn = sum(weight * one.drawn * one.residual_log for weight, one in zip(weights, said, strict=True))
    return drawn / sum(weights)


def _published_s(question: Question, batch: int, tokens_per_second_per_gpu: float) -> float:
    """Return seconds of a step at the published speed of a device."""
    tokens = batch * question.sequence_length / question.cluster.n_gpus
    return tokens / tokens_per_second_per_gpu


def _missed_log(known: KnownSpeed, calibration: Calibration) -> tuple[Setting, float] | None:
    """Return the setting of a run and the log of its published over predicted time; None where it has no layout."""
    key = (generation(), known.run_id)
    if key not in _MISSED:
        _MISSED[key] = _priced(known, calibration)
    return _MISSED[key]


def _priced(known: KnownSpeed, calibration: Calibration) -> tuple[Setting, float] | None:
    try:
        setting = nearest_setting(known.as_published)
    except InfeasibleError:
        return None
    priced = ranked_layouts(setting, calibration.constants)
    physical_s = float(priced.seconds[priced.order[0]])
    predicted_s = physical_s * blend_of(setting, calibration, physical_s).factor
    return setting, math.log(
        _published_s(setting.question, setting.global_batch, known.tokens_per_second_per_gpu) / predicted_s
    )
