"""The only conversions: SI factors, quantities as people write them, and numbers as people read them."""

import math
import re
from collections.abc import Mapping

from estimator.base.errors import InvalidValueError
from estimator.base.nouns import COUNT_NOUNS, multiples_in, noun_in
from estimator.base.numerals import NUMERAL, numeral_value
from estimator.base.spoken import RANGE, spoken

__all__ = [
    "BITS_PER_BYTE",
    "DAY_S",
    "GIBI",
    "GIGA",
    "HOUR_S",
    "KILO",
    "LEAST",
    "MEGA",
    "MINUTE_S",
    "PETA",
    "TERA",
    "YEAR_S",
    "counted_noun",
    "format_bytes",
    "format_count",
    "format_counted",
    "format_duration",
    "format_rate",
    "format_usd",
    "is_gpu_time",
    "parse_bytes",
    "parse_count",
    "parse_duration_s",
    "parse_gpu_hours",
    "parse_usd",
]

LEAST = 1e-9
"""Of any quantity that is told: what is smaller makes others infinite, and nobody means it."""
KILO, MEGA, GIGA, TERA, PETA = 1e3, 1e6, 1e9, 1e12, 1e15
GIBI = 2.0**30
BITS_PER_BYTE = 8
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0
YEAR_S = 365.25 * DAY_S

_LONGEST = 64
"""Characters of a quantity; nobody needs more."""

_ROUNDS_UP = 0.9995
"""What three significant digits round to 1: 999,999 reads 1M and not 1000k."""

_DURATION_UNITS: Mapping[str, float] = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE_S),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOUR_S),
    **dict.fromkeys(("d", "day", "days"), DAY_S),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 7 * DAY_S),
    # From one working day to the next.
    **dict.fromkeys(("night", "overnight"), 12 * HOUR_S),
    "weekend": 2 * DAY_S,
    "fortnight": 14 * DAY_S,
    **dict.fromkeys(("mo", "month", "months"), YEAR_S / 12),
    **dict.fromkeys(("q", "quarter", "quarters"), YEAR_S / 4),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), YEAR_S),
}
_BYTE_UNITS: Mapping[str, float] = {
    **dict.fromkeys(("b", "byte", "bytes"), 1.0),
    **{prefix + "b": 1000.0 ** (power + 1) for power, prefix in enumerate("kmgtp")},
    **{prefix + "ib": 1024.0 ** (power + 1) for power, prefix in enumerate("kmgtp")},
}

_QUANTITY = re.compile(rf"({NUMERAL})\s*([a-zµ]+(?:[\s-]+[a-z]+)*)?")
_GPU_TIME = re.compile(
    r"(?P<number>[\d.,_ ]+(?:e\d+)?\s*[a-z]*?)[\s-]*(?:of\s+)?"
    r"(?:gpu|accelerator|device|card|chip|tpu"
    r"|(?:nvidia |amd )?(?:[abhlvt]\d{2,3}|gb\d{3}|mi\d{3}|rtx ?\d{4}|(?<=[\s-])[2-9]0\d0)[a-z]*)s?(?:[\s-]*gpus?)?"
    r"[\s·*-]*(?P<unit>h|hrs?|hours?|d|days?|weeks?|months?|years?)"
)
"""`5000 GPU-hours`, `1.3M H100 hours`: a count, a device, a unit of time."""
_PART = re.compile(rf"({NUMERAL})\s*([a-z]+)\s*(?:,|and)?\s*")
_IN_FULL = re.compile(r"[\w ]*?(?:overnight|night|weekend|week|fortnight|month) \((\d[^()]*)\)")
"""`overnight (12 hours)`: what stands behind it is what it is taken as."""
_LONG_WEEKEND = re.compile(r"(?:1 |the )?long weekend")
_CLOCK = re.compile(r"(?:(\d+) days?,? )?(\d{1,4}):([0-5]\d):([0-5]\d)(?:\.\d+)?(?: ?h(?:ours)?)?")
"""`12:30:00`; of two fields nobody knows whether they are hours or minutes."""
_DATE = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|tonight|today|weekend|eo[dwmqy]|end|next|by"
    r"|q[1-4]|(?:jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\b|\d{4}-\d\d|\d/\d"
)
_POWER_OF_TEN = re.compile(r"\s*[x×*·]\s*10\s*(?:\^|\*\*)\s*([+-]?\d+)")
_POWER = re.compile(r"^(\d{1,3})\s*(?:\^|\*\*)\s*(\d{1,2})(?![\d.])")
_DOLLARS = re.compile(r"us ?\$|\$|(?<![a-z])(?:us[ -])?(?:usd|dollars?)(?![a-z])")
_OF_MONEY: Mapping[str, str] = {"mm": "million", "grand": "thousand"}
"""Multiples that only money has."""
_OTHER_CURRENCY = re.compile(
    r"[€£¥₹₩₽]|(?<![a-z])(?:aud|cad|chf|cny|eur|euros?|gbp|hkd|inr|jpy|krw|pounds?|rmb|rub|rupees?|won|yen|yuan)(?![a-z])"
)


