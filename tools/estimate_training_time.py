"""The tool `estimate_training_time`: how long a training run takes, and how sure that is."""

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, Field, FiniteFloat

from estimator.answers.estimate.estimate import Estimate, estimate_id, estimate_of
from estimator.answers.estimate.first_way import first_way_s
from estimator.answers.estimate.wording import formula, summary
from estimator.base.units import DAY_S, TERA
from estimator.base.version import VERSION
from estimator.catalogue.catalogue import data_version
from estimator.question.profile import Profile
from estimator.question.request import Request
from estimator.resolve.layout_request import OF_THE_RULE
from estimator.resolve.run import resolve
from tools import fields
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
from tools.concise import affordable, clipped, first_clause, in_short, shortened, with_few_digits, without_assumptions
from tools.shaping import (
    assumption_answers,
    comparable_answers,
    cost_answer,
    energy_answer,
    evidence_answer,
    layout_answer,
    memory_answer,
    narrowing_answers,
    rule_answer,
    runner_up_answers,
    time_breakdown,
    warning_answers,
    with_named,
)

__all__ = ["SHORTER", "TrainingTime", "estimate_training_time", "training_time"]

_MOST_CHARACTERS = 4_500
"""Of a concise answer."""
_MISFIT = "does_not_fit"
_LONGEST_NOTE, _SHORTEST_NOTE, _OPENING_OF_NOTE = 90, 56, 30
_LONG_WARNING, _SHORT_WARNING, _SHORTEST_WARNING = 220, 150, 110
"""Characters of each, where all else is said and does not fit, and where it still does not."""


class TrainingTime(BaseModel):
    """How long a run takes, with its range, cost, energy, and everything it rests on."""

    summary: str
    basis: Literal["predicted", "assumed_utilization", "observed"]
    training_seconds: FiniteFloat
    training_days: FiniteFloat
    training_days_low: FiniteFloat
    training_days_high: FiniteFloat
    interval_coverage: FiniteFloat | None = Field(description="Probability of the range; null where it is none")
    gpu_hours: FiniteFloat
    tokens_per_second_per_gpu: FiniteFloat
    step_seconds: FiniteFloat | None = Field(description="Null where no batch applies")
    model_flops: FiniteFloat = Field(description="FLOPs the model needs in all, recomputation not counted")
    coefficient: FiniteFloat = Field(description="FLOPs per active parameter and token that the hardware executes")
    flops_per_token: FiniteFloat
    model_flops_utilization: FiniteFloat
    hardware_flops_utilization: FiniteFloat
    peak_tflops: FiniteFloat
    peak_note: str
    rule_of_thumb: RuleAnswer
    formula: str
    layout: LayoutAnswer | None = Field(description="Null where the speed was not predicted")
    memory: MemoryAnswer | None = Field(description="Null where the speed was not predicted")
    time_breakdown: TimeBreakdown | None = Field(description="Null where the speed was not predicted")
    cost_usd: SpreadAnswer
    energy_kwh: SpreadAnswer
    comparable_runs: list[ComparableAnswer]
    evidence: EvidenceAnswer
    assumptions: list[AssumptionAnswer]
    warnings: list[WarningAnswer]
    narrow_by: list[NarrowingAnswer]
    runner_up_layouts: list[RunnerUpAnswer]
    estimate_id: str
    version: str
    data_version: str


