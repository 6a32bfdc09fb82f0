"""Read a configuration of a family that the tables describe: the same attention and MLPs in every layer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from estimator.base.errors import InvalidValueError, UnsupportedModelError, shown
from estimator.models.feed_forward import Experts
from estimator.models.huggingface.adapters import ADAPTERS
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.expert_layers import experts_of
from estimator.models.huggingface.family import Family, Flag, WindowKeys
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.softmax import LatentAttention
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts, with_vectors

__all__ = ["head_width", "latent_attention", "read_family"]

_WINDOWED = frozenset({"sliding_attention", "chunked_attention", "local", "local_attention"})
_GLOBAL = frozenset({"full_attention", "global", "global_attention"})


def read_family(config: Config, model_type: str, family: Family, name: str) -> ConfiguredModel:
    """Return the model that `config` describes, read by its family's row.

    Raises InvalidValueError for a missing or impossible value, UnsupportedModelError for layers that mix their
    sequence otherwise.
    """
    own_facts: Mapping[str, bool | int | str] = {}
    if family.adapted:
        config, own_facts = ADAPTERS[family.adapted](config)
    reading = Reading(config=config, defaults=family.defaults, model_type=model_type, aliases=family.aliases)
    bare = _transformer(reading, family, name)
    vectors = _vector_facts(reading, family, own_facts)
    notes = () if bare.causal else ("every token sees those after it too, so all scores of attention are counted",)
    return ConfiguredModel(transformer=with_vectors(bare, vectors), vectors=vectors, notes=notes)


def _transformer(reading: Reading, family: Family, name: str) -> Transformer:
    """Return the transformer, its vector parameters not yet counted."""
    hidden = reading.whole("hidden_size")
    heads = reading.whole("num_attention_heads")
    latent = latent_attention(reading) if family.latent else None
    kv_heads = heads if latent else reading.optional("num_key_value_heads", heads, least=1)
    if heads % kv_heads:
        raise InvalidValueError(
            "hf_config.num_key_value_heads", kv_heads, f"must divide num_attention_heads, which is {heads}"
        )
    n_layers = reading.whole("num_hidden_layers")
    causal = _is_causal(reading)
    window, windowed_layers = _window(reading, family.window, n_layers)
    if not causal:
        # What a query sees to one side is half of the window, itself included, and it sees both sides.
        window = 2 * (window // 2) + 1
    experts = experts_of(reading, family.experts, n_layers) if family.experts else None
    if experts is not None and family.vectors.get("expert_bias", False) is True:
        experts = replace(experts, biased=True)
    return Transformer(
        id="hf-config",
        name=name,
        n_layers=n_layers,
        hidden=hidden,
        ffn_hidden=_ffn_hidden(reading, family, experts, hidden),
        gated_mlp=family.gated_mlp,
        n_heads=heads,
        n_kv_heads=kv_heads,
        head_dim=latent.nope_head_dim + latent.rope_head_dim if latent else head_width(reading, hidden, heads),
        vocab=reading.whole("vocab_size"),
        tied_embeddings=reading.flag("tie_word_embeddings", default=family.tied),
        latent=latent,
        experts=experts,
        sliding_window=window if windowed_layers else 0,
        windowed_layers=windowed_layers,
        chunked_window=bool(windowed_layers and family.window and family.window.chunked),
        gated_attention=family.gated_attention,
        sinks=family.vectors.get("sinks", False) is True,
        soft_capped=family.soft_capped,
        causal=causal,
        native_sequence_length=reading.optional("max_position_embeddings", 4096, least=1),
        source="hf_config",
    )


def head_width(reading: Reading, hidden: int, heads: int) -> int:
    """Return the width of a query head, which is its share of the model's where it is not said."""
    if reading.value("head_dim") is not None:
        return reading.whole("head_dim")
    if hidden % heads:
        raise InvalidValueError(
            "hf_config.num_attention_heads", heads, f"must divide hidden_size, which is {hidden}, or head_dim be given"
        )
    return hidden // heads


def _is_causal(reading: Reading) -> bool:
    """Return whether tokens see earlier ones alone; pictures within a text that see one another do not count."""
    both_ways = reading.value("use_bidirectional_attention")
    if both_ways in ("vision", None):
        return reading.flag("is_causal", default=True)
    if both_ways == "all":
        return False
    return not reading.flag("use_bidirectional_attention", default=False)


def _ffn_hidden(reading: Reading, family: Family, experts: Experts | None, hidden: int) -> int:
    """Return the dense MLP's width; that of a model with experts alone may be left out."""
    if experts is not None and family.ffn == "" and reading.value("intermediate_size") is None:
        return experts.ffn_hidden
    if family.ffn:
        return reading.whole(family.ffn)
    if family.ffn_multiple:
        return reading.optional("intermediate_size", family.ffn_multiple * hidden, least=1)
    return reading.whole("intermediate_size")


def latent_attention(reading: Reading) -> LatentAttention:
    """Return the low ranks; a rank of queries that is null means that they have none, one left out the class's."""
    unranked = "q_lora_rank" in reading.config and reading.config["q_lora_rank"] is None
    return LatentAttention(
        query_rank=0 if unranked else reading.optional("q_lora_rank", 0),
        kv_rank=reading.whole("kv_lora_rank"),
        nope_head_dim=reading.whole("qk_nope_head_dim"),
        rope_head_dim=reading.whole("qk_rope_head_dim"),
        value_head_dim=reading.whole("v_head_dim"),
    )


def _window(reading: Reading, keys: WindowKeys | None, n_layers: int) -> tuple[int, int]:
    """Return the window in keys and how many layers have it; `layer_types` says so outright where given."""
    kinds = [kind for kind in reading.items("layer_types") if isinstance(kind, str)][:n_layers]
    strange = sorted({kind for kind in kinds if kind not in _WINDOWED | _GLOBAL})
    if strange:
        raise UnsupportedModelError(
            f"hf_config: layers of type {shown(strange[0])} are not attention: a hybrid model, which this "
            "family is not; give the model_type that stands in its config.json"
        )
    if keys is None:
        if any(kind in _WINDOWED for kind in kinds):
            raise UnsupportedModelError(
                f"hf_config.layer_types: {reading.model_type} models have no windows, and its class would ignore them"
            )
        return 0, 0
    if not reading.optional(keys.key, 0) or (keys.switch and not reading.flag(keys.switch, default=False)):
        return 0, 0
    window = reading.whole(keys.key)
    if kinds:
        return window, min(sum(kind in _WINDOWED for kind in kinds), n_layers)
    if keys.first_layer:
        return window, max(n_layers - reading.optional(keys.first_layer, 0), 0)
    period = reading.optional(keys.period_key, keys.period, least=1) if keys.period_key else keys.period
    if not period:
        return window, n_layers
    return window, n_layers - (-(-n_layers // period) if keys.leads else n_layers // period)


def _vector_facts(reading: Reading, family: Family, own_facts: Mapping[str, bool | int | str]) -> VectorFacts:
    """Return the family's vector flags, each fixed, read from its key, or worked out by the family's adapter."""
    facts: dict[str, Any] = {
        name: _truth(reading, rule) if isinstance(rule, Flag) else rule for name, rule in family.vectors.items()
    }
    facts.update(own_facts)
    if facts.get("learned_positions"):
        facts["learned_positions"] = reading.whole("max_position_embeddings") + family.extra_positions
    return VectorFacts(**facts)


def _truth(reading: Reading, rule: Flag) -> bool | str:
    if reading.flag(rule.key, default=rule.default) != rule.inverted:
        return rule.means
    return "none" if isinstance(rule.means, str) else False
