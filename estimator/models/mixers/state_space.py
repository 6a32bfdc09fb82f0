"""Mamba-2: a state space whose transition is a scalar for each head, computed chunk by chunk with matrix products."""

from dataclasses import dataclass

from estimator.models.mixers.convolution import filter_flop
from estimator.models.mixers.mixer import SINGLE, Operations, mixer_gemm
from estimator.models.operations import Gemm, Scan, Stream

__all__ = ["StateSpace"]

_STATE_MOVES = 6
"""Elements of 16 bit: a chunk's state is written and read in 32 bit where it is passed on, then written and read."""
_INNER_MOVES = 3
"""The inner stream is read for states and for the output, which is written; filter and norm are elementwise kernels."""


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
    biased: bool = False
    """Whether both projections have biases."""
    normed: bool = True
    """Whether the output is normalised before it is projected."""
    step_rank: int = 0
    """Rank of the step, where it, B and C are projected from the filtered stream and normalised (Plamo 2); 0 where
    they come out of the first projection."""

    @property
    def inner(self) -> int:
        """Width of the inner stream, heads · head width."""
        return self.heads * self.head_dim

    @property
    def convolved(self) -> int:
        """Channels that the filter runs over: the inner stream, and B and C where they come with it."""
        return self.inner + (0 if self.step_rank else 2 * self.groups * self.state)

    def operations(self, hidden: int) -> Operations:
        """Return both projections and the chunked scan.

        Of chunks of Q tokens, G groups and H heads of width P with states of width N, a token costs:

            scores of C and B, once a group         2 · Q · N · G     whole squares, of which a mask hides half
            scores with the inner stream            2 · Q · P · H     likewise
            states in, and out of them              4 · N · P · H
            the filter over time                    2 · length · channels, outside matrix units

        Source: Dao and Gu 2024, section 6 (listing 1), as the kernels of `mamba_ssm` run it: `bmm_chunk` works scores
        out once a group, where Transformers' eager code repeats B and C for each head first.
        """
        parts = (self.inner, self.convolved, 0 if self.step_rank else self.heads)
        within = 2.0 * self.chunk * (self.groups * self.state + self.inner)
        states = self.inner * self.state / self.chunk
        moved = _INNER_MOVES * self.inner + self.groups * (4.0 * self.state + 2.0 * SINGLE * self.chunk)
        return Operations(
            gemms=(
                mixer_gemm("ssm_in", hidden, sum(parts), self.layers, "column"),
                mixer_gemm("ssm_out", self.inner, hidden, self.layers, "row"),
                *self._parameters(),
            ),
            scans=(
                Scan(
                    name="state_space",
                    layers=self.layers,
                    matmul_flop=4.0 * self.state * self.inner,
                    square_flop=within,
                    vector_flop=filter_flop(self.convolution, self.convolved),
                    # The backward pass works states out again (`mamba_ssm`, saved tensors of its combined kernels).
                    elements=moved + _STATE_MOVES * states,
                ),
            ),
            streams=(Stream(name="heads", width=self.convolved + 2 * self.inner, layers=self.layers, shard="column"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return filters, decays A, skips D, step biases, biases and the inner norms, all layers."""
        filters = self.convolved * (self.convolution + self.biased_convolution)
        biases = self.biased * (self.inner + self.convolved + self.heads + hidden)
        norms = self.normed * self.inner + (self.step_rank + 2 * self.state if self.step_rank else 0)
        return (filters + 3 * self.heads + norms + biases) * self.layers

    def _parameters(self) -> tuple[Gemm, ...]:
        """Return the projections to B, C and the step, where these are projected apart."""
        if not self.step_rank:
            return ()
        rows = self.step_rank + 2 * self.state
        return (
            mixer_gemm("ssm_parameters", self.inner, rows, self.layers, "row"),
            mixer_gemm("ssm_step", self.step_rank, self.heads, self.layers, "column"),
        )
