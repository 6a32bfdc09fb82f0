"""However data are told that an estimate takes, every question about the run takes them, and means the same by them.

Authority: the arguments are one, and so is what resolves them.
"""

from typing import Any

import pytest

from tools.check_training_speed import check_training_speed
from tools.compare_training_options import compare_training_options
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import plan_training

RUN: dict[str, Any] = {"model": "gemma-2-2b", "gpu": "A100 40GB", "method": "lora", "framework": "HF Trainer"}
LENGTHS = [
    300,
    "300",
    "about 300 tokens",
    "mean 300",
    "300-300",
    "300-600",
    "550 ± 30",
    "mean 300, max 2048",
    "median 200, p95 900",
    "400 words",
    "2 KB",
]
SAMPLES = [8000, "8k", "8,000", "~8000", "10 thousand", "8000 conversations"]
SETS = ["alpaca", "alpaca x3", "half of alpaca", "3 epochs of dolly-15k"]
TOKENS = ["1B", "1B x 3 epochs", "10-20M", "2 GB of German text", "1 million words", "alpaca", "fineweb-edu 10BT"]
DATA: list[dict[str, Any]] = [
    *({"samples": "8k", "tokens_per_sample": length} for length in LENGTHS),
    *({"tokens": "10M", "tokens_per_sample": length} for length in LENGTHS),
    *({"samples": samples, "tokens_per_sample": "mean 300, max 2048"} for samples in SAMPLES),
    *({"samples": samples} for samples in SETS),
    {"samples": "alpaca", "tokens_per_sample": "300-600"},
    {"samples": "alpaca", "epochs": "3"},
    *({"tokens": tokens} for tokens in TOKENS),
    *({"steps": steps} for steps in (1000, "1k")),
    {"steps": 1000, "samples": "alpaca"},
]
SPEEDS: list[dict[str, Any]] = [
    {"observed_tokens_per_second": 500},
    {"observed_tokens_per_second": 9_000},
    {"observed_step_seconds": 3.0},
    {"observed_log": " 10%|#         | 100/1000 [05:00<45:00,  3.00s/it]"},
]
AMOUNT = frozenset({"tokens", "samples", "dataset", "processed_tokens", "padded_length"})


def _amounts(assumptions: Any) -> dict[str, object]:  # noqa: ANN401 - of any answer
    return {told.name: told.value for told in assumptions if told.name in AMOUNT}


@pytest.mark.parametrize("data", DATA, ids=str)
def test_data_that_an_estimate_takes_a_check_and_a_plan_take(data: dict[str, Any]) -> None:
    estimated = estimate_training_time(**RUN, **data, n_gpus=1, detail="detailed")
    for speed in SPEEDS[:3]:
        checked = check_training_speed(**RUN, **data, n_gpus=1, **speed, detail="detailed")
        assert _amounts(checked.assumptions) == _amounts(estimated.assumptions)
    # The steps of a log tell of batches, and so of rows.
    assert check_training_speed(**RUN, **data, n_gpus=1, **SPEEDS[3]).expected > 0
    if "steps" not in data:
        assert plan_training(**RUN, **data, solve_for="n_gpus", deadline="30 days").summary


@pytest.mark.parametrize("tokens", TOKENS)
def test_tokens_that_an_estimate_takes_a_comparison_takes(tokens: str) -> None:
    assert compare_training_options(models=["gemma-2-2b"], gpus=["A100 40GB"], n_gpus=[1], tokens=[tokens]).summary
