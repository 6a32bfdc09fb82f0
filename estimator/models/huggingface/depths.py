"""Depths of a picture by a DPT on DINOv2: Depth Anything and its second version (Yang et al. 2024)."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.models.huggingface.blocks import configured, linear_stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.vision import dinov2
from estimator.models.mixers.projection import Projection

__all__ = ["depth_anything"]

_DEFAULTS: Mapping[str, object] = {
    "neck_hidden_sizes": [48, 96, 192, 384],
    "fusion_hidden_size": 64,
    "head_hidden_size": 32,
    "patch_size": 14,
}
_BACKBONE: Mapping[str, object] = {"model_type": "dinov2", "architectures": ["Dinov2Model"], "image_size": 518}
_TAPS = 9
_FINER = (16, 4, 1)
"""Positions that resizing makes of a patch, at the first three of four levels; the last has a quarter of one."""
_LEVELS = (16.0, 4.0, 1.0, 0.25)
_DOUBLED = 4.0
"""Positions of a level once it is made as fine as the next."""


def depth_anything(config: Config) -> ConfiguredModel:
    """Return a Depth Anything: features of four layers, resized, fused from the coarsest to the finest, and a head."""
    reading = Reading(config=config, defaults=_DEFAULTS, model_type="depth_anything")
    base = dinov2({**_BACKBONE, **(nested(config, "backbone_config") or {})}).transformer
    necks = whole_list(reading, "neck_hidden_sizes", len(_LEVELS))
    fused, thin = reading.whole("fusion_hidden_size"), reading.whole("head_hidden_size")
    pixels = float(reading.whole("patch_size") ** 2)
    head = (
        *_reassembled(base.hidden, necks),
        *(
            Projection(name=f"joined_{at}", inputs=_TAPS * neck, outputs=fused, taps=_TAPS, rate=rate, bias=False)
            for at, (neck, rate) in enumerate(zip(necks, _LEVELS, strict=True))
        ),
        *_fusions(fused),
        _filter("head_1", fused, fused // 2, _LEVELS[0] * _DOUBLED),
        _filter("head_2", fused // 2, thin, pixels),
        Projection(name="depth", inputs=thin, outputs=1, rate=pixels, part="logits"),
    )
    # The coarsest level has nothing to add to, and the filters that would read it stand idle.
    idle = 2 * (_TAPS * fused * fused + fused)
    vectors = linear_stack("head", *head).vector_parameters + necks[0] + necks[1] + idle
    network = replace(base, mixers=(*base.mixers, *head), vector_parameters=base.vector_parameters + vectors)
    return configured(replace(network, name="depth anything model"), config)


def _filter(name: str, inputs: int, outputs: int, rate: float, count: int = 1) -> Projection:
    """Return filters of three by three."""
    return Projection(name=name, inputs=_TAPS * inputs, outputs=outputs, taps=_TAPS, rate=rate, count=count)


def _reassembled(hidden: int, necks: tuple[int, ...]) -> tuple[Projection, ...]:
    """Return what brings features to each level's width and resolution."""
    widths = tuple(
        Projection(name=f"width_{at}", inputs=hidden, outputs=neck, rate=1.0) for at, neck in enumerate(necks)
    )
    finer = tuple(
        Projection(name=f"finer_{at}", inputs=neck, outputs=many * neck, rate=1.0, bias=False)
        for at, (neck, many) in enumerate(zip(necks, _FINER[:2], strict=False))
    )
    return (*widths, *finer, _filter("coarser", necks[-1], necks[-1], _LEVELS[-1]))


def _fusions(width: int) -> tuple[Projection, ...]:
    """Return filters at each level, of what comes from below and of what is added, and a projection after doubling."""
    own = tuple(
        _filter(f"fusion_{at}", width, width, rate, count=2 if rate < 1.0 else 4) for at, rate in enumerate(_LEVELS)
    )
    out = tuple(
        Projection(name=f"fusion_out_{at}", inputs=width, outputs=width, rate=_DOUBLED * rate)
        for at, rate in enumerate(_LEVELS)
    )
    return (*own, *out)
