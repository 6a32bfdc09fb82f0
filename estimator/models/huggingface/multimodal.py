"""Language models that read pictures or sounds: a decoder as the main stack, towers and a projector beside it."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.class_defaults import with_class_defaults
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.reading import Config, entries, nested, own_name
from estimator.models.huggingface.vision_towers import TOWERS
from estimator.models.media import Media
from estimator.models.transformer import Tower, Transformer

__all__ = ["TIED_WITHIN", "feature_layers", "language_model", "picture_tower", "vision_config", "with_towers"]

_TEXT_KEYS = ("text_config", "llm_config", "language_config")
_OWN_TEXT: Mapping[str, str] = {
    "aria": "aria_text",
    "exaone4_5": "exaone4_5_text",
    "fast_vlm": "qwen2",
    "florence2": "bart",
    "fuyu": "persimmon",
    "gemma3": "gemma3_text",
    "gemma3n": "gemma3n_text",
    "gemma4": "gemma4_text",
    "glm46v": "glm4v_text",
    "glm4v": "glm4v_text",
    "glm4v_moe": "glm4v_moe_text",
    "glmga": "glm4v_text",
    "internvl_chat": "internlm2",
    "kimi_k25": "deepseek_v3",
    "lfm2_vl": "lfm2",
    "lighton_ocr": "qwen3",
    "llama4": "llama4_text",
    "minimax_m3_vl": "minimax_m3_vl_text",
    "paligemma": "gemma",
    "phi4_multimodal": "phi3",
    "qwen2_5_vl": "qwen2_5_vl_text",
    "qwen2_audio": "qwen2",
    "qwen2_vl": "qwen2_vl_text",
    "qwen3_5": "qwen3_5_text",
    "qwen3_5_moe": "qwen3_5_moe_text",
    "qwen3_vl": "qwen3_vl_text",
    "qwen3_vl_moe": "qwen3_vl_moe_text",
    "step3p7": "step3p5",
}
"""What the language model is, where it does not say itself."""
_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "n_routed_experts": ("num_local_experts", "num_experts"),
    "num_experts": ("num_local_experts",),
    "num_local_experts": ("num_experts",),
}
"""What the text part may call what its class has a default for."""
TIED_WITHIN = frozenset(
    {
        *("fast_vlm", "glm46v", "glm4v", "glm4v_moe", "glmga", "llava", "llava_next_video", "llava_onevision"),
        *("minimax_m3_vl", "video_llama_3"),
    }
)
"""Classes that heed the tie of their text part, whatever the whole model's says."""
_MEDIA_KEYS = frozenset({"vision_config", "audio_config", "perceiver_config"})


def language_model(config: Config, read: Read, defaults: Config | None = None) -> ConfiguredModel:
    """Return the language model inside a configuration; its keys may stand beside those of the towers."""
    kind = str(config.get("model_type"))
    key = next((key for key in _TEXT_KEYS if nested(config, key)), None)
    inner: Config = (nested(config, key) or {}) if key else {k: v for k, v in config.items() if k not in _MEDIA_KEYS}
    given = inner.get("model_type")
    text_kind = _OWN_TEXT.get(kind, "llama") if given is None or given == kind else given
    told = [source["tie_word_embeddings"] for source in (config, inner) if "tie_word_embeddings" in source]
    tied = {"tie_word_embeddings": any(told) if kind in TIED_WITHIN else told[0]} if told else {}
    # The inner model's class is a class of its own, and its head is what is trained.
    text: dict[str, object] = {**(defaults or {}), **inner, **tied, "model_type": text_kind}
    text.pop("architectures", None)
    if key is None:
        return read(text)
    return read(with_class_defaults(text, str(text_kind), _OTHER_NAMES))


def with_towers(
    config: Config, text: ConfiguredModel, media: Media, towers: Mapping[str, Transformer], *, besides: int = 0
) -> ConfiguredModel:
    """Return a language model with idle towers, beside a decoder's; what a sample holds sets their rates."""
    idle = (Tower(name=name, network=tower, rate=0.0) for name, tower in towers.items())
    network = replace(
        text.transformer,
        towers=(*idle, *text.transformer.towers),
        media=media,
        vector_parameters=text.transformer.vector_parameters + besides,
    )
    name = own_name(config, f"{config.get('model_type')} model")
    return replace(text, transformer=replace(network, name=name))


def vision_config(config: Config) -> Config:
    """Return the configuration of the encoder of pictures; empty where there is none."""
    return nested(config, "vision_config") or {}


def picture_tower(vision: Config, default: str) -> Transformer:
    """Return an encoder of pictures by its own `model_type`. Raises UnsupportedModelError for one not known here."""
    kind = str(vision.get("model_type") or default)
    if kind not in TOWERS:
        raise UnsupportedModelError(f"hf_config: an encoder of pictures of type {shown(kind)} is not modelled here")
    return TOWERS[kind](vision)


def feature_layers(config: Config) -> int:
    """Return how many layers' features the projector reads."""
    return len(entries(config.get("vision_feature_layer"))) or 1
