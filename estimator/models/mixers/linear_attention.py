"""Linear attention with decay: lightning attention, and xLSTM's matrix memory; chunks and the states between them."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import SINGLE, Operations, mixer_gemm
from estimator.models.operations import Scan, Stream

__all__ = ["LinearAttention"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAttention:
    """Linear attention of `layers` layers, whose state decays by a factor of each head.

    Source: Qin et al. 2024 (Lightning Attention-2), section 3; MiniMax 2025 (MiniMax-01), section 2.2; as a matrix
    memory with learned gates: Beck et al. 2024 (xLSTM), section 2.3.
    """

    layers: int
    heads: int
    kv_heads: int
    key_dim: int
    value_dim: int
    chunk: int = 256
    gated: bool = True
    """Whether the output is multiplied by a projected gate."""
    learned_gates: bool = False
    """Whether input and forget gates of each head are projected, with biases (xLSTM); else decays are fixed."""
    own_vectors: int = 0
    """Trained parameters outside matrices, one layer: norms of heads and of the output, biases."""

    def operations(self, hidden: int) -> Operations:
        """Return the projections and the chunked attention.

        Of chunks of Q tokens and H heads with keys of width K and values of width V, a token costs:

            queries with keys, scores with values   2 · Q · (K + V) · H   whole squares, of which a mask hides half
            states in, and out of them              4 · K · V · H

        Source: Qin et al. 2024, algorithm 1.
        """
        values = self.heads * self.value_dim
        states = self.heads * self.key_dim * self.value_dim / self.chunk
        mixed = (self.heads * self.key_dim, self.kv_heads * self.key_dim, self.kv_heads * self.value_dim)
        parts = (*mixed, values) if self.gated else mixed
        gates = 2 * self.heads * self.learned_gates
        moved = 2.0 * sum(mixed) + 4.0 * values + SINGLE * 2.0 * states
        return Operations(
            gemms=(
                mixer_gemm(
                    "linear_qkv",
                    hidden,
                    sum(parts) + gates,
                    self.layers,
                    "column",
                    fused=(*parts, *((self.heads, self.heads) if gates else ())),
                ),
                mixer_gemm("linear_out", values, hidden, self.layers, "row"),
            ),
            scans=(
                Scan(
                    name="linear_attention",
                    layers=self.layers,
                    matmul_flop=4.0 * self.heads * self.key_dim * self.value_dim,
                    square_flop=2.0 * self.chunk * self.heads * (self.key_dim + self.value_dim),
                    elements=moved,
                ),
            ),
            streams=(Stream(name="heads", width=sum(parts) + values, layers=self.layers, shard="column"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return norms and biases, all layers."""
        del hidden
        return (self.own_vectors + 2 * self.heads * self.learned_gates) * self.layers
