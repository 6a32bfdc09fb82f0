"""Read families whose layers differ in heads or widths, or have more than one attention.

Sources: their configuration classes and models in `transformers` 5.24.
"""

from dataclasses import replace

from estimator.base.errors import InvalidValueError, UnsupportedModelError, shown
from estimator.models.feed_forward import Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.expert_layers import expert_layers
from estimator.models.huggingface.family import ExpertKeys
from estimator.models.huggingface.keys import LATENT_KEYS, refuse_unknown
from estimator.models.huggingface.layered import kinds_of_layers, layered_model
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.standard import head_width, latent_attention
from estimator.models.mixers.given import Given
from estimator.models.mixers.mixer import Operations
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.operations import Gemm
from estimator.models.vectors import VectorFacts

__all__ = ["read_laguna", "read_longcat", "read_mimo_v2", "read_step"]

_SLIDING = "sliding_attention"
_MOE_KEYS = ("mlp_layer_types", "moe_layer_freq", "moe_intermediate_size", "num_experts_per_tok", "attention_bias")


def read_laguna(config: Config) -> ConfiguredModel:
    """Return Laguna: heads that differ by layer, a gate of each head, experts after a dense layer."""
    known = (
        *_MOE_KEYS, "gating", "num_attention_heads_per_layer", "num_experts", "shared_expert_intermediate_size",
        "sliding_window", "moe_router_logit_softcapping", "moe_routed_scaling_factor",
    )  # fmt: skip
    refuse_unknown(config, "laguna", known)
    reading = Reading(config=config, defaults={}, model_type="laguna")
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    kinds = kinds_of_layers(reading, "layer_types", n_layers, ["full_attention"] * n_layers)
    stated = reading.items("num_attention_heads_per_layer")
    usual = reading.whole("num_attention_heads")
    each = [heads for heads in stated if type(heads) is int and heads > 0] if stated else [usual] * n_layers
    if len(each) < n_layers:
        raise InvalidValueError("hf_config.num_attention_heads_per_layer", len(each), f"must have {n_layers} numbers")
    by_head = reading.value("gating") in (None, True, "per-head")
    layer = _grouped(reading, hidden)
    attention = [
        replace(layer, heads=heads, head_gates=by_head, gated=not by_head, window=_window(reading, kind))
        for heads, kind in zip(each, kinds, strict=False)
    ]
    keys = ExpertKeys(count="num_experts", ffn="moe_intermediate_size", shared_ffn="shared_expert_intermediate_size")
    return _with_experts(reading, attention, keys, n_layers, VectorFacts(router_bias=True), default_dense=1)


def read_longcat(config: Config) -> ConfiguredModel:
    """Return LongCat-Flash: two latent attentions and two MLPs in each layer, experts of which some are empty.

    A token visits `moe_topk` experts, of which on average as many are empty as there are empty ones among all.
    """
    known = (
        *LATENT_KEYS, "expert_ffn_hidden_size", "ffn_hidden_size", "moe_topk", "n_routed_experts", "zero_expert_num",
        "zero_expert_type", "qk_head_dim", "moe_intermediate_size", "num_experts_per_tok",
    )  # fmt: skip
    refuse_unknown(config, "longcat_flash", known)
    reading = Reading(
        config=config,
        defaults={"zero_expert_num": 256},
        model_type="longcat_flash",
        aliases={"moe_topk": ("num_experts_per_tok",), "expert_ffn_hidden_size": ("moe_intermediate_size",)},
    )
    n_layers = reading.whole("num_hidden_layers")
    latent, heads = latent_attention(reading), reading.whole("num_attention_heads")
    layer = SoftmaxAttention(
        layers=1, heads=heads, kv_heads=heads, head_dim=latent.nope_head_dim + latent.rope_head_dim, latent=latent
    )
    held, empty = reading.whole("n_routed_experts"), reading.optional("zero_expert_num", 0)
    experts = Experts(
        n_experts=held,
        top_k=max(round(reading.whole("moe_topk") * held / (held + empty)), 1),
        ffn_hidden=reading.whole("expert_ffn_hidden_size"),
        layers=n_layers,
    )
    hidden = reading.whole("hidden_size")
    router = Gemm(name="empty_router", part="experts", inputs=hidden, outputs=empty, layers=n_layers)
    configured = layered_model(
        reading,
        attention=[layer] * (2 * n_layers),
        widths=[reading.whole("intermediate_size")] * (2 * n_layers),
        facts=VectorFacts(norms_per_layer=4),
        experts=experts,
        # The bias by which its router chooses has one number for each expert, empty ones too.
        mixers=(Given(given=Operations(gemms=(router,) if empty else ()), own_vectors=(held + empty) * n_layers),),
    )
    share = f"{empty} of {held + empty}"
    note = f"{share} experts are empty and cost nothing, and a token is taken to visit as many of them on average"
    return replace(configured, notes=(note,)) if empty else configured


