"""Single matrices beside layers: embeddings of patches, projectors, poolers, heads."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import Operations
from estimator.models.operations import Gemm, Part, Stream

__all__ = ["Projection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """`count` matrices of one shape that stand outside the layers; none of them is half of a layer."""

    name: str
    inputs: int
    outputs: int
    count: int = 1
    rate: float = 1.0
    """Positions they are applied to, for each of the network's own: a classifier reads one of a picture's 197."""
    bias: bool = True
    norms: int = 0
    """Parameters of the norms beside them, each."""
    part: Part = "mlp"
    taps: int = 1
    """Positions that a convolution's filter covers, of which `inputs` are the sum."""
    groups: int = 1
    """Groups of channels that a convolution keeps apart: each output reads `inputs` of its own group."""

    @property
    def layers(self) -> int:
        """No layers of the network."""
        return 0

    def operations(self, hidden: int) -> Operations:
        """Return the products, and what they write."""
        del hidden
        return Operations(
            gemms=(
                Gemm(
                    name=self.name,
                    part=self.part,
                    inputs=self.inputs,
                    outputs=self.outputs,
                    layers=self.count,
                    rate=self.rate,
                    taps=self.taps,
                    groups=self.groups,
                ),
            ),
            streams=(Stream(name="mlp", width=self.outputs, layers=self.count, shard="sequence", rate=self.rate),),
        )

    def vectors(self, hidden: int) -> int:
        """Return biases and norms."""
        del hidden
        return (self.bias * self.outputs + self.norms) * self.count
