"""How the words of denoisers' trainers say that weights are held in fewer bits, or lie in host memory.

Authority: the projects' documentation: ai-toolkit's config/examples, sd-scripts' docs/flux_train_network.md,
musubi-tuner's docs (qwen_image, wan, block_swap), diffusion-pipe's docs/supported_models.md, SimpleTuner's
documentation/quickstart/FLUX.md, OneTrainer's training_presets, Diffusers' flux_lora_quantization.
"""

import pytest

from estimator.question.practice import Practice
from estimator.resolve.framework.named import named_framework

_8_BITS_CAST = {"base_bits": 8, "dequantization": "cast"}
_8_BITS_SCALED = {"base_bits": 8, "dequantization": "scaled"}
_8_BITS_QUANTO = {"base_bits": 8, "dequantization": "quanto"}
WORDS = [
    ("ai-toolkit, quantize: true", _8_BITS_QUANTO),
    ("ai-toolkit, quantize: false", {"base_bits": 16}),
    ("ai-toolkit, qtype: qfloat8, low_vram: true", _8_BITS_QUANTO),
    ("ai-toolkit, qtype uint3, quantize_te: true", {"base_bits": 3, "dequantization": "quanto"}),
    ("ai-toolkit, unload_text_encoder: true", {"caches_text": True}),
    ("kohya sd-scripts --fp8_base", _8_BITS_CAST),
    ("kohya sd-scripts --fp8_base_unet --highvram", _8_BITS_CAST),
    ("kohya, fp8_base, blocks_to_swap 18", {**_8_BITS_CAST, "swapped_blocks": 18}),
    ("kohya --blocks_to_swap=18", {"swapped_blocks": 18, "base_bits": None}),
    ("kohya --full_bf16 --fused_backward_pass", {"releases_gradients": True, "master_weights": False}),
    ("musubi-tuner --fp8_base", _8_BITS_CAST),
    ("musubi-tuner --fp8_base --fp8_scaled", _8_BITS_SCALED),
    ("musubi-tuner, fp8_scaled, blocks_to_swap 45", {**_8_BITS_SCALED, "swapped_blocks": 45}),
    ("musubi-tuner, blocks_to_swap 20, block_swap_h2d_only", {"swapped_blocks": 20, "swaps_one_way": True}),
    ("musubi-tuner --fp8_llm --fp8_t5", {"base_bits": None}),
    ("musubi-tuner, fp8", _8_BITS_CAST),
    ("musubi-tuner, gradient_checkpointing_cpu_offload", {"offload_activations": True}),
    ("diffusion-pipe, transformer_dtype = 'float8'", _8_BITS_CAST),
    ("diffusion-pipe, transformer_dtype = 'float8_e5m2'", _8_BITS_CAST),
    ("diffusion-pipe, transformer_dtype = 'nf4'", {"base_bits": 4, "dequantization": "bitsandbytes"}),
    ("diffusion-pipe, block swap 20", {"swapped_blocks": 20}),
    ("SimpleTuner, base_model_precision=int8-quanto", _8_BITS_QUANTO),
    ("SimpleTuner, base_model_precision=int4-quanto", {"base_bits": 4, "dequantization": "quanto"}),
    ("SimpleTuner, base_model_precision=nf4-bnb", {"base_bits": 4, "dequantization": "bitsandbytes"}),
    ("SimpleTuner, base_model_precision=no_change", {"base_bits": 16}),
    ("OneTrainer, weight dtype FLOAT_8", _8_BITS_CAST),
    ("OneTrainer, weight dtype NFLOAT_4", {"base_bits": 4}),
    ("diffusers --bnb_quantization_config_path", {"base_bits": 4, "dequantization": "bitsandbytes"}),
]


@pytest.mark.parametrize(("text", "facts"), WORDS)
def test_words_of_trainers_say_how_a_base_is_held(text: str, facts: dict[str, object]) -> None:
    found = named_framework(text)
    assert {name: getattr(found.practice, name) for name in facts} == facts
    assert not found.not_understood
    # Weights are stored so: products are in 16 bits.
    assert found.precision in {None, "bf16"}


def test_training_in_8_bits_is_no_storage() -> None:
    """`--do_fp8_training` converts layers by torchao.float8, and a bare FP8 elsewhere is of products."""
    found = named_framework("diffusers --do_fp8_training")
    assert (found.precision, found.practice.base_bits) == ("fp8", None)
    assert named_framework("NeMo DFM, fp8").precision == "fp8"


@pytest.mark.parametrize("trainer", ["kohya", "musubi-tuner", "SimpleTuner", "OneTrainer", "diffusion-pipe", "fluxgym"])
def test_fp8_beside_a_trainer_of_adapters_is_what_weights_are_stored_in(trainer: str) -> None:
    found = named_framework(f"{trainer}, fp8")
    assert (found.precision, found.practice.base_bits) == (None, 8)


@pytest.mark.parametrize(
    ("trainer", "bits"),
    [("ai-toolkit", 8), ("diffusion-pipe", 8), ("fluxgym", 8), ("kohya", None), ("diffusers", None)],
)
def test_trainers_hold_large_bases_in_8_bits_where_their_examples_do(trainer: str, bits: int | None) -> None:
    practice = named_framework(trainer).practice
    assert (practice.base_bits, practice.large_base_bits) == (None, bits)


def test_any_number_of_blocks_is_understood() -> None:
    for blocks in (0, 1, 35, 58, 128):
        assert named_framework(f"musubi-tuner, blocks_to_swap {blocks}").practice == Practice(
            swapped_blocks=blocks, caches_latents=True, caches_text=True, own_adapters=True, usual_recompute="full"
        )
