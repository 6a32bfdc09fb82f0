"""U-Nets: Stable Diffusion 1, 2 and XL, DDPM; and the encoder of their VAE.

Source: Ho et al. 2020, appendix B; Rombach et al. 2022, appendix E; Podell et al. 2023, section 2.1. Shapes are those
of Diffusers' `UNet2DConditionModel`, `UNet2DModel` and `AutoencoderKL`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from estimator.base.errors import InvalidValueError
from estimator.models.diffusion.denoiser import Flow, Look, Place, Product
from estimator.models.diffusion.parts import (
    attention_products,
    convolution,
    cross_products,
    embedder,
    mlp_products,
    once,
)
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import NO_VECTORS, network, reading_of, text_place, whole_list
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media, seen
from estimator.models.transformer import Tower, Transformer

__all__ = ["unet", "vae_encoder"]

_CLIP_TEXT = 77
_MOST_BLOCKS, _MOST_LAYERS = 12, 64
_CROSS = frozenset({"CrossAttnDownBlock2D", "CrossAttnUpBlock2D"})
_ATTENTIVE = frozenset({"AttnDownBlock2D", "AttnUpBlock2D"})
_KNOWN = _CROSS | _ATTENTIVE | {"DownBlock2D", "UpBlock2D"}


@dataclass(slots=True, kw_only=True)
class _Net:
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
        self.products.append(convolution(name, inputs, outputs, at=at, side=3 if side > 1 else 1))

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


def _level(depth: int) -> Place:
    """Return the place of positions after `depth` halvings of both sides."""
    return Place(share=0.25**depth)


def unet(config: Config) -> ConfiguredModel:
    """Read a U-Net as Diffusers describes it, with or without text."""
    reading = reading_of(
        config,
        {"in_channels": 4, "out_channels": 4, "layers_per_block": 2, "cross_attention_dim": 1280, "sample_size": 64},
    )
    shape = _Shape.of(reading)
    net = _Net(time=4 * shape.channels[0], text=shape.text)
    _build(net, shape, reading)
    side = whole_list(reading, "sample_size", 1)[0] * (8 if shape.text else 1)
    latents = reading.whole("in_channels")
    media = Media(
        main=True,
        policy="resized",
        width=side,
        height=side,
        compression=8 if shape.text else 1,
        usual_text=0,
    )
    head_dim = min((look.head_dim for look in net.looks), default=64)
    made = network(
        name=reading.model_type,
        hidden=shape.channels[0],
        head_dim=head_dim,
        # Nobody divides a U-Net by tensor parallelism.
        heads=1,
        blocks=net.blocks,
        products=tuple(net.products),
        flows=tuple(net.flows),
        looks=tuple(net.looks),
        own_vectors=net.vectors,
        tokens=seen(media, None).tokens,
        gated=True,
        media=media,
        conditioners=_text_and_pictures(shape.text, latents),
    )
    return ConfiguredModel(transformer=made, vectors=NO_VECTORS, notes=())


def _text_and_pictures(text: int, latents: int) -> tuple[Tower, ...]:
    """Return the encoders that Stable Diffusion of that width of text has."""
    from estimator.models.huggingface.diffusion.conditioners import conditioners

    if not text:
        return ()
    vae = 4 if latents % 4 else latents
    large = text >= 2048  # noqa: PLR2004 - SDXL's two encoders together
    return conditioners(clip_l=text < 1024 or large, clip_h=1024 <= text < 2048, clip_g=large, vae=vae)  # noqa: PLR2004


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """What a configuration says of each of its levels."""

    channels: tuple[int, ...]
    down: tuple[str, ...]
    up: tuple[str, ...]
    layers: tuple[int, ...]
    transformers: tuple[int, ...]
    heads: tuple[int, ...]
    """Heads of each level, or, where nothing is said of text, their width."""
    text: int

    @classmethod
    def of(cls, reading: Reading) -> "_Shape":
        """Read the lists; raise InvalidValueError for blocks of other kinds."""
        channels = whole_list(reading, "block_out_channels") or (320, 640, 1280, 1280)
        levels = len(channels)
        if not 1 <= levels <= _MOST_BLOCKS or not all(channels):
            raise InvalidValueError("hf_config.block_out_channels", list(channels), "must be 1 to 12 widths above 0")
        conditional = reading.model_type == "UNet2DConditionModel"
        usual = ("CrossAttnDownBlock2D",) * (levels - 1) + ("DownBlock2D",)
        down = _names(reading, "down_block_types", levels) or usual
        up = _names(reading, "up_block_types", levels) or tuple(name.replace("Down", "Up") for name in reversed(usual))
        layers = whole_list(reading, "layers_per_block", levels)
        transformers = whole_list(reading, "transformer_layers_per_block", levels) or (1,) * levels
        if max(layers) > _MOST_LAYERS or max(transformers) > _MOST_LAYERS:
            raise InvalidValueError("hf_config.layers_per_block", list(layers), f"must be at most {_MOST_LAYERS}")
        # Diffusers' `attention_head_dim` is the number of heads of a network with text, by a mistake that was kept.
        given = whole_list(reading, "num_attention_heads", levels) or whole_list(reading, "attention_head_dim", levels)
        heads = given or ((8,) * levels if conditional else (0,) * levels)
        return cls(
            channels=channels,
            down=down,
            up=up,
            layers=layers,
            transformers=transformers,
            heads=heads,
            text=reading.whole("cross_attention_dim") if conditional else 0,
        )

    def head_count(self, level: int) -> int:
        """Return the heads of a level."""
        given, channels = self.heads[level], self.channels[level]
        if self.text:
            return max(given, 1)
        return channels // given if 0 < given <= channels else 1


def _names(reading: Reading, key: str, levels: int) -> tuple[str, ...]:
    items = reading.items(key)
    if not items:
        return ()
    strange = next((item for item in items if not isinstance(item, str) or item not in _KNOWN), None)
    if strange is not None or len(items) != levels:
        raise InvalidValueError(f"hf_config.{key}", strange or list(items), f"must be {levels} of {sorted(_KNOWN)}")
    return cast("tuple[str, ...]", items)


def _build(net: _Net, shape: _Shape, reading: Reading) -> None:
    """Add all blocks, down and up again, with what stands before and after them."""
    first, last = shape.channels[0], len(shape.channels) - 1
    net.convolve("input_convolution", reading.whole("in_channels"), first, _level(0))
    net.products += embedder("time_embedding", first, net.time)
    if reading.value("addition_embed_type") == "text_time":
        net.products += embedder("size_embedding", reading.whole("projection_class_embeddings_input_dim"), net.time)
    skipped = [first]
    width = first
    for level, channels in enumerate(shape.channels):
        for _ in range(shape.layers[level]):
            net.residual(width, channels, _level(level))
            width = channels
            _attend(net, shape, shape.down[level], level)
            skipped.append(width)
        if level < last:
            net.convolve("downsampling", width, width, _level(level + 1))
            skipped.append(width)
    net.residual(width, width, _level(last))
    if shape.text:
        net.transform(width, shape.head_count(last), shape.transformers[last], _level(last))
    elif reading.flag("add_attention", default=True):
        net.attend(width, shape.head_count(last), _level(last))
    net.residual(width, width, _level(last))
    for level in _upwards(last):
        for _ in range(shape.layers[level] + 1):
            net.residual(width + skipped.pop(), shape.channels[level], _level(level))
            width = shape.channels[level]
            _attend(net, shape, shape.up[last - level], level)
        if level:
            net.convolve("upsampling", width, width, _level(level - 1))
    net.vectors += 2 * width
    net.convolve("output_convolution", width, reading.whole("out_channels"), _level(0))


def _upwards(last: int) -> Iterator[int]:
    return iter(range(last, -1, -1))


def _attend(net: _Net, shape: _Shape, block: str, level: int) -> None:
    """Add what follows a residual block in blocks of its kind."""
    if block in _CROSS and shape.text:
        net.transform(shape.channels[level], shape.head_count(level), shape.transformers[level], _level(level))
    elif block in _ATTENTIVE:
        net.attend(shape.channels[level], shape.head_count(level), _level(level))


def vae_encoder(latents: int) -> Transformer:
    """Return the encoder of Stable Diffusion's VAE, whose positions are pixels (Rombach et al. 2022, appendix E.2).

    Those of SDXL, SD 3 and FLUX.1 differ in the channels of a latent alone.
    """
    channels = (128, 256, 512, 512)
    net = _Net(time=0)
    net.convolve("input_convolution", 3, channels[0], _level(0))
    width, last = channels[0], len(channels) - 1
    for level, outputs in enumerate(channels):
        for _ in range(2):
            net.residual(width, outputs, _level(level))
            width = outputs
        if level < last:
            net.convolve("downsampling", width, width, _level(level + 1))
    net.residual(width, width, _level(last))
    net.attend(width, 1, _level(last))
    net.residual(width, width, _level(last))
    net.vectors += 2 * width
    net.convolve("output_convolution", width, 2 * latents, _level(last))
    if latents <= _QUANTISED:
        net.convolve("quantisation", 2 * latents, 2 * latents, _level(last), side=1)
    return network(
        name="VAE encoder",
        hidden=channels[0],
        head_dim=512,
        heads=1,
        blocks=net.blocks,
        products=tuple(net.products),
        flows=tuple(net.flows),
        looks=tuple(net.looks),
        own_vectors=net.vectors,
        tokens=512.0 * 512.0,
    )


_QUANTISED = 4
"""Channels of a latent up to which a convolution of one by one follows (SD 3 and FLUX.1 have none)."""
