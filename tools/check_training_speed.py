"""The tool `check_training_speed`: whether an observed speed is normal, and why if not."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, FiniteFloat

from estimator.answers.check.causes import Cause
from estimator.answers.check.check import SpeedCheck, speed_check
from estimator.answers.check.expected import dense_peak_flop_per_s
from estimator.answers.check.logs import MOST_LOG_BYTES, LogReading
from estimator.answers.check.observation import Observed
from estimator.answers.check.wording import UTILIZATION_CONVENTION, check_summary
from estimator.answers.estimate.estimate import estimate_id
from estimator.base.units import DAY_S, TERA
from estimator.base.version import VERSION
from estimator.catalogue.catalogue import data_version
from estimator.question.profile import Profile
from estimator.question.request import Request
from tools import fields
from tools.answers import AssumptionAnswer, EvidenceAnswer, LayoutAnswer, TimeBreakdown, WarningAnswer
from tools.shaping import assumption_answers, evidence_answer, layout_answer, time_breakdown, warning_answers

__all__ = ["TrainingSpeed", "check_training_speed"]

_CONCISE_CAUSES = 4
_NO_TRAINERS = frozenset({"tensorboard", "tqdm", "unknown", "wandb"})
"""Formats that any trainer may print or write."""
_Quantity = str | float | None


class CauseAnswer(BaseModel):
    """One thing that may be so."""

    code: str
    what: str
    explains: bool = Field(description="Whether the observed speed lies in the range that goes with it")
    tokens_per_second: FiniteFloat = Field(description="Expected with it, all GPUs")
    evidence: str
    check: str = Field(description="How to tell")


class BoundAnswer(BaseModel):
    """The speed that nothing exceeds."""

    name: str
    tflops_per_gpu: FiniteFloat
    tokens_per_second: FiniteFloat
    flops_per_token: FiniteFloat
    note: str


class LogAnswer(BaseModel):
    """What was read of the log; null where it is silent."""

    trainer: str | None
    format: str
    lines: int
    warm_up_lines: int
    step_seconds: FiniteFloat | None
    tokens_per_second: FiniteFloat | None = Field(description="All GPUs")
    tokens_per_second_per_gpu: FiniteFloat | None
    samples_per_second: FiniteFloat | None
    steps_done: FiniteFloat | None
    total_steps: FiniteFloat | None
    seconds_left: FiniteFloat | None
    seconds_left_of: Literal["run", "epoch"] | None = Field(description="Epoch where nothing tells how many follow")
    quoted: str = Field(description="The line that the speed came from")


class TrainingSpeed(BaseModel):
    """The verdict on a speed, against what was expected; speeds in tokens per second of all GPUs, steady state."""

    summary: str
    verdict: Literal["faster", "normal", "slow", "implausible"]
    verdict_depends_on: str | None = Field(
        description="Argument without which it cannot be judged: usual values of it have other verdicts. Null: it holds"
    )
    observed: FiniteFloat = Field(description="Tokens per second, all GPUs")
    observed_how: str = Field(description="How it follows from what was given")
    expected: FiniteFloat
    expected_low: FiniteFloat
    expected_high: FiniteFloat
    interval_coverage: FiniteFloat | None = Field(description="Probability of the range; null: rule of thumb's spread")
    observed_over_expected: FiniteFloat
    tokens_per_second_per_gpu: FiniteFloat
    step_seconds: FiniteFloat | None = Field(description="Null where no batch is known")
    model_flops_utilization: FiniteFloat
    hardware_flops_utilization: FiniteFloat
    utilization_convention: str
    tflops_per_gpu: FiniteFloat = Field(description="FLOPs the model needs, per second and GPU")
    peak_tflops: FiniteFloat = Field(description="Dense")
    ceiling: BoundAnswer
    likely_causes: list[CauseAnswer] = Field(description="Best first; empty where normal")
    remaining_days: FiniteFloat | None = Field(description="Null where the amount of data is not known")
    remaining_days_low: FiniteFloat | None
    remaining_days_high: FiniteFloat | None
    log: LogAnswer | None = Field(description="Null without a log")
    layout: LayoutAnswer | None = Field(description="Expected; null where the speed was not predicted")
    time_breakdown: TimeBreakdown | None = Field(description="Expected; null where the speed was not predicted")
    evidence: EvidenceAnswer
    assumptions: list[AssumptionAnswer]
    warnings: list[WarningAnswer]
    estimate_id: str
    version: str
    data_version: str


def check_training_speed(
    *,
    model: Annotated[str, Field(max_length=200)],
    gpu: Annotated[str, Field(max_length=200)],
    n_gpus: Annotated[int, Field()],
    observed_tokens_per_second: Annotated[_Quantity, Field(description="All GPUs together")] = None,
    observed_step_seconds: Annotated[_Quantity, Field(description="With global_batch_sequences")] = None,
    observed_hours: Annotated[_Quantity, Field(description="With tokens, or tokens_done")] = None,
    observed_gpu_hours: Annotated[_Quantity, Field(description="As observed_hours, of all GPUs")] = None,
    observed_mfu: Annotated[float | None, Field(description="0–1, of peak_tflops or the dense peak")] = None,
    observed_tflops_per_gpu: Annotated[float | None, Field(description="As trainers report it")] = None,
    observed_log: Annotated[
        str | None,
        Field(description="Text of a trainer's log or trainer_state.json", max_length=MOST_LOG_BYTES),
    ] = None,
    tokens: Annotated[_Quantity, Field(description="Of the whole run")] = None,
    tokens_done: Annotated[_Quantity, Field(description="Until now")] = None,
    samples: Annotated[_Quantity, Field()] = None,
    tokens_per_sample: Annotated[_Quantity, Field()] = None,
    epochs: Annotated[float | None, Field()] = None,
    image_size: fields.SameQuantity = None,
    images_per_sample: fields.SameNumber = None,
    steps: Annotated[_Quantity, Field()] = None,
    packing: fields.SameText = "auto",
    hf_config: Annotated[dict[str, Any] | None, Field()] = None,
    gpus_per_node: Annotated[int | None, Field()] = None,
    network_gbps_per_gpu: Annotated[float | None, Field()] = None,
    method: Annotated[str, Field()] = "full",
    lora_rank: Annotated[int | None, Field()] = None,
    trained_layers: Annotated[_Quantity, Field()] = None,
    objective: Annotated[str, Field()] = "next_token",
    precision: Annotated[str, Field()] = "auto",
    activation_recompute: Annotated[str, Field()] = "auto",
    sequence_length: Annotated[_Quantity, Field()] = None,
    global_batch_sequences: Annotated[_Quantity, Field()] = None,
    micro_batch_size: Annotated[int | None, Field()] = None,
    gradient_accumulation: Annotated[int | None, Field()] = None,
    tensor_parallel: fields.SameWhole = None,
    pipeline_parallel: fields.SameWhole = None,
    context_parallel: fields.SameWhole = None,
    expert_parallel: fields.SameWhole = None,
    data_sharding: Annotated[str, Field()] = "auto",
    framework: fields.SameFramework = "auto",
    peak_tflops: Annotated[float | None, Field()] = None,
    my_runs: fields.SameRuns = None,
    detail: fields.Detail = "concise",
    profile: Profile | None = None,
) -> TrainingSpeed:
    """Is this training speed normal? Verdict against the predicted range, likely causes, time left.

    Give one observation, and what is known of the set-up, framework above all; the other arguments are those of
    estimate_training_time.
    """
    checked = speed_check(
        Request(
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
            context_parallel=context_parallel,
            expert_parallel=expert_parallel,
            data_sharding=data_sharding,
            framework=framework,
            peak_tflops=peak_tflops,
            my_runs=tuple(my_runs or ()),
            profile=profile,
        ),
        Observed(
            tokens_per_second=observed_tokens_per_second,
            step_seconds=observed_step_seconds,
            hours=observed_hours,
            gpu_hours=observed_gpu_hours,
            mfu=observed_mfu,
            tflops_per_gpu=observed_tflops_per_gpu,
            log=observed_log,
            tokens_done=tokens_done,
        ),
    )
    return _answer(checked, detailed=detail == "detailed")


def _answer(checked: SpeedCheck, *, detailed: bool) -> TrainingSpeed:
    run, seen, expected, bound = checked.run, checked.seen, checked.expected, checked.bound
    # What is left of an epoch alone is in the summary and the log, under that name.
    left = None if checked.remaining is None or checked.remaining.of_epoch else checked.remaining
    batch = run.global_batch_sequences
    return TrainingSpeed(
        summary=check_summary(checked),
        verdict=checked.verdict,
        verdict_depends_on=" and ".join(checked.depends_on) or None,
        observed=seen.tokens_per_second,
        observed_how=seen.how,
        expected=expected.tokens_per_second,
        expected_low=expected.low,
        expected_high=expected.high,
        interval_coverage=expected.coverage,
        observed_over_expected=checked.ratio,
        tokens_per_second_per_gpu=seen.tokens_per_second / run.n_gpus,
        step_seconds=None if batch is None else batch * run.sequence_length / seen.tokens_per_second,
        model_flops_utilization=checked.model_flops_utilization,
        hardware_flops_utilization=checked.hardware_flops_utilization,
        utilization_convention=UTILIZATION_CONVENTION,
        tflops_per_gpu=checked.flop_per_s_per_gpu / TERA,
        peak_tflops=round(dense_peak_flop_per_s(run) / TERA, 4),
        ceiling=BoundAnswer(
            name=bound.name,
            tflops_per_gpu=bound.flop_per_s_per_gpu / TERA,
            tokens_per_second=bound.tokens_per_second,
            flops_per_token=bound.flop_per_token,
            note=bound.note,
        ),
        likely_causes=[_cause(cause) for cause in (checked.causes if detailed else checked.causes[:_CONCISE_CAUSES])],
        remaining_days=left.seconds / DAY_S if left else None,
        remaining_days_low=left.low_s / DAY_S if left else None,
        remaining_days_high=left.high_s / DAY_S if left else None,
        log=_log(checked.reading, run.n_gpus) if checked.reading else None,
        layout=layout_answer(expected.layout) if expected.layout else None,
        time_breakdown=time_breakdown(expected.shares, detailed=detailed) if expected.shares else None,
        evidence=evidence_answer(expected.evidence, detailed=detailed),
        assumptions=assumption_answers(
            checked.assumptions, detailed=detailed, said=(run.subject.name, run.device.name)
        ),
        warnings=warning_answers(checked.warnings),
        estimate_id=estimate_id(run, "check", repr(seen), repr(left), str(detailed)),
        version=VERSION,
        data_version=data_version(),
    )


def _cause(cause: Cause) -> CauseAnswer:
    return CauseAnswer(
        code=cause.code,
        what=cause.what,
        explains=cause.explains,
        tokens_per_second=cause.tokens_per_second,
        evidence=cause.evidence,
        check=cause.check,
    )


def _log(reading: LogReading, n_gpus: int) -> LogAnswer:
    each, total = reading.tokens_per_second_per_gpu, reading.tokens_per_second
    return LogAnswer(
        trainer=None if reading.dialect in _NO_TRAINERS else reading.dialect,
        format=reading.dialect,
        lines=reading.points,
        warm_up_lines=reading.warm_up_points,
        step_seconds=reading.step_s,
        tokens_per_second=total if each is None or total is not None else each * n_gpus,
        tokens_per_second_per_gpu=each if each is not None or total is None else total / n_gpus,
        samples_per_second=reading.sequences_per_second or reading.sequences_per_second_per_gpu,
        steps_done=reading.steps_done,
        total_steps=reading.total_steps,
        seconds_left=reading.seconds_left,
        seconds_left_of=None if reading.seconds_left is None else "epoch" if reading.left_of_epoch else "run",
        quoted=reading.quoted,
    )
