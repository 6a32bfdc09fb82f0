"""MobileNetV5 of 300M, Gemma 3n's encoder of pictures: inverted residuals, then attention with one head of keys.

Source: `mobilenetv5_300m_enc` of timm 1.0; Gemma 3n's model card.
"""

from estimator.models.huggingface.placed import network
from estimator.models.huggingface.pyramids import Pyramid, stage_place
from estimator.models.mixers.placed import Flow, Look, Place, Product
from estimator.models.mixers.placed_parts import convolution
from estimator.models.transformer import Transformer

__all__ = ["MADE_WIDTH", "POSITIONS", "TOKENS", "mobilenet_v5"]

_SIDE, _POSITION = 768, 4
"""Pixels a side of every picture, and of a position of the first stage."""
POSITIONS = (_SIDE // _POSITION) ** 2
TOKENS, MADE_WIDTH = 256, 2048
"""Positions that a picture becomes, 16 a side, and how wide they are."""
_STEM = 64
_WIDTHS = (128, 256, 640, 1280)
_EDGES = ((_STEM, 256), (128, 512), (128, 512))
"""Width before, and inside, of the first stage's blocks."""
_STARTS = ((), (3, 5, 3, 5, 3), (5, 5, 5, 5, 5, 5, 5, 5), (5,))
"""Sides of the depthwise filter that a block of each further stage begins with."""
_MIDDLE = 5
"""Side of the one in the middle of a stage's first block, which halves the resolution."""
_FIRST, _LATER, _BESIDE_ATTENTION = 6, 4, 2
"""How much wider a stage's first block is inside, those after it, and those between attention."""
_NARROW_STAGE = 2
"""The third stage: where attention begins, and whose resolution the last two are fused at."""
_ATTENTIONS = ((_NARROW_STAGE, 14, (12, 64, 2)), (3, 19, (16, 96, 1)))
"""Stage, blocks, and of each: heads, their width, and the stride of keys and values."""


def mobilenet_v5() -> Transformer:
    """Return the encoder over the positions of its first stage; every filter has a norm, every block a scale."""
    pyramid = Pyramid()
    _filter(pyramid, "stem", 3, _STEM, Place(share=4.0), side=3)
    # Alone of all it has a bias.
    pyramid.vectors += _STEM
    for before, inner in _EDGES:
        _filter(pyramid, "edge", before, inner, stage_place(0), side=3)
        _filter(pyramid, "edge_out", inner, _WIDTHS[0], stage_place(0))
    for stage, sides in enumerate(_STARTS):
        if stage:
            _inverted(pyramid, stage, sides)
    for stage, blocks, shape in _ATTENTIONS:
        _attention(pyramid, stage, blocks, shape)
    _fusion(pyramid)
    return network(
        name="mobilenetv5",
        hidden=_WIDTHS[0],
        head_dim=max(shape[1] for *_, shape in _ATTENTIONS),
        heads=1,
        blocks=sum(map(len, _STARTS)) + len(_EDGES) + sum(2 * blocks for _, blocks, _ in _ATTENTIONS),
        products=tuple(pyramid.products),
        flows=tuple(pyramid.flows),
        looks=tuple(pyramid.looks),
        own_vectors=pyramid.vectors,
        tokens=float(POSITIONS),
    )


def _filter(
    pyramid: Pyramid, name: str, inputs: int, outputs: int, at: Place, *, side: int = 1, layers: int = 1
) -> None:
    """Add a convolution without bias, and the norm behind it, which only scales."""
    pyramid.products.append(convolution(name, inputs, outputs, at=at, side=side, layers=layers, bias=False))
    pyramid.vectors += outputs * layers


def _inverted(pyramid: Pyramid, stage: int, sides: tuple[int, ...]) -> None:
    """Add a stage's blocks before attention: widened at the resolution before, where they are the first."""
    width, here = _WIDTHS[stage], stage_place(stage)
    for place, side in enumerate(sides):
        first = place == 0
        before, at = (_WIDTHS[stage - 1], stage_place(stage - 1)) if first else (width, here)
        inner = before * (_FIRST if first else _LATER)
        _filter(pyramid, "depthwise", 1, before, at, side=side)
        _filter(pyramid, "widened", before, inner, at)
        if first:
            _filter(pyramid, "depthwise_middle", 1, inner, here, side=_MIDDLE)
        _filter(pyramid, "narrowed", inner, width, here)
    pyramid.vectors += width * len(sides)
    pyramid.flows.append(Flow(width=width, halves=len(sides), at=here, normed=False))


def _attention(pyramid: Pyramid, stage: int, blocks: int, shape: tuple[int, int, int]) -> None:
    """Add blocks of attention whose queries share one head of keys and values, each with a block without filters."""
    (heads, head_dim, stride), width, here = shape, _WIDTHS[stage], stage_place(stage)
    keys = Place(share=here.share / stride**2)
    mixing = (("queries", width, heads * head_dim, here), ("attention_out", heads * head_dim, width, here))
    for name, inputs, outputs, at in (*mixing, ("keys_values", width, 2 * head_dim, keys)):
        pyramid.products.append(
            Product(name=name, inputs=inputs, outputs=outputs, at=at, layers=blocks, part="attention", bias=False)
        )
    if stride > 1:
        _filter(pyramid, "keys_narrowed", 1, width, keys, side=3, layers=2 * blocks)
    pyramid.looks.append(
        Look(name="attention", heads=heads, head_dim=head_dim, layers=blocks, at=here, keys=keys, kv_heads=1)
    )
    # A block without attention before it, no wider inside than outside, leads over in the third stage.
    ratios = (1, *(_BESIDE_ATTENTION,) * blocks) if stage == _NARROW_STAGE else (_BESIDE_ATTENTION,) * blocks
    for ratio in ratios:
        _filter(pyramid, "widened", width, width * ratio, here)
        _filter(pyramid, "narrowed", width * ratio, width, here)
    # A norm before attention, and a scale behind each.
    pyramid.vectors += 2 * width * blocks + width * len(ratios)
    pyramid.flows.append(Flow(width=width, halves=2 * blocks, at=here))


def _fusion(pyramid: Pyramid) -> None:
    """Add what fuses the last two stages at the finer of their resolutions, before positions are averaged."""
    at, inner = stage_place(_NARROW_STAGE), 2 * (_WIDTHS[-1] + _WIDTHS[-2])
    _filter(pyramid, "fused", inner // 2, inner, at)
    _filter(pyramid, "fused_out", inner, MADE_WIDTH, at)
    pyramid.vectors += MADE_WIDTH
