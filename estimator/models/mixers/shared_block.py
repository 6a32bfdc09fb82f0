"""A transformer layer whose weights several places of the stack use again, with adapters of each use."""

from dataclasses import dataclass, replace

from estimator.models.mixers.mixer import Operations, mixer_gemm
from estimator.models.operations import Attention, Gemm, Stream

__all__ = ["SharedBlock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedBlock:
    """Attention over the stream and the embedding side by side, an MLP, and a projection back, used `layers` times.

    Source: Glorioso et al. 2024 (Zamba), section 2, and the Zamba2 report of the same year.
    """

    layers: int
    """Places in the stack that use a block."""
    blocks: int
    """Blocks that hold weights; places take them in turn."""
    heads: int
    kv_heads: int
    head_dim: int
    ffn_hidden: int
    adapter_rank: int = 0
    """Rank of the adapters that each use has on the MLP's first matrix; 0 where there are none."""
    adapted_attention: bool = False
    """Whether queries, keys and values have such adapters too."""

    def operations(self, hidden: int) -> Operations:
        """Return the block's products, weights of blocks held once, and each use's own adapters and projection."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        parts = (queries, keys, keys)
        held = min(self.blocks, self.layers)
        shared = (
            mixer_gemm("shared_qkv", 2 * hidden, sum(parts), self.layers, "column", fused=parts),
            mixer_gemm("shared_out", queries, hidden, self.layers, "row"),
            mixer_gemm(
                "shared_up",
                hidden,
                2 * self.ffn_hidden,
                self.layers,
                "column",
                part="mlp",
                fused=(self.ffn_hidden,) * 2,
            ),
            mixer_gemm("shared_down", self.ffn_hidden, hidden, self.layers, "row", part="mlp"),
        )
        first = tuple(replace(gemm, layers=held) for gemm in shared)
        again = tuple(replace(gemm, layers=self.layers - held, held=False) for gemm in shared)
        attention = Attention(
            name="shared_attention",
            heads=self.heads,
            kv_heads=self.kv_heads,
            score_dim=self.head_dim,
            value_dim=self.head_dim,
            window=0,
            layers=self.layers,
        )
        return Operations(
            gemms=(
                *first,
                *(gemm for gemm in again if gemm.layers),
                *self._adapters(hidden, parts),
                mixer_gemm("shared_linear", hidden, hidden, self.layers),
            ),
            attentions=(attention,),
            streams=(
                Stream(name="heads", width=queries + 2 * keys, layers=self.layers, shard="column"),
                Stream(name="mlp", width=2 * self.ffn_hidden, layers=self.layers, shard="column"),
            ),
        )

    def vectors(self, hidden: int) -> int:
        """Return the norms of each block: of the stream beside the embedding, and before the MLP."""
        return 3 * hidden * self.blocks

    def _adapters(self, hidden: int, parts: tuple[int, ...]) -> tuple[Gemm, ...]:
        if not self.adapter_rank:
            return ()
        places = [("up", hidden, 2 * self.ffn_hidden)]
        if self.adapted_attention:
            places += [(name, 2 * hidden, width) for name, width in zip(("q", "k", "v"), parts, strict=True)]
        return tuple(
            gemm
            for name, inputs, outputs in places
            for gemm in (
                mixer_gemm(f"use_{name}_down", inputs, self.adapter_rank, self.layers),
                mixer_gemm(f"use_{name}_up", self.adapter_rank, outputs, self.layers, "column"),
            )
        )
