"""Text that may hold what a caller wrote, made safe to show: what a terminal would obey is spelt out."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

__all__ = ["first_of", "is_plain", "listed", "visible", "with_article"]

_OBEYED = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069\\u2028\\u2029]")
"""Control characters but tab and line feed, and what turns the direction of text or ends a line unseen."""
_ESCAPES = ("\\u00", "\\b", "\\f", "\\r")
"""As JSON has control characters; the line feed, and what a terminal does not obey, are no matter."""
_VOWEL_SOUND = re.compile(r"[aeiou]|8|1[18](?!\d)", re.IGNORECASE)
"""Of nouns as they are used here, none of which begins like `unit`; eight, eleven and eighteen, but not a hundred and
eighty."""
_T = TypeVar("_T")


def with_article(noun: str) -> str:
    """Return `noun` as it is spoken of one: a decoder, an encoder, a 7B model, an 8B model."""
    return f"{'an' if _VOWEL_SOUND.match(noun) else 'a'} {noun}"


def listed(parts: Sequence[str]) -> str:
    """Return all of `parts`, of which there is one at least, as they are spoken of: a, b and c."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last


def first_of(names: Sequence[str], most: int) -> str:
    """Return `names`, of more than `most` the first and how many more there are: a, b, c and 9 more."""
    more = len(names) - most
    return " and ".join(names) if more <= 0 else f"{', '.join(names[:most])} and {more:,} more"


def visible(value: _T) -> _T:
    """Return `value` with the characters that a terminal obeys spelt as escapes, in every text within it."""
    plain: Any = value
    if isinstance(plain, str):
        return cast("_T", _OBEYED.sub(_spelt, plain) if _OBEYED.search(plain) else plain)
    if isinstance(plain, dict):
        entries = cast("Mapping[Any, Any]", plain)
        return cast("_T", {visible(key): visible(inner) for key, inner in entries.items()})
    if isinstance(plain, list):
        parts = cast("Sequence[Any]", plain)
        return cast("_T", [visible(inner) for inner in parts])
    return value


def is_plain(json_text: str) -> bool:
    """Return whether `visible` would change nothing of what `json_text` holds; False where it only may.

    Nearly all answers are plain, and this does not look into each text of them.
    """
    return json_text.isprintable() and not any(escape in json_text for escape in _ESCAPES)


def _spelt(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
