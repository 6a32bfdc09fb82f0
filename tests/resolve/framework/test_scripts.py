"""What scripts that people copy do unless they are told otherwise.

Authority: the scripts: artidoro/qlora `qlora.py`, LLaVA's `scripts/v1_5/finetune.sh`, TinyLLaVA Factory's
`scripts/train/finetune.sh`, tloen/alpaca-lora and arielnlee/Platypus `finetune.py`.
"""

import pytest

from estimator.question.practice import Padding
from estimator.resolve.framework.configuration import configuration_of
from estimator.resolve.framework.named import named_framework


@pytest.mark.parametrize(
    ("said", "padding"),
    [
        ("QLoRA script", "alike"),
        ("artidoro/qlora, bitsandbytes 4-bit", "alike"),
        ("LLaVA, DeepSpeed ZeRO-3", "alike"),
        ("TinyLLaVA Factory", "alike"),
        ("HF Trainer, group_by_modality_length", "alike"),
        ("QLoRA script, group_by_length false", "longest"),
        ("alpaca-lora", None),
        ("Dolly", None),
        ("HF Trainer", None),
    ],
)
def test_samples_are_sorted_by_length_where_the_script_does_so(said: str, padding: Padding | None) -> None:
    found = named_framework(said)
    assert (found.name, found.practice.padding) == ("huggingface", padding)
    assert not found.not_understood


@pytest.mark.parametrize("said", ["alpaca-lora", "Alpaca LoRA", "Platypus"])
def test_scripts_that_load_in_8_bits_do_so(said: str) -> None:
    found = named_framework(said)
    assert (found.practice.base_bits, found.precision, found.method) == (8, "fp16", "lora")
    assert found.practice.packing == "padded"
    assert found.sharding is None


def test_stanford_alpaca_is_another_script() -> None:
    found = named_framework("Stanford Alpaca")
    assert (found.practice.base_bits, found.sharding, found.method) == (None, "zero3", None)


@pytest.mark.parametrize(
    "script",
    [
        "diffusers train_dreambooth_lora_sdxl.py",
        "train_dreambooth_lora.py",
        "train_dreambooth_lora_flux_advanced.py",
        "examples/text_to_image/train_text_to_image_lora_sdxl.py",
        "train_dreambooth_lora_sd3.py, DeepSpeed",
        "train_network.py",
        "kohya sdxl_train_network.py",
        "sd-scripts flux_train_network.py network_module=networks.lora_flux network_dim=16",
        "sd3_train_network.py --network_module networks.lora_sd3 --network_dim 16 --network_alpha 8",
        "musubi-tuner wan_train_network.py --network_module networks.lora_wan",
        "hv_train_network.py",
        "python src/musubi_tuner/wan_train_network.py",
    ],
)
def test_scripts_of_adapters_train_adapters(script: str) -> None:
    """Scripts of diffusers say `lora`; a network of sd-scripts and musubi-tuner is LoRA's or its like."""
    configured = configuration_of(script)
    found = named_framework(script if configured is None else configured.text)
    assert found.method == "lora"
    assert not found.not_understood


@pytest.mark.parametrize("script", ["train_dreambooth.py", "train_text_to_image_sdxl.py", "sdxl_train.py"])
def test_scripts_that_train_the_whole_model_say_nothing_of_adapters(script: str) -> None:
    found = named_framework(script)
    assert found.method is None
    assert not found.not_understood


@pytest.mark.parametrize(
    ("repository", "stack"),
    [
        ("tloen/alpaca-lora", "huggingface"),
        ("tatsu-lab/stanford_alpaca", "huggingface"),
        ("artidoro/qlora", "huggingface"),
        ("AnswerDotAI/fsdp_qlora", "huggingface"),
        ("haotian-liu/LLaVA", "huggingface"),
        ("lm-sys/FastChat", "fastchat"),
        ("Lightning-AI/lit-llama", "litgpt"),
        ("Lightning-AI/litgpt", "litgpt"),
        ("EleutherAI/gpt-neox", "gpt-neox"),
        ("hiyouga/LLaMA-Factory", "llama-factory"),
        ("axolotl-ai-cloud/axolotl", "axolotl"),
    ],
)
@pytest.mark.parametrize("form", ["{}", "https://github.com/{}", "github.com/{}.git", "train.py ({}), bf16"])
def test_a_script_is_known_by_its_repository(repository: str, stack: str, form: str) -> None:
    found, plain = named_framework(form.format(repository)), named_framework(repository.partition("/")[2])
    assert found.name == stack
    assert found.practice.over(plain.practice) == found.practice
    assert not found.not_understood


@pytest.mark.parametrize("said", ["qlora.py", "qlora.py (artidoro/qlora)", "QLoRA script", "finetune_guanaco_65b.sh"])
def test_a_script_brings_its_optimizer(said: str) -> None:
    """`optim: paged_adamw_32bit`, `gradient_checkpointing`, `bits: 4`, `group_by_length` in qlora.py."""
    found = named_framework(said)
    practice = found.practice
    assert (practice.optimizer, practice.offload_optimizer) == ("adamw", True)
    assert (practice.base_bits, practice.padding, found.method) == (4, "alike", "qlora")
    assert (practice.usual_recompute, found.recompute) == ("full", None), "a habit is nothing that was stated"
    eight_bits = named_framework(f"{said}, adamw_8bit").practice
    assert eight_bits.optimizer == "adamw_8bit"
