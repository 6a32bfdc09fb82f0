"""What is said of padding beside lengths and packing is what is said of it beside software, in whatever words.

Authority: the words on software, which tests/resolve/framework/test_padded_lengths.py holds to Transformers' own terms.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve


def _run(**said: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    usual: dict[str, Any] = {"model": "bert-base-uncased", "gpu": "v100", "n_gpus": 1, "framework": "HF Trainer, fp16"}
    asked: dict[str, Any] = {**usual, "samples": 88_000, **said}
    return resolve(Request(**asked))


@pytest.mark.parametrize("model", ["bert-base-uncased", "llama-3.2-1b"])
@pytest.mark.parametrize(
    "said",
    [
        {"tokens_per_sample": "padded to 384"},
        {"tokens_per_sample": "384, padded"},
        {"tokens_per_sample": "384 (padded)"},
        {"tokens_per_sample": "padded 384"},
        {"tokens_per_sample": "all padded to 384 tokens"},
        {"tokens_per_sample": "padded to max length 384"},
        {"tokens_per_sample": "mean 170, padded to 384"},
        {"tokens_per_sample": "mean 170 (padded to 384 tokens)"},
        {"tokens_per_sample": "padded to 384, mean 170"},
        {"tokens_per_sample": "mean 170, max 384, padded to max length"},
        {"tokens_per_sample": "384", "packing": "padded to 384"},
        {"tokens_per_sample": "mean 170", "packing": "padding=max_length 384"},
        {"tokens_per_sample": "mean 170", "sequence_length": "padded to 384"},
    ],
    ids=str,
)
def test_a_length_that_all_are_padded_to_is_read_wherever_it_is_said(model: str, said: dict[str, Any]) -> None:
    run, told = (
        _run(model=model, **said),
        _run(model=model, tokens_per_sample="mean 170", framework="HF Trainer, fp16, padded to 384"),
    )
    assert (run.sequence_length, run.amount.tokens) == (told.sequence_length, told.amount.tokens) == (384, 88_000 * 384)
    assert run.question is not None
    assert told.question is not None
    assert run.question.masks_padding == told.question.masks_padding


@pytest.mark.parametrize("said", ["exactly 384", "fixed 384", "384 (fixed)", "all 384", "fixed length of 384 tokens"])
def test_samples_that_are_all_as_long_have_no_padding(said: str) -> None:
    run = _run(tokens_per_sample=said)
    assert run.sequence_length == 384
    assert run.question is not None
    assert not run.question.masks_padding


@pytest.mark.parametrize(
    ("said", "row"), [("mean 170, padded", 355), ("170, padded to the longest", 250), ("mean 170, padding-free", 0)]
)
def test_other_words_on_padding_say_how_and_not_how_long(said: str, row: int) -> None:
    run = _run(tokens_per_sample=said, micro_batch_size=16)
    assert run.amount.tokens / 88_000 == pytest.approx(row or 170, rel=0.05)


@pytest.mark.parametrize(
    ("model", "length", "padding"), [("bert-base-uncased", 300, "longest"), ("gpt2", 300, "limit")]
)
def test_max_length_is_the_limit_and_padding_alone_is_to_the_longest(model: str, length: int, padding: str) -> None:
    """Transformers: `padding=True` pads to the longest of a batch, `padding="max_length"` to `max_length`."""
    words = {"longest": ("padding", "padding=True"), "limit": ("padding=max_length", 'padding="max_length"')}[padding]
    for word in words:
        run = _run(model=model, tokens_per_sample="mean 100", framework=f"HF Trainer, max_length={length}, {word}")
        assert any(f"sequence_length {length}" in str(one.value) for one in run.assumptions)
        assert (run.sequence_length >= length) == (padding == "limit")


def test_words_that_contradict_packing_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="keep one of them"):
        _run(tokens_per_sample="padded to 384", packing="packed")


@pytest.mark.parametrize("said", ["padded", "padded to lots", "mean 100, padded with love"])
def test_what_is_no_length_is_refused_with_a_form_that_is_one(said: str) -> None:
    with pytest.raises(InvalidValueError, match="padded to 384"):
        _run(tokens_per_sample=said)


def test_a_packing_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        _run(tokens_per_sample="170", packing="paded")
