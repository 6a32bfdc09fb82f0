"""A little more of a number that was said changes an answer a little, its point and the width of its range.

Authority: reason. What is not gradual in a machine is told apart: another layout, and a tile more of a matrix, which
costs a wave of all processors.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.base.errors import EstimatorError
from estimator.question.request import Request
from estimator.resolve.run import resolve

TILE = 128
"""Rows of a matrix that a processor takes at once."""
ASKED: Mapping[str, dict[str, Any]] = {
    "a cluster": {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 64, "framework": "nemo"},
    "no stack": {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 128},
    "two nodes, untuned": {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 16, "framework": "huggingface"},
    "experts": {"model": "mixtral-8x7b", "gpu": "h100", "n_gpus": 64, "framework": "megatron"},
    "small experts": {"model": "Qwen/Qwen3-30B-A3B", "gpu": "h200", "n_gpus": 32},
    "LoRA": {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 8, "method": "lora", "framework": "trl"},
    "LoRA at home": {
        "model": "llama-3.2-1b",
        "gpu": "4090",
        "n_gpus": 1,
        "method": "lora",
        "framework": "huggingface",
        "micro_batch_size": 1,
    },
    "QLoRA, Unsloth": {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 1, "method": "qlora", "framework": "unsloth"},
    "QLoRA, no BF16": {
        "model": "llama-3.1-8b",
        "gpu": "t4",
        "n_gpus": 1,
        "method": "qlora",
        "framework": "huggingface",
    },
    "another vendor": {"model": "llama-3.1-8b", "gpu": "mi300x", "n_gpus": 8},
    "a fine network, said": {
        "model": "llama-3.1-8b",
        "gpu": "a100",
        "n_gpus": 16,
        "framework": "deepspeed",
        "network_gbps_per_gpu": 200.0,
    },
    "plain Ethernet, said": {
        "model": "llama-3.1-8b",
        "gpu": "a100",
        "n_gpus": 16,
        "framework": "deepspeed",
        "network_gbps_per_gpu": 3.125,
    },
}
GRADUAL = pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
SPANS = {name: asked for name, asked in ASKED.items() if asked["n_gpus"] > 8}
MOST_POINT, MOST_WIDTH = 0.02, 0.05
"""Log of the speed, and share of the log width, that a hundredth more of something moves at most."""


def _answer(asked: Mapping[str, Any], **said: Any) -> Estimate:  # noqa: ANN401 - the tool's arguments
    told: dict[str, Any] = {"tokens": 1_000_000_000, "global_batch_sequences": 256, **asked, **said}
    request = Request(**told)
    try:
        return estimate_of(resolve(request))
    except EstimatorError:
        reject()


def _moved(before: Estimate, after: Estimate) -> tuple[float, float]:
    """Return by how much the speed moved, in logs, and the log width of the range, as a share."""
    assume(before.layout == after.layout)
    widths = [math.log(answer.training_high_s / answer.training_low_s) for answer in (before, after)]
    return abs(math.log(after.tokens_per_second / before.tokens_per_second)), abs(math.log(widths[1] / widths[0]))


@GRADUAL
@given(length=st.integers(2, 500), within=st.integers(0, TILE // 8 - 2))
@settings(max_examples=6, deadline=None)
def test_eight_tokens_more_of_a_sequence_move_little(asked: Mapping[str, Any], length: int, within: int) -> None:
    """Within a tile of 128; micro-batches of 256 tokens to 64,000."""
    tokens = TILE * length + 8 * within + 1
    before, after = (_answer(asked, sequence_length=tokens + more) for more in (0, 8 if tokens > 1024 else 2))
    point, width = _moved(before, after)
    assert point < MOST_POINT
    assert width < MOST_WIDTH


@pytest.mark.parametrize("asked", SPANS.values(), ids=SPANS)
@given(length=st.sampled_from([512, 1000, 1024, 1100, 2048, 8192]), gbps=st.floats(1.0, 800.0))
@settings(max_examples=6, deadline=None)
def test_a_network_a_hundredth_faster_moves_little(asked: Mapping[str, Any], length: int, gbps: float) -> None:
    before, after = (_answer(asked, sequence_length=length, network_gbps_per_gpu=gbps * more) for more in (1.0, 1.01))
    point, width = _moved(before, after)
    assert point < MOST_POINT
    assert width < MOST_WIDTH


@GRADUAL
@given(length=st.sampled_from([512, 2048, 8192]), tokens=st.floats(1e7, 1e12))
@settings(max_examples=4, deadline=None)
def test_a_hundredth_more_data_move_no_speed(asked: Mapping[str, Any], length: int, tokens: float) -> None:
    before, after = (_answer(asked, sequence_length=length, tokens=round(tokens * more)) for more in (1.0, 1.01))
    point, width = _moved(before, after)
    assert point < 0.001
    assert width < MOST_WIDTH


NAMED = {name: asked for name, asked in ASKED.items() if "framework" in asked}
"""Of a stack that nobody named another's layouts are weighed too, and change in between."""
LENGTHS = range(384, 2400, 128)
NETWORKS = tuple(800.0 / 1.2**place for place in range(36))
STEEPEST = 0.27
"""Log width that a range gains at most from one step of the way to the next; its whole log width is 0.6 and more."""
STEEPEST_OF_NETWORKS = 0.4
"""The same where it opens, from 400 to 100 Gb/s a node, whether sockets carry the bytes."""


def _log_widths(answers: Iterable[Estimate]) -> Iterator[float]:
    """Yield by how much the log width of ranges changes from each answer to the next of the same layout."""
    for before, after in pairwise(answers):
        if before.layout == after.layout:
            wide = [math.log(answer.training_high_s / answer.training_low_s) for answer in (before, after)]
            yield abs(wide[1] - wide[0])


@pytest.mark.parametrize("asked", NAMED.values(), ids=NAMED)
def test_no_length_is_an_edge_where_ranges_widen_at_once(asked: Mapping[str, Any]) -> None:
    """Micro-batches of few tokens are seen by no kind of run, but not all at once."""
    steps = list(_log_widths(_answer(asked, sequence_length=length) for length in LENGTHS))
    assert len(steps) >= len(LENGTHS) // 4
    assert max(steps) < STEEPEST


@pytest.mark.parametrize("asked", [asked for asked in SPANS.values() if asked in NAMED.values()])
def test_no_network_is_an_edge_where_ranges_widen_at_once(asked: Mapping[str, Any]) -> None:
    """From a fast one to one on which steps mostly wait."""
    answers = (_answer(asked, sequence_length=2048, network_gbps_per_gpu=gbps) for gbps in NETWORKS)
    steps = list(_log_widths(answers))
    assert len(steps) > len(NETWORKS) // 3
    assert max(steps) < STEEPEST_OF_NETWORKS
