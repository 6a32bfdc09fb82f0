"""Data sets where a number of tokens or samples stands: `alpaca ×3`, `fineweb-edu 100BT`, `3 epochs of dolly-15k`."""

import re
import unicodedata
from dataclasses import dataclass

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.base.units import parse_bytes, parse_count
from estimator.catalogue import catalogue
from estimator.catalogue.datasets import DatasetEntry
from estimator.catalogue.entries import Match
from estimator.resolve.text_tokens import text_tokens

__all__ = ["NamedData", "named_data", "split_passes"]

_LONGEST = 120
_SHORTEST_NAME = 5
"""Characters below which a word is like too many names to be one misspelt."""
_NUMBER = r"\d+(?:\.\d+)?"
_PASSES = r"(?:epochs?|passes|times|runs)"
_PASSES_BEFORE = re.compile(rf"({_NUMBER})\s*(?:[x×*·]|{_PASSES})\s*(?:(?:of|over|on|through|with)\s+)?(?=\D)(.+)")
_PASSES_AFTER = re.compile(
    rf"(.+?)[\s,;(]*(?:(?:(?:\b|(?<=[\s\d]))[x×*·]|\btimes)\s*({_NUMBER})(?:\s*{_PASSES})?|(?:\bfor\s+)?({_NUMBER})\s*(?:[x×]|{_PASSES}))\s*\)?"
)
_ONCE = {"once": 1.0, "twice": 2.0, "thrice": 3.0}
_WORD_AFTER = re.compile(r"(.+?)[\s,]+(once|twice|thrice)")
_PORTION = re.compile(
    rf"(?:the\s+)?(?:first\s+|a\s+)?({_NUMBER}\s*%|[\d.,_]*\d[\d.,_]*\s*[a-z]*|half|third|quarter|tenth)\s*"
    r"(?:(tokens?|samples?|examples?|rows?|documents?|conversations?|pairs?|images?|text)\s+)?(?:of|from)\s+(.+)"
)
_COUNT = r"(?:[\d.,_]*\d[\d.,_]*\s*(?:[kmbt]|thousand|million|billion|trillion)|\d{3,}|\d{1,3}(?:[,_]\d{3})+)"
"""A number that is no version."""
_NOUN = r"(?:tokens?|samples?|examples?|rows?|pairs?)"
_BESIDE = (
    re.compile(rf"(?P<name>.+?)[\s,:(]+(?P<count>{_COUNT})\s*(?P<noun>{_NOUN})?\)?"),
    re.compile(rf"(?P<count>{_COUNT})\s+(?P<name>.+?)(?:\s+(?P<noun>{_NOUN}))?"),
)
"""An amount beside a name, without a word between: `fineweb 32B`, `20B fineweb-edu tokens`."""
_SHARES = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "tenth": 1 / 10}
_BYTES = re.compile(r"[\d.,_ ]+[kmgtp]i?b")
_BYTES_PER_TOKEN = 4.4
"""English web text in vocabularies of about 100,000; see text_tokens.ORDINARY_TEXT."""
_PER_CENT = 100.0
_REMEDY = (
    'must be a number above zero ("15T"), a size of text ("2 GB of German text"), or a data set that is known; of your '
    "own give samples with tokens_per_sample"
)
_BARE_WORD = re.compile(r"(?!(?:an?|my)\s+\d)[^\W\d].*")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedData:
    """What was named, and how much of it."""

    entry: DatasetEntry
    passes: float | None
    """Passes over it; None where the text says none."""
    samples: float | None
    """Samples taken of it; None for all."""
    tokens: float | None
    """Tokens taken of it; None for all."""
    note: str
    """What was assumed of an ambiguous name."""

    @property
    def portion(self) -> bool:
        """Whether it is a part whose size was said."""
        return self.samples is not None or self.tokens is not None


