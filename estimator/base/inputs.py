"""Numbers and choices as callers give them, checked; each error names the argument and what would do."""

import math
from collections.abc import Sequence
from difflib import get_close_matches

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.base.numerals import other_reading
from estimator.base.units import LEAST, parse_count

__all__ = [
    "MOST_GPUS",
    "checked_choice",
    "checked_fraction",
    "checked_number",
    "checked_whole",
    "checked_whole_count",
    "divisors_near",
    "divisors_of",
]

MOST_GPUS = 10_000_000
"""More accelerators than were ever built into one machine, by an order of magnitude."""
_LONGEST_COMPARED = 200
_NEAREST = 3


def checked_number(argument: str, given: object, *, most: float = 1e18, unit: str = "") -> float:
    """Return `given` as a finite number above zero and at most `most`.

    Raises InvalidValueError where it is not.
    """
    unit_of = f" of {unit}" if unit else ""
    try:
        value = float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value) or value <= 0:
        raise InvalidValueError(argument, given, f"must be a finite number{unit_of}, above zero")
    if value > most:
        raise InvalidValueError(argument, given, f"must be at most {most:,.0f} {unit}".rstrip())
    if value < LEAST:
        raise InvalidValueError(argument, given, f"must be at least {LEAST:g} {unit}".rstrip())
    return value


def checked_whole(argument: str, given: object, *, most: int) -> int:
    """Return `given` as a whole number from 1 to `most`.

    Raises InvalidValueError where it is not.
    """
    try:
        value = checked_number(argument, given, most=most)
    except InvalidValueError:
        raise InvalidValueError(argument, given, f"must be a whole number from 1 to {most:,}") from None
    if value != int(value):
        near = " or ".join(f"{n:,}" for n in sorted({max(math.floor(value), 1), math.ceil(value)}))
        raise InvalidValueError(argument, given, f"must be a whole number, such as {near}")
    return int(value)


def checked_whole_count(argument: str, given: object, *, most: int) -> int:
    """Return `given` as a whole number from 1 to `most`; "1k" is a thousand.

    Raises InvalidValueError where it is not.
    """
    try:
        value = parse_count(given, argument)
    except InvalidValueError:
        raise InvalidValueError(argument, given, f"must be a whole number from 1 to {most:,}") from None
    readings = other_reading(given) if isinstance(given, str) and value % 1.0 else None
    if readings is not None:
        raise InvalidValueError(argument, given, f"is no whole number; if {readings[1]} is meant, write it so")
    return checked_whole(argument, value, most=most)


def checked_fraction(argument: str, given: object) -> float:
    """Return `given` as a number above 0 and at most 1.

    Raises InvalidValueError; a percentage is told its fraction.
    """
    value = checked_number(argument, given)
    if value > 1:
        hint = f"; {value:g} % is {value / 100:g}" if value <= 100 else ""  # noqa: PLR2004 - per cent
        shown_as = int(value) if value == int(value) else value
        raise InvalidValueError(argument, shown_as, f"must be a fraction above 0 and at most 1, such as 0.45{hint}")
    return value


def checked_choice(argument: str, given: str, choices: Sequence[str]) -> str:
    """Return the one of `choices` that `given` is, whatever its case.

    Raises UnknownNameError with the nearest, or with all where none is near.
    """
    folded = given.strip().casefold()
    if folded in choices:
        return folded
    near = get_close_matches(folded[:_LONGEST_COMPARED], choices, n=_NEAREST, cutoff=0.5)
    raise UnknownNameError(argument, given, near or choices)


def divisors_of(number: int) -> list[int]:
    """Return the divisors of `number`, the smallest first."""
    small = [d for d in range(1, math.isqrt(number) + 1) if number % d == 0]
    return sorted({*small, *(number // d for d in small)})


def divisors_near(number: int, wanted: int) -> str:
    """Return the divisors of `number` next to `wanted`, as text: `4 or 8`."""
    divisors = divisors_of(number)
    below = max(d for d in divisors if d <= max(wanted, 1))
    above = min((d for d in divisors if d >= wanted), default=below)
    return " or ".join(f"{d:,}" for d in sorted({below, above}))
