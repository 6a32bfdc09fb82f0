"""How a model is trained: what of it learns, and what its backward pass runs again."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["EIGHT_BIT", "LOW_BIT", "WITH_ADAPTERS", "AdapterKind", "Method", "MethodName", "Projection", "Recompute"]

Recompute = Literal["none", "selective", "full"]
MethodName = Literal["full", "lora", "qlora", "frozen"]
Projection = Literal["q", "k", "v", "o", "gate", "up", "down"]
"""Linear layers of a usual block, as PEFT's `target_modules` call them."""
AdapterKind = Literal["pairs", "decomposed", "vectors"]
"""What learns beside a frozen base. `pairs`: LoRA's, however they are set up, scaled or shared; `decomposed`: DoRA's,
which also works out the norm of each adapted matrix in every pass; `vectors`: next to nothing (prompts, prefixes, IA3,
BitFit), so that all there is to training is the gradients of activations."""
EIGHT_BIT = frozenset({"fp8", "int8", "mxfp8"})
"""Precisions whose matrix products have operands of eight bits."""
LOW_BIT = EIGHT_BIT | {"nvfp4"}
"""Those whose operands have eight or four."""
WITH_ADAPTERS = frozenset({"lora", "qlora"})
"""Methods that train low-rank pairs beside a base of which nothing is trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What is trained: everything, adapters on a frozen base, or part of the weights."""

    name: MethodName = "full"
    lora_rank: int = 16
    adapters: AdapterKind = "pairs"
    """Of methods with adapters."""
    trainable_parameters: float | None = None
    """Given by the caller; derived from rank or model size where None."""
    trained_layers: int | None = None
    """Layers of the main stack that learn; None: all, 0: none, as where a projector alone does."""
    reached_layers: int | None = None
    """Layers at the top that gradients pass through, down to the lowest that learns; None: all."""
    trains_embeddings: bool = True
    trains_output: bool = True
    """Whether embedding and output layer learn, where weights of the base do."""