def estimate_training_time(
    *,
    model: fields.Model,
    gpu: fields.Gpu,
    n_gpus: fields.NGpus,
    tokens: fields.Tokens = None,
    samples: fields.Samples = None,
    tokens_per_sample: fields.TokensPerSample = None,
    epochs: fields.Epochs = None,
    image_size: fields.ImageSize = None,
    images_per_sample: fields.ImagesPerSample = None,
    steps: fields.Steps = None,
    packing: fields.Packing = "auto",
    hf_config: fields.HfConfig = None,
    gpus_per_node: fields.GpusPerNode = None,
    network_gbps_per_gpu: fields.NetworkGbpsPerGpu = None,
    method: fields.Method = "full",
    lora_rank: fields.LoraRank = None,
    trainable_params: fields.TrainableParams = None,
    trained_layers: fields.TrainedLayers = None,
    objective: fields.Objective = "next_token",
    precision: fields.Precision = "auto",
    activation_recompute: fields.ActivationRecompute = "auto",
    sequence_length: fields.SequenceLength = None,
    global_batch_sequences: fields.GlobalBatchSequences = None,
    micro_batch_size: fields.MicroBatchSize = None,
    gradient_accumulation: fields.GradientAccumulation = None,
    tensor_parallel: fields.Degree = None,
    pipeline_parallel: fields.Degree = None,
    virtual_pipeline: fields.VirtualPipeline = None,
    context_parallel: fields.Degree = None,
    expert_parallel: fields.Degree = None,
    data_sharding: fields.DataSharding = "auto",
    framework: fields.Framework = "auto",
    utilization: fields.Utilization = None,
    peak_tflops: fields.PeakTflops = None,
    observed_tokens_per_second: fields.ObservedTokensPerSecond = None,
    price_per_gpu_hour: fields.PricePerGpuHour = None,
    my_runs: fields.MyRuns = None,
    detail: fields.Detail = "concise",
    profile: Profile | None = None,
) -> TrainingTime:
    """Estimate how long training or fine-tuning a model takes on given GPUs: days with range, cost, memory fit.

    Leave out what is unknown: layout and batch are searched, speed is predicted from published runs, and every
    assumption is listed. Give tokens, samples with tokens_per_sample, or steps with the batch.
    """
    request = Request(
        model=model,
        gpu=gpu,
        n_gpus=n_gpus,
        hf_config=hf_config,
        tokens=tokens,
        samples=samples,
        tokens_per_sample=tokens_per_sample,
        epochs=epochs,
        image_size=image_size,
        images_per_sample=images_per_sample,
        steps=steps,
        packing=packing,
        gpus_per_node=gpus_per_node,
        network_gbps_per_gpu=network_gbps_per_gpu,
        method=method,
        lora_rank=lora_rank,
        trainable_params=trainable_params,
        trained_layers=trained_layers,
        objective=objective,
        precision=precision,
        activation_recompute=activation_recompute,
        sequence_length=sequence_length,
        global_batch_sequences=global_batch_sequences,
        micro_batch_size=micro_batch_size,
        gradient_accumulation=gradient_accumulation,
        tensor_parallel=tensor_parallel,
        pipeline_parallel=pipeline_parallel,
        virtual_pipeline=virtual_pipeline,
        context_parallel=context_parallel,
        expert_parallel=expert_parallel,
        data_sharding=data_sharding,
        framework=framework,
        utilization=utilization,
        peak_tflops=peak_tflops,
        observed_tokens_per_second=observed_tokens_per_second,
        price_per_gpu_hour=price_per_gpu_hour,
        my_runs=tuple(my_runs or ()),
        profile=profile,
    )
    estimated = estimate_of(resolve(request))
    return training_time(estimated, detail=detail, first_s=first_way_s(request, estimated))


def training_time(estimated: Estimate, *, detail: fields.Detail, first_s: float | None = None) -> TrainingTime:
    """Return an estimate in the shape of the tool's answer; `first_s` are seconds with the first way to fit."""
    if detail == "detailed":
        return _answer(estimated, first_s, detailed=True)
    return affordable(with_few_digits(_answer(estimated, first_s, detailed=False)), _MOST_CHARACTERS, SHORTER)


def _answer(estimated: Estimate, first_s: float | None, *, detailed: bool) -> TrainingTime:
    run = estimated.run
    return TrainingTime(
        summary=summary(estimated, first_s),
        basis=estimated.basis,
        training_seconds=estimated.training_s,
        training_days=estimated.training_s / DAY_S,
        training_days_low=estimated.training_low_s / DAY_S,
        training_days_high=estimated.training_high_s / DAY_S,
        interval_coverage=estimated.coverage,
        gpu_hours=estimated.gpu_hours[0],
        tokens_per_second_per_gpu=estimated.tokens_per_second / run.n_gpus,
        step_seconds=estimated.step_s,
        model_flops=estimated.model_flop,
        coefficient=estimated.coefficient,
        flops_per_token=estimated.hardware_flop_per_token,
        model_flops_utilization=estimated.model_flops_utilization,
        hardware_flops_utilization=estimated.hardware_flops_utilization,
        peak_tflops=round(run.device.peak_flop_per_s / TERA, 4),
        peak_note=run.device.peak_note,
        rule_of_thumb=rule_answer(run),
        formula=formula(estimated),
        layout=layout_answer(estimated.layout) if estimated.layout else None,
        memory=memory_answer(estimated.memory, detailed=detailed) if estimated.memory else None,
        time_breakdown=time_breakdown(estimated.breakdown, detailed=detailed) if estimated.breakdown else None,
        cost_usd=cost_answer(estimated.cost_usd, detailed=detailed),
        energy_kwh=energy_answer(estimated.energy_kwh, detailed=detailed),
        comparable_runs=comparable_answers(estimated.comparable_runs, detailed=detailed),
        evidence=evidence_answer(estimated.evidence, detailed=detailed),
        assumptions=assumption_answers(
            estimated.assumptions, detailed=detailed, said=(run.subject.name, run.device.name)
        ),
        warnings=warning_answers(estimated.warnings),
        narrow_by=narrowing_answers(estimated.narrow_by, detailed=detailed),
        runner_up_layouts=runner_up_answers(estimated.runner_ups, detailed=detailed),
        estimate_id=estimate_id(run, "detailed" if detailed else "concise"),
        version=VERSION,
        data_version=data_version(),
    )


