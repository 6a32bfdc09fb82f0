"""Lengths that nobody tells: one for a trainer, whatever the amount, and one that fits."""

from typing import Any

import pytest

from tools.check_training_speed import check_training_speed
from tools.compare_training_options import compare_training_options
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import plan_training

SMALL: dict[str, Any] = {"model": "llama-3.2-1b", "gpu": "rtx-4090", "n_gpus": 2}
TUNED: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "framework": "accelerate FSDP"}


def _length(answer: Any) -> tuple[int, str]:  # noqa: ANN401 - any tool's answer
    told = next(one for one in answer.assumptions if one.name == "sequence_length")
    return int(told.value), told.note


@pytest.mark.parametrize("asked", [SMALL, TUNED], ids=["consumer cards", "a trainer for tuning"])
def test_a_trainer_has_one_length_whatever_the_amount(asked: dict[str, Any]) -> None:
    answers = [estimate_training_time(**asked, tokens=tokens, detail="detailed") for tokens in ("100M", "3B", "300B")]
    assert len({_length(answer) for answer in answers}) == 1
    assert len({answer.memory and answer.memory.fits for answer in answers}) == 1


def test_a_length_that_nobody_told_gives_way_to_one_that_fits() -> None:
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "rtx 3060", "n_gpus": 1, "method": "qlora"}
    answer = estimate_training_time(**asked, tokens="10M", detail="detailed")
    length, note = _length(answer)
    assert answer.memory is not None
    assert answer.memory.fits
    assert length == 1024
    assert "2,048 would need more memory" in note
    told = estimate_training_time(**asked, tokens="10M", sequence_length=2 * length)
    assert told.memory is not None
    assert not told.memory.fits


def test_a_row_of_a_comparison_does_not_depend_on_the_others() -> None:
    asked: dict[str, Any] = {"models": [SMALL["model"]], "gpus": [SMALL["gpu"]], "n_gpus": [2]}
    alone = compare_training_options(**asked, tokens=["10B"])
    beside = compare_training_options(**asked, tokens=["1B", "10B"])
    assert alone.summary.startswith("1 of 1 options can be run")
    assert beside.summary.startswith("2 of 2 options can be run")


def test_most_tokens_are_planned_where_an_estimate_of_them_fits() -> None:
    planned = plan_training(solve_for="tokens", deadline="2 days", **SMALL)
    again = estimate_training_time(**SMALL, tokens=planned.solution.tokens)
    assert again.training_days == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("limit", [{"deadline": "5 hours"}, {"budget": "$100"}])
def test_the_most_tokens_are_the_most(limit: dict[str, Any]) -> None:
    planned = plan_training(solve_for="tokens", **TUNED, **limit).solution
    used = planned.training_days * 24 / 5 if "deadline" in limit else (planned.cost_usd.value or 0.0) / 100
    assert used == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("asked", [SMALL, TUNED], ids=["consumer cards", "a trainer for tuning"])
def test_a_verdict_is_the_same_whether_or_not_the_amount_is_told(asked: dict[str, Any]) -> None:
    observed: dict[str, Any] = {**asked, "observed_tokens_per_second": "20k"}
    unsaid, told = check_training_speed(**observed), check_training_speed(**observed, tokens="100M")
    assert unsaid.verdict == told.verdict
    assert (unsaid.expected_low, unsaid.expected, unsaid.expected_high) == pytest.approx(
        (told.expected_low, told.expected, told.expected_high)
    )


@pytest.mark.parametrize("model", ["qwen2.5-0.5b", "gemma-2-9b", "llama-3.1-8b", "qwen3-30b-a3b", "llama-3.1-70b"])
@pytest.mark.parametrize("framework", ["megatron", "huggingface", "torchtitan", "unsloth"])
@pytest.mark.parametrize(("gpu", "n_gpus"), [("rtx-4090", 1), ("a100-40gb", 8), ("h100", 8), ("h100", 64)])
def test_a_length_that_nobody_told_fits_or_none_does(model: str, framework: str, gpu: str, n_gpus: int) -> None:
    asked: dict[str, Any] = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "framework": framework, "tokens": "1B"}
    unsaid = estimate_training_time(**asked)
    assert unsaid.memory is not None
    if not unsaid.memory.fits:
        shortest = estimate_training_time(**asked, sequence_length=1024)
        assert shortest.memory is not None
        assert not shortest.memory.fits


def test_a_comparison_at_several_lengths_says_so() -> None:
    """Part of a difference may be the length's."""
    asked: dict[str, Any] = {"models": ["google/gemma-2-9b"], "n_gpus": [1], "tokens": ["5M"], "methods": ["qlora"]}
    asked |= {"gpus": ["rtx-3090", "rtx-4060-ti-16gb"], "framework": "HF Trainer"}
    open_, told = compare_training_options(**asked), compare_training_options(**asked, sequence_length=1024)
    assert "several_lengths_assumed" in {warning.code for warning in open_.warnings}
    assert "several_lengths_assumed" not in {warning.code for warning in told.warnings}


def test_a_benchmark_that_would_not_fit_is_another_run() -> None:
    """fms-acceleration's full runs of 8B on one A100 held weights and states in 16 bits."""
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "a100-80gb", "n_gpus": 1, "tokens": "20M"}
    answer = estimate_training_time(**asked, framework="HF Trainer, AdamW, bf16", detail="detailed")
    assert answer.memory is not None
    assert not answer.memory.fits
    assert "published_run" not in {one.name for one in answer.assumptions}
    assert _length(answer)[0] == 2048
