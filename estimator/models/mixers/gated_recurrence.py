"""Griffin's recurrent block: a filter over time and a recurrence of single channels, beside a gate."""

from dataclasses import dataclass

from estimator.models.mixers.convolution import filter_flop
from estimator.models.mixers.mixer import Operations, mixer_gemm
from estimator.models.operations import Scan, Stream

__all__ = ["GatedRecurrence"]

_FLOP_PER_CHANNEL = 12.0
"""Decay's power, its complement's root, both gates, product and sum (De et al. 2024, equations 1 to 4)."""
_MOVES = 4
"""Input and both gates are read, the output is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedRecurrence:
    """The real-gated linear recurrent unit of `layers` layers.

    Source: De et al. 2024 (Griffin), section 2.4; `RecurrentGemmaRecurrentBlock` of Transformers.
    """

    layers: int
    inner: int
    """Width of the recurrence."""
    heads: int
    """Blocks of the two block-diagonal gates."""
    convolution: int = 4

    def operations(self, hidden: int) -> Operations:
        """Return the projections, block-diagonal gates and the recurrence, step by step outside matrix units."""
        block = self.inner // self.heads
        return Operations(
            gemms=(
                mixer_gemm(
                    "recurrence_in", hidden, 2 * self.inner, self.layers, "column", fused=(self.inner, self.inner)
                ),
                # Blocks on a diagonal: as many weights, and products, as a matrix of one block's inputs.
                mixer_gemm("recurrence_gates", block, 2 * self.inner, self.layers, "column"),
                mixer_gemm("recurrence_out", self.inner, hidden, self.layers, "row"),
            ),
            scans=(
                Scan(
                    name="gated_recurrence",
                    layers=self.layers,
                    vector_flop=_FLOP_PER_CHANNEL * self.inner + filter_flop(self.convolution, self.inner),
                    elements=float(_MOVES * self.inner),
                ),
            ),
            streams=(Stream(name="heads", width=6 * self.inner, layers=self.layers, shard="column"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return biases of projections and gates, the filter and the decays, all layers."""
        projections = 2 * self.inner + hidden
        return (projections + self.inner * (self.convolution + 1) + 3 * self.inner) * self.layers
