"""What a family's class does not read is never ignored: keys, heads, and files that are no model's configuration."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from estimator.base.errors import EstimatorError, InvalidValueError, UnsupportedModelError
from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model, language_model
from estimator.models.huggingface.families import FAMILIES
from estimator.models.parameters import parameter_counts
from estimator.models.prediction import prediction_parameters
from tests.places import PUBLISHED

_LLAMA: dict[str, Any] = json.loads((PUBLISHED / "hf_configs" / "llama-3.1-8b.json").read_text(encoding="utf-8"))
_QWEN_MOE: dict[str, Any] = json.loads((PUBLISHED / "hf_configs" / "qwen3-30b-a3b.json").read_text(encoding="utf-8"))
_ERNIE: dict[str, Any] = json.loads(
    (PUBLISHED / "hf_configs" / "decoders" / "ernie-4.5-21b-a3b.json").read_text(encoding="utf-8")
)

# A value that changes the model, by the key that says so; no Llama has any of them.
_ANOTHERS: dict[str, object] = {
    "num_experts": 8,
    "num_local_experts": 8,
    "n_routed_experts": 64,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 1408,
    "moe_layer_interval": 2,
    "moe_layer_freq": [0, 1] * 16,
    "mlp_only_layers": [0],
    "decoder_sparse_step": 2,
    "first_k_dense_replace": 1,
    "shared_expert_intermediate_size": 2048,
    "mamba_d_state": 16,
    "mamba_expand": 2,
    "ssm_state_size": 128,
    "conv_kernel": 4,
    "linear_num_value_heads": 32,
    "layers_block_type": ["mamba", "attention"] * 16,
    "hybrid_override_pattern": "M-M*",
    "attn_layer_period": 8,
    "cross_attention_layers": [3, 8],
    "cross_attention_freq": 4,
    "index_topk": 2048,
    "index_n_heads": 64,
    "compress_rates": {"compressed_sparse_attention": 4},
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "v_head_dim": 128,
    "global_head_dim": 512,
    "n_head_kv": 8,
    "num_kv_heads": 8,
    "multi_query": True,
    "num_kv_shared_layers": 4,
    "use_cla": True,
    "cla_share_factor": 2,
    "block_configs": [{"attention": {"no_op": True}}],
    "per_layer_config": {"0": {"head_dim": 64}},
    "num_attention_heads_per_layer": [32] * 32,
    "altup_num_inputs": 4,
    "laurel_rank": 64,
    "hc_mult": 4,
    "num_hash_layers": 3,
    "zero_expert_num": 256,
    "num_encoder_layers": 12,
    "loop_num_passes": 3,
    "n_recurrent_loops": 2,
    "attention_sink": True,
    "gating": True,
    "use_qk_norm": True,
    "qkv_bias": True,
    "sliding_window": 4096,
    "attention_chunk_size": 8192,
    "hidden_size_per_layer_input": 256,
    "word_embed_proj_dim": 512,
    "prefix_lm": True,
}
_HARMLESS: dict[str, object] = {
    "_attn_implementation": "flash_attention_2",
    "attention_dropout": 0.1,
    "auto_map": {"AutoModel": "modeling.Model"},
    "max_window_layers": 28,
    "no_repeat_ngram_size": 3,
    "num_beams": 4,
    "original_max_position_embeddings": 8192,
    "pretraining_tp": 1,
    "quantization_config": {"quant_method": "fp8", "moe": True},
    "rope_parameters": {"rope_type": "yarn"},
    "rope_scaling_layers": [1, 2],
    "router_aux_loss_coef": 0.001,
    "torch_dtype": "bfloat16",
    "unsloth_version": "2026.9",
    "use_sliding_window": False,
    "num_experts": 0,
    "mlp_only_layers": [],
    "q_lora_rank": None,
    "image_token_id": 7,
}


@pytest.mark.parametrize("key", [key for key in _ANOTHERS if key != "attention_chunk_size"])
def test_a_structural_key_that_is_not_the_familys_is_refused_by_its_name(key: str) -> None:
    with pytest.raises(UnsupportedModelError, match=rf"^hf_config\.{key}: .*llama models do not have"):
        configured_model({**_LLAMA, key: _ANOTHERS[key]})


@pytest.mark.parametrize("key", _HARMLESS)
def test_a_key_that_changes_no_cost_is_passed_over(key: str) -> None:
    assert configured_model({**_LLAMA, key: _HARMLESS[key]}) == configured_model(_LLAMA)


@pytest.mark.parametrize("key", ["is_causal", "use_bidirectional_attention"])
def test_attention_both_ways_costs_twice_as_much_and_is_said(key: str) -> None:
    """Authority: the mask; a query sees s keys where it saw s/2 on average."""
    both = configured_model({**_LLAMA, key: key != "is_causal"})
    counts = (
        flop_counts(both.transformer, sequence_length=4096),
        flop_counts(configured_model(_LLAMA).transformer, sequence_length=4096),
    )
    attention = [next(op.forward for op in count.operations if op.name == "attention") for count in counts]
    assert attention[0] == 2 * attention[1]
    assert any("sees those after it" in note for note in both.notes)


@pytest.mark.parametrize(
    "key",
    ["num_nextn_predict_layers", "num_mtp_layers", "mtp_num_hidden_layers", "num_mtp_modules", "n_multi_token_heads"],
)
def test_modules_that_predict_further_tokens_are_read_whatever_they_are_called(key: str) -> None:
    """Authority: a layer of 218,103,808, a projection of 2 · 4096² and five norms; the model itself is as without."""
    model = configured_model({**_LLAMA, key: 1}).transformer
    assert prediction_parameters(model) == 218_103_808 + 2 * 4096**2 + 5 * 4096
    assert replace(model, prediction_modules=0) == configured_model(_LLAMA).transformer


@pytest.mark.parametrize(
    ("config", "layers"),
    [
        ({**_QWEN_MOE, "mlp_only_layers": [0, 1, 2]}, 45),
        ({**_QWEN_MOE, "decoder_sparse_step": 2}, 24),
        ({**_QWEN_MOE, "decoder_sparse_step": 2, "mlp_only_layers": [0, 1, 2]}, 23),
        ({**_ERNIE, "moe_layer_start_index": 1, "moe_layer_interval": 2}, 14),
        ({**_ERNIE, "moe_layer_start_index": 1, "moe_layer_end_index": 9}, 9),
        ({**_ERNIE, "mlp_layer_types": ["dense"] * 20 + ["sparse"] * 8}, 8),
    ],
)
def test_the_layers_with_experts_are_those_that_the_class_gives_them(config: dict[str, Any], layers: int) -> None:
    """Authority: the decoder layers of `Qwen3MoeModel` and `Ernie4_5_MoeModel`, counted by hand."""
    assert configured_model(config).transformer.n_expert_layers == layers


@pytest.mark.parametrize(
    ("head", "outputs"),
    [
        ("LlamaForSequenceClassification", 3 * 4096),
        ("LlamaForTokenClassification", 3 * 4096 + 3),
        ("LlamaForQuestionAnswering", 2 * 4096 + 2),
        ("LlamaModel", 0),
    ],
)
def test_another_head_takes_the_place_of_the_vocabularys(head: str, outputs: int) -> None:
    """Authority: `modeling_layers` of `transformers`: one linear layer on what the body returns."""
    configured = configured_model({**_LLAMA, "architectures": [head], "num_labels": 3})
    logits = 128_256 * 4096
    assert parameter_counts(configured.transformer).total == 8_030_261_248 - logits + outputs
    assert not any(op.part == "logits" for op in flop_counts(configured.transformer, sequence_length=4096).operations)
    assert any("architectures names" in note for note in configured.notes)


@pytest.mark.parametrize(
    "name",
    [
        "LlamaForRewardModel",
        "LlamaAutoTree",
        "LlamaForCausalLMAutoTree",
        "LlamaForCausalLMEagle3",
        "MistralForCausalLM",
    ],
)
def test_a_class_that_is_not_the_familys_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(UnsupportedModelError, match=rf"^hf_config\.architectures: '{name}'"):
        configured_model({**_LLAMA, "architectures": [name]})


def test_no_refusal_invites_to_read_one_family_as_another() -> None:
    """A model under another's name would be priced as it, and wrongly."""
    for unknown in ("lama", "gemma5", "qwen33", "deepseek_v5"):
        with pytest.raises(UnsupportedModelError) as refused:
            configured_model({**_LLAMA, "model_type": unknown})
        assert not set(re.findall(r"[\w-]+", str(refused.value))) & set(FAMILIES)


