"""How much data a run trains on, and what that does to its time and its range.

Authority: the definitions in the program's contract.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError, MissingValueError
from server.protocol.registry import TOOLS


def _answer(**changes: object) -> dict[str, Any]:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    run: dict[str, object] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 8, "method": "lora"}
    return tool.answer(run | {"detail": "detailed"} | changes).structured


def _assumption(answer: dict[str, Any], name: str) -> dict[str, Any]:
    (assumption,) = [each for each in answer["assumptions"] if each["name"] == name]
    return dict(assumption)


def test_megabytes_of_text_widen_the_range_of_the_time() -> None:
    """Two independent errors are wider than one of them, and narrower than both together."""
    text = _answer(tokens="500 MB of German text", epochs=3)
    tokens = _assumption(text, "tokens")
    counted = _answer(tokens=tokens["value"])
    assert "german" in tokens["note"]
    assert text["training_days"] == pytest.approx(counted["training_days"])
    assert text["training_days_low"] < counted["training_days_low"]
    assert text["training_days_high"] > counted["training_days_high"]


def test_padding_costs_tokens_and_says_how_many() -> None:
    said: dict[str, object] = {"samples": "50k", "tokens_per_sample": 400, "sequence_length": 2048}
    packed, padded = (_answer(**said, packing=packing) for packing in ("packed", "padded"))
    assert _answer(**said)["training_days"] == padded["training_days"]
    # Eight GPUs wait for the longest of all their samples.
    assert 1.2 < padded["training_days"] / packed["training_days"] < 6
    wide = [answer["training_days_high"] / answer["training_days_low"] for answer in (packed, padded)]
    assert wide[1] > wide[0]
    assert _assumption(padded, "packing")["source"] == "user"


@pytest.mark.parametrize(
    ("tokens", "others"),
    [
        ("20M", {"tokens_per_sample": "400"}),
        ("20M", {"tokens_per_sample": "300-500", "epochs": 3}),
        ("20M", {"tokens_per_sample": "mean 400, max 2048", "packing": "packed"}),
        ("40M", {"tokens_per_sample": "400", "objective": "dpo"}),
    ],
)
def test_tokens_in_samples_of_some_length_are_as_many_samples_as_hold_them(
    tokens: str, others: dict[str, object]
) -> None:
    """20M tokens in samples of 400 are 50,000 of them; so are 40M in pairs."""
    counted = _answer(tokens=tokens, **others)
    told = _answer(samples="50k", **others)
    assert counted["training_days"] == pytest.approx(told["training_days"])
    assert _assumption(counted, "samples")["value"] == pytest.approx(50_000)


def test_a_size_of_text_in_samples_keeps_the_range_of_its_tokens() -> None:
    text = _answer(tokens="80 MB of German text", tokens_per_sample=400, packing="packed")
    counted = _answer(tokens=_assumption(text, "tokens")["value"], tokens_per_sample=400, packing="packed")
    assert text["training_days"] == pytest.approx(counted["training_days"])
    assert text["training_days_high"] > counted["training_days_high"]


def test_only_what_was_given_is_said_to_have_been_said_twice() -> None:
    with pytest.raises(InvalidValueError, match="tokens: '10M' and samples say the same thing twice"):
        _answer(tokens="10M", samples="10k", tokens_per_sample="400")
    with pytest.raises(InvalidValueError, match="tokens_per_sample: 400 with tokens does not say how many pictures"):
        _answer(model="qwen2.5-vl-7b", tokens="10M", tokens_per_sample="400")


@pytest.mark.parametrize(
    ("model", "objective", "hint"),
    [
        ("BAAI/bge-large-en-v1.5", "contrastive", "of each text of a pair"),
        ("bert-base-uncased", "classification", "a review 100 to 300"),
        ("bert-base-uncased", "masked", "a document"),
        ("bert-base-uncased", "next_token", "a review or a passage"),
        ("llama-3.1-8b", "dpo", "a prompt with one of its answers"),
        ("llama-3.1-8b", "next_token", "an instruction with its answer"),
    ],
)
def test_how_long_samples_are_is_asked_by_what_is_trained(model: str, objective: str, hint: str) -> None:
    """Pairs of sentences, reviews and conversations differ tenfold."""
    with pytest.raises(MissingValueError, match=rf"tokens_per_sample is missing.*{hint}"):
        _answer(model=model, objective=objective, method="full", samples="1M")
