"""Detectors that score regions on a pyramid of features (Lin et al. 2017): Faster and Mask R-CNN, RetinaNet; DeepLab.

Shapes are those of torchvision's classes on a ResNet, whose norms are as they were pre-trained.
"""

from collections.abc import Mapping

from estimator.models.huggingface.blocks import classes
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.pyramids import RESNET, Pyramid, built, residual_trunk, stage_place
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.mixers.placed import ONCE, Flow, Place, Product
from estimator.models.mixers.placed_parts import convolution

__all__ = ["deeplab_v3", "retinanet", "two_stage"]

_COMMON: Mapping[str, object] = {"num_labels": 91, "feature_channels": 256, "num_anchors": 3}
_RCNN: Mapping[str, object] = {**_COMMON, "num_regions": 512, "hidden_dim": 1024}
_RETINA: Mapping[str, object] = {**_COMMON, "num_anchors": 9, "head_layers": 4}
_DEEPLAB: Mapping[str, object] = {"num_labels": 21, "feature_channels": 256, "image_size": 520}
_COCO = (1066, 800)
"""Pixels of a picture of COCO, its shorter side scaled to 800 (Ren et al. 2015, section 3.3)."""
_BOX = 4
_POOLED, _MASK = 7, 14
"""Positions a side that regions are pooled to, for boxes and for masks (He et al. 2017, figure 4)."""
_FOREGROUND = 4
"""Regions for each that holds an object and has a mask: a quarter of those that are drawn (Girshick 2015)."""
_MASK_LAYERS, _DOUBLED = 4, 4
_RATES = 3
"""Spreads of the filters that DeepLab reads its last stage by (Chen et al. 2017, section 3.3)."""
_KEPT = 1
"""The stage whose resolution DeepLab's later ones keep: an eighth of the sides."""


def _features(pyramid: Pyramid, config: Config, kind: str) -> tuple[Reading, list[Place], tuple[int, ...]]:
    """Add the ResNet below, and return how it was read, and its stages' places and widths."""
    given = nested(config, "backbone_config") or {}
    trunk = Reading(config=given, defaults=RESNET, model_type=kind)
    pyramid.frozen_norms = True
    residual_trunk(pyramid, trunk)
    widths = whole_list(trunk, "hidden_sizes")
    return trunk, [stage_place(stage) for stage in range(len(widths))], widths


def _joined(pyramid: Pyramid, widths: tuple[int, ...], places: list[Place], channels: int) -> None:
    """Add what brings stages to one width, from the top down, and what smooths each."""
    for width, at in zip(widths, places, strict=True):
        pyramid.products.append(convolution("lateral", width, channels, at=at, side=1))
        pyramid.products.append(convolution("smoothing", channels, channels, at=at))
        pyramid.flows.append(Flow(width=channels, halves=1, at=at, normed=False))


def _together(places: list[Place]) -> Place:
    """Return the positions of several resolutions, which one head reads with the same weights."""
    return Place(share=sum(place.share for place in places))


def two_stage(config: Config) -> ConfiguredModel:
    """Return a Faster R-CNN (Ren et al. 2015) or, with a head for masks, a Mask R-CNN (He et al. 2017)."""
    kind = str(config.get("model_type"))
    reading = Reading(config=config, defaults=_RCNN, model_type=kind)
    pyramid, channels = Pyramid(), reading.whole("feature_channels")
    trunk, places, widths = _features(pyramid, config, kind)
    _joined(pyramid, widths, places, channels)
    every = _together([*places, stage_place(len(places))])
    anchors = reading.whole("num_anchors")
    pyramid.products += [
        convolution("proposed", channels, channels, at=every),
        Product(name="proposed_score", inputs=channels, outputs=anchors, at=every),
        Product(name="proposed_box", inputs=channels, outputs=_BOX * anchors, at=every),
    ]
    regions, wide, labels = reading.whole("num_regions"), reading.whole("hidden_dim"), classes(reading)
    each = Place(fixed=float(regions))
    pyramid.products += [
        Product(name="region", inputs=channels * _POOLED * _POOLED, outputs=wide, at=each, writes="mlp"),
        Product(name="region_inner", inputs=wide, outputs=wide, at=each, writes="mlp"),
        Product(name="region_class", inputs=wide, outputs=labels, at=each, part="logits"),
        Product(name="region_box", inputs=wide, outputs=_BOX * labels, at=each),
    ]
    if kind == "mask_rcnn":
        _masks(pyramid, channels, labels, regions / _FOREGROUND)
    return built(
        pyramid,
        reading,
        config,
        depths=whole_list(trunk, "depths"),
        width=whole_list(trunk, "hidden_sizes")[0],
        sides=_COCO,
    )


