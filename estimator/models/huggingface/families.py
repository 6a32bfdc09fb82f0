"""How each family of Hugging Face configurations is to be read: a table, one row a `model_type`.

Only what differs from Llama is said. Defaults are those of the family's configuration class in
`transformers` 4.57, which apply to keys that a `config.json` leaves out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["FAMILIES", "ExpertKeys", "Family", "Flag", "WindowKeys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A vector flag that the configuration decides."""

    key: str
    default: bool
    inverted: bool = False
    means: bool | str = True
    """The field's value where the flag is true; where it is false, a text field is `none`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertKeys:
    """Where a family states its experts; empty where it has no such thing."""

    count: str = "num_local_experts"
    top_k: str = "num_experts_per_tok"
    ffn: str = "intermediate_size"
    shared_count: str = ""
    """Number of shared experts, each as wide as a routed one."""
    shared_ffn: str = ""
    """Width of the shared experts, all together."""
    first_dense: str = ""
    dense_list: str = ""
    """List of layers that keep the dense MLP."""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowKeys:
    """Where a family states how many keys a layer sees."""

    key: str = "sliding_window"
    period: int = 0
    """One layer of so many sees all keys; 0 where every layer has the window."""
    period_key: str = ""
    switch: str = ""
    """Key that must be true for the window to apply."""
    first_layer: str = ""
    """First layer with a window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How to read one family; the defaults are Llama's."""

    gated_mlp: bool = True
    tied: bool = False
    """Class default of `tie_word_embeddings`."""
    ffn: str = ""
    """Key of the dense MLP's width where it is not one of the usual ones."""
    ffn_multiple: int = 0
    """Width of the MLP over the model's where it is left out; 0 where it must be given."""
    vectors: Mapping[str, bool | int | str | Flag] = field(default_factory=dict[str, bool | int | str | Flag])
    """Fields of VectorFacts, fixed or read from a flag; learned positions are True where there are any."""
    extra_positions: int = 0
    """Rows of the position table beyond the sequence length."""
    experts: ExpertKeys | None = None
    latent: bool = False
    window: WindowKeys | None = None
    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    adapted: str = ""
    """Name of the adapter that first rewrites an irregular configuration; see hf_config."""


_POSITIONS = {"learned_positions": True}
_ALL_BIASES = dict.fromkeys(("query_bias", "kv_bias", "output_bias", "mlp_bias"), True)
_LAYER_NORM = {"norm_vectors": 2}
_QKV_BIAS = {"query_bias": True, "kv_bias": True}
_HEAD_NORM = {"qk_norm": "head"}
_FULL_NORM = {"qk_norm": "full"}


def _attention_bias(key: str = "attention_bias", *, default: bool = False, output: bool = True) -> dict[str, Flag]:
    flag = Flag(key=key, default=default)
    return {"query_bias": flag, "kv_bias": flag} | ({"output_bias": flag} if output else {})


def _all_biases(key: str, *, default: bool, inverted: bool = False) -> dict[str, Flag]:
    return dict.fromkeys(_ALL_BIASES, Flag(key=key, default=default, inverted=inverted))


_LLAMA_BIASES = {**_attention_bias(), "mlp_bias": Flag(key="mlp_bias", default=False)}
_DEEPSEEK_EXPERTS = ExpertKeys(
    count="n_routed_experts",
    ffn="moe_intermediate_size",
    shared_count="n_shared_experts",
    first_dense="first_k_dense_replace",
    step="moe_layer_freq",
)
_QWEN_EXPERTS = ExpertKeys(
    count="num_experts", ffn="moe_intermediate_size", step="decoder_sparse_step", dense_list="mlp_only_layers"
)
_QWEN_WINDOW = WindowKeys(switch="use_sliding_window", first_layer="max_window_layers")
_GPT = Family(gated_mlp=False, tied=True, ffn_multiple=4, vectors={**_LAYER_NORM, **_ALL_BIASES, **_POSITIONS})
_GPT_J = Family(
    gated_mlp=False,
    ffn_multiple=4,
    vectors={**_LAYER_NORM, "norms_per_layer": 1, "mlp_bias": True, "logits_bias": True},
)
_LLAMA = Family(vectors=_LLAMA_BIASES)
_PLAIN = Family()
_DEEPSEEK_V3 = Family(
    latent=True,
    experts=_DEEPSEEK_EXPERTS,
    vectors={"router_bias": True},
    defaults={"moe_layer_freq": 1, "first_k_dense_replace": 3, "n_shared_experts": 1},
)
_MIXTRAL = Family(experts=ExpertKeys(), window=WindowKeys())

