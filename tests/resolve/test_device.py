"""A precision that is asked for is priced at the rate that the chip has for it, or refused with those it has.

Authority: NVIDIA's CUDA programming guide (arithmetic throughput by compute capability); cuBLAS sums FP16 products in
FP32 at the FP32 rate where there are no tensor cores.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
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
