"""What does not fit is timed as somebody would run it, and told with the least that any layout takes.

Authority: the program's contract; a cluster that has room for the same model.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from estimator.answers.estimate.predict import prediction
from estimator.base.units import format_bytes
from estimator.question.question import MemoryUse
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tools.estimate_training_time import TrainingTime, estimate_training_time


def _ask(arguments: Mapping[str, Any]) -> TrainingTime:
    return estimate_training_time(tokens="1B", **arguments)


def _memory(arguments: Mapping[str, Any]) -> MemoryUse:
    asked: dict[str, Any] = {"tokens": "1B", **arguments}
    question = resolve(Request(**asked)).question
    assert question is not None
    return prediction(question, advised=False, told=False).memory


@pytest.mark.parametrize(
    "arguments",
    [
        {"model": "deepseek-v3", "gpu": "h100", "n_gpus": 128},
        {"model": "llama-3.1-405b", "gpu": "h100", "n_gpus": 64},
        {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 8, "framework": "torchtitan"},
    ],
    ids=json.dumps,
)
def test_no_layout_of_the_stack_is_smaller_than_the_smallest_that_is_told(arguments: dict[str, Any]) -> None:
    """Within 2 %: degrees that pay nowhere, as some of context parallelism, are tried only where others are stated."""
    smallest = _memory(arguments).least_bytes
    for sharding in ("zero1", "zero3"):
        for degrees in ({}, {"tensor_parallel": 8}, {"tensor_parallel": 8, "pipeline_parallel": 1}):
            assert smallest <= 1.02 * _memory({**arguments, **degrees, "data_sharding": sharding}).least_bytes


@pytest.mark.parametrize("n_gpus", [64, 128])
@pytest.mark.parametrize("framework", ["DeepSpeed", "Megatron-DeepSpeed", "own PyTorch code", "megatron", "auto"])
def test_the_time_of_what_does_not_fit_is_one_that_somebody_would_run(framework: str, n_gpus: int) -> None:
    """Not that of the splits which save the last bytes: per device it is near that of a cluster which has room."""
    asked: dict[str, Any] = {"model": "deepseek-v3", "gpu": "h100", "framework": framework}
    tight, roomy = (_ask({**asked, "n_gpus": count}) for count in (n_gpus, 1024))
    assert tight.memory is not None
    assert not tight.memory.fits
    assert tight.training_days * n_gpus < 2.5 * roomy.training_days * 1024
    memory = _memory({**asked, "n_gpus": n_gpus})
    assert memory.least_bytes <= memory.total_bytes <= 1.25 * memory.least_bytes
    assert f"it takes {format_bytes(memory.least_bytes)}" in tight.summary
