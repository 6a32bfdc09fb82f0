"""Encoders built as decoders are: rotary positions, gated MLPs, few biases; every token sees all."""

from dataclasses import replace

from estimator.models.huggingface.blocks import (
    classes,
    classifier,
    configured,
    head_class,
    refuse_untied,
    stack,
    transformed_classifier,
)
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.vectors import VectorFacts

__all__ = ["eurobert", "modern_bert"]

_MODERN = {
    "vocab_size": 50368,
    "hidden_size": 768,
    "intermediate_size": 1152,
    "num_hidden_layers": 22,
    "num_attention_heads": 12,
    "max_position_embeddings": 8192,
    "local_attention": 128,
    "global_attn_every_n_layers": 3,
}
_EURO = {
    "vocab_size": 128256,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": 8192,
}


def modern_bert(config: Config) -> ConfiguredModel:
    """Return a ModernBERT (Warner et al. 2024): two of three layers see a window, half of it on either side."""
    reading = Reading(config=config, defaults=_MODERN, model_type="modernbert")
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    norm = 2 if reading.flag("norm_bias", default=False) else 1
    kinds = reading.items("layer_types")
    every = reading.whole("global_attn_every_n_layers")
    windowed = sum(kind == "sliding_attention" for kind in kinds) if kinds else layers - -(-layers // every)
    name = head_class(config, "ForMaskedLM")
    mixers: tuple[Mixer, ...] = ()
    vocab = besides = 0
    if not name.endswith("Model"):
        bias = reading.flag("classifier_bias", default=False)
        mixers = (Projection(name="transform", inputs=hidden, outputs=hidden, bias=bias, norms=norm * hidden),)
    if "MaskedLM" in name:
        refuse_untied(reading)
        vocab = reading.whole("vocab_size")
        besides = vocab if reading.flag("decoder_bias", default=True) else 0
    elif not name.endswith("Model"):
        mixers += (Projection(name="classifier", inputs=hidden, outputs=classes(reading)),)
    biased = reading.flag("attention_bias", default=False)
    facts = VectorFacts(
        norm_vectors=norm,
        outer_norms=2,
        query_bias=biased,
        kv_bias=biased,
        output_bias=biased,
        mlp_bias=reading.flag("mlp_bias", default=False),
    )
    network = stack(
        name="modernbert model",
        hidden=hidden,
        layers=layers,
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=facts,
        gated=True,
        vocab=vocab,
        mixers=mixers,
        lookup=0 if vocab else reading.whole("vocab_size") * hidden,
        # The first layer's attention follows the embedding's norm, and has none of its own.
        besides=besides - norm * hidden,
        window=reading.whole("local_attention"),
        windowed_layers=windowed,
        native=reading.whole("max_position_embeddings"),
    )
    return configured(network, config)


def eurobert(config: Config, read: Read) -> ConfiguredModel:
    """Return a EuroBERT (Boizard et al. 2025): Llama's layers, without the mask."""
    name = head_class(config, "ForMaskedLM")
    body = "LlamaForCausalLM" if "MaskedLM" in name else "LlamaModel"
    bare = read({**_EURO, **config, "architectures": [body], "model_type": "llama"})
    reading = Reading(config=config, defaults=_EURO, model_type="eurobert")
    hidden = reading.whole("hidden_size")
    head: tuple[Mixer, ...] = ()
    if "SequenceClassification" in name:
        head = transformed_classifier(reading, hidden, positions=reading.whole("max_position_embeddings"))
    elif "Classification" in name:
        head = (classifier(reading, hidden, positions=1),)
    network = bare.transformer
    biases = sum(mixer.vectors(hidden) for mixer in head)
    return replace(
        bare,
        transformer=replace(
            network,
            causal=False,
            mixers=(*network.mixers, *head),
            vector_parameters=network.vector_parameters + biases,
        ),
    )
