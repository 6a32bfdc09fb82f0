"""Small networks of depthwise convolutions: MobileNet V2 and V3, EfficientNet and its second version.

Tokens are positions at a quarter of the picture's sides, as those of other pyramids.
"""

import math
from collections.abc import Mapping

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.pyramids import Pyramid, built, stages_of
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.placed import ONCE, Flow, Place, Product

__all__ = ["efficientnet", "efficientnet_v2", "mobilenet_v2", "mobilenet_v3"]

_EFFICIENTNET: Mapping[str, object] = {
    "num_channels": 3,
    "image_size": 600,
    "hidden_dim": 2560,
    "depth_divisor": 8,
    "kernel_sizes": [3, 3, 5, 3, 5, 5, 3],
    "in_channels": [32, 16, 24, 40, 80, 112, 192],
    "out_channels": [16, 24, 40, 80, 112, 192, 320],
    "strides": [1, 2, 2, 2, 1, 2, 1],
    "num_block_repeats": [1, 2, 2, 3, 3, 4, 1],
    "expand_ratios": [1, 6, 6, 6, 6, 6, 6],
}
"""Those of B7, which the class has; a published file states what differs (Tan and Le 2019, table 1)."""
_MOBILENET: Mapping[str, object] = {
    "num_channels": 3,
    "image_size": 224,
    "depth_divisible_by": 8,
    "min_depth": 8,
    "expand_ratio": 6,
    "output_stride": 32,
}
_EFFICIENTNET_V2: Mapping[str, object] = {
    "num_channels": 3,
    "image_size": 300,
    "embedding_size": 24,
    "hidden_dim": 1280,
    "fused_stages": 3,
    "out_channels": [24, 48, 64, 128, 160, 256],
    "strides": [1, 2, 2, 2, 1, 2],
    "num_block_repeats": [2, 4, 4, 6, 9, 15],
    "expand_ratios": [1, 4, 4, 4, 6, 6],
}
"""Those of S (Tan and Le 2021, table 4)."""
_MOBILENET_V3: Mapping[str, object] = {
    "num_channels": 3,
    "image_size": 224,
    "embedding_size": 16,
    "hidden_dim": 1280,
    "kernel_sizes": [3, 3, 3, 5, 5, 5, 3, 3, 3, 3, 3, 3, 5, 5, 5],
    "expanded_channels": [16, 64, 72, 72, 120, 120, 240, 200, 184, 184, 480, 672, 672, 960, 960],
    "out_channels": [16, 24, 24, 40, 40, 40, 80, 80, 80, 80, 112, 112, 160, 160, 160],
    "squeezed": [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1],
    "strides": [1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1],
}
"""Those of Large (Howard et al. 2019, table 1)."""
_WIDENED = 6
"""MobileNet V3's last convolution over the block before it (Howard et al. 2019, tables 1 and 2)."""
_WIDTHS = (16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)
_STRIDES = (2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1)
"""Of MobileNet V2's blocks (Sandler et al. 2018, table 2)."""
_STEM, _TOP = 32, 1280
_LEAST_KEPT = 0.9
"""Rounding takes no more than a tenth of a width away."""
_MOST_SCALED, _MOST_LAYERS = 64.0, 1_000
_POSITION = 4
"""Pixels a side of a token."""