_EMBEDDING_GEMMA: dict[str, Any] = {
    "architectures": ["Gemma3TextModel"],
    "model_type": "gemma3_text",
    "head_dim": 256,
    "hidden_size": 768,
    "intermediate_size": 1152,
    "layer_types": [*["sliding_attention"] * 5, "full_attention"] * 4,
    "num_attention_heads": 3,
    "num_hidden_layers": 24,
    "num_key_value_heads": 1,
    "sliding_window": 512,
    "use_bidirectional_attention": True,
    "vocab_size": 262_144,
}


def test_embedding_gemma_is_a_body_that_sees_both_ways() -> None:
    """Authority: `Gemma3TextModel` built from it: 302,863,104 parameters, no logits, 513 keys in a window."""
    t = configured_model(_EMBEDDING_GEMMA).transformer
    assert parameter_counts(t).total == 302_863_104
    assert (t.causal, t.vocab, t.sliding_window, t.windowed_layers) == (False, 0, 513, 20)


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ({"model_type": "llama", "vocab_size": 32064}, 6_738_939_904),
        ({"model_type": "llama", "hidden_size": 5120, "intermediate_size": 13824, "num_attention_heads": 40,
          "num_hidden_layers": 40, "vocab_size": 32064}, 13_016_519_680),
        ({"model_type": "mistral", "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 32064,
          "sliding_window": None}, 7_242_256_384),
    ],
)  # fmt: skip
def test_a_text_part_that_leaves_its_widths_out_has_those_of_its_class(text: dict[str, Any], total: int) -> None:
    """Authority: Llama 2 7B and 13B and Mistral 7B with 64 rows more, as in LLaVA's files."""
    assert parameter_counts(language_model({"model_type": "llava", "text_config": text}).transformer).total == total


