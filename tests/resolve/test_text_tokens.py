"""Tokens in so many megabytes of text.

Authority: published ratios of tokenizers: Llama 3's vocabulary takes 3.94 characters a token of English and Llama 2's
3.17 (Grattafiori et al. 2024, section 3.2); the table's own sources stand in its module.
"""

import pytest

from estimator.base.errors import InvalidValueError, UnknownNameError
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


@pytest.mark.parametrize(
    ("said", "alike"),
    [
        ("10GB of jsonl", "10 GB jsonl"),
        ("5 GB deutscher Text", "5 GB of German text"),
        ("100 Go de texte français", "100 GB of French text"),
        ("2 To de texte", "2 TB"),
        ("10GB中文文本", "10 GB of Chinese text"),
        ("50 MB of Python code", "50 MB code"),
        ("5 gigabytes of text", "5 GB"),
        ("roughly 2 GB of legal documents", "2 GB"),
        ("100 MB de texto español", "100 MB of Spanish text"),
        ("100 MB finnish", "100 MB of Finnish text"),
        ("10M characters", "10 MB"),
        ("500万字", "15 MB of Chinese text"),
        ("half a million words", "500,000 words"),
        ("50 Mio. Wörter", "50 million words"),
        ("twelve books", "12 books"),
        ("2 crore words", "20M words"),
    ],
)
def test_the_same_text_said_otherwise_is_as_many_tokens(said: str, alike: str) -> None:
    found, plain = text_tokens(said, "tokens"), text_tokens(alike, "tokens")
    assert found is not None
    assert plain is not None
    assert (found.tokens, found.low, found.high) == pytest.approx((plain.tokens, plain.low, plain.high))


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        # OpenAI's rule of thumb: 100 tokens are about 75 words, and a token about four characters, of English.
        ("75 million words", 0.8e8, 1.25e8),
        ("400M characters", 0.8e8, 1.25e8),
        # The 985M words of BookCorpus, at that rule.
        ("11,038 books", 0.8 * 985e6 / 0.75, 1.25 * 985e6 / 0.75),
        ("1000 pages", 250e3 / 0.75, 500e3 / 0.75),
    ],
)
def test_pieces_of_text_are_as_many_tokens_as_rules_of_thumb_have_it(said: str, low: float, high: float) -> None:
    found = text_tokens(said, "tokens", LLAMA_3_VOCABULARY)
    assert found is not None
    assert low < found.tokens < high
    assert found.low < found.tokens < found.high


@pytest.mark.parametrize(("low", "high"), [("1B", "2B"), ("500M", "1B"), ("1.5", "2.5T")])
@pytest.mark.parametrize("form", ["{}-{}", "{} to {} tokens", "between {} and {}", "{}–{}"])
def test_of_a_range_the_middle_is_taken_and_both_ends_stay_in_the_answer(low: str, high: str, form: str) -> None:
    found = text_tokens(form.format(low, high), "tokens")
    assert found is not None
    assert found.low < found.tokens < found.high
    assert found.tokens == pytest.approx((found.low * found.high) ** 0.5)
    assert "middle" in found.note


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("1B-100B", "too wide"),
        ("500-2B", "too wide"),
        ("1 TB parquet", "compressed"),
        ("10 GB of pdfs", "text"),
        ("10 GB of images", "samples"),
        ("5 GB of German and French", "several languages"),
        ("20 GB of swedish text", "of english text"),
        ("10M words of Chinese", "characters"),
    ],
)
def test_what_holds_another_amount_than_it_says_is_refused_with_what_would_do(said: str, remedy: str) -> None:
    with pytest.raises(InvalidValueError, match=remedy):
        text_tokens(said, "tokens")


@pytest.mark.parametrize(
    ("given", "count"), [("2TB tokens", "2T"), ("5 GB tokens", "5B"), ("100 MB of tokens", "100M")]
)
def test_a_size_of_tokens_is_most_likely_a_count(given: str, count: str) -> None:
    with pytest.raises(UnknownNameError) as refused:
        text_tokens(given, "tokens")
    assert refused.value.nearest[0] == count
