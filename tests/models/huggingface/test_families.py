"""Configurations of families and sizes beside the catalogue's, written out from what their publishers state.

Authority: the number of parameters in each model's checkpoint.
"""

from typing import Any

import pytest

from estimator.base.errors import UnsupportedModelError
from estimator.models.huggingface.config import configured_model
from estimator.models.parameters import parameter_counts

_SHAPE = (
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_key_value_heads",
    "vocab_size",
)
_GPT_SHAPE = ("n_layer", "n_embd", "n_head", "vocab_size", "n_positions")


def _layers(model_type: str, *shape: int, **more: object) -> dict[str, Any]:
    return {"model_type": model_type, **dict(zip(_SHAPE, shape, strict=True)), "tie_word_embeddings": False, **more}


def _gpt(model_type: str, *shape: int) -> dict[str, Any]:
    return {"model_type": model_type, **dict(zip(_GPT_SHAPE, shape, strict=True))}


_TIED = {"tie_word_embeddings": True}
_DEEPSEEK_V2 = {
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_routed_experts": 160,
    "n_shared_experts": 2,
    "num_experts_per_tok": 6,
    "moe_intermediate_size": 1536,
    "first_k_dense_replace": 1,
}
_DOTS = {
    "head_dim": 128,
    "n_routed_experts": 128,
    "n_shared_experts": 2,
    "num_experts_per_tok": 6,
    "moe_intermediate_size": 1408,
    "first_k_dense_replace": 1,
}
_ERNIE = {
    "moe_num_experts": 64,
    "moe_k": 6,
    "moe_intermediate_size": 1536,
    "moe_num_shared_experts": 2,
    "moe_layer_start_index": 1,
    "moe_layer_interval": 1,
}
_QWEN3_MOE = {"head_dim": 128, "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 1536}
_EXPERTS_8 = {"num_local_experts": 8, "num_experts_per_tok": 2}
_GPT_OSS = {"num_local_experts": 128, "num_experts_per_tok": 4, "head_dim": 64, "attention_bias": True}

_OPEN_ELM = {
    "model_type": "openelm",
    "model_dim": 1280,
    "num_transformer_layers": 16,
    "head_dim": 64,
    "num_query_heads": [12] * 5 + [16] * 7 + [20] * 4,
    "num_kv_heads": [3] * 5 + [4] * 7 + [5] * 4,
    "ffn_multipliers": [
        0.5, 0.73, 0.97, 1.2, 1.43, 1.67, 1.9, 2.13, 2.37, 2.6, 2.83, 3.07, 3.3, 3.53, 3.77, 4.0
    ],
    "max_context_length": 2048,
    "vocab_size": 32000,
}  # fmt: skip

CHECKPOINTS: dict[str, tuple[dict[str, Any], int]] = {
    "Llama 2 70B": (_layers("llama", 80, 8192, 28672, 64, 8, 32000), 68_976_648_192),
    "Llama 3.1 70B": (_layers("llama", 80, 8192, 28672, 64, 8, 128256), 70_553_706_496),
    "Llama 3.1 405B": (_layers("llama", 126, 16384, 53248, 128, 8, 128256), 405_853_388_800),
    "Llama 3.2 3B": (_layers("llama", 28, 3072, 8192, 24, 8, 128256, head_dim=128, **_TIED), 3_212_749_824),
    "Mixtral 8x22B": (_layers("mixtral", 56, 6144, 16384, 48, 8, 32768, **_EXPERTS_8), 140_630_071_296),
    "Qwen 7B": (_layers("qwen", 32, 4096, 22016, 32, 32, 151936, kv_channels=128), 7_721_324_544),
    "Qwen2.5 1.5B": (_layers("qwen2", 28, 1536, 8960, 12, 2, 151936, **_TIED), 1_543_714_304),
    "Qwen2.5 72B": (_layers("qwen2", 80, 8192, 29568, 64, 8, 152064), 72_706_203_648),
    "Qwen3 0.6B": (_layers("qwen3", 28, 1024, 3072, 16, 8, 151936, head_dim=128, **_TIED), 596_049_920),
    "Qwen3 32B": (_layers("qwen3", 64, 5120, 25600, 64, 8, 151936, head_dim=128), 32_762_123_264),
    "Qwen3 235B-A22B": (_layers("qwen3_moe", 94, 4096, 12288, 64, 4, 151936, **_QWEN3_MOE), 235_093_634_560),
    "Gemma 7B": (_layers("gemma", 28, 3072, 24576, 16, 16, 256000, head_dim=256, **_TIED), 8_537_680_896),
    "Gemma 2 2B": (_layers("gemma2", 26, 2304, 9216, 8, 4, 256000, head_dim=256, **_TIED), 2_614_341_888),
    "Gemma 2 27B": (_layers("gemma2", 46, 4608, 36864, 32, 16, 256000, head_dim=128, **_TIED), 27_227_128_320),
    "Phi-4-mini": (_layers("phi3", 32, 3072, 8192, 24, 8, 200064, **_TIED), 3_836_021_760),
    "DeepSeek-V2": (_layers("deepseek_v2", 60, 5120, 12288, 128, 128, 102400, **_DEEPSEEK_V2), 235_741_434_880),
    "dots.llm1": (_layers("dots1", 62, 4096, 10944, 32, 32, 152064, **_DOTS), 142_774_381_696),
    "ERNIE 4.5 21B-A3B": (_layers("ernie4_5_moe", 28, 2560, 12288, 20, 4, 103424, **_ERNIE, **_TIED), 21_825_437_888),
    "EXAONE 3.0 7.8B": (_layers("exaone", 32, 4096, 14336, 32, 8, 102400), 7_818_448_896),
    "EXAONE 4.0 32B": (_layers("exaone4", 64, 5120, 27392, 40, 8, 102400, head_dim=128), 32_003_216_384),
    "GPT-1": (_gpt("openai-gpt", 12, 768, 12, 40478, 512), 116_534_784),
    "GPT-2 XL": (_gpt("gpt2", 48, 1600, 25, 50257, 1024), 1_557_611_200),
    "gpt-oss-120b": (_layers("gpt_oss", 36, 2880, 2880, 64, 8, 201088, **_GPT_OSS), 116_829_156_672),
    "StarCoder2 15B": (_layers("starcoder2", 40, 6144, 24576, 48, 4, 49152, use_bias=True), 15_957_889_024),
    "OpenELM 270M": (_OPEN_ELM, 271_527_168),
    "OLMo 2 13B": (_layers("olmo2", 40, 5120, 13824, 40, 40, 100352), 13_716_198_400),
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_configuration_has_the_parameters_of_its_checkpoint_to_the_unit(name: str) -> None:
    config, total = CHECKPOINTS[name]
    assert parameter_counts(configured_model(config).transformer).total == total


def test_a_pattern_of_layers_may_be_spelt_in_letters() -> None:
    """EXAONE 4: three local layers, one global, over and over."""
    config = {**CHECKPOINTS["EXAONE 4.0 32B"][0], "sliding_window": 4096, "sliding_window_pattern": "LLLG"}
    assert configured_model(config).transformer.windowed_layers == 48


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({**CHECKPOINTS["GPT-2 XL"][0], "add_cross_attention": True}, "add_cross_attention is true"),
        ({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.20.0"}, "a diffusion model"),
        (
            {"model_type": "blip-2", "text_config": {"model_type": "prophetnet"}},
            "an encoder-decoder",
        ),
        ({**CHECKPOINTS["Llama 3.1 70B"][0], "model_type": "mllama_text_model"}, "cross-attention"),
        ({**CHECKPOINTS["Llama 3.1 70B"][0], "model_type": "roformer", "is_decoder": True}, "an encoder"),
    ],
)
def test_what_has_all_a_decoders_keys_and_is_none_is_refused_as_what_it_is(config: dict[str, Any], kind: str) -> None:
    with pytest.raises(UnsupportedModelError, match=kind):
        configured_model(config)


def test_cross_layer_attention_projects_keys_in_every_second_layer_alone() -> None:
    """Authority: Hunyuan-Large's paper: 64 layers, keys and values of one layer shared by two; counted by hand."""
    hunyuan = {
        **_layers("hunyuan", 64, 6400, 18304, 80, 8, 128512, **_TIED),
        "attention_head_dim": 128,
        "num_experts": 16,
        "moe_topk": 1,
        "num_shared_expert": 1,
        "use_qk_norm": True,
        "use_cla": True,
        "cla_share_factor": 2,
    }
    keys = 2 * 6400 * 8 * 128 + 128
    shared = parameter_counts(configured_model(hunyuan).transformer).total
    alone = parameter_counts(configured_model({**hunyuan, "use_cla": False}).transformer).total
    assert alone - shared == 32 * keys
    assert shared == pytest.approx(389e9, rel=0.01)


def test_a_search_may_state_heads_for_keys_layer_by_layer() -> None:
    """DeciLM-7B's form: as many parameters less as there are heads less."""
    usual = _layers("deci", 4, 4096, 14336, 32, 4, 32000)
    less = configured_model({**usual, "num_key_value_heads_per_layer": [4, 4, 2, 1]}).transformer
    same = configured_model({**usual, "num_key_value_heads_per_layer": [4, 4, 4, 4]}).transformer
    assert parameter_counts(same).total - parameter_counts(less).total == 2 * 4096 * 128 * (2 + 3)