def test_a_model_alone_must_state_its_widths() -> None:
    with pytest.raises(InvalidValueError, match="configuration lacks"):
        configured_model({"model_type": "llama", "vocab_size": 32064})


_FILES: list[tuple[dict[str, Any], str]] = [
    ({"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-3.1-8B", "r": 16, "lora_alpha": 32},
     r"adapter's configuration .*'meta-llama/Llama-3.1-8B'; give the base model's config.json.*lora_rank 16"),
    ({"train_batch_size": "auto", "zero_optimization": {"stage": 3}}, "DeepSpeed configuration; say its ZeRO stage"),
    ({"compute_environment": "LOCAL_MACHINE", "distributed_type": "FSDP"}, "an Accelerate configuration"),
    ({"output_dir": "out", "per_device_train_batch_size": 4}, "a trainer's file; name the model"),
    ({"base_model": "Qwen/Qwen3-8B", "model_type": "AutoModelForCausalLM", "sequence_len": 4096},
     "a trainer's file for 'Qwen/Qwen3-8B'"),
    ({"model_name_or_path": "Qwen/Qwen3-8B", "stage": "sft", "finetuning_type": "lora"}, "a trainer's file"),
    ({"log_history": [], "global_step": 100}, "a trainer's state"),
    ({"tokenizer_class": "LlamaTokenizer", "model_max_length": 4096}, "a tokenizer's file"),
    ({"version": "1.0", "added_tokens": [], "model": {"type": "BPE"}}, "a tokenizer's file"),
    ({"_from_model_config": True, "eos_token_id": 2, "transformers_version": "5.0"}, "a generation configuration"),
    ({"do_sample": True, "temperature": 0.6}, "a generation configuration"),
    ({"image_processor_type": "CLIPImageProcessor", "image_mean": [0.5]}, "a preprocessor's configuration"),
    ({"metadata": {"total_size": 16_060_522_496}, "weight_map": {}}, "an index of weights of 16,060,522,496 bytes"),
    ({"bits": 4, "group_size": 128, "desc_act": False}, "a quantisation's configuration"),
    ({"dim": 4096, "n_layers": 32, "n_heads": 32, "multiple_of": 256}, "a params.json"),
    ({"general.architecture": "llama", "llama.block_count": 32}, "a GGUF file's metadata"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "says"), _FILES)
