"""What a network has beside attention and MLPs, as it stands: matrices and vectors that a family alone has."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import Operations

__all__ = ["Given"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Operations that are said outright: projections of streams, of embeddings of each layer, of attention."""

    given: Operations
    own_vectors: int = 0
    """Trained parameters outside its matrices."""
    layers: int = 0
    """Layers whose sequence it mixes; 0 where it stands beside their mixers."""

    def operations(self, hidden: int) -> Operations:
        """Return the operations, which do not follow from the model's width."""
        del hidden
        return self.given

    def vectors(self, hidden: int) -> int:
        """Return the trained parameters outside matrices, all layers."""
        del hidden
        return self.own_vectors
