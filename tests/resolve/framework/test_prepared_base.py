"""A base in 4 or 8 bits that PEFT prepares for training: its layers are computed again, unless that is denied.

Authority: PEFT's `prepare_model_for_kbit_training`, until 0.3 `prepare_model_for_int8_training`, whose
`use_gradient_checkpointing` is on unless told.
"""

import pytest

from estimator.resolve.framework.named import named_framework
from tools.estimate_training_time import estimate_training_time


@pytest.mark.parametrize(
    ("said", "recomputed"),
    [
        ("HF Trainer + PEFT, load_in_8bit", "full"),
        ("HF Trainer + PEFT, int8 base", "full"),
        ("HF Trainer + PEFT, bnb 8 bit", "full"),
        ("HF Trainer + PEFT, LLM.int8()", "full"),
        ("HF Trainer + PEFT, prepare_model_for_int8_training", "full"),
        ("HF Trainer + PEFT, 8 bit, prepare_model_for_kbit_training", "full"),
        ("HF Trainer + PEFT, load_in_4bit", "full"),
        ("HF Trainer + PEFT", "none"),
        ("HF Trainer + PEFT, load_in_8bit, no gradient checkpointing", "none"),
        ("HF Trainer + PEFT, prepare_model_for_kbit_training, use_gradient_checkpointing=False, 8 bit", "none"),
        ("HF Trainer + PEFT, quanto int8", "none"),
    ],
)
def test_a_base_of_few_bits_has_its_layers_computed_again(said: str, recomputed: str) -> None:
    answer = estimate_training_time(
        model="llama-3.2-1b",
        gpu="A100 80GB",
        n_gpus=1,
        method="lora",
        samples=10_000,
        tokens_per_sample=250,
        framework=said,
    )
    assert answer.layout is not None
    assert answer.layout.activation_recompute == recomputed


def test_scripts_for_denoisers_freeze_a_base_and_prepare_none() -> None:
    answer = estimate_training_time(
        model="sd-1.5", gpu="A100 80GB", n_gpus=1, method="lora", samples=1_000, framework="diffusers, 8 bit base"
    )
    assert answer.layout is not None
    assert answer.layout.activation_recompute == "none"


@pytest.mark.parametrize(
    ("said", "bits"),
    [("prepare_model_for_int8_training", 8), ("prepare_model_for_kbit_training(model)", None)],
)
def test_what_peft_calls_it_is_understood(said: str, bits: int | None) -> None:
    framework = named_framework(f"HF Trainer + PEFT, {said}")
    assert not framework.not_understood
    assert framework.recompute == "full"
    assert framework.practice.base_bits == bits
