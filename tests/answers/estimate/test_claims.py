"""What a caller claims of a device: it counts, is named, or is refused with the reason.

Authority: a device executes no more than it was measured to; the public contract on `peak_tflops`.
"""

from typing import Any

import pytest

from estimator.base.errors import InfeasibleError, InvalidValueError, MissingValueError
from estimator.catalogue import catalogue
from estimator.physics.ceilings import matmul_ceiling_flop_per_s
from server.protocol.registry import TOOLS

GOOD: dict[str, Any] = {"model": "llama-3.1-8b", "tokens": "1T", "gpu": "h100-sxm", "n_gpus": 64}


def _answer(tool: str = "estimate_training_time", **changes: object) -> dict[str, Any]:
    asked = TOOLS.tool(tool)
    assert asked is not None
    return asked.answer({"detail": "detailed"} | GOOD | changes).structured


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.1])
def test_a_given_peak_moves_the_prediction_and_is_never_exceeded(share: float) -> None:
    usual, moved = _answer(peak_tflops=989.4), _answer(peak_tflops=share * 989.4)
    assert (moved["training_days"] < usual["training_days"]) == (share > 1)
    assert moved["hardware_flops_utilization"] <= 1


def test_a_given_peak_that_is_the_catalogued_one_changes_nothing() -> None:
    """But that a run whose peak is told is not taken for a published one."""
    own: dict[str, Any] = {
        "framework": "torchtitan",
        "global_batch_sequences": 512,
        "model": "llama-2-13b",
        "n_gpus": 24,
    }
    assert _answer(**own, peak_tflops=989.4)["training_days"] == pytest.approx(_answer(**own)["training_days"])


@pytest.mark.parametrize(("gpu", "peak_tflops"), [("h100-sxm", 1979), ("h100-sxm", 1e5), ("rtx-4090", 330.3)])
def test_a_peak_of_something_else_is_not_predicted_with(gpu: str, peak_tflops: float) -> None:
    with pytest.raises(InvalidValueError, match=r"peak_tflops: .* give utilization with it"):
        _answer(gpu=gpu, peak_tflops=peak_tflops)
    assert _answer(gpu=gpu, peak_tflops=peak_tflops, utilization=0.2)["basis"] == "assumed_utilization"


@pytest.mark.parametrize("peak_tflops", [1e-9, 0.0001])
def test_a_peak_that_no_answer_could_print_is_refused(peak_tflops: float) -> None:
    with pytest.raises(InvalidValueError, match="peak_tflops"):
        _answer(peak_tflops=peak_tflops)


def test_the_peak_that_an_observed_utilization_was_divided_by_moves_no_expectation() -> None:
    by_catalogue = _answer("check_training_speed", observed_mfu=0.4, peak_tflops=989.4)
    by_hand = _answer("check_training_speed", observed_mfu=0.4, peak_tflops=1979)
    assert by_hand["expected"] == by_catalogue["expected"]


@pytest.mark.parametrize(("times", "refused"), [(0.4, False), (1.1, False), (394, True)])
def test_an_observed_speed_far_beyond_the_peak_is_refused(times: float, refused: bool) -> None:
    observed = times * 64 * 989.4e12 / (_answer()["flops_per_token"])
    if refused:
        with pytest.raises(InvalidValueError, match=r"observed_tokens_per_second: .* times the fastest dense rate"):
            _answer(observed_tokens_per_second=observed)
        return
    codes = {warning["code"] for warning in _answer(observed_tokens_per_second=observed)["warnings"]}
    assert ("observed_speed_implausible" in codes) == (times > 1)


def test_a_utilization_above_what_was_measured_is_named_as_the_callers() -> None:
    codes = [{warning["code"] for warning in _answer(utilization=given)["warnings"]} for given in (0.45, 0.99)]
    assert ["utilization_above_ceiling" in found for found in codes] == [False, True]


@pytest.mark.parametrize("precision", ["fp16", "bf16", "fp8", "tf32", "fp32"])
@pytest.mark.parametrize("gpu", ["gaudi3", "h100-sxm", "mi300x", "rtx-4090", "b200", "apple-m2-ultra"])
@pytest.mark.parametrize("sequence_length", [2048, 131_072])
def test_no_prediction_executes_more_than_the_device_was_measured_to(
    gpu: str, precision: str, sequence_length: int
) -> None:
    device = catalogue.accelerator(gpu).value.accelerator
    if precision not in device.peak_flop_per_s:
        with pytest.raises(InvalidValueError, match="precision"):
            _answer(gpu=gpu, precision=precision)
        return
    answer = _answer(gpu=gpu, precision=precision, sequence_length=sequence_length)
    executed = answer["hardware_flops_utilization"] * answer["peak_tflops"] * 1e12
    assert executed <= matmul_ceiling_flop_per_s(device, precision) * (1 + 1e-6)


def test_a_budget_without_a_price_says_that_the_price_is_missing() -> None:
    """Of every device without one, whatever cannot be met."""
    unpriced = [entry.id for entry in catalogue.accelerators() if not catalogue.prices(entry.id)]
    plan = TOOLS.tool("plan_training")
    assert plan is not None
    assert len(unpriced) > 50
    for gpu in unpriced[::24]:
        for limits in ({"budget": "$1"}, {"budget": "$1", "deadline": "1 second"}):
            with pytest.raises((InfeasibleError, MissingValueError), match=r"price|deadline|fit|can fill"):
                plan.answer({"solve_for": "n_gpus", "model": "100M", "gpu": gpu, "tokens": "1B"} | limits)
