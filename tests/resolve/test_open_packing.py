"""Tokens told alone of what a model is tuned on may be of samples that a trainer pads: the range holds both.

Authority: Transformers' collators pad samples to the longest of a micro-batch unless told; arithmetic on the answers.
"""

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
        {"method": "full", "n_gpus": 64, "tokens": "500B", "framework": "auto"},
        {"model": "gpt2", "method": "full", "tokens": "2.5B", "framework": "Hugging Face"},
    ],
    ids=str,
)
def test_what_tells_of_rows_or_trains_from_scratch_leaves_nothing_open(changes: dict[str, Any]) -> None:
    assert CODE not in codes(answer(**RUN | {"framework": "Hugging Face"} | changes))
