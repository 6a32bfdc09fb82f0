"""The summary of a run that does not fit tells how long it takes with the first way to make it.

Authority: the answer to the same question with what is said to do.
"""

from typing import Any

import pytest

from estimator.answers.estimate.estimate import estimate_of
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tools.estimate_training_time import estimate_training_time

TOLD = " would do, in about "


def _summary(**asked: Any) -> str:  # noqa: ANN401 - the tool's arguments
    return estimate_training_time(**asked, detail="detailed").summary


@pytest.mark.parametrize(
    "arguments",
    [
        {"model": "qwen2.5-7b", "gpu": "4090", "n_gpus": 2, "framework": "HF Trainer"},
        {"model": "llama-3.1-8b", "gpu": "3090", "n_gpus": 1, "micro_batch_size": 8, "method": "lora"},
        {"model": "13B", "gpu": "a100-40gb", "n_gpus": 4, "framework": "trl", "sequence_length": 8192},
        {"model": "qwen2.5-32b", "gpu": "rtx 3090", "n_gpus": 1, "method": "qlora"},
    ],
    ids=str,
)
def test_how_long_the_first_way_takes_is_told_of_samples_too(arguments: dict[str, Any]) -> None:
    """Another trainer or memory to spare makes other rows of them: what is told is what is answered."""
    asked: dict[str, Any] = {**arguments, "samples": 20_000, "tokens_per_sample": 900}
    first = estimate_of(resolve(Request(**asked))).ways_to_fit[0]
    told, _, takes = _summary(**asked).partition(". Training ")[0].partition(TOLD)
    assert told.endswith(f"; {first.words}")
    said = {**asked, **first.arguments}
    if "framework" in first.arguments:
        said["framework"] = str(first.arguments["framework"]).replace("…", str(asked.get("framework", "")))
    left_in = {name: value for name, value in said.items() if value is not None}
    assert takes == _summary(**left_in).partition(" takes about ")[2].partition(" (")[0]


def test_nothing_is_told_of_what_fits_or_of_a_speed_that_was_measured() -> None:
    fits: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "1B"}
    assert TOLD not in _summary(**fits)
    measured = {**fits, "n_gpus": 1, "observed_tokens_per_second": 900}
    assert " would do" in _summary(**measured)
    assert TOLD not in _summary(**measured)
