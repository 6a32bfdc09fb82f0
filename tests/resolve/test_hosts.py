"""Hosts of notebooks, whose two or four processors read the pictures.

Authority: about 130 to 200 photographs a second on the two of a free Colab notebook.
"""

from typing import Any

import pytest

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.question.request import Request
from estimator.resolve.run import resolve


def _estimate(model: str = "efficientnet-b0", gpu: str = "t4", **more: Any) -> Estimate:  # noqa: ANN401 - a request's
    amount: dict[str, Any] = {} if "tokens" in more else {"samples": 50_000}
    return estimate_of(resolve(Request(model=model, gpu=gpu, n_gpus=more.pop("n_gpus", 1), **amount, **more)))


def _codes(estimate: Estimate) -> set[str]:
    return {caution.code for caution in estimate.run.warnings}


@pytest.mark.parametrize(
    "said",
    [
        {"framework": "Google Colab free tier"},
        {"gpu": "colab T4"},
        {"framework": "colab, 8 dataloader workers"},
    ],
)
def test_a_small_host_bounds_the_pictures_a_second(said: dict[str, str]) -> None:
    small = _estimate(**said)
    assert "host_reads_slowly" in _codes(small)
    assert "framework_not_understood" not in _codes(small)
    per_second = small.tokens_per_second / small.run.sequence_length
    assert per_second < 200
    assert small.training_s > 2 * _estimate().training_s


@pytest.mark.parametrize(
    "more",
    [
        {"gpu": "a100", "framework": "Google Colab Pro"},
        {"framework": "pytorch"},
        {"framework": "colab, ffcv"},
        {"model": "gpt-2-124m", "framework": "colab", "tokens": "10M"},
    ],
    ids=str,
)
def test_a_large_host_and_what_reads_nothing_are_not_bounded(more: dict[str, Any]) -> None:
    assert "host_reads_slowly" not in _codes(_estimate(**more))


def test_workers_of_a_host_are_shared_by_its_gpus() -> None:
    """Kaggle's two T4s have four processors."""
    question = _estimate(n_gpus=2, framework="kaggle, 8 dataloader workers").run.question
    assert question is not None
    assert question.practice.loader_workers == 2