def read_mimo_v2(config: Config) -> ConfiguredModel:
    """Return MiMo-V2: sliding layers with twice the heads for keys and a sink each, values narrower than keys."""
    known = (
        *_MOE_KEYS, "v_head_dim", "sliding_window", "sliding_window_size", "n_routed_experts", "num_local_experts",
        "n_shared_experts", "hybrid_layer_pattern", "hybrid_block_size", "swa_num_key_value_heads", "swa_head_dim",
        "swa_v_head_dim", "swa_num_attention_heads", "add_swa_attention_sink_bias", "add_full_attention_sink_bias",
        "attention_chunk_size",
    )  # fmt: skip
    refuse_unknown(config, "mimo_v2_flash", known)
    reading = Reading(config=config, defaults={"sliding_window": 129}, model_type="mimo_v2_flash")
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    pattern = reading.items("hybrid_layer_pattern")
    usual = [
        _SLIDING if (pattern[layer] if layer < len(pattern) else layer and (layer + 1) % 6) else "full_attention"
        for layer in range(n_layers)
    ]
    kinds = kinds_of_layers(reading, "layer_types", n_layers, usual)
    full = replace(_grouped(reading, hidden, normed=False), value_width=reading.whole("v_head_dim"))
    sliding = replace(
        full,
        kv_heads=reading.optional("swa_num_key_value_heads", 2 * full.kv_heads, least=1),
        window=reading.whole("sliding_window"),
        own_vectors=full.own_vectors + full.heads,
    )
    attention = [sliding if kind == _SLIDING else full for kind in kinds]
    keys = ExpertKeys(
        count="n_routed_experts", ffn="moe_intermediate_size", shared_count="n_shared_experts", step="moe_layer_freq"
    )
    return _with_experts(reading, attention, keys, n_layers, VectorFacts(router_bias=True), default_dense=1, sinks=True)


def read_step(config: Config) -> ConfiguredModel:
    """Return Step 3.5 or 3.7: sliding layers with heads of their own, a gate of each head, experts from layer 3 on."""
    known = (
        *_MOE_KEYS, "gating", "n_routed_experts", "num_local_experts", "moe_num_experts", "moe_top_k",
        "moe_layers_enum", "share_expert_dim", "share_expert_dims", "num_sliding_attention_heads",
        "attention_other_setting", "num_attention_groups", "per_layer_config", "sliding_window", "use_moe",
        "use_qk_norm", "use_head_wise_attn_gate", "use_moe_router_bias", "moe_router_activation", "moe_every_n_layer",
    )  # fmt: skip
    refuse_unknown(config, "step3p5", known)
    reading = Reading(
        config=config,
        defaults={"n_routed_experts": 288, "num_experts_per_tok": 8, "share_expert_dim": 1280, "head_dim": 128},
        model_type="step3p5",
        aliases={
            "n_routed_experts": ("moe_num_experts", "num_local_experts"),
            "num_experts_per_tok": ("moe_top_k",),
            "num_key_value_heads": ("num_attention_groups",),
            "share_expert_dim": ("share_expert_dims",),
        },
    )
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    kinds = kinds_of_layers(reading, "layer_types", n_layers, ["full_attention"] * n_layers)
    other = nested(config, "attention_other_setting") or {}
    sliding_heads = Reading(
        config={"heads": config.get("num_sliding_attention_heads") or other.get("num_attention_heads")},
        defaults={"heads": reading.whole("num_attention_heads")},
        model_type="step3p5",
    ).whole("heads")
    layer = replace(_grouped(reading, hidden), head_gates=True)
    attention = [
        replace(layer, heads=sliding_heads, window=_window(reading, kind)) if kind == _SLIDING else layer
        for kind in kinds
    ]
    keys = ExpertKeys(count="n_routed_experts", ffn="moe_intermediate_size", shared_ffn="share_expert_dim")
    return _with_experts(reading, attention, keys, n_layers, VectorFacts(router_bias=True), default_dense=3)


def _with_experts(
    reading: Reading,
    attention: list[SoftmaxAttention],
    keys: ExpertKeys,
    n_layers: int,
    facts: VectorFacts,
    *,
    default_dense: int,
    sinks: bool = False,
) -> ConfiguredModel:
    """Return a model of these layers whose others have experts, all but `default_dense` where no list says."""
    listed = bool(reading.items(keys.kinds)) or (bool(keys.step) and reading.value(keys.step) is not None)
    held = len(expert_layers(reading, keys, n_layers)) if listed else max(n_layers - default_dense, 0)
    width = reading.whole(keys.ffn)
    shared = reading.optional(keys.shared_count, 0) * width if keys.shared_count else 0
    experts = Experts(
        n_experts=reading.whole(keys.count),
        top_k=reading.whole(keys.top_k),
        ffn_hidden=width,
        shared_ffn_hidden=reading.optional(keys.shared_ffn, 0) if keys.shared_ffn else shared,
        layers=held,
    )
    dense = n_layers - held
    return layered_model(
        reading,
        attention=attention,
        widths=[reading.whole("intermediate_size")] * dense if dense else (),
        facts=facts,
        experts=experts if held else None,
        sinks=sinks,
    )


def _grouped(reading: Reading, hidden: int, *, normed: bool = True) -> SoftmaxAttention:
    """Return one layer's grouped attention, its heads normalised or not."""
    heads = reading.whole("num_attention_heads")
    head_dim = head_width(reading, hidden, heads)
    if reading.flag("attention_bias", default=False):
        raise UnsupportedModelError(f"hf_config.attention_bias: {reading.model_type} with biases is not modelled here")
    return SoftmaxAttention(
        layers=1,
        heads=heads,
        kv_heads=reading.optional("num_key_value_heads", heads, least=1),
        head_dim=head_dim,
        own_vectors=2 * head_dim * normed,
    )


def _window(reading: Reading, kind: str) -> int:
    if kind not in (_SLIDING, "full_attention"):
        raise UnsupportedModelError(f"hf_config.layer_types: {shown(kind)} is not modelled here")
    return reading.optional("sliding_window", 0) if kind == _SLIDING else 0
