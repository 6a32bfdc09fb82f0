"""What a row of the table of families says: where a configuration states what, and what it means left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "ALL_BIASES",
    "DEEPSEEK_EXPERTS",
    "FULL_NORM",
    "HEAD_NORM",
    "LAYER_NORM",
    "LLAMA_BIASES",
    "POSITIONS",
    "QKV_BIAS",
    "ExpertKeys",
    "Family",
    "Flag",
    "VectorRule",
    "WindowKeys",
    "all_biases",
    "attention_bias",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A vector flag that the configuration decides."""

    key: str
    default: bool
    inverted: bool = False
    means: bool | str = True
    """The field's value where the flag is true; where it is false, a text field is `none`."""


VectorRule = bool | int | str | Flag
"""A field of VectorFacts: fixed, or read from a flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertKeys:
    """Where a family states its experts; empty where it has no such thing."""

    count: str = "num_local_experts"
    top_k: str = "num_experts_per_tok"
    ffn: str = "intermediate_size"
    shared_count: str = ""
    """Number of shared experts, each as wide as a routed one."""
    shared_ffn: str = ""
    """Width of the shared experts, all together."""
    first_dense: str = ""
    last: str = ""
    """Last layer that has experts."""
    dense_list: str = ""
    """List of layers that keep the dense MLP."""
    expert_list: str = ""
    """List of layers that have experts."""
    step: str = ""
    """Every so manieth layer has experts."""
    phase: Literal["first", "last"] = "last"
    """Which of `step` layers has them: that whose number `step` divides, counted from 0, or the last of them."""
    kinds: str = "mlp_layer_types"
    """List of what each layer has: `dense`, or experts."""
    optional: bool = False
    """Whether the class builds a dense model where no experts are stated."""
    weighed_inputs: bool = False
    """Whether tokens are weighed before they enter an expert."""
    beside: str = ""
    """Width of an MLP beside the experts of each layer."""


DEEPSEEK_EXPERTS = ExpertKeys(
    count="n_routed_experts",
    ffn="moe_intermediate_size",
    shared_count="n_shared_experts",
    first_dense="first_k_dense_replace",
    step="moe_layer_freq",
    phase="first",
)
"""As DeepSeek's files have it, and many after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowKeys:
    """Where a family states how many keys a layer sees."""

    key: str = "sliding_window"
    period: int = 0
    """One layer of so many sees all keys; 0 where every layer has the window."""
    period_key: str = ""
    leads: bool = False
    """Whether that layer is the first of them, not the last."""
    switch: str = ""
    """Key that must be true for the window to apply."""
    first_layer: str = ""
    """First layer with a window."""
    chunked: bool = False
    """Whether the window is a chunk that queries do not look back from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How to read one family; the defaults are Llama's."""

    gated_mlp: bool = True
    tied: bool = False
    """Class default of `tie_word_embeddings`."""
    ffn: str = ""
    """Key of the dense MLP's width where it is not one of the usual ones."""
    ffn_multiple: int = 0
    """Width of the MLP over the model's where it is left out; 0 where it must be given."""
    vectors: Mapping[str, VectorRule] = field(default_factory=dict[str, VectorRule])
    """Fields of VectorFacts; learned positions are True where there are any."""
    extra_positions: int = 0
    """Rows of the position table beyond the sequence length."""
    experts: ExpertKeys | None = None
    latent: bool = False
    gated_attention: bool = False
    """Whether attention's output is multiplied by a projected gate as wide as the queries."""
    soft_capped: bool = False
    """Whether scores of attention are bent to a limit before the softmax."""
    window: WindowKeys | None = None
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """What the family's files also call a key, beside the names that many families share."""
    adapted: str = ""
    """Name of the adapter that first rewrites an irregular configuration; see adapters."""
    knows: tuple[str, ...] = ()
    """Keys that look structural and that its class reads, beside those named here: how routers choose, or what its
    adapter reads."""
    classes: tuple[str, ...] = ()
    """Stems of the class names it goes by in `architectures`, where they are not the family's name."""


POSITIONS: Mapping[str, VectorRule] = {"learned_positions": True}
ALL_BIASES: Mapping[str, VectorRule] = dict.fromkeys(("query_bias", "kv_bias", "output_bias", "mlp_bias"), True)
LAYER_NORM: Mapping[str, VectorRule] = {"norm_vectors": 2}
QKV_BIAS: Mapping[str, VectorRule] = {"query_bias": True, "kv_bias": True}
HEAD_NORM: Mapping[str, VectorRule] = {"qk_norm": "head"}
FULL_NORM: Mapping[str, VectorRule] = {"qk_norm": "full"}


def attention_bias(
    key: str = "attention_bias", *, default: bool = False, output: bool = True
) -> Mapping[str, VectorRule]:
    """Return the rules of a family that says with one key whether its attention has biases."""
    flag = Flag(key=key, default=default)
    return {"query_bias": flag, "kv_bias": flag} | ({"output_bias": flag} if output else {})


def all_biases(key: str, *, default: bool, inverted: bool = False) -> Mapping[str, VectorRule]:
    """Return the rules of a family that says with one key whether its attention and MLP have biases."""
    return dict.fromkeys(ALL_BIASES, Flag(key=key, default=default, inverted=inverted))


LLAMA_BIASES: Mapping[str, VectorRule] = {**attention_bias(), "mlp_bias": Flag(key="mlp_bias", default=False)}
