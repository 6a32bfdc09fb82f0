"""A typical architecture of a given size, for a caller who names only parameter counts."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from estimator.base.errors import InvalidValueError
from estimator.models.feed_forward import Experts
from estimator.models.mixers.state_space import StateSpace
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts, vector_parameters

__all__ = ["FEWEST_PARAMETERS", "MOST_PARAMETERS", "typical_experts", "typical_hybrid", "typical_transformer"]

FEWEST_PARAMETERS = 1e5
"""Below this no choice of widths is typical."""
MOST_PARAMETERS = 1e15
_LLAMA = VectorFacts()
_SEQUENCE_LENGTH = 4096
_MLP_RATIO = 3.5
"""Inner over model width of the MLP in Llama 3 (8B, 70B)."""
_NARROWEST_MLP, _WIDEST_MLP = 1.5, 6.0
_LAYER_SQUARES = 2.5 + 3 * _MLP_RATIO
"""A layer's weights over the square of its width: grouped-query attention and a gated MLP."""
_EMBEDDING_SHARE = 0.3
"""Tiny models have tiny vocabularies: the table takes at most about this share."""
_SIZE_WEIGHT = 10.0
"""What a relative error in size counts beside one in proportions: 1 % off in size is like 10 % off in shape."""

_FEW, _MANY = 2, 8
"""Experts a token visits: two of Mixtral's eight, eight of the hundred and more of Qwen3 and DeepSeek-V3."""
_COARSE = 6.0
"""Total over active parameters below which experts are few: 3.6 in Mixtral, 10 and more in Qwen3."""
_GROUPED_FROM, _KV_HEADS = 1e9, 8
"""Mixtures of experts share keys and values from a smaller active size on than dense models do."""
_EXPERT_COUNTS = (*range(8, 128, 8), *range(128, 513, 32))
"""Counts that divide over devices."""
_SLIMNESS, _WIDE_HEADS = 0.67, 2
"""Where experts are many, models are deeper for their width and their heads wider than the model: medians of eleven
published in 2024 and 2025 (DeepSeek-V2 and V3, Kimi K2, GLM-4.5, Qwen3, MiniMax-M2, gpt-oss, Llama 4): 85 wide a layer
where dense models have 128, queries twice as wide as the model."""
_FINE_WIDTH = 400
_ROUTED_WEIGHT = 0.08
"""What as many experts more beside the typical count for, beside an error in the active parameters."""


_ATTENTION_EVERY = 8
"""Layers of a hybrid of which one attends: a seventh to a tenth in Jamba, Bamba, Granite 4 and Nemotron-H."""
_MIXER_HEAD, _MIXER_STATE = 64, 128
"""Width of a head and of its state, as in Mamba-2, Bamba and Granite 4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """What models of one size class are multiples of, so that they divide over devices."""

    from_parameters: float
    hidden: int
    layers: int
    head_dim: int
    ffn: int
    vocab: int
    tied: bool
    grouped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Width, depth and inner width that may do, and the parameters that they come to."""

    hidden: int
    layers: int
    ffn_hidden: int
    total: int


# Read off the families people train: SmolLM2 and GPT-2 below 1B, SmolLM2, OPT, Pythia, Phi and TinyLlama to 4B, which
# have vocabularies of 32,000 to 51,200, Llama 3.1 above.
_STEPS = (
    _Steps(from_parameters=2e10, hidden=1024, layers=4, head_dim=128, ffn=128, vocab=128_256, tied=False, grouped=True),
    _Steps(from_parameters=4e9, hidden=1024, layers=2, head_dim=128, ffn=128, vocab=128_256, tied=False, grouped=True),
    _Steps(from_parameters=1e9, hidden=256, layers=2, head_dim=64, ffn=128, vocab=49_152, tied=True, grouped=False),
    _Steps(from_parameters=5e7, hidden=128, layers=1, head_dim=64, ffn=64, vocab=49_152, tied=True, grouped=False),
    _Steps(from_parameters=0.0, hidden=32, layers=1, head_dim=32, ffn=8, vocab=32_000, tied=True, grouped=False),
)


