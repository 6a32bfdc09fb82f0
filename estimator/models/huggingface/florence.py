"""Florence-2: a DaViT, whose resolution halves from stage to stage, before BART."""

from collections.abc import Mapping

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.blocks import image_side, linear_stack
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.multimodal import language_model, vision_config, with_towers
from estimator.models.huggingface.placed import network, whole_list
from estimator.models.huggingface.pyramids import Pyramid, stage_place, stages_of
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media
from estimator.models.mixers.placed import Flow, Look, Place
from estimator.models.mixers.placed_parts import attention_products, convolution, mlp_products
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer

__all__ = ["florence2"]

_DAVIT: Mapping[str, object] = {
    "in_channels": 3,
    "depths": [1, 1, 9, 1],
    "patch_size": [7, 3, 3, 3],
    "embed_dim": [128, 256, 512, 1024],
    "num_heads": [4, 8, 16, 32],
    "num_groups": [4, 8, 16, 32],
    "window_size": 12,
    "mlp_ratio": 4.0,
    "projection_dim": 1024,
    "max_position_embeddings": 50,
    "image_size": 768,
}
"""The picture's sides stand in no file: Florence-2 is trained at 768 pixels (Xiao et al. 2023, section 5.1)."""
_STRIDE = 4
"""Pixels a side of a position of the first stage."""
_ANSWER = 64
"""Tokens of text beside a picture where nothing is said: a task's name, and a caption or a few boxes."""
_HALVES = 2
"""Of each layer: attention within windows, and attention of channels to one another."""
_FILTER = 3


def florence2(config: Config, read: Read) -> ConfiguredModel:
    """Return a Florence-2 (Xiao et al. 2023): positions of the last stage and their mean stand before the text."""
    text = language_model(config, read)
    reading = Reading(config=vision_config(config), defaults=_DAVIT, model_type="florence_vision")
    side = image_side(reading) // _STRIDE
    tower = _davit(reading, side * side)
    widths = whole_list(reading, "embed_dim")
    seen = (side >> (len(widths) - 1)) ** 2
    made, rows = reading.whole("projection_dim"), reading.whole("max_position_embeddings")
    projector = linear_stack(
        "projector",
        Projection(name="projection", inputs=widths[-1], outputs=made, bias=False, norms=2 * made),
        # Half of a position's width tells its row, the other its column.
        lookup=rows * widths[-1],
    )
    media = Media(positions=side * side, tokens=seen + 1, usual_text=_ANSWER)
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def _davit(reading: Reading, tokens: int) -> Transformer:
    """Return a DaViT (Ding et al. 2022) over `tokens` positions of its first stage."""
    stages = stages_of(reading, "depths", "embed_dim", "num_heads", "num_groups", "patch_size")
    ratio, biased = reading.number("mlp_ratio", 4.0), reading.flag("qkv_bias", default=True)
    window = Place(fixed=float(reading.whole("window_size") ** 2))
    pyramid, before = Pyramid(), reading.whole("in_channels")
    for stage, (depth, width, heads, groups, patch) in enumerate(stages):
        here, halves = stage_place(stage), _HALVES * depth
        if width % heads or width % groups:
            raise InvalidValueError("hf_config.num_heads", heads, f"and num_groups must divide the width, {width}")
        pyramid.products.append(convolution("downsampling", before, width, at=here, side=patch))
        # Stages but the first normalise before they halve.
        pyramid.vectors += 2 * (before if stage else width)
        pyramid.products.append(convolution("depthwise", 1, width, at=here, side=_FILTER, layers=2 * halves))
        pyramid.products += attention_products(width, width, halves, at=here, bias=biased)
        pyramid.products += mlp_products(width, int(width * ratio), halves, at=here)
        share = width // groups
        pyramid.looks += [
            Look(name="attention", heads=heads, head_dim=width // heads, layers=depth, at=here, keys=window),
            # Channels of a group look at one another: as many keys as they are, over all positions.
            Look(
                name="channel_attention",
                heads=groups,
                head_dim=share,
                layers=depth,
                at=here,
                keys=Place(fixed=float(share)),
            ),
        ]
        pyramid.vectors += 2 * 2 * width * halves
        pyramid.flows.append(Flow(width=width, halves=2 * halves, at=here))
        before = width
    return network(
        name="davit",
        hidden=stages[0][1],
        head_dim=max(look.head_dim for look in pyramid.looks),
        heads=1,
        blocks=_HALVES * sum(depth for depth, *_ in stages),
        products=tuple(pyramid.products),
        flows=tuple(pyramid.flows),
        looks=tuple(pyramid.looks),
        own_vectors=pyramid.vectors,
        tokens=float(tokens),
    )
