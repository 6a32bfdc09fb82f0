"""Layers that are run again with weights that another layer holds."""

from dataclasses import dataclass, replace

from estimator.models.feed_forward import Dense
from estimator.models.mixers.mixer import Mixer, Operations

__all__ = ["Again"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A part of a layer, run `part.layers` times more with the weights of a part like it (Lan et al. 2020, ALBERT)."""

    part: Mixer | Dense

    @property
    def layers(self) -> int:
        """How many times it is run."""
        return self.part.layers

    def operations(self, hidden: int) -> Operations:
        """Return what it does, with weights that it does not hold."""
        once = self.part.operations(hidden)
        return replace(once, gemms=tuple(replace(gemm, held=False) for gemm in once.gemms))

    def vectors(self, hidden: int) -> int:
        """Return none: they are the other part's."""
        del hidden
        return 0
