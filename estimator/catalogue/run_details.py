"""What few sources say of a published run, though its speed depends on it: adapters, kernels, host memory, tuning."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from estimator.models.training import Recompute
from estimator.question.practice import Dispatcher, LayerPart

__all__ = [
    "BASE_BITS",
    "DETAIL_NUMBERS",
    "DETAIL_VALUES",
    "HOST_STATES",
    "RunDetails",
    "recompute_of",
    "recomputed_layers",
    "recomputed_parts",
    "run_details",
]

Tuning = Literal["", "performance", "default", "functional", "regression"]

_YES_NO = frozenset({"yes", "no"})
BASE_BITS: Mapping[str, int] = MappingProxyType({"4-bit": 4, "bnb-4bit": 4, "gptq-int4": 4, "8-bit": 8})
"""Bits of a weight of the frozen base by `base_format`."""
DETAIL_VALUES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "routing": frozenset({"balanced", "natural"}),
        "packing": frozenset({"packed short"}),
        "lora_targets": frozenset({"qkv", "attention", "all linear"}),
        "base_format": frozenset(BASE_BITS),
        "samples": frozenset({"packed", "padded"}),
        "attention": frozenset({"eager", "sdpa", "flash", "flash1", "flash2", "flash3", "flex"}),
        "dispatcher": frozenset(
            {f"{library}{beside}" for library in get_args(Dispatcher) for beside in ("", " overlapped")}
        ),
        "cuda_graphs": frozenset({"yes", "partial", "no"}),
        "master_weights": frozenset({"bf16", "fp32"}),
        "gradient_reduction": frozenset({"bf16", "fp32"}),
        "tuning": frozenset(get_args(Tuning)) - {""},
        **dict.fromkeys(("fused_kernels", "fused_loss", "compiled", "overlap", "token_drop"), _YES_NO),
    }
)
"""The columns of runs.csv that hold one of a few words, and the words; each may be empty."""
DETAIL_NUMBERS = ("lora_rank", "expert_capacity", "power_cap_w")
"""The columns of runs.csv that hold a positive number, or nothing."""
HOST_STATES = frozenset({"weights", "gradients", "optimizer", "activations"})
_TUNINGS: Mapping[str, Tuning] = MappingProxyType({word: word for word in get_args(Tuning)})
_DISCLAIMED: Mapping[str, str] = MappingProxyType(
    {
        "functional": "its source calls its timing a check that it works",
        "regression": "its source names a defect that slowed it down",
    }
)
_RECOMPUTES: Mapping[str, Recompute | None] = MappingProxyType(
    {"": None, "none": "none", "selective": "selective", "full": "full"}
)
_SOME_LAYERS = re.compile(r"full (?P<layers>[1-9]\d*)")
_PARTS: Mapping[str, LayerPart] = MappingProxyType({word: word for word in get_args(LayerPart)})
_BETWEEN_PRODUCTS = "elementwise"
"""Where no product of a layer runs again, only what lies between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """Facts that only some sources state; whatever one leaves unsaid is None or empty."""

    lora_rank: int | None = None
    """Rank of the adapters that were trained."""
    lora_targets: str = ""
    """Which matrices had adapters: `qkv` (into heads), `attention` (and out of them) or `all linear`."""
    base_format: str = ""
    """How a frozen base was stored below 16 bits: `bnb-4bit` (bitsandbytes), `gptq-int4`, `4-bit` or `8-bit` where the
    source says no more."""
    balanced_routing: bool | None = None
    """Whether tokens were spread evenly over the experts by force; False where the router chose."""
    token_drop: bool | None = None
    """Whether experts took a fixed number of tokens at most, and dropped the rest."""
    expert_capacity: float | None = None
    """That number over the even share (the capacity factor)."""
    dispatcher: str = ""
    """What exchanged the tokens of experts: `alltoall` (NCCL's collective), `deepep` or `hybridep`; `overlapped` behind
    it where another micro-batch was worked on meanwhile."""
    samples: str = ""
    """How samples filled a sequence: `packed` several to one, or `padded`."""
    attention: str = ""
    """Attention kernel: `eager` (scores written to memory), `sdpa`, `flash`, `flash2`, `flash3` or `flex`."""
    fused_kernels: bool | None = None
    """Whether norms, rotary embeddings, activations and the like ran fused (Liger, Unsloth and their kin)."""
    fused_loss: bool | None = None
    """Whether the loss was taken without holding all logits: fused with the output matrix, or in chunks."""
    compiled: bool | None = None
    """Whether a compiler (torch.compile) made the kernels."""
    cuda_graphs: str = ""
    """Whether steps were replayed as CUDA graphs: `yes`, `partial` (attention and router, but not the experts) or
    `no`."""
    overlap: bool | None = None
    """False where communication was kept from running beside computation."""
    optimizer: str = ""
    """Optimizer where it is not AdamW with 32-bit moments, as the source calls it."""
    master_weights: str = ""
    """Precision of the optimizer's copy of the weights: `bf16` or `fp32`."""
    gradient_reduction: str = ""
    """Precision that gradients were summed over devices in: `bf16` or `fp32`."""
    recomputed: frozenset[LayerPart] | None = None
    """What selective recomputation ran again besides norms and activations; None where the source says no more."""
    recomputed_layers: int | None = None
    """Layers of the model that full recomputation was of, where that is not all of them."""
    offloaded_states: frozenset[str] = frozenset()
    """What was kept in host memory: weights, gradients, optimizer, activations."""
    power_cap_w: float | None = None
    """Watts that a device was held to, where that is less than it may draw."""
    tuning: Tuning = ""
    """What a recipe was made for: `performance` for speed, `default` for users, `functional` to show that it works, by
    a source that disclaims its timing; `regression`: for speed, and its source names a defect that slowed it down."""

    @property
    def disclaimed(self) -> str:
        """Why the source itself says that its speed is not what to expect; empty where it does not."""
        return _DISCLAIMED.get(self.tuning, "")

    @property
    def base_bits(self) -> int | None:
        """Bits of a weight of the frozen base; None where it was kept in 16, or there is none."""
        return BASE_BITS.get(self.base_format)


