"""The batch of a step, from the arguments that trainers know it by.

Authority: the definitions in the program's contract.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.question.request import Request
from estimator.resolve.run import resolve
from server.protocol.registry import TOOLS


def _answer(**changes: object) -> dict[str, Any]:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    run: dict[str, object] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 8, "method": "lora"}
    return tool.answer(run | changes).structured


def test_gradient_accumulation_sets_the_batch() -> None:
    """Batch = micro-batch × accumulated × replicas, as trainers print it."""
    answer = _answer(tokens="1B", micro_batch_size=2, gradient_accumulation=8)
    assert answer["layout"]["global_batch_sequences"] == 2 * 8 * 8
    assert answer["step_seconds"] is not None
    with pytest.raises(MissingValueError, match="micro_batch_size"):
        _answer(tokens="1B", gradient_accumulation=8)
    with pytest.raises(InvalidValueError, match="both set the batch"):
        _answer(tokens="1B", gradient_accumulation=8, micro_batch_size=1, global_batch_sequences=64)


_PICTURES = {"samples": "1M"}
_TEXTS = {"samples": "1M", "tokens_per_sample": 100}


@pytest.mark.parametrize(
    ("said", "batch"),
    [
        ({"model": "detr-resnet-50", **_PICTURES}, 2 * 32),
        ({"model": "vit-b-16", **_PICTURES, "tensor_parallel": 2}, 2 * 16),
        ({"model": "sd-1.5", "steps": 1000}, 2 * 32),
        ({"model": "bert-base-uncased", **_TEXTS}, 2 * 32),
        ({"model": "wav2vec2-base", "samples": "960 hours"}, 2 * 32),
        ({"model": "vit-b-16", **_PICTURES, "gradient_accumulation": 4}, 2 * 32 * 4),
        ({"model": "vit-b-16", **_PICTURES, "global_batch_sequences": 512}, 512),
        ({"model": "vit-b-16", **_PICTURES, "steps": 10_000}, 96),
    ],
    ids=str,
)
def test_a_micro_batch_alone_is_all_that_a_device_does_in_a_step(said: dict[str, Any], batch: int) -> None:
    """DETR's and timm's scripts take the batch of a device, and accumulate nothing."""
    asked: dict[str, Any] = {"gpu": "v100", "n_gpus": 32, "micro_batch_size": 2, "precision": "fp16", **said}
    run = resolve(Request(**asked))
    assert run.global_batch_sequences == batch


def test_language_models_may_accumulate_whatever_the_micro_batch() -> None:
    run = resolve(Request(model="llama-3.2-1b", gpu="a100", n_gpus=8, tokens="1B", micro_batch_size=2))
    assert run.global_batch_sequences is None
