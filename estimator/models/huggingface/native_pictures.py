"""Language models whose pictures keep their proportions: as many positions as they have patches."""

from dataclasses import replace

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.blocks import image_side, linear_stack, mlp_projections, names_class
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.encoder_decoders import whisper_encoder
from estimator.models.huggingface.gemma_sounds import gemma3n_sound, gemma4_sound
from estimator.models.huggingface.mobilenet_v5 import MADE_WIDTH, POSITIONS, TOKENS, mobilenet_v5
from estimator.models.huggingface.multimodal import (
    feature_layers,
    language_model,
    picture_tower,
    vision_config,
    with_towers,
)
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.vision import siglip_vision
from estimator.models.huggingface.vision_towers import (
    gemma4_vision,
    glm_merger,
    glm_vision,
    qwen_merger,
    qwen_vision,
)
from estimator.models.media import Media
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Tower

__all__ = ["gemma3n", "gemma4", "glm4v", "idefics2", "lfm2_vl", "mistral3", "qwen_omni", "qwen_vl"]

_COCO = (640, 480)
_MOBILE = "mobilenetv5_300m_enc"
_LFM_TOKENS = 256
"""Most tokens of a picture that is not cut, as LFM2-VL's processor has it; fewest: a quarter."""
_OMNI_TEXT: Config = {
    "vocab_size": 152_064,
    "hidden_size": 3584,
    "intermediate_size": 18_944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
}
"""Widths of Qwen2.5-Omni's language model, where its file leaves them out."""
_OMNI_VISION: Config = {"hidden_size": 3584}
"""And of its encoder of pictures, whose class is not as narrow as Qwen2.5-VL's where nothing is said."""


