"""Scores between contents and relative positions, beside those between contents (disentangled attention)."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import Operations
from estimator.models.operations import Attention

__all__ = ["PositionScores"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionScores:
    """Products of queries (or keys) with embeddings of relative positions (He et al. 2021, section 3.1).

    The projections of the few positions themselves are made once a micro-batch, and are not counted.
    """

    count: int
    """Layers that have them."""
    heads: int
    head_dim: int
    positions: float = 0.0
    """Relative positions that each token is scored against; 0: as many as the sequence has, `share` times."""
    share: float = 1.0
    kinds: int
    """Content to position, position to content."""
    own_vectors: int = 0
    """Parameters of each layer's own projections of positions."""

    @property
    def layers(self) -> int:
        """No layers of their own: they belong to the attention's."""
        return 0

    def operations(self, hidden: int) -> Operations:
        """Return the scores; nothing is summed by them."""
        del hidden
        return Operations(
            attentions=(
                Attention(
                    name="position_scores",
                    heads=self.heads,
                    kv_heads=self.heads,
                    score_dim=self.head_dim * self.kinds,
                    value_dim=0,
                    window=0,
                    layers=self.count,
                    causal=False,
                    keys=self.positions,
                    length_share=self.share,
                ),
            )
        )

    def vectors(self, hidden: int) -> int:
        """Return the projections' parameters, all layers."""
        del hidden
        return self.own_vectors * self.count