def _masks(pyramid: Pyramid, channels: int, labels: int, regions: float) -> None:
    """Add the head of masks: filters over each region, its doubling, and a mask for each class."""
    at, doubled = Place(fixed=regions * _MASK * _MASK), Place(fixed=regions * _MASK * _MASK * _DOUBLED)
    pyramid.products.append(convolution("mask", channels, channels, at=at, layers=_MASK_LAYERS))
    up = Product(name="mask_doubling", inputs=channels, outputs=_DOUBLED * channels, at=at, bias=False, writes="mlp")
    pyramid.products.append(up)
    pyramid.vectors += channels
    pyramid.products.append(Product(name="mask_class", inputs=channels, outputs=labels, at=doubled, part="logits"))


def retinanet(config: Config) -> ConfiguredModel:
    """Return a RetinaNet (Lin et al. 2017b): one stage, two heads that all resolutions share."""
    reading = Reading(config=config, defaults=_RETINA, model_type="retinanet")
    pyramid, channels = Pyramid(), reading.whole("feature_channels")
    trunk, places, widths = _features(pyramid, config, "retinanet")
    _joined(pyramid, widths[1:], places[1:], channels)
    above = [stage_place(len(places)), stage_place(len(places) + 1)]
    for at in above:
        pyramid.products.append(convolution("above", channels, channels, at=at))
    every = _together([*places[1:], *above])
    layers, anchors = reading.whole("head_layers"), reading.whole("num_anchors")
    for name, outputs in (("class", anchors * classes(reading)), ("box", anchors * _BOX)):
        pyramid.products.append(convolution(name, channels, channels, at=every, layers=layers))
        pyramid.products.append(convolution(f"{name}_out", channels, outputs, at=every))
    return built(pyramid, reading, config, depths=whole_list(trunk, "depths"), width=widths[0], sides=_COCO)


def deeplab_v3(config: Config) -> ConfiguredModel:
    """Return a DeepLab v3 (Chen et al. 2017) on a ResNet, with the helping classifier that training adds."""
    reading = Reading(config=config, defaults=_DEEPLAB, model_type="deeplab_v3")
    trunk = Reading(config=nested(config, "backbone_config") or {}, defaults=RESNET, model_type="deeplab_v3")
    pyramid, channels, labels = Pyramid(), reading.whole("feature_channels"), classes(reading)
    last, here = residual_trunk(pyramid, trunk, smallest=_KEPT), stage_place(_KEPT)
    pyramid.convolve("spread", last, channels, 1, here)
    for _ in range(_RATES):
        pyramid.convolve("spread", last, channels, 3, here)
    pyramid.convolve("spread_mean", last, channels, 1, ONCE)
    pyramid.convolve("joined", (_RATES + 2) * channels, channels, 1, here)
    pyramid.convolve("head", channels, channels, 3, here)
    pyramid.products.append(Product(name="classifier", inputs=channels, outputs=labels, at=here, part="logits"))
    widths = whole_list(trunk, "hidden_sizes")
    first = widths[0]
    if reading.flag("auxiliary_head", default=True) and len(widths) > 1:
        pyramid.convolve("helper", widths[-2], widths[-2] // 4, 3, here)
        pyramid.products.append(
            Product(name="helper_class", inputs=widths[-2] // 4, outputs=labels, at=here, part="logits")
        )
    return built(pyramid, reading, config, depths=whole_list(trunk, "depths"), width=first)
