"""How to read families with mixtures of experts: a table, one row a `model_type`.

Only what differs from Llama is said; defaults as in the table of dense families.
"""

from collections.abc import Mapping
from dataclasses import replace

from estimator.models.huggingface.family import (
    DEEPSEEK_EXPERTS,
    FULL_NORM,
    HEAD_NORM,
    LAYER_NORM,
    LLAMA_BIASES,
    ExpertKeys,
    Family,
    Flag,
    WindowKeys,
    all_biases,
    attention_bias,
)

__all__ = ["WITH_EXPERTS"]

_DEEPSEEK_EXPERTS = replace(DEEPSEEK_EXPERTS, optional=True)
_COUNTED_EXPERTS = replace(DEEPSEEK_EXPERTS, count="num_experts", shared_count="num_shared_experts")
_QWEN_EXPERTS = ExpertKeys(
    count="num_experts", ffn="moe_intermediate_size", step="decoder_sparse_step", dense_list="mlp_only_layers"
)
_NAMED_LOCALLY = {"num_experts": ("num_local_experts",)}
_QWEN_WINDOW = WindowKeys(switch="use_sliding_window", first_layer="max_window_layers")
_DEEPSEEK_V3 = Family(
    latent=True,
    experts=_DEEPSEEK_EXPERTS,
    vectors={"router_bias": True},
    defaults={"moe_layer_freq": 1, "first_k_dense_replace": 3, "n_shared_experts": 1, "q_lora_rank": 1536},
    aliases={"n_routed_experts": ("num_local_experts",)},
    knows=("qk_head_dim",),
    classes=("DeepseekV3",),
)
_SHARED_WIDTH = ExpertKeys(ffn="moe_intermediate_size", shared_ffn="shared_expert_intermediate_size")
_NORMED_FOUR = {**HEAD_NORM, "norms_per_layer": 4}
_MIXTRAL = Family(experts=ExpertKeys(), window=WindowKeys())

