"""The gated delta rule and its kin: a state that each token corrects, worked out in chunks by the WY form."""

from dataclasses import dataclass

from estimator.models.mixers.convolution import filter_flop
from estimator.models.mixers.mixer import SINGLE, Operations, mixer_gemm
from estimator.models.operations import Gemm, Scan, Stream

__all__ = ["DeltaRule"]

_SMALL_CHUNK = 64
"""Tokens of a chunk in flash-linear-attention's kernels of the delta rule."""
_READS = 3
"""Kernels read keys three times (system, transform, states and output), values and the corrections twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaRule:
    """The gated delta rule of `layers` layers, with a decay of each head (Gated DeltaNet) or each channel (KDA).

    Source: Yang, Kautz and Hatamizadeh 2024 (Gated DeltaNet), section 3; Kimi Team 2025 (Kimi Linear), section 3.
    """

    layers: int
    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    convolution: int = 4
    gate_rank: int | None = None
    """Rank of the output gate's projection; None: projected at once."""
    decays_channels: bool = False
    """Whether each channel of a key decays on its own (KDA)."""
    decay_rank: int | None = None
    """Rank of the projection to channels' decays; None: projected at once."""
    chunk: int = _SMALL_CHUNK

    @property
    def keys(self) -> int:
        """Width of all keys."""
        return self.key_heads * self.key_dim

    @property
    def values(self) -> int:
        """Width of all values."""
        return self.value_heads * self.value_dim

    @property
    def convolved(self) -> int:
        """Channels that the filter runs over: queries, keys and values."""
        return 2 * self.keys + self.values

    def operations(self, hidden: int) -> Operations:
        """Return the projections and the chunked rule.

        Of chunks of C tokens and H value heads with keys of width K and values of width V, a token costs:

            keys with keys, queries with keys       4 · C · K · H        whole squares, of which a mask hides half
            the transform of keys and of values     2 · C · (K + V) · H  likewise
            scores with the corrected values        2 · C · V · H        likewise
            the triangular system's inverse         C² / 3 · H
            out of states twice, and into them      6 · K · V · H
            the filter over time                    2 · length · channels, outside matrix units

        Source: Yang et al. 2024 (DeltaNet, parallel over the sequence), section 3, and Gated DeltaNet, section 3.3,
        as flash-linear-attention's kernels run it: states of chunks are written and read in 16 bit.
        """
        heads, key, value = self.value_heads, self.key_dim, self.value_dim
        within = 2.0 * self.chunk * (3 * key + 2 * value) * heads
        states = heads * key * value / self.chunk
        expanded = heads * key
        moved = (
            _READS * 2.0 * expanded
            + 4.0 * self.values
            + 2.0 * states
            + 4.0 * heads * self.chunk  # the system and the scores
            + SINGLE * 2.0 * expanded * self.decays_channels
        )
        width = self.convolved + 2 * self.values + self.decays_channels * expanded
        return Operations(
            gemms=(*self._projections(hidden), mixer_gemm("delta_out", self.values, hidden, self.layers, "row")),
            scans=(
                Scan(
                    name="delta_rule",
                    layers=self.layers,
                    matmul_flop=(6.0 * key * value + self.chunk**2 / 3.0) * heads,
                    square_flop=within,
                    vector_flop=filter_flop(self.convolution, self.convolved),
                    elements=moved,
                    # The backward pass works states out again; the inverse of each chunk's system is kept in 16 bit.
                    kept=heads * self.chunk / SINGLE,
                ),
            ),
            streams=(Stream(name="heads", width=width, layers=self.layers, shard="column"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return filters, decays, biases of the step and the norm of heads, all layers."""
        del hidden
        steps = self.value_heads * (self.key_dim if self.decays_channels else 1)
        return (self.convolved * self.convolution + self.value_heads + steps + self.value_dim) * self.layers

    def _projections(self, hidden: int) -> tuple[Gemm, ...]:
        """Return queries, keys, values and the strength of writing; the gate; the decay of heads or channels."""
        heads = self.value_heads
        rates = heads if self.decays_channels else 2 * heads
        gates = self._low_rank("gate", hidden, self.values, self.gate_rank)
        channels = heads * self.key_dim
        decays = self._low_rank("decay", hidden, channels, self.decay_rank) if self.decays_channels else ()
        return (mixer_gemm("delta_in", hidden, self.convolved + rates, self.layers, "column"), *gates, *decays)

    def _low_rank(self, name: str, hidden: int, outputs: int, rank: int | None) -> tuple[Gemm, ...]:
        if rank is None:
            return (mixer_gemm(f"delta_{name}", hidden, outputs, self.layers, "column"),)
        down = mixer_gemm(f"delta_{name}_down", hidden, rank, self.layers)
        return (down, mixer_gemm(f"delta_{name}_up", rank, outputs, self.layers, "column"))
