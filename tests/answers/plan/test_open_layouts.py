"""The fastest layout that fits is the fastest of all that the stack can be set to, not of what it does unless told.

Authority: `estimate_training_time` of the same question with each layout stated.
"""

import itertools
from typing import Any

import pytest

from estimator.base.errors import EstimatorError
from tools.estimate_training_time import TrainingTime, estimate_training_time
from tools.plan_training import TrainingPlan, plan_training

WORTH_SHARDING = 0.01
"""What another way to shard must save before it is planned in place of the stack's own."""
LORA: dict[str, Any] = {"model": "llama-3.1-8b", "method": "lora"}
SEVEN: dict[str, Any] = {"model": "qwen2.5-7b", "gpu": "a100", "n_gpus": 8}
QUESTIONS: dict[str, dict[str, Any]] = {
    "trl": {**LORA, "gpu": "h100", "n_gpus": 1, "tokens_per_sample": "exactly 500", "framework": "trl"},
    "torchtune": {**LORA, "gpu": "a100", "n_gpus": 1, "tokens_per_sample": "exactly 500", "framework": "torchtune"},
    "unlike lengths": {**SEVEN, "tokens_per_sample": 800, "method": "lora", "framework": "trl"},
    "sharded": {**SEVEN, "tokens_per_sample": 500, "framework": "accelerate + FSDP"},
    "unsharded by habit": {**SEVEN, "model": "qwen2.5-3b", "tokens_per_sample": 500, "framework": "trl"},
    "an engine": {**SEVEN, "gpu": "h100", "tokens_per_sample": 500, "framework": "deepspeed"},
    "a quantised base": {
        "model": "llama-3.1-8b",
        "gpu": "rtx-4090",
        "n_gpus": 2,
        "tokens_per_sample": 500,
        "method": "qlora",
        "framework": "axolotl, torchrun",
    },
    "pairs": {**LORA, "gpu": "h100", "n_gpus": 8, "tokens_per_sample": 500, "framework": "trl", "objective": "dpo"},
    "an encoder": {
        "model": "bert-large",
        "gpu": "rtx-4090",
        "n_gpus": 1,
        "tokens_per_sample": "mean 100",
        "objective": "classification",
        "framework": "pytorch",
    },
    "packed": {**SEVEN, "tokens_per_sample": 500, "framework": "axolotl"},
}


def _asked(name: str) -> dict[str, Any]:
    return {"samples": 20_000, **QUESTIONS[name]}


def _planned(asked: dict[str, Any]) -> TrainingPlan:
    return plan_training(solve_for="layout", detail="detailed", **asked)


def _stated(asked: dict[str, Any], **layout: Any) -> TrainingTime | None:  # noqa: ANN401 - knobs of a layout
    """Return the estimate of a stated layout; None where it does not divide or fit."""
    try:
        answer = estimate_training_time(detail="detailed", **asked, **layout)
    except EstimatorError:
        return None
    codes = {warning.code for warning in answer.warnings}
    return answer if answer.memory and answer.memory.fits and not codes & {"does_not_fit", "batch_rounded"} else None


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_micro_batch_recomputation_or_sharding_that_is_stated_beats_the_planned_layout(name: str) -> None:
    asked = _asked(name)
    plan = _planned(asked)
    assert plan.solution.layout is not None
    batch = plan.solution.layout.global_batch_sequences
    shardings = ("auto", "zero2") if asked["n_gpus"] > 1 and name != "sharded" else ("auto",)
    tried = [
        _stated(
            asked,
            micro_batch_size=micro,
            activation_recompute=recompute,
            data_sharding=sharding,
            global_batch_sequences=batch,
        )
        for micro, recompute, sharding in itertools.product((1, 2, 4, 8, 16, 32), ("none", "full"), shardings)
    ]
    fitting = [answer.training_days for answer in tried if answer is not None]
    assert len(fitting) > 1
    assert plan.solution.training_days <= min(fitting) * (1.0 + WORTH_SHARDING)


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_the_trainer_does_unless_told_stands_beside_a_faster_layout_in_the_same_batch(name: str) -> None:
    asked = _asked(name)
    usual = estimate_training_time(detail="detailed", **asked)
    plan = _planned(asked)
    assert usual.layout is not None
    assert plan.solution.layout is not None
    assert plan.solution.layout.global_batch_sequences == usual.layout.global_batch_sequences
    if plan.solution.layout == usual.layout:
        assert "Unless told" not in plan.summary
        return
    assert "Unless told" in plan.summary
    beside = [option for option in plan.alternatives if option.layout == usual.layout]
    assert len(beside) == 1
    assert beside[0].training_days > plan.solution.training_days


def test_what_is_told_is_not_searched() -> None:
    asked = _asked("trl")
    assert _planned({**asked, "micro_batch_size": 2}).estimate.layout.micro_batch_size == 2  # type: ignore[union-attr]
    kept = _planned({**asked, "framework": "trl, per_device_train_batch_size=2, gradient_checkpointing=True"})
    assert kept.estimate.layout is not None
    assert (kept.estimate.layout.micro_batch_size, kept.estimate.layout.activation_recompute) == (2, "full")
    assert "Unless told" not in kept.summary


def test_a_batch_whose_samples_are_one_anothers_negatives_is_not_split_for_speed() -> None:
    asked: dict[str, Any] = {"model": "bge-large", "gpu": "a100", "n_gpus": 1, "objective": "contrastive"}
    data: dict[str, Any] = {"samples": 100_000, "tokens_per_sample": 100, "global_batch_sequences": 64}
    plan = _planned({**asked, **data, "framework": "sentence-transformers"})
    assert plan.solution.layout is not None
    assert plan.solution.layout.micro_batches == 1