def parse_count(given: object, argument: str, *, most: float = 1e18) -> float:
    """Return a count as people write it: `15T`, `1.4e12`, `2,000,000`, `1.5 trillion`, `~300B tokens`, `1,5 Mrd`, 7e9.

    Raises InvalidValueError for anything but a finite number above zero and at most `most`.
    """
    remedy = 'must be a number above zero, such as "15T", "300B", "1.4e12" or 2000000'
    number, words = _split(given, argument, remedy)
    factor, counted = multiples_in(words)
    if counted and noun_in(counted) not in COUNT_NOUNS:
        raise InvalidValueError(argument, given, f"{_unknown_suffix(counted)}; it {remedy}")
    return _in_range(number * factor, given, argument, remedy, most)


def _unknown_suffix(noun: str) -> str:
    if noun.startswith("mil"):
        return "may be thousands, as in Spanish, or millions: write k or M"
    return "has a suffix that is none of K, M, B, T"


def counted_noun(given: object) -> str:
    """Return what `given` says that it counts: `tokens` of `1M tokens`; empty for a bare number and for no count."""
    if not isinstance(given, str) or len(given) > _LONGEST:
        return ""
    matched = _QUANTITY.fullmatch(_plain(given))
    return "" if matched is None else noun_in(multiples_in(_words(matched))[1])


def parse_duration_s(given: object, argument: str, *, most: float = 1000 * YEAR_S) -> float:
    """Return seconds from `30 days`, `two weeks`, `36h`, `1 day 12 hours`, `12:30:00`; a unit is required.

    Raises InvalidValueError for anything else, beyond a thousand years, and for `6m`, which may be months.
    """
    remedy = 'must be a duration above zero with its unit, such as "30 days", "12h" or "90 min"'
    text = _text(given, argument, remedy)
    in_full = _IN_FULL.fullmatch(text)
    text = text if in_full is None else in_full[1]
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        days, *fields = (float(field or 0) for field in clock.groups())
        seconds = days * DAY_S + fields[0] * HOUR_S + fields[1] * MINUTE_S + fields[2]
        return _in_range(seconds, given, argument, remedy, most)
    text = _LONG_WEEKEND.sub("3 days", text)
    if len(text) > 1 and text.removeprefix("the ") in _DURATION_UNITS:
        text = f"1 {text.removeprefix('the ')}"
    end, seconds = 0, 0.0
    units: list[str] = []
    while part := _PART.match(text, end):
        if part[2] not in _DURATION_UNITS:
            raise InvalidValueError(argument, given, _no_unit(text, remedy))
        seconds += numeral_value(part[1]) * _DURATION_UNITS[part[2]]
        units.append(part[2])
        end = part.end()
    if end != len(text) or not text:
        raise InvalidValueError(argument, given, _no_unit(text, remedy))
    if units == ["m"]:
        raise InvalidValueError(argument, given, f"may be minutes or months; write min or months: it {remedy}")
    return _in_range(seconds, given, argument, remedy, most)


