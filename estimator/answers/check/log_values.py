"""Numbers and durations as trainers print them."""

import re
from collections.abc import Mapping

__all__ = ["CLOCK", "NUMBER", "duration_s", "number", "number_or_none"]

NUMBER = r"(\d[\d,_]{0,24}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,4})?(?:[kKMGBT](?![A-Za-z]))?)"
"""Every repetition is bounded, so that no line takes long to refuse."""
CLOCK = r"((?:\d{1,4} ?d(?:ays?)?,? ?)?\d{1,6}(?::\d\d){1,2}(?:\.\d{1,6})?)"
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_SUFFIXES: Mapping[str, float] = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}
_PART = re.compile(
    r"(\d[\d.,]{0,20})\s?(days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|ms)(?![a-z])", re.IGNORECASE
)
_UNITS_S: Mapping[str, float] = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_DAYS = re.compile(r"(\d{1,4}) ?d(?:ays?)?,? ?")
_MILLI = 1e-3


def number(text: str) -> float:
    """Return the number in `text`: thousands by commas, a decimal comma, 22.8K.

    Raises ValueError where there is none.
    """
    text = text.strip().rstrip(",_.")
    factor = 1.0
    if text[-1:] in _SUFFIXES:
        factor, text = _SUFFIXES[text[-1]], text[:-1]
    mantissa, mark, exponent = text.replace("_", "").partition("e") if "e" in text else (text.replace("_", ""), "", "")
    if "," in mantissa:
        # 3,812 is thousands; 4,80 and 0,125 are decimals, as half of Europe writes them.
        thousands = _THOUSANDS.fullmatch(mantissa) and not mantissa.startswith("0")
        mantissa = mantissa.replace(",", "") if thousands or mantissa.count(",") > 1 else mantissa.replace(",", ".")
    return float(mantissa + mark + exponent) * factor


def number_or_none(text: str) -> float | None:
    """Return the number in `text`; None where there is none."""
    try:
        return number(text)
    except (ValueError, OverflowError):
        return None


def duration_s(text: str) -> float:
    """Return seconds from `1:02:03`, `1 day, 2:03:04`, `2h 5m 59s`, or a plain number of seconds.

    Raises ValueError where it is none of these.
    """
    text = text.strip().rstrip(",")
    if ":" in text:
        seconds = 0.0
        if days := _DAYS.match(text):
            seconds, text = 86_400.0 * float(days[1]), text[days.end() :]
        clock = 0.0
        for part in text.split(":"):
            clock = 60.0 * clock + float(part)
        return seconds + clock
    parts = _PART.findall(text)
    if parts:
        return sum(
            number(value) * (_MILLI if unit.lower() == "ms" else _UNITS_S[unit[0].lower()]) for value, unit in parts
        )
    return number(text)
