"""From what the estimator returns to the shapes that tools answer in; no arithmetic but units."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from pydantic import TypeAdapter

from estimator.answers.estimate.money import Spread
from estimator.answers.estimate.wording import Narrows, rule_formula, said_first
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
from tools.concise import first_clause, significant, that_matter, without_asides

__all__ = [
    "assumption_answers",
    "comparable_answers",
    "cost_answer",
    "energy_answer",
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
    "with_named",
]

_CONCISE_COMPARABLES = 2
_CONCISE_NARROWINGS = 2
_SPREAD_DIGITS = 6
"""Money and energy are known to two; the rest is for sums to add up."""
_N = TypeVar("_N", bound=Narrows)
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
        micro_batch_size=layout.counted_micro_batch,
        micro_batches=layout.micro_batches,
        global_batch_sequences=layout.counted_batch,
        activation_recompute=layout.recompute,
    )


def memory_answer(memory: MemoryUse, *, detailed: bool) -> MemoryAnswer:
    """Return what the fullest device must hold, in GB; rounded unless `detailed`."""

    def gigabytes(size_bytes: float) -> float:
        return size_bytes / GIGA if detailed else significant(size_bytes / GIGA)

    return MemoryAnswer(
        per_gpu_gb=gigabytes(memory.total_bytes),
        capacity_gb=gigabytes(memory.capacity_bytes),
        fits=memory.fits,
        weights_gb=gigabytes(memory.weights_bytes),
        gradients_gb=gigabytes(memory.gradients_bytes),
        optimizer_gb=gigabytes(memory.optimizer_bytes),
        activations_gb=gigabytes(memory.activations_bytes),
        other_gb=gigabytes(memory.other_bytes),
        host_gb_per_node=gigabytes(memory.host_node_bytes),
    )


def time_breakdown(shares: Mapping[str, float], *, detailed: bool) -> TimeBreakdown:
    """Return the shares of a step; rounded unless `detailed`."""
    told = {name: shares.get(name, 0.0) for name in TimeBreakdown.model_fields}
    return TimeBreakdown(**(told if detailed else {name: significant(share) for name, share in told.items()}))


def cost_answer(cost: Spread, *, detailed: bool) -> SpreadAnswer:
    """Return a cost with its range, the prices it is of and their dates; what the range is, only if `detailed`."""
    return spread_answer(cost, cost.note if detailed else first_clause(cost.note))


def energy_answer(energy: Spread, *, detailed: bool) -> SpreadAnswer:
    """Return energy with its range and its factors; the factors' own ranges only if `detailed`."""
    return spread_answer(energy, energy.note if detailed else without_asides(energy.note))


def spread_answer(spread: Spread, note: str) -> SpreadAnswer:
    """Return a value with its range."""
    return SpreadAnswer(value=rounded(spread.value), low=rounded(spread.low), high=rounded(spread.high), note=note)


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


def evidence_answer(evidence: Evidence, *, detailed: bool) -> EvidenceAnswer:
    """Return what an answer rests on; the nearest run by its id alone unless `detailed`, as it is told beside it."""
    nearest = evidence.nearest if detailed else evidence.nearest.partition(":")[0]
    return EvidenceAnswer(
        runs=evidence.runs,
        labs=evidence.labs,
        nearest=nearest or None,
        correction=evidence.correction,
        note=evidence.note,
    )


def assumption_answers(
    assumptions: Sequence[Assumption], *, detailed: bool, said: Collection[str] = ()
) -> list[AssumptionAnswer]:
    """Return every resolved input; unless `detailed`, those that matter and are not among the names `said`."""
    kept = assumptions if detailed else that_matter(assumptions, said)
    return _ASSUMPTIONS.validate_python(kept, from_attributes=True)


def warning_answers(warnings: Sequence[Caution]) -> list[WarningAnswer]:
    """Return what to know before relying on the answer."""
    return [WarningAnswer(code=warning.code, message=warning.message) for warning in warnings]


def narrowing_answers(narrowings: Sequence[Narrowing], *, detailed: bool) -> list[NarrowingAnswer]:
    """Return the inputs whose values would narrow the range most."""
    return [
        NarrowingAnswer(argument=narrowing.argument, narrows_by=narrowing.narrows_by, why=narrowing.why)
        for narrowing in (narrowings if detailed else with_named(narrowings, _CONCISE_NARROWINGS))
    ]


def with_named(narrowings: Sequence[_N], most: int) -> list[_N]:
    """Return the first so many of `narrowings`, and with them that which a summary asks for, in their order.

    What is told to be said first is found, however few are told.
    """
    named = said_first(narrowings)
    return [narrowing for place, narrowing in enumerate(narrowings) if place < most or narrowing is named]


def runner_up_answers(runner_ups: Sequence[tuple[Layout, float]], *, detailed: bool) -> list[RunnerUpAnswer]:
    """Return other layouts that may be as fast; none unless `detailed`."""
    return [
        RunnerUpAnswer(layout=layout_answer(layout), step_seconds=step_s)
        for layout, step_s in (runner_ups if detailed else ())
    ]


def rounded(value: float | None) -> float | None:
    """Return money or energy with the digits that sums need."""
    return None if value is None else float(f"{value:.{_SPREAD_DIGITS}g}")
