"""What every sequence mixer tells of itself."""

from dataclasses import dataclass
from typing import Protocol

from estimator.models.operations import Attention, Gemm, Part, Scan, Shard, Stream

__all__ = ["SINGLE", "Mixer", "Operations", "mixer_gemm"]

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


def mixer_gemm(
    name: str,
    inputs: int,
    outputs: int,
    layers: int,
    shard: Shard = "none",
    *,
    fused: tuple[int, ...] = (),
    part: Part = "attention",
) -> Gemm:
    """Return a matrix of a mixer, one in each of `layers` layers."""
    return Gemm(name=name, part=part, inputs=inputs, outputs=outputs, layers=layers, shard=shard, fused=fused)
