"""Short causal convolutions: a few taps over time for each channel, gated before and after."""

from dataclasses import dataclass

from estimator.models.mixers.mixer import Operations, mixer_gemm
from estimator.models.operations import Scan, Stream

__all__ = ["ShortConvolution", "filter_flop"]

_MOVES = 2
"""The filter's input and output; its gates are elementwise kernels, as those of other layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortConvolution:
    """A gated short convolution of `layers` layers: project to three streams, filter one over time, project back.

    Source: Liquid AI, LFM2 (`Lfm2ShortConv` of Transformers).
    """

    layers: int
    taps: int
    biased: bool = False

    def operations(self, hidden: int) -> Operations:
        """Return both projections and the filter: 2 · taps FLOPs a channel, and a product with either gate."""
        return Operations(
            gemms=(
                mixer_gemm("convolution_in", hidden, 3 * hidden, self.layers, "column"),
                mixer_gemm("convolution_out", hidden, hidden, self.layers, "row"),
            ),
            scans=(
                Scan(
                    name="short_convolution",
                    layers=self.layers,
                    vector_flop=filter_flop(self.taps, hidden),
                    elements=float(_MOVES * hidden),
                ),
            ),
            streams=(Stream(name="heads", width=4 * hidden, layers=self.layers, shard="column"),),
        )

    def vectors(self, hidden: int) -> int:
        """Return the filters, and biases of filter and projections where there are any, all layers."""
        return (hidden * self.taps + self.biased * (hidden + 3 * hidden + hidden)) * self.layers


def filter_flop(taps: int, channels: int) -> float:
    """Return forward FLOPs a token of a filter of `taps` over time, one for each channel."""
    return 2.0 * taps * channels