def _fewer(narrowings: int, comparables: int) -> Callable[[TrainingTime], TrainingTime]:
    """Return a step that leaves as many of each; and always what the summary asks for."""
    return lambda answer: answer.model_copy(
        update={
            "narrow_by": with_named(answer.narrow_by, narrowings),
            "comparable_runs": answer.comparable_runs[:comparables],
        }
    )


def _clipped_notes(longest: int) -> Callable[[TrainingTime], TrainingTime]:
    """Return a step that leaves out the ends of the longest notes."""
    return lambda answer: answer.model_copy(
        update={
            "assumptions": [
                told.model_copy(update={"note": clipped(told.note, longest)}) for told in answer.assumptions
            ]
        }
    )


def _without_cut_notes(answer: TrainingTime) -> TrainingTime:
    """Return an answer without the notes of which only the first words would be left."""
    whole = [
        told.model_copy(update={"note": told.note if not told.note.endswith("…") else ""})
        for told in answer.assumptions
    ]
    return answer.model_copy(update={"assumptions": whole})


def _brief_sources(answer: TrainingTime) -> TrainingTime:
    """Return an answer that tells of cost and energy the figures, and of a price that it is a median."""
    cost = answer.cost_usd.model_copy(update={"note": answer.cost_usd.note.partition(": ")[0]})
    return answer.model_copy(update={"cost_usd": cost, "energy_kwh": answer.energy_kwh.model_copy(update={"note": ""})})


def _shortened_warnings(longest: int) -> Callable[[TrainingTime], TrainingTime]:
    """Return a step that leaves out of the longest warnings what is neither so nor to be done.

    What would make a run fit is why it is asked about: all of that is told, in short.
    """

    def told(caution: WarningAnswer) -> str:
        if caution.code == _MISFIT:
            return in_short(caution.message)
        return shortened(caution.message, longest)

    return lambda answer: answer.model_copy(
        update={"warnings": [caution.model_copy(update={"message": told(caution)}) for caution in answer.warnings]}
    )


def _without_range_of_misfit(answer: TrainingTime) -> TrainingTime:
    """Return an answer that tells of a run that does not fit what would do, rather than what would narrow its range."""
    misfit = answer.memory is not None and not answer.memory.fits
    return _fewer(narrowings=0, comparables=1)(answer) if misfit else answer


def _brief_peak(answer: TrainingTime) -> TrainingTime:
    """Return an answer that tells of a peak which rate it is, and not which others there are."""
    return answer.model_copy(update={"peak_note": first_clause(answer.peak_note)})


SHORTER: tuple[Callable[[TrainingTime], TrainingTime], ...] = (
    _fewer(narrowings=1, comparables=2),
    without_assumptions(OF_THE_RULE, "gpus_per_node", "processed_tokens", "sample_tokens"),
    _fewer(narrowings=1, comparables=1),
    # The formula has it, and a row that is padded is as long as its samples are padded to.
    without_assumptions("run_level_overhead"),
    without_assumptions("sequence_length", beside="padded_length"),
    _clipped_notes(_LONGEST_NOTE),
    _without_range_of_misfit,
    _shortened_warnings(_LONG_WARNING),
    _fewer(narrowings=0, comparables=1),
    _fewer(narrowings=0, comparables=0),
    _clipped_notes(_SHORTEST_NOTE),
    _shortened_warnings(_SHORT_WARNING),
    # The summary has them.
    without_assumptions("tokens", beside="image_size"),
    _shortened_warnings(_SHORTEST_WARNING),
    _brief_peak,
    _clipped_notes(_OPENING_OF_NOTE),
    _without_cut_notes,
    _brief_sources,
)
"""What a long answer leaves out besides, the least missed first."""
