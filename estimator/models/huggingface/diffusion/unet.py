"""U-Nets: Stable Diffusion 1, 2 and XL, DDPM; and ControlNets, trained copies of their lower half.

Source: Ho et al. 2020, appendix B; Rombach et al. 2022, appendix E; Podell et al. 2023, section 2.1. Shapes are those
of Diffusers' `UNet2DConditionModel` and `UNet2DModel`.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import reading_of
from estimator.models.huggingface.diffusion.conditioners import conditioners
from estimator.models.huggingface.diffusion.convolutions import Net, level_at
from estimator.models.huggingface.diffusion.streams import LATENT_SIDE, picture
from estimator.models.huggingface.placed import NO_VECTORS, network, whole_list
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media, seen
from estimator.models.mixers.placed import Place
from estimator.models.mixers.placed_parts import embedder
from estimator.models.transformer import Tower, Transformer

__all__ = ["controlnet", "unet"]

_MOST_BLOCKS, _MOST_LAYERS = 12, 64
_DEFAULTS: Config = {
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 2,
    "cross_attention_dim": 1280,
    "sample_size": 64,
    "conditioning_channels": 3,
}
_CROSS = frozenset({"CrossAttnDownBlock2D", "CrossAttnUpBlock2D"})
_ATTENTIVE = frozenset({"AttnDownBlock2D", "AttnUpBlock2D"})
_KNOWN = _CROSS | _ATTENTIVE | {"DownBlock2D", "UpBlock2D"}


def unet(config: Config) -> ConfiguredModel:
    """Read a U-Net as Diffusers describes it, with or without text."""
    reading = reading_of(config, _DEFAULTS)
    shape = _Shape.of(reading)
    net = Net(time=4 * shape.channels[0], text=shape.text)
    _ascend(net, shape, reading, _descend(net, shape, reading))
    media = _media(reading, shape)
    conditioned = _text_and_pictures(shape.text, reading.whole("in_channels"))
    made = _made(net, shape, reading.model_type, media, conditioners=conditioned)
    return ConfiguredModel(transformer=made, vectors=NO_VECTORS, notes=())


def controlnet(config: Config) -> ConfiguredModel:
    """Read a ControlNet (Zhang et al. 2023): a U-Net's lower half, what embeds the condition, and zero convolutions.

    The U-Net beside it is frozen: its lower half runs forward, and gradients pass through its upper half, which what
    the ControlNet makes is added in.
    """
    # Its file tells no size: that of the U-Net, SDXL's being the one that is told sizes.
    side = 128 if config.get("addition_embed_type") == "text_time" else 64
    reading = reading_of(config, {**_DEFAULTS, "sample_size": side})
    shape = _Shape.of(reading)
    net = Net(time=4 * shape.channels[0], text=shape.text)
    _embed_condition(net, reading, shape.channels[0])
    skipped = _descend(net, shape, reading)
    for width, level in (*skipped, (shape.channels[-1], len(shape.channels) - 1)):
        net.convolve("zero_convolution", width, width, level_at(level), side=1)
    below, above = (Net(time=net.time, text=net.text) for _ in range(2))
    _ascend(above, shape, reading, _descend(below, shape, reading))
    media = _media(reading, shape)
    lower, upper = (_made(half, shape, name, media) for half, name in ((below, "lower U-Net"), (above, "upper U-Net")))
    beside = (
        Tower(name="unet_lower", network=lower, rate=1.0, trained=False),
        Tower(name="unet_upper", network=upper, rate=1.0, trained=False, downstream=True),
    )
    conditioned = _text_and_pictures(shape.text, reading.whole("in_channels"))
    made = _made(net, shape, reading.model_type, media, conditioners=(*conditioned, *beside))
    return ConfiguredModel(
        transformer=made,
        vectors=NO_VECTORS,
        notes=("beside the frozen U-Net, which runs in each step and whose parameters are not counted here",),
    )


def _media(reading: Reading, shape: "_Shape") -> Media:
    compression = LATENT_SIDE if shape.text else 1
    return picture(whole_list(reading, "sample_size", 1)[0] * compression, 1, compression=compression)


def _made(net: Net, shape: "_Shape", name: str, media: Media, conditioners: tuple[Tower, ...] = ()) -> Transformer:
    """Return what was read as a network."""
    return network(
        name=name,
        hidden=shape.channels[0],
        head_dim=min((look.head_dim for look in net.looks), default=64),
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
        conditioners=conditioners,
    )


def _text_and_pictures(text: int, latents: int) -> tuple[Tower, ...]:
    """Return the encoders that Stable Diffusion of that width of text has."""
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
        conditional = reading.model_type != "UNet2DModel"
        usual = ("CrossAttnDownBlock2D",) * (levels - 1) + ("DownBlock2D",)
        down = _names(reading, "down_block_types", levels) or usual
        up = _names(reading, "up_block_types", levels) or tuple(name.replace("Down", "Up") for name in reversed(down))
        layers = whole_list(reading, "layers_per_block", levels)
        transformers = whole_list(reading, "transformer_layers_per_block", levels, least=0) or (1,) * levels
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


def _embed_condition(net: Net, reading: Reading, width: int) -> None:
    """Add the convolutions that take a picture to a latent's size, every second of which halves its sides."""
    widths = whole_list(reading, "conditioning_embedding_out_channels") or (16, 32, 96, 256)
    place = Place(share=float(4 ** (len(widths) - 1)))
    net.convolve("condition", reading.whole("conditioning_channels"), widths[0], place)
    for inputs, outputs in itertools.pairwise(widths):
        net.convolve("condition", inputs, inputs, place)
        place = Place(share=place.share / 4)
        net.convolve("condition", inputs, outputs, place)
    net.convolve("condition", widths[-1], width, place)


