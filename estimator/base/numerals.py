"""Numbers in digits as people write them anywhere: `2,000,000`, `2.000.000`, `1 234,5`, `1'000`, `1,00,000`, `1e9`."""

import re

__all__ = ["NUMERAL", "numeral_value", "other_reading"]

NUMERAL = (
    r"[+-]?(?:"
    # Thousands by points, twice or with a comma behind: nothing else is written so.
    r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}\.\d{3},\d+"
    # Thousands by commas, spaces, low lines or apostrophes; in India by two digits above the first three.
    r"|(?:\d{1,3}(?:[,_ ']\d{3})+|\d{1,2}(?:,\d{2})+,\d{3})(?![,\d])(?:\.\d*)?"
    # A decimal comma, behind which three digits are thousands.
    r"|(?:\d{1,3}(?:[ ']\d{3})+|\d+),(?:\d{1,2}(?!\d)|(?<=\b0,)\d+)"
    r"|\d+(?:\.\d*)?|\.\d+)"
    r"(?:e[+-]?\d+)?"
)
"""A number in a regular expression, without a group of its own."""
_GROUPED_BY_POINTS = re.compile(r"[+-]?\d{1,3}(?:(?:\.\d{3}){2,}(?:,\d+)?|\.\d{3},\d+)")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}(?:e|$))|(?<=^0),|(?<=^[+-]0),")
_BETWEEN_THOUSANDS = re.compile(r"[,_ ']")
_POINT_OR_THOUSANDS = re.compile(r"(?<![\d.,])([1-9]\d{0,2})\.(\d{3})(?![\d.,e])")
_COMMA_OR_THOUSANDS = re.compile(r"(?<![\d.,])([1-9]\d{0,2}),(\d{3})(?![\d.,e])")
_ABROAD = re.compile(
    r"\b(?:mio|mrd|mrds|mds?|bio|tsd|tausend|millione?n|milliarden?|billionen|milliards?|mill(?:ó|o)n(?:es)?|mil"
    r"|тыс|тысяч\w?|млн|млрд|миллион\w*|миллиард\w*)\b"
)
"""Multiples as they are called where a comma is the decimal point."""
_MULTIPLIED = re.compile(r"\d\s*(?:[kmbgtq]|bn|tn|thousand|[mbtr]+illions?)\b")


def numeral_value(numeral: str) -> float:
    """Return the number that `numeral`, a match of NUMERAL, is; a comma before three digits separates thousands.

    Raises ValueError for what is no number.
    """
    if _GROUPED_BY_POINTS.match(numeral):
        numeral = numeral.replace(".", "").replace(",", ".")
    elif "." not in numeral:
        numeral = _DECIMAL_COMMA.sub(".", numeral)
    return float(_BETWEEN_THOUSANDS.sub("", numeral))


def other_reading(text: str) -> tuple[str, str] | None:
    """Return how a number in `text` is read and how else it may be meant, both in digits; None where it is clear.

    A point before exactly three digits is decimal here and separates thousands in half of Europe: 60.000 is sixty or
    sixty thousand. So is a comma before three digits beside a multiple: 1,500 Mrd. `1.543B` is clear, as sizes are
    written so and nobody writes thousands of billions in full.
    """
    folded = text.casefold()
    abroad, multiplied = _ABROAD.search(folded) is not None, _MULTIPLIED.search(folded) is not None
    point = _POINT_OR_THOUSANDS.search(folded)
    if point is not None and (abroad or not multiplied):
        return f"{float(point[0]):g}", point[1] + point[2]
    comma = _COMMA_OR_THOUSANDS.search(folded)
    if comma is not None and (abroad or multiplied):
        return comma[1] + comma[2], f"{float(comma[0].replace(',', '.')):g}"
    return None
