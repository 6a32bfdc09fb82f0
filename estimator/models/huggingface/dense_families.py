"""How to read families whose every layer has a dense MLP: a table, one row a `model_type`.

Only what differs from Llama is said. Defaults are those of the family's configuration class in `transformers`
4.57 and 5.24, which apply to keys that a `config.json` leaves out.
"""

from collections.abc import Mapping

from estimator.models.huggingface.family import (
    ALL_BIASES,
    FULL_NORM,
    HEAD_NORM,
    LAYER_NORM,
    LLAMA_BIASES,
    POSITIONS,
    QKV_BIAS,
    Family,
    Flag,
    WindowKeys,
    all_biases,
    attention_bias,
)

__all__ = ["DENSE"]

_QWEN_WINDOW = WindowKeys(switch="use_sliding_window", first_layer="max_window_layers")
_GPT = Family(gated_mlp=False, tied=True, ffn_multiple=4, vectors={**LAYER_NORM, **ALL_BIASES, **POSITIONS})
_GPT_J = Family(
    gated_mlp=False,
    ffn_multiple=4,
    vectors={**LAYER_NORM, "norms_per_layer": 1, "mlp_bias": True, "logits_bias": True},
)
_LLAMA = Family(vectors=LLAMA_BIASES)
_PLAIN = Family()