def test_a_file_that_is_no_models_configuration_is_named_with_what_would_do(config: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says) as refused:
        configured_model(config)
    assert "config.json" in str(refused.value)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_every_family_says_what_a_bare_name_lacks(model_type: str) -> None:
    """No traceback for any row of the tables."""
    # Jais 2 alone is published with nothing but its name.
    if model_type == "jais2":
        assert configured_model({"model_type": model_type}).transformer.n_layers == 32
        return
    with pytest.raises(EstimatorError, match=r"lacks|must"):
        configured_model({"model_type": model_type})


_OWN_READERS = {
    name: (PUBLISHED / "hf_configs" / "decoders" / f"{name}.json")
    for name in (
        "deepseek-v3.2",
        "deepseek-v4-flash",
        "longcat-flash-chat",
        "mimo-v2-flash",
        "opt-350m",
        "hunyuan-a13b",
    )
}
_JUNK: tuple[object, ...] = (None, True, -1, 7.5, float("nan"), "x", [], ["x"] * 70, [[1]], {"0": {"head_dim": "x"}})


@pytest.mark.parametrize("name", _OWN_READERS)
def test_nonsense_at_any_key_of_an_irregular_family_is_refused_or_read_as_something_finite(name: str) -> None:
    """No traceback, whatever stands there."""
    config: dict[str, Any] = json.loads(_OWN_READERS[name].read_text(encoding="utf-8"))
    for key in config:
        for junk in _JUNK:
            try:
                total = parameter_counts(configured_model({**config, key: junk}).transformer).total
            except EstimatorError as refused:
                total, said = 1, str(refused)
                assert "\n" not in said
            assert 0 < total < 1e15


def test_a_chunk_is_not_a_window_that_slides() -> None:
    """Authority: Llama 4's mask: within chunks of 8,192 a query sees half of one on average, however long the text."""
    config = json.loads((PUBLISHED / "hf_configs" / "llama-4-scout.json").read_text(encoding="utf-8"))
    t = configured_model(config).transformer
    counts = flop_counts(t, sequence_length=32_768)
    chunked = next(op.forward for op in counts.operations if op.name == "windowed_attention")
    assert chunked == pytest.approx(2 * 4096 * t.n_heads * 2 * t.head_dim * 36)


@pytest.mark.parametrize("side", [0, -1, [0], [0, 0], [-16], [True], ["16"], [10**30], [1.5]])
def test_a_side_that_no_picture_has_is_refused_listed_or_not(side: object) -> None:
    """A number in a list is held to what the number alone is."""
    beit = {
        "model_type": "beit",
        "architectures": ["BeitForImageClassification"],
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_attention_heads": 16,
        "num_hidden_layers": 24,
        "image_size": 224,
        "patch_size": 16,
    }
    assert configured_model(beit).transformer.hidden == 1024
    with pytest.raises(InvalidValueError, match=r"hf_config\.patch_size"):
        configured_model(beit | {"patch_size": side})
