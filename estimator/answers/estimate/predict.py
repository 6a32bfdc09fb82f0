"""The step-time model's answer to a question: layout, time, range, memory, and what it rests on."""

import math
from dataclasses import replace

from estimator.answers.estimate.all_experts import all_experts_multiplied
from estimator.answers.estimate.best_step import best_step, own_runs_say
from estimator.answers.estimate.does_not_fit import does_not_fit, remedies
from estimator.answers.estimate.fewer import fewer_would_do, fewer_would_fit, half_would_do
from estimator.answers.estimate.loaded_base import loaded_wide
from estimator.answers.estimate.narrowing import narrowed_by, told_of_parting
from estimator.answers.estimate.runnable import batch_caution, rounding, runnable
from estimator.answers.estimate.told_of_memory import told_of_memory
from estimator.answers.estimate.told_ways import with_told_ways
from estimator.answers.estimate.untuned import untuned_caution
from estimator.answers.estimate.waiting import mostly_waiting
from estimator.base.units import KILO
from estimator.evidence.account import evidence_of
from estimator.evidence.calibration import Calibration, committed_calibration
from estimator.evidence.comparables import comparable_runs
from estimator.physics.choice import Choice, Setting, posed_case, setting_of
from estimator.physics.constants import Constants
from estimator.physics.effects import release
from estimator.physics.execution import execution_of
from estimator.physics.held_base import held_bits
from estimator.physics.layout import Layouts
from estimator.physics.loading import LIST_NUMBERS, USUAL_WORKERS, reading_s
from estimator.physics.stacks import NEVER
from estimator.physics.step import StepTime, step_time
from estimator.question.question import Assumption, Caution, Layout, Prediction, Question, SourceKind, WayToFit

__all__ = ["prediction"]

_RUNNER_UPS = 5
_MONTHS = 12
_WORTH_SAYING = 0.05
_BAND = 0.05
"""Layouts this close to the best are within the model's error of it."""


def prediction(question: Question, *, advised: bool = True, told: bool = True) -> Prediction:
    """Return the predicted step of `question` on its best layout, with the range that left-out runs support.

    What would do where it does not fit is looked for only if `advised`: it takes ten times as long. What changes no
    number, such as whether fewer devices are faster, is found out only if it is `told`: it takes as long again.

    Raises InfeasibleError where no layout divides devices, layers and batch. A model that does not fit is answered
    with a layout that takes little more than its smallest, and a warning.
    """
    fitted = committed_calibration()
    asked = runnable(question, fitted.constants)
    posed = setting_of(asked)
    best = best_step(posed, fitted)
    step = best.prediction
    fits = step.memory.fits
    # What would do is tried with one site's devices and batch, and told as the run's.
    advised = advised and question.local is None
    found = () if fits or not advised else remedies(posed, fitted.constants, float(best.times.total_s[0]))
    rounded_batch, rounded_warning = rounding(question, asked)
    misfit = () if fits else (does_not_fit(posed, step.memory, found),)
    step = replace(step, assumptions=(*rounded_batch, *_assumptions(posed, step.layout, fits=fits)))
    if not told:
        return replace(step, warnings=(*misfit, *rounded_warning, *step.warnings))
    comparables = comparable_runs(posed)
    warnings = (
        *misfit,
        *loaded_wide(posed, step),
        *(told_of_memory(posed, best.grounds.best, step) if fits else ()),
        *all_experts_multiplied(posed, best.grounds.best, best.times, fitted.constants),
        *(rounded_warning or batch_caution(question, fitted.constants)),
        *(_fewer(posed, fitted, step, fits=fits) if question.local is None else ()),
        *_newer_release(posed, best.grounds.best, best.times, fitted.constants),
        *(untuned_caution(posed, fitted, step) if fits else ()),
        *told_of_parting(best, with_told_ways(step, best.grounds, fitted)),
    )
    waiting = mostly_waiting(posed, fitted, step, {caution.code for caution in warnings}) if fits else ()
    return replace(
        step,
        warnings=(*warnings, *waiting),
        runner_ups=_runner_ups(posed, best.priced, best.factor),
        narrow_by=narrowed_by(best),
        comparable_runs=comparables,
        evidence=evidence_of(posed, comparables, own_runs_say(posed)),
        ways_to_fit=tuple(WayToFit(words=one.words, arguments=one.change.arguments) for one in found),
    )


def _fewer(setting: Setting, fitted: Calibration, step: Prediction, *, fits: bool) -> tuple[Caution, ...]:
    """Return a warning where the devices are too many for the batch or the network, or divide badly."""
    if fits:
        fewer = fewer_would_do(setting, fitted, step.layout, step.breakdown, step.step_s)
        if fewer is not None:
            return (fewer.caution,)
    caution = half_would_do(setting, fitted, step.breakdown, step.step_s) if fits else fewer_would_fit(setting, fitted)
    return () if caution is None else (caution,)


