"""An answer about a published run is as sure as the run makes it, and no surer where nothing says that it is the one.

Authority: published speeds of runs whose model, device and count are those asked for.
"""

import math
from typing import Any

import pytest

from estimator.answers.estimate.predict import prediction
from estimator.catalogue import catalogue
from estimator.evidence.precedent import published_speed
from estimator.question.question import Prediction, Question
from estimator.question.request import Request
from estimator.resolve.run import resolve

ASKED: tuple[dict[str, Any], ...] = (
    {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 64, "framework": "nemo"},
    {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "framework": "nemo"},
    {"model": "gpt-3-175b", "gpu": "h100", "n_gpus": 512, "framework": "nemo"},
)


def _question(said: dict[str, Any]) -> Question:
    question = resolve(Request(tokens="1T", **said)).question
    assert question is not None
    return question


def _log_width(answer: Prediction) -> float:
    return math.log(answer.high_factor / answer.low_factor)


@pytest.mark.parametrize("said", ASKED, ids=lambda said: str(said["model"]))
def test_a_published_run_of_the_named_stack_makes_its_answer_surer(said: dict[str, Any]) -> None:
    asked = _question(said)
    assert asked.precedent is not None
    known, unknown = prediction(asked), prediction(_question({**said, "framework": "auto"}))
    assert 0.6 < _log_width(known) / _log_width(unknown) < 1.0


@pytest.mark.parametrize("said", ASKED, ids=lambda said: str(said["model"]))
def test_the_narrower_range_still_holds_what_was_published(said: dict[str, Any]) -> None:
    asked = _question(said)
    assert asked.precedent is not None
    answer = prediction(asked)
    published_s = answer.tokens_per_step / (asked.precedent.tokens_per_second_per_gpu * asked.cluster.n_gpus)
    assert answer.low_factor <= published_s / answer.step_s <= answer.high_factor


def test_what_differs_from_the_run_is_no_surer() -> None:
    """On half as many devices again the time is drawn towards the run's, but the range narrows for it no more."""
    near, far = (prediction(_question({**ASKED[0], "n_gpus": count})) for count in (64, 96))
    assert _log_width(near) < _log_width(far)


def test_a_steady_speed_is_told_by_what_the_published_duration_counts() -> None:
    """Days that are a speed times the tokens are of steps, and give that speed back."""
    for run in catalogue.runs():
        speed = published_speed(run)
        if run.duration_of == "steps" and run.tokens_per_second_per_gpu is not None:
            assert speed == pytest.approx(run.tokens_per_second_per_gpu, rel=0.01)
        if run.duration_of == "release" and run.gpu_hours and run.total_tokens:
            assert speed is not None
            assert speed > 1.1 * run.total_tokens / (run.gpu_hours * 3600)
