"""What people say of how wide weights are: what a model is loaded in, and whether what learns has copies in FP32."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.question.practice import LoadedIn, Practice
from estimator.resolve.framework.meaning import Facts, Meaning, by_phrase, practised

__all__ = ["WEIGHT_WIDTHS"]

_NAMES: Mapping[LoadedIn, tuple[str, ...]] = MappingProxyType(
    {
        "bf16": ("bf 16", "bfloat 16", "torch bf 16", "torch bfloat 16"),
        "fp16": ("fp 16", "float 16", "torch float 16", "torch half"),
        "fp32": ("fp 32", "float 32", "torch fp 32", "torch float 32"),
        "checkpoint": ("16 bit", "16 bits"),
    }
)
"""What formats are called where a model is loaded: which of those of 16 bits is its checkpoint's."""
_KEYS = ("torch dtype {}", "dtype {}", "model dtype {}")
_LOADED = (
    *_KEYS,
    *("loaded in {}", "load in {}", "loading in {}", "loaded as {}"),
    *("model loaded in {}", "model loaded as {}", "load model in {}", "model in {}", "model weights in {}"),
    *("weights in {}", "weights loaded in {}", "load weights in {}", "base loaded in {}", "base model in {}"),
    *("base model loaded in {}", "base in {}", "params in {}", "parameters in {}", "{} params", "{} parameters"),
    *("{} model", "{} model weights", "{} base", "{} base model", "{} base weights"),
)
_COMPUTED = (
    *("compute dtype {}", "bnb 4 bit compute dtype {}", "bnb compute dtype {}", "4 bit compute dtype {}"),
    *("quant compute dtype {}", "autocast dtype {}", "amp dtype {}", "param dtype {}", "params dtype {}"),
    *("activation dtype {}", "mixed precision dtype {}", "autocast {}"),
)
"""Of products, and not of what is held: `param_dtype` is FSDP's, which gathers in it what it keeps as it was loaded."""
_REDUCED = ("reduce dtype {}", "grad reduce dtype {}", "buffer dtype {}", "storage dtype {}", "quant storage {}")
_STORED = (*_REDUCED, "bnb 4 bit quant storage {}", "grad dtype {}", "communication data type {}")


def _each(templates: tuple[str, ...], names: tuple[str, ...]) -> str:
    return "|".join(template.format(name) for template in templates for name in names)


def _weights(words: str, *, master: bool, denied: bool | None = None) -> tuple[str, Meaning]:
    denies = Facts(practice=Practice(master_weights=denied))
    return words, Meaning(says=Facts(precision="bf16", practice=Practice(master_weights=master)), denies=denies)


_EXPLICIT = (
    _weights("bf 16 mixed | bf 16 mixed precision", master=True),
    _weights("full bf 16", master=False),
    _weights("bf 16 true | pure bf 16 | bf 16 weights | bf 16 optimizer states | bf 16 master weights", master=False),
    _weights("bf 16 master copy | master weights in bf 16 | optimizer states in bf 16", master=False),
    _weights("fp 32 master weights | float 32 master weights | fp 32 master copy", master=True, denied=False),
    practised(
        "master weights | master copy | master copies | fp 32 copy | fp 32 copies | fp 32 weights copy | "
        "fp 32 masters | fp 32 master | fp 32 master params | fp 32 master parameters | master params | "
        "master parameters",
        Practice(master_weights=True),
        Practice(master_weights=False),
    ),
)
_LOADS = tuple(practised(_each(_LOADED, names), Practice(loaded_in=format_)) for format_, names in _NAMES.items())
_COMPUTES = tuple(
    (_each(_COMPUTED, names), Meaning(says=Facts(precision=format_)))
    for format_, names in _NAMES.items()
    if format_ != "checkpoint"
)

WEIGHT_WIDTHS: Mapping[str, Meaning] = by_phrase(
    *_LOADS,
    practised(_each(_KEYS, ("auto",)), Practice(loaded_in="checkpoint")),
    *_COMPUTES,
    *((_each(_STORED, names), Meaning()) for names in _NAMES.values()),
    *_EXPLICIT,
)
"""By folded phrase."""
