"""Tokens in so many megabytes of text.

Authority: published ratios of tokenizers: Llama 3's vocabulary takes 3.94 characters a token of English and Llama 2's
3.17 (Grattafiori et al. 2024, section 3.2); the table's own sources stand in its module.
"""

import pytest

from estimator.base.errors import UnknownNameError
from estimator.resolve.text_tokens import LANGUAGES, text_tokens

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


@pytest.mark.parametrize("form", ["", " of text", " txt", " csv", " of plain text", " txt file"])
def test_a_form_that_is_text_alone_changes_nothing(form: str) -> None:
    plain = text_tokens("100 MB english", "tokens")
    formed = text_tokens(f"100 MB{form}", "tokens")
    assert plain is not None
    assert formed is not None
    assert (formed.tokens, formed.low, formed.high) == (plain.tokens, plain.low, plain.high)


@pytest.mark.parametrize("given", ["100 MB jsonl", "100 MB of JSONL", "a 100 MB json file", "100 MB of English jsonl"])
def test_what_marks_up_a_text_is_no_part_of_it(given: str) -> None:
    """Names of fields and quotes are not trained on, and nobody knows how many there are."""
    plain, tagged = text_tokens("100 MB", "tokens"), text_tokens(given, "tokens")
    assert plain is not None
    assert tagged is not None
    assert 0.7 * plain.tokens < tagged.tokens < plain.tokens
    assert tagged.high / tagged.low > plain.high / plain.low
    assert "of the file" in tagged.note


def test_an_unknown_language_is_told_a_near_one() -> None:
    with pytest.raises(UnknownNameError, match="of german text"):
        text_tokens("1 GB of germann text", "tokens")
