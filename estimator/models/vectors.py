"""Which vectors a model trains beside its matrices: the difference between "about 8B" and 8,030,261,248."""

from dataclasses import dataclass, replace
from typing import Literal

from estimator.models.transformer import Transformer

__all__ = ["QkNorm", "VectorFacts", "vector_parameters", "with_vectors"]

QkNorm = Literal["none", "head", "head_biased", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorFacts:
    """Flags that fix every vector parameter; the defaults are those of Llama (two RMSNorms a layer, no biases)."""

    norm_vectors: int = 1
    """Vectors a norm trains: 0 without parameters, 1 a scale, 2 a scale and a shift."""
    norms_per_layer: int = 2
    outer_norms: int = 1
    """Norms outside the layers: the final one, and one after the embedding where there is."""
    query_bias: bool = False
    kv_bias: bool = False
    """Bias of the key and value projections."""
    output_bias: bool = False
    mlp_bias: bool = False
    qk_norm: QkNorm = "none"
    """`head`: one scale of `head_dim` each for queries and keys; `head_biased`: with a shift; `full`: one over all
    heads."""
    learned_positions: int = 0
    """Rows of a learned position table."""
    logits_bias: bool = False
    sinks: bool = False
    """One learned attention sink a head and layer."""
    router_bias: bool = False
    expert_bias: bool = False
    shared_expert_gate: bool = False
    """A learned gate, one vector of the hidden width, on the shared experts."""
    activation_parameters: int = 0
    """Trained scalars in each dense MLP's activation: xIELU has two."""
    inner_norms: bool = False
    """Norms of what attention and MLP compute, before it is projected back (BitNet)."""
    expert_layer_norms: int = 0
    """Norms of layers with experts beyond those of every layer (A.X K1)."""
    head_scalars: int = 0
    """Trained scalars of each head, sinks apart: a gate's bias."""


def with_vectors(transformer: Transformer, facts: VectorFacts, *, besides: int = 0) -> Transformer:
    """Return the model with its norms, and its parameters outside matrices counted: by `facts`, and `besides` these.

    Where norms are none of the layers' own but their parts', there are as many as usual.
    """
    return replace(
        transformer,
        vector_parameters=vector_parameters(transformer, facts) + besides,
        norms_per_layer=facts.norms_per_layer or None,
        normed_heads=facts.qk_norm != "none",
    )


def vector_parameters(transformer: Transformer, facts: VectorFacts) -> int:
    """Return how many trained parameters of the model lie outside its matrices.

    Sums norm scales and shifts, biases, learned positions, attention sinks and what mixers hold over the main stack;
    towers count their own. `transformer.vector_parameters` itself is not read. Source: the models' public
    configurations.
    """
    norms = facts.norms_per_layer * facts.norm_vectors * transformer.hidden
    attention = _attention_vectors(transformer, facts) * transformer.n_attention_layers
    mixers = sum(mixer.vectors(transformer.hidden) for mixer in transformer.mixers)
    once = (
        facts.outer_norms * facts.norm_vectors * transformer.hidden
        + facts.learned_positions * transformer.hidden
        + facts.logits_bias * transformer.vocab
    )
    inner = facts.inner_norms * transformer.ffn_hidden
    dense = (_mlp_biases(transformer, facts) + facts.activation_parameters + inner) * transformer.n_dense_layers
    return norms * transformer.n_layers + attention + mixers + once + dense + _expert_vectors(transformer, facts)


def _attention_vectors(transformer: Transformer, facts: VectorFacts) -> int:
    """Return the vector parameters of one layer's attention."""
    query_width = transformer.n_heads * transformer.head_dim
    kv_width = transformer.n_kv_heads * transformer.head_dim
    latent_norms = 0
    if transformer.latent is not None:
        # The low-rank queries and keys-and-values are each normalised before they are projected up.
        latent_norms = transformer.latent.query_rank + transformer.latent.kv_rank
    qk_norm = {
        "none": 0,
        "head": 2 * transformer.head_dim,
        "head_biased": 4 * transformer.head_dim,
        "full": query_width + kv_width,
    }[facts.qk_norm]
    return (
        facts.query_bias * query_width
        + facts.kv_bias * 2 * kv_width
        + facts.output_bias * transformer.hidden
        + (facts.sinks + facts.head_scalars) * transformer.n_heads
        + facts.inner_norms * transformer.n_heads * transformer.value_head_dim
        + qk_norm
        + latent_norms
    )


def _mlp_biases(transformer: Transformer, facts: VectorFacts) -> int:
    """Return the biases of one dense MLP."""
    return facts.mlp_bias * ((1 + transformer.gated_mlp) * transformer.ffn_hidden + transformer.hidden)


def _expert_vectors(transformer: Transformer, facts: VectorFacts) -> int:
    """Return the vector parameters of all routers and experts."""
    experts = transformer.experts
    if experts is None:
        return 0
    per_expert = (1 + transformer.gated_mlp) * experts.ffn_hidden + transformer.hidden
    per_layer = (
        facts.router_bias * experts.n_experts
        + facts.expert_bias * experts.n_experts * per_expert
        + (facts.shared_expert_gate + facts.expert_layer_norms) * transformer.hidden
    )
    return per_layer * transformer.n_expert_layers
