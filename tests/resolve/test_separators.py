"""A point before three digits is read as a decimal one and doubted, wherever thousands are told.

Authority: half of Europe writes sixty thousand as 60.000.
"""

from collections.abc import Callable
from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
from tools.check_training_speed import check_training_speed
from tools.compare_training_options import compare_training_options
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import plan_training

_RUN: dict[str, Any] = {"model": "7B", "gpu": "h100", "n_gpus": 8}
_CODE = "separator_ambiguous"


def _estimated(**changes: Any) -> dict[str, str]:  # noqa: ANN401 - the arguments of a tool
    return {warning.code: warning.message for warning in estimate_training_time(**_RUN, **changes).warnings}


def _checked(**changes: Any) -> dict[str, str]:  # noqa: ANN401 - the arguments of a tool
    return {warning.code: warning.message for warning in check_training_speed(**_RUN, **changes).warnings}


@pytest.mark.parametrize(
    ("answered", "argument", "changes"),
    [
        (_estimated, "tokens", {"tokens": "1.500"}),
        (_estimated, "tokens", {"tokens": "1.500 Mrd"}),
        (_estimated, "samples", {"samples": "52.002", "tokens_per_sample": 300}),
        (_estimated, "tokens_per_sample", {"samples": "52k", "tokens_per_sample": "1.500"}),
        (_estimated, "steps", {"steps": "10.000", "global_batch_sequences": 64}),
        (_estimated, "observed_tokens_per_second", {"tokens": "1B", "observed_tokens_per_second": "60.000"}),
        (_estimated, "trainable_params", {"tokens": "1B", "method": "lora", "trainable_params": "40.000"}),
        (_checked, "observed_tokens_per_second", {"observed_tokens_per_second": "900.000 tok/s"}),
        (_checked, "observed_hours", {"tokens": "1B", "observed_hours": "1.500"}),
        (_checked, "observed_gpu_hours", {"tokens": "1B", "observed_gpu_hours": "1.500 GPU-hours"}),
        (_checked, "tokens_done", {"tokens": "1B", "tokens_done": "1.500", "observed_hours": 1}),
    ],
)
def test_a_quantity_that_may_be_in_thousands_is_doubted(
    answered: Callable[..., dict[str, str]], argument: str, changes: dict[str, Any]
) -> None:
    message = answered(**changes)[_CODE]
    assert message.startswith(f"{argument}: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": "1.543B"},
        {"tokens": 1.5e9, "price_per_gpu_hour": "$2.500"},
        {"samples": "52,002", "tokens_per_sample": 300},
        {"tokens": "2.000.000"},
    ],
)
def test_what_is_clear_is_not_doubted(changes: dict[str, Any]) -> None:
    assert _CODE not in _estimated(**changes)


@pytest.mark.parametrize("limit", [{"deadline": "1.500 hours"}, {"budget": "$20.000"}])
def test_a_limit_that_may_be_in_thousands_is_refused(limit: dict[str, Any]) -> None:
    """A plan that cannot be made has no warnings to say it in."""
    with pytest.raises(InvalidValueError, match="without one"):
        plan_training(solve_for="n_gpus", model="7B", gpu="h100", tokens="100B", **limit)


def test_a_whole_number_in_thousands_is_told_how_to_write_it() -> None:
    with pytest.raises(InvalidValueError, match="4096"):
        _estimated(tokens="1B", sequence_length="4.096")


def test_a_comparison_doubts_it_too() -> None:
    compared = compare_training_options(models=["7B"], gpus=["h100"], n_gpus=[8], tokens=["1.500"])
    assert _CODE in {warning.code for warning in compared.warnings}
