"""The predicted step of one layout: what the answer to a single question and a comparison of thousands share."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from estimator.answers.estimate.host_memory import host_memory_needed
from estimator.answers.estimate.runnable import runnable
from estimator.base.errors import InfeasibleError
from estimator.base.pauses import pause
from estimator.evidence.blend import Blend, blend_of
from estimator.evidence.calibration import Calibration, committed_calibration, generation
from estimator.evidence.ceiling import held_to_ceiling
from estimator.evidence.crossed import Way, crossed
from estimator.evidence.doubts import doubts_of
from estimator.evidence.foreseen import foreseen_log
from estimator.evidence.held import held_to_precedent
from estimator.evidence.kinds import kind_outlook
from estimator.evidence.mixture import Doubt, median_log, worth_telling
from estimator.evidence.other_training import with_other_training
from estimator.evidence.own_lab import MeasuredStep, OwnOutlook, held_to_own_runs, measured_step, outlook_of_own
from estimator.evidence.precisions import precision_doubts
from estimator.evidence.situation import situation_spread
from estimator.evidence.stack_doubts import stack_doubts, with_own_stacks
from estimator.evidence.trained_otherwise import trained_otherwise
from estimator.evidence.uncertainty import Interval, interval
from estimator.evidence.vendors_runs import vendors_runs_doubt
from estimator.models.flops import flop_counts
from estimator.physics.case import is_anywhere
from estimator.physics.choice import Choice, Setting, nearest_setting, ranked_layouts
from estimator.physics.crossings import Crossing, crossings
from estimator.physics.layout import Layouts
from estimator.physics.matmul import Products, products_s
from estimator.physics.memory import Memory, host_bytes_of, memory_of
from estimator.physics.step import PARTS, StepTime, as_published_s, step_time
from estimator.question.question import MemoryUse, OwnRun, Prediction, Question

__all__ = [
    "Beside",
    "BestStep",
    "Grounds",
    "best_step",
    "factor_alone",
    "factor_and_range",
    "grounds_of",
    "layout_prediction",
    "own_run_log",
    "own_runs_say",
    "time_shares",
]

_KEPT = 512
"""Measured runs remembered: each is priced once for all options of a plan or comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What the factor and the range of one layout of a setting rest on."""

    setting: Setting
    calibration: Calibration
    best: Layouts
    """That layout alone."""
    physical_s: float
    """Its step."""
    blend: Blend
    parting_log: float
    """As `Blend` has it, as far as kinds of runs can know why the step is long."""
    as_published_log: float
    """Log of the step had somebody published it over the step: below 0 where people run it as they have it."""
    situation: float
    doubts: tuple[Doubt, ...]
    beside: tuple["Beside", ...]
    """Other ways to train that the amount of data leaves open, in the order in which they join."""

    def without_doubt(self, argument: str) -> "Grounds":
        """Return the same grounds once `argument` is said to be as is assumed."""
        return replace(
            self,
            doubts=tuple(doubt for doubt in self.doubts if doubt.argument != argument),
            beside=tuple(
                replace(way, grounds=way.grounds.without_doubt(argument))
                for way in self.beside
                if argument != way.crossing.argument
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Another way to train, and what its own factor and range rest on."""

    crossing: Crossing
    grounds: Grounds


@dataclass(frozen=True, slots=True, kw_only=True)
class BestStep:
    """The layout that a setting is answered with, timed and corrected."""

    priced: Choice
    times: StepTime
    """Physical."""
    grounds: Grounds
    factor: float
    """What to multiply `times` by."""
    span: Interval
    prediction: Prediction


def best_step(setting: Setting, calibration: Calibration) -> BestStep:
    """Return the best layout of `setting` with its time, and the factor and range that left-out runs support."""
    priced = ranked_layouts(setting, calibration.constants)
    layouts = setting.layouts.taken(priced.order[:1])
    times = step_time(setting.case, layouts, calibration.constants)
    grounds = grounds_of(setting, calibration, layouts, times)
    factor, span = factor_and_range(grounds)
    used = memory_of(setting.case, layouts)
    return BestStep(
        priced=priced,
        times=times,
        grounds=grounds,
        factor=factor,
        span=span,
        prediction=layout_prediction(setting, factor, span, layouts=layouts, times=times, used=used, row=0),
    )


