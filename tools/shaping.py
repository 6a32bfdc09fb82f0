"""From what the estimator returns to the shapes that tools answer in; no arithmetic but units."""

from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter

from estimator.answers.estimate.money import Spread
from estimator.answers.estimate.wording import rule_formula
from estimator.base.units import DAY_S, GIGA
from estimator.question.question import Assumption, Caution, Comparable, Evidence, Layout, MemoryUse, Narrowing
from estimator.resolve.rule import UTILIZATION
from estimator.resolve.run import Run
from tools.answers import (
    AssumptionAnswer,
    ComparableAnswer,
    EvidenceAnswer,
    LayoutAnswer,
    MemoryAnswer,
    NarrowingAnswer,
    RuleAnswer,
    RunnerUpAnswer,
    SpreadAnswer,
    TimeBreakdown,
    WarningAnswer,
)

__all__ = [
    "assumption_answers",
    "comparable_answers",
    "evidence_answer",
    "layout_answer",
    "memory_answer",
    "narrowing_answers",
    "rounded",
    "rule_answer",
    "runner_up_answers",
    "spread_answer",
    "time_breakdown",
    "warning_answers",
]

_CONCISE_COMPARABLES = 3
_CONCISE_NARROWINGS = 3
_CONCISE_RUNNER_UPS = 2
_SPREAD_DIGITS = 6
"""Money and energy are known to two; the rest is for sums to add up."""
_ASSUMPTIONS = TypeAdapter(list[AssumptionAnswer])
"""There are a dozen in every answer: read all at once, they take half the time."""


def rule_answer(run: Run) -> RuleAnswer:
    """Return the rule of thumb, at its usual utilization and at both ends."""
    return RuleAnswer(
        coefficient=run.rule.coefficient,
        utilization=UTILIZATION.mode,
        days=run.rule.training_s(UTILIZATION.mode) / DAY_S,
        days_low=run.rule.training_s(UTILIZATION.high) / DAY_S,
        days_high=run.rule.training_s(UTILIZATION.low) / DAY_S,
        formula=rule_formula(run),
    )


def layout_answer(layout: Layout) -> LayoutAnswer:
    """Return one layout."""
    return LayoutAnswer(
        tensor_parallel=layout.tensor_parallel,
        pipeline_parallel=layout.pipeline_parallel,
        virtual_pipeline=layout.virtual_pipeline,
        context_parallel=layout.context_parallel,
        expert_parallel=layout.expert_parallel,
        data_parallel=layout.data_parallel,
        data_sharding=layout.data_sharding,
        micro_batch_size=layout.micro_batch_size,
        micro_batches=layout.micro_batches,
        global_batch_sequences=layout.global_batch_sequences,
        activation_recompute=layout.recompute,
    )


def memory_answer(memory: MemoryUse) -> MemoryAnswer:
    """Return what the fullest device must hold, in GB."""
    return MemoryAnswer(
        per_gpu_gb=memory.total_bytes / GIGA,
        capacity_gb=memory.capacity_bytes / GIGA,
        fits=memory.fits,
        weights_gb=memory.weights_bytes / GIGA,
        gradients_gb=memory.gradients_bytes / GIGA,
        optimizer_gb=memory.optimizer_bytes / GIGA,
        activations_gb=memory.activations_bytes / GIGA,
        other_gb=memory.other_bytes / GIGA,
    )


def time_breakdown(shares: Mapping[str, float]) -> TimeBreakdown:
    """Return the shares of a step."""
    return TimeBreakdown(**{name: shares.get(name, 0.0) for name in TimeBreakdown.model_fields})


def spread_answer(spread: Spread) -> SpreadAnswer:
    """Return a value with its range."""
    return SpreadAnswer(
        value=rounded(spread.value), low=rounded(spread.low), high=rounded(spread.high), note=spread.note
    )


def comparable_answers(comparables: Sequence[Comparable], *, detailed: bool) -> list[ComparableAnswer]:
    """Return the nearest published runs; a few unless `detailed`."""
    return [
        ComparableAnswer(
            name=comparable.name,
            gpu=comparable.gpu,
            n_gpus=comparable.n_gpus,
            published=comparable.published,
            predicted_over_published=comparable.predicted_over_published,
            source=comparable.source,
        )
        for comparable in (comparables if detailed else comparables[:_CONCISE_COMPARABLES])
    ]


def evidence_answer(evidence: Evidence) -> EvidenceAnswer:
    """Return what an answer rests on."""
    return EvidenceAnswer(
        runs=evidence.runs,
        labs=evidence.labs,
        nearest=evidence.nearest or None,
        correction=evidence.correction,
        note=evidence.note,
    )


def assumption_answers(assumptions: Sequence[Assumption]) -> list[AssumptionAnswer]:
    """Return every resolved input."""
    return _ASSUMPTIONS.validate_python(assumptions, from_attributes=True)


def warning_answers(warnings: Sequence[Caution]) -> list[WarningAnswer]:
    """Return what to know before relying on the answer."""
    return [WarningAnswer(code=warning.code, message=warning.message) for warning in warnings]


def narrowing_answers(narrowings: Sequence[Narrowing], *, detailed: bool) -> list[NarrowingAnswer]:
    """Return the inputs whose values would narrow the range most."""
    return [
        NarrowingAnswer(argument=narrowing.argument, narrows_by=narrowing.narrows_by, why=narrowing.why)
        for narrowing in (narrowings if detailed else narrowings[:_CONCISE_NARROWINGS])
    ]


def runner_up_answers(runner_ups: Sequence[tuple[Layout, float]], *, detailed: bool) -> list[RunnerUpAnswer]:
    """Return other layouts that may be as fast."""
    return [
        RunnerUpAnswer(layout=layout_answer(layout), step_seconds=step_s)
        for layout, step_s in (runner_ups if detailed else runner_ups[:_CONCISE_RUNNER_UPS])
    ]


def rounded(value: float | None) -> float | None:
    """Return money or energy with the digits that sums need."""
    return None if value is None else float(f"{value:.{_SPREAD_DIGITS}g}")
