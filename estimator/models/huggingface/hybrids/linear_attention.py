"""Linear attention beside softmax attention: MiniMax-01, Kimi Linear, Ling, OLMo Hybrid; xLSTM has it alone."""

from dataclasses import replace

from estimator.models.feed_forward import Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.hybrids.common import (
    FULL,
    LINEAR,
    Heads,
    attention_biases,
    factor,
    finished,
    kinds_of_layers,
    outline,
    reading_of,
)
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.mixers.delta_rule import DeltaRule
from estimator.models.mixers.linear_attention import LinearAttention
from estimator.models.mixers.softmax import LatentAttention
from estimator.models.vectors import VectorFacts

__all__ = ["bailing_hybrid", "bailing_linear", "kimi_linear", "minimax", "olmo_hybrid", "xlstm"]

_KINDS = frozenset({FULL, LINEAR})
_KIMI = {
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "qk_nope_head_dim": 128,
    "num_shared_experts": 1,
    "num_experts_per_token": 8,
    "num_experts": 256,
    "linear_head_dim": 128,
    "linear_num_heads": 32,
    "linear_conv_kernel_dim": 4,
    "moe_intermediate_size": 1024,
    "first_k_dense_replace": 1,
}
_BAILING = {
    **_KIMI,
    "num_experts": 512,
    "first_k_dense_replace": 2,
    "layer_group_size": 6,
    "moe_intermediate_size": 768,
}
_OTHER_NAMES = {
    "num_experts_per_token": "num_experts_per_tok",
    "num_experts": "num_local_experts",
    "num_shared_experts": "n_shared_experts",
}
_KIMI_PERIOD = 4


def minimax(config: Config) -> ConfiguredModel:
    """Return MiniMax-Text-01 or M1: lightning attention in seven layers of eight, experts in all."""
    kinds = {"layer_types": [FULL if kind else LINEAR for kind in _list(config, "attn_type_list")]}
    reading = reading_of({**kinds, **config} if kinds["layer_types"] else config, "minimax", {"block_size": 256})
    counts = kinds_of_layers(reading, "layer_types", _KINDS, every=2)
    bare = outline(reading)
    heads = bare.n_heads
    mixer = LinearAttention(
        layers=counts[LINEAR],
        heads=heads,
        kv_heads=heads,
        key_dim=bare.head_dim,
        value_dim=bare.head_dim,
        chunk=reading.whole("block_size"),
        own_vectors=heads * bare.head_dim,
    )
    experts = Experts(
        n_experts=reading.whole("num_local_experts"),
        top_k=reading.whole("num_experts_per_tok"),
        ffn_hidden=reading.whole("intermediate_size"),
    )
    return finished(replace(bare, attention_layers=counts[FULL], mixers=(mixer,), experts=experts), VectorFacts())


def kimi_linear(config: Config) -> ConfiguredModel:
    """Return Kimi Linear: a delta rule whose channels decay, latent attention in every fourth layer, experts."""
    own = nested(config, "linear_attn_config") or {}
    keys = {
        "linear_head_dim": own.get("head_dim"),
        "linear_num_heads": own.get("num_heads"),
        "linear_conv_kernel_dim": own.get("short_conv_kernel_size"),
    }
    given = {**_common_names(config), **{key: value for key, value in keys.items() if value is not None}}
    full = set(map(str, _list(own, "full_attn_layers")))
    reading = reading_of(given, "kimi_linear", _KIMI)
    n_layers = reading.whole("num_hidden_layers")
    if full and not reading.items("layer_types"):
        attending = len(full)
    elif reading.items("layer_types"):
        attending = kinds_of_layers(reading, "layer_types", _KINDS)[FULL]
    else:
        attending = len(range(_KIMI_PERIOD, n_layers, _KIMI_PERIOD))
    width = reading.whole("linear_head_dim")
    mixer = DeltaRule(
        layers=n_layers - attending,
        key_heads=reading.whole("linear_num_heads"),
        value_heads=reading.whole("linear_num_heads"),
        key_dim=width,
        value_dim=width,
        convolution=reading.whole("linear_conv_kernel_dim"),
        gate_rank=width,
        decays_channels=True,
        decay_rank=width,
    )
    return _latent_and_delta(reading, mixer, attending)


def bailing_hybrid(config: Config) -> ConfiguredModel:
    """Return Ling 3: as Kimi Linear, its gates and decays projected at once, and a gate of each attention head."""
    reading = reading_of(_common_names(config), "bailing_hybrid", _BAILING)
    counts = kinds_of_layers(reading, "layer_types", _KINDS, every=reading.whole("layer_group_size"))
    heads = reading.whole("num_attention_heads")
    # Once its class has read a file, `head_dim` is the rotated part of a head.
    width = reading.whole("linear_head_dim") if config.get("linear_head_dim") else reading.optional("head_dim", 128)
    mixer = DeltaRule(
        layers=counts[LINEAR],
        key_heads=heads,
        value_heads=heads,
        key_dim=width,
        value_dim=width,
        convolution=reading.optional("short_conv_kernel_size", 4, least=1),
        decays_channels=True,
    )
    # A gate of each head is a matrix, but one so thin that it counts among the vectors.
    gates = heads * reading.whole("hidden_size") * counts[FULL]
    return _latent_and_delta(reading, mixer, counts[FULL], others=gates)