def qwen_vl(config: Config, read: Read) -> ConfiguredModel:
    """Return a Qwen2-VL to 3.5 (Wang et al. 2024), or EXAONE 4.5: native proportions, 2×2 patches a token."""
    kind = str(config.get("model_type"))
    family = kind.removesuffix("_moe")
    text, vision = language_model(_counted_experts(config), read), vision_config(config)
    hidden = text.transformer.hidden
    fallback = {"hidden_size" if family == "qwen2_vl" else "out_hidden_size": hidden}
    vision = {**fallback, **vision}
    reading = Reading(
        config=vision,
        defaults={"patch_size": 16 if family.startswith("qwen3") else 14, "spatial_merge_size": 2},
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


def qwen_omni(config: Config, read: Read) -> ConfiguredModel:
    """Return the thinker of Qwen2.5-Omni (Xu et al. 2025): Qwen2.5-VL with, idle beside pictures, Whisper's encoder.

    What it speaks with is no part of the thinker, which is what is trained.
    """
    thinker = nested(config, "thinker_config") or config
    inner = {**_OMNI_TEXT, **(nested(thinker, "text_config") or {}), "model_type": "qwen2_5_vl_text"}
    vision = {**_OMNI_VISION, **(nested(thinker, "vision_config") or {})}
    seeing = qwen_vl({**thinker, "model_type": "qwen2_5_vl", "text_config": inner, "vision_config": vision}, read)
    hidden = seeing.transformer.hidden
    hearing = whisper_encoder(nested(thinker, "audio_config") or {}, name="qwen2_5_omni_audio")
    to_text = Projection(name="to_text", inputs=hearing.hidden, outputs=hidden, rate=0.5)
    sounds = replace(
        hearing,
        mixers=(*hearing.mixers, to_text),
        # Its positions are sines; embeddings begin and end a sound.
        lookup_parameters=2 * hidden,
        vector_parameters=hearing.vector_parameters + to_text.vectors(hearing.hidden),
    )
    towers = (*seeing.transformer.towers, Tower(name="audio", network=sounds, rate=0.0))
    network = replace(seeing.transformer, name="qwen2_5_omni model", towers=towers)
    spoken = "what it speaks with (the talker, and what makes sound of its codes) is not counted"
    return replace(seeing, transformer=network, notes=(*seeing.notes, spoken))


def _counted_experts(config: Config) -> Config:
    """Return a configuration whose language model calls its experts as Qwen3's does."""
    text = nested(config, "text_config") or {}
    if text.get("num_experts") is None and text.get("num_local_experts") is not None:
        return {**config, "text_config": {**text, "num_experts": text["num_local_experts"]}}
    return config


def glm4v(config: Config, read: Read) -> ConfiguredModel:
    """Return a GLM-4.1V or 4.5V (GLM-V Team 2025)."""
    inner = nested(config, "text_config") or {}
    hidden, heads = inner.get("hidden_size"), inner.get("num_attention_heads")
    # Their class divides without regard to a rest.
    width = hidden // heads if isinstance(hidden, int) and isinstance(heads, int) and heads else None
    text = language_model(config, read, {"attention_bias": True, "head_dim": width})
    vision = vision_config(config)
    vision = {"out_hidden_size": text.transformer.hidden, **vision}
    unit = 28 * 28
    media = Media(policy="native", patch=14, merge=2, tubelet=2, fewest_pixels=16 * unit, most_pixels=6_000 * unit)
    return with_towers(config, text, media, {"vision": glm_vision(vision), "projector": glm_merger(vision)})


def gemma3n(config: Config, read: Read) -> ConfiguredModel:
    """Return a Gemma 3n with MobileNetV5 and, idle beside pictures, its encoder of sounds: its class has both unsaid.

    Raises UnsupportedModelError for another encoder of pictures.
    """
    text = language_model(config, read)
    if names_class(config, "ForCausalLM"):
        return text
    vision, hidden = vision_config(config), text.transformer.hidden
    named = vision.get("architecture", _MOBILE)
    if named != _MOBILE:
        raise UnsupportedModelError(f"hf_config.vision_config.architecture: {shown(named)} is not modelled here")
    rows = Reading(config=vision, defaults={"vocab_size": 128}, model_type="gemma3n_vision").whole("vocab_size")
    projector = linear_stack(
        "projector",
        Projection(name="projection", inputs=MADE_WIDTH, outputs=hidden, bias=False),
        # Tokens of pictures, embedded in the encoder's width, and a scale for them and for what is seen.
        lookup=rows * MADE_WIDTH,
        besides=2 * MADE_WIDTH,
    )
    media = Media(positions=POSITIONS, tokens=TOKENS, usual_count=0)
    sounds = gemma3n_sound(nested(config, "audio_config") or {}, hidden)
    towers = {"vision": mobilenet_v5(), "projector": projector, "audio": sounds}
    return with_towers(config, text, media, towers)


def gemma4(config: Config, read: Read) -> ConfiguredModel:
    """Return a Gemma 4 with its encoders of pictures and, idle beside pictures, of sounds."""
    text = language_model(config, read)
    if nested(config, "vision_config") is None:
        return text
    sounds = nested(config, "audio_config")
    vision = vision_config(config)
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
    towers = {"vision": tower, "projector": projector}
    if sounds:
        towers["audio"] = gemma4_sound(sounds, hidden)
    return with_towers(config, text, media, towers)


def mistral3(config: Config, read: Read) -> ConfiguredModel:
    """Return a Mistral Small 3.1 or Ministral 3: Pixtral's encoder, 2×2 patches a token."""
    text, vision = language_model(config, read), vision_config(config)
    tower, hidden = picture_tower(vision, "pixtral"), text.transformer.hidden
    merge = Reading(config=config, defaults={"spatial_merge_size": 2}, model_type="mistral3").whole(
        "spatial_merge_size"
    )
    bias = config.get("multimodal_projector_bias", False) is True
    projector = linear_stack(
        "projector",
        Projection(name="merger", inputs=tower.hidden * merge * merge, outputs=tower.hidden, bias=False),
        *mlp_projections(tower.hidden * feature_layers(config), hidden, hidden, bias=bias),
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


def lfm2_vl(config: Config, read: Read) -> ConfiguredModel:
    """Return an LFM2-VL (Liquid AI 2025): SigLIP 2 at native proportions, 2×2 patches a token, in tiles beyond."""
    text, vision = language_model(config, read), vision_config(config)
    tower, hidden = siglip_vision(vision, native=True), text.transformer.hidden
    reading = Reading(
        config=config, defaults={"projector_hidden_size": 2560, "downsample_factor": 2}, model_type="lfm2_vl"
    )
    merge, inner = reading.whole("downsample_factor"), reading.whole("projector_hidden_size")
    wide, bias = tower.hidden * merge * merge, reading.flag("projector_bias", default=True)
    normed = 2 * wide if reading.flag("projector_use_layernorm", default=True) else 0
    projector = linear_stack("projector", *mlp_projections(wide, inner, hidden, bias=bias), besides=normed)
    patch = Reading(config=vision, defaults={"patch_size": 16}, model_type="lfm2_vl").whole("patch_size")
    pixels = _LFM_TOKENS * (patch * merge) ** 2
    media = Media(policy="native", patch=patch, merge=merge, fewest_pixels=pixels // 4, most_pixels=pixels)
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def idefics2(config: Config, read: Read) -> ConfiguredModel:
    """Return an Idefics 2 (Laurençon et al. 2024): 64 learned queries read each picture."""
    text, vision = language_model(config, read), vision_config(config)
    tower, hidden = picture_tower(vision, "idefics2_vision"), text.transformer.hidden
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
