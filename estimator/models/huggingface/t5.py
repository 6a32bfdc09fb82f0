"""T5 and what descends from it: mT5, UMT5, LongT5, Switch Transformers, and T5Gemma."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.models.feed_forward import Experts
from estimator.models.huggingface.blocks import classes, configured, head_class, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.encoder_decoders import decoder_head, decoder_tower
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts

__all__ = ["T5_LIKE", "t5", "t5gemma"]

_CORRUPTED = 114 / 512
"""Target over source tokens of T5's span corruption: 512 in, 114 out (Raffel et al. 2020, section 3.1.4)."""
_T5 = {
    "vocab_size": 32128,
    "d_model": 512,
    "d_kv": 64,
    "d_ff": 2048,
    "num_layers": 6,
    "num_heads": 8,
    "relative_attention_num_buckets": 32,
}
_SWITCH = {
    **_T5,
    "d_model": 768,
    "num_layers": 12,
    "num_heads": 12,
    "num_experts": 8,
    "num_sparse_encoder_layers": 3,
    "num_sparse_decoder_layers": 3,
}
_MT5 = {**_T5, "vocab_size": 250112, "d_ff": 1024, "num_layers": 8, "num_heads": 6, "feed_forward_proj": "gated-gelu"}
_LONG = {**_T5, "local_radius": 127, "global_block_size": 16, "encoder_attention_type": "local"}
T5_LIKE: Mapping[str, Config] = {"longt5": _LONG, "mt5": _MT5, "switch_transformers": _SWITCH, "t5": _T5, "umt5": _MT5}
"""Defaults of each family, by `model_type`."""
_BLOCKS = 3
"""Blocks of as many positions as a LongT5 reaches to one side: its own and both beside it."""
_LONG_TEXT = 4096
"""Tokens that LongT5 is pre-trained on (Guo et al. 2022, section 4.1), of which global ones are made."""
_GEMMA = {
    "vocab_size": 256000,
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "max_position_embeddings": 8192,
    "sliding_window": 4096,
}
_SPLIT = 1.0
"""Target over source tokens where a text is cut in the middle, as T5Gemma is trained (Zhang et al. 2025)."""


def t5(config: Config) -> ConfiguredModel:
    """Return a T5, mT5, UMT5, LongT5 or Switch Transformer: no biases, positions in a table of buckets.

    Source: Raffel et al. 2020; Xue et al. 2021; Guo et al. 2022; Fedus et al. 2021, whose tokens each visit one expert.
    """
    kind = str(config.get("model_type"))
    reading = Reading(config=config, defaults=T5_LIKE[kind], model_type=kind)
    hidden, heads, head_dim = reading.whole("d_model"), reading.whole("num_heads"), reading.whole("d_kv")
    layers = reading.whole("num_layers")
    ffn, vocab = reading.whole("d_ff"), reading.whole("vocab_size")
    buckets = reading.whole("relative_attention_num_buckets") * heads
    each = kind == "umt5"
    gated = str(reading.value("feed_forward_proj") or "relu").startswith("gated")
    facts = VectorFacts()

    window, global_vectors = _window(reading, buckets, hidden * layers) if kind == "longt5" else (0, 0)
    windows = {"window": window, "windowed_layers": layers, "native": _LONG_TEXT} if window else {}

    def built(name: str, depth: int, beside: int = 0, **more: object) -> Transformer:
        return stack(
            name=name,
            hidden=hidden,
            layers=depth,
            heads=heads,
            head_dim=head_dim,
            ffn=ffn,
            gated=gated,
            besides=buckets * (depth if each else 1) + beside,
            experts=_switch_experts(reading, name, depth) if kind == "switch_transformers" else None,
            **more,  # type: ignore[arg-type]
        )

    named = head_class(config, "")
    if named.endswith(("EncoderModel", "ForTokenClassification")):
        label = Projection(name="classifier", inputs=hidden, outputs=classes(reading), part="logits")
        labels = (label,) if named.endswith("ForTokenClassification") else ()
        alone = built(
            f"{kind} encoder", layers, global_vectors, facts=facts, lookup=vocab * hidden, mixers=labels, **windows
        )
        return configured(alone, config)
    depth = reading.optional("num_decoder_layers", layers, least=1)
    cross = CrossAttention(layers=depth, heads=heads, kv_heads=heads, head_dim=head_dim, source_rate=1 / _CORRUPTED)
    head = decoder_head(reading, hidden)
    decoder = built(
        "decoder",
        depth,
        facts=replace(facts, norms_per_layer=3),
        causal=True,
        vocab=vocab if head is None else 0,
        mixers=(cross, *(head or ())),
        lookup=0 if head is None else vocab * hidden,
    )
    tied = reading.flag("tie_word_embeddings", default=True)
    decoder = replace(decoder, tied_embeddings=tied)
    towers = (decoder_tower(decoder, _CORRUPTED),)
    encoder = built(f"{kind} model", layers, global_vectors, facts=facts, towers=towers, **windows)
    return configured(encoder, config)