def grounds_of(setting: Setting, calibration: Calibration, best: Layouts, times: StepTime) -> Grounds:
    """Return what is known of the one layout `best`, whose step takes `times`: the dear part of its range."""
    pause()
    constants, physical_s = calibration.constants, float(times.total_s[0])
    products = products_s(setting.case, constants, best)
    published_s = _published_s(setting, calibration, best, physical_s, products)
    blend = _blend(setting, calibration, best, published_s)
    return Grounds(
        setting=setting,
        calibration=calibration,
        best=best,
        physical_s=physical_s,
        blend=blend,
        parting_log=foreseen_log(blend.parting_log, setting, best, constants, times=times, products=products),
        as_published_log=math.log(published_s / physical_s),
        situation=situation_spread(setting, best, constants, products),
        doubts=_doubts(setting, best, physical_s, calibration, products),
        beside=tuple(_beside(setting, calibration)),
    )


def _beside(setting: Setting, calibration: Calibration) -> Iterator[Beside]:
    """Yield the ways that the amount of data leaves open, each on its best layout, fitting or not."""
    for crossing in crossings(setting.question):
        other = _best_of(crossing.other, calibration)
        if other is not None:
            yield Beside(crossing=crossing, grounds=grounds_of(other.setting, calibration, other.best, other.times))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Priced:
    setting: Setting
    best: Layouts
    times: StepTime


def _best_of(question: Question, calibration: Calibration) -> _Priced | None:
    """Return the best layout of `question` alone, timed; None where none divides it."""
    try:
        setting = nearest_setting(question)
    except InfeasibleError:
        return None
    best = setting.layouts.taken(ranked_layouts(setting, calibration.constants).order[:1])
    return _Priced(setting=setting, best=best, times=step_time(setting.case, best, calibration.constants))


def factor_and_range(grounds: Grounds) -> tuple[float, Interval]:
    """Return what to multiply physical step time by, and the range of the product, for the one layout of `grounds`.

    The factor holds calibrated effects, the kriged residual of runs like it, the second opinion, the median of the ways
    that doubts leave open, the published run that is asked about, and what the caller's own runs were off by; it is the
    same for all layouts of a setting.
    It makes no device execute more than it was measured to.
    """
    factor, span = _without_own_runs(grounds)
    if not grounds.setting.question.own_runs:
        return factor, span
    return held_to_own_runs(factor, span, own_runs_say(grounds.setting))


def own_runs_say(setting: Setting) -> OwnOutlook:
    """Return what the caller's own runs say of a setting."""
    measured = [_measured(run, generation()) for run in setting.question.own_runs]
    return outlook_of_own(setting, measured)


def own_run_log(run: OwnRun) -> float | None:
    """Return the log of a run's measured over its predicted speed; None where nothing can be predicted of it."""
    measured = _measured(run, generation())
    return None if measured is None else -measured.residual_log


@lru_cache(maxsize=_KEPT)
def _measured(run: OwnRun, _: int) -> MeasuredStep | None:
    """Return what a run was off by from what would have been predicted of it; None where no layout divides it."""
    calibration = committed_calibration()
    found = _best_of(runnable(run.question, calibration.constants), calibration)
    if found is None:
        return None
    factor, _span = _without_own_runs(grounds_of(found.setting, calibration, found.best, found.times))
    return measured_step(found.setting, run, float(found.times.total_s[0]) * factor)


def _without_own_runs(grounds: Grounds) -> tuple[float, Interval]:
    if not grounds.beside:
        return _of_one_way(grounds)
    way = _way(grounds)
    return math.exp(way.token_log - _token_log(grounds.setting, grounds.physical_s)), way.span


