"""What plan_training answers and refuses.

Authority: the public contract (what is solved for, what an answer holds, errors that name the argument and what would
do); Hoffmann et al. 2022, table 3, for compute-optimal sizes; arithmetic where nothing is predicted.
"""

from typing import Any

import pytest

from estimator.answers.plan.scaling import TOKENS_PER_PARAMETER, optimal_parameters, optimal_tokens
from estimator.base.errors import (
    EstimatorError,
    InfeasibleError,
    InvalidValueError,
    MissingValueError,
    UnknownNameError,
)
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import TrainingPlan, plan_training

COUNT: dict[str, Any] = {
    "solve_for": "n_gpus",
    "model": "llama-3.1-8b",
    "gpu": "h100",
    "tokens": "15T",
    "deadline": "30 days",
}


def _plan(**changed: Any) -> TrainingPlan:  # noqa: ANN401 - any argument
    arguments = COUNT | changed
    return plan_training(detail="detailed", **{name: value for name, value in arguments.items() if value is not None})


# Hoffmann et al. 2022, table 3: training FLOPs, parameters, tokens.
@pytest.mark.parametrize(
    ("flop", "parameters", "tokens"),
    [
        (1.92e19, 400e6, 8.0e9),
        (1.21e20, 1e9, 20.2e9),
        (1.23e22, 10e9, 205.1e9),
        (5.76e23, 67e9, 1.5e12),
        (3.85e24, 175e9, 3.7e12),
    ],
)
def test_compute_optimal_sizes_are_those_published(flop: float, parameters: float, tokens: float) -> None:
    assert optimal_parameters(flop) == pytest.approx(parameters, rel=0.08)
    assert optimal_tokens(parameters) == pytest.approx(tokens, rel=0.12)
    assert TOKENS_PER_PARAMETER.low < tokens / parameters < TOKENS_PER_PARAMETER.high


def test_at_a_given_utilization_the_count_is_arithmetic() -> None:
    """6 · 8e9 · 1e12 FLOPs in 10 days at 0.4 of 989.4e12 FLOP/s take 140.4 GPUs: 18 nodes."""
    plan = _plan(model="8B", tokens="1T", deadline="10 days", utilization=0.4)
    assert plan.solution.n_gpus == 144
    assert plan.sure_solution is None
    assert plan.estimate.basis == "assumed_utilization"


def test_the_surer_count_is_larger_and_its_far_end_in_time() -> None:
    plan = _plan()
    assert plan.sure_solution is not None
    assert plan.sure_probability == pytest.approx(0.9)
    assert plan.sure_solution.n_gpus > plan.solution.n_gpus
    assert plan.sure_solution.training_days_high <= 30 < plan.solution.training_days_high
    assert f"at least 90% sure: {plan.sure_solution.n_gpus:,}" in plan.summary
    assert f"even odds: {plan.solution.n_gpus:,}" in plan.summary


def test_whole_nodes_are_planned_and_parts_of_one_where_they_do() -> None:
    assert _plan().solution.n_gpus % 8 == 0
    assert _plan(gpu="gb200").solution.n_gpus % 4 == 0
    assert _plan(gpus_per_node=16).solution.n_gpus % 16 == 0
    assert _plan(model="1B", tokens="100M").solution.n_gpus == 1


def test_given_degrees_divide_the_planned_count() -> None:
    plan = _plan(model="70B", tokens="1T", tensor_parallel=8, pipeline_parallel=5)
    assert plan.solution.n_gpus % 40 == 0
    assert plan.solution.layout is not None
    assert (plan.solution.layout.tensor_parallel, plan.solution.layout.pipeline_parallel) == (8, 5)


def test_the_answer_holds_the_full_estimate_of_its_solution() -> None:
    plan = _plan()
    assert plan.estimate.training_days == plan.solution.training_days
    assert plan.estimate.cost_usd == plan.solution.cost_usd
    assert plan.estimate.layout == plan.solution.layout
    assert plan.deadline_days == 30


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"solve_for": "tokens", "tokens": None, "n_gpus": 512},
        {"solve_for": "model_size", "tokens": None, "model": None, "n_gpus": 512},
        {"solve_for": "gpu", "gpu": None, "tokens": "1T"},
    ],
    ids=lambda question: question.get("solve_for", "n_gpus"),
)
def test_every_option_fits_or_says_so_and_what_keeps_to_the_limits_comes_first(question: dict[str, Any]) -> None:
    plan = _plan(**question)
    assert plan.solution.meets_limits
    assert plan.solution.fits
    assert plan.alternatives
    met = [option.meets_limits for option in plan.alternatives]
    assert met == sorted(met, reverse=True)
    for option in plan.alternatives:
        assert option.fits or not option.meets_limits
        assert not option.meets_limits or option.training_days <= 30


