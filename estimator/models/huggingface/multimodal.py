"""Language models that read pictures or sounds: a decoder as the main stack, with towers and a projector beside it."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.blocks import image_side, linear_stack, mlp_projections
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.encoder_decoders import whisper_encoder
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.vision_towers import (
    TOWERS,
    gemma4_vision,
    glm_merger,
    glm_vision,
    intern_vision,
    mllama_vision,
    qwen_merger,
    qwen_vision,
)
from estimator.models.media import Media
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Tower, Transformer

__all__ = [
    "cohere_vision",
    "gemma3",
    "gemma4",
    "glm4v",
    "idefics2",
    "idefics3",
    "internvl",
    "llava",
    "mistral3",
    "mllama",
    "qwen_vl",
    "read_text",
    "sound_model",
    "with_towers",
]

_TEXT_KEYS = ("text_config", "llm_config", "language_config")
_OWN_TEXT: Mapping[str, str] = {
    "gemma3": "gemma3_text",
    "gemma4": "gemma4_text",
    "glm4v": "glm4v_text",
    "glm4v_moe": "glm4v_moe_text",
    "internvl_chat": "internlm2",
    "paligemma": "gemma",
    "phi4_multimodal": "phi3",
    "qwen2_5_vl": "qwen2_5_vl_text",
    "qwen2_audio": "qwen2",
    "qwen2_vl": "qwen2_vl_text",
    "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text",
    "qwen3_vl": "qwen3_vl_text",
    "qwen3_vl_moe": "qwen3_vl_moe_text",
}
"""What the language model is, where it does not say itself."""
_MEDIA_KEYS = frozenset({"vision_config", "audio_config", "perceiver_config"})
_COCO = (640, 480)


def read_text(config: Config, defaults: Config | None = None) -> ConfiguredModel:
    """Return the language model inside a configuration; its keys may stand beside those of the towers."""
    # The reading of decoders reads this module's table of readers.
    from estimator.models.huggingface.config import configured_model

    kind = str(config.get("model_type"))
    key = next((key for key in _TEXT_KEYS if nested(config, key)), None)
    inner: Config = (nested(config, key) or {}) if key else {k: v for k, v in config.items() if k not in _MEDIA_KEYS}
    given = inner.get("model_type")
    text_kind = _OWN_TEXT.get(kind, "llama") if given is None or given == kind else given
    # Either may say that output and embedding are one.
    told = [source["tie_word_embeddings"] for source in (config, inner) if "tie_word_embeddings" in source]
    tied = {"tie_word_embeddings": any(told)} if told else {}
    # The inner model's class is a class of its own, and its head is what is trained.
    text: dict[str, object] = {**(defaults or {}), **inner, **tied, "model_type": text_kind}
    text.pop("architectures", None)
    return configured_model(text)


def with_towers(
    config: Config, text: ConfiguredModel, media: Media, towers: Mapping[str, Transformer], *, besides: int = 0
) -> ConfiguredModel:
    """Return a language model with idle towers; what a sample holds sets their rates."""
    network = replace(
        text.transformer,
        towers=tuple(Tower(name=name, network=tower, rate=0.0) for name, tower in towers.items()),
        media=media,
        vector_parameters=text.transformer.vector_parameters + besides,
    )
    given = config.get("_name_or_path")
    name = given[:80] if isinstance(given, str) and given else f"{config.get('model_type')} model"
    return replace(text, transformer=replace(network, name=name))


def _vision(config: Config) -> Config:
    return nested(config, "vision_config") or {}


def _tower(vision: Config, default: str) -> Transformer:
    kind = str(vision.get("model_type") or default)
    if kind not in TOWERS:
        raise UnsupportedModelError(f"hf_config: an encoder of pictures of type {shown(kind)} is not modelled here")
    return TOWERS[kind](vision)


def _features(config: Config) -> int:
    """Return how many layers' features the projector reads."""
    layers = config.get("vision_feature_layer")
    return len(layers) if isinstance(layers, list | tuple) else 1


