"""Language models whose pictures are scaled to one size, or cut into tiles of one."""

from dataclasses import replace

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.blocks import image_side, linear_stack, mlp_projections, patches_a_side
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.multimodal import (
    feature_layers,
    language_model,
    picture_tower,
    vision_config,
    with_towers,
)
from estimator.models.huggingface.reading import Config, Reading, entries, nested
from estimator.models.huggingface.vision_towers import (
    intern_vision,
    mllama_vision,
)
from estimator.models.media import Media
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.projection import Projection

__all__ = ["cohere_vision", "gemma3", "idefics3", "internvl", "llava", "mllama"]

_VIP_LAYERS = 5
"""Layers whose features ViP-LLaVA's projector reads (Cai et al. 2024, section 3.1)."""
_LEAST_RATIO = 0.01
"""Of a side that patches are drawn together by: a hundred into one, far beyond the two of those that are known."""


def llava(config: Config, read: Read) -> ConfiguredModel:
    """Return a LLaVA 1.5, NeXT or OneVision (Liu et al. 2023; Li et al. 2024), or Pixtral, which has its class."""
    kind = str(config.get("model_type"))
    text, vision = language_model(config, read), vision_config(config)
    hidden = text.transformer.hidden
    default = "siglip_vision_model" if kind == "llava_onevision" else "clip_vision_model"
    usual = {"image_size": 384, "num_hidden_layers": 26, "hidden_size": 1152, "intermediate_size": 4304,
             "patch_size": 14, "vision_use_head": False} if kind == "llava_onevision" else {
             "image_size": 336, "num_hidden_layers": 24, "hidden_size": 1024, "num_attention_heads": 16,
             "intermediate_size": 4096, "patch_size": 14}  # fmt: skip
    vision = {**usual, **vision} if vision.get("model_type") != "pixtral" else vision
    tower = picture_tower(vision, default)
    vip, cuts = kind == "vipllava", kind not in {"llava", "vipllava"}
    deep = _VIP_LAYERS if vip and config.get("vision_feature_layer") is None else feature_layers(config)
    features = tower.hidden * deep
    bias = config.get("multimodal_projector_bias", True) is True
    projector = linear_stack(
        "projector",
        *mlp_projections(features, hidden, hidden, bias=bias),
        besides=2 * features if vip else 0,
    )
    reading = Reading(config=vision, defaults={"image_size": 1024, "patch_size": 16}, model_type=kind)
    side, patch = image_side(reading), image_side(reading, "patch_size")
    if vision.get("model_type") == "pixtral":
        media = Media(policy="native", width=side, height=side, patch=patch, longest_side=side, row_breaks=True)
    else:
        media = Media(
            policy="tiled" if cuts else "fixed",
            width=side,
            height=side,
            patch=patch,
            extra=1 if "clip" in default and "siglip" not in str(vision.get("model_type")) else 0,
            tokens=(side // patch) ** 2,
            grids=_pinpoints(config, side, kind),
            thumbnail=True,
        )
    # A row of a cut picture ends in a vector that is learned.
    newline = hidden if cuts else 0
    return with_towers(config, text, media, {"vision": tower, "projector": projector}, besides=newline)


def _pinpoints(config: Config, side: int, kind: str) -> tuple[tuple[int, int], ...]:
    """Return the grids that a picture may be cut into, columns and rows."""
    listed = entries(config.get("image_grid_pinpoints"))
    if listed:
        pairs = [[int(end) for end in entries(pair) if isinstance(end, int | float)] for pair in listed]
        return tuple((max(1, pair[-1] // side), max(1, pair[0] // side)) for pair in pairs if pair)
    if kind == "llava_onevision":
        return tuple((a, b) for a in range(1, 7) for b in range(1, 7))
    return ((1, 2), (2, 1), (2, 2), (1, 3), (3, 1))


def _squares(reading: Reading) -> Media:
    """Return pictures of the one size, square, that a tower is made for."""
    side = image_side(reading)
    return Media(width=side, height=side, patch=image_side(reading, "patch_size"))


def internvl(config: Config, read: Read) -> ConfiguredModel:
    """Return an InternVL 2.5, 3 or 3.5 (Chen et al. 2024): tiles of 448 pixels, 256 tokens each."""
    text, vision = language_model(config, read), vision_config(config)
    tower, hidden = intern_vision(vision), text.transformer.hidden
    told = config.get("downsample_ratio")
    ratio = 0.5 if told is None else told
    if not isinstance(ratio, int | float) or not _LEAST_RATIO <= ratio <= 1.0:
        raise InvalidValueError("hf_config.downsample_ratio", ratio, f"must be a number from {_LEAST_RATIO} to 1")
    merge = round(1.0 / ratio)
    wide = tower.hidden * merge * merge
    projector = linear_stack("projector", *mlp_projections(wide, hidden, hidden), besides=2 * wide)
    reading = Reading(config=vision, defaults={"image_size": 448, "patch_size": 14}, model_type="internvl")
    media = replace(
        _squares(reading),
        policy="tiled",
        merge=merge,
        extra=1,
        most_tiles=12,
        thumbnail=True,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def gemma3(config: Config, read: Read) -> ConfiguredModel:
    """Return a Gemma 3 or PaliGemma with its SigLIP (Gemma Team 2025; Beyer et al. 2024); without one, text alone."""
    kind = str(config.get("model_type"))
    text = language_model(config, read, {"vocab_size": 262_208} if kind == "gemma3" else None)
    if nested(config, "vision_config") is None:
        return text
    usual = {"hidden_size": 768, "intermediate_size": 3072} if kind == "gemma3" else {
        "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16,
        "patch_size": 14, "vision_use_head": False}  # fmt: skip
    vision = {**usual, **vision_config(config)}
    tower, hidden = picture_tower(vision, "siglip_vision_model"), text.transformer.hidden
    pali = kind == "paligemma"
    projection = Projection(name="projection", inputs=tower.hidden, outputs=hidden, bias=pali)
    projector = linear_stack("projector", projection, besides=0 if pali else tower.hidden)
    reading = Reading(config=vision, defaults={"image_size": 224, "patch_size": 16}, model_type=kind)
    tokens = config.get("mm_tokens_per_image", 256)
    media = replace(
        _squares(reading),
        tokens=0 if pali or not isinstance(tokens, int) else tokens,
        tile_breaks=0 if pali else 2,
        usual_count=1 if pali else 0,
        usual_text=64 if pali else 256,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def idefics3(config: Config, read: Read) -> ConfiguredModel:
    """Return an Idefics 3 or SmolVLM (Laurençon et al. 2024; Marafioti et al. 2025): tiles, shuffled pixels."""
    text, vision = language_model(config, read), vision_config(config)
    tower, hidden = picture_tower(vision, "idefics3_vision"), text.transformer.hidden
    merge = Reading(config=config, defaults={"scale_factor": 2}, model_type="idefics3").whole("scale_factor")
    projection = Projection(name="projection", inputs=tower.hidden * merge * merge, outputs=hidden, bias=False)
    reading = Reading(config=vision, defaults={"image_size": 224, "patch_size": 32}, model_type="idefics3")
    media = replace(
        _squares(reading),
        policy="tiled",
        merge=merge,
        # The processors' longest edge is four tiles; three tokens frame each.
        longest_side=4 * image_side(reading),
        tile_breaks=3,
        thumbnail=True,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": linear_stack("projector", projection)})


def mllama(config: Config, read: Read) -> ConfiguredModel:
    """Return a Llama 3.2 Vision (Grattafiori et al. 2024, section 7): some layers look at the picture alone."""
    inner = nested(config, "text_config") or config
    reading = Reading(
        config=inner,
        defaults={
            "hidden_size": 4096,
            "num_hidden_layers": 40,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "intermediate_size": 14336,
            "vocab_size": 128256,
            "max_position_embeddings": 131072,
        },
        model_type="mllama",
    )
    keys = (*reading.defaults,)
    crossing = len(entries(inner.get("cross_attention_layers", [3, 8, 13, 18, 23, 28, 33, 38])))
    text = read({**{key: reading.value(key) for key in keys}, "model_type": "llama"})
    llama = text.transformer
    cross = CrossAttention(
        layers=crossing,
        heads=llama.n_heads,
        kv_heads=llama.n_kv_heads,
        head_dim=llama.head_dim,
        source_rate=0.0,
        pictures=True,
        own_vectors=2 * llama.head_dim,
    )
    # Two gates a layer that looks at pictures, and eight rows for tokens that no output has.
    besides = crossing * (2 * llama.head_dim + 2)
    network = replace(
        llama,
        attention_layers=llama.n_layers - crossing,
        mixers=(cross,),
        vector_parameters=llama.vector_parameters + besides,
        lookup_parameters=8 * llama.hidden,
    )
    vision = vision_config(config)
    tower = mllama_vision(vision)
    extra = nested(config, "vision_config") or {}
    features = 1 + len(entries(extra.get("intermediate_layers_indices", [3, 7, 15, 23, 30])))
    projection = Projection(name="projection", inputs=tower.hidden * features, outputs=llama.hidden)
    # Every picture fills four tiles, its own or blank ones.
    reading = Reading(
        config=vision, defaults={"image_size": 448, "patch_size": 14, "max_num_tiles": 4}, model_type="mllama"
    )
    side = image_side(reading)
    made = reading.whole("max_num_tiles") * (patches_a_side(reading) ** 2 + 1)
    media = Media(
        width=side, height=side, positions=tower.native_sequence_length, tokens=1, before_merge=made, crosses=True
    )
    towers = {"vision": tower, "projector": linear_stack("projector", projection)}
    return with_towers(config, replace(text, transformer=network), media, towers)


def cohere_vision(config: Config, read: Read) -> ConfiguredModel:
    """Return a Command A Vision: SigLIP 2, 2×2 patches a token, a gated projector."""
    text, vision = language_model(config, read), vision_config(config)
    tower, hidden = picture_tower(vision, "siglip_vision_model"), text.transformer.hidden
    reading = Reading(
        config=config,
        defaults={"downsample_factor": 2, "alignment_intermediate_size": 36864},
        model_type="cohere2_vision",
    )
    merge, wide = reading.whole("downsample_factor"), reading.whole("alignment_intermediate_size")
    projector = linear_stack(
        "projector",
        Projection(name="projector_up", inputs=tower.hidden * merge * merge, outputs=wide),
        Projection(name="projector_down", inputs=wide // 2, outputs=hidden),
    )
    sizes = Reading(config=vision, defaults={"image_size": 512, "patch_size": 16}, model_type="cohere2_vision")
    media = replace(
        _squares(sizes),
        policy="tiled",
        merge=merge,
        most_tiles=12,
        thumbnail=True,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector})
