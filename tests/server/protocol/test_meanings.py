"""Arguments as callers know them elsewhere are answered by meaning, and numbers are taken with what they count.

Authority: the arguments of Hugging Face's and Megatron's trainers.
"""

from typing import Any

import pytest

from estimator.base.errors import EstimatorError
from server.protocol.registry import TOOLS
from server.protocol.tool import Tool

_ASKED: dict[str, Any] = {"model": "7B", "gpu": "h100", "n_gpus": 8, "tokens": "1B"}


@pytest.fixture
def estimate() -> Tool:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    return tool


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("batch_size", "global_batch_sequences, micro_batch_size"),
        ("per_device_train_batch_size", "micro_batch_size"),
        *((name, "sequence_length") for name in ("seq_len", "max_seq_length", "context_length", "maxLength")),
        *((name, "n_gpus") for name in ("gpus", "gpu_count", "num_gpus", "world_size")),
        *((name, "tokens, samples") for name in ("dataset", "data")),
        *((name, "epochs") for name in ("num_epochs", "num_train_epochs")),
        *(("max_steps", "steps"), ("dtype", "precision"), ("mfu", "utilization"), ("optimizer", "framework")),
        ("toknes", "tokens"),
    ],
)
def test_an_argument_of_another_name_is_told_by_its_meaning(estimate: Tool, name: str, first: str) -> None:
    with pytest.raises(EstimatorError, match=rf"unknown argument '{name}'; did you mean {first}\?"):
        estimate.arguments(_ASKED | {name: 1})


@pytest.mark.parametrize("name", ["lr", "learning_rate", "warmup_steps", "weight_decay", "seed"])
def test_an_argument_that_changes_nothing_is_told_so(estimate: Tool, name: str) -> None:
    with pytest.raises(EstimatorError, match="leave it out"):
        estimate.arguments(_ASKED | {name: 1})


def test_every_tool_is_only_told_of_arguments_that_it_takes() -> None:
    for tool in TOOLS.tools():
        with pytest.raises(EstimatorError) as caught:
            tool.arguments({"batch_size": 1, "num_gpus": 1, "dataset": 1})
        for told in str(caught.value).split("; did you mean ")[1:]:
            names = told.partition("?")[0].split(", ")
            assert set(names) <= set(tool.input_schema["properties"])


@pytest.mark.parametrize(
    ("argument", "said", "number"),
    [
        *(("n_gpus", said, 8) for said in ("8", "8 GPUs", "8x", "eight", "8 cards", "8张卡", "8 Karten")),
        ("n_gpus", "1,024", 1024),
        *(("epochs", said, 3) for said in ("3 epochs", "three", "3 passes", "3轮", "3 Epochen", "3x")),
        *(("epochs", "1,5", 1.5), ("utilization", "0,45", 0.45), ("peak_tflops", "989 TFLOPS", 989.0)),
        ("micro_batch_size", "4 sequences", 4),
    ],
)
def test_a_number_may_come_with_what_it_counts(estimate: Tool, argument: str, said: str, number: float) -> None:
    assert estimate.arguments(_ASKED | {argument: said})[argument] == number


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        *(("n_gpus", said) for said in ("1.000", "1.024", "8-16", "2 nodes", "many", "8 epochs", "3 days")),
        *(("epochs", said) for said in ("3 GPUs", "3 days", "some")),
        ("utilization", "45%"),
    ],
)
def test_what_is_another_number_or_quantity_is_refused(estimate: Tool, argument: str, said: str) -> None:
    with pytest.raises(EstimatorError, match=rf"^{argument}: "):
        estimate.arguments(_ASKED | {argument: said})
