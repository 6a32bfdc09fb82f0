"""The measurements of one device, one after the other, each told as soon as it is had."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from estimator.base.units import GIGA, TERA
from server.measure.budget import Budget, Clock, Quartiles, quartiles, samples
from server.measure.device import Device, OutOfMemoryError
from server.measure.sizes import Step, matmul_sizes, steps_that_fit

__all__ = ["FRAMEWORKS", "Tell", "measured_device"]

Tell = Callable[[str, dict[str, Any]], None]
"""Takes the name of what was measured (or `doing`, `left_out`) and its fields, as they lie in a profile."""

_MATMUL, _COPY, _STEP = 0.3, 0.05, 0.3
"""Weights of the budget: all precisions, the copy, one step."""
_PILOT_SIZE = 512
_PILOT_SHARE = 0.1
_PILOT_COPY_BYTES, _COPY_BYTES = 1 << 26, 1 << 30
_COPY_MEMORY = 0.2
_COPIES_IN_TIME = 10.0
_SMALL_PARAMETERS = 1.5e8
_LENGTHS = {"cpu": 128}
_USUAL_LENGTH = 2_048
_SHARES = {"cpu": 0.06}
_USUAL_SHARE = 0.3
"""Of the matmul rate, what a first guess says a step reaches: a CPU's small products and its memory hold it back."""
_ELEMENT_BYTES = {"fp32": 4.0, "tf32": 4.0}
_MOST_TRIED = 5
"""Steps, where the larger ones turn out not to fit the memory."""
FRAMEWORKS = {
    "pytorch": "pytorch, eager, sdpa, adamw",
    "transformers": "huggingface transformers, eager, sdpa, adamw",
}
"""How each trainer's step is run, as an estimate is told it."""


def measured_device(device: Device, budget: Budget, tell: Tell) -> None:
    """Measure matmul at three sizes in each precision, a copy, and steps of a small and of a large decoder.

    What comes first is what an estimate needs most. Nothing is begun that the first guess says cannot end in time, and
    whoever listens ends what goes on nevertheless.
    """
    trainers = ("pytorch", "transformers") if device.has_transformers else ("pytorch",)
    weights_left = _MATMUL + _COPY + (1 + len(trainers)) * _STEP
    best = _matmuls(device, budget, tell, budget.slice_s(_MATMUL, weights_left))
    weights_left -= _MATMUL
    _copy(device, budget, tell, budget.slice_s(_COPY, weights_left))
    weights_left -= _COPY
    rate = best.get(device.step_precision) or max(best.values(), default=0.0)
    if not rate:
        tell("left_out", {"why": "training steps: no matrix product could be run"})
        return
    small: Step | None = None
    for trainer in trainers:
        asked = _Asked(trainer=trainer, most_parameters=_SMALL_PARAMETERS)
        small = (
            _step(device, budget.clock, tell, asked, rate=rate, slice_s=budget.slice_s(_STEP, weights_left)) or small
        )
        weights_left -= _STEP
    large = _Asked(trainer="pytorch", above=small.decoder.parameters if small else 0)
    _step(device, budget.clock, tell, large, rate=rate, slice_s=budget.slice_s(_STEP, weights_left))


def _matmuls(device: Device, budget: Budget, tell: Tell, slice_s: float) -> dict[str, float]:
    """Return the best FLOP/s of each precision."""
    best: dict[str, float] = {}
    for place, precision in enumerate(device.precisions):
        own_s = min(slice_s / len(device.precisions), budget.slice_s(1, len(device.precisions) - place))
        tell("doing", {"what": f"matmul in {precision}"})
        try:
            best[precision] = _matmul(device, budget, tell, precision, own_s)
        except Exception as error:  # noqa: BLE001 - a precision that this build or chip lacks says so in its own way
            tell("left_out", {"why": _said(f"matmul in {precision}", error)})
        device.clear()
    return best


