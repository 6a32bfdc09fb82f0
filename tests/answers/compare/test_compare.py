"""A comparison's rows are the estimates of each option alone, ranked; what cannot be run is kept with the reason.

Authority: the program's contract for `compare_training_options`; for the figures, `estimate_training_time` itself.
"""

import itertools
from typing import Any

import pytest

from estimator.answers.compare.compare import MOST_OPTIONS, outcomes
from estimator.base.errors import EstimatorError
from estimator.base.units import GIGA, format_bytes
from estimator.catalogue import catalogue
from estimator.question.request import Request
from server.protocol.registry import TOOLS
from tools.compare_training_options import TrainingOptions, compare_training_options
from tools.estimate_training_time import estimate_training_time

MODELS = ["llama-3.1-8b", "mixtral-8x7b", "7B"]
GPUS = ["h100", "a100", "mi300x", "4090"]
COUNTS = [1, 8, 48, 512]
EVERYTHING: dict[str, Any] = {
    "models": MODELS,
    "gpus": GPUS,
    "n_gpus": COUNTS,
    "tokens": ["100B", "2T"],
    "methods": ["full", "qlora"],
    "limit": 200,
}


@pytest.fixture(scope="module")
def everything() -> TrainingOptions:
    """A comparison of models, GPUs, counts, tokens and methods."""
    return _compared(EVERYTHING)


def _compared(asked: dict[str, Any], **others: Any) -> TrainingOptions:  # noqa: ANN401 - arguments of any type
    given = asked | others
    return compare_training_options(detail="detailed", **given)


