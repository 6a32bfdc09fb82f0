"""MusicGen: a decoder of sound's codes that looks at a text."""

from collections.abc import Mapping

from estimator.models.huggingface.blocks import configured, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.media import Media
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.projection import Projection
from estimator.models.vectors import VectorFacts

__all__ = ["musicgen"]

_MUSICGEN: Mapping[str, object] = {
    "vocab_size": 2048,
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "ffn_dim": 4096,
    "num_codebooks": 4,
}
_FRAMES, _TEXT = 1_500, 64
"""Frames of 20 ms in 30 s, and tokens of a description."""
_ASIDE = "the encoders of text and sound beside it are frozen, and what they make is taken to be kept"


def musicgen(config: Config) -> ConfiguredModel:
    """Return MusicGen's decoder (Copet et al. 2023), alone or out of a whole model: a token is a frame of all codes."""
    inner = nested(config, "decoder")
    reading = Reading(config=config if inner is None else inner, defaults=_MUSICGEN, model_type="musicgen_decoder")
    hidden, layers, heads = (reading.whole(key) for key in ("hidden_size", "num_hidden_layers", "num_attention_heads"))
    vocab, books = reading.whole("vocab_size"), reading.whole("num_codebooks")
    cross = CrossAttention(
        layers=layers,
        heads=heads,
        kv_heads=heads,
        head_dim=hidden // heads,
        source_rate=_TEXT / _FRAMES,
        keys=float(_TEXT),
    )
    network = stack(
        name="musicgen model",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=reading.whole("ffn_dim"),
        facts=VectorFacts(norm_vectors=2, norms_per_layer=3),
        causal=True,
        mixers=(
            cross,
            Projection(name="logits", inputs=hidden, outputs=vocab, count=books, bias=False, part="logits"),
        ),
        # A row more than codes begins each.
        lookup=books * (vocab + 1) * hidden,
        media=Media(kind="sound", main=True, positions=_FRAMES, seconds=30.0, usual_text=0),
        native=_FRAMES,
    )
    return configured(network, config, _ASIDE)