def _matmul(device: Device, budget: Budget, tell: Tell, precision: str, slice_s: float) -> float:
    pilot = samples(device.matmul(precision, _PILOT_SIZE), _PILOT_SHARE * slice_s, budget.clock)
    rate = _flop(_PILOT_SIZE) / min(pilot)
    sizes = matmul_sizes(rate, slice_s, device.free_bytes(), _ELEMENT_BYTES.get(precision, 2.0))
    best = 0.0
    for size in sizes:
        share_s = (1.0 - _PILOT_SHARE) * slice_s / len(sizes)
        if budget.left_s <= 0.0:
            tell("left_out", {"why": f"matmul in {precision} from size {size} on: out of time"})
            break
        seconds = quartiles(samples(device.matmul(precision, size), share_s, budget.clock))
        rates = seconds.map(partial(_rate, _flop(size)))
        tflops = rates.map(lambda flop_per_s: flop_per_s / TERA)
        tell("matmul", {"precision": precision, "size": size, "tflops": asdict(tflops)})
        best = max(best, rates.median)
    return best


def _rate(amount: float, seconds: float) -> float:
    return amount / seconds


def _flop(size: int) -> float:
    return 2.0 * float(size) ** 3


def _copy(device: Device, budget: Budget, tell: Tell, slice_s: float) -> None:
    tell("doing", {"what": "memory copy"})
    try:
        pilot_s = min(samples(device.copy(_PILOT_COPY_BYTES), _PILOT_SHARE * slice_s, budget.clock))
        fitting = _PILOT_COPY_BYTES * slice_s / (_COPIES_IN_TIME * pilot_s)
        largest = min(_COPY_BYTES, _COPY_MEMORY * device.free_bytes())
        size = int(max(min(fitting, largest), _PILOT_COPY_BYTES)) // 4 * 4
        seconds = quartiles(samples(device.copy(size), (1.0 - _PILOT_SHARE) * slice_s, budget.clock))
    except Exception as error:  # noqa: BLE001 - as above
        tell("left_out", {"why": _said("memory copy", error)})
        return
    tell("copy_gb_s", asdict(seconds.map(partial(_rate, 2.0 * size / GIGA))))
    device.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Which step is to be measured: of the largest decoder within bounds."""

    trainer: str
    most_parameters: float = math.inf
    above: int = 0


def _step(device: Device, clock: Clock, tell: Tell, asked: _Asked, *, rate: float, slice_s: float) -> Step | None:
    """Measure the step of the largest decoder that fits, and return it; None where none does."""
    trainer = asked.trainer
    # What the step before has kept is free too.
    device.clear()
    fitting = steps_that_fit(
        rate,
        slice_s,
        device.free_bytes(),
        sequence_length=_LENGTHS.get(device.kind, _USUAL_LENGTH),
        most_parameters=asked.most_parameters,
        share=_SHARES.get(device.kind, _USUAL_SHARE),
    )
    larger = [step for step in fitting if step.decoder.parameters > asked.above]
    smaller_and_smaller = [
        replace(step, micro_batch=step.micro_batch >> halvings)
        for step in larger
        for halvings in range(step.micro_batch.bit_length())
    ]
    for step in smaller_and_smaller[:_MOST_TRIED]:
        tell("doing", {"what": f"training step of {step.decoder.name} by {trainer}"})
        device.clear()
        try:
            seconds = quartiles(samples(device.step(step, trainer), slice_s, clock))
        except OutOfMemoryError:
            tell("left_out", {"why": f"{step.decoder.name} by {trainer}, batch {step.micro_batch}: out of memory"})
            continue
        except Exception as error:  # noqa: BLE001 - as above
            tell("left_out", {"why": _said(f"{step.decoder.name} by {trainer}", error)})
            return None
        tell("steps", _step_fields(step, trainer, device, seconds))
        return step
    what = f"a decoder above {asked.above:,} parameters" if asked.above else "any decoder"
    tell("left_out", {"why": f"the step of {what} by {trainer}: none fits the memory and the time"})
    return None


def _step_fields(step: Step, trainer: str, device: Device, seconds: Quartiles) -> dict[str, Any]:
    allocated = device.most_allocated_bytes()
    return {
        "name": step.decoder.name,
        "trainer": trainer,
        "hf_config": step.decoder.hf_config(step.sequence_length),
        "parameters": step.decoder.parameters,
        "precision": device.step_precision,
        "framework": FRAMEWORKS[trainer],
        "sequence_length": step.sequence_length,
        "micro_batch_size": step.micro_batch,
        "step_seconds": asdict(seconds),
        "tokens_per_second": step.tokens / seconds.median,
        "memory_gb": None if allocated is None else allocated / GIGA,
    }


def _said(what: str, error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    return f"{what}: {type(error).__name__}: {first}"[:200]
