"""A transformer as a table of operations: the only home of architecture knowledge.

Everything downstream (FLOPs, memory, step time) folds over this table and never asks what the
architecture is. Widths are per token; how many tokens there are belongs to the layout.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from estimator.models.transformer import Experts, LatentAttention, Transformer

__all__ = ["Attention", "Gemm", "Part", "Shard", "Stream", "Workload", "mean_keys", "workload"]

Shard = Literal["column", "row", "expert", "none"]
Part = Literal["attention", "mlp", "experts", "logits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemm:
    """A weight matrix that every token (or each of its `visits`) is multiplied by."""

    name: str
    part: Part
    inputs: int
    outputs: int
    layers: int
    """How many layers of the model hold one."""
    shard: Shard = "none"
    """What tensor parallelism divides: the outputs (column), the inputs (row), or nothing;
    `expert` matrices are divided by expert parallelism."""
    copies: int = 1
    """Matrices a layer holds (one per expert)."""
    visits: int = 1
    """How many of the copies one token is multiplied by."""
    fused: tuple[int, ...] = ()
    """Output widths of the matrices that checkpoints and adapters keep apart; empty for a single one."""

    @property
    def parameters(self) -> int:
        """Weights, all layers and copies."""
        return self.inputs * self.outputs * self.layers * self.copies

    @property
    def active_parameters(self) -> int:
        """Weights one token meets."""
        return self.inputs * self.outputs * self.layers * self.visits


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Scores and their weighted sum: no weights, cost grows with the keys a query sees."""

    name: str
    heads: int
    kv_heads: int
    score_dim: int
    """Width of a query and key head."""
    value_dim: int
    window: int
    """Keys a query may see; 0 for all."""
    layers: int

    def flop_per_token(self, sequence_length: float, *, causal: bool = True) -> float:
        """Return forward FLOPs per token: 2 · keys · heads · (score + value width) · layers.

        Source: Narayanan et al. 2021, appendix (the 4·B·s²·h term), halved where causal.
        """
        keys = mean_keys(sequence_length, self.window, causal=causal)
        return 2.0 * keys * self.heads * (self.score_dim + self.value_dim) * self.layers


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An activation of `width` elements per token that elementwise kernels read and write."""

    name: str
    width: int
    layers: int
    shard: Literal["sequence", "column", "expert"]
    """`sequence`: whole on each tensor-parallel rank unless sequence parallelism splits it;
    `column`: divided by tensor parallelism; `expert`: follows the routed tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """All that a training step does with one transformer."""

    gemms: tuple[Gemm, ...]
    attentions: tuple[Attention, ...]
    streams: tuple[Stream, ...]
    n_layers: int
    hidden: int
    vocab: int
    embedding_parameters: int
    """Input embedding; 0 where it is tied to the logits."""
    vector_parameters: int
    n_experts: int
    top_k: int
    n_expert_layers: int

    @property
    def parameters(self) -> int:
        """All weights of the model."""
        return sum(g.parameters for g in self.gemms) + self.embedding_parameters + self.vector_parameters

    @property
    def active_parameters(self) -> int:
        """Weights one token meets, the embedding row counted as the whole table by convention."""
        return sum(g.active_parameters for g in self.gemms) + self.embedding_parameters + self.vector_parameters

    @property
    def expert_parameters(self) -> int:
        """Weights that expert parallelism divides."""
        return sum(g.parameters for g in self.gemms if g.shard == "expert")


def mean_keys(sequence_length: float, window: int, *, causal: bool = True) -> float:
    """Return the keys an average query multiplies with.

    Causal: s/2, and w − w²/2s behind a window w < s. Not causal: s, and w.
    """
    if window and window < sequence_length:
        return window - window * window / (2.0 * sequence_length) if causal else float(window)
    return sequence_length / 2.0 if causal else float(sequence_length)


def _projections(t: Transformer) -> list[Gemm]:
    if t.latent is not None:
        return _latent_projections(t, t.latent)
    return [
        Gemm(
            name="qkv",
            part="attention",
            inputs=t.hidden,
            outputs=(t.n_heads + 2 * t.n_kv_heads) * t.head_dim,
            layers=t.n_layers,
            shard="column",
            fused=(t.n_heads * t.head_dim, t.n_kv_heads * t.head_dim, t.n_kv_heads * t.head_dim),
        )
    ]


def _latent_projections(t: Transformer, latent: LatentAttention) -> list[Gemm]:
    """Low-rank projections; the down-projections are replicated under tensor parallelism."""
    queries = t.n_heads * (latent.nope_head_dim + latent.rope_head_dim)
    gemms: list[Gemm] = []
    if latent.query_rank:
        gemms.append(
            Gemm(name="q_down", part="attention", inputs=t.hidden, outputs=latent.query_rank, layers=t.n_layers)
        )
    gemms += [
        Gemm(
            name="q_up",
            part="attention",
            inputs=latent.query_rank or t.hidden,
            outputs=queries,
            layers=t.n_layers,
            shard="column",
        ),
        Gemm(
            name="kv_down",
            part="attention",
            inputs=t.hidden,
            outputs=latent.kv_rank + latent.rope_head_dim,
            layers=t.n_layers,
        ),
        Gemm(
            name="kv_up",
            part="attention",
            inputs=latent.kv_rank,
            outputs=t.n_heads * (latent.nope_head_dim + latent.value_head_dim),
            layers=t.n_layers,
            shard="column",
        ),
    ]
    return gemms


