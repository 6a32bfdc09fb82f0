"""The two half precisions take as long: the same units multiply both as fast, of FP32 sums.

Authority: NVIDIA's and AMD's datasheets, which rate them alike.
"""

from typing import Any

import pytest

from estimator.question.choices import as_wide
from tools.estimate_training_time import estimate_training_time

RUNS: tuple[dict[str, Any], ...] = (
    {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "1B", "framework": "torchtitan"},
    {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 512, "tokens": "1T", "framework": "nemo"},
    {"model": "llama-2-7b", "gpu": "a100", "n_gpus": 128, "tokens": "1T"},
    {"model": "opt-175b", "gpu": "a100", "n_gpus": 992, "tokens": "180B"},
    {"model": "gpt-2-124m", "gpu": "a100", "n_gpus": 8, "tokens": "10B", "framework": "nanogpt"},
    {"model": "mixtral-8x7b", "gpu": "h100", "n_gpus": 64, "tokens": "100B", "framework": "megatron"},
    {"model": "llama-3.1-8b", "gpu": "mi300x", "n_gpus": 8, "tokens": "1B"},
    {"model": "bert-large", "gpu": "a100", "n_gpus": 8, "tokens": "10B"},
    {"model": "vit-base", "gpu": "h100", "n_gpus": 8, "samples": "imagenet", "epochs": 90},
)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run['model']} on {run['gpu']}")
def test_a_run_takes_as_long_in_either(run: dict[str, Any]) -> None:
    in_bf16, in_fp16 = (estimate_training_time(**run, precision=precision) for precision in ("bf16", "fp16"))
    assert in_fp16.training_seconds == pytest.approx(in_bf16.training_seconds, rel=1e-3)
    assert in_fp16.training_days_high == pytest.approx(in_bf16.training_days_high, rel=0.02)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("bf16", "fp16", True),
        ("float16", "bf16", True),
        ("fp8", "fp8", True),
        ("fp8", "bf16", False),
        ("tf32", "fp32", False),
        ("auto", "bf16", False),
    ],
)
def test_precisions_are_as_wide_where_the_same_units_multiply_them(one: str, other: str, *, same: bool) -> None:
    assert as_wide(one, other) == same == as_wide(other, one)
