"""A plan is the inverse of an estimate.

Authority: the forward estimate itself. What is planned keeps to the limits when it is asked back, and one step more of
what was solved for (a node fewer, a token more, the next larger size) does not.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from estimator.base.errors import EstimatorError, InfeasibleError
from tools.estimate_training_time import TrainingTime, estimate_training_time
from tools.plan_training import PlanOption, TrainingPlan, plan_training

MODELS = ("llama-3.1-8b", "gpt-3-175b", "7B", "mixtral-8x7b", "1.3B")
GPUS = ("h100", "a100", "b200", "mi300x", "gb200", "tpu-v5p")
SLOW = settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])


def _forward(option: PlanOption, **others: Any) -> TrainingTime:  # noqa: ANN401 - any argument
    found = {"model": option.model, "gpu": option.gpu, "n_gpus": option.n_gpus, "tokens": option.tokens}
    arguments: dict[str, Any] = found | others
    return estimate_training_time(detail="detailed", **arguments)


def _late(answer: TrainingTime, days: float, *, sure: bool) -> bool:
    """Return whether an estimate does not fit or misses a deadline."""
    fits = answer.memory is not None and answer.memory.fits and all(w.code != "does_not_fit" for w in answer.warnings)
    return not fits or (answer.training_days_high if sure else answer.training_days) > days


def _one_node_fewer_misses(option: PlanOption, days: float, *, sure: bool, **others: Any) -> bool:  # noqa: ANN401
    node = 4 if option.gpu in {"tpu-v5p", "gb200"} else 8
    fewer = option.n_gpus - node if option.n_gpus > node else option.n_gpus // 2
    if fewer == 0:
        return True
    try:
        answer = _forward(option, n_gpus=fewer, **others)
    except InfeasibleError:
        return True
    # A batch that was stated is planned with; fewer devices may be answered with one near it.
    return _late(answer, days, sure=sure) or "batch_rounded" in {warning.code for warning in answer.warnings}


@SLOW
@given(
    model=st.sampled_from(MODELS),
    gpu=st.sampled_from(GPUS),
    tokens=st.floats(9, 12.5).map(lambda exponent: round(10**exponent)),
    days=st.integers(1, 200),
)
def test_the_planned_count_meets_the_deadline_and_one_node_fewer_does_not(
    model: str, gpu: str, tokens: int, days: int
) -> None:
    try:
        plan = plan_training(
            detail="detailed", solve_for="n_gpus", model=model, gpu=gpu, tokens=tokens, deadline=f"{days} days"
        )
    except InfeasibleError as error:
        # Only what is too much for any cluster may be refused: 1 EFLOP/s day and device at most.
        assert "what would do" in str(error)  # noqa: PT017 - its text is what is tested
        assert tokens > 1e11
        return
    for option, sure in ((plan.solution, False), (plan.sure_solution, True)):
        if option is not None:
            assert not _late(_forward(option, model=model), days, sure=sure)
            assert _one_node_fewer_misses(option, days, sure=sure, model=model)


def test_twelve_gpus_are_planned_although_small_clusters_have_small_batches() -> None:
    """Up to 8 devices are given a few sequences each, and 12 a batch many times as large: that is usual, too."""
    plan = plan_training(
        detail="detailed", solve_for="n_gpus", model="llama-3.1-70b", gpu="gb200", tokens="190B", deadline="75 days"
    )
    assert plan.solution.gpu == "gb200"
    assert _one_node_fewer_misses(plan.solution, 75, sure=False, model="llama-3.1-70b")


@pytest.mark.parametrize("batch", [256, 1024, 1536])
def test_with_a_fixed_batch_the_count_divides_it(batch: int) -> None:
    plan = plan_training(
        detail="detailed",
        solve_for="n_gpus",
        model="7B",
        gpu="h100",
        tokens="1T",
        deadline="20 days",
        global_batch_sequences=batch,
    )
    layout = plan.solution.layout
    assert layout is not None
    assert layout.global_batch_sequences == batch
    assert batch % (layout.data_parallel * layout.micro_batch_size) == 0
    named: dict[str, Any] = {"model": "7B", "global_batch_sequences": batch}
    assert not _late(_forward(plan.solution, **named), 20, sure=False)
    assert _one_node_fewer_misses(plan.solution, 20, sure=False, **named)


@SLOW
@given(
    model=st.sampled_from(MODELS),
    n_gpus=st.sampled_from((64, 128, 200, 512)),
    days=st.integers(1, 200),
    budget=st.sampled_from((None, "$20k", "$1M")),
)
def test_the_planned_tokens_keep_to_the_limits_and_a_thousandth_more_do_not(
    model: str, n_gpus: int, days: int, budget: str | None
) -> None:
    plan = plan_training(
        detail="detailed",
        solve_for="tokens",
        model=model,
        gpu="h100",
        n_gpus=n_gpus,
        deadline=f"{days} days",
        budget=budget,
    )
    there, beyond = (_forward(plan.solution, model=model, tokens=plan.solution.tokens * more) for more in (1.0, 1.001))
    most = plan.budget_usd if plan.budget_usd is not None else float("inf")
    assert there.training_days <= days * (1 + 1e-9)
    assert (there.cost_usd.value or 0.0) <= most * (1 + 1e-5)
    assert beyond.training_days > days or (beyond.cost_usd.value or 0.0) > most


@pytest.mark.parametrize("days", [1, 18, 40])
@pytest.mark.parametrize("network_gbps_per_gpu", [12.5, 50.0])
def test_tokens_are_planned_where_time_is_not_in_proportion_to_them(days: int, network_gbps_per_gpu: float) -> None:
    """Over a slow network a longer training has another batch, and is hardly longer for a while."""
    run: dict[str, Any] = {"model": "7B", "framework": "FSDP", "network_gbps_per_gpu": network_gbps_per_gpu}
    limits: dict[str, Any] = {"deadline": f"{days} days", "n_gpus": 64}
    plan = plan_training(detail="detailed", solve_for="tokens", gpu="h100", **limits, **run)
    there, beyond = (_forward(plan.solution, **run, tokens=plan.solution.tokens * more) for more in (1.0, 1.001))
    assert 0.999 * days <= there.training_days <= days * (1 + 1e-9) < beyond.training_days
    if plan.sure_solution is not None:
        assert _forward(plan.sure_solution, **run).training_days_high <= days * (1 + 1e-9)


@settings(SLOW, max_examples=5)
@given(
    run=st.sampled_from(
        (
            {"model": "7B", "gpu": "h100"},
            {"model": "13B", "gpu": "a100"},
            {"model": "70B", "gpu": "h100"},
            {"model": "llama-3.1-70b", "gpu": "h100", "method": "lora"},
            {"model": "mixtral-8x7b", "gpu": "b200"},
        )
    ),
    budget=st.sampled_from(("$20", "$100", "$2000", "$3000", "$30k", "50 GPU-hours", "3k GPU-hours")),
    deadline=st.sampled_from((None, "3 days", "60 days")),
)
def test_a_budget_trains_on_as_many_gpus_as_hold_the_model_however_small_it_is(
    run: dict[str, Any], budget: str, deadline: str | None
) -> None:
    """What a budget buys by a deadline may be less than one GPU all along; the model needs several for a while."""
    plan = plan_training(detail="detailed", solve_for="tokens", budget=budget, deadline=deadline, **run)
    most = plan.budget_usd or plan.budget_gpu_hours or 0.0
    for option in (plan.solution, *plan.alternatives):
        asked = _forward(option, **{name: value for name, value in run.items() if name != "gpu"})
        spent = asked.gpu_hours if plan.budget_gpu_hours is not None else asked.cost_usd.value or 0.0
        assert spent <= most * (1 + 1e-5)
        assert asked.training_days <= (plan.deadline_days or 0.0) * (1 + 1e-9)
        assert option.tokens <= plan.solution.tokens
    for count in (8, 16, 64):
        try:
            there = plan_training(solve_for="tokens", n_gpus=count, budget=budget, deadline=_deadline(plan), **run)
        except InfeasibleError:
            continue
        assert there.solution.tokens <= 1.1 * plan.solution.tokens


def _deadline(plan: TrainingPlan) -> str:
    """Return the deadline of a plan as a caller writes it."""
    return f"{plan.deadline_days} days"


@pytest.mark.parametrize(
    "limits", [{"budget": "$0.001"}, {"budget": "$0.001", "n_gpus": 8}, {"deadline": "1 second", "n_gpus": 8}]
)
def test_limits_below_one_token_are_not_said_to_be_a_want_of_memory(limits: dict[str, Any]) -> None:
    with pytest.raises(InfeasibleError, match="not one token") as refused:
        plan_training(solve_for="tokens", model="7B", gpu="h100", **limits)
    assert "do not hold" not in str(refused.value)


@pytest.mark.parametrize("budget", ["$5", "$50", "$5k"])
def test_tokens_are_planned_in_samples_of_the_length_told(budget: str) -> None:
    """Padded samples take longer than full sequences of as many tokens, and the answer asked back says so."""
    run: dict[str, Any] = {"model": "7B", "gpu": "h100", "n_gpus": 8, "tokens_per_sample": "400"}
    plan = plan_training(detail="detailed", solve_for="tokens", budget=budget, **run)
    asked = estimate_training_time(detail="detailed", tokens=plan.solution.tokens, **run)
    assert asked.cost_usd.value == pytest.approx(plan.budget_usd, rel=1e-4)


def test_a_larger_model_is_planned_on_more_gpus_where_memory_and_not_money_ends_it() -> None:
    """100M tokens: one GPU holds so little that most of the budget is left."""
    plan = plan_training(detail="detailed", solve_for="model_size", gpu="h100", tokens="100M", budget="$100")
    assert plan.solution.n_gpus > 1
    assert (plan.solution.cost_usd.value or 0.0) > 80


@pytest.mark.parametrize(
    "limits", [{"deadline": "30 days"}, {"budget": "$100k"}, {"deadline": "9 days", "tokens": "1T"}]
)
def test_the_planned_size_keeps_to_the_limits_and_the_next_larger_does_not(limits: dict[str, Any]) -> None:
    plan = plan_training(detail="detailed", solve_for="model_size", gpu="h100", n_gpus=64, **limits)
    size = plan.solution.parameters
    digits = 10.0 ** (len(str(int(size))) - 2)

    def keeps(parameters: float) -> bool:
        tokens = limits.get("tokens", 20 * parameters)
        answer = _forward(plan.solution, model=f"{parameters:.0f}", tokens=tokens)
        days = plan.deadline_days or float("inf")
        return not _late(answer, days, sure=False) and (answer.cost_usd.value or 0.0) <= (
            plan.budget_usd or float("inf")
        )

    assert keeps(size)
    assert not keeps(size + digits)


@pytest.mark.parametrize("of_the_least", [1.05, 1.2, 100.0])
def test_a_budget_alone_buys_the_cheapest_count_and_says_the_most_it_pays_for(of_the_least: float) -> None:
    run: dict[str, Any] = {"model": "7B", "gpu": "h100", "tokens": "200B"}
    tried = [estimate_training_time(detail="detailed", **run, n_gpus=n) for n in (8, 16, 32, 64, 128)]
    costs = [answer.cost_usd.value or 0.0 for answer in tried]
    plan = plan_training(detail="detailed", **run, solve_for="n_gpus", budget=of_the_least * min(costs))
    budget = plan.budget_usd or 0.0
    for answer, cost in zip(tried, costs, strict=True):
        assert answer.training_days > 30 or (plan.solution.cost_usd.value or 0.0) <= cost * (1 + 1e-9)
    most = next(option for option in plan.alternatives if option.why == "the most that the budget pays for")
    assert f"At most it pays for {most.n_gpus:,}" in plan.summary
    here, beyond = (_forward(plan.solution, model="7B", n_gpus=most.n_gpus + more) for more in (0, 8))
    assert (here.cost_usd.value or 0.0) <= budget
    unspent = any(warning.code == "budget_not_spent" for warning in plan.warnings)
    assert unspent == (of_the_least > 2)
    assert (beyond.cost_usd.value or 0.0) > budget or beyond.gpu_hours > 2 * tried[0].gpu_hours * 0.95


@pytest.mark.parametrize(
    ("run", "budget", "most"),
    [
        ({"model": "7B", "gpu": "A100 80GB", "tokens": "20B"}, "$5000", 16),
        ({"model": "llama-3.1-8b", "gpu": "4090", "tokens": "alpaca", "method": "qlora"}, "$20", 4),
        ({"model": "llama-3.1-8b", "gpu": "h100", "tokens": "alpaca", "method": "lora"}, "$1k", 8),
        ({"model": "70B", "gpu": "h100", "tokens": "20B"}, "30k GPU-hours", 128),
    ],
)
def test_a_budget_alone_is_not_spent_on_a_fleet_for_minutes(run: dict[str, Any], budget: str, most: int) -> None:
    assert plan_training(solve_for="n_gpus", budget=budget, **run).solution.n_gpus <= most


def test_a_budget_that_pays_for_no_count_in_a_usual_time_buys_the_soonest() -> None:
    plan = _asked(model="llama-3.1-8b", budget="$2.2M")
    assert plan.solution.training_days > 30
    assert all(
        plan.solution.training_days < option.training_days for option in plan.alternatives if option.meets_limits
    )


@pytest.mark.parametrize(("gpu", "counts"), [("h100", "1, 2, 4, then multiples of 8"), ("gb200", "1, 2, then mult")])
def test_which_counts_the_fewest_are_of_is_said(gpu: str, counts: str) -> None:
    """Seven of eight may do, and nobody rents them; whoever has them asks for an estimate."""
    plan = _asked(model="llama-3.1-8b", gpu=gpu, tokens="alpaca", method="lora", deadline="20 minutes")
    assert f"the fewest that do of {counts}" in plan.solution.why
    assert any(told.name == "counts_considered" for told in plan.assumptions)


def _asked(**arguments: Any) -> TrainingPlan:  # noqa: ANN401 - any argument
    asked: dict[str, Any] = {"solve_for": "n_gpus", "gpu": "h100", "tokens": "15T"} | arguments
    return plan_training(detail="detailed", **asked)


@pytest.mark.parametrize(
    ("question", "relaxed"),
    [
        ({"model": "llama-3.1-405b", "deadline": "5 days"}, "deadline"),
        ({"model": "llama-3.1-8b", "budget": "$100k"}, "budget"),
        ({"model": "llama-3.1-8b", "deadline": "30 days", "budget": "$500k"}, "budget"),
        ({"model": "llama-3.1-405b", "deadline": "5 days"}, "tokens"),
        ({"model": "llama-3.1-8b", "budget": "$100k"}, "tokens"),
    ],
)
def test_what_is_said_to_do_does(question: dict[str, Any], relaxed: str) -> None:
    """A refusal that names a remedy that does not work would be worse than none."""
    with pytest.raises(InfeasibleError) as refused:
        _asked(**question)
    ways = str(refused.value).partition("what would do: ")[2].split("; or ")
    way = next(way for way in ways if relaxed in way).partition(" (")[0]
    value = way.removesuffix(" tokens") if relaxed == "tokens" else way.partition(" of ")[2]
    assert _asked(**(question | {relaxed: value})).solution.meets_limits


def _stated(option: PlanOption) -> dict[str, Any]:
    """Return the layout of an option as estimate_training_time takes it."""
    assert option.layout is not None
    return option.layout.model_dump(exclude={"data_parallel", "micro_batches"})


@SLOW
@given(
    model=st.sampled_from(MODELS),
    gpu=st.sampled_from((*GPUS, "4090")),
    n_gpus=st.sampled_from((1, 8, 48, 64, 256)),
    tensor_parallel=st.sampled_from((1, 2, 4, 8)),
    pipeline_parallel=st.sampled_from((1, 2, 4)),
    micro_batch_size=st.sampled_from((1, 2, 4)),
    activation_recompute=st.sampled_from(("auto", "none", "selective", "full")),
)
def test_no_layout_that_is_stated_is_faster_than_the_planned_one(
    model: str,
    gpu: str,
    n_gpus: int,
    **stated: Any,  # noqa: ANN401 - degrees and choices
) -> None:
    """Asked back with its layout stated, each option takes what the plan says, and none of other layouts takes less."""
    run: dict[str, Any] = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "tokens": "1T"}
    try:
        plan = plan_training(detail="detailed", solve_for="layout", **run)
    except InfeasibleError:
        return
    options = [plan.solution, *plan.alternatives]
    for option in options:
        assert estimate_training_time(detail="detailed", **run, **_stated(option)).training_days == pytest.approx(
            option.training_days
        )
    days = [option.training_days for option in options]
    assert days == sorted(days)
    try:
        other = estimate_training_time(
            detail="detailed", **run, **stated, global_batch_sequences=_stated(plan.solution)["global_batch_sequences"]
        )
    except EstimatorError:
        return
    if gpu != "4090" or stated["tensor_parallel"] * stated["pipeline_parallel"] == 1:
        assert _late(other, plan.solution.training_days * (1 - 1e-9), sure=False)
