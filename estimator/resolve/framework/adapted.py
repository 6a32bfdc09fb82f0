"""Which projections adapters lie beside, in the words of PEFT's and torchtune's options."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.models.training import Projection
from estimator.resolve.framework.meaning import Facts, Meaning, by_phrase

__all__ = ["ADAPTED"]

_ADAPTERS = Facts(method="lora")
_NAMES: Mapping[str, frozenset[Projection]] = MappingProxyType(
    {
        "q proj | wq": frozenset({"q"}),
        "k proj | wk": frozenset({"k"}),
        "v proj | wv": frozenset({"v"}),
        "o proj | wo | out proj | output proj": frozenset({"o"}),
        "gate proj": frozenset({"gate"}),
        "up proj | fc 1": frozenset({"up"}),
        "down proj | fc 2": frozenset({"down"}),
        "qkv proj | query key value | c attn | w pack": frozenset({"q", "k", "v"}),
        "gate up proj | c fc": frozenset({"gate", "up"}),
        "apply lora to mlp": frozenset({"gate", "up", "down"}),
    }
)
_OF_ALL = (
    "all linear | all linear layers | all linear modules | lora target linear | lora target all | target modules all | "
    "target modules all linear | lora target modules all | lora target modules all linear"
)
_BESIDE = "target modules | lora target modules | lora target | lora attn modules | lora dropout"

ADAPTED: Mapping[str, Meaning] = by_phrase(
    (f"{_OF_ALL} | {_BESIDE}", Meaning(says=_ADAPTERS)),
    *((words, Meaning(says=_ADAPTERS, adapts=names)) for words, names in _NAMES.items()),
)
"""By folded phrase. Every linear layer is what is taken unless some are named; dropout takes next to no time."""
