"""Rows of a larger micro-batch are reckoned from those of a smaller one.

Authority: what becomes of the same samples where the larger micro-batch is told.
"""

import math
from dataclasses import replace
from typing import Any

import pytest

from estimator.question.question import Question
from estimator.question.request import Request
from estimator.question.rows import with_more_rows
from estimator.resolve.run import resolve

SAMPLES: tuple[dict[str, Any], ...] = (
    {"n_gpus": 4, "tokens_per_sample": 1000, "framework": "llama-factory"},
    {"n_gpus": 1, "tokens_per_sample": 300, "framework": "llama-factory"},
    {"n_gpus": 8, "tokens_per_sample": 300, "framework": "trl"},
    {"n_gpus": 8, "tokens_per_sample": 3000, "framework": "trl"},
    {"n_gpus": 8, "tokens_per_sample": 100, "framework": "huggingface"},
    {"n_gpus": 2, "tokens_per_sample": 500, "framework": "huggingface, group_by_length"},
    {"n_gpus": 2, "tokens_per_sample": 500, "framework": "trl, padding_free"},
    {"n_gpus": 2, "tokens_per_sample": 500, "framework": "huggingface", "sequence_length": 1024},
)


def _question(micro_batch: int, **asked: Any) -> Question:  # noqa: ANN401 - a request's fields
    asked |= {"model": "llama-3.1-8b", "gpu": "h100", "method": "lora", "samples": 50_000}
    question = resolve(Request(micro_batch_size=micro_batch, **asked)).question
    assert question is not None
    return question


def _of_the_longest(question: Question) -> float:
    """Return the tokens that all devices wait for."""
    return question.sequence_length * (1.0 + question.unevenness * math.log(question.cluster.n_gpus))


@pytest.mark.parametrize("times", [2, 4, 8])
@pytest.mark.parametrize("micro_batch", [1, 2])
@pytest.mark.parametrize("asked", SAMPLES, ids=lambda asked: f"{asked['tokens_per_sample']}, {asked['framework']}")
def test_rows_are_as_long_as_those_of_the_micro_batch_that_is_told(
    asked: dict[str, Any], micro_batch: int, times: int
) -> None:
    reckoned, told = with_more_rows(_question(micro_batch, **asked), times), _question(times * micro_batch, **asked)
    assert reckoned.layout.micro_batch_size == told.layout.micro_batch_size
    assert reckoned.sequence_length == pytest.approx(told.sequence_length, rel=0.1)
    # Where nothing cuts them the longest grow faster than with the log of their number.
    assert _of_the_longest(reckoned) == pytest.approx(_of_the_longest(told), rel=0.17)
    assert reckoned.longest_row == pytest.approx(told.longest_row, rel=0.1)
    assert reckoned.masks_padding == told.masks_padding


def test_rows_of_no_samples_are_the_same() -> None:
    question = replace(_question(2, **SAMPLES[0]), unevenness=0.0, lengthening=0.0, masks_padding=False)
    assert with_more_rows(question, 4) == replace(question, layout=replace(question.layout, micro_batch_size=8))