def llava(config: Config) -> ConfiguredModel:
    """Return a LLaVA 1.5, NeXT or OneVision (Liu et al. 2023; Li et al. 2024), or Pixtral, which has its class."""
    kind = str(config.get("model_type"))
    text, vision = read_text(config), _vision(config)
    hidden = text.transformer.hidden
    default = "siglip_vision_model" if kind == "llava_onevision" else "clip_vision_model"
    usual = {"image_size": 384, "num_hidden_layers": 26, "hidden_size": 1152, "intermediate_size": 4304,
             "patch_size": 14, "vision_use_head": False} if kind == "llava_onevision" else {
             "image_size": 336, "num_hidden_layers": 24, "hidden_size": 1024, "num_attention_heads": 16,
             "intermediate_size": 4096, "patch_size": 14}  # fmt: skip
    vision = {**usual, **vision} if vision.get("model_type") != "pixtral" else vision
    tower = _tower(vision, default)
    bias = config.get("multimodal_projector_bias", True) is True
    projector = linear_stack("projector", *mlp_projections(tower.hidden * _features(config), hidden, hidden, bias=bias))
    reading = Reading(config=vision, defaults={"image_size": 1024, "patch_size": 16}, model_type=kind)
    side, patch = image_side(reading), image_side(reading, "patch_size")
    if vision.get("model_type") == "pixtral":
        media = Media(policy="native", width=side, height=side, patch=patch, longest_side=side, row_breaks=True)
    else:
        media = Media(
            policy="fixed" if kind == "llava" else "tiled",
            width=side,
            height=side,
            patch=patch,
            extra=1 if "clip" in default and "siglip" not in str(vision.get("model_type")) else 0,
            tokens=(side // patch) ** 2,
            grids=_pinpoints(config, side, kind),
            thumbnail=True,
        )
    newline = hidden if kind != "llava" else 0
    return with_towers(config, text, media, {"vision": tower, "projector": projector}, besides=newline)


def _pinpoints(config: Config, side: int, kind: str) -> tuple[tuple[int, int], ...]:
    """Return the grids that a picture may be cut into, columns and rows."""
    listed = config.get("image_grid_pinpoints")
    if isinstance(listed, list | tuple) and listed:
        pairs = [pair for pair in listed if isinstance(pair, list | tuple)]
        return tuple((max(1, int(pair[-1]) // side), max(1, int(pair[0]) // side)) for pair in pairs)
    if kind == "llava_onevision":
        return tuple((a, b) for a in range(1, 7) for b in range(1, 7))
    return ((1, 2), (2, 1), (2, 2), (1, 3), (3, 1))


def qwen_vl(config: Config) -> ConfiguredModel:
    """Return a Qwen2-VL, 2.5-VL, 3-VL or Qwen3.5 (Wang et al. 2024): native proportions, 2×2 patches a token."""
    kind = str(config.get("model_type"))
    family = kind.removesuffix("_moe")
    text, vision = read_text(_counted_experts(config)), _vision(config)
    hidden = text.transformer.hidden
    fallback = {"hidden_size" if family == "qwen2_vl" else "out_hidden_size": hidden}
    vision = {**fallback, **vision}
    reading = Reading(
        config=vision,
        defaults={"patch_size": 14 if family in {"qwen2_vl", "qwen2_5_vl"} else 16, "spatial_merge_size": 2},
        model_type=kind,
    )
    patch, merge = reading.whole("patch_size"), reading.whole("spatial_merge_size")
    unit = (patch * merge) ** 2
    media = Media(
        policy="native",
        patch=patch,
        merge=merge,
        tubelet=reading.optional("temporal_patch_size", 2, least=1),
        # The processor's bounds: 4 to 16,384 tokens a picture.
        fewest_pixels=4 * unit,
        most_pixels=16_384 * unit,
        usual_count=0 if family == "qwen3_5" else 1,
    )
    towers = {"vision": qwen_vision(vision, family), "projector": qwen_merger(vision, kind)}
    return with_towers(config, text, media, towers)


def _counted_experts(config: Config) -> Config:
    """Return a configuration whose language model calls its experts as Qwen3's does."""
    text = nested(config, "text_config") or {}
    if text.get("num_experts") is None and text.get("num_local_experts") is not None:
        return {**config, "text_config": {**text, "num_experts": text["num_local_experts"]}}
    return config


def glm4v(config: Config) -> ConfiguredModel:
    """Return a GLM-4.1V or 4.5V (GLM-V Team 2025)."""
    inner = nested(config, "text_config") or {}
    hidden, heads = inner.get("hidden_size"), inner.get("num_attention_heads")
    # Their class divides without regard to a rest.
    width = hidden // heads if isinstance(hidden, int) and isinstance(heads, int) and heads else None
    text = read_text(config, {"attention_bias": True, "head_dim": width})
    vision = _vision(config)
    vision = {"out_hidden_size": text.transformer.hidden, **vision}
    unit = 28 * 28
    media = Media(policy="native", patch=14, merge=2, tubelet=2, fewest_pixels=16 * unit, most_pixels=6_000 * unit)
    return with_towers(config, text, media, {"vision": glm_vision(vision), "projector": glm_merger(vision)})


def internvl(config: Config) -> ConfiguredModel:
    """Return an InternVL 2.5, 3 or 3.5 (Chen et al. 2024): tiles of 448 pixels, 256 tokens each."""
    text, vision = read_text(config), _vision(config)
    tower, hidden = intern_vision(vision), text.transformer.hidden
    ratio = config.get("downsample_ratio", 0.5)
    merge = round(1.0 / ratio) if isinstance(ratio, int | float) and ratio else 2
    wide = tower.hidden * merge * merge
    projector = linear_stack("projector", *mlp_projections(wide, hidden, hidden), besides=2 * wide)
    reading = Reading(config=vision, defaults={"image_size": 448, "patch_size": 14}, model_type="internvl")
    side = image_side(reading)
    media = Media(
        policy="tiled",
        width=side,
        height=side,
        patch=image_side(reading, "patch_size"),
        merge=merge,
        extra=1,
        most_tiles=12,
        thumbnail=True,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def gemma3(config: Config) -> ConfiguredModel:
    """Return a Gemma 3 or PaliGemma with its SigLIP (Gemma Team 2025; Beyer et al. 2024); without one, text alone."""
    kind = str(config.get("model_type"))
    text = read_text(config, {"vocab_size": 262_208} if kind == "gemma3" else None)
    if nested(config, "vision_config") is None:
        return text
    usual = {"hidden_size": 768, "intermediate_size": 3072} if kind == "gemma3" else {
        "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16,
        "patch_size": 14, "vision_use_head": False}  # fmt: skip
    vision = {**usual, **_vision(config)}
    tower, hidden = _tower(vision, "siglip_vision_model"), text.transformer.hidden
    pali = kind == "paligemma"
    projection = Projection(name="projection", inputs=tower.hidden, outputs=hidden, bias=pali)
    projector = linear_stack("projector", projection, besides=0 if pali else tower.hidden)
    reading = Reading(config=vision, defaults={"image_size": 224, "patch_size": 16}, model_type=kind)
    side = image_side(reading)
    tokens = config.get("mm_tokens_per_image", 256)
    media = Media(
        width=side,
        height=side,
        patch=image_side(reading, "patch_size"),
        tokens=0 if pali or not isinstance(tokens, int) else tokens,
        tile_breaks=0 if pali else 2,
        usual_count=1 if pali else 0,
        usual_text=64 if pali else 256,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def gemma4(config: Config) -> ConfiguredModel:
    """Return a Gemma 4 with its encoder of pictures; one of sounds is refused by name."""
    text = read_text(config)
    if nested(config, "vision_config") is None:
        return text
    notes = ("the encoder of sounds is not counted",) if nested(config, "audio_config") else ()
    vision = _vision(config)
    tower, hidden = gemma4_vision(vision), text.transformer.hidden
    projector = linear_stack(
        "projector", Projection(name="projection", inputs=tower.hidden, outputs=hidden, bias=False)
    )
    reading = Reading(
        config=vision,
        defaults={"patch_size": 16, "pooling_kernel_size": 3, "default_output_length": 280},
        model_type="gemma4",
    )
    patch, merge = reading.whole("patch_size"), reading.whole("pooling_kernel_size")
    pixels = reading.whole("default_output_length") * (patch * merge) ** 2
    media = Media(policy="native", patch=patch, merge=merge, fewest_pixels=pixels, most_pixels=pixels, usual_count=0)
    made = with_towers(config, text, media, {"vision": tower, "projector": projector})
    return replace(made, notes=(*made.notes, *notes))


def mistral3(config: Config) -> ConfiguredModel:
    """Return a Mistral Small 3.1 or Ministral 3: Pixtral's encoder, 2×2 patches a token."""
    text, vision = read_text(config), _vision(config)
    tower, hidden = _tower(vision, "pixtral"), text.transformer.hidden
    merge = Reading(config=config, defaults={"spatial_merge_size": 2}, model_type="mistral3").whole(
        "spatial_merge_size"
    )
    bias = config.get("multimodal_projector_bias", False) is True
    projector = linear_stack(
        "projector",
        Projection(name="merger", inputs=tower.hidden * merge * merge, outputs=tower.hidden, bias=False),
        *mlp_projections(tower.hidden * _features(config), hidden, hidden, bias=bias),
        besides=tower.hidden,
    )
    reading = Reading(config=vision, defaults={"image_size": 1540, "patch_size": 14}, model_type="mistral3")
    side = image_side(reading)
    media = Media(
        policy="native",
        patch=image_side(reading, "patch_size"),
        merge=merge,
        longest_side=side,
        row_breaks=True,
        usual_count=0,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def idefics2(config: Config) -> ConfiguredModel:
    """Return an Idefics 2 (Laurençon et al. 2024): 64 learned queries read each picture."""
    text, vision = read_text(config), _vision(config)
    tower, hidden = _tower(vision, "idefics2_vision"), text.transformer.hidden
    reading = Reading(
        config=nested(config, "perceiver_config") or {},
        defaults={
            "resampler_depth": 3,
            "resampler_n_heads": 16,
            "resampler_head_dim": 96,
            "resampler_n_latents": 64,
            "num_key_value_heads": 4,
        },
        model_type="idefics2_perceiver",
    )
    latents, depth = reading.whole("resampler_n_latents"), reading.whole("resampler_depth")
    side = image_side(Reading(config=vision, defaults={"image_size": 980}, model_type="idefics2"))
    patch = image_side(Reading(config=vision, defaults={"patch_size": 14}, model_type="idefics2"), "patch_size")
    patches = (_COCO[0] // patch) * (_COCO[1] // patch)
    wide = text.transformer.ffn_hidden
    share = latents / patches
    cross = CrossAttention(
        layers=depth,
        heads=reading.whole("resampler_n_heads"),
        kv_heads=reading.whole("num_key_value_heads"),
        head_dim=reading.whole("resampler_head_dim"),
        source_rate=1.0 + share,
        keys=float(patches + latents),
        query_rate=share,
    )
    connector = (
        Projection(name="connector_up", inputs=tower.hidden, outputs=2 * wide, bias=False),
        Projection(name="connector_down", inputs=wide, outputs=hidden, bias=False),
        Projection(name="resampler_up", inputs=hidden, outputs=8 * hidden, bias=False, count=depth, rate=share),
        Projection(name="resampler_down", inputs=4 * hidden, outputs=hidden, bias=False, count=depth, rate=share),
    )
    besides = latents * hidden + (3 * depth + 1) * hidden
    projector = linear_stack("projector", *connector, besides=besides, hidden=hidden)
    projector = replace(projector, mixers=(*projector.mixers, cross))
    media = Media(
        policy="native", patch=patch, longest_side=side, fewest_pixels=378 * 378, tokens=latents, before_merge=patches
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def idefics3(config: Config) -> ConfiguredModel:
    """Return an Idefics 3 or SmolVLM (Laurençon et al. 2024; Marafioti et al. 2025): tiles, shuffled pixels."""
    text, vision = read_text(config), _vision(config)
    tower, hidden = _tower(vision, "idefics3_vision"), text.transformer.hidden
    merge = Reading(config=config, defaults={"scale_factor": 2}, model_type="idefics3").whole("scale_factor")
    projection = Projection(name="projection", inputs=tower.hidden * merge * merge, outputs=hidden, bias=False)
    reading = Reading(config=vision, defaults={"image_size": 224, "patch_size": 32}, model_type="idefics3")
    side = image_side(reading)
    media = Media(
        policy="tiled",
        width=side,
        height=side,
        patch=image_side(reading, "patch_size"),
        merge=merge,
        # The processors' longest edge is four tiles; three tokens frame each.
        longest_side=4 * side,
        tile_breaks=3,
        thumbnail=True,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": linear_stack("projector", projection)})


def mllama(config: Config) -> ConfiguredModel:
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
    from estimator.models.huggingface.config import configured_model

    listed = inner.get("cross_attention_layers", [3, 8, 13, 18, 23, 28, 33, 38])
    crossing = len(listed) if isinstance(listed, list | tuple) else 0
    text = configured_model({**{key: reading.value(key) for key in keys}, "model_type": "llama"})
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
    vision = _vision(config)
    tower = mllama_vision(vision)
    extra = nested(config, "vision_config") or {}
    taken = extra.get("intermediate_layers_indices", [3, 7, 15, 23, 30])
    features = 1 + (len(taken) if isinstance(taken, list | tuple) else 0)
    projection = Projection(name="projection", inputs=tower.hidden * features, outputs=llama.hidden)
    # Every picture fills four tiles, its own or blank ones.
    positions = tower.native_sequence_length
    media = Media(positions=positions, tokens=1, before_merge=positions, crosses=True)
    towers = {"vision": tower, "projector": linear_stack("projector", projection)}
    return with_towers(config, replace(text, transformer=network), media, towers)


def cohere_vision(config: Config) -> ConfiguredModel:
    """Return a Command A Vision: SigLIP 2, 2×2 patches a token, a gated projector."""
    text, vision = read_text(config), _vision(config)
    tower, hidden = _tower(vision, "siglip_vision_model"), text.transformer.hidden
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
    side = image_side(sizes)
    media = Media(
        policy="tiled",
        width=side,
        height=side,
        patch=image_side(sizes, "patch_size"),
        merge=merge,
        most_tiles=12,
        thumbnail=True,
    )
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def sound_model(config: Config) -> ConfiguredModel:
    """Return a Qwen2-Audio or Voxtral (Chu et al. 2024): Whisper's encoder, pooled or grouped, before a decoder."""
    kind = str(config.get("model_type"))
    text = read_text(config)
    audio, hidden = nested(config, "audio_config") or {}, text.transformer.hidden
    tower = whisper_encoder(audio, name=f"{kind}_encoder")
    positions = tower.native_sequence_length
    if kind == "voxtral":
        # Four positions are one token.
        wide = tower.ffn_hidden
        projections, tokens = mlp_projections(wide, hidden, hidden, bias=False), positions // 4
    else:
        projections, tokens = mlp_projections(tower.hidden, hidden), positions // 2
    media = Media(kind="sound", positions=positions, tokens=tokens, usual_text=64)
    return with_towers(config, text, media, {"audio": tower, "projector": linear_stack("projector", *projections)})
