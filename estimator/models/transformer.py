"""A decoder-only transformer, as far as its training cost depends on it."""

from dataclasses import dataclass

__all__ = ["Experts", "LatentAttention", "Transformer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentAttention:
    """Multi-head latent attention: low-rank queries, keys and values.

    Source: DeepSeek-AI 2024 (DeepSeek-V2), section 2.1.
    """

    query_rank: int
    """Rank of the query projection; 0 where queries are projected at full rank."""
    kv_rank: int
    nope_head_dim: int
    rope_head_dim: int
    value_head_dim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """The routed (and shared) experts of a mixture-of-experts model."""

    n_experts: int
    top_k: int
    ffn_hidden: int
    """Inner width of one routed expert."""
    shared_ffn_hidden: int = 0
    """Inner width of the experts every token visits, all together; 0 where there are none."""
    first_dense_layers: int = 0
    """Leading layers that keep the dense MLP."""
    layer_step: int = 1
    """Every `layer_step`-th layer has experts; the others keep the dense MLP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    """Architecture facts of one decoder-only transformer.

    Matrices follow from the widths; `vector_parameters` holds everything else that is trained
    (norm scales, biases, learned positions, router biases), summed over the model, so that
    totals are exact to the unit.
    """

    id: str
    name: str
    n_layers: int
    hidden: int
    ffn_hidden: int
    """Inner width of the dense MLP; unused where every layer has experts."""
    gated_mlp: bool
    n_heads: int
    n_kv_heads: int
    head_dim: int
    """Width of a query (and key) head."""
    vocab: int
    tied_embeddings: bool
    vector_parameters: int = 0
    latent: LatentAttention | None = None
    experts: Experts | None = None
    sliding_window: int = 0
    """Keys a windowed layer sees; 0 where every layer sees all."""
    windowed_layers: int = 0
    """Layers that see only `sliding_window` keys."""
    sinks: bool = False
    """Whether the softmax of attention has a learned sink, which few fused kernels know."""
    native_sequence_length: int = 4096
    inferred: bool = False
    """True where only a parameter count was given and the widths are a typical choice."""
    source: str = ""

    @property
    def n_expert_layers(self) -> int:
        """Layers whose MLP is a mixture of experts."""
        if self.experts is None:
            return 0
        return (self.n_layers - self.experts.first_dense_layers) // self.experts.layer_step

    @property
    def n_dense_layers(self) -> int:
        """Layers whose MLP is dense."""
        return self.n_layers - self.n_expert_layers

    @property
    def value_head_dim(self) -> int:
        """Width of a value head."""
        return self.latent.value_head_dim if self.latent else self.head_dim
