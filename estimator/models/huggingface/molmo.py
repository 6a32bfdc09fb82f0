"""Molmo 2: tiles that overlap, each group of patches drawn together by attention from their mean."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import UnsupportedModelError
from estimator.models.huggingface.blocks import BIASED, image_side, linear_stack, patches_a_side, stack
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.multimodal import language_model, vision_config, with_towers
from estimator.models.huggingface.reading import Config, Reading, entries, nested
from estimator.models.huggingface.vision_towers import patch_embedding
from estimator.models.media import Media
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer

__all__ = ["molmo2"]

_TEXT: Mapping[str, object] = {
    "hidden_size": 4096,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151936,
    "num_hidden_layers": 36,
    "intermediate_size": 12288,
    "max_position_embeddings": 36864,
    "tie_word_embeddings": False,
}
_VISION: Mapping[str, object] = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 25,
    "num_attention_heads": 16,
    "image_size": [378, 378],
    "patch_size": 14,
    "num_position_embeddings": 729,
}
_ADAPTER: Mapping[str, object] = {
    "hidden_size": 1152,
    "num_attention_heads": 16,
    "head_dim": 72,
    "intermediate_size": 18944,
    "text_hidden_size": 3584,
}
_OWN_KEYS = frozenset({"additional_vocab_size", "model_type", "norm_after", "qk_norm_type", "rope_scaling_layers"})
_TILES, _OVERLAP, _POOLED = 8, 4, 2
"""Tiles of a picture at most, patches by which they overlap, and patches a side of a token: as its processor has it."""


def molmo2(config: Config, read: Read) -> ConfiguredModel:
    """Return a Molmo 2 (Clark et al. 2026) on a decoder as Qwen3 has it, or as OLMo 2 has."""
    inner = nested(config, "text_config") or {}
    behind, norms = inner.get("norm_after", False), inner.get("qk_norm_type", "qwen3")
    kinds = {(False, "qwen3"): "qwen3", (True, "olmo"): "olmo2"}
    kind = kinds.get((behind is True, str(norms)))
    if kind is None:
        raise UnsupportedModelError("hf_config.text_config: such norms are not modelled here; Qwen3's and OLMo 2's are")
    known = {key: value for key, value in inner.items() if key not in _OWN_KEYS}
    text = language_model({**config, "text_config": {**_TEXT, **known, "model_type": kind}}, read)
    more = Reading(config=inner, defaults={"additional_vocab_size": 128}, model_type="molmo2")
    # Tokens of pictures are embedded in rows of their own, and never predicted.
    rows = more.whole("additional_vocab_size", least=0) * text.transformer.hidden
    network = text.transformer
    text = replace(text, transformer=replace(network, lookup_parameters=network.lookup_parameters + rows))
    vision = Reading(config=vision_config(config), defaults=_VISION, model_type="molmo2_vision")
    side, patch = image_side(vision), image_side(vision, "patch_size")
    media = Media(
        policy="tiled",
        width=side,
        height=side,
        patch=patch,
        merge=_POOLED,
        most_tiles=_TILES,
        thumbnail=True,
        overlap=_OVERLAP if side // patch > 2 * _OVERLAP else 0,
    )
    towers = {"vision": _vision(vision), "projector": _adapter(config, vision.whole("hidden_size"))}
    return with_towers(config, text, media, towers)


def _vision(reading: Reading) -> Transformer:
    hidden = reading.whole("hidden_size")
    return stack(
        name="molmo2 vision",
        hidden=hidden,
        layers=reading.whole("num_hidden_layers"),
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        # Features are those of layers: no norm stands behind them.
        facts=replace(BIASED, outer_norms=0),
        mixers=(patch_embedding(image_side(reading, "patch_size"), hidden),),
        lookup=reading.whole("num_position_embeddings") * hidden,
        native=patches_a_side(reading) ** 2,
    )


def _adapter(config: Config, features: int) -> Transformer:
    """Return attention of each token's mean to its few patches, whose scores are not counted, and a gated MLP."""
    inner = nested(config, "adapter_config") or {}
    reading = Reading(config=inner, defaults=_ADAPTER, model_type="molmo2_adapter")
    read = features * (len(entries(inner.get("vision_feature_layer"))) or 2)
    width, ffn = reading.whole("num_attention_heads") * reading.whole("head_dim"), reading.whole("intermediate_size")
    hidden, each = reading.whole("hidden_size"), float(_POOLED**2)
    return linear_stack(
        "projector",
        Projection(name="pooling_q", inputs=read, outputs=width),
        Projection(name="pooling_kv", inputs=read, outputs=width, count=2, rate=each),
        Projection(name="pooling_out", inputs=width, outputs=hidden),
        Projection(name="projection_up", inputs=hidden, outputs=ffn, count=2, bias=False),
        Projection(name="projection_down", inputs=ffn, outputs=reading.whole("text_hidden_size"), bias=False),
    )
