"""Encoders of pictures whose resolution halves from stage to stage: ResNet, ConvNeXt, Swin.

A token is a position at a quarter of the picture's sides, where the first stage works; every stage after it has a
quarter of the positions of the one before.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.blocks import classes, configured, head_class, image_side
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.placed import network, whole_list
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media, seen
from estimator.models.mixers.placed import ONCE, Flow, Look, Place, Product
from estimator.models.mixers.placed_parts import attention_products, convolution, mlp_products
from estimator.models.small_pictures import with_small_stem

__all__ = [
    "RESNET",
    "Pyramid",
    "built",
    "convnext",
    "residual_trunk",
    "resnet",
    "resnext",
    "stage_place",
    "stages_of",
    "swin",
]

_STRIDE = 4
"""Pixels a side of a position of the first stage."""
_MOST_STAGES, _MOST_LAYERS = 12, 1_000
RESNET: Config = {
    "num_channels": 3,
    "embedding_size": 64,
    "hidden_sizes": [256, 512, 1024, 2048],
    "depths": [3, 4, 6, 3],
    "image_size": 224,
}
_RESNEXT: Config = {"groups": 32, "width_per_group": 4}
_PLAIN = 64
"""Channels of ResNet's first bottlenecks, all in one group."""
_STEM, _NARROWED = 7, 4
"""Side of ResNet's first filter, and the width of a stage over that of its bottlenecks (He et al. 2016, table 1)."""
_CONVNEXT = {
    "num_channels": 3,
    "patch_size": 4,
    "hidden_sizes": [96, 192, 384, 768],
    "depths": [3, 3, 9, 3],
    "image_size": 224,
}
_DEPTHWISE = 7
"""Side of ConvNeXt's filters (Liu et al. 2022, section 2.5)."""
_SWIN = {
    "num_channels": 3,
    "patch_size": 4,
    "embed_dim": 96,
    "depths": [2, 2, 6, 2],
    "num_heads": [3, 6, 12, 24],
    "window_size": 7,
    "image_size": 224,
}
_BIAS_WIDTH = 512
"""Width of the MLP that makes Swin V2's position biases (Liu et al. 2022b, section 3.3)."""


@dataclass(slots=True, kw_only=True)
class Pyramid:
    """A pyramid while it is read: what it has so far."""

    products: list[Product] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    vectors: int = 0
    lookup: int = 0
    frozen_norms: bool = False
    """Whether batch norms are as they were pre-trained, and no parameters."""

    def convolve(self, name: str, inputs: int, outputs: int, side: int, at: Place) -> None:
        """Add a convolution without bias, and the batch norm behind it."""
        self.products.append(convolution(name, inputs, outputs, at=at, side=side, bias=False))
        self.vectors += 0 if self.frozen_norms else 2 * outputs

    def classify(self, reading: Reading, width: int, *, always: bool = False) -> None:
        """Add the classifier of one vector a picture, where the class that is named has one or it is `always` there."""
        if always or "Classification" in head_class(reading.config, "Model"):
            self.products.append(
                Product(name="classifier", inputs=width, outputs=classes(reading), at=ONCE, part="logits")
            )


def stage_place(stage: int) -> Place:
    """Return the place of a stage's positions, the first being 0."""
    return Place(share=0.25**stage)


def built(
    pyramid: Pyramid,
    reading: Reading,
    config: Config,
    *,
    depths: Iterable[int],
    width: int,
    sides: tuple[int, int] | None = None,
) -> ConfiguredModel:
    """Return the pyramid as a network, its tokens the positions of the first stage.

    `sides`: width and height of the usual picture in pixels, where it is no square of the configuration's.
    """
    across, down = sides or (image_side(reading),) * 2
    media = Media(main=True, policy="resized", width=across, height=down, patch=_STRIDE, usual_text=0)
    made = network(
        name=f"{reading.model_type} model",
        hidden=width,
        head_dim=max((look.head_dim for look in pyramid.looks), default=64),
        # Nobody divides such a network by tensor parallelism.
        heads=1,
        blocks=sum(depths),
        products=tuple(pyramid.products),
        flows=tuple(pyramid.flows),
        looks=tuple(pyramid.looks),
        own_vectors=pyramid.vectors,
        lookup=pyramid.lookup,
        tokens=seen(media, None).tokens,
        media=media,
    )
    return configured(made, config)


