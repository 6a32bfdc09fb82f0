"""Mamba-2: a state space whose transition is a scalar for each head, computed chunk by chunk with matrix products."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import Operations
from estimator.models.operations import Gemm, Scan, Stream

__all__ = ["StateSpace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSpace:
    """State-space duality of `layers` layers.

    Source: Dao and Gu 2024 (Mamba-2), sections 6 and 7; widths as `Mamba2Config` names them.
    """

    layers: int
    heads: int
    head_dim: int
    state: int
    """Width of the state of each channel (N)."""
    groups: int
    """Groups of heads that share B and C."""
    convolution: int = 4
    """Length of the causal filter over time."""
    chunk: int = 256
    biased_convolution: bool = True
    normed: bool = True
    """Whether the output is normalised before it is projected."""

    @property
    def inner(self) -> int:
        """Width of the inner stream, heads · head width."""
        return self.heads * self.head_dim

    @property
    def convolved(self) -> int:
        """Channels that the filter runs over: the inner stream, B and C."""
        return self.inner + 2 * self.groups * self.state

    def operations(self, hidden: int) -> Operations:
        """Return both projections and the chunked scan.

        Of a chunk of Q tokens and a head of width P with states of width N, a token costs, causal half skipped:

            scores with B and C, once a group       2 · Q/2 · N
            scores with the inner stream            2 · Q/2 · P
            states in, and out of them              4 · N · P

        Source: Dao and Gu 2024, section 6 (listing 1).
        """
        parts = (self.inner, self.inner, 2 * self.groups * self.state, self.heads)
        within = self.chunk * (self.groups * self.state + self.heads * self.head_dim)
        across = 4.0 * self.state * self.inner
        return Operations(
            gemms=(
                Gemm(
                    name="ssm_in",
                    part="attention",
                    inputs=hidden,
                    outputs=sum(parts),
                    layers=self.layers,
                    shard="column",
                ),
                Gemm(
                    name="ssm_out",
                    part="attention",
                    inputs=self.inner,
                    outputs=hidden,
                    layers=self.layers,
                    shard="row",
                ),
            ),
            scans=(
                Scan(
                    name="state_space",
                    layers=self.layers,
                    matmul_flop=within + across,
                    elements=2.0 * self.convolved + 4.0 * self.inner,
                    kept=self.inner * self.state / self.chunk,
                ),
            ),
            streams=(Stream(name="heads", width=self.convolved + self.inner, layers=self.layers, shard="column"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return filters, decays A, skips D, step biases and the inner norm, all layers."""
        del hidden
        filters = self.convolved * (self.convolution + self.biased_convolution)
        return (filters + 3 * self.heads + self.normed * self.inner) * self.layers