@pytest.mark.parametrize("model", ["1B", "8B"])
def test_a_deadline_and_a_budget_together_choose_the_count(model: str) -> None:
    plan = _plan(solve_for="tokens", model=model, tokens=None, budget="$1M", price_per_gpu_hour=2)
    # $1M buys 500,000 hours: 694 GPUs for 30 days.
    assert plan.solution.n_gpus > 0.8 * 694
    assert plan.solution.training_days <= 30
    assert plan.solution.cost_usd.value is not None
    assert 0.9e6 < plan.solution.cost_usd.value <= 1e6
    assert all(option.tokens <= plan.solution.tokens for option in plan.alternatives)


@pytest.mark.parametrize("solve_for", ["tokens", "model_size"])
def test_money_alone_is_spent_in_a_usual_time_and_that_is_said(solve_for: str) -> None:
    model = "7B" if solve_for == "tokens" else None
    plan = _plan(solve_for=solve_for, model=model, tokens=None, deadline=None, budget="$500k")
    assert plan.solution.cost_usd.value is not None
    assert 0.8 * 5e5 < plan.solution.cost_usd.value <= 5e5
    deadline = next(assumption for assumption in plan.assumptions if assumption.name == "deadline")
    assert (deadline.source, deadline.value) == ("default", plan.deadline_days)
    assert "neither time nor GPUs" in deadline.note


def test_one_machine_of_cards_for_desktops_is_a_candidate_too() -> None:
    """A fine-tune of a day or so is what such cards are bought for; clusters of them are not for rent."""
    small = _plan(solve_for="gpu", gpu=None, model="llama-3.1-8b", method="lora", tokens="100M", deadline="2 days")
    large = _plan(solve_for="gpu", gpu=None, model="7B", tokens="2T")
    assert any(option.gpu.startswith("rtx-") for option in (small.solution, *small.alternatives))
    for option in (large.solution, *large.alternatives):
        assert option.n_gpus <= 8 or not option.gpu.startswith("rtx-")


def test_a_budget_with_room_takes_no_sure_plan_away() -> None:
    """That another provider is dearer is no risk of whoever pays this one."""
    asked: dict[str, Any] = {"model": "7B", "gpu": "h100", "tokens": "2T", "deadline": "14 days"}
    free = plan_training(solve_for="n_gpus", **asked)
    roomy = plan_training(solve_for="n_gpus", **asked, budget="$500k")
    assert free.sure_solution is not None
    assert roomy.sure_solution is not None
    assert roomy.sure_solution.n_gpus == free.sure_solution.n_gpus
    assert "the median price" in roomy.summary
    assert "the median price" not in free.summary
    assert (
        "the median price"
        not in plan_training(solve_for="n_gpus", **asked, budget="$500k", price_per_gpu_hour=4).summary
    )


@pytest.mark.parametrize(
    ("solve_for", "asked"),
    [
        ("tokens", {"model": "7B", "n_gpus": 8, "budget": "$1k"}),
        ("tokens", {"model": "7B", "deadline": "9 days", "budget": "$100k"}),
        ("model_size", {"n_gpus": 64, "budget": "$100k"}),
        ("n_gpus", {"model": "llama-3.1-8b", "tokens": "20B", "budget": "$20k"}),
        ("n_gpus", {"model": "llama-3.1-8b", "tokens": "20B", "budget": "$3k", "price_per_gpu_hour": 2}),
        ("tokens", {"model": "7B", "n_gpus": 8, "budget": "5000 GPU-hours"}),
    ],
)
def test_what_is_sure_to_keep_to_a_budget_does_so_by_the_range_that_is_told(
    solve_for: Any,  # noqa: ANN401 - one of the tool's choices
    asked: dict[str, Any],
) -> None:
    """Nobody is told that a budget is kept to beside a range that ends above it."""
    plan = plan_training(detail="detailed", solve_for=solve_for, gpu="h100", **asked)
    sure = plan.sure_solution
    assert sure is not None
    if plan.budget_usd is None:
        assert sure.gpu_hours * sure.training_days_high / sure.training_days <= (plan.budget_gpu_hours or 0.0)
        return
    for dearest in (plan.solution.cost_usd.value, sure.cost_usd.high):
        assert dearest is not None
        assert dearest <= plan.budget_usd * (1 + 1e-5)


