"""Lengths and batches as people say them: a `k` of a length is 1,024 where models have such lengths."""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import checked_whole_count, said_number
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve


def _run(length: object, **given: object) -> Run:
    asked: dict[str, Any] = {
        "model": "llama-3.1-8b",
        "gpu": "h100",
        "n_gpus": 8,
        "samples": 1e5,
        "tokens_per_sample": 300,
        "sequence_length": length,
        **given,
    }
    return resolve(Request(**asked))


@pytest.mark.parametrize(
    ("said", "tokens"),
    [
        *((f"{k}k", k * 1024) for k in (1, 2, 4, 8, 16, 32, 64, 128, 256)),
        ("4K tokens", 4096),
        ("32k context", 32768),
        ("8000", 8000),
        (8000, 8000),
        ("10k", 10_000),
        ("4,096", 4096),
    ],
)
def test_a_length_in_k_is_a_power_of_two_where_its_number_is(said: object, tokens: int) -> None:
    run = _run(said, packing="packed")
    assert run.sequence_length == tokens
    told = next(one for one in run.assumptions if one.name == "sequence_length")
    assert ("power of two" in told.note) == (isinstance(said, str) and "k" in said.lower() and tokens % 1024 == 0)


def test_only_lengths_are_in_powers_of_two() -> None:
    assert checked_whole_count("global_batch_sequences", "4k", most=10**9) == 4000


@pytest.mark.parametrize(
    ("said", "packing"), [("4k packed", "packed"), ("4096, packing", "packed"), ("4k padded", "padded")]
)
def test_packing_told_beside_a_length_is_told(said: str, packing: str) -> None:
    run = _run(said)
    told = next(one for one in run.assumptions if one.name == "packing")
    assert (told.value, told.source) == (packing, "user")
    assert packing == "padded" or run.sequence_length == 4096


def test_packing_that_contradicts_the_length_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"sequence_length.*packing padded disagree"):
        _run("4k packed", packing="padded")


@pytest.mark.parametrize(
    ("argument", "said", "number"),
    [
        ("micro_batch_size", "batch size 16 per device", 16),
        ("micro_batch_size", "per-device batch size of 4", 4),
        ("micro_batch_size", "8 per GPU", 8),
        ("micro_batch_size", "2 samples per GPU", 2),
        ("gradient_accumulation", "accumulation of 8", 8),
        ("n_gpus", "8 GPUs", 8),
    ],
)
def test_a_number_among_the_words_for_its_argument_is_read(argument: str, said: str, number: int) -> None:
    assert said_number(argument, said) == number


@pytest.mark.parametrize(
    ("argument", "said"),
    [("micro_batch_size", "batch size 16 to 32"), ("n_gpus", "batch size 16"), ("micro_batch_size", "16 steps")],
)
def test_words_of_another_kind_are_not(argument: str, said: str) -> None:
    assert said_number(argument, said) is None


def test_a_global_batch_by_its_name_is_a_number() -> None:
    assert checked_whole_count("global_batch_sequences", "batch size 128", most=10**9) == 128
