"""Words about machines, and of what has an argument of its own, change nothing else of a published training.

Authority: the same question with the argument; a slower network makes no training faster.
"""

from typing import Any

import pytest

from estimator.catalogue.network_words import listed_devices
from tools.compare_training_options import compare_training_options
from tools.estimate_training_time import estimate_training_time

_TRAININGS: tuple[dict[str, Any], ...] = (
    {"model": "bloom-176b", "gpu": "a100", "n_gpus": 384, "tokens": "366B"},
    {"model": "deepseek-v3", "gpu": "h800", "n_gpus": 2048, "tokens": "14.8T"},
    {"model": "opt-175b", "gpu": "a100", "n_gpus": 992, "tokens": "180B"},
)


def _days(asked: dict[str, Any], **said: str) -> float:
    told: dict[str, Any] = {**asked, **said}
    days = estimate_training_time(**told).training_days
    assert days is not None
    return days


@pytest.mark.parametrize("asked", _TRAININGS, ids=lambda asked: asked["model"])
def test_the_fabric_that_it_had_is_told_without_a_change_and_a_worse_one_is_no_faster(asked: dict[str, Any]) -> None:
    lent = _days(asked)
    assert _days(asked, framework="InfiniBand") == pytest.approx(lent, rel=1e-6)
    assert _days(asked, gpu=f"{asked['gpu']}, InfiniBand") == pytest.approx(lent, rel=1e-6)
    assert _days(asked, framework="no InfiniBand") >= lent
    assert _days(asked, gpu=f"{asked['gpu']} over TCP") >= lent


@pytest.mark.parametrize("asked", _TRAININGS, ids=lambda asked: asked["model"])
@pytest.mark.parametrize("precision", ["bf16", "fp8"])
def test_a_precision_in_words_is_the_arguments(asked: dict[str, Any], precision: str) -> None:
    if precision == "fp8" and asked["gpu"] == "a100":
        return
    assert _days(asked, framework=precision) == pytest.approx(_days(asked, precision=precision), rel=1e-6)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("H100, A100", ["H100", "A100"]),
        ("H100, no InfiniBand", ["H100, no InfiniBand"]),
        ("A100 80GB, InfiniBand HDR, H100", ["A100 80GB, InfiniBand HDR", "H100"]),
        ("4090,, 5090", ["4090", "5090"]),
        ("", []),
    ],
)
def test_a_comma_parts_devices_and_no_device_from_its_network(text: str, names: list[str]) -> None:
    assert listed_devices(text) == names


def test_a_comparison_keeps_what_is_said_of_a_network() -> None:
    answer = compare_training_options(
        models=["llama-3.1-8b"], gpus=["H100, no InfiniBand"], n_gpus=[64], tokens=["100B"]
    )
    alone = estimate_training_time(model="llama-3.1-8b", gpu="H100, no InfiniBand", n_gpus=64, tokens="100B")
    assert answer.rows[0].training_days == pytest.approx(alone.training_days, rel=1e-3)
