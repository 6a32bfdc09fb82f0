"""Numbers and choices as callers give them, checked; each error names the argument and what would do."""

import math
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.base.numerals import NUMERAL, numeral_value, other_reading
from estimator.base.spoken import spoken
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
    "length_in_k",
    "said_number",
]

MOST_GPUS = 10_000_000
"""More accelerators than were ever built into one machine, by an order of magnitude."""
_LONGEST_COMPARED = 200
_LONGEST_NUMBER = 32
_GPUS = r"(?:(?:nvidia |amd )?(?:gpus?|cards?|accelerators?|chips?|devices?))"
_OF_EACH = r"(?:(?:per|/|on each|on every|for each|each) ?(?:gpu|device|card|rank|replica))"
_OWN_NOUN: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("n_gpus", "gpus_per_node"), _GPUS),
        "epochs": r"(?:epochs?|passes|pass|times)",
        "sequence_length": r"(?:token )?(?:context|ctx)(?: (?:length|window))?",
        "micro_batch_size": rf"(?:samples?|sequences?|examples?)?(?: ?{_OF_EACH})?",
        "global_batch_sequences": r"(?:in total|total|globally|overall)",
        "gradient_accumulation": r"(?:steps?|micro-?batch(?:es)?)",
        **dict.fromkeys(("peak_tflops", "observed_tflops_per_gpu"), r"tflops?(?:/s)?(?: ?(?:per|/) ?gpu)?"),
    }
)
"""What arguments that are plain numbers are counted in, as a regular expression."""
_BATCH = r"(?:batch[ -]?size|batch|bs)(?: ?(?:of|is|=|:))?"
_OWN_NAME: Mapping[str, str] = MappingProxyType(
    {
        "micro_batch_size": rf"(?:(?:micro|per[ -](?:gpu|device|card)|local)[ -]?)?{_BATCH}",
        "global_batch_sequences": rf"(?:(?:global|total|effective|overall)[ -]?)?{_BATCH}",
        "gradient_accumulation": r"(?:gradient |grad )?accumulat\w+(?: ?(?:steps?|of|is|=|:))*",
        "sequence_length": r"(?:max(?:imum)? )?(?:seq(?:uence)?|context)?[ -]?(?:length|len|window)(?: ?(?:of|is))?",
    }
)
"""What such an argument is called, before its number."""
_IN_K = re.compile(r"(?P<k>\d{1,4})\s*k(?:[ -]?(?:tokens?|context|ctx|seq(?:uence)?s?)(?: (?:length|window))?)?")
_KIBI = 1024
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
    given = _without_own_noun(argument, given)
    if argument == "sequence_length" and isinstance(given, str) and (tokens := length_in_k(given)) is not None:
        return checked_whole(argument, tokens, most=most)
    try:
        value = parse_count(given, argument)
    except InvalidValueError:
        raise InvalidValueError(argument, given, f"must be a whole number from 1 to {most:,}") from None
    readings = other_reading(given) if isinstance(given, str) and value % 1.0 else None
    if readings is not None:
        raise InvalidValueError(argument, given, f"is no whole number; if {readings[1]} is meant, write it so")
    return checked_whole(argument, value, most=most)


def _without_own_noun(argument: str, given: object) -> object:
    """Return `given` without the word for what `argument` counts, which says nothing more: `8` of `8 GPUs`."""
    noun = _OWN_NOUN.get(argument)
    if noun is None or not isinstance(given, str) or len(given) > _LONGEST_COMPARED:
        return given
    name = rf"(?:{_OWN_NAME[argument]})?\s*" if argument in _OWN_NAME else ""
    match = re.fullmatch(rf"{name}({NUMERAL}\s*k?)\s*(?:x|{noun})?", spoken(given))
    return given if match is None else match[1]


def length_in_k(given: str) -> int | None:
    """Return the tokens of a length in k, which is a power of two where the number is: `8k` is 8,192; None for others.

    Models, caches and trainers have such lengths, and say them so: 2k, 4k, 8k, 32k, 128k.
    """
    match = _IN_K.fullmatch(given.strip().casefold()) if len(given) <= _LONGEST_NUMBER else None
    count = 0 if match is None else int(match["k"])
    return count * _KIBI if count > 0 and count & (count - 1) == 0 else None


def said_number(argument: str, given: str) -> float | None:
    """Return the number that `given` says for an argument that is one: `8 GPUs`, `three`, `1,024`; None for none.

    Also None for digits that may be another number, and for more than a number and what it counts.
    """
    text = _without_own_noun(argument, given)
    if not isinstance(text, str) or other_reading(text) is not None:
        return None
    plain = spoken(text)
    return numeral_value(plain) if re.fullmatch(NUMERAL, plain) and len(plain) <= _LONGEST_NUMBER else None


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
