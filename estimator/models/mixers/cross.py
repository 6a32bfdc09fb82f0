"""Cross-attention: queries of one sequence, keys and values of another."""

from dataclasses import dataclass, replace
from typing import Self

from estimator.models.mixers.mixer import Operations
from estimator.models.operations import Attention, Gemm, Stream

__all__ = ["CrossAttention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossAttention:
    """Softmax attention of `layers` layers to an encoder's output (Vaswani et al. 2017, section 3.2.3)."""

    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    source_width: int = 0
    """Width of what keys and values are projected from; 0: the model's own."""
    source_rate: float
    """Positions of the other sequence for each of its own: keys and values are projected once for each of them."""
    source_share: float = 1.0
    """Of the run's sequence, the positions that are looked at: a pyramid's last stage has few of its first's."""
    keys: float = 0.0
    """Positions of the other sequence, where they do not depend on the run's: pictures. 0: the run's sequence, as a
    decoder looks at its encoder, or none at all where `source_rate` is 0."""
    pictures: bool = False
    """Whether the other sequence are the pictures of a sample, so that both numbers follow from them."""
    own_vectors: int = 0
    """Trained parameters outside matrices, one layer: biases, norms of heads, gates."""
    query_rate: float = 1.0
    """Queries for each position: fewer where a few learned ones read a picture (a resampler)."""

    def looking(self, ratio: float) -> Self:
        """Return the same attention with `ratio` positions of its own for each of the run's sequence."""
        return replace(self, source_rate=self.source_share / ratio)

    def operations(self, hidden: int) -> Operations:
        """Return projections, scores and the activations between them."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        source = self.source_width or hidden
        met = self.source_rate > 0
        gemms = (
            Gemm(
                name="cross_q",
                part="attention",
                inputs=hidden,
                outputs=queries,
                layers=self.layers,
                shard="column",
                rate=self.query_rate,
            ),
            Gemm(
                name="cross_kv",
                part="attention",
                inputs=source,
                outputs=2 * keys,
                layers=self.layers,
                shard="column",
                fused=(keys, keys),
                # A network that sees no pictures still holds the weights.
                rate=self.source_rate or _HARDLY,
            ),
            Gemm(
                name="cross_out",
                part="attention",
                inputs=queries,
                outputs=hidden,
                layers=self.layers,
                shard="row",
                rate=self.query_rate,
            ),
        )
        attention = Attention(
            name="cross_attention",
            heads=self.heads,
            kv_heads=self.kv_heads,
            score_dim=self.head_dim,
            value_dim=self.head_dim,
            window=0,
            layers=self.layers,
            causal=False,
            keys=self.keys,
            crosses=not self.keys,
            length_share=self.source_share,
            rate=self.query_rate,
        )
        width = queries * 2 + round(2 * keys * self.source_rate)
        return Operations(
            gemms=gemms,
            attentions=(attention,) if met else (),
            streams=(Stream(name="heads", width=width, layers=self.layers, shard="column"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return the parameters outside matrices, all layers."""
        del hidden
        return self.own_vectors * self.layers


_HARDLY = 1e-6
"""Positions a token where there are none: no product is of nothing."""
