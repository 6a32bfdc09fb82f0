"""Put a model together whose layers differ: in their heads, windows, or the widths of their MLPs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from estimator.base.errors import InvalidValueError
from estimator.models.feed_forward import Dense, Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Reading, own_name
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts, with_vectors

__all__ = ["grouped_attention", "kinds_of_layers", "layered_model"]


def kinds_of_layers(reading: Reading, key: str, n_layers: int, default: Sequence[str]) -> tuple[str, ...]:
    """Return what each layer is, as the list at `key` says, or `default`.

    Raises InvalidValueError for a list that is too short or no list of words.
    """
    kinds = reading.items(key)
    if not kinds:
        return tuple(default)
    if len(kinds) < n_layers or not all(isinstance(kind, str) for kind in kinds):
        raise InvalidValueError(f"hf_config.{key}", len(kinds), f"must be a list of what each of {n_layers} layers is")
    return tuple(str(kind) for kind in kinds[:n_layers])


def grouped_attention(layers: Sequence[SoftmaxAttention]) -> tuple[SoftmaxAttention, ...]:
    """Return the kinds of attention among single layers, each with as many layers as have it."""
    return tuple(
        replace(kind, layers=count, windowed_layers=count if kind.window else 0)
        for kind, count in Counter(layers).items()
    )


def layered_model(
    reading: Reading,
    *,
    attention: Sequence[SoftmaxAttention],
    widths: Sequence[int],
    facts: VectorFacts,
    experts: Experts | None = None,
    mixers: tuple[Mixer, ...] = (),
    gated_mlp: bool = True,
    tied: bool = False,
    lookup: int = 0,
    sinks: bool = False,
    n_layers: int | None = None,
) -> ConfiguredModel:
    """Return a model of these layers: one `attention` each, and the `widths` of dense MLPs (none for experts).

    What the layers' attention holds outside its matrices stands in it; `facts` are of what lies around it.
    """
    counts = Counter(width for width in widths if width)
    usual = counts.most_common(1)[0][0] if counts else 0
    heads = reading.whole("num_attention_heads")
    expert_layers = 0 if experts is None else experts.layers or 0
    bare = Transformer(
        id="hf-config",
        name=own_name(reading.config, f"{reading.model_type} model"),
        n_layers=n_layers or reading.whole("num_hidden_layers"),
        hidden=reading.whole("hidden_size"),
        ffn_hidden=usual,
        gated_mlp=gated_mlp,
        n_heads=heads,
        n_kv_heads=min(reading.optional("num_key_value_heads", heads, least=1), heads),
        head_dim=attention[0].head_dim if attention else reading.whole("head_dim"),
        vocab=reading.whole("vocab_size"),
        tied_embeddings=reading.flag("tie_word_embeddings", default=tied),
        experts=experts,
        attention_layers=0,
        mlp_layers=counts[usual] + expert_layers,
        mixers=(*grouped_attention(attention), *mixers),
        feed_forwards=tuple(
            Dense(layers=count, width=width, gated=gated_mlp) for width, count in counts.items() if width != usual
        ),
        lookup_parameters=lookup,
        sinks=sinks,
        native_sequence_length=reading.optional("max_position_embeddings", 4096, least=1),
        source="hf_config",
    )
    return ConfiguredModel(transformer=with_vectors(bare, facts), vectors=facts)