@lru_cache(maxsize=1024)
def typical_transformer(parameters: float) -> Transformer:
    """Return a Llama-like transformer whose total lies within 2 % of `parameters`.

    Width grows with the cube root of the size and depth in proportion to width, about 64 wide a layer at
    125M and 128 from 15B; the MLP's inner width takes up what is left. Widths and depths are multiples that
    divide over devices. Source: the Llama 3 family (Grattafiori et al. 2024, table 3) and SmolLM2.
    For a mixture of experts see `typical_experts`.
    Raises InvalidValueError outside 1e5 to 1e15 parameters.
    """
    if not FEWEST_PARAMETERS <= parameters <= MOST_PARAMETERS:
        raise InvalidValueError("model", f"{parameters:g}", "parameters; must lie between 100k and 1000T, such as 7B")
    return _shaped(parameters, slimness=1.0, wide_heads=1)


def _shaped(parameters: float, *, slimness: float, wide_heads: int) -> Transformer:
    """Return the transformer that is nearest to typical proportions, its width a layer times `slimness`."""
    steps = next(steps for steps in _STEPS if parameters >= steps.from_parameters)
    aspect = slimness * _width_per_layer(parameters)
    ideal = (parameters * aspect / _LAYER_SQUARES) ** (1 / 3)
    step = steps.hidden // wide_heads
    around = round(ideal / step)
    widths = [n * step for n in range(max(around - 2, 1), around + 3)]
    shapes: list[_Shape] = []
    for hidden in widths:
        # Without its MLP, a model of this width has so many parameters at depth 0 and so many more a layer.
        one_layer, two_layers = (
            parameter_counts(_transformer(parameters, hidden, layers, 0, steps, wide_heads=wide_heads)).total
            for layers in (1, 2)
        )
        for shift in range(-3, 4):
            layers = (round(hidden / aspect / steps.layers) + shift) * steps.layers
            if layers > 0:
                bare = one_layer + (layers - 1) * (two_layers - one_layer)
                shapes.extend(_with_fitting_mlp(parameters, hidden, layers, bare, steps))
    best = min(shapes, key=lambda shape: _oddness(shape, parameters, aspect))
    return _transformer(parameters, best.hidden, best.layers, best.ffn_hidden, steps, wide_heads=wide_heads)


