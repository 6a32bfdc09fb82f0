"""A prediction held to the published run that its question is about: drawn towards it, its time inside the range."""

import math
from dataclasses import replace

from estimator.base.errors import InfeasibleError
from estimator.evidence.blend import blend_of
from estimator.evidence.calibration import Calibration, generation
from estimator.evidence.likeness import LAB_SPREAD, RUN_SPREAD, error_kernel, setting_traits
from estimator.evidence.outlook import outlook_of
from estimator.evidence.precedent import MOST_DOUBLINGS
from estimator.evidence.uncertainty import Interval
from estimator.physics.choice import Setting, nearest_setting, ranked_layouts
from estimator.question.question import Precedent, Question

__all__ = ["held_to_precedent"]

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

    e: the expected error of predictions of the kind; σ: how far two labs' runs of one configuration lie apart. Likeness
    falls to nothing where counts of devices are so far apart that no run is asked about. The same for all layouts of a
    setting.

    Where nothing that was said differs from the run, the range holds what was published. If the stack was said too, or
    taken from the run, the range's log narrows by √(1 − likeness · w), as that of two normals joined: of 195 runs that
    another document has about the same of, it holds 93 %, as many as the wider one.
    """
    precedent = setting.question.precedent
    missed = None if precedent is None else _missed_log(precedent, calibration)
    if precedent is None or missed is None:
        return factor, span
    run, residual = missed
    question = setting.question
    error = outlook_of(setting).error_scale / _GEOMETRIC_MEAN
    doublings = abs(math.log2(question.cluster.n_gpus / run.question.cluster.n_gpus))
    likeness = float(error_kernel(setting_traits(setting), setting_traits(run))[0, 0]) * max(
        0.0, 1.0 - doublings / MOST_DOUBLINGS
    )
    drawn = likeness * error**2 / (error**2 + LAB_SPREAD**2 + RUN_SPREAD**2)
    factor *= math.exp(drawn * residual)
    if not precedent.agrees:
        return factor, span
    if "framework" not in question.unsaid or precedent.stack_adopted:
        # What draws the point says as much of how sure it is: a normal's posterior.
        surer = math.sqrt(1.0 - likeness * drawn)
        span = replace(span, low=span.low**surer, high=span.high**surer)
    left = _published_s(setting.question, setting.global_batch, precedent) / (physical_s * factor)
    held = replace(
        span,
        low=min(span.low, left * math.exp(-_WHOLE_RUN)),
        high=max(span.high, left * math.exp(_STEADY)),
    )
    return factor, held


def _published_s(question: Question, batch: int, precedent: Precedent) -> float:
    """Return seconds of a step at the published speed of a device."""
    tokens = batch * question.sequence_length / question.cluster.n_gpus
    return tokens / precedent.tokens_per_second_per_gpu


def _missed_log(precedent: Precedent, calibration: Calibration) -> tuple[Setting, float] | None:
    """Return the setting of a run and the log of its published over predicted time; None where it has no layout."""
    key = (generation(), precedent.run_id)
    if key not in _MISSED:
        _MISSED[key] = _priced(precedent, calibration)
    return _MISSED[key]


def _priced(precedent: Precedent, calibration: Calibration) -> tuple[Setting, float] | None:
    try:
        setting = nearest_setting(precedent.as_published)
    except InfeasibleError:
        return None
    priced = ranked_layouts(setting, calibration.constants)
    physical_s = float(priced.seconds[priced.order[0]])
    predicted_s = physical_s * blend_of(setting, calibration, physical_s).factor
    return setting, math.log(_published_s(setting.question, setting.global_batch, precedent) / predicted_s)
