"""What people call software stacks, and the release they name with it: `Megatron-LM`, `nemo 25.09`, `unsloth`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from estimator.base.inputs import checked_choice
from estimator.question.request import FRAMEWORK_CHOICES

__all__ = ["NamedFramework", "named_framework"]

_VERSION = re.compile(
    r"^(?P<name>.*?)[-@=v]*(?:(?P<year>20[12]\d)|(?P<short>2\d)\.(?P<month>0[1-9]|1[0-2])(?:\.\d+)*)$"
)
"""A year, or a container's year and month."""
_SAME: Mapping[str, str] = MappingProxyType(
    {
        "megatron-bridge": "nemo",
        "nemo-framework": "nemo",
        "nemo-megatron": "nemo",
        "nemo-automodel": "automodel",
        "megatron-lm": "megatron",
        "megatron-core": "megatron",
        "mcore": "megatron",
        "primus": "megatron",
        "fsdp2": "fsdp",
        "pytorch-fsdp": "fsdp",
        "torch-fsdp": "fsdp",
        "composer": "llm-foundry",
        "pytorch-lightning": "lightning",
        "litgpt": "lightning",
        "lit-gpt": "lightning",
        "transformers": "huggingface",
        "hugging-face": "huggingface",
        "hf": "huggingface",
        "hf-trainer": "huggingface",
        "accelerate": "huggingface",
        "trl": "huggingface",
        "peft": "huggingface",
        "torch": "pytorch",
        "ddp": "pytorch",
        "paxml": "jax",
        "pax": "jax",
        "levanter": "jax",
        "neuronx-distributed": "neuron",
        "optimum-neuron": "neuron",
    }
)
"""Other names of a stack, or of a front end to it."""
_LIKE: Mapping[str, str] = MappingProxyType(
    {
        "axolotl": "huggingface",
        "llama-factory": "huggingface",
        "llamafactory": "huggingface",
        "ms-swift": "huggingface",
        "unsloth": "huggingface",
        "nanochat": "nanogpt",
        "olmo-core": "fsdp",
        "fms-fsdp": "fsdp",
        "llama-recipes": "fsdp",
        "veomni": "fsdp",
        "colossalai": "megatron-deepspeed",
        "colossal-ai": "megatron-deepspeed",
        "gpt-neox": "megatron-deepspeed",
        "easylm": "jax",
    }
)
"""Stacks without enough published runs of their own, and the one whose efficiency stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFramework:
    """A stack that was named."""

    name: str
    released: float | None
    """When the named release came out, in years; None where none was named."""
    note: str
    """What was understood, where that is not what was written."""


def named_framework(given: str) -> NamedFramework:
    """Return the stack that `given` names, with its release where it ends in a year or a container's version.

    Raises UnknownNameError with the nearest names, or with all where none is near.
    """
    folded = re.sub(r"[\s_]+", "-", given.strip().casefold())
    name, released = _split(folded)
    if name in _LIKE:
        return NamedFramework(
            name=_LIKE[name],
            released=released,
            note=f"{name} has too few published runs of its own: the efficiency of {_LIKE[name]} stands in",
        )
    stack = _SAME.get(name, name)
    if stack not in FRAMEWORK_CHOICES:
        checked_choice("framework", given if released is None else name, (*FRAMEWORK_CHOICES, *_SAME, *_LIKE))
    return NamedFramework(name=stack, released=released, note="" if stack == folded else f"given as {given.strip()}")


def _split(folded: str) -> tuple[str, float | None]:
    match = _VERSION.match(folded)
    if match is None or not match["name"]:
        return folded, None
    if match["year"]:
        return match["name"], float(match["year"]) + 0.5
    return match["name"], 2000.0 + float(match["short"]) + (float(match["month"]) - 1.0) / 12.0