def _way(grounds: Grounds) -> Way:
    """Return what `grounds` come to with the other ways that lie beside them."""
    factor, span = _of_one_way(grounds)
    log = _token_log(grounds.setting, grounds.physical_s * factor)
    way = Way(setting=grounds.setting, token_log=log, span=span)
    for one in grounds.beside:
        way = crossed(way, _way(one.grounds), one.crossing)
    return way


def _token_log(setting: Setting, step_s: float) -> float:
    """Return the log of the seconds of a token, all devices together."""
    return math.log(step_s / (setting.global_batch * setting.question.sequence_length))


def _of_one_way(grounds: Grounds) -> tuple[float, Interval]:
    setting, calibration, doubts = grounds.setting, grounds.calibration, grounds.doubts
    point_log = median_log(doubts)
    precedent = setting.question.precedent
    its = precedent.amount_alike if precedent is not None and precedent.is_it else 0.0
    span = interval(
        setting,
        calibration,
        # What runs of its kind reach is no doubt of a run whose own speed is known, as far as it is that one.
        parting_log=grounds.parting_log * (1.0 - its),
        as_published_log=grounds.as_published_log,
        situation=grounds.situation,
        doubts=doubts,
        point_log=point_log,
    )
    factor = grounds.blend.factor * math.exp(point_log)
    factor, span = held_to_precedent(setting, calibration, factor, span, grounds.physical_s)
    # What a run reached of one precision's rate is no end of a range that holds a narrower one.
    held = all(doubt.argument != "precision" for doubt in doubts)
    return held_to_ceiling(setting, grounds.best, factor, span, grounds.physical_s, to_reached=held)


def factor_alone(setting: Setting, calibration: Calibration, best: Layouts, physical_s: float) -> float:
    """Return the factor of `factor_and_range` without the range, of a setting that no published run is held against."""
    own = own_runs_say(setting).correction_log
    return math.exp(_point_log(setting, calibration, best, physical_s) + own)


def _point_log(setting: Setting, calibration: Calibration, best: Layouts, physical_s: float) -> float:
    """Return the log of the factor on a step of `physical_s`, with the ways beside it as `crossed` joins them."""
    products = products_s(setting.case, calibration.constants, best)
    doubts = _doubts(setting, best, physical_s, calibration, products)
    published_s = _published_s(setting, calibration, best, physical_s, products)
    physical_log = _token_log(setting, physical_s)
    token_log = physical_log + math.log(_blend(setting, calibration, best, published_s).factor) + median_log(doubts)
    for crossing in crossings(setting.question):
        other = _best_of(crossing.other, calibration)
        if other is not None:
            its_s = float(other.times.total_s[0])
            its_log = _token_log(other.setting, its_s) + _point_log(other.setting, calibration, other.best, its_s)
            token_log = crossing.point_log(token_log, its_log)
    return token_log - physical_log


def _published_s(
    setting: Setting, calibration: Calibration, best: Layouts, physical_s: float, products: Products
) -> float:
    """Return the physical seconds of a step of `physical_s`, had somebody published it."""
    if not setting.case.as_people_run:
        return physical_s
    return float(as_published_s(setting.case, best, calibration.constants, products)[0])


def _blend(setting: Setting, calibration: Calibration, best: Layouts, published_s: float) -> Blend:
    """Return the blend with the second opinion, which knows of published speeds alone, held against such a step."""
    if setting.case.stages_alone:
        # No published run leaves devices idle for that reason.
        published_s /= float(best.pipeline[0])
    blend = blend_of(setting, calibration, published_s)
    return replace(blend, factor=blend.factor * _of_device_alone(setting, calibration, best))


