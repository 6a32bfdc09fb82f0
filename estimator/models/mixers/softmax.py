"""Softmax attention: multi-head, grouped, latent, windowed, gated."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import Operations, mixer_gemm
from estimator.models.operations import Attention, Gemm, Stream

__all__ = ["LatentAttention", "SoftmaxAttention"]


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
class SoftmaxAttention:
    """Softmax attention of `layers` layers that have the same widths."""

    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    """Width of a query and key head."""
    latent: LatentAttention | None = None
    window: int = 0
    """Keys a windowed layer sees."""
    windowed_layers: int = 0
    chunked: bool = False
    """Whether windows are chunks that queries do not look back from."""
    gated: bool = False
    """Whether a gate as wide as the queries is projected, which the output is multiplied by (Qwen3-Next)."""
    head_gates: bool = False
    """Whether a gate of each head is projected, one number (Step 3.5)."""
    keys_are_values: bool = False
    """Whether values are the keys, and have no projection (Gemma 4's global layers)."""
    reads_keys: bool = False
    """Whether keys and values are those of an earlier layer, and have no projection (Gemma 3n)."""
    value_width: int = 0
    """Width of a value head where it differs from that of a key head; 0: as wide."""
    selected: int = 0
    """Keys that an indexer selects for each query; 0 where all are used."""
    causal: bool = True
    own_vectors: int = 0
    """Trained parameters outside matrices, one layer: biases, norms of heads, sinks."""

    @property
    def value_head_dim(self) -> int:
        """Width of a value head."""
        return self.latent.value_head_dim if self.latent else self.value_width or self.head_dim

    def operations(self, hidden: int) -> Operations:
        """Return projections, scores and the activations between them."""
        projected = self._latent(hidden, self.latent) if self.latent else (self._projection(hidden),)
        if self.latent and self.gated:
            width = self.heads * self.value_head_dim
            projected += (mixer_gemm("gate", hidden, width, self.layers, "column"),)
        if self.latent and self.head_gates:
            projected += (mixer_gemm("head_gates", hidden, self.heads, self.layers, "column"),)
        out = mixer_gemm("attention_out", self.heads * self.value_head_dim, hidden, self.layers, "row")
        heads = self.heads * self.head_dim * (1 + self.gated) + self.kv_heads * (self.head_dim + self.value_head_dim)
        return Operations(
            gemms=(*projected, out),
            attentions=self._attentions(),
            streams=(Stream(name="heads", width=heads, layers=self.layers, shard="column"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return the parameters outside matrices, all layers; low-rank queries, keys and values are normalised."""
        del hidden
        latent = self.latent.query_rank + self.latent.kv_rank if self.latent else 0
        return (self.own_vectors + latent) * self.layers

    def _attentions(self) -> tuple[Attention, ...]:
        kinds = (
            ("attention", 0, self.layers - self.windowed_layers),
            ("windowed_attention", self.window, self.windowed_layers),
        )
        return tuple(
            Attention(
                name=name,
                heads=self.heads,
                kv_heads=self.kv_heads,
                score_dim=self.head_dim,
                value_dim=self.value_head_dim,
                window=window,
                layers=layers,
                chunked=self.chunked,
                selected=0 if window else self.selected,
                causal=self.causal,
            )
            for name, window, layers in kinds
            if layers
        )

    def _projection(self, hidden: int) -> Gemm:
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        parts: tuple[int, ...] = (queries * (1 + self.gated),)
        if not self.reads_keys:
            parts += (keys,) if self.keys_are_values else (keys, self.kv_heads * self.value_head_dim)
        if self.head_gates:
            parts += (self.heads,)
        return mixer_gemm("qkv", hidden, sum(parts), self.layers, "column", fused=parts)

    def _latent(self, hidden: int, latent: LatentAttention) -> tuple[Gemm, ...]:
        """Return low-rank projections; the down-projections are replicated under tensor parallelism."""
        queries = self.heads * (latent.nope_head_dim + latent.rope_head_dim)
        values = self.heads * (latent.nope_head_dim + latent.value_head_dim)
        down = mixer_gemm("q_down", hidden, latent.query_rank, self.layers)
        return (
            *((down,) if latent.query_rank else ()),
            mixer_gemm("q_up", latent.query_rank or hidden, queries, self.layers, "column"),
            mixer_gemm("kv_down", hidden, latent.kv_rank + latent.rope_head_dim, self.layers),
            mixer_gemm("kv_up", latent.kv_rank, values, self.layers, "column"),
        )
