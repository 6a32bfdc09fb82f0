"""The step-time model's answer to a question: layout, time, range, memory, and what it rests on."""

import math
from dataclasses import replace

import numpy as np

from estimator.answers.estimate.fewer import fewer_would_do
from estimator.evidence.calibration import Calibration, calibration
from estimator.evidence.comparables import comparable_runs
from estimator.evidence.outlook import outlook
from estimator.evidence.sensitivity import narrowings
from estimator.evidence.uncertainty import interval
from estimator.models.flops import flop_counts
from estimator.physics.choice import Choice, Setting, choice, setting
from estimator.physics.constants import Constants
from estimator.physics.effects import effect_keys, release
from estimator.physics.lattice import Lattice
from estimator.physics.layout import RECOMPUTES, Layouts
from estimator.physics.memory import memory
from estimator.physics.stacks import NEVER
from estimator.physics.step import PARTS, StepTime, step_time
from estimator.question.question import Assumption, Caution, Layout, MemoryUse, Prediction, Question

__all__ = ["effect", "prediction"]

_RUNNER_UPS = 5
_MONTHS = 12
_WORTH_SAYING = 0.05
_BAND = 0.05
"""Layouts this close to the best are within the model's error of it."""


def prediction(question: Question) -> Prediction:
    """Return the predicted step of `question` on its best layout, with the range that left-out runs support.

    Raises InfeasibleError where no layout divides devices, layers and batch. A model that does not fit is answered
    with its smallest layout and a warning.
    """
    known = calibration()
    found = setting(question)
    priced = choice(found, known.constants)
    best = int(priced.order[0])
    rows = found.layouts.taken(np.array([best]))
    layout = rows.row(0)
    times = step_time(found.case, rows, known.constants)
    factor = math.exp(effect(found, known))
    step_s = float(times.total_s[0]) * factor
    span = interval(found, known)
    flop = flop_counts(
        question.transformer,
        sequence_length=question.sequence_length,
        method=question.method,
        recompute=layout.recompute,
    )
    fits = bool(priced.fits[best])
    return Prediction(
        step_s=step_s,
        tokens_per_step=found.global_batch * question.sequence_length,
        low_factor=span.low,
        high_factor=span.high,
        coverage=span.coverage,
        layout=layout,
        memory=_memory_use(found, rows),
        breakdown=_shares(times),
        model_flop_per_token=flop.model,
        hardware_flop_per_token=flop.hardware,
        assumptions=_assumptions(found, layout, fits=fits),
        warnings=(
            *(() if fits else (_does_not_fit(found, rows),)),
            *(_fewer(found, known, layout, times) if fits else ()),
            *_newer_release(found, rows, times, known.constants),
            *span.warnings,
        ),
        runner_ups=_runner_ups(found.layouts, priced, factor),
        narrow_by=narrowings(found, priced, span),
        comparable_runs=comparable_runs(found, known),
    )


def effect(of: Setting, known: Calibration) -> float:
    """Return the log of measured over physical time, of the kinds a run belongs to and of the runs most like it."""
    keys = effect_keys(of.question, of.stack)
    return sum(known.effects.get(key, 0.0) for key in keys) + outlook(of).correction_log


def _fewer(of: Setting, known: Calibration, layout: Layout, times: StepTime) -> tuple[Caution, ...]:
    """Return a warning where the caller's batch is too small for the cluster, or does not divide over it well."""
    if of.question.global_batch_sequences is None:
        return ()
    found = fewer_would_do(of, known.constants, layout, _shares(times), float(times.total_s[0]))
    return () if found is None else (found,)


def _memory_use(of: Setting, rows: Layouts) -> MemoryUse:
    used = memory(of.case, rows)
    return MemoryUse(
        weights_bytes=float(used.weights_bytes[0]),
        gradients_bytes=float(used.gradients_bytes[0]),
        optimizer_bytes=float(used.optimizer_bytes[0]),
        activations_bytes=float(used.activations_bytes[0]),
        other_bytes=float(used.other_bytes[0]),
        capacity_bytes=of.question.cluster.accelerator.memory_bytes,
    )


def _shares(times: StepTime) -> dict[str, float]:
    total = float(times.total_s[0])
    return {part: float(getattr(times, f"{part}_s")[0]) / total for part in PARTS}


def _runner_ups(layouts: Lattice, priced: Choice, factor: float) -> tuple[tuple[Layout, float], ...]:
    best_s = priced.seconds[priced.order[0]]
    close = priced.fits & (priced.seconds <= best_s * (1 + _BAND))
    ranked = priced.order[1 : 20 * _RUNNER_UPS]
    near = ranked[close[ranked]][:_RUNNER_UPS]
    rows = layouts.taken(near)
    return tuple((rows.row(place), float(priced.seconds[index]) * factor) for place, index in enumerate(near))


def _newer_release(of: Setting, rows: Layouts, times: StepTime, constants: Constants) -> tuple[Caution, ...]:
    """Return a warning where a release is assumed whose expert layers wait for the host, and a newer one's do not."""
    since, question = of.stack.fused_experts_since, of.question
    unsaid = question.released is None and question.transformer.experts is not None
    if not unsaid or not release(question) < since < NEVER:
        return ()
    fused = step_time(replace(of.case, fused_experts=1.0), rows, constants)
    less = 1.0 - float(fused.total_s[0] / times.total_s[0])
    if less < _WORTH_SAYING:
        return ()
    example = f"{of.stack.name} {int(since) - 2000}.{math.ceil((since - int(since)) * _MONTHS) + 1:02}"
    return (
        Caution(
            code="newer_release_is_faster",
            message=f"a release before {example} is assumed; from it on expert layers do not wait for the host, "
            f'and a step takes about {less:.0%} less: say so with framework "{example}"',
        ),
    )


def _does_not_fit(of: Setting, rows: Layouts) -> Caution:
    need = float(memory(of.case, rows).total_bytes[0])
    chip = of.question.cluster.accelerator
    ways = ["more GPUs, or ones with more memory"]
    if of.question.method.name == "full":
        ways.append('method "lora" or "qlora"')
    elif of.question.method.name == "lora":
        ways.append('method "qlora"')
    if RECOMPUTES[int(rows.recompute[0])] != "full":
        ways.append('activation_recompute "full"')
    return Caution(
        code="does_not_fit",
        message=f"the smallest layout needs {need / 1e9:,.0f} GB on each {chip.name}, which has "
        f"{chip.memory_bytes / 1e9:,.0f} GB: what would do is {'; or '.join(ways)}",
    )


def _assumptions(of: Setting, layout: Layout, *, fits: bool) -> tuple[Assumption, ...]:
    """Return what the search and the stack's defaults decided, by argument name."""
    question = of.question
    why = "the fastest layout that fits" if fits else "the smallest layout; it does not fit"
    asked = question.layout.by_argument()
    out = [
        Assumption(name=name, value=value, source="searched", note=why)
        for name, value in layout.pinned.by_argument().items()
        if asked[name] is None and value is not None
    ]
    if question.framework == "auto":
        note = f"what most runs on such hardware use; {of.stack.tier} stacks are assumed where nothing is said"
        out.append(Assumption(name="framework", value=of.stack.name, source="default", note=note))
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
                name="global_batch_sequences", value=of.global_batch, unit="sequences", source="default", note=note
            )
        )
    return tuple(out)
