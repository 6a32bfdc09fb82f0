"""An answer about a published run says why it forecasts another speed than was published, where it does.

Authority: `estimator/catalogue/data/runs.csv`, what was published.
"""

import pytest

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.question.request import Request
from estimator.resolve.run import resolve


def _asked(**given: object) -> Estimate:
    return estimate_of(resolve(Request(**({"tokens": "300B"} | given))))  # type: ignore[arg-type]


def _note(estimate: Estimate) -> str:
    return next(told.note for told in estimate.assumptions if told.name == "published_run")


@pytest.mark.parametrize(
    ("model", "gpu", "n_gpus", "had", "assumed"),
    [
        # Published by NeMo Megatron 22.08 and by Narayanan et al. 2021.
        ("gpt-3-175b", "a100", 1024, "nemo of 2022", "no recomputation"),
        ("opt-175b", "a100", 992, "", ""),
        ("qwen3-30b-a3b", "h100", 16, "it had no recomputation", "and selective recomputation"),
        ("llama-65b", "a100", 2048, "", ""),
        ("llama-3.1-8b", "b200", 8, "", ""),
    ],
)
def test_why_a_forecast_and_the_published_speed_part_is_said_where_they_do(
    model: str, gpu: str, n_gpus: int, had: str, assumed: str
) -> None:
    estimate = _asked(model=model, gpu=gpu, n_gpus=n_gpus)
    question = estimate.run.question
    assert question is not None
    assert question.precedent is not None
    times = estimate.tokens_per_second / n_gpus / question.precedent.tokens_per_second_per_gpu
    note = _note(estimate)
    assert (f"{times:.2f} times as many" in note) is not (1 / 1.15 <= times <= 1.15)
    assert had in note
    assert assumed in note


def test_nothing_is_said_of_a_run_whose_speed_is_not_to_be_expected_or_not_predicted() -> None:
    """On another network, or where the caller measured the speed."""
    for given in ({"network_gbps_per_gpu": 100.0}, {"observed_tokens_per_second": "100k"}):
        assert "are predicted" not in _note(_asked(model="gpt-3-175b", gpu="a100", n_gpus=1024, **given))