def bailing_linear(config: Config) -> ConfiguredModel:
    """Return Ling 2 linear: lightning attention but for the last layer of each group, experts after the first."""
    reading = reading_of(config, "bailing_moe_linear", {"layer_group_size": 5, "first_k_dense_replace": 1})
    counts = kinds_of_layers(reading, "layer_types", _KINDS, every=reading.whole("layer_group_size"))
    bare = outline(reading, ffn_hidden=reading.whole("intermediate_size"))
    heads, width = bare.n_heads, bare.head_dim
    normed = reading.flag("use_qk_norm", default=True)
    mixer = LinearAttention(
        layers=counts[LINEAR],
        heads=heads,
        kv_heads=heads,
        key_dim=width,
        value_dim=width,
        chunk=64,
        own_vectors=heads * width + 2 * width * normed,
    )
    experts = _experts(reading, reading.optional("first_k_dense_replace", 1))
    facts = VectorFacts(qk_norm="head" if normed else "none")
    return finished(replace(bare, attention_layers=counts[FULL], mixers=(mixer,), experts=experts), facts)


def olmo_hybrid(config: Config) -> ConfiguredModel:
    """Return OLMo Hybrid: the gated delta rule in three layers of four."""
    reading = reading_of(config, "olmo_hybrid", {"linear_conv_kernel_dim": 4})
    counts = kinds_of_layers(reading, "layer_types", _KINDS, every=4)
    bare = outline(reading, ffn_hidden=reading.whole("intermediate_size"))
    key_heads = reading.optional("linear_num_key_heads", bare.n_heads, least=1)
    key_dim = reading.optional("linear_key_head_dim", int(0.75 * bare.hidden / key_heads), least=1)
    mixer = DeltaRule(
        layers=counts[LINEAR],
        key_heads=key_heads,
        value_heads=reading.optional("linear_num_value_heads", bare.n_heads, least=1),
        key_dim=key_dim,
        value_dim=reading.optional("linear_value_head_dim", 2 * key_dim, least=1),
        convolution=reading.whole("linear_conv_kernel_dim"),
    )
    facts = attention_biases(reading, VectorFacts(qk_norm="full"))
    return finished(replace(bare, attention_layers=counts[FULL], mixers=(mixer,)), facts)


def xlstm(config: Config) -> ConfiguredModel:
    """Return xLSTM as its 7B has it: matrix memories alone, each with an MLP."""
    reading = reading_of(config, "xlstm", {"num_heads": 8, "chunk_size": 64})
    heads = reading.whole("num_heads")
    hidden = reading.whole("hidden_size")
    keys = int(factor(reading, "qk_dim_factor", 0.5) * hidden)
    values = int(factor(reading, "v_dim_factor", 1.0) * hidden)
    multiple = reading.optional("ffn_round_up_to_multiple_of", 64, least=1)
    width = -(-int(factor(reading, "ffn_proj_factor", 2.667) * hidden) // multiple) * multiple
    bare = outline(reading, ffn_hidden=width, heads=Heads(count=heads, kv_count=heads, width=values // heads))
    mixer = LinearAttention(
        layers=bare.n_layers,
        heads=heads,
        kv_heads=heads,
        key_dim=keys // heads,
        value_dim=values // heads,
        chunk=reading.whole("chunk_size"),
        learned_gates=True,
        own_vectors=values,
    )
    facts = VectorFacts(outer_norms=1 if reading.flag("add_out_norm", default=True) else 0)
    return finished(replace(bare, attention_layers=0, mixers=(mixer,)), facts)


def _latent_and_delta(reading: Reading, mixer: DeltaRule, attending: int, *, others: int = 0) -> ConfiguredModel:
    """Return a model of latent attention in some layers and the delta rule in the others, experts in most."""
    latent = LatentAttention(
        query_rank=reading.optional("q_lora_rank", 0),
        kv_rank=reading.whole("kv_lora_rank"),
        nope_head_dim=reading.whole("qk_nope_head_dim"),
        rope_head_dim=reading.whole("qk_rope_head_dim"),
        value_head_dim=reading.whole("v_head_dim"),
    )
    heads = reading.whole("num_attention_heads")
    own = Heads(count=heads, kv_count=heads, width=latent.nope_head_dim + latent.rope_head_dim)
    dense = sum(kind == "dense" for kind in reading.items("mlp_layer_types"))
    first = dense if reading.items("mlp_layer_types") else reading.optional("first_k_dense_replace", 1)
    bare = replace(
        outline(reading, ffn_hidden=reading.whole("intermediate_size"), heads=own),
        latent=latent,
        experts=_experts(reading, first),
        attention_layers=attending,
        mixers=(mixer,),
    )
    return finished(bare, VectorFacts(), others=others)


def _experts(reading: Reading, first_dense: int) -> Experts:
    width = reading.whole("moe_intermediate_size")
    top_k = "num_experts_per_token" if reading.value("num_experts_per_token") is not None else "num_experts_per_tok"
    return Experts(
        n_experts=reading.whole("num_experts"),
        top_k=reading.whole(top_k),
        ffn_hidden=width,
        shared_ffn_hidden=reading.optional("num_shared_experts", 0) * width,
        first_dense_layers=first_dense,
    )


def _common_names(config: Config) -> dict[str, object]:
    """Return the configuration with the keys that its publishers use, whichever it was written with."""
    other = {key: config[name] for key, name in _OTHER_NAMES.items() if config.get(name) is not None}
    return {**other, **config}


def _list(config: Config, key: str) -> tuple[object, ...]:
    return reading_of(config, "", {}).items(key)