def recompute_of(cell: str) -> Recompute | None:
    """Return what a row's `recompute` is in general: some layers are `full`, named parts `selective`.

    Raises KeyError for a word that is no part.
    """
    if recomputed_layers(cell) is not None:
        return "full"
    return _RECOMPUTES[cell] if recomputed_parts(cell) is None else "selective"


def recomputed_parts(cell: str) -> frozenset[LayerPart] | None:
    """Return the parts of a layer that a row says were run again, as in `core up`; None where it names none.

    Raises KeyError for a word that is no part.
    """
    if cell in _RECOMPUTES or recomputed_layers(cell) is not None:
        return None
    return frozenset(_PARTS[word] for word in cell.split() if word != _BETWEEN_PRODUCTS)


def recomputed_layers(cell: str) -> int | None:
    """Return the layers that full recomputation was of, as in `full 21`; None where a row names no number."""
    match = _SOME_LAYERS.fullmatch(cell)
    return int(match["layers"]) if match else None


def run_details(row: Mapping[str, str]) -> RunDetails:
    """Return the details that one row of runs.csv holds."""

    def stated(key: str, word: str = "yes") -> bool | None:
        return row[key] == word if row[key] else None

    return RunDetails(
        lora_rank=int(row["lora_rank"]) if row["lora_rank"] else None,
        lora_targets=row["lora_targets"],
        base_format=row["base_format"],
        balanced_routing=stated("routing", "balanced"),
        token_drop=stated("token_drop"),
        expert_capacity=float(row["expert_capacity"]) if row["expert_capacity"] else None,
        dispatcher=row["dispatcher"],
        samples=row["samples"],
        attention=row["attention"],
        fused_kernels=stated("fused_kernels"),
        fused_loss=stated("fused_loss"),
        compiled=stated("compiled"),
        cuda_graphs=row["cuda_graphs"],
        overlap=stated("overlap"),
        optimizer=row["optimizer"],
        master_weights=row["master_weights"],
        gradient_reduction=row["gradient_reduction"],
        recomputed=recomputed_parts(row["recompute"]),
        recomputed_layers=recomputed_layers(row["recompute"]),
        offloaded_states=frozenset(row["offloaded_states"].split()),
        power_cap_w=float(row["power_cap_w"]) if row["power_cap_w"] else None,
        tuning=_TUNINGS[row["tuning"]],
    )
