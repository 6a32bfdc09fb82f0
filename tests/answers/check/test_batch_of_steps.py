"""Samples that were told, and how many steps a log has for them, tell the batch of a step.

Authority: arithmetic. 25,000 samples in three passes of 4,689 steps in all are 16 a step.
"""

from typing import Any

import pytest

from tools.check_training_speed import check_training_speed

BAR = " 33%|###3      | {done}/{total} [10:25<20:50,  2.50it/s]"
RUN: dict[str, Any] = {
    "model": "bert-base",
    "gpu": "t4",
    "n_gpus": 1,
    "objective": "classification",
    "tokens_per_sample": 256,
    "framework": "HF Trainer",
    "detail": "detailed",
}


def _batch(**asked: Any) -> tuple[object, str]:  # noqa: ANN401 - the tool's arguments
    answer = check_training_speed(**RUN | asked)
    told = next(one for one in answer.assumptions if one.name == "global_batch_sequences")
    return told.value, told.source


@pytest.mark.parametrize(
    ("samples", "epochs", "total", "batch"),
    [(25_000, 3, 4689, 16), (15_011, 1, 1877, 8), (52_002, 3, 1218, 128), (1_000, 2, 2000, 1), (100_000, 1, 1042, 96)],
)
def test_samples_over_steps_are_the_batch(samples: int, epochs: int, total: int, batch: int) -> None:
    log = BAR.format(done=total // 3, total=total)
    assert _batch(samples=samples, epochs=epochs, observed_log=log) == (batch, "inferred")


def test_passes_that_are_told_beside_a_data_set_are_those_of_its_steps() -> None:
    log = BAR.format(done=406, total=1218)
    run = {"model": "gemma-2-2b", "objective": "next_token", "method": "lora", "tokens_per_sample": None}
    assert _batch(**run, samples="alpaca x3", observed_log=log) == (128, "inferred")


def test_the_share_of_a_pass_that_a_log_has_at_a_step_tells_its_passes() -> None:
    log = "{'loss': 1.5, 'epoch': 0.72}\n" + BAR.format(done=1125, total=4689)
    assert _batch(samples=25_000, observed_log=log) == (16, "inferred")


def test_a_batch_that_is_told_is_not_worked_out() -> None:
    log = BAR.format(done=1563, total=4689)
    assert _batch(samples=25_000, epochs=3, global_batch_sequences=32, observed_log=log)[0] == 32


@pytest.mark.parametrize("batch", [{}, {"global_batch_sequences": 8}])
def test_what_else_is_known_of_a_run_stays_known_where_its_steps_tell_the_batch(batch: dict[str, Any]) -> None:
    """Steps of a run that samples its answers hold the sampling, told of the batch or not."""
    asked: dict[str, Any] = {
        "model": "qwen2.5-1.5b",
        "gpu": "a100",
        "n_gpus": 1,
        "objective": "grpo",
        "method": "lora",
        "framework": "unsloth",
        "samples": 7_472,
        "tokens_per_sample": 400,
        "observed_log": " 33%|###3      | 312/934 [2:10:25<4:20:50, 25.0s/it]",
    }
    answer = check_training_speed(**asked | batch)
    assert answer.verdict == "slow"
    assert "rollouts" in {cause.code for cause in answer.likely_causes}