def named_data(given: object, argument: str) -> NamedData | None:
    """Return the data set that `given` names; None for what names none, such as a count or a size of text.

    Raises UnknownNameError for a text that looks like a misspelt name, InvalidValueError for other words.
    """
    if not isinstance(given, str) or len(given) > _LONGEST:
        return None
    text = " ".join(unicodedata.normalize("NFKC", given).casefold().split())
    if not any(character.isalpha() for character in text) or _is_count(text, argument):
        return None
    name, passes = split_passes(text)
    portion = _PORTION.fullmatch(name)
    amount: tuple[str, str] | None = None
    if portion is not None and catalogue.found_dataset(name) is None:
        amount, name = (portion[1], portion[2] or ""), portion[3]
        if passes is None:
            name, passes = split_passes(name)
    found = catalogue.found_dataset(name)
    if found is None and amount is None and (beside := _beside(name)) is not None:
        amount, found = beside
    if found is None:
        if amount is not None and _BYTES.fullmatch(amount[0]):
            # So much text, of a language: see text_tokens.
            return None
        if text_tokens(given, argument) is not None:
            return None
        _refuse_misspelt(given, argument, name)
        return None
    entry = found.value
    samples, tokens = (None, None) if amount is None else _amount(entry, *amount, given=given, argument=argument)
    return NamedData(entry=entry, passes=passes, samples=samples, tokens=tokens, note=found.note)


def _beside(text: str) -> tuple[tuple[str, str], Match[DatasetEntry]] | None:
    """Return the amount and the data set of a text that has the one beside the other; None where it has not both."""
    for pattern in _BESIDE:
        match = pattern.fullmatch(text)
        found = catalogue.found_dataset(match["name"]) if match else None
        if match is not None and found is not None:
            return (match["count"], match["noun"] or ""), found
    return None


def _is_count(text: str, argument: str) -> bool:
    try:
        parse_count(text, argument)
    except InvalidValueError:
        return False
    return True


def split_passes(text: str) -> tuple[str, float | None]:
    """Return a name and the passes said over it: `3 epochs of alpaca`, `alpaca x3`, `alpaca twice`."""
    if catalogue.found_dataset(text) is not None:
        return text, None
    word = _WORD_AFTER.fullmatch(text)
    if word is not None:
        return word[1], _ONCE[word[2]]
    before = _PASSES_BEFORE.fullmatch(text)
    if before is not None:
        return before[2].strip(), float(before[1])
    after = _PASSES_AFTER.fullmatch(text)
    if after is not None:
        return after[1].strip(), float(after[2] or after[3])
    return text, None


def _refuse_misspelt(given: str, argument: str, name: str) -> None:
    """Raise what says so where `name` is a word, with the sets whose names are near it."""
    if _BARE_WORD.fullmatch(name) is None:
        return
    nearest = catalogue.nearest_datasets(name) if len(name) >= _SHORTEST_NAME else ()
    if nearest:
        raise UnknownNameError(argument, given, nearest)
    raise InvalidValueError(argument, given, _REMEDY)


def _amount(
    entry: DatasetEntry, number: str, noun: str, *, given: str, argument: str
) -> tuple[float | None, float | None]:
    """Return the samples or the tokens that are taken of a data set."""
    share = _SHARES.get(number)
    if number.endswith("%"):
        share = float(number.removesuffix("%")) / _PER_CENT
    if share is not None:
        if not 0.0 < share <= 1.0:
            raise InvalidValueError(argument, given, "is no share of a data set; give one above 0 and at most 100 %")
        whole = entry.samples if entry.kind != "text" else None
        if whole is not None:
            return whole * share, None
        if entry.tokens is None:
            raise InvalidValueError(argument, given, f"is a share of {entry.name}, whose size is not known")
        return None, entry.tokens * share
    if _BYTES.fullmatch(number):
        return None, parse_bytes(number, argument) / _BYTES_PER_TOKEN
    count = parse_count(number, argument)
    if noun.startswith("token") or (not noun and entry.kind == "text"):
        return None, count
    return count, None
