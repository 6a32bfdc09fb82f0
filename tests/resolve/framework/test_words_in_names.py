"""Names of stacks that are words of a technique: beside another stack they say what their words say."""

from dataclasses import replace

import pytest

from estimator.resolve.framework.meaning import Facts
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.reading import apart, reading_of

_PHRASES = (
    *("fsdp qlora", "qlora script", "artidoro qlora", "alpaca lora", "mlx lora", "fms fsdp", "answerdotai fsdp qlora"),
    *("adapter transformers", "hf peft", "pytorch fsdp", "torch ddp"),
)


def _facts(text: str) -> Facts:
    found = named_framework(text)
    # The method has 4 bits whether or not they are said.
    practice = replace(found.practice, base_bits=None) if found.method == "qlora" else found.practice
    return Facts(
        practice=practice,
        sharding=found.sharding,
        recompute=found.recompute,
        method=found.method,
    )


@pytest.mark.parametrize("trainer", ["TRL", "Axolotl", "LLaMA-Factory"])
@pytest.mark.parametrize("phrase", _PHRASES)
def test_a_name_beside_another_trainer_says_at_least_what_its_words_do(trainer: str, phrase: str) -> None:
    (named,) = reading_of(phrase).phrases
    words = ", ".join(part.text for part in apart(named))
    said = _facts(f"{trainer}, {phrase}")
    assert said == _facts(f"{trainer}, {words}").over(said)
    assert named_framework(f"{trainer}, {phrase}").name == named_framework(trainer).name


@pytest.mark.parametrize("joined", ["FSDP QLoRA", "FSDP-QLoRA", "fsdp_qlora", "FSDP + QLoRA", "QLoRA with FSDP"])
@pytest.mark.parametrize("trainer", ["TRL", "Axolotl", "HF Trainer", "Lightning", "accelerate"])
def test_fsdp_and_qlora_are_both_read_however_they_are_joined(trainer: str, joined: str) -> None:
    said, apart_ = _facts(f"{trainer}, {joined}, CPU offload"), _facts(f"{trainer}, FSDP, QLoRA, CPU offload")
    assert (said.sharding, said.practice.usual_recompute, said.method) == ("zero3", "full", "qlora")
    assert apart_.over(said) == said
    assert named_framework(f"{joined} with {trainer}").name == named_framework(trainer).name
