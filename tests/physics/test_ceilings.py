"""What share of their datasheet's rate devices reach outside matrix units.

Authority: published SGEMM measurements: Markidis et al. 2018, figure 6, for V100; siboehm/SGEMM_CUDA for an RTX A6000.
"""

import pytest

from estimator.catalogue import catalogue
from estimator.physics.ceilings import convolution_precision, matmul_ceiling_flop_per_s, on_shaders

UNITS = ("rtx-a6000", "rtx-a5500", "rtx-a4000", "a10")
ONE_WAY, SHARED_WAY = (0.9, 1.0), (0.55, 0.7)


@pytest.mark.parametrize(
    ("gpu", "low", "high"),
    [
        *((gpu, *ONE_WAY) for gpu in ("p100-sxm2", "gtx-1080-ti", "v100-sxm2-16gb", "quadro-rtx-8000", "rtx-2080-ti")),
        *((gpu, *ONE_WAY) for gpu in ("a30", "a100-sxm-80gb", "h100-sxm", "b200-sxm")),
        *((gpu, *SHARED_WAY) for gpu in ("rtx-3090", "rtx-a6000", "l4", "l40s", "rtx-4090", "rtx-5090")),
        # Half and two thirds of the power that their chips ask for elsewhere: 70 W of 145, 150 of 240.
        ("t4", 0.6, 0.75),
        ("a10", 0.45, 0.55),
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


def test_cards_of_one_chip_reach_less_of_their_peak_on_less_power() -> None:
    """An A10 has half the power of an RTX A6000 for four fifths of its units: its sheet alone makes it no faster.

    Authority: of the same chip, an H100 PCIe of 350 W was measured at 66 % of its peak, the SXM5 of 700 W at 80 %.
    """
    cards = [catalogue.accelerator(gpu).value.accelerator for gpu in UNITS]
    watts = [card.tdp_w / card.training_peak_flop_per_s for card in cards]
    shares = [matmul_ceiling_flop_per_s(card, "bf16") / card.peak_flop_per_s["bf16"] for card in cards]
    assert shares[0] == max(shares)
    assert shares[-1] == min(shares)
    assert watts[-1] == min(watts)
    assert 0.55 < shares[-1] < 0.75


@pytest.mark.parametrize(("gpu", "share"), [("rtx-3080-10gb", 0.95), ("rtx-2080-ti", 0.95), ("a30", 0.82)])
def test_half_rate_cards_and_other_chips_are_not_slowed(gpu: str, share: float) -> None:
    card = catalogue.accelerator(gpu).value.accelerator
    peak = card.training_peak_flop_per_s
    assert matmul_ceiling_flop_per_s(card, card.training_precision) / peak == pytest.approx(share)


def test_what_sums_at_full_rate_is_no_gamers_card() -> None:
    """TITAN RTX and Quadro RTX 6000 are one chip, sold at full rate."""
    titan, quadro = (catalogue.accelerator(gpu).value.accelerator for gpu in ("titan-rtx", "quadro-rtx-6000"))
    shares = [matmul_ceiling_flop_per_s(card, "fp16") / card.peak_flop_per_s["fp16"] for card in (titan, quadro)]
    assert shares[0] == pytest.approx(shares[1], rel=0.03)
