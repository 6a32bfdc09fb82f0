"""Networks of convolutions while they are read: residual blocks, attention between them, halved resolutions."""

from dataclasses import dataclass, field

from estimator.models.huggingface.diffusion.common import text_place
from estimator.models.mixers.placed import Flow, Look, Place, Product
from estimator.models.mixers.placed_parts import attention_products, convolution, cross_products, mlp_products, once

__all__ = ["Net", "level_at"]

_CLIP_TEXT = 77


@dataclass(slots=True, kw_only=True)
class Net:
    """A network of convolutions while it is read: what it has so far."""

    time: int
    """Width of the embedded time step; 0 where there is none."""
    text: int = 0
    """Width of the text that is looked at."""
    linear: bool = False
    products: list[Product] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    vectors: int = 0
    blocks: int = 0

    def convolve(self, name: str, inputs: int, outputs: int, at: Place, *, side: int = 3) -> None:
        """Add a convolution, with its bias."""
        self.products.append(convolution(name, inputs, outputs, at=at, side=side))

    def residual(self, inputs: int, outputs: int, at: Place) -> None:
        """Add a residual block: two norms and convolutions, the time step between them, a shortcut where widths differ.

        Source: He et al. 2016; Ho et al. 2020, appendix B.
        """
        self.vectors += 2 * inputs + 2 * outputs
        self.convolve("convolution", inputs, outputs, at)
        if self.time:
            self.products.append(once("time_projection", self.time, outputs))
        self.convolve("convolution", outputs, outputs, at)
        if inputs != outputs:
            self.convolve("shortcut", inputs, outputs, at, side=1)
        self.flows.append(Flow(width=outputs, halves=1, at=at))
        self.blocks += 1

    def transform(self, channels: int, heads: int, layers: int, at: Place) -> None:
        """Add `layers` of self-attention, cross-attention to text and a gated MLP, projected in and out."""
        text = text_place(_CLIP_TEXT)
        self.vectors += 2 * channels + 6 * channels * layers
        for name in ("transformer_in", "transformer_out"):
            self.products.append(Product(name=name, inputs=channels, outputs=channels, at=at))
        self.products += attention_products(channels, channels, layers, at=at, bias=False)
        self.products += cross_products(channels, channels, self.text, layers, keys=text, at=at, bias=False)
        self.products += mlp_products(channels, 4 * channels, layers, at=at, gated=True)
        head_dim = channels // heads
        self.looks += [
            Look(name="attention", heads=heads, head_dim=head_dim, layers=layers, at=at),
            Look(name="cross_attention", heads=heads, head_dim=head_dim, layers=layers, at=at, keys=text),
        ]
        self.flows.append(Flow(width=channels, halves=3 * layers, at=at))
        self.blocks += layers

    def attend(self, channels: int, heads: int, at: Place) -> None:
        """Add a layer of self-attention alone."""
        self.vectors += 2 * channels
        self.products += attention_products(channels, channels, 1, at=at)
        self.looks.append(Look(name="attention", heads=heads, head_dim=channels // heads, layers=1, at=at))
        self.flows.append(Flow(width=channels, halves=1, at=at))
        self.blocks += 1


def level_at(depth: int) -> Place:
    """Return the place of positions after `depth` halvings of both sides."""
    return Place(share=0.25**depth)
