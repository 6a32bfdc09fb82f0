"""Beside what adapters lie where nobody says, and whose modules they are.

Authority: PEFT's `TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING` (queries and values of BERT, T5, ViT);
`LoRAModule` of kohya-ss/sd-scripts, which ai-toolkit, OneTrainer and musubi-tuner have of their own; diffusers calls
PEFT.
"""

from typing import Any

import pytest

from estimator.answers.estimate.estimate import estimate_of
from estimator.models.training import Method
from estimator.physics.execution import execution_of
from estimator.physics.stacks import stack_of
from estimator.question.question import Question
from estimator.question.request import Request
from estimator.resolve.run import resolve


def _question(**said: Any) -> Question:  # noqa: ANN401 - the arguments of a request
    asked: dict[str, Any] = {"gpu": "a100-sxm-80gb", "n_gpus": 1, "method": "lora", **said}
    question = resolve(Request(**asked)).question
    assert question is not None
    return question


@pytest.mark.parametrize(
    ("model", "said", "width", "attentions"),
    [
        ("bert-base-uncased", {"tokens_per_sample": 100}, 768, 12),
        ("vit-b-16", {}, 768, 12),
        ("wav2vec2-base", {}, 768, 12),
        # Of its decoder's layers, two each: to itself and to the encoder.
        ("whisper-small", {}, 768, 12 + 2 * 12),
    ],
)
def test_encoders_are_adapted_at_queries_and_values(
    model: str, said: dict[str, Any], width: int, attentions: int
) -> None:
    method: Method = _question(model=model, samples=1000, lora_rank=8, **said).method
    assert method.trainable_parameters == attentions * 2 * 8 * (width + width)


def test_decoders_are_adapted_at_every_layer() -> None:
    assert _question(model="llama-3.2-1b", tokens="1M").method.trainable_parameters is None


@pytest.mark.parametrize(
    ("framework", "by_peft"),
    [
        ("diffusers", True),
        ("SimpleTuner", True),
        ("diffsynth", True),
        ("kohya", False),
        ("ai-toolkit", False),
        ("OneTrainer", False),
        ("musubi-tuner", False),
        ("fluxgym", False),
    ],
)
def test_trainers_with_modules_of_their_own_do_without_pefts(framework: str, *, by_peft: bool) -> None:
    question = _question(model="sdxl", steps=100, global_batch_sequences=1, framework=framework)
    stack = stack_of(question.framework, question.cluster.accelerator, "lora")
    assert execution_of(question, stack).eager_adapters == by_peft


@pytest.mark.parametrize("gpu", ["t4", "v100"])
@pytest.mark.parametrize(
    "said",
    [
        {"model": "bert-base-uncased", "samples": 10_000, "tokens_per_sample": "mean 200"},
        {"model": "vit-b-16", "samples": 10_000},
        {"model": "whisper-small", "samples": 10_000, "framework": "huggingface, 32 dataloader workers"},
    ],
    ids=lambda said: str(said["model"]),
)
def test_adapters_of_an_encoder_take_no_longer_than_its_training(gpu: str, said: dict[str, Any]) -> None:
    """Where products bound a step: on faster cards the host launches what PEFT does in pieces."""
    asked: dict[str, Any] = {"gpu": gpu, "n_gpus": 1, "precision": "fp16", **said}
    full, lora = (estimate_of(resolve(Request(**asked, method=method))).step_s for method in ("full", "lora"))
    assert full is not None
    assert lora is not None
    assert lora <= 1.05 * full
