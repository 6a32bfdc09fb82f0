"""FastViTHD, FastVLM's encoder of pictures, as it is run once trained: branches merged into one filter each.

Source: `fastvit_mci3` of timm 1.0 with `inference_mode`; Vasu et al. 2025.
"""

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.blocks import linear_stack, mlp_projections
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.multimodal import language_model, vision_config, with_towers
from estimator.models.huggingface.placed import network
from estimator.models.huggingface.pyramids import Pyramid, stage_place
from estimator.models.huggingface.reading import Config, inside
from estimator.models.media import Media
from estimator.models.mixers.placed import ONCE, Flow, Look, Place
from estimator.models.mixers.placed_parts import attention_products, convolution, mlp_products, once
from estimator.models.transformer import Transformer

__all__ = ["fast_vlm", "fastvit_hd"]

_NAME = "fastvit_mci3"
_SIDE, _POSITION, _LAST_POSITION = 1024, 4, 64
"""Pixels a side of every picture, of a position of the first stage, and of one of the last."""
_POSITIONS, _TOKENS = (_SIDE // _POSITION) ** 2, (_SIDE // _LAST_POSITION) ** 2
_STAGES = ((96, 2, False), (192, 12, False), (384, 24, False), (768, 4, True), (1536, 2, True))
"""Width and blocks of each stage, and whether they attend."""
_HEAD, _WIDER = 32, 4
_MIXES, _SEES = 3, 7
"""Sides of the filters that mix positions, and of those before MLPs and between stages."""
_NARROWED = 16
"""What the last filter's channels are weighed by is so much narrower."""


def fast_vlm(config: Config, read: Read) -> ConfiguredModel:
    """Return a FastVLM (Vasu et al. 2025). Raises UnsupportedModelError for another encoder, or one not merged."""
    text, vision = language_model(config, read), vision_config(config)
    named = vision.get("architecture", _NAME)
    if named != _NAME or inside(vision, "model_args").get("inference_mode", True) is not True:
        raise UnsupportedModelError(f"hf_config.vision_config: {shown(named)} that is not merged is not modelled here")
    tower, hidden = fastvit_hd(), text.transformer.hidden
    bias = config.get("multimodal_projector_bias", True) is True
    projector = linear_stack("projector", *mlp_projections(2 * _STAGES[-1][0], hidden, hidden, bias=bias))
    media = Media(positions=_POSITIONS, tokens=_TOKENS)
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def fastvit_hd() -> Transformer:
    """Return the encoder over the positions of its first stage."""
    pyramid, before = Pyramid(), _STAGES[0][0]
    halves = Place(share=4.0)
    pyramid.products += [
        convolution("stem", 3, before, at=halves),
        convolution("stem_depthwise", 1, before, at=stage_place(0)),
        convolution("stem_out", before, before, at=stage_place(0), side=1),
    ]
    for stage, (width, blocks, attends) in enumerate(_STAGES):
        here = stage_place(stage)
        if stage:
            pyramid.products.append(convolution("downsampling", 1, width, at=here, side=_SEES))
            pyramid.products.append(convolution("downsampled", width, width, at=here, side=1))
        pyramid.products.append(convolution("before_mlp", 1, width, at=here, side=_SEES, layers=blocks, bias=False))
        pyramid.products += mlp_products(width, _WIDER * width, blocks, at=here)
        # The filter's norm, and the scale of each block.
        pyramid.vectors += 3 * width * blocks
        pyramid.flows.append(Flow(width=width, halves=2 * blocks, at=here, normed=attends))
        if attends:
            _attention(pyramid, width, blocks, here)
        else:
            pyramid.products.append(convolution("mixing", 1, width, at=here, side=_MIXES, layers=blocks))
        before = width
    made, last = 2 * before, stage_place(len(_STAGES) - 1)
    pyramid.products += [
        convolution("final", 1, made, at=last),
        once("weighed", made, made // _NARROWED, at=ONCE),
        once("weights", made // _NARROWED, made, at=ONCE),
    ]
    return network(
        name="fastvithd",
        hidden=_STAGES[0][0],
        head_dim=_HEAD,
        heads=1,
        blocks=sum(blocks for _, blocks, _ in _STAGES),
        products=tuple(pyramid.products),
        flows=tuple(pyramid.flows),
        looks=tuple(pyramid.looks),
        own_vectors=pyramid.vectors,
        tokens=float(_POSITIONS),
    )


def _attention(pyramid: Pyramid, width: int, blocks: int, here: Place) -> None:
    """Add attention of all positions to one another, behind a filter that tells them where they are."""
    pyramid.products.append(convolution("positions", 1, width, at=here, side=_SEES))
    pyramid.products += attention_products(width, width, blocks, at=here, bias=False)
    pyramid.looks.append(Look(name="attention", heads=width // _HEAD, head_dim=_HEAD, layers=blocks, at=here))
    # A norm before attention, and a scale behind it.
    pyramid.vectors += 3 * width * blocks
