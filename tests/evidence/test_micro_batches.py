"""A micro-batch that nobody told: the range of a run of fine-tuning holds the trainer's usual one.

Authority: examples and defaults of the trainers (`MICRO_BATCHES`); arithmetic on the answers themselves.
"""

from typing import Any

import pytest

from estimator.physics.habits import MICRO_BATCHES
from tools.estimate_training_time import estimate_training_time

TUNED = {"tokens": "10M", "sequence_length": 2048, "n_gpus": 1, "global_batch_sequences": 64}


def _answer(**asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the tool's arguments
    run: dict[str, Any] = {**TUNED, **asked}
    return estimate_training_time(**run).model_dump()


def _codes(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["warnings"]}


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "qwen3-30b-a3b", "gpu": "rtx-4090", "method": "qlora", "framework": "unsloth"},
        {"model": "deepseek-v2-lite", "gpu": "a100", "n_gpus": 8, "method": "lora", "framework": "ms-swift"},
        {"model": "mixtral-8x7b", "gpu": "rtx-4090", "n_gpus": 2, "method": "qlora", "framework": "FSDP axolotl"},
        {"model": "qwen3-0.6b", "gpu": "h100", "framework": "llama-factory"},
    ],
    ids=lambda asked: f"{asked['model']} on {asked['framework']}",
)
def test_the_usual_micro_batch_is_taken_and_the_range_holds_the_fastest_one(asked: dict[str, Any]) -> None:
    unsaid = _answer(**asked)
    assert "micro_batch_unsaid" in _codes(unsaid)
    names = {name.replace("-", ""): size for name, size in MICRO_BATCHES.items()}
    usual = next(size for name, size in names.items() if name in asked["framework"].replace("-", ""))
    stated = _answer(**asked, micro_batch_size=usual)
    assert "micro_batch_unsaid" not in _codes(stated)
    assert unsaid["layout"]["micro_batch_size"] <= usual
    assert unsaid["training_days"] == pytest.approx(stated["training_days"], rel=1e-6)
    stated_larger = [_answer(**asked, micro_batch_size=size) for size in (4, 8)]
    larger = min(answer["training_days"] for answer in stated_larger if answer["memory"]["fits"])
    assert unsaid["training_days_low"] < larger < 0.86 * unsaid["training_days"]


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "llama-3.1-8b", "gpu": "h100", "method": "lora", "framework": "torchtune"},
        {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 64, "framework": "nemo"},
        {"model": "qwen3-0.6b", "gpu": "h100", "framework": "huggingface"},
        {"model": "qwen3-30b-a3b", "gpu": "h200", "method": "lora", "framework": "unsloth", "micro_batch_size": 8},
    ],
    ids=["makes no difference", "vendor's stack", "pre-trained", "told"],
)
def test_a_micro_batch_is_not_doubted_where_it_is_told_or_tuned_or_changes_nothing(asked: dict[str, Any]) -> None:
    assert "micro_batch_unsaid" not in _codes(_answer(**asked))
