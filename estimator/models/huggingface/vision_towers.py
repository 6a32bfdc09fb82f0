"""Encoders of pictures as language models have them: native proportions, merged patches, tiles."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from estimator.models.huggingface.blocks import BIASED, image_side, linear_stack, mlp_projections, patches_a_side, stack
from estimator.models.huggingface.reading import Config, Reading, entries
from estimator.models.huggingface.vision import clip_vision, siglip_vision
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts

__all__ = [
    "TOWERS",
    "gemma4_vision",
    "glm_merger",
    "glm_vision",
    "intern_vision",
    "mllama_vision",
    "patch_embedding",
    "pixtral",
    "qwen_merger",
    "qwen_vision",
]

_QWEN_2 = {
    "depth": 32,
    "embed_dim": 1280,
    "hidden_size": 3584,
    "mlp_ratio": 4,
    "num_heads": 16,
    "patch_size": 14,
    "spatial_merge_size": 2,
    "temporal_patch_size": 2,
}
_QWEN_25 = {**_QWEN_2, "hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": 3584, "window_size": 112}
_QWEN_3 = {
    **_QWEN_2,
    "depth": 27,
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "patch_size": 16,
    "out_hidden_size": 3584,
    "num_position_embeddings": 2304,
}
_OLDER_QWENS = {
    "qwen2_vl": _QWEN_2,
    "qwen2_5_vl": _QWEN_25,
    "exaone4_5": {**_QWEN_25, "hidden_size": 3584, "num_key_value_heads": 8},
}
_GATED_QWENS = frozenset({"qwen2_5_vl", "exaone4_5"})
"""Encoders with windows, gated MLPs and norms without shifts."""
_FULL_ATTENTION = (7, 15, 23, 31)
_DEEPSTACK = 3
_COLOURS = 3
_PADDED_TO = 8


def patch_embedding(side: int, hidden: int, *, frames: int = 1, rate: float = 1.0, bias: bool = True) -> Projection:
    """Return the matrix that takes a patch, `side` pixels wide and `frames` deep, to the encoder's width."""
    inputs = _COLOURS * frames * side * side
    return Projection(name="patch_embedding", inputs=inputs, outputs=hidden, rate=rate, bias=bias)


def _full_layers(reading: Reading, depth: int) -> int:
    listed = reading.items("fullatt_block_indexes") or _FULL_ATTENTION
    return sum(isinstance(place, int) and place < depth for place in listed)


def _qwen(config: Config, kind: str) -> tuple[Reading, int]:
    """Return the configuration of one of Qwen's encoders with its class's defaults behind it, and the width."""
    defaults = _OLDER_QWENS.get(kind, _QWEN_3)
    reading = Reading(config=config, defaults=defaults, model_type=f"{kind}_vision")
    return reading, reading.whole("embed_dim" if kind == "qwen2_vl" else "hidden_size")