def _refusal(**given: Any) -> str:  # noqa: ANN401 - arguments of any type
    """Return why the tool refuses the arguments, as a caller is told."""
    tool = TOOLS.tool("compare_training_options")
    assert tool is not None
    asked = {"models": ["7B"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["1T"]} | given
    with pytest.raises(EstimatorError) as refused:
        tool.answer(asked)
    return str(refused.value)


def test_every_combination_is_a_row(everything: TrainingOptions) -> None:
    rows = [(row.model, row.n_gpus, row.tokens, row.method) for row in everything.rows]
    wanted = itertools.product(MODELS, COUNTS, (1e11, 2e12), ("full", "qlora"))
    assert sorted(rows) == sorted(option for option in wanted for _ in GPUS)
    assert everything.n_options == len(rows)
    assert everything.n_left_out == 0


def test_a_row_says_what_an_estimate_of_its_option_alone_says(everything: TrainingOptions) -> None:
    possible = [row for row in everything.rows if row.rank is not None]
    assert len(possible) > 50
    for row in possible[::5]:
        alone = estimate_training_time(
            detail="detailed",
            model=row.model,
            gpu=row.gpu,
            n_gpus=row.n_gpus,
            tokens=row.tokens,
            method=_method(row.method),
        )
        assert row.training_days == pytest.approx(alone.training_days, rel=1e-12)
        assert row.training_days_low == pytest.approx(alone.training_days_low, rel=1e-12)
        assert row.training_days_high == pytest.approx(alone.training_days_high, rel=1e-12)
        assert row.cost_usd == pytest.approx(alone.cost_usd.value, rel=1e-5)
        assert row.energy_kwh == pytest.approx(alone.energy_kwh.value, rel=1e-5)
        assert row.model_flops_utilization == pytest.approx(alone.model_flops_utilization, rel=1e-12)
        assert row.basis == alone.basis
        assert alone.memory is not None
        assert row.memory_gb == pytest.approx(alone.memory.per_gpu_gb, rel=1e-12)


def test_what_does_not_fit_is_what_an_estimate_warns_of(everything: TrainingOptions) -> None:
    too_large = [row for row in everything.rows if row.reason and row.reason.startswith("does not fit")]
    assert {row.gpu for row in too_large} >= {"h100-sxm", "rtx-4090"}
    for row in too_large[::7]:
        alone = estimate_training_time(
            detail="detailed",
            model=row.model,
            gpu=row.gpu,
            n_gpus=row.n_gpus,
            tokens=row.tokens,
            method=_method(row.method),
        )
        assert "does_not_fit" in {warning.code for warning in alone.warnings}
        assert alone.memory is not None
        # The smallest layout's, which an estimate tells first; it prints a larger one that somebody would run.
        assert row.memory_gb is not None
        assert f"it takes {format_bytes(row.memory_gb * GIGA)} on each" in alone.summary
        assert row.memory_gb <= alone.memory.per_gpu_gb * (1.0 + 1e-12)
        assert row.training_days is None


def test_an_outcome_does_not_depend_on_its_neighbours() -> None:
    """Sweeps are cut into pieces anywhere."""
    asked = [
        Request(model=model, gpu=gpu, n_gpus=n_gpus, tokens=tokens)
        for model, gpu, n_gpus, tokens in itertools.product(MODELS, GPUS, COUNTS, (1e11, 2e12))
    ]
    together = list(outcomes(asked))
    assert [outcome.request for outcome in together] == asked
    for place in range(0, len(asked), 13):
        (alone,) = outcomes([asked[place]])
        assert alone == together[place]


@pytest.mark.parametrize(
    ("rank_by", "column"),
    [("time", "training_days"), ("cost", "cost_usd"), ("energy", "energy_kwh")],
)
def test_rows_come_in_the_order_of_what_is_asked_for(rank_by: str, column: str) -> None:
    answer = _compared(EVERYTHING, rank_by=rank_by)
    possible = [row for row in answer.rows if row.rank is not None]
    assert [row.rank for row in possible] == list(range(1, answer.n_possible + 1))
    values: list[float] = [getattr(row, column) for row in possible]
    assert values == sorted(values)
    assert all(row.rank is None for row in answer.rows[answer.n_possible :])


def test_a_batch_that_follows_from_the_amount_is_that_of_each_row() -> None:
    """Adapters on 2,000 times as many tokens take larger steps, whatever amount is compared beside."""
    asked = {"models": ["llama-3.1-8b"], "gpus": ["h100-sxm"], "n_gpus": [48], "methods": ["qlora"]}
    both = {row.tokens: row for row in _compared(asked, tokens=["1B", "2T"]).rows}
    (alone,) = _compared(asked, tokens=["2T"]).rows
    assert both[2e12].layout == alone.layout
    assert both[2e12].layout != both[1e9].layout


@pytest.mark.parametrize("same_work", [False, True])
def test_pareto_rows_are_those_that_nothing_beats(everything: TrainingOptions, same_work: bool) -> None:
    """By the definition: another is as good in both, and better in one."""
    rows = [(row, row.training_days, row.cost_usd) for row in everything.rows if row.rank is not None]
    for row, days, cost in rows:
        assert days is not None
        assert cost is not None
        beaten = any(
            other_days is not None
            and other_cost is not None
            and other_days <= days
            and other_cost <= cost
            and (other_days, other_cost) != (days, cost)
            and (not same_work or (other.model, other.method, other.tokens) == (row.model, row.method, row.tokens))
            for other, other_days, other_cost in rows
        )
        assert (row.pareto_same_work if same_work else row.pareto) is not beaten


def test_scaling_efficiency_is_relative_to_the_fewest_gpus_that_can_run_it(everything: TrainingOptions) -> None:
    series: dict[tuple[object, ...], dict[int, tuple[float, float]]] = {}
    for row in everything.rows:
        if row.scaling_efficiency is not None and row.tokens_per_second_per_gpu is not None:
            option = (row.model, row.gpu, row.tokens, row.method)
            series.setdefault(option, {})[row.n_gpus] = (row.tokens_per_second_per_gpu, row.scaling_efficiency)
    assert len(series) > 20
    for counts in series.values():
        fewest, _ = counts[min(counts)]
        for per_gpu, efficiency in counts.values():
            assert efficiency == pytest.approx(per_gpu / fewest, rel=1e-12)


def test_both_of_two_options_are_named_in_the_summary() -> None:
    """Whether to rent A100s or H100s is answered by both, in time and in dollars."""
    asked: dict[str, Any] = {"models": ["llama-3.1-8b"], "gpus": ["A100 80GB", "H100"], "n_gpus": [8], "tokens": ["1B"]}
    for rank_by in ("time", "cost", "energy"):
        summary = _compared(asked, rank_by=rank_by).summary
        assert summary.count("A100 SXM4 80GB") == summary.count("H100 SXM5 80GB") == 1
        assert summary.count("about $") == 2


def test_the_cheapest_is_named_beside_the_fastest(everything: TrainingOptions) -> None:
    possible = [row for row in everything.rows if row.rank is not None]
    cheapest = min(possible, key=lambda row: row.cost_usd or float("inf"))
    assert cheapest.rank is not None
    word = {1: "Fastest: ", 2: "Next: "}.get(cheapest.rank, "Cheapest: ")
    told = everything.summary.partition(word)[2].partition(" days")[0]
    assert f"{cheapest.n_gpus:,} × " in told


@pytest.mark.parametrize("limit", [1, 7])
def test_no_more_rows_are_listed_than_asked_for_the_best_and_the_front_among_them(
    everything: TrainingOptions, limit: int
) -> None:
    short = _compared(EVERYTHING, limit=limit)
    assert len(short.rows) == limit
    assert short.n_left_out == short.n_options - limit
    ranks = [row.rank or 10_000 for row in short.rows]
    assert ranks == sorted(ranks)
    assert ranks[: limit - limit // 2] == [*range(1, 1 + limit - limit // 2)]
    marked = [row.rank or 0 for row in everything.rows if row.pareto]
    assert limit == 1 or max(marked) in ranks


@pytest.mark.parametrize(
    "asked",
    [
        {"models": ["7B"], "gpus": ["all"], "n_gpus": [8]},
        {"models": ["7B"], "gpus": ["h100", "b200"], "n_gpus": [*range(1, 60)]},
        {"models": ["70B", "405B"], "gpus": ["all"], "n_gpus": [8, 64]},
        {"models": ["llama-3.1-8b"], "gpus": ["all"], "n_gpus": [4], "methods": ["full", "lora", "qlora"]},
    ],
)
def test_ten_rows_fit_the_room_of_an_answer(asked: dict[str, Any]) -> None:
    """The contract's 8,000 characters, however many options there are."""
    answer = compare_training_options(**asked, tokens=["1T"], limit=10)
    assert len(answer.rows) == min(10, answer.n_options)
    assert len(answer.model_dump_json(exclude_unset=True)) <= 8_000


def test_what_is_refused_is_kept_with_the_reason() -> None:
    answer = compare_training_options(
        detail="detailed",
        models=["7B", "lama-3.1-8b"],
        gpus=["h100", "a100"],
        n_gpus=[8],
        tokens=["1T"],
        precisions=["bf16", "fp8"],
    )
    reasons = {(row.model, row.gpu, row.precision): row.reason or "" for row in answer.rows}
    assert len(reasons) == 8
    assert reasons["7B", "h100-sxm", "fp8"] == ""
    assert "fp8" in reasons["7B", "a100", "fp8"]
    assert "llama-3.1-8b" in reasons["lama-3.1-8b", "h100", "bf16"]
    assert answer.n_possible == 3


def test_a_cluster_larger_than_a_usual_batch_is_answered_on_stacks_that_split_no_model() -> None:
    """A TPU slice under MaxText shards its data over every chip; nobody asked for fewer sequences than chips."""
    answer = compare_training_options(
        detail="detailed", models=["llama-3.1-405b"], gpus=["tpu-v5p"], n_gpus=[4096, 8192], tokens=["1T"]
    )
    assert answer.n_possible == 2


def test_one_price_is_for_all_gpus_and_several_are_for_each() -> None:
    same = compare_training_options(
        detail="detailed", models=["7B"], gpus=["h100", "a100"], n_gpus=[8], tokens=["1T"], prices_per_gpu_hour=[2]
    )
    each = compare_training_options(
        detail="detailed",
        models=["7B"],
        gpus=["h100", "a100"],
        n_gpus=[8],
        tokens=["1T"],
        prices_per_gpu_hour=[2, "$0.5"],
    )
    for answer, prices in ((same, {"h100-sxm": 2, "a100-sxm-80gb": 2}), (each, {"h100-sxm": 2, "a100-sxm-80gb": 0.5})):
        assert {row.gpu for row in answer.rows} == set(prices)
        for row in answer.rows:
            assert row.gpu_hours is not None
            assert row.cost_usd == pytest.approx(prices[row.gpu] * row.gpu_hours, rel=1e-5)


def test_lists_may_be_sent_as_text_and_single_values_alone() -> None:
    tool = TOOLS.tool("compare_training_options")
    assert tool is not None
    lists = {"models": ["7B"], "gpus": ["h100", "a100"], "n_gpus": [8, 64], "tokens": ["1T"]}
    for other in (
        {"models": "7B", "gpus": "h100, a100", "n_gpus": "8,64", "tokens": "1T"},
        {"models": "7B", "gpus": '["h100", "a100"]', "n_gpus": ["8", 64.0], "tokens": 1e12},
    ):
        assert tool.answer(other).structured == tool.answer(lists).structured


@pytest.mark.parametrize(("n_gpus", "desktop"), [([1], True), ([16], False)])
def test_all_devices_are_those_with_a_price_and_of_many_those_of_data_centres(n_gpus: list[int], desktop: bool) -> None:
    asked = {"models": ["1B"], "gpus": ["all"], "n_gpus": n_gpus, "tokens": ["1B"], "limit": 200}
    rows = _compared(asked).rows
    found = {row.gpu for row in rows}
    assert {"h100-sxm", "a100-sxm-80gb", "mi300x"} <= found
    assert ("rtx-4090" in found) is desktop
    assert all(catalogue.prices(gpu) for gpu in found)
    assert len(rows) == len(found)


def test_a_value_that_is_given_twice_counts_once() -> None:
    answer = compare_training_options(
        detail="detailed",
        models=["7B", "7B"],
        gpus=["h100", "h100", "a100"],
        n_gpus=[8, "8"],
        tokens=["1T", 1e12],
        methods=["full"] * 3,
    )
    assert answer.n_options == len(answer.rows) == 2


def test_more_options_than_are_taken_are_refused_before_any_is_estimated() -> None:
    refusal = _refusal(n_gpus=list(range(1, 102)), tokens=list(range(1, 21)))
    assert "2020" in refusal
    assert f"{MOST_OPTIONS:,}" in refusal
    assert "101 n_gpus × 20 tokens" in refusal


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"models": []}, ("models", "empty")),
        ({"models": [True]}, ("models",)),
        ({"models": {"a": 1}}, ("models",)),
        ({"n_gpus": [0]}, ("n_gpus", "0")),
        ({"n_gpus": ["8 or so"]}, ("n_gpus", "8 or so")),
        ({"n_gpus": [float("inf")]}, ("n_gpus", "finite")),
        ({"tokens": ["lots"]}, ("tokens", "lots")),
        ({"tokens": ["-1"]}, ("tokens", "-1")),
        ({"precisions": ["bf61"]}, ("bf61", "bf16")),
        ({"methods": "lora,fulll"}, ("fulll", "full")),
        ({"rank_by": "speed"}, ("rank_by", "time, cost")),
        ({"prices_per_gpu_hour": [1, 2, 3]}, ("prices_per_gpu_hour", "3", "1 gpus")),
        ({"gpus": ["h100-smx"]}, ("gpu", "h100-sxm")),
        ({"model": "7B"}, ("model", "models")),
    ],
)
def test_bad_input_is_refused_by_name(given: dict[str, Any], told: tuple[str, ...]) -> None:
    refusal = _refusal(**given)
    assert all(word in refusal for word in told), refusal