def stages_of(reading: Reading, *keys: str) -> list[tuple[int, ...]]:
    """Return what each stage has, of each of `keys`.

    Raises InvalidValueError where lists differ in length, or there are more stages or layers than any network has.
    """
    depths = whole_list(reading, keys[0])
    if not 1 <= len(depths) <= _MOST_STAGES or max(depths) > _MOST_LAYERS:
        raise InvalidValueError(f"hf_config.{keys[0]}", list(depths), f"must be layers of 1 to {_MOST_STAGES} stages")
    return list(zip(depths, *(whole_list(reading, key, len(depths)) for key in keys[1:]), strict=True))


def resnet(config: Config) -> ConfiguredModel:
    """Return a ResNet (He et al. 2016), with bottlenecks or, up to 34 layers, without.

    `small_stem`, which no publisher's file has: it is made for CIFAR (ibid., section 4.2).
    """
    reading = Reading(config=config, defaults=RESNET, model_type="resnet")
    made = _residual(config, reading, groups=1, wide=1)
    if not reading.flag("small_stem", default=False):
        return made
    return replace(made, transformer=with_small_stem(made.transformer) or made.transformer)


def resnext(config: Config) -> ConfiguredModel:
    """Return a ResNeXt (Xie et al. 2017) or a wide ResNet (Zagoruyko and Komodakis 2016), as torchvision tells them.

    Raises InvalidValueError where groups are of no width that a bottleneck has.
    """
    reading = Reading(config=config, defaults={**RESNET, **_RESNEXT}, model_type="resnext")
    groups, each = reading.whole("groups"), reading.whole("width_per_group")
    narrowest = min(whole_list(reading, "hidden_sizes")) // _NARROWED
    if groups > narrowest or groups * each % _PLAIN:
        raise InvalidValueError("hf_config.width_per_group", each, f"must make a multiple of {_PLAIN} by the groups")
    return _residual(config, reading, groups=groups, wide=groups * each // _PLAIN)


def _residual(config: Config, reading: Reading, *, groups: int, wide: int) -> ConfiguredModel:
    pyramid = Pyramid()
    width = residual_trunk(pyramid, reading, groups=groups, wide=wide)
    pyramid.classify(reading, width)
    depths, widths = (whole_list(reading, key) for key in ("depths", "hidden_sizes"))
    return built(pyramid, reading, config, depths=depths, width=widths[0])


def residual_trunk(
    pyramid: Pyramid, reading: Reading, *, deep_stem: bool = False, groups: int = 1, wide: int = 1, smallest: int = 3
) -> int:
    """Add a ResNet without its classifier, and return the width of its last stage.

    `deep_stem`: three small filters in place of the one large (He et al. 2019, ResNet-D). `groups`: of channels that
    filters of bottlenecks read apart, `wide` times as wide as usual (Xie et al. 2017; Zagoruyko and Komodakis 2016).
    `smallest`: the stage whose resolution those behind it keep, their filters spread out (Chen et al. 2017).
    """
    basic = reading.value("layer_type") == "basic"
    early = reading.flag("downsample_in_bottleneck", default=False)
    first = int(reading.flag("downsample_in_first_stage", default=False))
    width, halved = reading.whole("embedding_size"), Place(share=4.0)
    if deep_stem:
        for inputs, outputs in ((reading.whole("num_channels"), width // 2), (width // 2, width // 2)):
            pyramid.convolve("stem", inputs, outputs, 3, halved)
        pyramid.convolve("stem", width // 2, width, 3, halved)
    else:
        pyramid.convolve("stem", reading.whole("num_channels"), width, _STEM, halved)
    for stage, (depth, outputs) in enumerate(stages_of(reading, "depths", "hidden_sizes")):
        here = stage_place(min(stage + first, smallest))
        before = stage_place(min(max(stage + first - 1, 0), smallest))
        halves = stage + first > 0
        for layer in range(depth):
            entering = layer == 0
            if entering and (halves or width != outputs or (basic and deep_stem)):
                pyramid.convolve("shortcut", width, outputs, 1, here)
            if basic:
                pyramid.convolve("convolution", width, outputs, 3, here)
                pyramid.convolve("convolution", outputs, outputs, 3, here)
            else:
                narrow = outputs * wide // _NARROWED
                pyramid.convolve("narrowing", width, narrow, 1, before if entering and not early else here)
                pyramid.convolve("convolution", narrow // groups, narrow, 3, here)
                pyramid.convolve("widening", narrow, outputs, 1, here)
            width = outputs
        pyramid.flows.append(Flow(width=outputs, halves=depth, at=here, normed=False))
    return width


def convnext(config: Config) -> ConfiguredModel:
    """Return a ConvNeXt (Liu et al. 2022), or its second version (Woo et al. 2023)."""
    kind = str(config.get("model_type"))
    reading = Reading(config=config, defaults=_CONVNEXT, model_type=kind)
    stages = stages_of(reading, "depths", "hidden_sizes")
    # Layers of the first version are scaled; those of the second normalise over all positions inside their MLP.
    second = kind == "convnextv2"
    scaled = not second and reading.config.get("layer_scale_init_value", 1.0) != 0
    pyramid = Pyramid()
    side = reading.whole("patch_size")
    inputs, width = reading.whole("num_channels") * side * side, stages[0][1]
    pyramid.vectors += 2 * width
    for stage, (depth, outputs) in enumerate(stages):
        here = stage_place(stage)
        if stage:
            inputs = _NARROWED * width
            pyramid.vectors += 2 * width
        pyramid.products.append(Product(name="downsampling", inputs=inputs, outputs=outputs, at=here, writes="mlp"))
        pyramid.products.append(convolution("depthwise", 1, outputs, at=here, side=_DEPTHWISE, layers=depth))
        pyramid.products += mlp_products(outputs, 4 * outputs, depth, at=here)
        pyramid.vectors += (2 + scaled + (8 if second else 0)) * outputs * depth
        pyramid.flows.append(Flow(width=outputs, halves=2 * depth, at=here))
        width = outputs
    pyramid.vectors += 2 * width
    pyramid.classify(reading, width)
    return built(pyramid, reading, config, depths=(depth for depth, _ in stages), width=stages[0][1])


def swin(config: Config) -> ConfiguredModel:
    """Return a Swin (Liu et al. 2021) or Swin V2 (Liu et al. 2022b): attention within windows, merged patches.

    Donut's has no norm behind its last stage (Kim et al. 2022).
    """
    kind = str(config.get("model_type"))
    reading = Reading(config=config, defaults=_SWIN, model_type=kind)
    stages = stages_of(reading, "depths", "num_heads")
    side, width = image_side(reading, "patch_size"), reading.whole("embed_dim")
    wide = reading.number("mlp_ratio", 4.0)
    biased = reading.flag("qkv_bias", default=True)
    grid = image_side(reading) // side
    first = width
    masked = "MaskedImage" in head_class(config, "Model")
    pyramid = Pyramid(vectors=2 * width + width * masked)
    if reading.flag("use_absolute_embeddings", default=False):
        pyramid.lookup += grid * grid * width
    inputs = reading.whole("num_channels") * side * side
    pyramid.products.append(
        Product(name="patch_embedding", inputs=inputs, outputs=width, at=stage_place(0), writes="mlp")
    )
    for stage, (depth, heads) in enumerate(stages):
        here = stage_place(stage)
        if stage:
            merged = Product(name="merging", inputs=4 * width, outputs=2 * width, at=here, bias=False, writes="mlp")
            pyramid.products.append(merged)
            width *= 2
            pyramid.vectors += (1 if kind == "swinv2" else 2) * 2 * width
        window = min(reading.whole("window_size"), max(grid >> stage, 1))
        keys = Place(fixed=float(window * window))
        pyramid.products += attention_products(width, width, depth, at=here, bias=False)
        pyramid.products += mlp_products(width, int(wide * width), depth, at=here)
        pyramid.looks.append(
            Look(name="attention", heads=heads, head_dim=width // heads, layers=depth, at=here, keys=keys)
        )
        pyramid.vectors += (4 + biased * (2 if kind == "swinv2" else 3)) * width * depth
        pyramid.vectors += _position_biases(kind, reading.whole("window_size"), heads) * depth
        pyramid.flows.append(Flow(width=width, halves=2 * depth, at=here))
    pyramid.vectors += 0 if kind == "donut-swin" else 2 * width
    pyramid.classify(reading, width)
    return built(pyramid, reading, config, depths=(depth for depth, _ in stages), width=first)


def _position_biases(kind: str, window: int, heads: int) -> int:
    """Return what a layer's position biases are made of: a table, or a temperature and an MLP of two coordinates."""
    if kind == "swinv2":
        return heads + 3 * _BIAS_WIDTH + _BIAS_WIDTH * heads
    return (2 * window - 1) ** 2 * heads
