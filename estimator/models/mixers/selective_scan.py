"""Mamba-1: a state space with a transition of its own for each channel and state, scanned step by step."""

from dataclasses import dataclass

from estimator.models.mixers.convolution import filter_flop
from estimator.models.mixers.mixer import Operations, mixer_gemm
from estimator.models.operations import Scan, Stream

__all__ = ["SelectiveScan"]

_FLOP_PER_STATE = 9.0
"""Step times A and its exponential, step times B times input (2), decay and sum (2), product with C and sum (2), and
what the associative scan adds; the count of the authors' kernel that others use."""
_MOVES = 4
"""The scan reads input, step and gate, and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectiveScan:
    """The selective scan of `layers` layers.

    Source: Gu and Dao 2023 (Mamba), sections 3.2 and 3.3; widths as `MambaConfig` names them.
    """

    layers: int
    inner: int
    """Width of the inner stream."""
    state: int
    """States of each channel (N)."""
    step_rank: int
    """Rank of the projection to each channel's step."""
    convolution: int = 4
    heads: int = 1
    """Heads that have projections to step, B and C of their own (Zamba)."""
    normed: bool = False
    """Whether step, B and C are normalised (Jamba)."""
    biased_convolution: bool = True
    biased: bool = False
    """Whether the projections in and out have biases."""

    def operations(self, hidden: int) -> Operations:
        """Return the four projections and the scan.

        A token costs, outside matrix units, 9 · channels · states, 2 · channels for the skip and the gate each, and
        2 · length · channels for the filter; nothing is kept: the backward pass scans again.
        Source: Gu and Dao 2023, section 3.3 and appendix D (states stay in on-chip memory, and are worked out anew).
        """
        rows = self.step_rank + 2 * self.state
        return Operations(
            gemms=(
                mixer_gemm("scan_in", hidden, 2 * self.inner, self.layers, "column"),
                mixer_gemm("scan_parameters", self.inner, rows, self.layers, "row"),
                mixer_gemm("scan_step", self.step_rank, self.inner, self.layers, "column"),
                mixer_gemm("scan_out", self.inner, hidden, self.layers, "row"),
            ),
            scans=(
                Scan(
                    name="selective_scan",
                    layers=self.layers,
                    vector_flop=(_FLOP_PER_STATE * self.state + 4.0) * self.inner
                    + filter_flop(self.convolution, self.inner),
                    elements=float(_MOVES * self.inner + 2 * self.state * self.heads),
                ),
            ),
            streams=(Stream(name="heads", width=3 * self.inner + rows, layers=self.layers, shard="column"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return transitions A, skips D, step biases, filters, biases and norms, all layers."""
        filters = self.inner * (self.convolution + self.biased_convolution)
        own = self.inner * (self.state + 2)
        norms = self.normed * (self.step_rank + 2 * self.state)
        return (own + filters + norms + self.biased * (2 * self.inner + hidden)) * self.layers
