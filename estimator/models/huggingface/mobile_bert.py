"""MobileBERT: layers of BERT large's width that work in a bottleneck, with four MLPs each."""

from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import UnsupportedModelError
from estimator.models.huggingface.blocks import (
    BIASED,
    classes,
    classifier,
    configured,
    head_class,
    refuse_untied,
    stack,
)
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.given import Given
from estimator.models.mixers.mixer import Mixer, Operations, mixer_gemm
from estimator.models.mixers.projection import Projection
from estimator.models.operations import Attention, Stream

__all__ = ["mobile_bert"]

_MOBILE: Mapping[str, object] = {
    "vocab_size": 30522,
    "hidden_size": 512,
    "num_hidden_layers": 24,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "embedding_size": 128,
    "intra_bottleneck_size": 128,
    "num_feedforward_networks": 4,
}
_TRIGRAM = 3
"""Embeddings of neighbouring tokens that are projected together."""
_BOTTLENECKS = 2
"""Of each layer: what its residual stream is, and what queries and keys are projected from."""


def mobile_bert(config: Config) -> ConfiguredModel:
    """Return a MobileBERT (Sun et al. 2020). Raises UnsupportedModelError for bottlenecks of other kinds."""
    reading = Reading(config=config, defaults=_MOBILE, model_type="mobilebert")
    for key, usual in (("use_bottleneck", True), ("key_query_shared_bottleneck", True), ("trigram_input", True)):
        if reading.flag(key, default=usual) is not usual:
            raise UnsupportedModelError(f"hf_config.{key}: another than {str(usual).lower()} is not modelled here")
    hidden, layers, narrow = (
        reading.whole(key) for key in ("hidden_size", "num_hidden_layers", "intra_bottleneck_size")
    )
    width, vocab = reading.whole("embedding_size"), reading.whole("vocab_size")
    native = reading.whole("max_position_embeddings")
    head, held = _head(reading, native)
    tables = native + reading.whole("type_vocab_size")
    network = stack(
        name="mobilebert model",
        hidden=hidden,
        layers=layers,
        heads=reading.whole("num_attention_heads"),
        head_dim=max(narrow // reading.whole("num_attention_heads"), 1),
        ffn=1,
        # Its one norm outside the layers is the embedding's.
        facts=replace(BIASED, norms_per_layer=0),
        mixers=(
            Projection(name="trigrams", inputs=_TRIGRAM * width, outputs=hidden),
            _layers(reading, hidden, layers, narrow),
            *head,
        ),
        # The embedding is part of the output where there is one.
        lookup=tables * hidden + (0 if held else vocab * width),
        native=native,
        attention_layers=0,
        mlp_layers=0,
    )
    return configured(network, config)


def _layers(reading: Reading, hidden: int, layers: int, narrow: int) -> Given:
    """Return all layers: narrowed twice, attention whose values are of the whole width, MLPs, and widened again."""
    ffn, many = reading.whole("intermediate_size"), reading.whole("num_feedforward_networks")
    heads = reading.whole("num_attention_heads")
    matrices = (
        ("bottleneck", hidden, narrow, _BOTTLENECKS),
        ("queries_keys", narrow, 2 * narrow, 1),
        ("values", hidden, narrow, 1),
        ("attention_out", narrow, narrow, 1),
        ("mlp_up", narrow, ffn, many),
        ("mlp_down", ffn, narrow, many),
        ("widened", narrow, hidden, 1),
    )
    gemms = tuple(mixer_gemm(name, inputs, outputs, layers * count) for name, inputs, outputs, count in matrices)
    biases = sum(outputs * count for _, _, outputs, count in matrices)
    # Scales and shifts behind both bottlenecks, attention and MLPs, and what is widened.
    norms = 2 * narrow * (_BOTTLENECKS + 1 + many) + 2 * hidden
    attention = Attention(
        name="attention",
        heads=heads,
        kv_heads=heads,
        score_dim=narrow // heads,
        value_dim=narrow // heads,
        window=0,
        layers=layers,
        causal=False,
    )
    streams = (
        Stream(name="heads", width=3 * narrow, layers=layers, shard="column"),
        Stream(name="mlp", width=ffn, layers=many * layers, shard="column"),
        Stream(name="residual", width=narrow, layers=many * layers, shard="sequence"),
    )
    given = Operations(gemms=gemms, attentions=(attention,), streams=streams)
    return Given(given=given, own_vectors=(biases + norms) * layers, layers=layers)


def _head(reading: Reading, native: int) -> tuple[tuple[Mixer, ...], bool]:
    """Return what stands on the layers, and whether it holds the embedding."""
    name, hidden = head_class(reading.config, "ForMaskedLM"), reading.whole("hidden_size")
    pooler: tuple[Mixer, ...] = ()
    if reading.flag("classifier_activation", default=True):
        pooler = (Projection(name="pooler", inputs=hidden, outputs=hidden, rate=1.0 / native),)
    if name.endswith("Model"):
        return pooler, False
    if "MaskedLM" in name or name.endswith("ForPreTraining"):
        refuse_untied(reading)
        vocab = reading.whole("vocab_size")
        logits = (
            Projection(name="transform", inputs=hidden, outputs=hidden, norms=2 * hidden),
            # The embedding and, beside it, what makes it as wide as the model.
            Projection(name="logits", inputs=hidden, outputs=vocab, part="logits"),
        )
        if name.endswith("ForPreTraining"):
            follows = Projection(name="next_sentence", inputs=hidden, outputs=2, rate=1.0 / native, part="logits")
            return (*pooler, *logits, follows), True
        return logits, True
    if "SequenceClassification" in name:
        return (*pooler, classifier(reading, hidden, positions=native)), False
    if "Classification" in name or "QuestionAnswering" in name:
        return (Projection(name="classifier", inputs=hidden, outputs=classes(reading), part="logits"),), False
    return (), False
