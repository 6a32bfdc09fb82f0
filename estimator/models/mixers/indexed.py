"""Sparse attention that is learned: an indexer scores all keys, and attention uses those with the highest scores."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import Operations, mixer_gemm
from estimator.models.operations import Attention, Gemm, Stream

__all__ = ["CompressedAttention", "Indexer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexer:
    """The lightning indexer of `indexed_layers` layers, beside the attention that it selects for.

    Every query is scored with every key before it, in few and narrow heads that share one key:

        scores    2 · keys · heads · width, no weighted sum

    Source: DeepSeek-AI 2025 (DeepSeek-V3.2-Exp), section 2.1. Counted as trained from the first step, as in the
    sparse stage that nearly all of its tokens are trained in.
    """

    indexed_layers: int
    heads: int
    head_dim: int
    query_inputs: int
    """Width that its queries are projected from: the rank of the model's own, or the model's width."""
    weighs: bool = True
    """Whether a weight of each head is projected."""
    own_vectors: int = 0
    """Trained parameters outside matrices, one layer: norms of its keys, position biases."""

    @property
    def layers(self) -> int:
        """None of its own: it stands beside another mixer."""
        return 0

    def operations(self, hidden: int) -> Operations:
        """Return its projections and scores; they are replicated under tensor parallelism."""
        shapes = [
            ("index_queries", self.query_inputs, self.heads * self.head_dim),
            ("index_keys", hidden, self.head_dim),
        ]
        if self.weighs:
            shapes.append(("index_weights", hidden, self.heads))
        width = (self.heads + 1) * self.head_dim
        return Operations(
            gemms=tuple(mixer_gemm(name, inputs, outputs, self.indexed_layers) for name, inputs, outputs in shapes),
            attentions=(
                Attention(
                    name="index_scores",
                    heads=self.heads,
                    kv_heads=1,
                    score_dim=self.head_dim,
                    value_dim=0,
                    window=0,
                    layers=self.indexed_layers,
                ),
            ),
            streams=(Stream(name="heads", width=width, layers=self.indexed_layers, shard="sequence"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return its norms, all layers."""
        del hidden
        return self.own_vectors * self.indexed_layers


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressedAttention:
    """Attention of `layers` layers to a window of near keys, and to far ones that are compressed.

    One head of keys that are the values too; queries of low rank; an output projected group by group, then together.
    Of far tokens every `rate` become one key, of which an indexer selects where there is one.

    Source: DeepSeek-AI 2026 (DeepSeek-V4), section 2.3; shapes as `DeepseekV4Attention` in `transformers` 5.24.
    """

    layers: int
    heads: int
    head_dim: int
    query_rank: int
    output_groups: int
    output_rank: int
    window: int
    rate: int = 0
    """Tokens that a compressed key stands for; 0 where only near keys are seen."""
    overlapping: bool = False
    """Whether each compressed key is gathered from two windows, so that twice its width is projected."""
    selected: int = 0
    index_heads: int = 0
    index_head_dim: int = 0

    def operations(self, hidden: int) -> Operations:
        """Return projections, compressors, the indexer, and attention to near and far keys."""
        queries = self.heads * self.head_dim
        low = self.output_groups * self.output_rank
        gemms = [
            mixer_gemm("q_down", hidden, self.query_rank, self.layers),
            mixer_gemm("q_up", self.query_rank, queries, self.layers, "column"),
            mixer_gemm("kv", hidden, self.head_dim, self.layers),
            Gemm(
                name="grouped_out",
                part="attention",
                inputs=queries // self.output_groups,
                outputs=self.output_rank,
                layers=self.layers,
                copies=self.output_groups,
                visits=self.output_groups,
                shard="column",
            ),
            mixer_gemm("attention_out", low, hidden, self.layers, "row"),
        ]
        near = self._attention("windowed_attention", window=self.window)
        attentions = [near]
        wide = self._wide
        if self.rate:
            gemms.append(mixer_gemm("compressor", hidden, 2 * wide * self.head_dim, self.layers))
            attentions.append(self._attention("attention", selected=self.selected, length_share=1.0 / self.rate))
        if self.index_heads:
            gemms += [
                mixer_gemm("index_compressor", hidden, 2 * wide * self.index_head_dim, self.layers),
                mixer_gemm("index_queries", self.query_rank, self.index_heads * self.index_head_dim, self.layers),
                mixer_gemm("index_weights", hidden, self.index_heads, self.layers),
            ]
            attentions.append(
                Attention(
                    name="index_scores",
                    heads=self.index_heads,
                    kv_heads=1,
                    score_dim=self.index_head_dim,
                    value_dim=0,
                    window=0,
                    layers=self.layers,
                    length_share=1.0 / self.rate,
                )
            )
        heads = Stream(name="heads", width=queries + self.head_dim, layers=self.layers, shard="column")
        return Operations(gemms=tuple(gemms), attentions=tuple(attentions), streams=(heads,))

    def vectors(self, hidden: int) -> int:
        """Return sinks, norms of queries and keys, and what compressors hold, all layers."""
        del hidden
        own = self.heads + self.query_rank + self.head_dim
        wide = self._wide
        if self.rate:
            own += self.rate * wide * self.head_dim + self.head_dim
        if self.index_heads:
            own += self.rate * wide * self.index_head_dim + self.index_head_dim
        return own * self.layers

    @property
    def _wide(self) -> int:
        return 2 if self.overlapping else 1

    def _attention(self, name: str, *, window: int = 0, selected: int = 0, length_share: float = 1.0) -> Attention:
        return Attention(
            name=name,
            heads=self.heads,
            kv_heads=1,
            score_dim=self.head_dim,
            value_dim=self.head_dim,
            window=window,
            layers=self.layers,
            selected=selected,
            length_share=length_share,
        )
