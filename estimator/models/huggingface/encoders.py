"""Encoders of text: BERT and its descendants, with the head that their class has."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from estimator.models.feed_forward import Dense
from estimator.models.huggingface.blocks import BIASED, classes, configured, head_class, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.again import Again
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts

__all__ = ["ENCODERS", "Encoder", "Head", "encoder", "head_of", "lookup_rows", "stem"]

_BASE: Mapping[str, object] = {
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}
_UNBIASED = replace(BIASED, query_bias=False, kv_bias=False, output_bias=False, mlp_bias=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """How one family differs from BERT."""

    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    facts: VectorFacts = BIASED
    """With one norm outside the layers: the embedding's."""
    gated: bool = False
    positions: bool = True
    """Whether positions have a table."""
    first_position: int = 0
    """Rows of that table that no token has: RoBERTa counts from the padding token's."""
    types: bool = True
    pooled: bool = True
    """Whether the bare model ends in a pooler."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keys that the family calls otherwise."""
    down_bias: bool = False
    """Whether the MLP's last matrix alone has a bias."""


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
    name = head_class(reading.config, "ForMaskedLM")
    hidden, vocab = reading.whole("hidden_size"), reading.whole("vocab_size")
    one = 1.0 / native
    if "MaskedLM" in name or name.endswith("ForPreTraining"):
        transform = _dense("transform", hidden, width, norm=2 * width)
        if width == hidden:
            return Head(mixers=(transform,), vocab=vocab, besides=vocab)
        output = Projection(name="logits", inputs=width, outputs=vocab, part="logits")
        return Head(mixers=(transform, output))
    pooler = _dense("pooler", hidden, hidden, rate=one)
    if "SequenceClassification" in name or "MultipleChoice" in name:
        return Head(mixers=(pooler, _dense("classifier", hidden, classes(reading), rate=one)))
    if "TokenClassification" in name or "QuestionAnswering" in name:
        return Head(mixers=(_dense("classifier", hidden, classes(reading)),))
    return Head(mixers=(pooler,)) if family.pooled else Head()


def lookup_rows(reading: Reading, family: Encoder, head: Head, *, width: int) -> int:
    """Return the parameters of tables: positions, token types, and the embedding where no output is it."""
    rows = reading.whole("max_position_embeddings") if family.positions else 0
    rows += reading.optional("type_vocab_size", 0) if family.types else 0
    outputs = any(isinstance(mixer, Projection) and mixer.name == "logits" for mixer in head.mixers)
    rows += 0 if head.vocab or outputs else reading.whole("vocab_size")
    return rows * width


def stem(config: Config, family: Encoder) -> Reading:
    """Return a configuration with its family's names and defaults."""
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
    widened: tuple[Mixer, ...] = (_dense("embedding_projection", width, hidden),) if width != hidden else ()
    ffn = reading.whole("intermediate_size")
    # The norm of the embedding is as wide as that.
    besides = head.besides + 2 * (width - hidden) + (hidden * layers if family.down_bias else 0)
    besides += reading.optional("relative_attention_num_buckets", 0) * reading.whole("num_attention_heads")
    if kind == "albert":
        return configured(_shared_layers(reading, family, head, widened, native=native, width=width), config)
    network = stack(
        name=f"{kind} model",
        hidden=hidden,
        layers=layers,
        heads=reading.whole("num_attention_heads"),
        ffn=ffn,
        facts=family.facts,
        gated=family.gated,
        vocab=head.vocab,
        mixers=(*widened, *head.mixers),
        lookup=lookup_rows(reading, family, head, width=width),
        besides=besides,
        native=native,
    )
    return configured(network, config)


def _electra_head(reading: Reading, native: int) -> Head:
    """Return ELECTRA's head: a discriminator of replaced tokens, one logit each (Clark et al. 2020)."""
    hidden = reading.whole("hidden_size")
    name = head_class(reading.config, "ForPreTraining")
    if name.endswith("ForPreTraining"):
        return Head(mixers=(_dense("discriminator", hidden, hidden), _dense("discriminator_logit", hidden, 1)))
    if "MaskedLM" in name:
        width = reading.optional("embedding_size", hidden, least=1)
        output = Projection(name="logits", inputs=width, outputs=reading.whole("vocab_size"), part="logits")
        return Head(mixers=(_dense("transform", hidden, width, norm=2 * width), output))
    if "Classification" in name:
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


_ROBERTA = Encoder(
    defaults={"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1},
    first_position=2,
)
_NOMIC_NAMES = {
    "hidden_size": "n_embd",
    "num_attention_heads": "n_head",
    "intermediate_size": "n_inner",
    "num_hidden_layers": "n_layer",
    "max_position_embeddings": "n_positions",
}
_GTE = Encoder(
    defaults={"vocab_size": 250048, "max_position_embeddings": 8192, "type_vocab_size": 1},
    facts=replace(BIASED, mlp_bias=False),
    gated=True,
    positions=False,
    pooled=False,
    down_bias=True,
)

ENCODERS: Mapping[str, Encoder] = {
    "albert": Encoder(
        defaults={
            "vocab_size": 30000,
            "embedding_size": 128,
            "hidden_size": 4096,
            "num_attention_heads": 64,
            "intermediate_size": 16384,
        }
    ),
    "bert": Encoder(),
    "camembert": _ROBERTA,
    "distilbert": Encoder(
        names={
            "hidden_size": "dim",
            "num_attention_heads": "n_heads",
            "intermediate_size": "hidden_dim",
            "num_hidden_layers": "n_layers",
        },
        types=False,
        pooled=False,
        defaults={"num_hidden_layers": 6},
    ),
    "electra": Encoder(
        defaults={"embedding_size": 128, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024},
        pooled=False,
    ),
    "gte": _GTE,
    "jina_embeddings_v3": Encoder(
        defaults={
            "vocab_size": 250002,
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
            "max_position_embeddings": 8194,
            "type_vocab_size": 1,
        },
        positions=False,
    ),
    "megatron-bert": Encoder(
        defaults={
            "vocab_size": 29056,
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
        },
    ),
    "mpnet": Encoder(
        defaults={"vocab_size": 30527, "relative_attention_num_buckets": 32},
        types=False,
        first_position=2,
    ),
    "new": _GTE,
    "nomic_bert": Encoder(
        defaults={"vocab_size": 30528, "max_position_embeddings": 2048},
        facts=_UNBIASED,
        gated=True,
        positions=False,
        pooled=False,
        names=_NOMIC_NAMES,
    ),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
}
"""How each family differs, by `model_type`."""
