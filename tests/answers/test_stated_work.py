"""Work as people state it, asked of every tool: steps, data sets, ranges of lengths, GPU-hours.

Authority: the definitions in the program's contract; each other way to say the same.
"""

import json
from typing import Any

import pytest

from estimator.base.errors import EstimatorError, InfeasibleError, InvalidValueError, MissingValueError
from server.protocol.registry import TOOLS

TUNED: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 8, "method": "lora"}
TRAINED: dict[str, Any] = {"model": "7B", "gpu": "h100-sxm", "n_gpus": 64}
STEPS: dict[str, Any] = {"steps": 1000, "global_batch_sequences": 512, "sequence_length": 4096}
TOKENS = 1000 * 512 * 4096
MOST_CHARACTERS = 4_500
"""Of a concise estimate."""


def _answer(tool_name: str, **asked: object) -> dict[str, Any]:
    tool = TOOLS.tool(tool_name)
    assert tool is not None
    return tool.answer({"detail": "detailed"} | asked).structured


def _assumed(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in answer["assumptions"] if one["name"] == name)


def test_steps_take_as_long_as_the_tokens_that_they_are() -> None:
    stepped = _answer("estimate_training_time", **TRAINED, **STEPS)
    counted = _answer("estimate_training_time", **TRAINED, **STEPS | {"steps": None}, tokens=TOKENS)
    assert stepped["training_days"] == counted["training_days"]
    overhead = 1 + _assumed(stepped, "run_level_overhead")["value"]
    assert stepped["training_seconds"] == pytest.approx(1000 * stepped["step_seconds"] * overhead, rel=1e-3)


def test_a_comparison_and_a_check_and_a_plan_take_steps_too() -> None:
    compared = _answer("compare_training_options", models=["7B"], gpus=["h100-sxm"], n_gpus=[64], **STEPS)
    assert compared["rows"][0]["tokens"] == TOKENS
    checked = _answer("check_training_speed", **TRAINED, **STEPS, observed_tokens_per_second="600k")
    assert checked["remaining_days"] == pytest.approx(TOKENS / 600e3 / 86400)
    plan = {"solve_for": "n_gpus", "model": "7B", "gpu": "h100-sxm", "deadline": "10 hours"}
    assert (
        _answer("plan_training", **plan, **STEPS)["solution"]
        == _answer("plan_training", **plan, **STEPS | {"steps": None}, tokens=TOKENS)["solution"]
    )


def test_steps_are_of_one_length_on_every_gpu_that_is_compared() -> None:
    """What was published of a run on one of them is at another length, and would make its steps another work."""
    asked = {"models": ["llama-2-7b"], "gpus": ["h100-sxm", "a100-sxm-80gb"], "n_gpus": [8]}
    rows = _answer("compare_training_options", **asked, steps=1000, global_batch_sequences=512)["rows"]
    assert len({row["tokens"] for row in rows}) == 1


def test_solving_for_tokens_takes_no_steps() -> None:
    with pytest.raises(InvalidValueError, match="steps"):
        _answer("plan_training", solve_for="tokens", **TRAINED, deadline="2 days", **STEPS)


def test_a_comparison_needs_an_amount() -> None:
    with pytest.raises(MissingValueError, match="tokens"):
        _answer("compare_training_options", models=["7B"], gpus=["h100-sxm"], n_gpus=[64])


@pytest.mark.parametrize("name", ["alpaca x3", "ultrachat-200k ×3", "guanaco", "10k samples of slimorca"])
def test_a_data_set_takes_as_long_as_its_samples_told_one_by_one(name: str) -> None:
    named = _answer("estimate_training_time", **TUNED, tokens=name, packing="packed")
    real = _assumed(named, "tokens")["value"]
    assert _assumed(named, "dataset")["source"] == "catalogue"
    assert "source: " in _assumed(named, "dataset")["note"]
    told = _answer("estimate_training_time", **TUNED, samples=real / 100, tokens_per_sample=100, packing="packed")
    assert named["training_days"] == pytest.approx(told["training_days"], rel=0.02)


def test_a_data_set_in_a_comparison_is_named_like_any_amount() -> None:
    amounts = ["alpaca x3", "100M", "gsm8k"]
    answer = _answer("compare_training_options", models=["7B"], gpus=["h100"], n_gpus=[8], tokens=amounts)
    assert {round(row["tokens"] / 1e6, 1) for row in answer["rows"]} == {18.6, 100.0, 1.2}


def test_a_misspelt_data_set_in_a_comparison_is_refused() -> None:
    with pytest.raises(EstimatorError, match="did you mean alpaca"):
        _answer("compare_training_options", models=["7B"], gpus=["h100"], n_gpus=[8], tokens=["alpacca"])


