"""A trainer that is told at which step to stop stops there, however large its set is.

Authority: Transformers' TrainingArguments (`max_steps` "overrides `num_train_epochs`", -1 where it is not set), the
parser of mlx_lm.lora (`--iters`), Lightning's Trainer (`max_steps` and `max_epochs`, whichever comes first),
LLaMA-Factory's `max_samples` ("truncate the number of examples").
"""

from typing import Any

import pytest

from estimator.question.request import Request
from estimator.resolve.run import Run, resolve
from tools.estimate_training_time import estimate_training_time

SET: dict[str, Any] = {
    "model": "mistral-7b",
    "gpu": "a100-sxm-80gb",
    "n_gpus": 1,
    "method": "qlora",
    "samples": 20_000,
    "tokens_per_sample": "exactly 500",
}
BATCH = "--per_device_train_batch_size 4 --gradient_accumulation_steps 4"
STOPPED: list[tuple[str, dict[str, Any], float]] = [
    (f"python sft.py --max_steps 500 {BATCH}", {}, 500 * 16),
    (f"python sft.py --max_steps 500 {BATCH}", {"n_gpus": 4}, 500 * 64),
    (f"trl --max_steps 5000 {BATCH}", {"epochs": 3}, 5000 * 16),
    ("mlx_lm.lora --train --iters 600 --batch-size 4", {"gpu": "m2 max", "method": "lora"}, 600 * 4),
    ("python sft.py --max_steps 500", {"global_batch_sequences": 32}, 500 * 32),
    (f"lightning, max_steps=500 {BATCH}", {"epochs": 3}, 500 * 16),
    (f"trl --max_steps 500 {BATCH}", {"samples": "alpaca", "tokens_per_sample": None, "epochs": 3}, 500 * 16),
]
NOT_SET = [f"trl --max_steps -1 {BATCH}", f"trl {BATCH}"]
FEWER: list[tuple[str, dict[str, Any], float]] = [
    ("LLaMA-Factory max_samples: 1000", {}, 1000),
    ("HF Trainer --max_train_samples 1000", {"epochs": 3}, 3000),
    ("LLaMA-Factory max_samples: 1000", {"samples": "alpaca x3", "tokens_per_sample": None}, 3000),
    ("LLaMA-Factory max_samples: 1000", {"samples": None, "tokens_per_sample": None, "tokens": "alpaca"}, 1000),
    ("LLaMA-Factory max_samples: 100000", {}, 20_000),
]


def _run(framework: str, **given: object) -> Run:
    asked: dict[str, Any] = {**SET, **given, "framework": framework}
    return resolve(Request(**asked))


def _samples(run: Run) -> float:
    assert run.amount.tokens_per_sample is not None
    return run.amount.real_tokens / run.amount.tokens_per_sample


def _codes(run: Run) -> set[str]:
    return {caution.code for caution in run.warnings}


@pytest.mark.parametrize(("framework", "given", "samples"), STOPPED)
def test_steps_of_a_command_say_how_long_it_runs(framework: str, given: dict[str, Any], samples: float) -> None:
    run = _run(framework, **given)
    assert _samples(run) == pytest.approx(samples)
    assert "steps_from_framework" in _codes(run)


@pytest.mark.parametrize("framework", [framework for framework, given, _ in STOPPED if not given])
def test_steps_of_a_command_are_as_the_argument_without_the_set(framework: str) -> None:
    said = estimate_training_time(**SET, framework=framework)
    asked: dict[str, Any] = {**SET, "samples": None, "steps": 500, "micro_batch_size": 4, "gradient_accumulation": 4}
    given = estimate_training_time(**asked, framework="python sft.py")
    assert said.training_seconds == pytest.approx(given.training_seconds)


@pytest.mark.parametrize("framework", NOT_SET)
@pytest.mark.parametrize("epochs", [None, 3])
def test_without_a_number_of_steps_passes_tell_the_amount(framework: str, epochs: int | None) -> None:
    run = _run(framework, epochs=epochs)
    assert _samples(run) == pytest.approx(20_000 * (epochs or 1))
    assert "steps_from_framework" not in _codes(run)


def test_lightning_stops_at_passes_that_end_before_its_steps() -> None:
    assert _samples(_run(f"lightning, max_steps=50000 {BATCH}", epochs=3)) == pytest.approx(60_000)


def test_steps_of_sounds_are_counted_in_clips() -> None:
    keys = "per_device_train_batch_size=16 gradient_accumulation_steps=1 fp16"
    sounds: dict[str, Any] = {"model": "whisper-small", "method": "full", "samples": 1e4, "tokens_per_sample": "10 s"}
    once = _run(f"Seq2SeqTrainer {keys}", **sounds)
    stopped = _run(f"Seq2SeqTrainer max_steps=5000 {keys}", **sounds)
    assert stopped.amount.tokens == pytest.approx(once.amount.tokens * 5000 * 16 / 1e4)


def test_steps_of_no_batch_count_nothing_and_the_answer_says_what_to_give() -> None:
    run = _run("python sft.py --max_steps 500")
    assert _samples(run) == pytest.approx(20_000)
    told = next(one.message for one in run.warnings if one.code == "framework_contradicted")
    assert "max_steps 500" in told
    assert "micro_batch_size" in told


@pytest.mark.parametrize("amount", [{"tokens": "1B"}, {"tokens": "2 GB of German text"}])
def test_an_amount_that_was_counted_stands(amount: dict[str, Any]) -> None:
    """Whoever counts tokens tells of the whole run."""
    left_out = {"samples": None, "tokens_per_sample": None}
    run = _run(f"trl --max_steps 500 {BATCH}", **left_out, **amount)
    alone = _run(f"trl {BATCH}", **left_out, **amount)
    assert run.amount.tokens == alone.amount.tokens
    assert "framework_contradicted" in _codes(run)


@pytest.mark.parametrize(("framework", "given", "samples"), FEWER)
def test_no_more_samples_are_counted_than_a_configuration_takes(
    framework: str, given: dict[str, Any], samples: float
) -> None:
    run = _run(framework, **given)
    assert _samples(run) == pytest.approx(samples)
    assert ("samples_from_framework" in _codes(run)) is (samples < 20_000)
