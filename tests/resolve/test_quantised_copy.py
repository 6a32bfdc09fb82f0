"""A model that is named by a quantised copy: adapters on its weights, unless more is said to learn.

Authority: Dettmers et al. 2023 (adapters on a 4-bit base are QLoRA); PEFT's guide to quantisation, for GPTQ and AWQ.
"""

from typing import Any

import pytest

from tools.estimate_training_time import estimate_training_time

RUN: dict[str, Any] = {"n_gpus": 1, "tokens": "1M", "sequence_length": 512, "micro_batch_size": 1}
FITTING: list[tuple[str, str, dict[str, str], float, float]] = [
    ("unsloth/mistral-7b-v0.3-bnb-4bit", "rtx 4060 laptop", {"framework": "unsloth"}, 4.5, 7.0),
    ("unsloth/Qwen3-14B-unsloth-bnb-4bit", "rtx 4090", {"framework": "unsloth", "method": "lora"}, 8.0, 14.0),
    ("Qwen/Qwen2.5-32B-Instruct-GPTQ-Int4", "a6000", {"method": "lora"}, 18.0, 26.0),
    ("TheBloke/Llama-2-13B-GPTQ", "4060 ti 16gb", {"method": "lora"}, 7.5, 11.0),
    ("TheBloke/Llama-2-13B-AWQ", "4060 ti 16gb", {}, 7.5, 11.0),
    ("mlx-community/Meta-Llama-3.1-8B-Instruct-4bit", "m3 max", {"framework": "mlx-lm"}, 4.5, 16.0),
]


def _asked(**given: object) -> Any:  # noqa: ANN401 - the tool's own answer
    run: dict[str, Any] = {"detail": "detailed", **RUN, **given}
    return estimate_training_time(**run)


def _said(answer: Any, name: str) -> Any:  # noqa: ANN401
    return next(one.value for one in answer.assumptions if one.name == name)


def _told(answer: Any) -> list[str]:  # noqa: ANN401
    return [one.message for one in answer.warnings if one.code == "quantised_copy"]


@pytest.mark.parametrize(("model", "gpu", "said", "least_gb", "most_gb"), FITTING)
def test_adapters_beside_a_copy_of_4_bits_are_qlora(
    model: str, gpu: str, said: dict[str, str], least_gb: float, most_gb: float
) -> None:
    answer = _asked(model=model, gpu=gpu, **said)
    assert _said(answer, "method") == "qlora"
    assert least_gb < answer.memory.per_gpu_gb < most_gb
    assert answer.memory.fits
    assert "4-bit copy" in _told(answer)[0]


def test_a_copy_is_as_its_base_with_the_method_that_it_means() -> None:
    copy = _asked(model="unsloth/Meta-Llama-3.1-8B-bnb-4bit", gpu="rtx-4090", framework="unsloth")
    base = _asked(model="llama-3.1-8b", gpu="rtx-4090", framework="unsloth", method="qlora")
    assert copy.memory == base.memory
    assert copy.training_seconds == base.training_seconds
    named = _asked(model="unsloth/Meta-Llama-3.1-8B-bnb-4bit", gpu="rtx-4090", framework="unsloth", method="qlora")
    assert not _told(named)


def test_a_copy_of_8_bits_is_held_in_less_than_its_base() -> None:
    asked = {"gpu": "rtx-4090", "method": "lora"}
    narrow, wide = (_asked(model=model, **asked) for model in ("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int8", "qwen2.5-7b"))
    assert narrow.memory.weights_gb < 0.8 * wide.memory.weights_gb
    assert "an 8-bit copy" in _told(narrow)[0]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("unsloth/mistral-7b-v0.3-bnb-4bit", {"framework": "full fine-tuning with HF Trainer"}),
        ("unsloth/mistral-7b-v0.3-bnb-4bit", {"method": "frozen", "trained_layers": "head"}),
        # These are to infer from: trainers widen them first.
        ("Qwen/Qwen3-8B-FP8", {"method": "lora"}),
        ("bartowski/Meta-Llama-3.1-8B-Instruct-GGUF", {"method": "lora"}),
    ],
)
def test_else_the_base_in_16_bits_is_counted_and_that_is_told(model: str, said: dict[str, str]) -> None:
    answer = _asked(model=model, gpu="h100", **said)
    assert "base in 16 bits is what is counted" in _told(answer)[0]
    assert _said(answer, "method") != "qlora"
    assert answer.memory.weights_gb > 14


def test_a_framework_that_says_how_the_base_is_held_wins() -> None:
    answer = _asked(model="TheBloke/Llama-2-13B-GPTQ", gpu="h100", method="lora", framework="PEFT, load_in_8bit")
    assert _said(answer, "method") == "lora"
    assert 12 < answer.memory.weights_gb < 16
    assert not _told(answer)
