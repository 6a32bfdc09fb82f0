"""What a trainer's way to load a frozen base would change, where it is not how people with such a card load it."""

from estimator.base.units import format_bytes
from estimator.models.training import WITH_ADAPTERS
from estimator.physics.choice import Setting
from estimator.question.question import Caution, Prediction

__all__ = ["loaded_wide"]

_LOADS_WIDE = frozenset({"trl"})
"""Trainers that load a model which they are given by its name in FP32 unless told (`create_model_from_path`)."""
_IN_16_BIT = frozenset({"bf16", "fp16"})
_WIDER = 2.0
"""Bytes of FP32 over those of 16 bit."""


def loaded_wide(setting: Setting, step: Prediction) -> tuple[Caution, ...]:
    """Return a warning where a base fits in 16 bit, as is assumed, and not as its trainer loads it by its name."""
    question, memory = setting.question, step.memory
    frozen = question.method.name in WITH_ADAPTERS and question.method.name != "qlora"
    said = question.practice
    told_wide = said.loaded_in == "fp32"
    told = said.base_bits is not None or said.master_weights is not None or said.loaded_in is not None
    if not frozen or question.precision not in _IN_16_BIT:
        return ()
    if not told_wide and (told or setting.stack.name not in _LOADS_WIDE):
        return ()
    weights = _WIDER * memory.weights_bytes
    if not memory.fits or memory.total_bytes - memory.weights_bytes + weights <= memory.usable_bytes:
        return ()
    loads = f"{setting.stack.name} loads a model given by its name in FP32"
    message = (
        f"weights are taken to be loaded in 16 bit; {'framework says FP32' if told_wide else loads}, "
        f"{format_bytes(weights)} a GPU, and that does not fit: pass dtype bfloat16"
        f"{'' if told_wide else ' in model_init_kwargs'}"
    )
    return (Caution(code="loaded_in_fp32", message=message),)