def test_a_solution_that_is_sure_is_named_once() -> None:
    plan = _plan(solve_for="gpu", gpu="h100", tokens="1B", deadline="300 days")
    assert plan.sure_solution is not None
    assert plan.sure_solution.n_gpus == plan.solution.n_gpus
    assert plan.summary.count("H100") == 1 + plan.summary.partition("Next best")[2].count("H100")


def test_model_size_is_compute_optimal_unless_another_ratio_is_given() -> None:
    optimal = _plan(solve_for="model_size", model=None, tokens=None, n_gpus=64)
    leaner = _plan(solve_for="model_size", model=None, tokens=None, n_gpus=64, tokens_per_parameter=100)
    assert optimal.solution.tokens == pytest.approx(20 * optimal.solution.parameters)
    assert leaner.solution.tokens == pytest.approx(100 * leaner.solution.parameters)
    assert leaner.solution.parameters < optimal.solution.parameters
    assert any(assumption.name == "tokens_per_parameter" for assumption in optimal.assumptions)


def test_the_fastest_layout_comes_first_and_the_best_of_other_splits_after() -> None:
    plan = _plan(solve_for="layout", model="llama-3.1-70b", n_gpus=512, deadline=None, tokens=None)
    days = [plan.solution.training_days, *(option.training_days for option in plan.alternatives)]
    assert days == sorted(days)
    splits = {
        (o.layout.tensor_parallel, o.layout.pipeline_parallel, o.layout.context_parallel)
        for o in (plan.solution, *plan.alternatives)
        if o.layout
    }
    assert len(splits) == len(days) > 3
    assert plan.sure_solution is None


def test_a_layout_that_was_found_is_not_said_to_be_given() -> None:
    plan = _plan(solve_for="layout", model="7B", n_gpus=64, deadline=None, tokens="1T", micro_batch_size=1)
    sources = {assumption.name: assumption.source for assumption in plan.estimate.assumptions}
    assert sources["micro_batch_size"] == "user"
    assert sources["global_batch_sequences"] == "default"
    for name in ("tensor_parallel", "pipeline_parallel", "data_sharding", "activation_recompute"):
        assert sources[name] == "searched"


def test_the_best_gpu_for_a_deadline_is_the_cheapest_and_of_a_count_the_fastest() -> None:
    cheapest = _plan(solve_for="gpu", gpu="h100, a100, b200", tokens="1T")
    costs = [o.cost_usd.value or 0.0 for o in (cheapest.solution, *cheapest.alternatives) if o.meets_limits]
    assert costs == sorted(costs)
    assert len(costs) == 3
    fastest = _plan(solve_for="gpu", gpu="h100, a100, b200", tokens="1T", deadline=None, n_gpus=64)
    assert fastest.solution.gpu == "b200-sxm"


@pytest.mark.parametrize(("deadline", "alone"), [("12 hours", True), ("2 hours", False)])
def test_of_a_stack_that_uses_one_gpu_by_itself_one_is_preferred_and_more_are_warned_of(
    deadline: str, *, alone: bool
) -> None:
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "method": "qlora", "tokens": "alpaca x3", "framework": "unsloth"}
    gpus = "rtx-3080-10gb, rtx-4090, l40s"
    plan = _plan(**asked, solve_for="gpu", gpu=gpus, deadline=deadline)
    assert (plan.solution.n_gpus == 1) == alone
    several = any(one is not None and one.n_gpus > 1 for one in (plan.solution, plan.sure_solution))
    assert ("devices_left_idle" in {warning.code for warning in plan.warnings}) == several
    started = _plan(**{**asked, "framework": "unsloth, torchrun"}, solve_for="gpu", gpu=gpus, deadline=deadline)
    assert "devices_left_idle" not in {warning.code for warning in started.warnings}


def test_without_a_limit_the_summary_says_that_the_count_is_the_fewest() -> None:
    assert "the fewest that hold it" in _plan(deadline=None, tokens="100B").summary
    assert "the fewest that hold it" not in _plan(tokens="100B").summary


