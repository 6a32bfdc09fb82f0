"""Networks of convolutions as people train them on pictures of a few pixels: CIFAR, MNIST, Tiny ImageNet."""

from dataclasses import replace

from estimator.models.mixers.placed import LATENT, ONCE, Placed
from estimator.models.mixers.placed_parts import convolution
from estimator.models.transformer import Transformer

__all__ = ["with_small_stem"]

_LARGE_STEM, _SMALL_STEM = 49, 3
"""Positions that ImageNet's stem covers, and the side of the one that stands in its place."""


def with_small_stem(network: Transformer) -> Transformer | None:
    """Return a classifier with the stem of small pictures: three by three, nothing halved, nothing pooled.

    All stages then work at four times the sides: ResNet-18 has 0.56 G multiplications at 32 pixels, and 0.037 with the
    stem made for ImageNet. None where the network has no such stem. Source: He et al. 2016, section 4.2;
    kuangliu/pytorch-cifar, models/resnet.py.
    """
    media = network.media
    if media is None or not media.main or len(network.mixers) != 1 or not isinstance(network.mixers[0], Placed):
        return None
    placed = network.mixers[0]
    stem, *others = placed.products
    if stem.name != "stem" or stem.taps != _LARGE_STEM or not _classifies(placed):
        return None
    small = convolution("stem", stem.inputs // stem.taps, stem.outputs, at=LATENT, side=_SMALL_STEM, bias=stem.bias)
    return replace(
        network,
        media=replace(media, patch=1),
        mixers=(replace(placed, products=(small, *others)),),
    )


def _classifies(placed: Placed) -> bool:
    """Return whether one vector of a picture is classified, and nothing else is made of it: a trunk alone detects."""
    return any(product.name == "classifier" and product.at == ONCE for product in placed.products)
