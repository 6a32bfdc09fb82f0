"""U-Nets: Stable Diffusion 1, 2 and XL, DDPM.

Source: Ho et al. 2020, appendix B; Rombach et al. 2022, appendix E; Podell et al. 2023, section 2.1. Shapes are those
of Diffusers' `UNet2DConditionModel` and `UNet2DModel`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import reading_of
from estimator.models.huggingface.diffusion.conditioners import conditioners
from estimator.models.huggingface.diffusion.convolutions import Net, level_at
from estimator.models.huggingface.placed import NO_VECTORS, network, whole_list
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media, seen
from estimator.models.mixers.placed_parts import (
    embedder,
)
from estimator.models.transformer import Tower

__all__ = ["unet"]

_MOST_BLOCKS, _MOST_LAYERS = 12, 64
_CROSS = frozenset({"CrossAttnDownBlock2D", "CrossAttnUpBlock2D"})
_ATTENTIVE = frozenset({"AttnDownBlock2D", "AttnUpBlock2D"})
_KNOWN = _CROSS | _ATTENTIVE | {"DownBlock2D", "UpBlock2D"}


def unet(config: Config) -> ConfiguredModel:
    """Read a U-Net as Diffusers describes it, with or without text."""
    reading = reading_of(
        config,
        {"in_channels": 4, "out_channels": 4, "layers_per_block": 2, "cross_attention_dim": 1280, "sample_size": 64},
    )
    shape = _Shape.of(reading)
    net = Net(time=4 * shape.channels[0], text=shape.text)
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


def _build(net: Net, shape: _Shape, reading: Reading) -> None:
    """Add all blocks, down and up again, with what stands before and after them."""
    first, last = shape.channels[0], len(shape.channels) - 1
    net.convolve("input_convolution", reading.whole("in_channels"), first, level_at(0))
    net.products += embedder("time_embedding", first, net.time)
    if reading.value("addition_embed_type") == "text_time":
        net.products += embedder("size_embedding", reading.whole("projection_class_embeddings_input_dim"), net.time)
    skipped = [first]
    width = first
    for level, channels in enumerate(shape.channels):
        for _ in range(shape.layers[level]):
            net.residual(width, channels, level_at(level))
            width = channels
            _attend(net, shape, shape.down[level], level)
            skipped.append(width)
        if level < last:
            net.convolve("downsampling", width, width, level_at(level + 1))
            skipped.append(width)
    net.residual(width, width, level_at(last))
    if shape.text:
        net.transform(width, shape.head_count(last), shape.transformers[last], level_at(last))
    elif reading.flag("add_attention", default=True):
        net.attend(width, shape.head_count(last), level_at(last))
    net.residual(width, width, level_at(last))
    for level in _upwards(last):
        for _ in range(shape.layers[level] + 1):
            net.residual(width + skipped.pop(), shape.channels[level], level_at(level))
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