def _runner_ups(setting: Setting, priced: Choice, factor: float) -> tuple[tuple[Layout, float], ...]:
    best_s = priced.seconds[priced.order[0]]
    close = priced.fits & (priced.seconds <= best_s * (1 + _BAND))
    ranked = priced.order[1 : 20 * _RUNNER_UPS]
    near = ranked[close[ranked]][:_RUNNER_UPS]
    rows, each = setting.layouts.taken(near), setting.question.sequences_each
    return tuple((rows.row(place, each), float(priced.seconds[index]) * factor) for place, index in enumerate(near))


def _newer_release(setting: Setting, rows: Layouts, times: StepTime, constants: Constants) -> tuple[Caution, ...]:
    """Return a warning where a release is assumed whose expert layers wait for the host, and a newer one's do not.

    Of a model with softmax sinks its attention may be another kernel's, too.
    """
    since, question = setting.stack.fused_experts_since, setting.question
    unsaid = question.released is None and question.transformer.experts is not None
    if not unsaid or not release(question) < since < NEVER:
        return ()
    newer = replace(question, released=since)
    fused = step_time(posed_case(newer, execution_of(newer, setting.stack)), rows, constants)
    less = 1.0 - float(fused.total_s[0] / times.total_s[0])
    if less < _WORTH_SAYING:
        return ()
    example = f"{setting.stack.name} {int(since) - 2000}.{math.ceil((since - int(since)) * _MONTHS) + 1:02}"
    return (
        Caution(
            code="newer_release_is_faster",
            message=f"a release before {example} is assumed; from it on expert layers do not wait for the host"
            f"{_and_sinks(setting)}, and a step takes about {less:.0%} less: "
            f'say so with framework "{example}"',
        ),
    )


def _and_sinks(setting: Setting) -> str:
    """Return what else the newer release does for a model whose attention has sinks, in words."""
    sinks, stack = setting.question.transformer.sinks, setting.stack
    return (
        " and attention with sinks is fused" if sinks and stack.fused_sinks_since <= stack.fused_experts_since else ""
    )


def _assumptions(setting: Setting, layout: Layout, *, fits: bool) -> tuple[Assumption, ...]:
    """Return what the search and the stack's defaults decided, by argument name."""
    question = setting.question
    why = "the fastest layout that fits" if fits else "the fastest of nearly the smallest layouts; none fits"
    asked = question.layout.by_argument()
    out = [
        Assumption(name=name, value=value, source="searched", note=why)
        for name, value in layout.by_argument().items()
        if asked[name] is None and value is not None
    ]
    if question.framework == "auto":
        note = f"what most runs on such hardware use; {setting.stack.tier} stacks are assumed where nothing is said"
        out.append(Assumption(name="framework", value=setting.stack.name, source="default", note=note))
    if question.released is None:
        note = (
            "clusters run what is about a year old, old devices what last served them; framework takes one: nemo 25.09"
        )
        out.append(
            Assumption(name="software_release", value=release(question), unit="year", source="default", note=note)
        )
    if question.global_batch_sequences is None:
        note = "a usual batch for the size of the model and the cluster"
        out.append(
            Assumption(
                name="global_batch_sequences",
                value=setting.global_batch // question.sequences_each * question.sites,
                unit=question.batch_unit,
                source="default",
                note=note,
            )
        )
    return (*out, *_held_base(question), *_picture_loading(question), *_sound_loading(setting))


def _held_base(question: Question) -> tuple[Assumption, ...]:
    """Return in how many bits a frozen base is held, where that is a habit of its trainer's users."""
    bits = held_bits(question, question.practice)
    if bits is None or question.practice.base_bits is not None or question.method.name == "qlora":
        return ()
    note = 'as the trainer\'s examples of models as large have it; say "quantize: false" in framework where it is not'
    return (Assumption(name="base_bits", value=bits, unit="bits", source="inferred", note=note),)


def _picture_loading(question: Question) -> tuple[Assumption, ...]:
    """Return how pictures are taken to be read, where there are any."""
    if not question.reads.pictures:
        return ()
    workers = question.practice.loader_workers
    each_ms = reading_s(question.reads) / question.reads.pictures * KILO
    each = f"a core takes about {each_ms:,.{0 if each_ms >= 1.0 else 2}f} ms a picture"
    if workers is None:
        note = f'{each}; say "4 dataloader workers" in framework and it is counted'
        return (Assumption(name="picture_loading", value="in time", source="default", note=note),)
    note = each if workers else f"{each}, between steps"
    return (Assumption(name="dataloader_workers", value=workers, unit="per GPU", source="user", note=note),)


def _sound_loading(setting: Setting) -> tuple[Assumption, ...]:
    """Return how sounds are taken to be read, where their features are stored and a step may wait for them."""
    question = setting.question
    if not question.reads.numbers or setting.stack.kin not in LIST_NUMBERS:
        return ()
    said = question.practice.loader_workers
    each = f"a core takes about {reading_s(question.reads) * KILO:,.0f} ms a sound, whose features are stored"
    note = each if said != 0 else f"{each}, between steps"
    if said is None:
        note += "; usual where there are any: say yours in framework"
    source: SourceKind = "default" if said is None else "user"
    workers = USUAL_WORKERS if said is None else said
    return (Assumption(name="dataloader_workers", value=workers, unit="per GPU", source=source, note=note),)