def _descend(net: Net, shape: _Shape, reading: Reading) -> list[tuple[int, int]]:
    """Add all down to the middle, with what stands before; return widths and levels that are kept for the way up."""
    first, last = shape.channels[0], len(shape.channels) - 1
    net.convolve("input_convolution", reading.whole("in_channels"), first, level_at(0))
    net.products += embedder("time_embedding", first, net.time)
    if reading.value("addition_embed_type") == "text_time":
        net.products += embedder("size_embedding", reading.whole("projection_class_embeddings_input_dim"), net.time)
    skipped = [(first, 0)]
    width = first
    for level, channels in enumerate(shape.channels):
        for _ in range(shape.layers[level]):
            net.residual(width, channels, level_at(level))
            width = channels
            _attend(net, shape, shape.down[level], level)
            skipped.append((width, level))
        if level < last:
            net.convolve("downsampling", width, width, level_at(level + 1))
            skipped.append((width, level + 1))
    net.residual(width, width, level_at(last))
    if shape.text:
        net.transform(width, shape.head_count(last), shape.transformers[last], level_at(last))
    elif reading.flag("add_attention", default=True):
        net.attend(width, shape.head_count(last), level_at(last))
    net.residual(width, width, level_at(last))
    return skipped


def _ascend(net: Net, shape: _Shape, reading: Reading, skipped: list[tuple[int, int]]) -> None:
    """Add all up from the middle, which reads what was kept on the way down, and what stands behind it."""
    last, width, kept = len(shape.channels) - 1, shape.channels[-1], list(skipped)
    for level in _upwards(last):
        for _ in range(shape.layers[level] + 1):
            net.residual(width + kept.pop()[0], shape.channels[level], level_at(level))
            width = shape.channels[level]
            _attend(net, shape, shape.up[last - level], level)
        if level:
            net.convolve("upsampling", width, width, level_at(level - 1))
    net.vectors += 2 * width
    net.convolve("output_convolution", width, reading.whole("out_channels"), level_at(0))


def _upwards(last: int) -> Iterator[int]:
    return iter(range(last, -1, -1))


def _attend(net: Net, shape: _Shape, block: str, level: int) -> None:
    """Add what follows a residual block in blocks of its kind."""
    if block in _CROSS and shape.text:
        net.transform(shape.channels[level], shape.head_count(level), shape.transformers[level], level_at(level))
    elif block in _ATTENTIVE:
        net.attend(shape.channels[level], shape.head_count(level), level_at(level))
