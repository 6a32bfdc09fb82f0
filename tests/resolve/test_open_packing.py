"""Tokens told alone of what a model is tuned on may be of samples that a trainer pads: the range holds both.

Authority: Transformers' collators pad samples to the longest of a micro-batch unless told; arithmetic on the answers.
"""

import itertools
import math
from typing import Any

import pytest

from tests.evidence.unsaid import answer, codes

CODE = "packing_unsaid"
RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 1, "method": "lora", "tokens": "50M"}


@pytest.mark.parametrize("framework", ["Hugging Face", "TRL", "llama-factory", "auto"])
def test_tokens_alone_leave_open_whether_samples_are_padded(framework: str) -> None:
    alone = answer(**RUN | {"framework": framework})
    assert CODE in codes(alone)
    assert alone["training_days_high"] > 1.7 * alone["training_days"]


@pytest.mark.parametrize(
    "changes",
    [
        {"packing": "packed"},
        {"packing": "padded"},
        {"sequence_length": 2048},
        {"tokens": None, "samples": "50k", "tokens_per_sample": 1000},
        {"tokens": None, "steps": 1000, "global_batch_sequences": 16},
        {"framework": "axolotl"},
        {"framework": "TRL, packing=True"},
        {"framework": "LLaMA-Factory, continued pretraining"},
        {"framework": "stage: pt\nfinetuning_type: full\ncutoff_len: 4096\nmodel_name_or_path: llama"},
        {"tokens": "4B"},
        {"method": "full", "n_gpus": 64, "tokens": "500B", "framework": "auto"},
        {"model": "gpt2", "method": "full", "tokens": "2.5B", "framework": "Hugging Face"},
    ],
    ids=str,
)
def test_what_tells_of_rows_or_trains_from_scratch_leaves_nothing_open(changes: dict[str, Any]) -> None:
    assert CODE not in codes(answer(**RUN | {"framework": "Hugging Face"} | changes))


def test_the_more_tokens_the_less_they_are_of_samples() -> None:
    widths: list[float] = []
    for tokens in ("100M", "500M", "2B", "8B"):
        alone = answer(**RUN | {"framework": "llama-factory", "tokens": tokens})
        widths.append(alone["training_days_high"] / alone["training_days_low"])
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.7 * widths[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "qwen2.5-0.5b", "gpu": "b200"},
        {"model": "qwen2.5-0.5b", "gpu": "rtx 5090", "n_gpus": 64, "method": "full", "framework": "ms-swift"},
        {"model": "gpt-oss-20b", "gpu": "h20", "n_gpus": 16, "method": "full", "framework": "pytorch"},
        {"model": "gpt2", "gpu": "4090", "method": "full", "framework": "Hugging Face"},
        {"gpu": "h100", "n_gpus": 8, "method": "full", "framework": "auto"},
    ],
    ids=str,
)
def test_the_range_closes_by_degrees(changes: dict[str, Any]) -> None:
    """A twentieth more tokens are hardly less likely of samples."""
    answers = [answer(**RUN | changes | {"tokens": 2e8 * 1.05**step}) for step in range(58)]
    widths = [math.log(one["training_days_high"] / one["training_days_low"]) for one in answers]
    assert widths[0] > widths[-1] + 0.5
    assert all(wider - narrower < 0.2 for wider, narrower in itertools.pairwise(widths))


def test_adapters_are_tuned_however_small_the_model() -> None:
    small = {"model": "qwen2.5-0.5b", "framework": "Hugging Face", "tokens": "2.2B"}
    assert CODE in codes(answer(**RUN | small))
    assert CODE not in codes(answer(**RUN | small | {"model": "smollm2-135m", "method": "full", "tokens": "2.7B"}))
