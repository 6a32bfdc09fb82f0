"""Whole runs against what was published of them: days and GPU-hours from start to end, with the range they were given.

Steps are those of a prediction to which the run's lab added nothing. A minutes-long benchmark's run and one of weeks
have little in common, and are told apart. What is predicted is what the published number counts: days that are a speed
times the tokens hold no overhead, and GPU-hours of a release hold more than the run.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from estimator.answers.estimate.best_step import best_step
from estimator.answers.estimate.timing import PredictedStep, Timing
from estimator.base.errors import InfeasibleError
from estimator.base.units import DAY_S, HOUR_S
from estimator.calibrate.backtest import published_setting
from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.calibration import Calibration
from estimator.evidence.correction import correction_log, numbered
from estimator.evidence.likeness import setting_traits
from estimator.evidence.outlook import neighbour_runs, neighbours_of
from estimator.evidence.precedent import BESIDE_RUN
from estimator.models.training import WITH_ADAPTERS
from estimator.physics.choice import Setting, nearest_setting
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.software import AUTO
from estimator.resolve.published import published_question

__all__ = ["Kind", "WholeRun", "published_s", "whole_runs"]

Kind = Literal["MLPerf, minutes", "days and weeks"]
_SHORTEST_S = 0.9 * DAY_S
"""Of a run of days: who says "about a day" rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRun:
    """One run from start to end, predicted with its lab left out."""

    run: PublishedRun
    kind: Kind
    published_s: float
    predicted_s: float
    low_s: float
    high_s: float

    @property
    def error(self) -> float:
        """Predicted over published time, less one."""
        return self.predicted_s / self.published_s - 1.0

    @property
    def inside(self) -> bool:
        """Whether the range holds the published time."""
        return self.low_s <= self.published_s <= self.high_s


def published_s(run: PublishedRun) -> float | None:
    """Return the seconds that a run took, as published."""
    if run.wallclock_days is not None:
        return run.wallclock_days * DAY_S
    return None if run.gpu_hours is None else run.gpu_hours * HOUR_S / run.n_gpus


def whole_runs(calibration: Calibration) -> tuple[WholeRun, ...]:
    """Return every published run of known length and amount that has a layout, predicted with its lab left out.

    A run of neither kind, of an hour but no benchmark's, is left out.
    """
    judged = (_judged(run, calibration) for run in catalogue.runs())
    return tuple(one for one in judged if one is not None)


def _judged(run: PublishedRun, calibration: Calibration) -> WholeRun | None:
    seconds, kind = published_s(run), _kind(run)
    if seconds is None or kind is None or run.total_tokens is None:
        return None
    try:
        setting = _asked(run)
    except InfeasibleError:
        return None
    step_s, low, high = _step(run, setting, calibration)
    tokens = setting.global_batch * setting.question.sequence_length
    timing = Timing(
        tokens_per_second=tokens / step_s,
        low_factor=low,
        high_factor=high,
        predicted=None
        if run.duration_of == "steps"
        else PredictedStep(step_s=step_s, stack=setting.stack, n_gpus=run.n_gpus, adapters=run.method in WITH_ADAPTERS),
    )
    predicted_s, low_s, high_s = timing.training_s(run.total_tokens)
    beside = BESIDE_RUN[run.duration_of]
    return WholeRun(
        run=run,
        kind=kind,
        published_s=seconds,
        predicted_s=predicted_s * (1.0 + beside.mode),
        low_s=low_s * (1.0 + beside.low),
        high_s=high_s * (1.0 + beside.high),
    )


def _asked(run: PublishedRun) -> Setting:
    """Return the setting of `run` as a caller would ask for it: of a stack that nobody else has there is no name."""
    if named_framework(run.framework).name not in {AUTO, "unknown"}:
        return published_setting(run)
    question = replace(published_question(run), framework=AUTO, unsaid=frozenset({"framework"}))
    return nearest_setting(question, shard_group=run.shard_group, packed_short=run.packed_short)


def _kind(run: PublishedRun) -> Kind | None:
    if run.stack == "mlperf" or run.group.startswith("mlperf"):
        return "MLPerf, minutes"
    seconds = published_s(run)
    return "days and weeks" if seconds is not None and seconds >= _SHORTEST_S else None


def _step(run: PublishedRun, setting: Setting, calibration: Calibration) -> tuple[float, float, float]:
    """Return the seconds of a step and both ends of its range as factors, what the run's lab measured left out.

    Of a run whose speed is published too, the left-out prediction is that of the backtest; of others, the kriged
    residuals of the lab are taken out, and its part in constants and effects stays.
    """
    best = best_step(setting, calibration)
    span = best.span
    speed, ratio = run.tokens_per_second_per_gpu, calibration.ratios.get(run.id)
    if speed is not None and ratio is not None:
        tokens = setting.global_batch * setting.question.sequence_length
        return tokens / (speed * run.n_gpus) * ratio, span.low, span.high
    own = math.exp(_own_residual(run.lab, setting, calibration))
    return best.prediction.step_s / own, span.low, span.high


def _own_residual(lab: str, setting: Setting, calibration: Calibration) -> float:
    """Return what the runs of `lab` add to the log of the predicted time of `setting`."""
    code, neighbours = _labs(calibration).get(lab), neighbours_of(calibration)
    if code is None:
        return 0.0
    traits = setting_traits(setting)
    return float((correction_log(traits, neighbours) - correction_log(traits, neighbours.without(code)))[0])


def _labs(calibration: Calibration) -> dict[str, int]:
    labs = [run.lab for run in neighbour_runs(calibration)]
    return dict(zip(labs, numbered(labs).tolist(), strict=True))