def _of_device_alone(setting: Setting, calibration: Calibration, best: Layouts) -> float:
    """Return what to multiply a step by whose pictures are read by cores that the level of its kind says nothing of.

        step(reading · e^−level) / step(reading)

    The level was fitted to some 500 runs, of which eight wait for pictures. What a core takes to list a sound's numbers
    was set under the level, which stays on it.
    """
    reads = setting.question.reads
    level_log = kind_outlook(setting, calibration).level_log
    if not (reads.pictures and level_log and is_anywhere(setting.case.reading_s)):
        return 1.0
    quicker = replace(setting.case, reading_s=setting.case.reading_s * math.exp(-level_log))
    seconds = (float(step_time(case, best, calibration.constants).total_s[0]) for case in (quicker, setting.case))
    return next(seconds) / next(seconds)


def _doubts(
    setting: Setting, best: Layouts, physical_s: float, calibration: Calibration, products: Products
) -> tuple[Doubt, ...]:
    of_stack = with_own_stacks(setting, stack_doubts(setting, physical_s, calibration.constants))
    # Where the stack itself is open, a lab of one's own is one of its ways already.
    of_stack = of_stack or trained_otherwise(setting, physical_s, calibration)
    of_lab = with_other_training(setting, physical_s, calibration, of_stack or vendors_runs_doubt(setting))
    level_log = kind_outlook(setting, calibration).level_log
    of_runs = doubts_of(setting, best, physical_s, calibration.constants, products, level_log=level_log)
    return worth_telling((*of_lab, *of_runs, *precision_doubts(setting, best, physical_s, calibration)))


def layout_prediction(
    setting: Setting, factor: float, span: Interval, *, layouts: Layouts, times: StepTime, used: Memory, row: int
) -> Prediction:
    """Return the prediction of the layout at `row`, without what only the answer to a single question shows.

        step = physical time · factor      factor: see `factor_and_range`

    Of sites that average now and then, all do a step at once, and wait for one another.

    `times` and `used` are those of all `layouts`; `span` is the range of the setting, whichever its layout.
    """
    question = setting.question
    layout = layouts.row(row, question.sequences_each)
    flop = flop_counts(
        question.transformer,
        sequence_length=question.sequence_length,
        method=question.method,
        recompute=layout.recompute,
    )
    step_s, tokens, shares = (
        float(times.total_s[row]) * factor,
        setting.global_batch * question.sequence_length,
        time_shares(times, row),
    )
    if question.local is not None:
        waited_s = question.local.waited_s(step_s)
        shares = {part: share * step_s / (step_s + waited_s) for part, share in shares.items()}
        shares["communication"] += waited_s / (step_s + waited_s)
        step_s, tokens = step_s + waited_s, tokens * question.local.sites
    total_bytes = float(used.total_bytes[row])
    memory = MemoryUse(
        weights_bytes=float(used.weights_bytes[row]),
        gradients_bytes=float(used.gradients_bytes[row]),
        optimizer_bytes=float(used.optimizer_bytes[row]),
        activations_bytes=float(used.activations_bytes[row]),
        other_bytes=float(used.other_bytes[row]),
        capacity_bytes=question.cluster.accelerator.memory_bytes,
        usable_bytes=setting.usable_bytes,
        host_node_bytes=float(host_bytes_of(setting.case, layouts.taken(np.array([row])))[0]),
        least_bytes=min(total_bytes, setting.least_bytes) if total_bytes > setting.usable_bytes else total_bytes,
    )
    return Prediction(
        step_s=step_s,
        tokens_per_step=tokens,
        low_factor=span.low,
        high_factor=span.high,
        coverage=span.coverage,
        layout=layout,
        memory=memory,
        breakdown=shares,
        model_flop_per_token=flop.model,
        hardware_flop_per_token=flop.hardware,
        assumptions=(),
        warnings=(*host_memory_needed(question, memory), *span.warnings),
        runner_ups=(),
        narrow_by=(),
        comparable_runs=(),
    )


def time_shares(times: StepTime, row: int) -> dict[str, float]:
    """Return the share of each part in the step of one layout; calibrated effects are the same on all."""
    total_s = float(times.total_s[row])
    return {part: float(getattr(times, f"{part}_s")[row]) / total_s for part in PARTS}
