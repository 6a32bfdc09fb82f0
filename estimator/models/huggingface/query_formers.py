"""Language models that a few learned queries read pictures for: BLIP-2 and InstructBLIP."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.models.feed_forward import Dense
from estimator.models.huggingface.blocks import stack
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.multimodal import language_model, vision_config, with_towers
from estimator.models.huggingface.picture_to_text import blip_vision
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.media import Media
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer

__all__ = ["blip2"]

_VISION: Mapping[str, object] = {
    "hidden_size": 1408,
    "intermediate_size": 6144,
    "num_hidden_layers": 39,
    "num_attention_heads": 16,
    "num_channels": 3,
    "image_size": 224,
    "patch_size": 14,
}
_QUERIES: Mapping[str, object] = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "cross_attention_frequency": 2,
}
_WORDS = 32
"""Tokens of text beside a picture where nothing is said: questions and captions are short."""


def blip2(config: Config, read: Read) -> ConfiguredModel:
    """Return a BLIP-2 (Li et al. 2023) or InstructBLIP (Dai et al. 2023): a ViT, a Q-Former and a language model."""
    text = language_model(config, read)
    tower = blip_vision({**_VISION, **vision_config(config)})
    positions = tower.native_sequence_length
    queries = Reading(config=config, defaults={"num_query_tokens": 32}, model_type="blip-2").whole("num_query_tokens")
    reading = Reading(config=nested(config, "qformer_config") or {}, defaults=_QUERIES, model_type="blip_2_qformer")
    former = _former(reading, tower, queries, out=text.transformer.hidden)
    if config.get("model_type") == "instructblip":
        former = _reading_text(former, reading)
    media = Media(positions=positions, tokens=queries, usual_text=_WORDS)
    return with_towers(config, text, media, {"vision": tower, "projector": former})


def _former(reading: Reading, tower: Transformer, queries: int, *, out: int) -> Transformer:
    """Return a BERT over the queries; of every so many layers, one looks at the picture."""
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    heads, positions = reading.whole("num_attention_heads"), tower.native_sequence_length
    cross = CrossAttention(
        layers=-(-layers // reading.whole("cross_attention_frequency")),
        heads=heads,
        kv_heads=heads,
        head_dim=hidden // heads,
        source_width=tower.hidden,
        source_rate=positions / queries,
        keys=float(positions),
        # Biases, and a norm behind it.
        own_vectors=6 * hidden,
    )
    return stack(
        name="q-former",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.whole("intermediate_size"),
        mixers=(cross, Projection(name="to_text", inputs=hidden, outputs=out)),
        lookup=queries * hidden,
        native=queries,
    )


def _reading_text(former: Transformer, reading: Reading) -> Transformer:
    """Return a Q-Former that reads the instruction too, by MLPs of its own; as many words as queries are counted."""
    hidden, ffn = former.hidden, reading.whole("intermediate_size")
    words = (reading.whole("vocab_size") + reading.whole("max_position_embeddings")) * hidden
    vectors = (ffn + hidden + 2 * hidden) * former.n_layers
    return replace(
        former,
        feed_forwards=(Dense(layers=former.n_layers, width=ffn, gated=False),),
        lookup_parameters=former.lookup_parameters + words,
        vector_parameters=former.vector_parameters + vectors,
    )