def _dense_mlp(t: Transformer) -> list[Gemm]:
    if not t.n_dense_layers:
        return []
    halves = (t.ffn_hidden,) * (2 if t.gated_mlp else 1)
    layers = t.n_dense_layers
    return [
        Gemm(
            name="mlp_up",
            part="mlp",
            inputs=t.hidden,
            outputs=sum(halves),
            layers=layers,
            shard="column",
            fused=halves,
        ),
        Gemm(name="mlp_down", part="mlp", inputs=t.ffn_hidden, outputs=t.hidden, layers=layers, shard="row"),
    ]


def _expert_mlp(t: Transformer, e: Experts) -> list[Gemm]:
    width = 2 if t.gated_mlp else 1
    layers = t.n_expert_layers
    gemms = [
        Gemm(name="router", part="experts", inputs=t.hidden, outputs=e.n_experts, layers=layers),
        Gemm(
            name="expert_up",
            part="experts",
            inputs=t.hidden,
            outputs=width * e.ffn_hidden,
            layers=layers,
            shard="expert",
            copies=e.n_experts,
            visits=e.top_k,
            fused=(e.ffn_hidden,) * width,
        ),
        Gemm(
            name="expert_down",
            part="experts",
            inputs=e.ffn_hidden,
            outputs=t.hidden,
            layers=layers,
            shard="expert",
            copies=e.n_experts,
            visits=e.top_k,
        ),
    ]
    shared = e.shared_ffn_hidden
    if shared:
        gemms += [
            Gemm(
                name="shared_up",
                part="mlp",
                inputs=t.hidden,
                outputs=width * shared,
                layers=layers,
                shard="column",
                fused=(shared,) * width,
            ),
            Gemm(name="shared_down", part="mlp", inputs=shared, outputs=t.hidden, layers=layers, shard="row"),
        ]
    return gemms


def _attentions(t: Transformer) -> tuple[Attention, ...]:
    def attention(name: str, window: int, layers: int) -> Attention:
        return Attention(
            name=name,
            heads=t.n_heads,
            kv_heads=t.n_kv_heads,
            score_dim=t.head_dim,
            value_dim=t.value_head_dim,
            window=window,
            layers=layers,
        )

    everywhere = t.n_layers - t.windowed_layers
    kinds = [("attention", 0, everywhere), ("windowed_attention", t.sliding_window, t.windowed_layers)]
    return tuple(attention(*kind) for kind in kinds if kind[2])


def _streams(t: Transformer) -> tuple[Stream, ...]:
    width = 2 if t.gated_mlp else 1
    heads = t.n_heads * t.head_dim + t.n_kv_heads * (t.head_dim + t.value_head_dim)
    streams = [
        Stream(name="residual", width=t.hidden, layers=t.n_layers, shard="sequence"),
        Stream(name="heads", width=heads, layers=t.n_layers, shard="column"),
    ]
    if t.n_dense_layers:
        streams.append(Stream(name="mlp", width=width * t.ffn_hidden, layers=t.n_dense_layers, shard="column"))
    if t.experts is not None:
        e, layers = t.experts, t.n_expert_layers
        streams += [
            Stream(name="expert_mlp", width=width * e.ffn_hidden * e.top_k, layers=layers, shard="expert"),
            Stream(name="routed", width=t.hidden * e.top_k, layers=layers, shard="expert"),
        ]
        if e.shared_ffn_hidden:
            streams.append(Stream(name="shared_mlp", width=width * e.shared_ffn_hidden, layers=layers, shard="column"))
    return tuple(streams)


@lru_cache(maxsize=1024)
def workload(transformer: Transformer) -> Workload:
    """Return the table of operations of `transformer`."""
    t = transformer
    gemms = _projections(t)
    gemms.append(
        Gemm(
            name="attention_out",
            part="attention",
            inputs=t.n_heads * t.value_head_dim,
            outputs=t.hidden,
            layers=t.n_layers,
            shard="row",
        )
    )
    gemms += _dense_mlp(t)
    if t.experts is not None:
        gemms += _expert_mlp(t, t.experts)
    gemms.append(Gemm(name="logits", part="logits", inputs=t.hidden, outputs=t.vocab, layers=1, shard="column"))
    return Workload(
        gemms=tuple(gemms),
        attentions=_attentions(t),
        streams=_streams(t),
        n_layers=t.n_layers,
        hidden=t.hidden,
        vocab=t.vocab,
        embedding_parameters=0 if t.tied_embeddings else t.vocab * t.hidden,
        vector_parameters=t.vector_parameters,
        n_experts=t.experts.n_experts if t.experts else 0,
        top_k=t.experts.top_k if t.experts else 0,
        n_expert_layers=t.n_expert_layers,
    )