def test_all_gpus_are_those_of_the_catalogue() -> None:
    everything = _plan(solve_for="gpu", gpu=None, tokens="1T")
    assert _plan(solve_for="gpu", gpu="all", tokens="1T").alternatives == everything.alternatives


def test_a_candidate_without_the_precision_asked_for_is_left_out() -> None:
    plan = _plan(solve_for="gpu", gpu="a100, h100", tokens="1T", precision="fp8")
    assert {plan.solution.gpu, *(option.gpu for option in plan.alternatives)} == {"h100-sxm"}


@pytest.mark.parametrize(("gbps", "nearly"), [(2.0, True), (400.0, False)])
def test_half_as_many_nearly_as_fast_is_said(gbps: float, nearly: bool) -> None:
    """Over a slow network a second node adds little to the first."""
    run: dict[str, Any] = {
        "model": "llama-3.1-8b",
        "gpu": "h100",
        "tokens": "100B",
        "global_batch_sequences": 128,
        "network_gbps_per_gpu": gbps,
        "framework": "nemo",
    }
    half, whole = (estimate_training_time(detail="detailed", **run, n_gpus=n).training_days for n in (8, 16))
    plan = plan_training(detail="detailed", **run, solve_for="n_gpus", deadline=f"{whole * 24 * 1.0001:.4f} hours")
    assert plan.solution.n_gpus == 16
    assert nearly == (half <= 1.25 * plan.solution.training_days)
    assert nearly == any(warning.code == "diminishing_returns" for warning in plan.warnings)


@pytest.mark.parametrize("batch", [64, 256])
def test_the_fewest_are_found_where_more_are_slower(batch: int) -> None:
    """Past the batch time rises again, and falls once more where a far larger count divides better."""
    run: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "tokens": "1T", "global_batch_sequences": batch}
    days = {n: estimate_training_time(**run, n_gpus=n).training_days for n in (128, 256, 512, 1024, 2048, 4096)}
    fastest = min(days, key=lambda n: days[n])
    plan = plan_training(**run, solve_for="n_gpus", deadline=f"{days[fastest] * 24 * 1.001:.4f} hours")
    assert plan.solution.n_gpus <= fastest


@pytest.mark.parametrize(
    ("size", "called"), [("7B", "a 7B"), ("8B", "an 8B"), ("11B", "an 11B"), ("1.8B", "a 1.8B"), ("80M", "an 80M")]
)
def test_a_model_of_a_size_is_called_as_it_is_read(size: str, called: str) -> None:
    assert f"To train {called} model on " in _plan(model=size, tokens="1B").summary


def test_the_same_plan_has_the_same_id_and_another_has_another() -> None:
    assert _plan().plan_id == _plan().plan_id != _plan(deadline="31 days").plan_id


@pytest.mark.parametrize("method", ["full", "qlora"])
def test_without_a_limit_the_fewest_gpus_that_hold_a_model_are_planned(method: str) -> None:
    """epfLLM/Megatron-LLM issue 52: whether 8 A100 80 GB are enough to fine-tune a 70B, and how many are."""
    run: dict[str, Any] = {"model": "llama-2-70b", "gpu": "A100 80GB", "tokens": "1B", "method": method}
    plan = plan_training(detail="detailed", **run, solve_for="n_gpus")
    fewer = plan.solution.n_gpus - 8 if plan.solution.n_gpus > 8 else plan.solution.n_gpus // 2
    assert plan.solution.fits
    if fewer:
        memory = estimate_training_time(detail="detailed", **run, n_gpus=fewer).memory
        assert memory is not None
        assert not memory.fits
    assert plan.sure_solution is None
    assert "hold" in plan.formula


def test_a_model_too_large_for_its_gpus_is_told_how_many_hold_it() -> None:
    with pytest.raises(InfeasibleError, match=r"n_gpus of \d+"):
        _plan(solve_for="tokens", model="70B", tokens=None, n_gpus=4)


@pytest.mark.parametrize("solve_for", ["model_size", "tokens", "layout", "gpu"])
def test_a_count_that_shares_no_usual_batch_is_refused_and_the_batch_named(solve_for: str) -> None:
    """1,000,003 is a prime: its devices share only batches with a sequence for each."""
    model = None if solve_for == "model_size" else "70B"
    tokens = None if solve_for in {"model_size", "tokens"} else "1T"
    with pytest.raises(InfeasibleError, match=r"1,000,003 GPUs share no usual batch .* global_batch_sequences"):
        _plan(solve_for=solve_for, n_gpus=1_000_003, model=model, tokens=tokens)


