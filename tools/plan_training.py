"""The tool `plan_training`: GPUs, tokens, model size, layout or GPU for a deadline and a budget."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field, FiniteFloat

from estimator.answers.estimate.estimate import Estimate, estimate_id
from estimator.answers.plan.plan import plan_for
from estimator.answers.plan.trials import fits
from estimator.answers.plan.types import Option, Plan, PlanRequest
from estimator.answers.plan.wording import plan_formula, plan_summary
from estimator.base.units import DAY_S
from estimator.base.version import VERSION
from estimator.catalogue.catalogue import data_version
from estimator.question.profile import Profile
from estimator.question.request import Request
from estimator.resolve.measured import names_profiled
from tools import fields
from tools.answers import AssumptionAnswer, LayoutAnswer, SpreadAnswer, WarningAnswer
from tools.concise import affordable, characters, with_few_digits
from tools.estimate_training_time import SHORTER, TrainingTime, training_time
from tools.shaping import assumption_answers, cost_answer, layout_answer, warning_answers

__all__ = ["PlanOption", "TrainingPlan", "plan_training"]

_FOR_A_COUNT = ("tokens", "model_size")
"""Solved for on so many GPUs, or on as many as a budget has."""
_MOST_CHARACTERS = 6_000
"""Of a concise answer."""
_CONCISE_ALTERNATIVES = 2


class PlanOption(BaseModel):
    """One way to train, in short."""

    why: str
    meets_limits: bool = Field(description="Fits, and keeps to deadline and budget by its point estimate")
    model: str
    parameters: FiniteFloat
    tokens: FiniteFloat
    gpu: str
    n_gpus: int
    training_days: FiniteFloat
    training_days_low: FiniteFloat
    training_days_high: FiniteFloat
    gpu_hours: FiniteFloat
    cost_usd: SpreadAnswer
    fits: bool
    layout: LayoutAnswer | None = Field(description="Null where not predicted; a concise plan has it in estimate")


class TrainingPlan(BaseModel):
    """What keeps to the limits: at even odds, surely, and what else would."""

    summary: str
    solve_for: Literal["n_gpus", "tokens", "model_size", "layout", "gpu"]
    solution: PlanOption = Field(description="Keeps to the limits by its point estimate: even odds")
    sure_solution: PlanOption | None = Field(description="Keeps to them by the far end of its range; null if none")
    sure_probability: FiniteFloat | None = Field(description="At least this sure; null where ranges have none")
    alternatives: list[PlanOption] = Field(description="Best first; what breaks a limit last")
    deadline_days: FiniteFloat | None
    budget_usd: FiniteFloat | None
    budget_gpu_hours: FiniteFloat | None
    formula: str
    estimate: TrainingTime = Field(description="Of the solution, in full, with its own assumptions")
    assumptions: list[AssumptionAnswer] = Field(description="The plan's own")
    warnings: list[WarningAnswer]
    plan_id: str
    version: str
    data_version: str


def plan_training(
    *,
    solve_for: fields.SolveFor,
    deadline: fields.Deadline = None,
    budget: fields.Budget = None,
    model: fields.OptionalModel = None,
    gpu: fields.OptionalGpu = None,
    n_gpus: fields.OptionalNGpus = None,
    tokens: fields.Tokens = None,
    tokens_per_parameter: fields.TokensPerParameter = None,
    samples: fields.Samples = None,
    tokens_per_sample: fields.TokensPerSample = None,
    epochs: fields.Epochs = None,
    image_size: fields.SameQuantity = None,
    images_per_sample: fields.SameNumber = None,
    steps: fields.SameQuantity = None,
    hf_config: fields.SameConfig = None,
    gpus_per_node: fields.SameWhole = None,
    network_gbps_per_gpu: fields.SameNumber = None,
    method: fields.Method = "full",
    lora_rank: fields.SameWhole = None,
    trained_layers: fields.SameQuantity = None,
    objective: fields.SameText = "next_token",
    precision: fields.Precision = "auto",
    activation_recompute: fields.ActivationRecompute = "auto",
    sequence_length: fields.SameQuantity = None,
    global_batch_sequences: fields.SameQuantity = None,
    micro_batch_size: fields.SameWhole = None,
    tensor_parallel: fields.SameWhole = None,
    pipeline_parallel: fields.SameWhole = None,
    context_parallel: fields.SameWhole = None,
    expert_parallel: fields.SameWhole = None,
    data_sharding: fields.DataSharding = "auto",
    framework: fields.SameFramework = "auto",
    utilization: fields.SameNumber = None,
    price_per_gpu_hour: fields.SameQuantity = None,
    my_runs: fields.SameRuns = None,
    detail: fields.Detail = "concise",
    profile: Profile | None = None,
) -> TrainingPlan:
    """Plan a run backwards: how many GPUs, tokens, what model size, layout or GPU for a deadline and/or budget.

    Arguments mean what they mean in estimate_training_time; leave out the one solved for. Without n_gpus, tokens and
    model_size need a budget.
    """
    if profile is not None:
        gpu, n_gpus = _own(profile, solve_for, gpu, n_gpus, limited=budget is not None)
    request = PlanRequest(
        solve_for=solve_for,
        deadline=deadline,
        budget=budget,
        tokens_per_parameter=tokens_per_parameter,
        model=model,
        gpu=gpu,
        n_gpus=n_gpus,
        common=Request(
            model="",
            gpu="",
            n_gpus=1,
            hf_config=hf_config,
            tokens=tokens,
            samples=samples,
            tokens_per_sample=tokens_per_sample,
            epochs=epochs,
            image_size=image_size,
            images_per_sample=images_per_sample,
            steps=steps,
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
            tensor_parallel=tensor_parallel,
            pipeline_parallel=pipeline_parallel,
            context_parallel=context_parallel,
            expert_parallel=expert_parallel,
            data_sharding=data_sharding,
            framework=framework,
            utilization=utilization,
            price_per_gpu_hour=price_per_gpu_hour,
            my_runs=tuple(my_runs or ()),
            profile=profile,
        ),
    )
    planned = plan_for(request)
    answer = _answer(planned, detail)
    return answer if detail == "detailed" else _shortened(with_few_digits(answer))


def _answer(planned: Plan, detail: fields.Detail) -> TrainingPlan:
    detailed, request = detail == "detailed", planned.request
    laid_out = detailed or request.solve_for == "layout"
    best, sure, limits = planned.solution.estimate, planned.sure, planned.limits
    return TrainingPlan(
        summary=plan_summary(planned),
        solve_for=request.solve_for,
        solution=_option(planned.solution, detailed=detailed, laid_out=laid_out),
        sure_solution=None if sure is None else _option(sure, detailed=detailed, laid_out=laid_out),
        sure_probability=None if sure is None else sure.estimate.coverage,
        alternatives=[
            _option(option, noted=False, detailed=detailed, laid_out=laid_out)
            for place, option in enumerate(planned.alternatives)
            if detailed or place < _CONCISE_ALTERNATIVES or option.usual
        ],
        deadline_days=None if limits.deadline_s is None else limits.deadline_s / DAY_S,
        budget_usd=limits.budget if limits.budget_unit == "USD" else None,
        budget_gpu_hours=limits.budget if limits.budget_unit == "GPU-hours" else None,
        formula=plan_formula(planned) or training_time(best, detail="concise").formula,
        estimate=training_time(best, detail=detail),
        assumptions=assumption_answers(planned.assumptions, detailed=detailed),
        warnings=warning_answers(planned.warnings),
        plan_id=estimate_id(best.run, detail, repr(replace(request, common=replace(request.common, my_runs=())))),
        version=VERSION,
        data_version=data_version(),
    )


def _own(
    profile: Profile, solve_for: str, gpu: str | None, n_gpus: int | None, *, limited: bool
) -> tuple[str | None, int | None]:
    """Return the profile's device and count where they are left out and not what is asked for.

    The count is as free as the budget lets it be, where there is one.
    """
    if gpu is None and solve_for != "gpu":
        gpu = profile.gpu
    own = gpu is not None and names_profiled(gpu, profile)
    if n_gpus is None and own and (solve_for == "layout" or (solve_for in _FOR_A_COUNT and not limited)):
        n_gpus = profile.n_gpus
    return gpu, n_gpus


def _option(option: Option, *, detailed: bool, laid_out: bool, noted: bool = True) -> PlanOption:
    """Return an option in short, its layout where it is `laid_out`; a concise one has its prices in the estimate."""
    estimate: Estimate = option.estimate
    run = estimate.run
    cost = cost_answer(estimate.cost_usd, detailed=detailed)
    noted = noted and detailed

    return PlanOption(
        why=option.why,
        meets_limits=option.meets,
        model=run.subject.name,
        parameters=run.subject.total_parameters,
        tokens=run.amount.real_tokens,
        gpu=run.device.label,
        n_gpus=run.n_gpus,
        training_days=estimate.training_s / DAY_S,
        training_days_low=estimate.training_low_s / DAY_S,
        training_days_high=estimate.training_high_s / DAY_S,
        gpu_hours=estimate.gpu_hours[0],
        cost_usd=cost if noted or cost.value is None else cost.model_copy(update={"note": ""}),
        fits=fits(estimate),
        layout=layout_answer(estimate.layout) if estimate.layout and laid_out else None,
    )


def _shortened(answer: TrainingPlan) -> TrainingPlan:
    """Return a plan that fits: with a shorter estimate first, and then with fewer alternatives.

    What the plan warns of is not said of its estimate again.
    """
    shorter = answer
    said = {warning.code for warning in answer.warnings}
    unsaid = [warning for warning in answer.estimate.warnings if warning.code not in said]
    answer = answer.model_copy(update={"estimate": answer.estimate.model_copy(update={"warnings": unsaid})})
    for kept in range(len(answer.alternatives), -1, -1):
        fewer = answer.model_copy(update={"alternatives": answer.alternatives[:kept]})
        room = _MOST_CHARACTERS - characters(fewer) + characters(fewer.estimate)
        shorter = fewer.model_copy(update={"estimate": affordable(fewer.estimate, room, SHORTER)})
        if characters(shorter) <= _MOST_CHARACTERS:
            break
    return shorter