def _no_unit(text: str, remedy: str) -> str:
    """Return what is wrong with a duration that cannot be read."""
    if _DATE.search(text):
        return f"is a date, and nobody here knows today's; say how long it is until then: it {remedy}"
    if RANGE.fullmatch(text):
        return f"is a range; give one end of it: it {remedy}"
    if re.search(r"\b(?:business|working|work)\b", text):
        return f"is working time, and machines train at night too; say it in whole days: it {remedy}"
    return f"has a unit that is not known; it {remedy}" if re.search(r"\d\s*[a-z]", text) else remedy


def parse_gpu_hours(given: object, argument: str, *, most: float = 1e13) -> float:
    """Return GPU-hours from `5000 GPU-hours`, `1.3M H100 hours`, `200 GPU-days` or a plain number of them.

    Raises InvalidValueError for anything else.
    """
    remedy = 'must be GPU-hours above zero, such as "5000 GPU-hours", "1.3M GPU hours" or "200 GPU-days"'
    match = _GPU_TIME.fullmatch(_text(given, argument, remedy)) if isinstance(given, str) else None
    number, words = _split(given if match is None else match["number"], argument, remedy, bare_decimals=True)
    factor, noun = multiples_in(words)
    if noun:
        raise InvalidValueError(argument, given, remedy)
    hours = 1.0 if match is None else _DURATION_UNITS[match["unit"]] / HOUR_S
    return _in_range(number * factor * hours, given, argument, remedy, most)


def is_gpu_time(given: object) -> bool:
    """Return whether `given` is written as GPU time: `5000 GPU-hours`, `1.3M H100-hours`, `200 A100 days`."""
    return isinstance(given, str) and len(given) <= _LONGEST and bool(_GPU_TIME.fullmatch(spoken(given)))


def parse_usd(given: object, argument: str, *, most: float = 1e13) -> float:
    """Return US dollars from `$250k`, `1.2M USD`, `250000`, `5万美元` or `2.5 million dollars`.

    Raises InvalidValueError for anything else, other currencies among them.
    """
    remedy = 'must be an amount of US dollars above zero, such as "$250k", "1.2M USD" or 250000'
    amount = given
    if isinstance(given, str):
        amount = _without_dollars(_text(given, argument, remedy))
        if _OTHER_CURRENCY.search(amount):
            raise InvalidValueError(
                argument, given, f"is in another currency, and no rate is kept here; convert it first: it {remedy}"
            )
    number, words = _split(amount, argument, remedy, bare_decimals=True, given_as=given)
    factor, noun = multiples_in(tuple(_OF_MONEY.get(word, word) for word in words))
    if noun:
        slip = f"{_unknown_suffix(noun)}; it " if noun.startswith("mil") else ""
        raise InvalidValueError(argument, given, slip + remedy)
    return _in_range(number * factor, given, argument, remedy, most)


def _without_dollars(text: str) -> str:
    """Return `text` without what says that it is in US dollars, before or behind the number."""
    return " ".join(_DOLLARS.sub(" ", text).split())


def parse_bytes(given: object, argument: str, *, most: float = 1e21) -> float:
    """Return bytes from `100 MB`, `80GB`, `1.5 TiB`; a plain number is bytes.

    Raises InvalidValueError for anything else.
    """
    remedy = 'must be a size above zero with its unit, such as "100 MB" or "80 GiB"'
    number, words = _split(given, argument, remedy)
    unit = "".join(words[:1])
    if words[1:] or (unit and unit not in _BYTE_UNITS):
        raise InvalidValueError(argument, given, remedy)
    return _in_range(number * _BYTE_UNITS.get(unit, 1.0), given, argument, remedy, most)


def format_count(count: float) -> str:
    """Return a count as people write it, three significant digits: `15T`, `8.03B`, `512`."""
    return _scaled(count, ((TERA, "T"), (GIGA, "B"), (MEGA, "M"), (KILO, "k")))


def format_counted(count: float, things: str) -> str:
    """Return a count and what is counted, in the singular of one: `15T tokens`, `1 token`."""
    said = format_count(count)
    return f"{said} {things.removesuffix('s') if said == '1' else things}"


