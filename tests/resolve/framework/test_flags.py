"""Flags that people copy with their trainer's name: what they change is counted, and what changes nothing is known.

Authority: Transformers' TrainingArguments, PEFT's LoraConfig, TRL's SFTConfig, Lightning's precisions; the scripts'
own names.
"""

from typing import Any

import pytest

from estimator.catalogue import catalogue
from estimator.models.parameters import lora_parameters, projection_adapters
from estimator.resolve.framework.named import named_framework
from tools.estimate_training_time import TrainingTime, estimate_training_time

NOTHING_LEFT = """
HF Trainer, fsdp "full_shard auto_wrap"
FSDP, TRANSFORMER_BASED_WRAP
FastChat, train_mem.py
axolotl, deepspeed_configs/zero3_bf16.json
TRL, assistant_only_loss=True
TRL, completion only loss
PEFT, lora_dropout 0.05
PEFT, target_modules q_proj v_proj
PEFT, target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
PEFT, target_modules="all-linear"
axolotl, lora_target_linear: true
LLaMA-Factory, lora_target: all
DeepSpeed ZeRO-3, offload both
DeepSpeed, optimizer states
"""
PRECISIONS = (
    ("HF Trainer, bf16=True, tf32=True", "bf16"),
    ("HF Trainer, tf32=True, bf16=True", "bf16"),
    ("HF Trainer, bf16, tf32: true", "bf16"),
    ("HF Trainer, fp16, tf32", "fp16"),
    ("HF Trainer, tf32, fp32", "tf32"),
    ("HF Trainer, tf32=True", "tf32"),
    ("HF Trainer, fp32, tf32: false", "fp32"),
)
PROJECTIONS = (
    (("q", "v"), 6_815_744),
    (("q", "k", "v", "o"), 13_631_488),
    (("q", "k", "v", "o", "gate", "up", "down"), 41_943_040),
)
"""Trainable parameters that PEFT prints of Llama 3.1 8B at rank 16."""


def _asked(framework: str, **given: Any) -> TrainingTime:  # noqa: ANN401 - arguments of the tool
    run: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 1, "tokens": "10M", **given}
    return estimate_training_time(framework=framework, **run)


@pytest.mark.parametrize("text", NOTHING_LEFT.strip().splitlines())
def test_nothing_is_left_over_of_flags_that_are_copied(text: str) -> None:
    assert named_framework(text).not_understood == ()


def test_autotrain_trains_with_trl() -> None:
    found = named_framework("AutoTrain Advanced")
    assert (found.name, found.not_understood) == ("trl", ())


@pytest.mark.parametrize(("text", "precision"), PRECISIONS)
def test_tf32_is_a_flag_beside_a_narrower_precision(text: str, precision: str) -> None:
    assert named_framework(text).precision == precision


@pytest.mark.parametrize("said", ["tf32=True", "bf16=True, tf32=True", "tf32, bf16"])
def test_tf32_changes_nothing_beside_adapters(said: str) -> None:
    plain, flagged = (_asked(f"HF Trainer{more}", method="lora") for more in ("", f", {said}"))
    assert flagged.training_seconds == plain.training_seconds
    assert not [warning for warning in flagged.warnings if warning.code.startswith("framework")]


def test_tf32_contradicts_no_argument_of_16_bits() -> None:
    answer = _asked("HF Trainer, tf32=True", model="llama-3.2-1b", precision="bf16")
    assert not [warning for warning in answer.warnings if warning.code == "framework_contradicted"]


def test_a_switch_is_no_part_of_a_precision() -> None:
    """TrainingArguments' bf16 keeps weights in FP32; Lightning's bf16-true does not."""
    assert named_framework("HF Trainer, bf16=True").practice.master_weights is None
    assert named_framework("Lightning, precision bf16-true").practice.master_weights is False


@pytest.mark.parametrize(("names", "parameters"), PROJECTIONS)
def test_adapters_lie_beside_the_projections_that_are_named(names: tuple[str, ...], parameters: int) -> None:
    text = "HF Trainer, target_modules " + ", ".join(f"{name}_proj" for name in names)
    adapted = named_framework(text).adapted
    assert adapted == set(names)
    assert projection_adapters(catalogue.transformer("llama-3.1-8b").value, 16, adapted) == parameters
    named, told = _asked(text, method="lora"), _asked("HF Trainer", method="lora", trainable_params=str(parameters))
    assert named.training_seconds == pytest.approx(told.training_seconds)


def test_all_projections_are_every_linear_layer_where_there_are_no_others() -> None:
    every = named_framework(f"PEFT, {', '.join(f'{name}_proj' for name in PROJECTIONS[-1][0])}").adapted
    for entry in catalogue.models():
        network = entry.transformer
        beside = projection_adapters(network, 8, every)
        assert beside in {None, lora_parameters(network, 8)}