WITH_EXPERTS: Mapping[str, Family] = {
    "dbrx": Family(experts=ExpertKeys(), adapted="dbrx"),
    "deepseek": Family(experts=_DEEPSEEK_EXPERTS, vectors=attention_bias(), defaults={"moe_layer_freq": 1}),
    "deepseek_v2": Family(
        latent=True,
        experts=_DEEPSEEK_EXPERTS,
        defaults={"moe_layer_freq": 1, "q_lora_rank": 1536},
        knows=("qk_head_dim",),
    ),
    "deepseek_v3": _DEEPSEEK_V3,
    "dots1": Family(
        experts=_DEEPSEEK_EXPERTS,
        vectors={**attention_bias(), **HEAD_NORM, "router_bias": True},
        defaults={"moe_layer_freq": 1},
    ),
    "ernie4_5_moe": Family(
        tied=True,
        experts=ExpertKeys(
            count="moe_num_experts",
            top_k="moe_k",
            ffn="moe_intermediate_size",
            shared_count="moe_num_shared_experts",
            first_dense="moe_layer_start_index",
            last="moe_layer_end_index",
            step="moe_layer_interval",
        ),
        vectors={**all_biases("use_bias", default=False), "router_bias": True},
        defaults={"moe_num_shared_experts": 2, "moe_layer_start_index": 1},
    ),
    "glm4_moe": Family(
        experts=_DEEPSEEK_EXPERTS,
        vectors={
            **attention_bias(output=False),
            "qk_norm": Flag(key="use_qk_norm", default=False, means="head"),
            "router_bias": True,
        },
        defaults={"moe_layer_freq": 1},
    ),
    "gpt_oss": Family(
        experts=ExpertKeys(),
        aliases={"num_experts_per_tok": ("experts_per_token",)},
        vectors={
            **attention_bias(default=True),
            "sinks": True,
            "router_bias": True,
            "expert_bias": True,
        },
        window=WindowKeys(period=2),
        defaults={"head_dim": 64, "sliding_window": 128},
        knows=("initial_context_length",),
    ),
    "granitemoe": Family(experts=ExpertKeys(), vectors=attention_bias()),
    "granitemoeshared": Family(experts=ExpertKeys(shared_ffn="shared_intermediate_size"), vectors=attention_bias()),
    "kimi_k2": _DEEPSEEK_V3,
    "llama4_text": Family(
        ffn="intermediate_size_mlp",
        experts=ExpertKeys(
            shared_ffn="intermediate_size",
            step="interleave_moe_layer_step",
            expert_list="moe_layers",
            weighed_inputs=True,
        ),
        vectors=attention_bias(),
        window=WindowKeys(key="attention_chunk_size", period=4, chunked=True),
        defaults={"attention_chunk_size": 8192},
        knows=("use_qk_norm",),
    ),
    "minimax_m2": Family(
        experts=ExpertKeys(),
        vectors={**FULL_NORM, "router_bias": True},
        knows=("use_qk_norm", "qk_norm_type", "attn_type_list"),
    ),
    "mixtral": _MIXTRAL,
    "olmoe": Family(experts=ExpertKeys(count="num_experts"), vectors={**attention_bias(), **FULL_NORM}),
    "phimoe": Family(
        experts=ExpertKeys(),
        vectors={**LAYER_NORM, **attention_bias(), "logits_bias": Flag(key="lm_head_bias", default=False)},
        window=WindowKeys(),
    ),
    "qwen2_moe": Family(
        experts=ExpertKeys(
            count="num_experts",
            ffn="moe_intermediate_size",
            step="decoder_sparse_step",
            dense_list="mlp_only_layers",
            shared_ffn="shared_expert_intermediate_size",
        ),
        vectors={**attention_bias("qkv_bias", default=True, output=False), "shared_expert_gate": True},
        window=_QWEN_WINDOW,
        defaults={"decoder_sparse_step": 1, "shared_expert_intermediate_size": 5632},
    ),
    "qwen3_moe": Family(
        experts=_QWEN_EXPERTS,
        vectors={**attention_bias(), **HEAD_NORM},
        window=_QWEN_WINDOW,
        defaults={"decoder_sparse_step": 1},
        aliases=_NAMED_LOCALLY,
        knows=("use_qk_norm",),
    ),
    "afmoe": Family(
        experts=replace(_COUNTED_EXPERTS, first_dense="num_dense_layers"),
        vectors={**attention_bias(), **_NORMED_FOUR, "router_bias": True},
        gated_attention=True,
        window=WindowKeys(period=4, period_key="global_attn_every_n_layers"),
        knows=("mup_enabled",),
    ),
    "arctic": Family(
        experts=ExpertKeys(step="moe_layer_frequency", beside="hidden_size"),
        vectors={"norms_per_layer": 3},
        knows=("use_residual", "parallel_attn_mlp_res"),
    ),
    "aria_text": Family(
        experts=ExpertKeys(count="moe_num_experts", top_k="moe_topk", shared_count="moe_num_shared_experts"),
        vectors=LLAMA_BIASES,
    ),
    "axk1": replace(_DEEPSEEK_V3, vectors={"router_bias": True, "expert_layer_norms": 1}, classes=("AXK1",)),
    "bailing_moe": Family(
        experts=replace(_COUNTED_EXPERTS, step=""),
        vectors={
            **attention_bias("use_qkv_bias", output=False),
            "output_bias": Flag(key="use_bias", default=False),
            "mlp_bias": Flag(key="use_bias", default=False),
            "qk_norm": Flag(key="use_qk_norm", default=False, means="head"),
            "router_bias": Flag(key="moe_router_enable_expert_bias", default=False),
        },
        knows=("moe_shared_expert_intermediate_size", "moe_router_enable_shared_expert"),
        classes=("BailingMoe", "BailingMoeV2"),
    ),
    "beam": Family(
        experts=replace(_COUNTED_EXPERTS, shared_count="", step=""),
        vectors={**attention_bias(), **_NORMED_FOUR, "router_bias": True, "head_scalars": 1},
        gated_attention=True,
        window=WindowKeys(period=6),
    ),
    "cohere2_moe": Family(
        tied=True,
        experts=ExpertKeys(count="num_experts", shared_count="num_shared_experts"),
        vectors={**attention_bias(), "norms_per_layer": 1},
        window=WindowKeys(period=4, period_key="sliding_window_pattern"),
        knows=("expert_selection_fn", "shared_expert_combination_strategy", "prefix_dense_sliding_window_pattern"),
    ),
    "exaone_moe": Family(
        experts=_COUNTED_EXPERTS,
        vectors={**HEAD_NORM, "router_bias": True},
        window=WindowKeys(period=4, period_key="sliding_window_pattern"),
        adapted="exaone4",
    ),
    "flex_olmo": Family(experts=ExpertKeys(count="num_experts"), vectors={**attention_bias(), **FULL_NORM}),
    "flint": Family(
        experts=replace(_QWEN_EXPERTS, shared_ffn="shared_expert_intermediate_size"),
        vectors={**attention_bias(), **HEAD_NORM, "sinks": True},
        window=WindowKeys(),
    ),
    "glm4_moe_lite": replace(
        _DEEPSEEK_V3, defaults={**_DEEPSEEK_V3.defaults, "first_k_dense_replace": 1, "q_lora_rank": 768}, classes=()
    ),
    "granitemoe_swa": Family(
        experts=ExpertKeys(shared_ffn="shared_intermediate_size"),
        vectors={**attention_bias(), "sinks": True},
        window=WindowKeys(period=4, leads=True),
    ),
    "hunyuan_v1_moe": Family(
        experts=ExpertKeys(count="num_experts", top_k="moe_topk", shared_count="num_shared_expert"),
        vectors={**attention_bias(), **HEAD_NORM},
        aliases={"head_dim": ("attention_head_dim",)},
        adapted="hunyuan_v1_moe",
        knows=("attention_head_dim", "moe_intermediate_size", "use_qk_norm", "mlp_bias"),
        classes=("HunYuanMoEV1", "HunYuanMoE"),
    ),
    "hy_v3": Family(
        experts=replace(_COUNTED_EXPERTS, step=""),
        vectors={**attention_bias(), **HEAD_NORM, "router_bias": True},
        defaults={"first_k_dense_replace": 1},
        knows=("enable_moe_fp32_combine",),
    ),
    "kolibri1": Family(
        experts=_SHARED_WIDTH,
        vectors={**_NORMED_FOUR, "router_bias": True},
        window=WindowKeys(period=5),
    ),
    "mellum": Family(
        experts=replace(_QWEN_EXPERTS, step="", dense_list=""),
        vectors={**attention_bias(), **HEAD_NORM},
        window=WindowKeys(),
        aliases=_NAMED_LOCALLY,
    ),
    "minicpm": Family(experts=ExpertKeys(count="num_experts", optional=True), vectors={}, knows=("sparse_config",)),
    "mistral4": replace(
        _DEEPSEEK_V3,
        vectors={},
        defaults={"moe_layer_freq": 1, "n_shared_experts": 1, "q_lora_rank": 1024},
        classes=(),
    ),
    "sarvam_mla": replace(_DEEPSEEK_V3, aliases={"n_routed_experts": ("num_experts", "num_local_experts")}),
    "sarvam_moe": Family(
        experts=_DEEPSEEK_EXPERTS,
        vectors={
            **attention_bias(output=False),
            "qk_norm": Flag(key="use_qk_norm", default=True, means="head"),
            "router_bias": True,
        },
        defaults={"first_k_dense_replace": 1},
        aliases={"n_routed_experts": ("num_experts",), "n_shared_experts": ("num_shared_experts",)},
        classes=("Glm4Moe", "SarvamMoE"),
    ),
    "solar_open": Family(
        experts=replace(DEEPSEEK_EXPERTS, first_dense="", step=""),
        vectors={**attention_bias(output=False), "router_bias": True},
    ),
}
"""Families with experts, by `model_type`."""
