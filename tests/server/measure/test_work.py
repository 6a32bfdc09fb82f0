"""A device is measured within its budget, in the order of need, and what fails is told and not raised.

Authority: a device of arithmetic, whose clock its own work moves.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.measure.budget import Budget
from server.measure.device import OutOfMemoryError
from server.measure.gathering import Gathered
from server.measure.sizes import Step
from server.measure.work import measured_device


class ArithmeticDevice:
    """A GPU whose times follow from its rates."""

    kind = "cuda"
    step_precision = "bf16"
    precisions: tuple[str, ...] = ("bf16", "fp32")

    def __init__(self, tflops: float = 700.0, *, gib: float = 80.0, warm_up_s: float = 0.5) -> None:
        self.name = "NVIDIA H100 80GB HBM3"
        self.has_transformers = False
        self.flop_per_s = tflops * 1e12
        self.gib = gib
        self.now_s = 0.0
        self.room_bytes = float("inf")
        self._warm_up_s = warm_up_s
        self._lacks: tuple[str, ...] = ()

    def lacking(self, *precisions: str) -> "ArithmeticDevice":
        """Return the device without units for `precisions`."""
        self._lacks = precisions
        return self

    def clock(self) -> float:
        """Return the time that its work took."""
        return self.now_s

    def free_bytes(self) -> float:
        """Return its memory."""
        return self.gib * 2.0**30

    def matmul(self, precision: str, size: int) -> Callable[[int], None]:
        """Return products at its rate, FP32 at a tenth."""
        if precision in self._lacks:
            raise RuntimeError(f"no kernel for {precision}\nand a long trace")
        rate = self.flop_per_s / (10.0 if precision == "fp32" else 1.0)
        return self._taking(2.0 * size**3 / rate)

    def copy(self, size_bytes: int) -> Callable[[int], None]:
        """Return copies at 3 TB/s."""
        return self._taking(2.0 * size_bytes / 3e12)

    def step(self, step: Step, trainer: str) -> Callable[[int], None]:
        """Return steps at 40 % of the rate; where there is no room they raise."""
        del trainer
        if step.memory_bytes > self.room_bytes:
            raise OutOfMemoryError
        return self._taking(step.seconds(self.flop_per_s, 0.4))

    def most_allocated_bytes(self) -> float | None:
        """Return a figure."""
        return 1e9

    def clear(self) -> None:
        """Do nothing."""

    def _taking(self, once_s: float) -> Callable[[int], None]:
        first = [self._warm_up_s]

        def run(times: int) -> None:
            self.now_s += times * once_s + (first.pop() if first else 0.0)

        return run


def _measured(device: ArithmeticDevice, seconds: float = 110.0) -> Gathered:
    gathered = Gathered()
    gathered.hear("facts", {"device": device.name, "kind": device.kind, "devices": 1})
    measured_device(device, Budget(seconds=seconds, clock=device.clock, started_s=0.0), gathered.hear)
    return gathered


def _found(gathered: Gathered) -> dict[str, Any]:
    return gathered.document(date="2026-11-26", seconds=1.0).model_dump()["measured"]  # type: ignore[no-any-return]


@given(
    tflops=st.floats(0.05, 5000.0),
    gib=st.floats(4.0, 200.0),
    seconds=st.floats(10.0, 600.0),
    warm_up_s=st.floats(0.0, 1.0),
)
def test_the_budget_is_kept_on_any_device(tflops: float, gib: float, seconds: float, warm_up_s: float) -> None:
    """Within 10 %, warm-ups aside: those nobody can guess, and the listener ends what they delay."""
    device = ArithmeticDevice(tflops, gib=gib, warm_up_s=warm_up_s)
    _measured(device, seconds)
    works = 2 * (1 + 3) + 2 + 2
    assert device.now_s <= 1.1 * seconds + works * warm_up_s


def test_a_device_gives_back_its_rates_and_steps() -> None:
    found = _found(_measured(ArithmeticDevice()))
    best = {
        precision: max(m["tflops"]["median"] for m in found["matmul"] if m["precision"] == precision)
        for precision in ("bf16", "fp32")
    }
    assert best == pytest.approx({"bf16": 700.0, "fp32": 70.0})
    assert found["copy_gb_s"]["median"] == pytest.approx(3000.0)
    assert [m["precision"] for m in found["matmul"]] == ["bf16"] * 3 + ["fp32"] * 3
    small, large = found["steps"]
    assert small["parameters"] < 1.5e8 < large["parameters"]
    for step in found["steps"]:
        tokens = step["sequence_length"] * step["micro_batch_size"]
        assert step["tokens_per_second"] * step["step_seconds"]["median"] == pytest.approx(tokens)
        assert 6.0 * step["parameters"] * step["tokens_per_second"] == pytest.approx(0.4 * 700e12)
    assert found["left_out"] == []


def test_what_runs_out_of_memory_is_tried_smaller() -> None:
    device = ArithmeticDevice()
    device.room_bytes = 40e9
    found = _found(_measured(device))
    assert any("out of memory" in why for why in found["left_out"])
    assert found["steps"][-1]["name"] == "decoder-1.3b"


def test_a_precision_that_fails_is_left_out_in_one_line_and_the_rest_goes_on() -> None:
    found = _found(_measured(ArithmeticDevice().lacking("fp32")))
    assert {matmul["precision"] for matmul in found["matmul"]} == {"bf16"}
    assert found["left_out"] == ["matmul in fp32: RuntimeError: no kernel for fp32"]
    assert len(found["steps"]) == 2


def test_a_device_that_can_do_nothing_is_told_and_not_raised() -> None:
    gathered = _measured(ArithmeticDevice().lacking("bf16", "fp32"))
    assert not gathered.anything
    assert "no matrix product" in gathered.left_out[-1]


def test_transformers_is_measured_where_it_is_there() -> None:
    device = ArithmeticDevice()
    device.has_transformers = True
    steps = _found(_measured(device))["steps"]
    assert [step["trainer"] for step in steps] == ["pytorch", "transformers", "pytorch"]
    assert steps[0]["name"] == steps[1]["name"]


def test_the_profile_names_the_device_as_the_catalogue_does() -> None:
    document = _measured(ArithmeticDevice()).document(date="2026-11-26", seconds=1.0)
    assert document.machine.gpu == "h100-sxm"
    assert document.measured is not None
    assert document.measured.device == "NVIDIA H100 80GB HBM3"
