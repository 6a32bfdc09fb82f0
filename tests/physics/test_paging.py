"""Paged moments: they cost nothing where a device holds them, and else come in over the link for every step.

Authority: bytes over the link's rate, counted by hand on an invented device.
"""

from dataclasses import replace

import numpy as np
import pytest

from estimator.physics.case import Case
from estimator.physics.execution import Execution
from estimator.physics.layout import layouts_of
from estimator.physics.memory import memory_of, usable_bytes
from estimator.physics.sharing import optimizer_s
from estimator.question.practice import OptimizerName
from tests.physics_cases import CHIP, CONSTANTS, PLAIN, small_case

ROWS = layouts_of(PLAIN)
PARAMETERS = 2 * (4 * 1024**2 + 2 * 1024 * 4096) + 2 * 32768 * 1024
MOMENTS_BYTES = 2.03 * PARAMETERS
LINK_BYTES_PER_S = 16e9


def _case(optimizer: OptimizerName, usable: float) -> Case:
    chip = replace(CHIP, memory_bytes=usable / usable_bytes(1.0))
    return small_case(chip=chip, execution=Execution(optimizer=optimizer))


def _step_s(optimizer: OptimizerName, usable: float) -> float:
    return float(np.asarray(optimizer_s(_case(optimizer, usable), CONSTANTS, ROWS))[0])


def test_moments_that_fit_beside_all_else_stay() -> None:
    assert _step_s("paged_adamw_8bit", 80e9) == pytest.approx(_step_s("adamw_8bit", 80e9))


@pytest.mark.parametrize("lacking", [0.25, 0.5, 1.0, 3.0])
def test_what_a_device_lacks_comes_in_for_every_step_and_never_more_than_there_is(lacking: float) -> None:
    all_else = float(memory_of(_case("paged_adamw_8bit", 80e9), ROWS).total_bytes[0])
    usable = all_else + (1.0 - lacking) * MOMENTS_BYTES
    added = _step_s("paged_adamw_8bit", usable) - _step_s("adamw_8bit", usable)
    assert added == pytest.approx(min(lacking, 1.0) * MOMENTS_BYTES / LINK_BYTES_PER_S)
