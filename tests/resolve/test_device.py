"""A precision that is asked for is priced at the rate that the chip has for it, or refused with those it has.

Authority: NVIDIA's CUDA programming guide (arithmetic throughput by compute capability); cuBLAS sums FP16 products in
FP32 at the FP32 rate where there are no tensor cores.
"""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.question.request import Request
from estimator.resolve.run import resolve


def _precision(gpu: str, precision: str) -> Any:  # noqa: ANN401 - an assumption's value is any
    run = resolve(Request(model="gpt-2", gpu=gpu, n_gpus=1, tokens="1B", precision=precision))
    return next(one for one in run.assumptions if one.name == "precision")


@pytest.mark.parametrize("gpu", ["p100-pcie-16gb", "p100-sxm2"])
def test_half_precision_without_tensor_cores_is_as_fast_as_single(gpu: str) -> None:
    taken = _precision(gpu, "fp16")
    assert taken.value == "fp32"
    assert "FP32 rate" in taken.note


@pytest.mark.parametrize(("gpu", "precision"), [("t4", "bf16"), ("v100", "bf16"), ("a100", "fp8"), ("h100", "nvfp4")])
def test_a_precision_that_a_chip_lacks_is_refused_with_those_it_has(gpu: str, precision: str) -> None:
    """Hugging Face's trainer refuses BF16 on a T4 as well."""
    with pytest.raises(InvalidValueError, match="choose from"):
        _precision(gpu, precision)


@pytest.mark.parametrize(
    "processor",
    ["Intel Core i7", "i9-13900K", "CPU", "AMD Ryzen 9 7950X", "Xeon Gold 6248", "EPYC 9654", "Threadripper 3990X"],
)
def test_a_processor_is_told_from_a_card_that_nobody_knows(processor: str) -> None:
    """It was asked whether a TPU had been meant; with its own rate it is answered as any device that is not listed."""
    asked = Request(model="gpt-2", gpu=processor, n_gpus=1, tokens="1M")
    with pytest.raises(InvalidValueError, match=r"is a processor, .* peak_tflops") as refused:
        resolve(asked)
    assert "did you mean" not in str(refused.value)
    assert resolve(replace(asked, peak_tflops=1.5)).device.peak_flop_per_s == 1.5e12


@pytest.mark.parametrize(
    "card", ["Ryzen AI Max 395", "GTX 1661", "RTX 9999", "Radeon VII", "Tesla K90", "Cerebras CS-3"]
)
def test_a_card_is_no_processor(card: str) -> None:
    with pytest.raises(UnknownNameError) if card != "Ryzen AI Max 395" else nullcontext():
        resolve(Request(model="gpt-2", gpu=card, n_gpus=1, tokens="1M"))


@pytest.mark.parametrize(
    ("named", "card", "times"),
    [
        ("H100 MIG 3g.40gb", "h100-sxm", "take about 2.3 times"),
        ("H100 PCIe 1g.10gb", "h100-pcie", "1 of its 7 parts takes about 7 times"),
        ("A100 MIG 3g.20gb", "a100-sxm-40gb", "if 20 GB are enough"),
        ("A100 80GB (MIG slice)", "a100-sxm-80gb", "7/n times"),
        ("MIG 2g.20gb", "the whole card", "3.5 times"),
    ],
)
def test_a_slice_of_a_card_is_told_from_the_card(named: str, card: str, times: str) -> None:
    """NVIDIA's MIG user guide: a card has seven parts and eight of its memory; with a peak of its own it is a card."""
    asked = Request(model="gpt-2", gpu=named, n_gpus=1, tokens="1M")
    with pytest.raises(InvalidValueError, match="MIG slice") as refused:
        resolve(asked)
    assert card in str(refused.value)
    assert times in str(refused.value)
    assert resolve(replace(asked, peak_tflops=300)).device.peak_flop_per_s == 3e14