def format_duration(seconds: float) -> str:
    """Return a duration in the unit people would use: `33.9 days`, `5.2 hours`, `3 minutes`, `0.25 seconds`."""
    for size, unit, least in (
        (YEAR_S, "years", 2.0),
        (DAY_S, "days", 2.0),
        (HOUR_S, "hours", 1.0),
        (MINUTE_S, "minutes", 1.0),
    ):
        if seconds / size >= least * _ROUNDS_UP:
            return _plural(seconds / size, unit)
    return _plural(seconds, "seconds")


def format_rate(value: float) -> str:
    """Return `value` with three significant digits and thousands apart, and never with an exponent: `1,330,000`."""
    return f"{float(f'{value:.3g}'):,.15g}"


def format_usd(usd: float) -> str:
    """Return an amount of money, three significant digits: `$1.23M`, `$250k`, `$3.40`."""
    if abs(usd) < KILO:
        return f"${usd:.2f}"
    return "$" + _scaled(usd, ((GIGA, "B"), (MEGA, "M"), (KILO, "k")))


def format_bytes(size_bytes: float) -> str:
    """Return a size in SI units, three significant digits: `85 GB`."""
    return _scaled(size_bytes, ((PETA, " PB"), (TERA, " TB"), (GIGA, " GB"), (MEGA, " MB"), (KILO, " kB"), (1.0, " B")))


def _split(
    given: object, argument: str, remedy: str, *, bare_decimals: bool = False, given_as: object = None
) -> tuple[float, tuple[str, ...]]:
    """Return number and words of a quantity, in lower case.

    A decimal comma counts nothing where no multiple follows it, unless `bare_decimals` may: `12,34` is a slip of
    `12,340`. Errors show what was given as `given_as`.
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        try:
            return float(given), ()
        except OverflowError:
            raise InvalidValueError(argument, given, remedy) from None
    shown_as = given if given_as is None else given_as
    matched = _QUANTITY.fullmatch(_plain(_text(given, argument, remedy)))
    if matched is None:
        raise InvalidValueError(argument, shown_as, _no_number(given, remedy))
    number, words = numeral_value(matched[1]), _words(matched)
    if not words and "," in matched[1] and "." not in matched[1] and number % 1.0 and not bare_decimals:
        raise InvalidValueError(argument, shown_as, f"has a comma that separates no thousands; it {remedy}")
    return number, words


def _no_number(given: object, remedy: str) -> str:
    """Return what is wrong with a text that is no number: what would do is one end of a range, or a plain number."""
    ends = RANGE.fullmatch(_plain(str(given)))
    return remedy if ends is None else f"is a range; give one number, such as the middle of it: it {remedy}"


def _plain(text: str) -> str:
    """Return a quantity as it is spoken, powers of ten as exponents."""
    return _POWER.sub(_raised, _POWER_OF_TEN.sub(r"e\1", spoken(text)))


def _raised(power: re.Match[str]) -> str:
    return f"{float(power[1]) ** int(power[2]):.15g}"


def _words(quantity: re.Match[str]) -> tuple[str, ...]:
    return tuple((quantity[2] or "").replace("-", " ").split())


def _text(given: object, argument: str, remedy: str) -> str:
    if not isinstance(given, str) or len(given) > _LONGEST:
        raise InvalidValueError(argument, given, remedy)
    return spoken(given)


def _in_range(value: float, given: object, argument: str, remedy: str, most: float) -> float:
    if not math.isfinite(value) or value <= 0:
        raise InvalidValueError(argument, given, remedy)
    if value > most:
        raise InvalidValueError(argument, given, f"must be at most {most:.3g}; is the suffix right?")
    if value < LEAST:
        raise InvalidValueError(argument, given, f"must be at least {LEAST:g}: nothing that is counted here is smaller")
    return value


def _scaled(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    for factor, suffix in steps:
        if abs(value) / factor >= _ROUNDS_UP:
            return _significant(value / factor) + suffix
    return _significant(value)


def _plural(value: float, unit: str) -> str:
    text = _significant(value)
    return f"{text} {unit.removesuffix('s') if text == '1' else unit}"


def _significant(value: float) -> str:
    """Return `value` with three significant digits, without exponent below a million and trailing zeros."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= KILO else f"{rounded:g}"
