"""What share of their datasheet's rate devices reach outside matrix units.

Authority: published SGEMM measurements: Markidis et al. 2018, figure 6, for V100; siboehm/SGEMM_CUDA for an RTX A6000.
"""

import pytest

from estimator.catalogue import catalogue
from estimator.physics.ceilings import convolution_precision, matmul_ceiling_flop_per_s, on_shaders

ONE_WAY, SHARED_WAY = (0.9, 1.0), (0.55, 0.7)


@pytest.mark.parametrize(
    ("gpu", "low", "high"),
    [
        *((gpu, *ONE_WAY) for gpu in ("p100-sxm2", "gtx-1080-ti", "v100-sxm2-16gb", "t4", "rtx-2080-ti")),
        *((gpu, *ONE_WAY) for gpu in ("a30", "a100-sxm-80gb", "h100-sxm", "b200-sxm")),
        *((gpu, *SHARED_WAY) for gpu in ("a10", "rtx-3090", "rtx-a6000", "l4", "l40s", "rtx-4090", "rtx-5090")),
    ],
)
def test_fp32_reaches_most_of_its_peak_unless_integers_share_its_way(gpu: str, low: float, high: float) -> None:
    chip = catalogue.accelerator(gpu).value.accelerator
    assert low <= matmul_ceiling_flop_per_s(chip, "fp32") / chip.peak_flop_per_s["fp32"] <= high


@pytest.mark.parametrize(
    ("gpu", "precision", "outside", "convolved"),
    [
        ("v100-sxm2-16gb", "fp32", True, "fp32"),
        ("v100-sxm2-16gb", "fp16", False, "fp16"),
        ("gtx-1080-ti", "fp32", True, "fp32"),
        ("a100-sxm-80gb", "fp32", True, "tf32"),
        ("a100-sxm-80gb", "tf32", False, "tf32"),
        ("h100-sxm", "fp8", False, "bf16"),
        ("b200-sxm", "nvfp4", False, "bf16"),
        ("mi300x", "fp32", False, "tf32"),
        ("tpu-v5e", "bf16", False, "bf16"),
    ],
)
def test_which_units_do_matrix_products_and_what_convolutions_run_in(
    gpu: str, precision: str, outside: bool, convolved: str
) -> None:
    chip = catalogue.accelerator(gpu).value.accelerator
    assert on_shaders(chip, precision) is outside
    assert convolution_precision(chip, precision) == convolved
