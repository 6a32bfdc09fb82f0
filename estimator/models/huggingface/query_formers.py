"""Language models that a few learned queries read pictures for: BLIP-2, InstructBLIP and Aria."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.models.feed_forward import Dense
from estimator.models.huggingface.blocks import linear_stack, mlp_projections, patches_a_side, stack
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.multimodal import language_model, picture_tower, vision_config, with_towers
from estimator.models.huggingface.picture_to_text import blip_vision
from estimator.models.huggingface.reading import Config, Reading, inside, nested
from estimator.models.media import Media
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer

__all__ = ["aria", "blip2"]

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
    media = Media(positions=positions, tokens=queries, usual_text=_WORDS, bridges=True)
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


def aria(config: Config, read: Read) -> ConfiguredModel:
    """Return an Aria (Li et al. 2024): as many queries as the picture's patches ask for look at them once."""
    text, vision = language_model(config, read), vision_config(config)
    tower = picture_tower(vision, "idefics3_vision")
    reading = Reading(config=vision, defaults={"image_size": 980, "patch_size": 14}, model_type="aria")
    patches = patches_a_side(reading) ** 2
    table = Reading(
        config=inside(config, "projector_patch_to_query_dict"), defaults={"1225": 128, "4900": 256}, model_type="aria"
    )
    most = Reading(config=config, defaults={}, model_type="aria").optional(
        "max_value_projector_patch_to_query_dict", table.whole("4900"), least=1
    )
    queries = table.optional(str(patches), most, least=1)
    projector = _aria_projector(tower, patches, queries, rows=most, out=text.transformer.hidden)
    media = Media(positions=patches, tokens=queries)
    return with_towers(config, text, media, {"vision": tower, "projector": projector})


def _aria_projector(tower: Transformer, patches: int, queries: int, *, rows: int, out: int) -> Transformer:
    """Return one layer of attention, whose queries, keys and values are each projected twice, and an MLP."""
    hidden, rate = tower.hidden, patches / queries
    cross = CrossAttention(
        layers=1,
        heads=tower.n_heads,
        kv_heads=tower.n_heads,
        head_dim=hidden // tower.n_heads,
        source_rate=rate,
        keys=float(patches),
        own_vectors=4 * hidden,
    )
    return linear_stack(
        "projector",
        Projection(name="queries", inputs=hidden, outputs=hidden, bias=False),
        Projection(name="keys", inputs=hidden, outputs=2 * hidden, rate=rate, bias=False),
        cross,
        Projection(name="looked", inputs=hidden, outputs=hidden),
        *mlp_projections(hidden, out, out, bias=False),
        # Norms of queries, of keys and values, and of what the MLP reads.
        besides=6 * hidden,
        lookup=rows * hidden,
        hidden=hidden,
    )
