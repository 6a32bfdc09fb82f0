"""What makes a convolution dearer than a matrix product of its shape, and what those without matrix units cost.

Authority: the formula in the docstring of `physics.matmul.matmul_s`; device, model and constants are invented.
"""

from dataclasses import replace

import numpy as np
import pytest

from estimator.physics.case import Case
from estimator.physics.execution import Execution
from estimator.physics.matmul import matmul_s
from tests.physics_cases import CHIP, CONSTANTS, small_case

TAPS, CHANNELS, POSITIONS = 9, 1024, 2**15
SHAPE = POSITIONS, CHANNELS, TAPS * CHANNELS
LAST = small_case(execution=Execution(channels_last=True))
FIRST = small_case()


def _seconds(case: Case, *, taps: float = 1.0, groups: float = 1.0) -> float:
    return float(matmul_s(case, CONSTANTS, *SHAPE, taps=taps, groups=groups))


def test_channels_last_saves_transposes() -> None:
    plain = _seconds(FIRST)
    assert _seconds(FIRST, taps=TAPS) == pytest.approx(plain / CONSTANTS["convolution_efficiency"])
    assert _seconds(LAST, taps=TAPS) == pytest.approx(plain / CONSTANTS["channels_last_convolution"])


def test_a_matrix_product_has_no_channels() -> None:
    assert _seconds(LAST) == _seconds(FIRST)


def test_in_fp32_nothing_is_transposed() -> None:
    """Kernels without matrix units read either order."""
    first, last = (
        small_case(precision="fp32", execution=Execution(channels_last=channels_last))
        for channels_last in (False, True)
    )
    assert _seconds(first, taps=TAPS) == _seconds(last, taps=TAPS)


@pytest.mark.parametrize("channels_last", [False, True])
def test_groups_of_channels_are_worked_out_without_matrix_units(channels_last: bool) -> None:
    """At 93 % of the FP32 peak, and a share of that, whatever the precision and the order in memory."""
    chip = replace(CHIP, peak_flop_per_s={"bf16": 100e12, "fp32": 20e12})
    case = small_case(chip=chip, execution=Execution(channels_last=channels_last))
    slower = 80e12 / (0.93 * 20e12 * CONSTANTS["grouped_convolution"])
    assert _seconds(case, taps=TAPS, groups=16) == pytest.approx(slower * _seconds(case))


def test_chips_of_matrix_units_alone_work_out_groups_as_all_else() -> None:
    case = small_case(chip=replace(CHIP, vendor="Google", family="tpu"))
    assert _seconds(case, taps=TAPS, groups=16) == pytest.approx(_seconds(case) / CONSTANTS["grouped_convolution"])


SHADERS = replace(CHIP, peak_flop_per_s={"bf16": 100e12, "fp32": 8e12})
WITH_TF32 = replace(CHIP, peak_flop_per_s={**SHADERS.peak_flop_per_s, "tf32": 50e12})


def test_products_without_matrix_units_come_near_their_peak() -> None:
    """93 % of 8 TFLOPS, and of that the constant's share; 128 by 128 divides the output evenly over no processors."""
    case = replace(small_case(precision="fp32", chip=replace(SHADERS, n_sm=0)), balance=0.0)
    flop = 2.0 * SHAPE[0] * SHAPE[1] * SHAPE[2]
    assert _seconds(case) == pytest.approx(flop / (0.93 * 8e12 * CONSTANTS["shader_efficiency"]))


def test_tiles_are_smaller_without_matrix_units() -> None:
    """108 tiles of 128 by 128 fill as many multiprocessors once; 54 tiles of 128 by 256 leave half of them idle."""
    small, large = (
        replace(small_case(precision=precision, chip=replace(WITH_TF32, n_sm=108)), balance=0.0)
        for precision in ("fp32", "tf32")
    )
    shape = 128 * 108, 128, 4096
    tail = 0.5 ** CONSTANTS["gemm_tail_power"]
    smaller, larger = (float(matmul_s(case, CONSTANTS, *shape)) for case in (small, large))
    flop = 2.0 * shape[0] * shape[1] * shape[2]
    assert smaller == pytest.approx(flop / (np.float64(small.gemm_flop_per_s) * CONSTANTS["shader_efficiency"]))
    assert larger == pytest.approx(flop / (np.float64(large.gemm_flop_per_s) * CONSTANTS["gemm_efficiency"] * tail))


@pytest.mark.parametrize(("taps", "gain"), [(4, 1.0), (9, CONSTANTS["winograd_gain"]), (49, 1.0)])
def test_three_by_three_is_multiplied_fewer_times_in_fp32(taps: int, gain: float) -> None:
    case = small_case(precision="fp32", chip=SHADERS)
    share = CONSTANTS["channels_last_convolution"] * gain
    assert _seconds(case, taps=taps) == pytest.approx(_seconds(case) / share)


def test_convolutions_take_tf32_for_fp32_where_the_device_has_it() -> None:
    """Matrix products do not change over; what starts a product is shorter where they are slower."""
    fp32, tf32 = (small_case(precision=precision, chip=WITH_TF32) for precision in ("fp32", "tf32"))
    assert _seconds(fp32, taps=TAPS) == pytest.approx(_seconds(tf32, taps=TAPS), rel=5e-3)
    assert _seconds(fp32) > 1.5 * _seconds(tf32)


@pytest.mark.parametrize("precision", ["fp8", "nvfp4"])
def test_nobody_narrows_convolutions_below_sixteen_bits(precision: str) -> None:
    chip = replace(CHIP, peak_flop_per_s={"bf16": 100e12, "fp8": 200e12, "nvfp4": 400e12})
    narrow = small_case(precision=precision, chip=chip)
    assert _seconds(narrow) < _seconds(FIRST)
    assert _seconds(narrow, taps=TAPS) == pytest.approx(_seconds(FIRST, taps=TAPS))
