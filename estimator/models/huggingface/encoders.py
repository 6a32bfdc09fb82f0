"""Encoders of text: BERT and its descendants, with the head that their class has."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from estimator.base.errors import UnsupportedModelError
from estimator.models.feed_forward import Dense
from estimator.models.huggingface.blocks import classes, configured, head_class, refuse_untied, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.encoder_families import ENCODERS, Encoder
from estimator.models.huggingface.generators import beside, electra_generator_config
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.again import Again
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.transformer import Transformer

__all__ = ["Head", "encoder", "global_matrices", "head_of", "lookup_rows", "stem"]

_BASE: Mapping[str, object] = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}
_FOLLOWS_OR_NOT = 2
"""Whether a second sentence follows the first (Devlin et al. 2019); ALBERT asks which of both comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands on an encoder."""

    mixers: tuple[Mixer, ...] = ()
    vocab: int = 0
    """Rows of an output that is the embedding, as wide as the model."""
    besides: int = 0


def _dense(name: str, inputs: int, outputs: int, *, rate: float = 1.0, norm: int = 0, bias: bool = True) -> Projection:
    return Projection(
        name=name,
        inputs=inputs,
        outputs=outputs,
        rate=rate,
        bias=bias,
        norms=norm,
        part="logits" if outputs < inputs else "mlp",
    )


def head_of(reading: Reading, family: Encoder, *, native: int, width: int) -> Head:
    """Return the head of the class that a configuration names: masked language model where it names none.

    `width` is the embedding's. One position of `native` is pooled.
    """
    name, hidden = head_class(reading.config, "ForMaskedLM"), reading.whole("hidden_size")
    one = 1.0 / native
    pooler = (_dense("pooler", hidden, hidden, rate=one),)
    follows = _dense("next_sentence", hidden, _FOLLOWS_OR_NOT, rate=one)
    pooled: tuple[Mixer, ...] = pooler if family.always_pooled else ()
    pretrains = name.endswith("ForPreTraining")
    if pretrains or "MaskedLM" in name:
        return _masked_head(reading, (*pooler, follows) if pretrains and family.pooled else pooled, width=width)
    if "TokenClassification" in name or "QuestionAnswering" in name:
        return Head(mixers=(*pooled, _dense("classifier", hidden, classes(reading))))
    if name.endswith("Model"):
        return Head(mixers=pooler if family.pooled else ())
    if name.endswith("ForNextSentencePrediction"):
        return Head(mixers=(*pooler, follows))
    if "MultipleChoice" in name:
        return Head(mixers=(*pooler, _dense("classifier", hidden, 1, rate=one)))
    again = (_dense("transform", hidden, hidden, rate=one),) if family.transforms_pooled else ()
    return Head(mixers=(*pooler, *again, _dense("classifier", hidden, classes(reading), rate=one)))


def _masked_head(reading: Reading, beside: tuple[Mixer, ...], *, width: int) -> Head:
    """Return the head of a masked language model, `beside` what else stands on the encoder.

    Raises UnsupportedModelError where its output is not the embedding.
    """
    hidden, vocab = reading.whole("hidden_size"), reading.whole("vocab_size")
    apart = reading.optional("output_embedding_size", 0)
    if apart:
        # An output as wide as no embedding, and not tied to it (RemBERT).
        untied = Projection(name="untied_logits", inputs=apart, outputs=vocab, part="logits")
        return Head(mixers=(*beside, _dense("transform", hidden, apart, norm=2 * apart), untied))
    refuse_untied(reading)
    transform = _dense("transform", hidden, width, norm=2 * width)
    if width == hidden:
        return Head(mixers=(*beside, transform), vocab=vocab, besides=vocab)
    output = Projection(name="logits", inputs=width, outputs=vocab, part="logits")
    return Head(mixers=(*beside, transform, output))


def lookup_rows(reading: Reading, family: Encoder, head: Head, *, width: int) -> int:
    """Return the parameters of tables: positions, token types, and the embedding where no output is it."""
    learnt = family.positions and reading.value("position_embedding_type") != "rotary"
    rows = reading.whole("max_position_embeddings") if learnt else 0
    rows += family.page_tables * reading.optional("max_2d_position_embeddings", 1024)
    rows += reading.optional("type_vocab_size", 0) if family.types else 0
    if reading.flag("use_task_id", default=False):
        # ERNIE's kinds of tasks (Sun et al. 2020).
        rows += reading.optional("task_type_vocab_size", 3)
    outputs = any(isinstance(mixer, Projection) and mixer.name == "logits" for mixer in head.mixers)
    rows += 0 if head.vocab or outputs else reading.whole("vocab_size")
    return rows * width


def stem(config: Config, family: Encoder) -> Reading:
    """Return a configuration with its family's names and defaults.

    Raises UnsupportedModelError where it is set to be a decoder, whose attention looks back alone.
    """
    if config.get("is_decoder") is True:
        raise UnsupportedModelError(
            f"hf_config: is_decoder is true, which is not modelled for an encoder ({config.get('model_type')})"
        )
    renamed = {new: config[old] for new, old in family.names.items() if config.get(old) is not None}
    return Reading(
        config={**config, **renamed}, defaults={**_BASE, **family.defaults}, model_type=str(config.get("model_type"))
    )


def encoder(config: Config) -> ConfiguredModel:
    """Return an encoder of the family of BERT (Devlin et al. 2019)."""
    kind = str(config.get("model_type"))
    family = ENCODERS[kind]
    reading = stem(config, family)
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    width = reading.optional("embedding_size", hidden, least=1)
    native = max(1, reading.whole("max_position_embeddings") - family.first_position)
    head = _electra_head(reading, native) if kind == "electra" else head_of(reading, family, native=native, width=width)
    # No head, however narrow the model: a generator's embedding is wider.
    widening = Projection(name="embedding_projection", inputs=width, outputs=hidden)
    widened: tuple[Mixer, ...] = (widening,) if width != hidden else ()
    ffn = reading.whole("intermediate_size")
    # The norm of the embedding is as wide as that.
    besides = head.besides + 2 * (width - hidden) + (hidden * layers if family.down_bias else 0)
    besides += reading.optional("relative_attention_num_buckets", 0) * reading.whole("num_attention_heads")
    if family.turned:
        besides += reading.whole("max_position_embeddings") * (hidden // reading.whole("num_attention_heads"))
    if kind == "esm":
        # A weight of each head, with which contacts are read off attention (Rao et al. 2021), and a bias.
        besides += layers * reading.whole("num_attention_heads") + 1
        besides += 2 * hidden * reading.flag("emb_layer_norm_before", default=False)
    if kind == "albert":
        return configured(_shared_layers(reading, family, head, widened, native=native, width=width), config)
    window = family.window(reading)
    network = stack(
        name=f"{kind} model",
        hidden=hidden,
        layers=layers,
        heads=reading.whole("num_attention_heads"),
        ffn=ffn,
        facts=family.facts,
        gated=family.gated,
        vocab=head.vocab,
        mixers=(*widened, *head.mixers, *(global_matrices(hidden, layers, native) if family.looks_globally else ())),
        lookup=lookup_rows(reading, family, head, width=width),
        besides=besides,
        window=window,
        windowed_layers=layers if window else 0,
        native=native,
    )
    if kind == "electra" and head_class(config, "ForPreTraining").endswith("ForPreTraining"):
        generator = encoder(electra_generator_config(reading)).transformer
        network = replace(network, generator=beside(generator, network))
    return configured(network, config)


def global_matrices(hidden: int, layers: int, native: int) -> tuple[Projection, ...]:
    """Return what all tokens are projected by for those that look at all of them, and what these are: one of many."""
    return (
        Projection(name="global_queries", inputs=hidden, outputs=hidden, count=layers, rate=1.0 / native),
        Projection(name="global_keys", inputs=hidden, outputs=2 * hidden, count=layers),
    )


def _electra_head(reading: Reading, native: int) -> Head:
    """Return ELECTRA's head: a discriminator of replaced tokens, one logit each (Clark et al. 2020)."""
    hidden = reading.whole("hidden_size")
    name = head_class(reading.config, "ForPreTraining")
    if name.endswith("ForPreTraining"):
        return Head(mixers=(_dense("discriminator", hidden, hidden), _dense("discriminator_logit", hidden, 1)))
    if "MaskedLM" in name:
        refuse_untied(reading)
        width = reading.optional("embedding_size", hidden, least=1)
        output = Projection(name="logits", inputs=width, outputs=reading.whole("vocab_size"), part="logits")
        return Head(mixers=(_dense("transform", hidden, width, norm=2 * width), output))
    if "Classification" in name or "QuestionAnswering" in name:
        one = 1.0 / native if "Sequence" in name else 1.0
        dense = (_dense("transform", hidden, hidden, rate=one),) if "Sequence" in name else ()
        return Head(mixers=(*dense, _dense("classifier", hidden, classes(reading), rate=one)))
    return Head()


def _shared_layers(
    reading: Reading, family: Encoder, head: Head, widened: tuple[Mixer, ...], *, native: int, width: int
) -> Transformer:
    """Return ALBERT (Lan et al. 2020): every layer of a group has the same weights, and is run with them."""
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    groups = reading.optional("num_hidden_groups", 1, least=1)
    heads, ffn = reading.whole("num_attention_heads"), reading.whole("intermediate_size")
    again: tuple[Mixer, ...] = ()
    if layers > groups:
        attention = SoftmaxAttention(
            layers=layers - groups, heads=heads, kv_heads=heads, head_dim=hidden // heads, causal=False
        )
        dense = Dense(layers=layers - groups, width=ffn, gated=False)
        again = (Again(part=attention), Again(part=dense))
    return stack(
        name="albert model",
        hidden=hidden,
        layers=layers,
        heads=heads,
        ffn=ffn,
        facts=replace(family.facts, norms_per_layer=0),
        vocab=head.vocab,
        mixers=(*widened, *head.mixers, *again),
        lookup=lookup_rows(reading, family, head, width=width),
        besides=head.besides + 2 * (width - hidden) + 4 * hidden * groups,
        native=native,
        attention_layers=groups,
        mlp_layers=groups,
    )
