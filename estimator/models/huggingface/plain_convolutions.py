"""Networks of plain filters: VGG, DenseNet, and the U-Net of segmentation.

Tokens are positions at a quarter of the picture's sides, as those of other pyramids.
"""

import itertools
from collections.abc import Mapping

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.blocks import classes, image_side
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.pyramids import Pyramid, built, stage_place, stages_of
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.placed import ONCE, Flow, Place, Product
from estimator.models.mixers.placed_parts import convolution

__all__ = ["densenet", "unet", "vgg"]

_VGG: Mapping[str, object] = {
    "num_channels": 3,
    "hidden_sizes": [64, 128, 256, 512, 512],
    "depths": [2, 2, 3, 3, 3],
    "hidden_dim": 4096,
    "num_labels": 1000,
    "image_size": 224,
}
_DENSENET: Mapping[str, object] = {
    "num_channels": 3,
    "embedding_size": 64,
    "growth_rate": 32,
    "depths": [6, 12, 24, 16],
    "num_labels": 1000,
    "image_size": 224,
}
_UNET: Mapping[str, object] = {
    "num_channels": 3,
    "hidden_sizes": [64, 128, 256, 512, 1024],
    "num_labels": 2,
    "image_size": 512,
}
_WHOLE = -2
"""The stage, of those that a pyramid counts from a quarter of the sides, that works on every pixel."""
_POOLED = 7
"""Positions a side that VGG's first matrix reads (Simonyan and Zisserman 2015, section 2.1)."""
_STEM, _BOTTLENECK = 7, 4
"""Side of DenseNet's first filter, and the width of its bottlenecks over its growth (Huang et al. 2017, section 3)."""
_DOUBLED = 4
"""Positions that U-Net makes of one on its way up."""


def vgg(config: Config) -> ConfiguredModel:
    """Return a VGG (Simonyan and Zisserman 2015), with batch norms where `batch_norm` says so."""
    reading = Reading(config=config, defaults=_VGG, model_type="vgg")
    normed, wide = reading.flag("batch_norm", default=False), reading.whole("hidden_dim")
    stages = stages_of(reading, "depths", "hidden_sizes")
    pyramid, inputs = Pyramid(), reading.whole("num_channels")
    for stage, (depth, width) in enumerate(stages):
        here = stage_place(_WHOLE + stage)
        for _ in range(depth):
            pyramid.products.append(convolution("convolution", inputs, width, at=here))
            inputs = width
        pyramid.vectors += 2 * width * depth * normed
        pyramid.flows.append(Flow(width=width, halves=depth * normed, at=here, normed=False))
    for before, after in ((inputs * _POOLED * _POOLED, wide), (wide, wide)):
        pyramid.products.append(Product(name="whole", inputs=before, outputs=after, at=ONCE))
    pyramid.classify(reading, wide, always=True)
    return built(pyramid, reading, config, depths=(stage[0] for stage in stages), width=stages[0][1])


def densenet(config: Config) -> ConfiguredModel:
    """Return a DenseNet (Huang et al. 2017), whose layers read all that came about before them in their stage."""
    reading = Reading(config=config, defaults=_DENSENET, model_type="densenet")
    growth, width = reading.whole("growth_rate"), reading.whole("embedding_size")
    depths = [depth for (depth,) in stages_of(reading, "depths")]
    pyramid, stem = Pyramid(), width
    pyramid.convolve("stem", reading.whole("num_channels"), width, _STEM, stage_place(-1))
    for stage, depth in enumerate(depths):
        here = stage_place(stage)
        for _ in range(depth):
            # Its norm is of what it reads, all of it.
            pyramid.vectors += 2 * width
            pyramid.convolve("narrowing", width, _BOTTLENECK * growth, 1, here)
            pyramid.products.append(convolution("growth", _BOTTLENECK * growth, growth, at=here, bias=False))
            pyramid.flows.append(Flow(width=width, halves=1, at=here))
            width += growth
        pyramid.vectors += 2 * width
        if stage + 1 < len(depths):
            pyramid.products.append(convolution("transition", width, width // 2, at=here, side=1, bias=False))
            width //= 2
    pyramid.classify(reading, width, always=True)
    return built(pyramid, reading, config, depths=depths, width=stem)


def unet(config: Config) -> ConfiguredModel:
    """Return a U-Net (Ronneberger et al. 2015) with batch norms: down by pairs of filters, and up beside what was read.

    Raises InvalidValueError where widths do not double from stage to stage.
    """
    reading = Reading(config=config, defaults=_UNET, model_type="unet")
    widths = whole_list(reading, "hidden_sizes")
    if any(below != 2 * above for above, below in itertools.pairwise(widths)):
        raise InvalidValueError("hf_config.hidden_sizes", list(widths), "must double from stage to stage")
    places = [stage_place(_WHOLE + stage) for stage in range(len(widths))]
    pyramid, inputs = Pyramid(), reading.whole("num_channels")
    for width, at in zip(widths, places, strict=True):
        _pair(pyramid, inputs, width, at)
        inputs = width
    for stage in reversed(range(len(widths) - 1)):
        width = widths[stage]
        up = Product(name="doubling", inputs=2 * width, outputs=_DOUBLED * width, at=places[stage + 1], bias=False)
        pyramid.products.append(up)
        pyramid.vectors += width
        _pair(pyramid, 2 * width, width, places[stage])
    pyramid.products.append(
        Product(name="classifier", inputs=widths[0], outputs=classes(reading), at=places[0], part="logits")
    )
    side = image_side(reading)
    depths = [2] * (2 * len(widths) - 1)
    return built(pyramid, reading, config, depths=depths, width=widths[0], sides=(side, side))


def _pair(pyramid: Pyramid, inputs: int, outputs: int, at: Place) -> None:
    """Add two filters of three by three with their norms, which are kept beside what they read."""
    pyramid.convolve("convolution", inputs, outputs, 3, at)
    pyramid.convolve("convolution", outputs, outputs, 3, at)
    pyramid.flows.append(Flow(width=outputs, halves=2, at=at, normed=False))
