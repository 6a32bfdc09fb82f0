"""What a general trainer does unless told, where an encoder is tuned on it, or where it is said to be left at that."""

from dataclasses import replace
from typing import Any

from estimator.models.kinds import Kind, kind_of
from estimator.models.transformer import Transformer
from estimator.physics.habits import MICRO_BATCHES
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.data import ToldData
from estimator.resolve.device import Device
from estimator.resolve.framework.software import AUTO, NamedFramework
from estimator.resolve.framework.told import left_open
from estimator.resolve.media import MediaUse
from estimator.resolve.packing import is_small_set

__all__ = ["left_at_defaults", "micro_batch_unless_told"]

_GENERAL = "huggingface"
"""The trainer whose arguments have defaults for all kinds of models: `TrainingArguments`."""
_READ_AT_ONCE: frozenset[Kind] = frozenset({"encoder", "encoder_decoder"})
"""Kinds whose texts other trainers' examples have 32 of."""
_STORED_IN_16_BITS: frozenset[Kind] = frozenset({"decoder", "hybrid", "vision_language"})
"""Kinds whose checkpoints are, and are loaded so."""


def micro_batch_unless_told(request: Request, framework: str, transformer: Transformer | None) -> int | None:
    """Return the samples of a micro-batch that the trainer called `framework` has unless told, and accumulates none of.

    That is where it is named, and an encoder of text, or one with a decoder, is tuned on it; None elsewhere.
    """
    named = framework == _GENERAL and "framework" not in left_open(request)
    reads = transformer is not None and kind_of(transformer) in _READ_AT_ONCE
    return MICRO_BATCHES[framework] if named and reads and is_small_set(request) else None


def left_at_defaults(data: ToldData, use: MediaUse, framework: NamedFramework, device: Device) -> ToldData:
    """Return `data` with the micro-batch, accumulation and precision of the trainer where it is said to be left so.

    `TrainingArguments`: per_device_train_batch_size 8, gradient_accumulation_steps 1, and neither fp16 nor bf16, so
    that models are computed in what they are loaded in, which is FP32 but for those stored in 16 bits.
    """
    request, network = data.request, use.subject.transformer
    if not framework.practice.at_defaults or framework.name != _GENERAL or network is None:
        return data
    taken: dict[str, Any] = {}
    batch = (request.micro_batch_size, request.global_batch_sequences, request.gradient_accumulation)
    if all(told is None for told in batch) and request.samples is not None:
        taken |= {"micro_batch_size": MICRO_BATCHES[_GENERAL], "gradient_accumulation": 1}
    has_fp32 = device.accelerator is not None and "fp32" in device.accelerator.peak_flop_per_s
    if request.precision == AUTO and has_fp32 and kind_of(network) not in _STORED_IN_16_BITS:
        taken["precision"] = "fp32"
    note = f"the default of {_GENERAL}, at which it is said to be left"
    assumed = tuple(
        Assumption(name=name, value=value, unit=unit, source="inferred", note=note)
        for name, unit in (("micro_batch_size", "sequences"), ("precision", ""))
        if (value := taken.get(name)) is not None
    )
    return replace(data, request=replace(request, **taken), assumed=(*data.assumed, *assumed))
