"""What every sequence mixer tells of itself."""

from dataclasses import dataclass
from typing import Protocol

from estimator.models.operations import Attention, Gemm, Scan, Stream

__all__ = ["SINGLE", "Mixer", "Operations"]

SINGLE = 2.0
"""Elements of 16 bit that one of 32 bit is as large as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What a part of a model does to each token, summed over its layers."""

    gemms: tuple[Gemm, ...] = ()
    attentions: tuple[Attention, ...] = ()
    scans: tuple[Scan, ...] = ()
    streams: tuple[Stream, ...] = ()


class Mixer(Protocol):
    """A mixer of some of a model's layers; hashable, so that tables can be kept."""

    @property
    def layers(self) -> int:
        """How many layers have it."""
        ...

    def operations(self, hidden: int) -> Operations:
        """Return what it does in a model of width `hidden`."""
        ...

    def vectors(self, hidden: int) -> int:
        """Return its trained parameters outside matrices (filters, decays, gates, inner norms), all layers.

        Norms before and after a layer are not its own.
        """
        ...