def _method(name: str) -> Any:  # noqa: ANN401 - one of the tool's choices
    return name


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        # What one GPU holds beside 30 billion weights is little.
        (
            {"models": ["qwen3-30b-a3b"], "gpus": ["H100"], "n_gpus": [1, 2], "methods": ["lora"]}
            | {"framework": "torchtitan"},
            "activation recomputation is",
        ),
        ({"models": ["llama-3.1-70b"], "gpus": ["H100"], "n_gpus": [512, 1024]}, ""),
    ],
)
def test_why_more_gpus_do_more_than_in_proportion_is_said(asked: dict[str, Any], reason: str) -> None:
    """Amdahl 1967: they do not, unless what they are shared out among them lets each work otherwise."""
    found = _compared({"tokens": ["100M"], **asked})
    beyond = [row for row in found.rows if (row.scaling_efficiency or 0.0) > 1.02]
    said = [warning.message for warning in found.warnings if warning.code == "more_than_in_proportion"]
    assert len(beyond) == len(said) == (1 if reason else 0)
    assert all(f"because {reason}" in message for message in said)


def test_a_summary_names_what_cannot_be_run_and_a_row_of_it_tells_no_nulls() -> None:
    tool = TOOLS.tool("compare_training_options")
    assert tool is not None
    asked = {"models": ["llama-3.1-8b", "llama-3.1-70b"], "gpus": ["h100"], "n_gpus": [1, 64], "tokens": ["1B"]}
    answer = tool.answer(asked).structured
    told = answer["summary"].partition("2 cannot: ")[2]
    assert "Llama 3.1 8B on 1 × H100" in told
    assert "Llama 3.1 70B on 1 × H100" in told
    assert "not fit in memory" in told
    for row in answer["rows"]:
        silent = {key for key, value in row.items() if value is None}
        assert silent == ({"reason"} if row["rank"] else {"rank", "training_days", "cost_usd"})


@pytest.mark.parametrize("wrong", [{"gpus": ["h100", "rtx 3090i"]}, {"models": ["7B", "lama-3.1-8b"]}])
def test_a_summary_does_not_end_twice(wrong: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"models": ["7B"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["1T"]}
    summary = compare_training_options(**(asked | wrong)).summary
    assert summary.endswith("?")


def test_recomputation_of_the_rule_of_thumb_is_not_told_of_options_that_have_layouts(
    everything: TrainingOptions,
) -> None:
    """The rule is not shown beside predictions, and its recomputation is no layout's."""
    names = {assumption.name for assumption in everything.assumptions}
    assert not names & {"activation_recompute", "rule_of_thumb_recompute"}