_BY_NAME: Mapping[str, Family] = {
    "apertus": Family(gated_mlp=False, vectors={**_attention_bias(), **_HEAD_NORM, "activation_parameters": 2}),
    "arcee": Family(gated_mlp=False, vectors=_LLAMA_BIASES),
    "baichuan": _PLAIN,
    "bloom": Family(
        gated_mlp=False, tied=True, ffn_multiple=4, vectors={**_LAYER_NORM, **_ALL_BIASES, "outer_norms": 2}
    ),
    "chatglm": Family(vectors=_attention_bias("add_qkv_bias", output=False), adapted="chatglm"),
    "codegen": _GPT_J,
    "cohere": Family(
        tied=True,
        vectors={
            **_attention_bias(),
            "norms_per_layer": 1,
            "qk_norm": Flag(key="use_qk_norm", default=False, means="full"),
        },
    ),
    "cohere2": Family(
        tied=True,
        vectors={**_attention_bias(), "norms_per_layer": 1},
        window=WindowKeys(period=4, period_key="sliding_window_pattern"),
        defaults={"sliding_window": 4096},
    ),
    "dbrx": Family(experts=ExpertKeys(), adapted="dbrx"),
    "deepseek": Family(experts=_DEEPSEEK_EXPERTS, vectors=_attention_bias(), defaults={"moe_layer_freq": 1}),
    "deepseek_v2": Family(latent=True, experts=_DEEPSEEK_EXPERTS, defaults={"moe_layer_freq": 1}),
    "deepseek_v3": _DEEPSEEK_V3,
    "dots1": Family(
        experts=_DEEPSEEK_EXPERTS,
        vectors={**_attention_bias(), **_HEAD_NORM, "router_bias": True},
        defaults={"moe_layer_freq": 1},
    ),
    "ernie4_5": Family(tied=True, vectors=_all_biases("use_bias", default=False)),
    "ernie4_5_moe": Family(
        tied=True,
        experts=ExpertKeys(
            count="moe_num_experts",
            top_k="moe_k",
            ffn="moe_intermediate_size",
            shared_count="moe_num_shared_experts",
            first_dense="moe_layer_start_index",
            step="moe_layer_interval",
        ),
        vectors={**_all_biases("use_bias", default=False), "router_bias": True},
        defaults={"moe_num_shared_experts": 2, "moe_layer_start_index": 1},
    ),
    "exaone": _PLAIN,
    "exaone4": Family(
        vectors=_HEAD_NORM,
        window=WindowKeys(period=4, period_key="sliding_window_pattern"),
        adapted="exaone4",
    ),
    "falcon": Family(
        gated_mlp=False,
        tied=True,
        ffn_multiple=4,
        vectors={**_LAYER_NORM, **_all_biases("bias", default=False)},
        defaults={"max_position_embeddings": 2048},
        adapted="falcon",
    ),
    "gemma": Family(tied=True, vectors=_attention_bias(), defaults={"head_dim": 256}),
    "gemma2": Family(
        tied=True,
        vectors={**_attention_bias(), "norms_per_layer": 4},
        window=WindowKeys(period=2),
        defaults={"head_dim": 256, "sliding_window": 4096},
    ),
    "gemma3_text": Family(
        tied=True,
        vectors={**_attention_bias(), **_HEAD_NORM, "norms_per_layer": 4},
        window=WindowKeys(period=6, period_key="sliding_window_pattern"),
        defaults={
            "head_dim": 256,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "vocab_size": 262_208,
            "sliding_window": 4096,
            "max_position_embeddings": 131_072,
        },
    ),
    "glm": Family(vectors=_attention_bias(output=False), defaults={"head_dim": 128}),
    "glm4": Family(vectors={**_attention_bias(output=False), "norms_per_layer": 4}, defaults={"head_dim": 128}),
    "glm4_moe": Family(
        experts=_DEEPSEEK_EXPERTS,
        vectors={
            **_attention_bias(output=False),
            "qk_norm": Flag(key="use_qk_norm", default=False, means="head"),
            "router_bias": True,
        },
        defaults={"moe_layer_freq": 1},
    ),
    "gpt2": _GPT,
    "gpt_bigcode": Family(
        gated_mlp=False,
        tied=True,
        ffn_multiple=4,
        vectors={**_POSITIONS, **_LAYER_NORM, **_ALL_BIASES},
        adapted="gpt_bigcode",
    ),
    "gpt_neo": Family(
        gated_mlp=False,
        tied=True,
        ffn_multiple=4,
        vectors={**_POSITIONS, **_LAYER_NORM, "output_bias": True, "mlp_bias": True},
        window=WindowKeys(key="window_size", period=2),
        defaults={"window_size": 256},
    ),
    "gpt_neox": Family(
        gated_mlp=False,
        vectors={**_LAYER_NORM, "mlp_bias": True, **_attention_bias(default=True)},
    ),
    "gpt_oss": Family(
        experts=ExpertKeys(),
        vectors={
            **_attention_bias(default=True),
            "sinks": True,
            "router_bias": True,
            "expert_bias": True,
        },
        window=WindowKeys(period=2),
        defaults={"head_dim": 64, "sliding_window": 128},
    ),
    "gptj": _GPT_J,
    "granite": _LLAMA,
    "granitemoe": Family(experts=ExpertKeys(), vectors=_attention_bias()),
    "granitemoeshared": Family(experts=ExpertKeys(shared_ffn="shared_intermediate_size"), vectors=_attention_bias()),
    "helium": _LLAMA,
    "internlm": Family(vectors=_attention_bias("bias", default=True)),
    "internlm2": Family(vectors=_attention_bias("bias", default=True)),
    "internlm3": Family(
        vectors={
            **_attention_bias("qkv_bias", output=False),
            **dict.fromkeys(("output_bias", "mlp_bias"), Flag(key="bias", default=False)),
        }
    ),
    "kimi_k2": _DEEPSEEK_V3,
    "llama": _LLAMA,
    "llama4_text": Family(
        ffn="intermediate_size_mlp",
        experts=ExpertKeys(shared_ffn="intermediate_size", step="interleave_moe_layer_step"),
        vectors=_attention_bias(),
        window=WindowKeys(key="attention_chunk_size", period=4),
        defaults={"attention_chunk_size": 8192},
    ),
    "minimax_m2": Family(experts=ExpertKeys(), vectors={**_FULL_NORM, "router_bias": True}),
    "ministral": Family(window=WindowKeys()),
    "ministral3": _PLAIN,
    "mistral": Family(window=WindowKeys(), defaults={"num_key_value_heads": 8}),
    "mixtral": _MIXTRAL,
    "mpt": Family(
        gated_mlp=False,
        tied=True,
        vectors=_all_biases("no_bias", default=True, inverted=True),
        adapted="mpt",
    ),
    "nemotron": Family(gated_mlp=False, vectors={**_LAYER_NORM, **_LLAMA_BIASES}),
    "olmo": Family(vectors={**_attention_bias(), "norm_vectors": 0}),
    "olmo2": Family(vectors={**_attention_bias(), **_FULL_NORM}),
    "olmo3": Family(
        vectors={**_attention_bias(), **_FULL_NORM}, window=WindowKeys(period=4), defaults={"sliding_window": 4096}
    ),
    "olmoe": Family(experts=ExpertKeys(count="num_experts"), vectors={**_attention_bias(), **_FULL_NORM}),
    "openai-gpt": Family(
        gated_mlp=False,
        tied=True,
        ffn_multiple=4,
        vectors={**_LAYER_NORM, **_ALL_BIASES, **_POSITIONS, "outer_norms": 0},
    ),
    "opt": Family(
        gated_mlp=False,
        tied=True,
        extra_positions=2,
        vectors={**_POSITIONS, **_LAYER_NORM, **_all_biases("enable_bias", default=True)},
        adapted="opt",
    ),
    "phi": Family(
        gated_mlp=False,
        ffn_multiple=4,
        vectors={**_LAYER_NORM, **_ALL_BIASES, "norms_per_layer": 1, "logits_bias": True},
    ),
    "phi3": Family(window=WindowKeys()),
    "phimoe": Family(
        experts=ExpertKeys(),
        vectors={**_LAYER_NORM, **_attention_bias(), "logits_bias": Flag(key="lm_head_bias", default=False)},
        window=WindowKeys(),
    ),
    "qwen": Family(vectors=_QKV_BIAS, adapted="qwen"),
    "qwen2": Family(vectors=_QKV_BIAS, window=_QWEN_WINDOW),
    "qwen2_moe": Family(
        experts=ExpertKeys(
            count="num_experts",
            ffn="moe_intermediate_size",
            step="decoder_sparse_step",
            dense_list="mlp_only_layers",
            shared_ffn="shared_expert_intermediate_size",
        ),
        vectors={**_QKV_BIAS, "shared_expert_gate": True},
        window=_QWEN_WINDOW,
        defaults={"decoder_sparse_step": 1, "shared_expert_intermediate_size": 5632},
    ),
    "qwen3": Family(vectors={**_attention_bias(), **_HEAD_NORM}, window=_QWEN_WINDOW, defaults={"head_dim": 128}),
    "qwen3_moe": Family(
        experts=_QWEN_EXPERTS,
        vectors={**_attention_bias(), **_HEAD_NORM},
        window=_QWEN_WINDOW,
        defaults={"decoder_sparse_step": 1},
    ),
    "seed_oss": Family(
        vectors={
            **_attention_bias(default=True, output=False),
            "output_bias": Flag(key="attention_out_bias", default=False),
            "mlp_bias": Flag(key="mlp_bias", default=False),
        },
        defaults={"head_dim": 128},
    ),
    "smollm3": Family(tied=True, vectors=_LLAMA_BIASES, defaults={"num_key_value_heads": 4}),
    "stablelm": Family(vectors={**_LAYER_NORM, **_attention_bias("use_qkv_bias", output=False)}, adapted="stablelm"),
    "starcoder2": Family(
        gated_mlp=False,
        tied=True,
        vectors={**_LAYER_NORM, **_all_biases("use_bias", default=True)},
        window=WindowKeys(),
    ),
    "xverse": _PLAIN,
}

# What a checkpoint calls itself, where it is not the family's own name.
_SAME = {
    "RefinedWeb": "falcon",
    "RefinedWebModel": "falcon",
    "Yi": "llama",
    "gemma3": "gemma3_text",
    "glm4v_moe_text": "glm4_moe",
    "glm4v_text": "glm4",
    "llama4": "llama4_text",
    "moonlight": "deepseek_v3",
    "qwen2_5_vl": "qwen2",
    "qwen2_5_vl_text": "qwen2",
    "qwen2_vl": "qwen2",
    "qwen2_vl_text": "qwen2",
    "qwen3_vl_moe_text": "qwen3_moe",
    "qwen3_vl_text": "qwen3",
    "stablelm_epoch": "stablelm",
}
FAMILIES: Mapping[str, Family] = {**_BY_NAME, **{other: _BY_NAME[family] for other, family in _SAME.items()}}
"""How to read each `model_type`."""