def test_a_usual_batch_beyond_what_may_be_stated_still_has_a_layout() -> None:
    """An encoder's devices have 32 sequences each: 320 million on ten million of them."""
    run: dict[str, Any] = {"model": "auraflow", "gpu": "gaudi3", "objective": "contrastive", "framework": "mlx"}
    data: dict[str, Any] = {"tokens": None, "samples": "52k", "tokens_per_sample": "400", "deadline": None}
    plan = _plan(solve_for="layout", n_gpus=10_000_000, **run, **data)
    assert plan.solution.layout is not None
    assert plan.solution.layout.global_batch_sequences == 320_000_000


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"deadline": None, "utilization": 0.4}, MissingValueError, "deadline is missing"),
        ({"n_gpus": 8}, InvalidValueError, "n_gpus: 8 is what solve_for n_gpus finds"),
        ({"model": None}, MissingValueError, "model is missing"),
        ({"gpu": None}, MissingValueError, "gpu is missing"),
        ({"tokens": None}, MissingValueError, "tokens is missing"),
        ({"gpu": "h100-smx"}, UnknownNameError, "h100-sxm"),
        ({"gpu": "h100, a100"}, InvalidValueError, "gpu: 'h100, a100' names 2, which only solve_for gpu chooses among"),
        ({"model": "lama-3.1-8b"}, UnknownNameError, "llama-3.1-8b"),
        ({"deadline": "30"}, InvalidValueError, "deadline: '30' must be a duration"),
        ({"deadline": "-3 days"}, InvalidValueError, "deadline"),
        ({"deadline": None, "budget": "€5"}, InvalidValueError, "budget"),
        ({"deadline": None, "budget": float("nan")}, InvalidValueError, "budget"),
        ({"gpu": "h800", "budget": "$1M", "deadline": None}, MissingValueError, "price_per_gpu_hour is missing"),
        ({"utilization": 0.4, "budget": "$9M", "deadline": None}, MissingValueError, "deadline is missing"),
        ({"tokens_per_parameter": 20}, InvalidValueError, "tokens_per_parameter: 20 and tokens"),
        ({"tensor_parallel": 3}, InvalidValueError, "tensor_parallel: 3 must divide"),
        ({"tensor_parallel": -8}, InvalidValueError, "tensor_parallel: -8"),
        ({"global_batch_sequences": 0}, InvalidValueError, "global_batch_sequences: 0"),
        ({"precision": "nvfp4"}, InvalidValueError, "precision: 'nvfp4'"),
        ({"solve_for": "tokens", "tokens": None}, MissingValueError, "n_gpus is missing"),
        ({"solve_for": "tokens", "n_gpus": 8}, InvalidValueError, "tokens: '15T' is what solve_for tokens finds"),
        ({"solve_for": "tokens", "tokens": None, "n_gpus": 0}, InvalidValueError, "n_gpus: 0"),
        ({"solve_for": "model_size"}, InvalidValueError, "model: 'llama-3.1-8b' is what solve_for model_size finds"),
        ({"solve_for": "model_size", "model": None, "tokens": None}, MissingValueError, "n_gpus is missing"),
        (
            {"solve_for": "model_size", "model": None, "tokens": None, "deadline": None},
            MissingValueError,
            "deadline is missing",
        ),
        ({"solve_for": "layout"}, MissingValueError, "n_gpus is missing"),
        (
            {"solve_for": "layout", "n_gpus": 8, "utilization": 0.4},
            InvalidValueError,
            "utilization: 0.4 turns prediction",
        ),
        ({"solve_for": "gpu", "deadline": None}, MissingValueError, "n_gpus is missing"),
        ({"solve_for": "gpu", "gpu": "h100, nope"}, UnknownNameError, "unknown gpu 'nope'"),
        ({"solve_for": "gpu", "gpu": "a100", "precision": "fp8"}, InvalidValueError, "precision: 'fp8'"),
    ],
)
def test_what_cannot_be_planned_is_refused_by_the_name_of_its_argument(
    changed: dict[str, Any], error: type[EstimatorError], says: str
) -> None:
    with pytest.raises(error) as refused:
        _plan(**changed)
    assert says in str(refused.value)
