"""What a model does to each token: matrix products, attention, scans, and the activations that kernels move.

Widths are per token; how many tokens there are belongs to the layout. An operation of a tower beside the main stack
runs on `rate` positions for each token of the main sequence.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["MAIN", "Attention", "Gemm", "Part", "Scan", "Shard", "Stream", "mean_keys"]

Shard = Literal["column", "row", "expert", "none"]
Part = Literal["attention", "mlp", "experts", "logits"]
MAIN = ""
"""The group of the stack whose tokens are counted; towers beside it have groups of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gemm:
    """A weight matrix that every token (or each of its `visits`) is multiplied by."""

    name: str
    part: Part
    inputs: int
    outputs: int
    layers: int
    """How many layers of the model hold one."""
    shard: Shard = "none"
    """What tensor parallelism divides: the outputs (column), the inputs (row), or nothing;
    `expert` matrices are divided by expert parallelism."""
    copies: int = 1
    """Matrices a layer holds (one per expert)."""
    visits: int = 1
    """How many of the copies one token is multiplied by."""
    fused: tuple[int, ...] = ()
    """Output widths of the matrices that checkpoints and adapters keep apart; empty for a single one."""
    group: str = MAIN
    """The tower that it is part of."""
    rate: float = 1.0
    """Positions it is applied to for each token of the main sequence."""
    held: bool = True
    """False where the weights are another operation's: a layer that is run again, a reference that shares its base."""
    adapted: bool = True
    """Whether adapters lie beside it by habit, where its part says so."""
    taps: int = 1
    """Positions that a convolution's filter covers: its inputs are read once for all of them."""
    groups: int = 1
    """Groups of channels that a convolution keeps apart, each of `outputs` reading `inputs` of its own."""

    @property
    def n_parts(self) -> int:
        """Matrices that checkpoints and adapters keep apart: 1 of a single one."""
        return len(self.fused) or 1

    @property
    def parameters(self) -> int:
        """Weights, all layers and copies; none where they are another operation's."""
        return self.inputs * self.outputs * self.layers * self.copies if self.held else 0

    @property
    def active_parameters(self) -> int:
        """Weights one position meets."""
        return self.inputs * self.outputs * self.layers * self.visits

    @property
    def flop_per_token(self) -> float:
        """Forward FLOPs for each token of the main sequence."""
        return 2.0 * self.active_parameters * self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Scores and their weighted sum: no weights, cost grows with the keys a query sees."""

    name: str
    heads: int
    kv_heads: int
    score_dim: int
    """Width of a query and key head."""
    value_dim: int
    window: int
    """Keys a query may see; 0 for all."""
    layers: int
    chunked: bool = False
    """Whether the window is a chunk that queries do not look back from (Llama 4), not one that slides."""
    selected: int = 0
    """Keys that an indexer selects for each query (DeepSeek-V3.2); 0 where all are used."""
    causal: bool = True
    """Whether a query sees earlier keys alone."""
    length: float = 0.0
    """Positions of its own sequence, a picture's patches; 0 where that is the run's."""
    length_share: float = 1.0
    """Length of its sequence over the run's, where it has none of its own; of the other's, where it crosses."""
    keys: float = 0.0
    """Keys of another sequence that every query sees (cross-attention to a picture); 0 where it attends to its own."""
    crosses: bool = False
    """Whether the other sequence is the run's, as a decoder looks at its encoder."""
    group: str = MAIN
    rate: float = 1.0
    """Queries for each token of the main sequence."""

    def mean_keys(self, sequence_length: float, *, causal: bool = True) -> float:
        """Return the keys an average query multiplies with, in a run of `sequence_length`."""
        if self.crosses:
            return sequence_length * self.length_share
        if self.keys:
            return self.keys
        own = self.length or self.length_share * sequence_length
        masked = causal and self.causal
        if self.selected:
            return mean_keys(own, self.selected, causal=masked)
        if self.chunked and self.window:
            own = min(own, float(self.window))
            return mean_keys(own, 0, causal=masked)
        return mean_keys(own, self.window, causal=masked)

    def longest(self, sequence_length: float) -> float:
        """Return the keys that the last query of a sequence meets."""
        if self.crosses or self.keys:
            return self.keys or sequence_length * self.length_share
        own = self.length or self.length_share * sequence_length
        return float(min(own, self.selected or self.window or own))

    def flop_per_token(self, sequence_length: float, *, causal: bool = True) -> float:
        """Return forward FLOPs per token: 2 · keys · heads · (score + value width) · layers.

        Source: Narayanan et al. 2021, appendix (the 4·B·s²·h term), halved where causal.
        """
        keys = self.mean_keys(sequence_length, causal=causal)
        return 2.0 * keys * self.heads * (self.score_dim + self.value_dim) * self.layers * self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A sequence mixer whose cost does not grow with the sequence: a recurrence, or its chunked form."""

    name: str
    layers: int
    matmul_flop: float = 0.0
    """Forward FLOPs a position and layer in small matrix products (chunked forms), those within chunks apart."""
    square_flop: float = 0.0
    """Forward FLOPs a position and layer in products of a chunk with itself, as whole squares; a mask hides half."""
    vector_flop: float = 0.0
    """Forward FLOPs a position and layer outside matrix units (step by step)."""
    elements: float = 0.0
    """Activation elements a position and layer that its kernels read and write forward."""
    kept: float = 0.0
    """Activation elements a position and layer that it keeps for the backward pass beside its inputs: states at the
    borders of chunks."""
    group: str = MAIN
    rate: float = 1.0

    def flop_per_token(self, *, causal: bool = True) -> float:
        """Return forward FLOPs for each token of the main sequence, all layers; `causal` counts half of squares."""
        squares = self.square_flop * (0.5 if causal else 1.0)
        return (self.matmul_flop + squares + self.vector_flop) * self.layers * self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An activation of `width` elements per token that elementwise kernels read and write."""

    name: str
    width: int
    layers: int
    shard: Literal["sequence", "column", "expert"]
    """`sequence`: whole on each tensor-parallel rank unless sequence parallelism splits it;
    `column`: divided by tensor parallelism; `expert`: follows the routed tokens."""
    group: str = MAIN
    rate: float = 1.0

    @property
    def elements(self) -> float:
        """Elements for each token of the main sequence, all layers."""
        return float(self.width * self.layers) * self.rate


def mean_keys(sequence_length: float, window: int, *, causal: bool = True) -> float:
    """Return the keys an average query multiplies with.

    Causal: s/2, and w − w²/2s behind a window w < s. Not causal: s, and w.
    """
    if window and window < sequence_length:
        return window - window * window / (2.0 * sequence_length) if causal else float(window)
    return sequence_length / 2.0 if causal else float(sequence_length)
