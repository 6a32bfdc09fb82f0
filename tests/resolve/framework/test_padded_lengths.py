"""What samples are padded to, as people say it: a number said anywhere comes before a guess.

Authority: Transformers' `padding="max_length"` pads to `max_length`, its `run_glue.py` to `max_seq_length`.
"""

from typing import Any

import pytest

from estimator.question.request import Request
from estimator.resolve.framework.named import named_framework
from estimator.resolve.run import Run, resolve

TO_THE_LIMIT = (
    "pad_to_max_length",
    "pad to max length",
    "padding=max_length",
    'padding="max_length"',
    "padding to max_length",
    "padded to max length",
)


def _run(**said: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    asked: dict[str, Any] = {"model": "llama-3.2-1b", "gpu": "a100", "n_gpus": 1, "samples": 10_000, **said}
    return resolve(Request(**asked))


@pytest.mark.parametrize(
    "said",
    [
        "padded to 512",
        "padded to 512 tokens",
        "pad to 512",
        "padding to 512 tokens",
        "padded to max length 512",
        "padded to a fixed length of 512",
        "padding=max_length 512",
        'padding="max_length", max_length=512',
        "pad_to_max_length, max_seq_length 512",
        "pad_to_max_length=True, max_length=512",
    ],
)
def test_a_length_that_samples_are_padded_to_is_read(said: str) -> None:
    found = named_framework(f"HF Trainer, {said}, bf16")
    assert (found.practice.padding, found.practice.padded_to, found.precision) == ("limit", 512, "bf16")
    assert not found.not_understood


@pytest.mark.parametrize(
    "said", ["pad_to_multiple_of 8", "padded to the longest", "pad to 8", "padded", "packed to 2048"]
)
def test_what_is_no_such_length_is_none(said: str) -> None:
    assert named_framework(f"HF Trainer, {said}").practice.padded_to is None


@pytest.mark.parametrize("words", TO_THE_LIMIT)
@pytest.mark.parametrize(
    "said",
    [
        {"tokens_per_sample": "mean 120, max 512"},
        {"tokens_per_sample": "max 512"},
        {"tokens_per_sample": 120, "sequence_length": 512},
        {"model": "bert-base-uncased", "tokens_per_sample": "max 128"},
        {"model": "bert-base-uncased", "tokens_per_sample": 128},
        {"model": "bert-base-uncased", "tokens_per_sample": 60, "sequence_length": 128},
    ],
    ids=str,
)
def test_all_are_padded_to_the_longest_that_was_told(words: str, said: dict[str, Any]) -> None:
    run = _run(**said, framework=f"HF Trainer, {words}")
    assert run.sequence_length == (128 if "model" in said else 512)
    assert "padded_length_assumed" not in {caution.code for caution in run.warnings}


@pytest.mark.parametrize("framework", ["HF Trainer", "TRL", "PyTorch", "Axolotl"])
@pytest.mark.parametrize("length", [256, 2048])
def test_a_length_said_of_the_software_is_the_argument(framework: str, length: int) -> None:
    said = _run(tokens_per_sample=120, framework=f"{framework}, padded to {length}")
    told = _run(tokens_per_sample=120, framework=f"{framework}, pad to max length", sequence_length=length)
    assert (said.sequence_length, said.amount.tokens) == (told.sequence_length, told.amount.tokens)
    assert said.sequence_length == length
    other = _run(tokens_per_sample=120, framework=f"{framework}, padded to {length}", sequence_length=512)
    assert other.sequence_length == 512
    assert "framework_contradicted" in {caution.code for caution in other.warnings}


@pytest.mark.parametrize("model", ["llama-3.2-1b", "bert-base-uncased", "roberta-large"])
def test_a_length_that_nobody_told_is_doubted_within_what_scripts_have(model: str) -> None:
    run = _run(model=model, tokens_per_sample="mean 60", framework="HF Trainer, pad_to_max_length")
    assert "padded_length_assumed" in {caution.code for caution in run.warnings}
    least = 512 if model == "llama-3.2-1b" else 128
    assert run.amount.low_factor * run.sequence_length == pytest.approx(least)
