"""What the readers of hybrid models share: widths that all have, layers counted by kind, vectors counted at the end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from estimator.base.errors import InvalidValueError, UnsupportedModelError, shown
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading, own_name
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts, with_vectors

__all__ = [
    "FULL",
    "LINEAR",
    "Heads",
    "attention_biases",
    "automatic",
    "factor",
    "finished",
    "kinds_of_layers",
    "outline",
    "reading_of",
]

FULL, LINEAR = "full_attention", "linear_attention"
_LARGEST_FACTOR = 1000
"""More than any layer is wider than its model."""
_SAME = {
    "attention": FULL,
    "linear": LINEAR,
    "mamba": LINEAR,
    "mamba2": LINEAR,
    "conv": LINEAR,
    "recurrent": LINEAR,
    "kda": LINEAR,
    "gdn": LINEAR,
}
"""What layers are called in older files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """How many heads there are, and how wide one is."""

    count: int
    kv_count: int
    width: int


def reading_of(config: Config, model_type: str, defaults: Mapping[str, object]) -> Reading:
    """Return a configuration with its family's defaults behind it."""
    return Reading(config=config, defaults=defaults, model_type=model_type)


def outline(
    reading: Reading,
    *,
    n_layers: int | None = None,
    ffn_hidden: int = 0,
    gated_mlp: bool = True,
    tied: bool = False,
    heads: Heads | None = None,
) -> Transformer:
    """Return a network with the widths that all families state, and attention and MLP in every layer.

    `heads` are those of a model without attention. Raises InvalidValueError where a value is missing or impossible.
    """
    hidden = reading.whole("hidden_size")
    own = heads or _heads(reading, hidden)
    return Transformer(
        id="hf-config",
        name=own_name(reading.config, f"{reading.model_type} model"),
        n_layers=reading.whole("num_hidden_layers") if n_layers is None else n_layers,
        hidden=hidden,
        ffn_hidden=ffn_hidden,
        gated_mlp=gated_mlp,
        n_heads=own.count,
        n_kv_heads=own.kv_count,
        head_dim=own.width,
        vocab=reading.whole("vocab_size"),
        tied_embeddings=reading.flag("tie_word_embeddings", default=tied),
        native_sequence_length=reading.optional("max_position_embeddings", 4096, least=1),
        source="hf_config",
    )


def _heads(reading: Reading, hidden: int) -> Heads:
    heads = reading.whole("num_attention_heads")
    kv_heads = reading.optional("num_key_value_heads", heads, least=1)
    if heads % kv_heads:
        raise InvalidValueError(
            "hf_config.num_key_value_heads", kv_heads, f"must divide num_attention_heads, which is {heads}"
        )
    return Heads(count=heads, kv_count=kv_heads, width=reading.optional("head_dim", hidden // heads, least=1))


def automatic(reading: Reading, key: str, computed: int) -> int:
    """Return the whole number at `key`, or what it is computed as where it is left out or `auto`."""
    value = reading.value(key)
    return computed if value is None or value == "auto" else reading.whole(key)


def factor(reading: Reading, key: str, default: float) -> float:
    """Return the factor of a width at `key`, or `default` where it is left out.

    Raises InvalidValueError where it is no number, or one that no model can have.
    """
    value = reading.value(key)
    if value is None:
        return default
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LARGEST_FACTOR:
        return float(value)
    raise InvalidValueError(f"hf_config.{key}", value, f"must be a number above 0, {_LARGEST_FACTOR} at most")


def attention_biases(reading: Reading, facts: VectorFacts) -> VectorFacts:
    """Return `facts` with the biases of attention's projections, which `attention_bias` tells; left out, none."""
    biased = reading.flag("attention_bias", default=False)
    return replace(facts, query_bias=biased, kv_bias=biased, output_bias=biased)


def kinds_of_layers(reading: Reading, key: str, known: frozenset[str], *, every: int = 0) -> Counter[str]:
    """Return how many layers there are of each kind, as the list at `key` says.

    Where it is left out, every `every`-th layer attends and the others do not. Raises UnsupportedModelError for a
    layer of no known kind, InvalidValueError where the list has another length than there are layers.
    """
    n_layers = reading.whole("num_hidden_layers")
    kinds = [_SAME.get(str(kind), str(kind)) for kind in reading.items(key)]
    if not kinds and every:
        kinds = [LINEAR if (place + 1) % every else FULL for place in range(n_layers)]
    strange = sorted(set(kinds) - known)
    if strange:
        raise UnsupportedModelError(f"hf_config: layers of type {shown(strange[0])} are not modelled in this family")
    if len(kinds) != n_layers:
        raise InvalidValueError(f"hf_config.{key}", f"{len(kinds)} layers", f"must name all {n_layers}")
    return Counter(kinds)


def finished(bare: Transformer, facts: VectorFacts, *, others: int = 0) -> ConfiguredModel:
    """Return the model with its parameters outside matrices counted: by `facts`, and `others` beyond these."""
    return ConfiguredModel(transformer=with_vectors(bare, facts, besides=others), vectors=facts)