def _rounded(width: float, divisor: int, least: int) -> int:
    """Return a width rounded to a multiple of `divisor`."""
    rounded = max(least, int(width + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < _LEAST_KEPT * width else rounded


def _scale(reading: Reading, key: str, default: float) -> float:
    value = reading.number(key, default)
    if not 0.0 < value <= _MOST_SCALED:
        raise InvalidValueError(f"hf_config.{key}", value, f"must be above 0 and at most {_MOST_SCALED:g}")
    return value


def _place(stride: int) -> Place:
    """Return the positions of what is `stride` pixels apart."""
    return Place(share=(_POSITION / stride) ** 2)


def _block(
    pyramid: Pyramid,
    inputs: int,
    inner: int,
    outputs: int,
    *,
    side: int,
    before: Place,
    at: Place,
    squeezed: int = 0,
    residual: bool = True,
) -> None:
    """Add a block: widened, filtered channel by channel, weighed by a squeezed mean where it is, and narrowed."""
    if inner != inputs:
        pyramid.convolve("widening", inputs, inner, 1, before)
    pyramid.convolve("depthwise", 1, inner, side, at)
    if squeezed:
        pyramid.products.append(Product(name="squeeze", inputs=inner, outputs=squeezed, at=ONCE))
        pyramid.products.append(Product(name="excite", inputs=squeezed, outputs=inner, at=ONCE))
    pyramid.convolve("narrowing", inner, outputs, 1, at)
    pyramid.flows.append(Flow(width=outputs, halves=int(residual), at=at, normed=False))


def efficientnet(config: Config) -> ConfiguredModel:
    """Return an EfficientNet (Tan and Le 2019), whose widths and depths are scaled together."""
    reading = Reading(config=config, defaults=_EFFICIENTNET, model_type="efficientnet")
    wider, deeper = _scale(reading, "width_coefficient", 2.0), _scale(reading, "depth_coefficient", 3.1)
    divisor, squeezed = reading.whole("depth_divisor"), _scale(reading, "squeeze_expansion_ratio", 0.25)
    repeats = whole_list(reading, "num_block_repeats")
    keys = ("in_channels", "out_channels", "strides", "kernel_sizes", "expand_ratios")
    rows = zip(*(whole_list(reading, key, len(repeats)) for key in keys), repeats, strict=True)

    def scaled(width: int) -> int:
        return _rounded(width * wider, divisor, divisor)

    pyramid, stride, width, layers = Pyramid(), 2, scaled(_STEM), 0
    pyramid.convolve("stem", reading.whole("num_channels"), width, 3, _place(stride))
    for first, last, step, side, ratio, repeat in rows:
        width, outputs = scaled(first), scaled(last)
        depth = math.ceil(deeper * repeat)
        layers += depth
        if layers > _MOST_LAYERS:
            raise InvalidValueError("hf_config.num_block_repeats", list(repeats), f"must make at most {_MOST_LAYERS}")
        for place in range(depth):
            before = _place(stride)
            stride *= step if place == 0 else 1
            squeeze = max(1, int(width * squeezed))
            _block(
                pyramid,
                width,
                width * ratio,
                outputs,
                side=side,
                before=before,
                at=_place(stride),
                squeezed=squeeze,
                residual=place > 0,
            )
            width = outputs
    pyramid.convolve("top", width, scaled(_TOP), 1, _place(stride))
    pyramid.classify(reading, reading.whole("hidden_dim"))
    return built(pyramid, reading, config, depths=(layers,), width=width)


def mobilenet_v2(config: Config) -> ConfiguredModel:
    """Return a MobileNet V2 (Sandler et al. 2018)."""
    reading = Reading(config=config, defaults=_MOBILENET, model_type="mobilenet_v2")
    wider, ratio = _scale(reading, "depth_multiplier", 1.0), _scale(reading, "expand_ratio", 6.0)
    divisor, least = reading.whole("depth_divisible_by"), reading.whole("min_depth")

    def scaled(width: float) -> int:
        return _rounded(round(width * wider), divisor, least)

    widths = [scaled(width) for width in _WIDTHS]
    stem, stride = scaled(_STEM), 2
    pyramid = Pyramid()
    pyramid.convolve("stem", reading.whole("num_channels"), stem, 3, _place(stride))
    if not reading.flag("first_layer_is_expansion", default=True):
        pyramid.convolve("stem_widening", stem, stem, 1, _place(stride))
    _block(pyramid, stem, stem, widths[0], side=3, before=_place(stride), at=_place(stride), residual=False)
    for inputs, outputs, step in zip(widths[:-1], widths[1:], _STRIDES, strict=True):
        before = _place(stride)
        # Beyond its output stride, filters are spread out instead.
        stride *= step if stride < reading.whole("output_stride") else 1
        inner = _rounded(round(inputs * ratio), divisor, least)
        _block(pyramid, inputs, inner, outputs, side=3, before=before, at=_place(stride), residual=inputs == outputs)
    top = _TOP if wider < 1.0 and reading.flag("finegrained_output", default=True) else scaled(_TOP)
    pyramid.convolve("top", widths[-1], top, 1, _place(stride))
    pyramid.classify(reading, top)
    return built(pyramid, reading, config, depths=(len(_STRIDES) + 1,), width=widths[0])


def mobilenet_v3(config: Config) -> ConfiguredModel:
    """Return a MobileNet V3 (Howard et al. 2019), Large or Small by its lists."""
    reading = Reading(config=config, defaults=_MOBILENET_V3, model_type="mobilenet_v3")
    outputs = whole_list(reading, "out_channels")
    sides, inners, steps = (
        whole_list(reading, key, len(outputs)) for key in ("kernel_sizes", "expanded_channels", "strides")
    )
    weighed = whole_list(reading, "squeezed", len(outputs), least=0)
    pyramid, stride, width = Pyramid(), 2, reading.whole("embedding_size")
    pyramid.convolve("stem", reading.whole("num_channels"), width, 3, _place(stride))
    for side, inner, output, squeezes, step in zip(sides, inners, outputs, weighed, steps, strict=True):
        before = _place(stride)
        stride *= step
        squeezed = _rounded(inner / 4, 8, 8) if squeezes else 0
        kept = step == 1 and width == output
        _block(
            pyramid, width, inner, output, side=side, before=before, at=_place(stride), squeezed=squeezed, residual=kept
        )
        width = output
    top, wide = _WIDENED * width, reading.whole("hidden_dim")
    pyramid.convolve("top", width, top, 1, _place(stride))
    pyramid.products.append(Product(name="whole", inputs=top, outputs=wide, at=ONCE))
    pyramid.classify(reading, wide, always=True)
    return built(pyramid, reading, config, depths=(len(outputs),), width=outputs[0])


def efficientnet_v2(config: Config) -> ConfiguredModel:
    """Return an EfficientNet V2 (Tan and Le 2021): the first stages' blocks widen by the filter that reads them."""
    reading = Reading(config=config, defaults=_EFFICIENTNET_V2, model_type="efficientnet_v2")
    depths = [stage[0] for stage in stages_of(reading, "num_block_repeats")]
    rows = zip(
        *(whole_list(reading, key, len(depths)) for key in ("out_channels", "strides", "expand_ratios")),
        depths,
        strict=True,
    )
    fused = reading.whole("fused_stages", least=0)
    pyramid, stride, width = Pyramid(), 2, reading.whole("embedding_size")
    pyramid.convolve("stem", reading.whole("num_channels"), width, 3, _place(stride))
    for stage, (output, step, ratio, depth) in enumerate(rows):
        for layer in range(depth):
            before = _place(stride)
            stride *= step if layer == 0 else 1
            at, kept = _place(stride), layer > 0 or (step == 1 and width == output)
            if stage < fused:
                _fused(pyramid, width, width * ratio, output, at=at, residual=kept)
            else:
                _block(
                    pyramid,
                    width,
                    width * ratio,
                    output,
                    side=3,
                    before=before,
                    at=at,
                    squeezed=max(1, width // 4),
                    residual=kept,
                )
            width = output
    top = reading.whole("hidden_dim")
    pyramid.convolve("top", width, top, 1, _place(stride))
    pyramid.classify(reading, top, always=True)
    return built(pyramid, reading, config, depths=depths, width=width)


def _fused(pyramid: Pyramid, inputs: int, inner: int, outputs: int, *, at: Place, residual: bool) -> None:
    """Add a block whose widening and filter are one, narrowed where it was widened."""
    if inner == inputs:
        pyramid.convolve("convolution", inputs, outputs, 3, at)
    else:
        pyramid.convolve("convolution", inputs, inner, 3, at)
        pyramid.convolve("narrowing", inner, outputs, 1, at)
    pyramid.flows.append(Flow(width=outputs, halves=int(residual), at=at, normed=False))
