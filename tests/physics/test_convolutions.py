"""What makes a convolution dearer than a matrix product of its shape: transposes, and groups without matrix units.

Authority: the formula in the docstring of `physics.matmul.matmul_s`; device, model and constants are invented.
"""

from dataclasses import replace

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


def test_filters_of_three_by_three_need_fewer_multiplications_outside_matrix_units() -> None:
    """Lavin and Gray 2016: 2.25 times fewer at most in tiles of two by two, and for such filters alone."""
    single = small_case(precision="fp32")
    saved = {taps: _seconds(single) / _seconds(single, taps=taps) for taps in (9.0, 25.0, 49.0)}
    others = CONSTANTS["channels_last_convolution"]
    assert 1.0 < saved[9.0] / others <= 2.25
    assert saved[25.0] == saved[49.0] == pytest.approx(others)


def test_products_outside_matrix_units_are_nearly_as_fast_as_such_products_get() -> None:
    """Markidis et al. 2018, figure 6: SGEMM on a V100 reaches 14.6 of 15.7 TFLOPS; in 16 bit three quarters."""
    chip = replace(CHIP, peak_flop_per_s={"bf16": 100e12, "fp32": 20e12})
    single = small_case(chip=chip, precision="fp32")
    m, n, k = SHAPE
    ideal_s = 2.0 * m * n * k / (0.93 * 20e12)
    assert ideal_s < _seconds(single) < 1.12 * ideal_s