def qwen_vision(config: Config, kind: str) -> Transformer:
    """Return the encoder of Qwen2-VL, Qwen2.5-VL or Qwen3-VL (Wang et al. 2024; Bai et al. 2025), its merger apart.

    EXAONE 4.5's is Qwen2.5-VL's, whose queries share keys.
    """
    reading, hidden = _qwen(config, kind)
    depth, heads = reading.whole("depth"), reading.whole("num_heads")
    side = reading.whole("patch_size")
    newest = kind not in _OLDER_QWENS
    embedding = patch_embedding(side, hidden, frames=reading.whole("temporal_patch_size"), bias=newest)
    windowed = depth - _full_layers(reading, depth) if kind in _GATED_QWENS else 0
    return stack(
        name=f"{kind}_vision",
        hidden=hidden,
        layers=depth,
        heads=heads,
        kv_heads=reading.optional("num_key_value_heads", heads, least=1),
        ffn=hidden * reading.whole("mlp_ratio") if kind == "qwen2_vl" else reading.whole("intermediate_size"),
        facts=replace(BIASED, outer_norms=0, norm_vectors=1 if kind in _GATED_QWENS else 2),
        gated=kind in _GATED_QWENS,
        mixers=(embedding,),
        lookup=reading.whole("num_position_embeddings") * hidden if newest else 0,
        window=(reading.whole("window_size") // side) ** 2 if windowed else 0,
        windowed_layers=windowed,
        chunked=True,
    )


def qwen_merger(config: Config, kind: str) -> Transformer:
    """Return what takes merged patches to the width of the language model, DeepStack's of Qwen3-VL with it."""
    reading, hidden = _qwen(config, kind)
    out = reading.whole("hidden_size" if kind == "qwen2_vl" else "out_hidden_size")
    wide = hidden * reading.whole("spatial_merge_size") ** 2
    if kind in _OLDER_QWENS:
        return linear_stack(
            "merger", *mlp_projections(wide, wide, out), besides=hidden * (1 if kind in _GATED_QWENS else 2)
        )
    given = config.get("deepstack_visual_indexes")
    usual = _DEEPSTACK if kind.startswith("qwen3_vl") else 0
    deep = usual if given is None else len(entries(given))
    return linear_stack(
        "merger", *mlp_projections(wide, wide, out, count=1 + deep), besides=2 * hidden + 2 * wide * deep
    )


def glm_vision(config: Config) -> Transformer:
    """Return GLM-4.1V's encoder (GLM-V Team 2025), its downsampling apart."""
    reading = Reading(
        config=config,
        defaults={
            "depth": 24,
            "hidden_size": 1536,
            "num_heads": 12,
            "image_size": 336,
            "patch_size": 14,
            "temporal_patch_size": 2,
            "out_hidden_size": 4096,
        },
        model_type="glm4v_vision",
    )
    hidden, side = reading.whole("hidden_size"), reading.whole("patch_size")
    biased = reading.flag("attention_bias", default=False)
    return stack(
        name="glm4v_vision",
        hidden=hidden,
        layers=reading.whole("depth"),
        heads=reading.whole("num_heads"),
        ffn=reading.whole("out_hidden_size"),
        facts=VectorFacts(outer_norms=2, query_bias=biased, kv_bias=biased),
        gated=True,
        mixers=(patch_embedding(side, hidden, frames=reading.whole("temporal_patch_size")),),
        lookup=patches_a_side(reading) ** 2 * hidden,
    )


def glm_merger(config: Config) -> Transformer:
    """Return the convolution that merges patches, and the gated MLP behind it."""
    reading = Reading(
        config=config,
        defaults={"hidden_size": 1536, "out_hidden_size": 4096, "intermediate_size": 13696, "spatial_merge_size": 2},
        model_type="glm4v_vision",
    )
    hidden, out, wide = (reading.whole(key) for key in ("hidden_size", "out_hidden_size", "intermediate_size"))
    return linear_stack(
        "merger",
        Projection(name="downsample", inputs=hidden * reading.whole("spatial_merge_size") ** 2, outputs=out),
        *mlp_projections(out, out, bias=False),
        Projection(name="merger_up", inputs=out, outputs=2 * wide, bias=False),
        Projection(name="merger_down", inputs=wide, outputs=out, bias=False),
        besides=2 * out,
    )


def intern_vision(config: Config) -> Transformer:
    """Return InternViT, of 300M or 6B parameters (Chen et al. 2024): a class token, scaled layers."""
    reading = Reading(
        config=config,
        defaults={
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
            "image_size": 448,
            "patch_size": 14,
        },
        model_type="internvl_vision",
    )
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    side = image_side(reading, "patch_size")
    patches = patches_a_side(reading) ** 2
    biased = config.get("attention_bias", config.get("qkv_bias", False)) is True
    normed = config.get("use_qk_norm", config.get("qk_normalization", False)) is True
    own_norm = config.get("use_mean_pooling", True) is not True
    facts = replace(
        BIASED,
        norm_vectors=1 if config.get("norm_type") == "rms_norm" else 2,
        outer_norms=1 if own_norm else 0,
        query_bias=biased,
        kv_bias=biased,
        qk_norm="full" if normed else "none",
    )
    mask = hidden if config.get("use_mask_token") is True else 0
    embedding = patch_embedding(side, hidden, rate=patches / (patches + 1))
    return stack(
        name="internvl_vision",
        hidden=hidden,
        layers=layers,
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=facts,
        mixers=(embedding,),
        lookup=(patches + 1) * hidden,
        besides=hidden + 2 * hidden * layers + mask,
        native=patches + 1,
    )


def pixtral(config: Config) -> Transformer:
    """Return Pixtral's encoder (Agrawal et al. 2024): rotary positions in two dimensions, gated MLPs, no biases."""
    reading = Reading(
        config=config,
        defaults={
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
            "patch_size": 16,
        },
        model_type="pixtral",
    )
    hidden, side = reading.whole("hidden_size"), reading.whole("patch_size")
    return stack(
        name="pixtral",
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=VectorFacts(),
        gated=True,
        mixers=(patch_embedding(side, hidden, bias=False),),
    )


def gemma4_vision(config: Config) -> Transformer:
    """Return Gemma 4's encoder: norms on either side of each half of a layer, positions by row and by column."""
    reading = Reading(
        config=config,
        defaults={
            "hidden_size": 768,
            "num_hidden_layers": 16,
            "num_attention_heads": 12,
            "num_key_value_heads": 12,
            "head_dim": 64,
            "intermediate_size": 3072,
            "patch_size": 16,
            "position_embedding_size": 10240,
        },
        model_type="gemma4_vision",
    )
    hidden, side = reading.whole("hidden_size"), reading.whole("patch_size")
    return stack(
        name="gemma4_vision",
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        kv_heads=reading.whole("num_key_value_heads"),
        head_dim=reading.whole("head_dim"),
        ffn=reading.whole("intermediate_size"),
        facts=VectorFacts(norms_per_layer=4, outer_norms=0, qk_norm="head"),
        gated=True,
        mixers=(patch_embedding(side, hidden, bias=False),),
        lookup=2 * reading.whole("position_embedding_size") * hidden,
    )


def mllama_vision(config: Config) -> Transformer:
    """Return Llama 3.2's encoder (Grattafiori et al. 2024, section 7): local layers, and gated global ones behind."""
    reading = Reading(
        config=config,
        defaults={
            "hidden_size": 1280,
            "num_hidden_layers": 32,
            "num_global_layers": 8,
            "attention_heads": 16,
            "intermediate_size": 5120,
            "image_size": 448,
            "patch_size": 14,
            "max_num_tiles": 4,
        },
        model_type="mllama_vision_model",
    )
    hidden, side = reading.whole("hidden_size"), reading.whole("patch_size")
    layers, behind = reading.whole("num_hidden_layers"), reading.whole("num_global_layers")
    tiles = reading.whole("max_num_tiles")
    patches = patches_a_side(reading) ** 2
    ratios = len(reading.items("supported_aspect_ratios")) or len(_grids(tiles))
    rows = ratios + 1
    tables = (patches + 1) * (1 + rows * tiles) + 2 * rows * tiles
    # Each tile is padded to whole rows of a kernel's tile.
    padded = math.ceil((patches + 1) / _PADDED_TO) * _PADDED_TO
    embedding = patch_embedding(side, hidden, rate=patches / padded, bias=False)
    return stack(
        name="mllama_vision_model",
        hidden=hidden,
        layers=layers + behind,
        heads=reading.whole("attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=VectorFacts(norm_vectors=2, outer_norms=2, mlp_bias=True),
        mixers=(embedding,),
        lookup=tables * hidden,
        # A class token, and gates: of positions, of two tables of tiles, and two of each global layer.
        besides=hidden + 3 + 2 * behind,
        native=tiles * padded,
    )


def _grids(tiles: int) -> tuple[tuple[int, int], ...]:
    """Return the grids of at most so many tiles."""
    return tuple((a, b) for a in range(1, tiles + 1) for b in range(1, tiles // a + 1))


def _siglip(config: Config) -> Transformer:
    return siglip_vision(config)


def _headless(config: Config) -> Transformer:
    return siglip_vision({**config, "vision_use_head": False}, name=str(config.get("model_type")))


TOWERS: Mapping[str, Callable[[Config], Transformer]] = {
    "clip_vision_model": clip_vision,
    "idefics2_vision": _headless,
    "idefics3_vision": _headless,
    "pixtral": pixtral,
    "siglip_vision_model": _siglip,
    "smolvlm_vision": _headless,
}
"""How to read a tower of pictures by its own `model_type`."""