def test_a_data_sets_description_leaves_an_answer_within_its_size() -> None:
    answer = _answer("estimate_training_time", **TUNED, tokens="ultrachat-200k x3", framework="trl")
    notes = len(json.dumps(_assumed(answer, "dataset"), ensure_ascii=False))
    assert notes < MOST_CHARACTERS / 8


def test_a_range_of_lengths_takes_much_less_time_than_a_wide_spread() -> None:
    """A public question: Llama 2 13B with LoRA on one H100, 1M samples of 500 to 600 tokens, takes 24 to 35 hours."""
    asked = {"model": "llama-2-13b", "gpu": "h100-sxm", "n_gpus": 1, "method": "lora", "samples": "1M"}
    ranged = _answer("estimate_training_time", **asked, tokens_per_sample="500-600")
    spread = _answer("estimate_training_time", **asked, tokens_per_sample=550)
    assert 24 / 1.3 < 24 * ranged["training_days"] < 35 * 1.3
    assert 24 * ranged["training_days_low"] < 35 < 24 * ranged["training_days_high"]
    assert ranged["training_days"] < 0.7 * spread["training_days"]
    assert ranged["training_days_high"] / ranged["training_days_low"] < (
        spread["training_days_high"] / spread["training_days_low"]
    )


@pytest.mark.parametrize("said", ["2500 GPU-hours", "2.5k GPU hours", 2500, "2500 H100-hours"])
def test_gpu_hours_are_the_hours_of_all_gpus_together(said: object) -> None:
    asked = {**TRAINED, "tokens": "100B"}
    whole = _answer("check_training_speed", **asked, observed_gpu_hours=said)
    hours = _answer("check_training_speed", **asked, observed_hours=2500 / 64)
    assert whole["observed"] == pytest.approx(hours["observed"])
    assert whole["verdict"] == hours["verdict"]
    assert "2,500 GPU-hours ÷ 64 GPUs" in whole["observed_how"]


def test_gpu_hours_without_an_amount_say_what_is_missing() -> None:
    with pytest.raises(MissingValueError, match=r"tokens.*observed_gpu_hours"):
        _answer("check_training_speed", **TRAINED, observed_gpu_hours=100)
    with pytest.raises(InvalidValueError, match="say the same thing twice"):
        _answer("check_training_speed", **TRAINED, tokens="1B", observed_gpu_hours=100, observed_hours=2)


@pytest.mark.parametrize("argument", ["budget", "deadline"])
def test_a_plan_keeps_to_gpu_hours_wherever_they_are_said(argument: str) -> None:
    answer = _answer("plan_training", solve_for="tokens", **TRAINED, **{argument: "5000 GPU-hours"})
    assert answer["budget_gpu_hours"] == 5000
    assert answer["budget_usd"] is None
    assert answer["solution"]["gpu_hours"] == pytest.approx(5000, rel=1e-3)
    assert answer["sure_solution"]["gpu_hours"] < 5000
    assert "5k GPU-hours" in answer["summary"]


def test_gpu_hours_need_no_price() -> None:
    """A card that nobody rents out by the hour has none."""
    run = {"model": "1B", "gpu": "p40", "n_gpus": 8}
    assert _answer("plan_training", solve_for="tokens", **run, budget="800 GPU-hours")["solution"]["tokens"] > 0
    with pytest.raises(MissingValueError, match="price_per_gpu_hour"):
        _answer("plan_training", solve_for="tokens", **run, budget="$1000")


def test_too_few_gpu_hours_say_how_many_would_do() -> None:
    asked = {"solve_for": "n_gpus", "model": "7B", "gpu": "h100", "tokens": "1T", "deadline": "10 days"}
    with pytest.raises(InfeasibleError, match=r"a budget of .* GPU-hours"):
        _answer("plan_training", **asked, budget="5000 GPU-hours")
    with pytest.raises(InvalidValueError, match=r"deadline.*GPU time"):
        _answer("plan_training", **asked | {"deadline": "5000 GPU-hours"}, budget="$1000")
    with pytest.raises(InvalidValueError, match=r"budget.*GPU-hours"):
        _answer("plan_training", **asked, budget="5000 hours")


def test_the_size_of_a_model_is_planned_for_steps_and_for_a_data_set() -> None:
    asked = {"solve_for": "model_size", "gpu": "h100", "n_gpus": 64, "deadline": "5 days"}
    assert _answer("plan_training", **asked, **STEPS)["solution"]["tokens"] == TOKENS
    named = _answer("plan_training", **asked, tokens="openwebtext x10")
    assert named["solution"]["tokens"] == pytest.approx(90.4e9, rel=0.01)
