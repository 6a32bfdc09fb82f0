"""What a text part means that leaves its widths out: multimodal files state only what differs from the class.

Source: the configuration classes of `transformers` 5.24.
"""

from collections.abc import Mapping

from estimator.models.huggingface.reading import SYNONYMS, Config

__all__ = ["with_class_defaults"]

_COLUMNS = (
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_key_value_heads",
    "vocab_size",
    "max_position_embeddings",
)
# 0 where the class has none of its own: heads for keys then follow those for queries, widths a multiple.
_WIDTHS: Mapping[str, tuple[int, ...]] = {
    "apertus": (32, 4096, 14336, 32, 0, 131072, 65536),
    "aria_text": (32, 4096, 4096, 32, 0, 32000, 2048),
    "cohere": (40, 8192, 22528, 64, 0, 256000, 8192),
    "cohere2": (40, 8192, 22528, 64, 0, 256000, 8192),
    "deepseek_v2": (32, 4096, 11008, 32, 0, 102400, 2048),
    "deepseek_v3": (61, 7168, 18432, 128, 0, 129280, 4096),
    "ernie4_5": (18, 1024, 3072, 16, 2, 103424, 131072),
    "ernie4_5_moe": (28, 2560, 12288, 20, 4, 103424, 131072),
    "exaone4": (32, 4096, 16384, 32, 32, 102400, 2048),
    "falcon": (32, 4544, 0, 71, 0, 65024, 2048),
    "gemma": (28, 3072, 24576, 16, 16, 256000, 8192),
    "gemma2": (26, 2304, 9216, 8, 4, 256000, 8192),
    "gemma3_text": (26, 2304, 9216, 8, 4, 262208, 131072),
    "glm": (40, 4096, 13696, 32, 2, 151552, 131072),
    "glm4": (40, 4096, 13696, 32, 2, 151552, 131072),
    "glm4_moe": (46, 4096, 10944, 96, 8, 151552, 131072),
    "glm4v_moe_text": (46, 4096, 10944, 96, 8, 151424, 65536),
    "glm4v_text": (40, 4096, 13696, 32, 2, 151552, 32768),
    "gpt2": (12, 768, 0, 12, 0, 50257, 1024),
    "gpt_neox": (44, 6144, 24576, 64, 0, 50432, 2048),
    "gptj": (28, 4096, 0, 16, 0, 50400, 2048),
    "granite": (32, 4096, 11008, 32, 0, 32000, 2048),
    "helium": (24, 2560, 7040, 20, 20, 48000, 4096),
    "llama": (32, 4096, 11008, 32, 0, 32000, 2048),
    "llama4_text": (48, 5120, 8192, 40, 8, 202048, 131072),
    "ministral": (32, 4096, 14336, 32, 8, 32000, 131072),
    "ministral3": (34, 4096, 14336, 32, 8, 131072, 262144),
    "mistral": (32, 4096, 14336, 32, 8, 32000, 131072),
    "mistral4": (36, 4096, 12288, 32, 0, 131072, 1048576),
    "mixtral": (32, 4096, 14336, 32, 8, 32000, 131072),
    "mpt": (24, 2048, 0, 16, 0, 50368, 2048),
    "olmo": (32, 4096, 11008, 32, 0, 50304, 2048),
    "olmo2": (32, 4096, 11008, 32, 0, 50304, 2048),
    "olmo3": (32, 4096, 11008, 32, 0, 50304, 2048),
    "opt": (12, 768, 3072, 12, 0, 50272, 2048),
    "persimmon": (36, 4096, 16384, 64, 0, 262144, 16384),
    "phi": (24, 2048, 8192, 32, 0, 51200, 2048),
    "phi3": (32, 3072, 8192, 32, 0, 32064, 4096),
    "qwen2": (32, 4096, 22016, 32, 32, 151936, 32768),
    "qwen2_5_vl_text": (80, 8192, 29568, 64, 8, 152064, 32768),
    "qwen2_moe": (24, 2048, 5632, 16, 16, 151936, 32768),
    "qwen2_vl_text": (80, 8192, 29568, 64, 8, 152064, 32768),
    "qwen3": (32, 4096, 22016, 32, 32, 151936, 32768),
    "qwen3_moe": (24, 2048, 6144, 32, 4, 151936, 32768),
    "qwen3_vl_moe_text": (24, 2048, 5632, 16, 16, 151936, 128000),
    "qwen3_vl_text": (32, 4096, 22016, 32, 32, 151936, 128000),
    "smollm3": (36, 2048, 11008, 16, 4, 128256, 32768),
    "stablelm": (32, 2560, 6912, 32, 32, 50304, 4096),
    "starcoder2": (30, 3072, 12288, 24, 2, 49152, 4096),
}
_MORE: Mapping[str, Config] = {
    "deepseek_v3": {
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "n_routed_experts": 256,
        "num_experts_per_tok": 8,
        "moe_intermediate_size": 2048,
    },
    "glm4v_moe_text": {
        "n_routed_experts": 128,
        "n_shared_experts": 1,
        "num_experts_per_tok": 8,
        "moe_intermediate_size": 1408,
        "first_k_dense_replace": 1,
    },
    "llama4_text": {"num_local_experts": 16, "num_experts_per_tok": 1, "intermediate_size_mlp": 16384},
    "mistral": {"sliding_window": 4096},
    "mixtral": {"num_local_experts": 8, "num_experts_per_tok": 2},
    "qwen2_moe": {"num_experts": 60, "num_experts_per_tok": 4, "moe_intermediate_size": 1408},
    "qwen3_moe": {"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768},
    "qwen3_vl_moe_text": {"num_experts": 60, "num_experts_per_tok": 4, "moe_intermediate_size": 1408},
}


def with_class_defaults(text: Config, model_type: str, aliases: Mapping[str, tuple[str, ...]]) -> Config:
    """Return the text part of a multimodal configuration with what its class has for the keys that it leaves out."""
    widths = dict(zip(_COLUMNS, _WIDTHS.get(model_type, ()), strict=False))
    left_out = {
        key: value
        for key, value in {**widths, **_MORE.get(model_type, {})}.items()
        if value and not any(name in text for name in (key, *aliases.get(key, ()), *SYNONYMS.get(key, ())))
    }
    return {**left_out, **text}
