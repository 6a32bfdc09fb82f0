"""What Hugging Face's trainer does unless told, where an encoder is tuned on it, or where it is said to be left so.

Authority: `TrainingArguments` (per_device_train_batch_size 8, gradient_accumulation_steps 1, fp16 and bf16 False) and
the command of `run_glue.py`'s README (32 a device).
"""

from typing import Any

import pytest

from tools.estimate_training_time import TrainingTime, estimate_training_time

CLASSES: dict[str, Any] = {"objective": "classification", "samples": "100k", "tokens_per_sample": "mean 100"}
DEBERTA: dict[str, Any] = {"model": "microsoft/deberta-v3-large", "gpu": "rtx-4090", "n_gpus": 1, **CLASSES}
QUESTIONS: dict[str, dict[str, Any]] = {
    "deberta": {**DEBERTA, "framework": "HF Trainer fp16"},
    "bert on eight": {**DEBERTA, "model": "bert-base-uncased", "n_gpus": 8, "framework": "transformers, fp16"},
    "its script": {**DEBERTA, "model": "roberta-base", "framework": "run_glue.py --fp16"},
    "adapters": {**DEBERTA, "model": "roberta-large", "method": "lora", "framework": "transformers, peft, bf16"},
    "translation": {
        "model": "facebook/nllb-200-distilled-600M",
        "gpu": "a100",
        "n_gpus": 2,
        "samples": "1M",
        "tokens_per_sample": "mean 60",
        "framework": "Seq2SeqTrainer, bf16",
    },
    "summarization": {
        "model": "t5-base",
        "gpu": "a100",
        "n_gpus": 1,
        "samples": "200k",
        "tokens_per_sample": "mean 200",
        "framework": "HF Trainer, bf16",
    },
}
DEFAULTS = ("all defaults", "defaults", "default settings", "default TrainingArguments")


def _answer(**asked: Any) -> TrainingTime:  # noqa: ANN401 - the tool's arguments
    return estimate_training_time(detail="detailed", **asked)


def _codes(answer: TrainingTime) -> set[str]:
    return {warning.code for warning in answer.warnings}


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
def test_the_micro_batch_and_the_batch_are_the_trainers_and_the_range_holds_its_commands(asked: dict[str, Any]) -> None:
    unsaid = _answer(**asked)
    assert unsaid.layout is not None
    assert (unsaid.layout.micro_batch_size, unsaid.layout.micro_batches) == (8, 1)
    assert "micro_batch_unsaid" in _codes(unsaid)
    stated, larger = (_answer(**asked, micro_batch_size=size) for size in (8, 32))
    assert unsaid.training_days == pytest.approx(stated.training_days, rel=1e-6)
    assert "micro_batch_unsaid" not in _codes(stated) | _codes(larger)
    assert unsaid.training_days_low < larger.training_days < unsaid.training_days


@pytest.mark.parametrize(
    "said",
    [
        {"framework": "pytorch"},
        {"framework": "auto"},
        {"global_batch_sequences": 256},
        {"objective": "contrastive"},
        {"framework": "HF Trainer, per_device_train_batch_size=32"},
    ],
    ids=lambda said: str(*said.values()),
)
def test_it_is_the_trainers_only_where_that_is_named_and_nothing_else_tells(said: dict[str, Any]) -> None:
    answer = _answer(**{**DEBERTA, "framework": "HF Trainer", **said})
    assert answer.layout is not None
    assert answer.layout.micro_batch_size == 32
    assert "micro_batch_unsaid" not in _codes(answer)


@pytest.mark.parametrize("said", DEFAULTS)
def test_a_trainer_that_is_left_at_its_defaults_has_them_and_no_doubt(said: str) -> None:
    left = _answer(**DEBERTA, framework=f"HF Trainer, {said}")
    stated = _answer(**DEBERTA, framework="HF Trainer", micro_batch_size=8, gradient_accumulation=1, precision="fp32")
    assert left.training_days == pytest.approx(stated.training_days, rel=1e-6)
    assert not _codes(left) & {"micro_batch_unsaid", "trained_in_fp32", "framework_not_understood"}
    sources = {told.name: told.source for told in left.assumptions}
    assert sources["precision"] == sources["micro_batch_size"] == "inferred"


def test_what_is_told_beside_defaults_wins() -> None:
    told = _answer(**DEBERTA, framework="HF Trainer defaults, fp16", micro_batch_size=16)
    assert told.layout is not None
    assert told.layout.micro_batch_size == 16
    assert {told.value for told in told.assumptions if told.name == "precision"} == {"fp16"}


@pytest.mark.parametrize("said", ["default", *DEFAULTS])
def test_defaults_alone_name_no_software(said: str) -> None:
    assert _answer(**DEBERTA, framework=said).training_days == _answer(**DEBERTA).training_days