def _window(reading: Reading, buckets: int, norms: int) -> tuple[int, int]:
    """Return the keys that a token of LongT5's encoder sees, and what global tokens have: buckets, norms."""
    near = _BLOCKS * (reading.whole("local_radius") + 1)
    if reading.value("encoder_attention_type") == "local":
        return near, 0
    return near + _LONG_TEXT // reading.whole("global_block_size"), buckets + norms


def _switch_experts(reading: Reading, name: str, depth: int) -> Experts | None:
    """Return the experts of one of the stacks: of the second layer of every so many; None where none has any."""
    sparse = reading.whole(f"num_sparse_{'decoder' if name == 'decoder' else 'encoder'}_layers", least=0)
    if not sparse:
        return None
    step = max(depth // sparse, 1)
    return Experts(
        n_experts=reading.whole("num_experts"),
        top_k=1,
        ffn_hidden=reading.whole("d_ff"),
        layers=depth if step == 1 else (depth + step - 2) // step,
    )


def t5gemma(config: Config) -> ConfiguredModel:
    """Return a T5Gemma (Zhang et al. 2025): Gemma 2's layers as an encoder, and with cross-attention as a decoder."""
    encoder = Reading(config=nested(config, "encoder") or {}, defaults=_GEMMA, model_type="t5gemma")
    source = encoder.whole("hidden_size")
    below = _gemma_stack(encoder, name="t5gemma model", lookup=encoder.whole("vocab_size") * source)
    if "EncoderModel" in head_class(config, ""):
        return configured(below, config)
    decoder = Reading(config=nested(config, "decoder") or {}, defaults=_GEMMA, model_type="t5gemma")
    cross = CrossAttention(
        layers=decoder.whole("num_hidden_layers"),
        heads=decoder.whole("num_attention_heads"),
        kv_heads=decoder.whole("num_key_value_heads"),
        head_dim=decoder.whole("head_dim"),
        source_width=source,
        source_rate=1 / _SPLIT,
    )
    above = _gemma_stack(decoder, name="decoder", cross=cross)
    return configured(replace(below, towers=(decoder_tower(above, _SPLIT),)), config)


def _gemma_stack(reading: Reading, *, name: str, lookup: int = 0, cross: CrossAttention | None = None) -> Transformer:
    """Return Gemma 2's layers, those that look at another sequence causal, and with the output that is the embedding.

    Every half of a layer has a norm before and one behind it.
    """
    layers, window = reading.whole("num_hidden_layers"), reading.whole("sliding_window")
    kinds = reading.items("layer_types") or ("sliding_attention", "full_attention") * layers
    return stack(
        name=name,
        hidden=reading.whole("hidden_size"),
        layers=layers,
        heads=reading.whole("num_attention_heads"),
        kv_heads=reading.whole("num_key_value_heads"),
        head_dim=reading.whole("head_dim"),
        ffn=reading.whole("intermediate_size"),
        facts=VectorFacts(norms_per_layer=6 if cross else 4),
        gated=True,
        causal=cross is not None,
        vocab=reading.whole("vocab_size") if cross else 0,
        mixers=(cross,) if cross else (),
        lookup=lookup,
        # An encoder's window lies on both sides.
        window=window if cross else 2 * window,
        windowed_layers=kinds[:layers].count("sliding_attention"),
        native=reading.whole("max_position_embeddings"),
    )