DENSE: Mapping[str, Family] = {
    "apertus": Family(
        gated_mlp=False, vectors={**attention_bias(), **HEAD_NORM, "activation_parameters": 2}, knows=("qk_norm",)
    ),
    "arcee": Family(gated_mlp=False, vectors=LLAMA_BIASES),
    "baichuan": _PLAIN,
    "bloom": Family(gated_mlp=False, tied=True, ffn_multiple=4, vectors={**LAYER_NORM, **ALL_BIASES, "outer_norms": 2}),
    "chatglm": Family(
        vectors=attention_bias("add_qkv_bias", output=False),
        adapted="chatglm",
        knows=("kv_channels", "multi_query_attention", "multi_query_group_num"),
    ),
    "codegen": _GPT_J,
    "cohere": Family(
        tied=True,
        vectors={
            **attention_bias(),
            "norms_per_layer": 1,
            "qk_norm": Flag(key="use_qk_norm", default=False, means="full"),
        },
    ),
    "cohere2": Family(
        tied=True,
        vectors={**attention_bias(), "norms_per_layer": 1},
        window=WindowKeys(period=4, period_key="sliding_window_pattern"),
        defaults={"sliding_window": 4096},
    ),
    "ernie4_5": Family(tied=True, vectors=all_biases("use_bias", default=False)),
    "exaone": Family(classes=("Exaone", "Llama")),
    "exaone4": Family(
        vectors=HEAD_NORM,
        window=WindowKeys(period=4, period_key="sliding_window_pattern"),
        adapted="exaone4",
    ),
    "falcon": Family(
        gated_mlp=False,
        tied=True,
        ffn_multiple=4,
        vectors={**LAYER_NORM, **all_biases("bias", default=False)},
        defaults={"max_position_embeddings": 2048},
        adapted="falcon",
        classes=("Falcon", "RW"),
        knows=("multi_query", "num_kv_heads", "n_head_kv"),
    ),
    "gemma": Family(tied=True, vectors=attention_bias(), defaults={"head_dim": 256}),
    "gemma2": Family(
        tied=True,
        vectors={**attention_bias(), "norms_per_layer": 4},
        soft_capped=True,
        window=WindowKeys(period=2),
        defaults={"head_dim": 256, "sliding_window": 4096},
        knows=("sliding_window_size",),
    ),
    "gemma3_text": Family(
        tied=True,
        vectors={**attention_bias(), **HEAD_NORM, "norms_per_layer": 4},
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
    "glm": Family(vectors=attention_bias(output=False), defaults={"head_dim": 128}),
    "glm4": Family(vectors={**attention_bias(output=False), "norms_per_layer": 4}, defaults={"head_dim": 128}),
    "gpt2": _GPT,
    "gpt_bigcode": Family(
        gated_mlp=False,
        tied=True,
        ffn_multiple=4,
        vectors={**POSITIONS, **LAYER_NORM, **ALL_BIASES},
        adapted="gpt_bigcode",
        knows=("multi_query",),
    ),
    "gpt_neo": Family(
        gated_mlp=False,
        tied=True,
        ffn_multiple=4,
        vectors={**POSITIONS, **LAYER_NORM, "output_bias": True, "mlp_bias": True},
        window=WindowKeys(key="window_size", period=2),
        defaults={"window_size": 256},
        knows=("attention_layers", "attention_types"),
    ),
    "gpt_neox": Family(
        gated_mlp=False,
        vectors={**LAYER_NORM, "mlp_bias": True, **attention_bias(default=True)},
    ),
    "gptj": _GPT_J,
    "granite": _LLAMA,
    "helium": _LLAMA,
    "internlm": Family(vectors=attention_bias("bias", default=True)),
    "internlm2": Family(vectors=attention_bias("bias", default=True)),
    "internlm3": Family(
        classes=("InternLM3", "Llama"),
        vectors={
            **attention_bias("qkv_bias", output=False),
            **dict.fromkeys(("output_bias", "mlp_bias"), Flag(key="bias", default=False)),
        },
    ),
    "llama": _LLAMA,
    "ministral": Family(window=WindowKeys()),
    "ministral3": _PLAIN,
    "mistral": Family(window=WindowKeys(), defaults={"num_key_value_heads": 8}),
    "mpt": Family(
        gated_mlp=False,
        tied=True,
        vectors=all_biases("no_bias", default=True, inverted=True),
        adapted="mpt",
    ),
    "nemotron": Family(gated_mlp=False, vectors={**LAYER_NORM, **LLAMA_BIASES}),
    "olmo": Family(vectors={**attention_bias(), "norm_vectors": 0}),
    "olmo2": Family(vectors={**attention_bias(), **FULL_NORM}),
    "olmo3": Family(
        vectors={**attention_bias(), **FULL_NORM}, window=WindowKeys(period=4), defaults={"sliding_window": 4096}
    ),
    "openai-gpt": Family(
        gated_mlp=False,
        tied=True,
        ffn_multiple=4,
        vectors={**LAYER_NORM, **ALL_BIASES, **POSITIONS, "outer_norms": 0},
    ),
    "opt": Family(
        gated_mlp=False,
        tied=True,
        extra_positions=2,
        vectors={**POSITIONS, **LAYER_NORM, **all_biases("enable_bias", default=True)},
        adapted="opt",
        knows=("word_embed_proj_dim",),
    ),
    "phi": Family(
        gated_mlp=False,
        ffn_multiple=4,
        vectors={**LAYER_NORM, **ALL_BIASES, "norms_per_layer": 1, "logits_bias": True},
    ),
    "phi3": Family(window=WindowKeys()),
    "phi3_v": Family(window=WindowKeys(), classes=("Phi3V",)),
    "qwen": Family(vectors=QKV_BIAS, adapted="qwen", knows=("kv_channels", "no_bias")),
    "qwen2": Family(vectors=QKV_BIAS, window=_QWEN_WINDOW, knows=("attention_bias",)),
    "qwen3": Family(vectors={**attention_bias(), **HEAD_NORM}, window=_QWEN_WINDOW, defaults={"head_dim": 128}),
    "seed_oss": Family(
        vectors={
            **attention_bias(default=True, output=False),
            "output_bias": Flag(key="attention_out_bias", default=False),
            "mlp_bias": Flag(key="mlp_bias", default=False),
        },
        defaults={"head_dim": 128},
    ),
    "smollm3": Family(tied=True, vectors=LLAMA_BIASES, defaults={"num_key_value_heads": 4}),
    "stablelm": Family(
        vectors={**LAYER_NORM, **attention_bias("use_qkv_bias", output=False)},
        adapted="stablelm",
        knows=("qk_layernorm", "use_qkv_bias"),
    ),
    "starcoder2": Family(
        gated_mlp=False,
        tied=True,
        vectors={**LAYER_NORM, **all_biases("use_bias", default=True)},
        window=WindowKeys(),
    ),
    "xverse": _PLAIN,
    "apertus1p5_text": Family(gated_mlp=False, vectors={**attention_bias(), **HEAD_NORM, "activation_parameters": 2}),
    "biogpt": Family(
        gated_mlp=False,
        tied=True,
        extra_positions=2,
        vectors={**POSITIONS, **LAYER_NORM, **ALL_BIASES},
    ),
    "bitnet": Family(vectors={**attention_bias(), "inner_norms": True}),
    "ctrl": Family(gated_mlp=False, tied=True, ffn="dff", vectors={**LAYER_NORM, **ALL_BIASES, "logits_bias": True}),
    "cwm": Family(
        vectors={"mlp_bias": Flag(key="mlp_bias", default=False)},
        window=WindowKeys(period=4, leads=True),
        defaults={"sliding_window": 8192},
    ),
    "exaone4_5_text": Family(
        vectors=HEAD_NORM, window=WindowKeys(period=4, period_key="sliding_window_pattern"), adapted="exaone4"
    ),
    "glm4v_text": Family(vectors={**QKV_BIAS, "norms_per_layer": 4}, knows=("attention_bias",)),
    "granite_swa": Family(vectors={**LLAMA_BIASES, "sinks": True}, window=WindowKeys(period=4, leads=True)),
    "hunyuan_v1_dense": Family(
        vectors={**attention_bias(), **HEAD_NORM},
        aliases={"head_dim": ("attention_head_dim",)},
        knows=("attention_head_dim", "use_qk_norm", "mlp_bias"),
        classes=("HunYuanDenseV1",),
    ),
    "hyperclovax": Family(vectors=LLAMA_BIASES, adapted="hyperclovax"),
    "iquestcoder": Family(vectors=LLAMA_BIASES, classes=("Llama", "IQuestCoder")),
    "jais2": Family(
        gated_mlp=False,
        vectors={
            **LAYER_NORM,
            **attention_bias(default=True),
            "mlp_bias": Flag(key="mlp_bias", default=True),
        },
        defaults={
            "head_dim": 128,
            "hidden_size": 3328,
            "intermediate_size": 26624,
            "num_attention_heads": 26,
            "num_hidden_layers": 32,
            "vocab_size": 150_272,
        },
    ),
    "mimo": Family(vectors=attention_bias(default=True, output=False), window=_QWEN_WINDOW),
    "minicpm3": Family(latent=True, tied=True, vectors={}, knows=("qk_head_dim",)),
    "nanochat": Family(gated_mlp=False, vectors={**attention_bias(), "norm_vectors": 0}),
    "orion": Family(vectors=LAYER_NORM),
    "persimmon": Family(
        gated_mlp=False,
        vectors={
            **LAYER_NORM,
            **ALL_BIASES,
            "qk_norm": Flag(key="qk_layernorm", default=True, means="head_biased"),
        },
    ),
    "phi-msft": Family(
        gated_mlp=False,
        ffn_multiple=4,
        vectors={**LAYER_NORM, **ALL_BIASES, "norms_per_layer": 1, "logits_bias": True},
        aliases={"num_key_value_heads": ("n_head_kv",)},
        classes=("Phi", "MixFormerSequential"),
    ),
    "phi4_multimodal": Family(
        window=WindowKeys(), knows=("vision_lora", "speech_lora"), classes=("Phi4Multimodal", "Phi4MM")
    ),
    "vaultgemma": Family(
        soft_capped=True,
        tied=True,
        vectors=attention_bias(),
        window=WindowKeys(period=2),
        defaults={"head_dim": 256, "sliding_window": 4096},
    ),
    "xglm": Family(
        gated_mlp=False,
        tied=True,
        vectors={**LAYER_NORM, **ALL_BIASES},
        aliases={"num_attention_heads": ("attention_heads",)},
    ),
    "youtu": Family(latent=True, tied=True, knows=("qk_head_dim",), defaults={"q_lora_rank": 1536}),
}
"""Families without experts, by `model_type`."""
