"""What people call adapters, LoRA, what costs the same, DoRA and vectors; and what PEFT does to the base beneath."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.models.training import AdapterKind
from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning, by_phrase, folded

__all__ = ["ADAPTERS", "no_method"]

_LORA = "lora | adapter | adapters | lora adapters | lora config"
_KINDS: Mapping[AdapterKind, str] = MappingProxyType(
    {
        # Set up, scaled, or stepped otherwise (PiSSA, LoftQ, OLoRA, EVA; rsLoRA; LoRA+), or with pairs that are shared
        # and frozen between vectors that learn (VeRA).
        "pairs": "rslora | rs lora | rank stabilized lora | vera | loftq | pissa | olora | eva | adalora | "
        "lora plus | loraplus | lora fa | corda | lokr | loha | lycoris",
        "decomposed": "dora | use dora | weight decomposed lora",
        "vectors": "ia 3 | bitfit | bit fit | prompt tuning | soft prompt | soft prompts | soft prompt tuning | "
        "prefix tuning | p tuning | p tuning v 2 | ptuning | multitask prompt tuning | ln tuning | prompt encoder",
    }
)
_QUANTISED = "qdora | q dora"
_PREPARED = "prepare model for kbit training | prepare model for k bit training"
_PREPARED_IN_8_BITS = "prepare model for int 8 training"
"""PEFT's functions for the base that adapters lie beside: they turn checkpointing on, unless that is denied."""

ADAPTERS: Mapping[str, Meaning] = by_phrase(
    (_LORA, Meaning(says=Facts(method="lora"))),
    *((words, Meaning(says=Facts(method="lora", adapters=kind))) for kind, words in _KINDS.items()),
    (
        _QUANTISED,
        Meaning(
            says=Facts(method="qlora", adapters="decomposed", practice=Practice(base_bits=4, usual_recompute="full"))
        ),
    ),
    # Of LLaVA's scripts: its projector is an MLP that is called an adapter, which one of them trains alone.
    ("tune mm mlp adapter", Meaning(says=Facts(trained_layers="projector"), implies="huggingface")),
    ("pretrain mm mlp adapter | freeze mm mlp adapter", Meaning()),
    (_PREPARED, Meaning(says=Facts(recompute="full"))),
    (
        _PREPARED_IN_8_BITS,
        Meaning(says=Facts(recompute="full", practice=Practice(base_bits=8, dequantization="bitsandbytes"))),
    ),
)
"""By folded phrase."""


def no_method(given: str) -> str | None:
    """Return what would do where `given`, a kind of adapters, stands as the method; None where it is none."""
    meaning = ADAPTERS.get(folded(given))
    if meaning is None or meaning.says.method is None:
        return None
    return f'is a kind of adapters: say method "{meaning.says.method}", and {given.strip()!r} in framework'
