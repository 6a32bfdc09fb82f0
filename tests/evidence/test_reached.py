"""The fast end of a range lies where some run has been, or a little further.

Authority: published speeds, each with the rate that its device was measured to multiply at.
"""

import math
from typing import Any

import pytest

from estimator.answers.estimate.predict import prediction
from estimator.evidence.ceiling import measured_rate_at, reachable_share
from estimator.evidence.reached import BETTER, reached
from estimator.models.flops import flop_counts
from estimator.question.question import Question
from estimator.question.request import Request
from estimator.resolve.run import resolve

ASKED: tuple[dict[str, Any], ...] = (
    {"model": "llama-3.1-8b", "gpu": "a100-sxm-80gb", "n_gpus": 8},
    {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "precision": "bf16", "framework": "megatron"},
    {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 72, "precision": "bf16"},
    {"model": "llama-3.1-405b", "gpu": "h200", "n_gpus": 1024, "precision": "bf16"},
    {"model": "gpt-3-175b", "gpu": "a100-sxm-80gb", "n_gpus": 512, "activation_recompute": "full"},
    {"model": "mixtral-8x7b", "gpu": "h100", "n_gpus": 64, "precision": "bf16"},
    {"model": "llama-3.2-1b", "gpu": "4090", "n_gpus": 1, "framework": "unsloth"},
    {"model": "llama-3.1-8b", "gpu": "l40s", "n_gpus": 4, "precision": "fp16"},
)


def _question(said: dict[str, Any]) -> Question:
    question = resolve(Request(tokens="1T", **said)).question
    assert question is not None
    return question


@pytest.mark.parametrize("said", ASKED, ids=str)
def test_no_range_reaches_further_than_any_run_and_its_margin(said: dict[str, Any]) -> None:
    question = _question(said)
    answer = prediction(question)
    rate = measured_rate_at(question.cluster.accelerator, question.precision)
    assert rate is not None
    needed = flop_counts(question.transformer, sequence_length=question.sequence_length).model
    speed = answer.tokens_per_step / (answer.step_s * answer.low_factor) / question.cluster.n_gpus
    assert speed * needed / rate <= reachable_share(question) * 1.001
    assert answer.low_factor <= 1.0 <= answer.high_factor


def test_what_was_reached_lies_within_what_may_be() -> None:
    question = _question(ASKED[0])
    assert reached().share < reachable_share(question) <= BETTER.high * reached().share


def test_nothing_tells_what_models_of_other_kinds_may_reach() -> None:
    assert reachable_share(_question({"model": "bert-large", "gpu": "a100", "n_gpus": 8})) == math.inf
