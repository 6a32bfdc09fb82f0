"""Choices as people write them: `bfloat16` is bf16, `ZeRO stage 2` is zero2, `full fine-tuning` is full."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from estimator.question.question import ZERO_STAGES
from estimator.question.request import SHARDING_NAMES

__all__ = ["as_wide", "method_named", "precision_named", "sharding_named"]

_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("bfloat16", "bf16", "bfloat 16", "bf 16", "brain float 16"), "bf16"),
        **dict.fromkeys(("float16", "fp16", "half", "16", "fp 16", "float 16", "f16"), "fp16"),
        **dict.fromkeys(("float32", "fp32", "32", "fp 32", "float 32", "single", "full", "f32"), "fp32"),
        **dict.fromkeys(("float8", "fp8", "fp 8", "float 8", "f8"), "fp8"),
        **dict.fromkeys(("tfloat32", "tf32", "tf 32", "tensorfloat32", "tensorfloat 32"), "tf32"),
        **dict.fromkeys(("fp4", "nvfp4", "nv fp4"), "nvfp4"),
        **dict.fromkeys(("mxfp8", "mx fp8"), "mxfp8"),
    }
)
_HALVES = frozenset({"bf16", "fp16"})
_OF_FORMATS = re.compile(r"\b(?:mixed|precision|amp|autocast|training|compute)\b")
_STAGE = re.compile(r"(?:deepspeed )?(?:zero|z|stage|zero (?:optimi[sz]ation )?stage|ds) ?([0-3])")
_SHARDED = re.compile(
    r"(?:py ?torch )?fsdp ?2? ?(?:\(?(full shard|shard grad op|no shard)\)?)?|(full shard|shard grad op)"
)
_TUNED = re.compile(r"(?P<what>.+?)? ?\b(?:fine ?tun(?:e|ed|ing)|train(?:ed|ing)?|ft|sft|parameters?|weights|model)")
_WHOLE = frozenset(
    {"full", "all", "full parameter", "all parameters", "full weight", "whole", "fft", "full supervised"}
)
_SUPERVISED = frozenset({"sft", "supervised fine tuning", "supervised finetuning", "fft"})
_ADAPTED = frozenset({"lora", "qlora", "frozen"})


def precision_named(given: object) -> object:
    """Return a precision as it is spelt here: `BF16`, `bfloat16`, `fp16 mixed`; what is none as it is."""
    if not isinstance(given, str):
        return given
    plain = " ".join(_OF_FORMATS.sub(" ", _spaced(given)).split())
    return _FORMATS.get(plain, given.strip().casefold())


def as_wide(one: str, other: str) -> bool:
    """Return whether products in two precisions are of operands as wide, which the same units multiply as fast.

    FP16 and BF16 are: what a run in the one is known to take, it takes in the other, but for a scaled loss.
    """
    named = {precision_named(one), precision_named(other)}
    return len(named) == 1 or named <= _HALVES


def sharding_named(given: object) -> object:
    """Return a sharding as it is spelt here: `FSDP`, `ZeRO-1`, `stage 3`; what is none as it is."""
    if not isinstance(given, str):
        return given
    folded = given.strip().casefold().replace("-", "_")
    if folded in SHARDING_NAMES:
        return SHARDING_NAMES[folded]
    plain = _spaced(given)
    if stage := _STAGE.fullmatch(plain):
        return ZERO_STAGES[int(stage[1])]
    if sharded := _SHARDED.fullmatch(plain):
        how = (sharded[1] or sharded[2] or "full shard").replace(" ", "_")
        return SHARDING_NAMES[how]
    return folded.replace("zero_", "zero")


def method_named(given: object) -> object:
    """Return a method as it is spelt here: `full fine-tuning`, `SFT`, `LoRA training`; what is none as it is.

    Who says that it is supervised says what it is trained towards; all of the model learns unless adapters are named.
    """
    if not isinstance(given, str):
        return given
    plain = _spaced(given)
    if plain in _SUPERVISED or plain in _WHOLE:
        return "full"
    tuned = _TUNED.fullmatch(plain)
    while tuned is not None and tuned["what"]:
        what = tuned["what"].strip()
        if what in _WHOLE:
            return "full"
        if what in _ADAPTED:
            return what
        tuned = _TUNED.fullmatch(what)
    return given.strip().casefold()


def _spaced(given: str) -> str:
    return " ".join(re.sub(r"[-_\s]+", " ", given.casefold()).split())
