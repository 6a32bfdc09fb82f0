"""Tokens in so many megabytes of text.

Authority: published ratios of tokenizers: Llama 3's vocabulary takes 3.94 characters a token of English and Llama 2's
3.17 (Grattafiori et al. 2024, section 3.2); the table's own sources stand in its module. What follows for an
estimate is checked against the definitions in the program's contract.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError, MissingValueError, UnknownNameError
from estimator.resolve.text_tokens import LANGUAGES, text_tokens
from server.protocol.registry import TOOLS

LLAMA_2_VOCABULARY, LLAMA_3_VOCABULARY = 32_000, 128_256


def test_english_in_a_large_vocabulary_takes_about_four_bytes_a_token() -> None:
    """3.94 characters a token lies in the range."""
    found = text_tokens("1 GB", "tokens", LLAMA_3_VOCABULARY)
    assert found is not None
    assert found.low < 1e9 / 3.94 < found.high
    assert 1e9 / 5 < found.tokens < 1e9 / 3.9
    assert "English" in found.note


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_range_around_its_middle_and_small_vocabularies_need_more(language: str) -> None:
    large = text_tokens(f"100 MB of {language} text", "tokens", LLAMA_3_VOCABULARY)
    small = text_tokens(f"100 MB {language}", "tokens", LLAMA_2_VOCABULARY)
    assert large is not None
    assert small is not None
    assert large.low < large.tokens < large.high
    assert small.tokens >= large.tokens
    assert 1e8 / 10 < large.tokens < 1e8


@pytest.mark.parametrize("given", ["15T", "300B", "1.4e12", 7e9, "2,000,000", "MB", "x" * 100, None])
def test_a_count_of_tokens_is_no_size_of_text(given: object) -> None:
    assert text_tokens(given, "tokens") is None


def test_binary_units_are_larger() -> None:
    decimal, binary = text_tokens("1 GB code", "tokens"), text_tokens("1 GiB code", "tokens")
    assert decimal is not None
    assert binary is not None
    assert binary.tokens / decimal.tokens == pytest.approx(2**30 / 1e9)


def test_an_unknown_language_is_told_a_near_one() -> None:
    with pytest.raises(UnknownNameError, match="of german text"):
        text_tokens("1 GB of germann text", "tokens")


def _answer(**changes: object) -> dict[str, Any]:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    run: dict[str, object] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 8, "method": "lora"}
    return tool.answer(run | changes).structured


def _assumption(answer: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [one for one in answer["assumptions"] if one["name"] == name]
    return dict(found)


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
    packed, padded = _answer(**said), _answer(**said, packing="padded")
    assert _answer(**said, packing="packed")["training_days"] == packed["training_days"]
    assert 1.5 < padded["training_days"] / packed["training_days"] < 3
    assert (
        padded["training_days_high"] / padded["training_days"] > packed["training_days_high"] / packed["training_days"]
    )
    assert _assumption(padded, "packing")["source"] == "user"


def test_gradient_accumulation_sets_the_batch() -> None:
    """Batch = micro-batch × accumulated × replicas, as trainers print it."""
    answer = _answer(tokens="1B", micro_batch_size=2, gradient_accumulation=8)
    assert answer["layout"]["global_batch_sequences"] == 2 * 8 * 8
    assert answer["step_seconds"] is not None
    with pytest.raises(MissingValueError, match="micro_batch_size"):
        _answer(tokens="1B", gradient_accumulation=8)
    with pytest.raises(InvalidValueError, match="both set the batch"):
        _answer(tokens="1B", gradient_accumulation=8, micro_batch_size=1, global_batch_sequences=64)