@lru_cache(maxsize=256)
def typical_hybrid(parameters: float) -> Transformer:
    """Return a hybrid of Mamba-2 and attention whose total lies within 1 % of `parameters`, from 1M on.

    A dense transformer of that size in all but one of eight layers of which a state space twice as wide as the model
    mixes tokens, and whose MLPs make up for what that has more of. Source: Bamba, Granite 4 H and Nemotron-H.
    Raises InvalidValueError outside 1e5 to 1e15 parameters.
    """
    dense = typical_transformer(parameters)
    attends = max(1, dense.n_layers // _ATTENTION_EVERY)
    mixers = StateSpace(
        layers=dense.n_layers - attends,
        heads=max(1, 2 * dense.hidden // _MIXER_HEAD),
        head_dim=_MIXER_HEAD,
        state=_MIXER_STATE,
        groups=1,
    )
    hybrid = replace(
        dense,
        name=f"typical {_rounded(parameters)} hybrid",
        attention_layers=attends,
        mixers=(mixers,) if mixers.layers else (),
        source="inferred from the parameter count: widths as in the Llama 3 family, mixers as in Bamba",
    )
    spare = (parameters - parameter_counts(hybrid).total) / (3 * dense.hidden * dense.n_layers)
    ffn_hidden = max(dense.hidden, round((dense.ffn_hidden + spare) / 8) * 8)
    return replace(hybrid, ffn_hidden=ffn_hidden)


@lru_cache(maxsize=256)
def typical_experts(total: float, active: float) -> Transformer:
    """Return a transformer with `total` parameters in all, within 2 %, and about `active` for one token.

    The active ones lie within 10 % from 100M on, where there are at most fifty times as many in all. All but the MLPs
    is as in a dense transformer of `active` parameters, a typical one where experts are few, a slimmer one with wider
    heads where they are many; the experts that a token visits are together about as wide as its MLP, and there are as
    many as `total` takes. Source: Mixtral (Jiang et al. 2024) where they are
    few, Qwen3 and DeepSeek-V3 where many.
    Raises InvalidValueError where `active` is not below `total`.
    """
    if not active < total <= MOST_PARAMETERS:
        raise InvalidValueError("model", f"{total:g}", f"parameters must be more than the {active:g} active ones")
    coarse = total / active < _COARSE
    dense = typical_transformer(active) if coarse else _shaped(active, slimness=_SLIMNESS, wide_heads=_WIDE_HEADS)
    if active >= _GROUPED_FROM and dense.n_heads % _KV_HEADS == 0:
        dense = replace(dense, n_kv_heads=_KV_HEADS)
    one_wide = 3 * dense.hidden * dense.n_layers
    beside = parameter_counts(dense).total - one_wide * dense.ffn_hidden
    typically_visited = _FEW if coarse else _MANY
    best, least = Experts(n_experts=1, top_k=1, ffn_hidden=1), math.inf
    for n_experts in _EXPERT_COUNTS:
        routers = n_experts * dense.hidden * dense.n_layers
        width = _whole_width((total - beside - routers) / (n_experts * one_wide))
        visited = min(max(round((active - beside - routers) / (width * one_wide)), 1), n_experts - 1)
        off = abs(math.log((beside + routers + visited * width * one_wide) / active))
        oddness = off + _ROUTED_WEIGHT * abs(math.log(visited / typically_visited))
        if oddness < least:
            best, least = Experts(n_experts=n_experts, top_k=visited, ffn_hidden=width), oddness
    return replace(
        dense,
        name=f"typical {_rounded(total)}-A{_rounded(active)} transformer",
        experts=best,
        source="inferred from total and active parameters: widths as in the Llama 3 family, experts as in Qwen3",
    )


def _whole_width(width: float) -> int:
    """Return an expert's width as a multiple of eight, or of two where eight would be too coarse for the total."""
    step = 8 if width >= _FINE_WIDTH else 2
    return max(round(width / step), 1) * step


def _width_per_layer(parameters: float) -> float:
    """Return model width over depth: 64 at 125M (GPT-2, SmolLM2), 86 at 1B, 115 at 7B, 128 from 15B (Llama 3)."""
    return min(max(64 * math.pow(parameters / 1.25e8, 0.145), 32), 128)


def _with_fitting_mlp(parameters: float, hidden: int, layers: int, bare: int, steps: _Steps) -> Iterator[_Shape]:
    """Yield the shape of this width and depth whose MLP fills up `parameters` beyond `bare`; none where none can."""
    weights = 3 * hidden * layers
    ffn_hidden = round((parameters - bare) / weights / steps.ffn) * steps.ffn
    if _NARROWEST_MLP * hidden <= ffn_hidden <= _WIDEST_MLP * hidden:
        yield _Shape(hidden=hidden, layers=layers, ffn_hidden=ffn_hidden, total=bare + weights * ffn_hidden)


def _transformer(
    parameters: float, hidden: int, layers: int, ffn_hidden: int, steps: _Steps, *, wide_heads: int
) -> Transformer:
    heads = wide_heads * max(hidden // steps.head_dim, 1)
    copies = 1 if steps.tied else 2
    affordable = int(_EMBEDDING_SHARE * parameters / (copies * hidden)) // 32 * 32
    bare = Transformer(
        id="typical",
        name=f"typical {_rounded(parameters)} transformer",
        n_layers=layers,
        hidden=hidden,
        ffn_hidden=ffn_hidden,
        gated_mlp=True,
        n_heads=heads,
        n_kv_heads=8 if steps.grouped and heads % 8 == 0 else heads,
        head_dim=steps.head_dim,
        vocab=max(min(steps.vocab, affordable), 256),
        tied_embeddings=steps.tied,
        native_sequence_length=_SEQUENCE_LENGTH,
        inferred=True,
        source="inferred from the parameter count: widths as in the Llama 3 family",
    )
    return replace(bare, vector_parameters=vector_parameters(bare, _LLAMA))


def _oddness(shape: _Shape, parameters: float, aspect: float) -> float:
    """Return how far a shape is from typical proportions, and from the size asked for."""
    proportions = abs(math.log(shape.ffn_hidden / (_MLP_RATIO * shape.hidden)))
    depth = abs(math.log(shape.hidden / shape.layers / aspect))
    size = abs(shape.total / parameters - 1)
    return proportions + depth + _SIZE_WEIGHT * size


def _rounded(parameters: float) -> str:
    """Return a size as people call it: 7B, 1.5B, 125M."""
    for scale, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if parameters >= scale:
            return f"{parameters / scale:.4g}{letter}"
    return f"{parameters:.4g}"
