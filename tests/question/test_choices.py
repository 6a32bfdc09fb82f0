"""Choices in the words that people have for them are those choices; what is none stays, to be refused with its nearest.

Authority: the names as PyTorch, DeepSpeed, Lightning and papers of fine-tuning have them.
"""

import pytest

from estimator.question.choices import method_named, precision_named, sharding_named
from estimator.question.request import METHOD_CHOICES, PRECISION_CHOICES, SHARDING_CHOICES

PRECISIONS = {
    "bf16": ["BF16", "bfloat16", "bf16 mixed", "bf16-mixed", "mixed precision bf16"],
    "fp16": ["fp16", "float16", "half", "half precision", "fp16 mixed", "16-mixed"],
    "fp32": ["float32", "single precision", "full precision"],
    "tf32": ["TF32", "TensorFloat32"],
}
SHARDINGS = {
    "ddp": ["stage 0", "no_shard", "DDP"],
    "zero1": ["ZeRO-1", "zero 1"],
    "zero2": ["zero-2", "ZeRO stage 2", "DeepSpeed ZeRO 2", "shard_grad_op"],
    "zero3": ["stage 3", "ZeRO-3", "z3", "FSDP", "FSDP full shard"],
}
METHODS = {
    "full": ["full", "full fine-tuning", "full finetune", "SFT", "full-parameter", "Full parameter fine tuning"],
    "lora": ["LoRA", "lora fine-tuning", "LoRA SFT"],
    "qlora": ["QLoRA", "qlora finetuning"],
}


@pytest.mark.parametrize(("said", "meant"), [(said, one) for one, several in PRECISIONS.items() for said in several])
def test_a_precision_by_any_of_its_names(said: str, meant: str) -> None:
    assert precision_named(said) == meant


@pytest.mark.parametrize(("said", "meant"), [(said, one) for one, several in SHARDINGS.items() for said in several])
def test_a_sharding_by_any_of_its_names(said: str, meant: str) -> None:
    assert sharding_named(said) == meant


@pytest.mark.parametrize(("said", "meant"), [(said, one) for one, several in METHODS.items() for said in several])
def test_a_method_by_any_of_its_names(said: str, meant: str) -> None:
    assert method_named(said) == meant


@pytest.mark.parametrize("said", ["pure bf16", "int4", "stage 5", "dpo", "grpo", "dora"])
def test_what_is_no_name_of_a_choice_becomes_none(said: str) -> None:
    assert precision_named(said) not in PRECISION_CHOICES
    assert sharding_named(said) not in SHARDING_CHOICES
    assert method_named(said) not in METHOD_CHOICES


def test_every_choice_is_its_own_name() -> None:
    """Whatever is written in the schema means itself."""
    assert [precision_named(choice) for choice in PRECISION_CHOICES] == [*PRECISION_CHOICES]
    assert [sharding_named(choice) for choice in SHARDING_CHOICES] == [*SHARDING_CHOICES]
    assert [method_named(choice) for choice in METHOD_CHOICES] == [*METHOD_CHOICES]
