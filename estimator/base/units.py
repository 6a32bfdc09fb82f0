"""The only conversions: SI factors, quantities as people write them, and numbers as people read them."""

import math
import re
from collections.abc import Mapping

from estimator.base.east_asian import latin
from estimator.base.errors import InvalidValueError

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
    "SAMPLE_NOUNS",
    "STEP_NOUNS",
    "TERA",
    "YEAR_S",
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

_COUNT_SUFFIXES: Mapping[str, float] = {
    "": 1.0,
    **dict.fromkeys(("k", "thousand"), KILO),
    # No count has a milli: a small m means million as often as a capital one.
    **dict.fromkeys(("m", "mn", "mio", "million", "millions"), MEGA),
    **dict.fromkeys(("b", "bn", "g", "billion", "billions"), GIGA),
    **dict.fromkeys(("t", "tn", "trillion", "trillions"), TERA),
    **dict.fromkeys(("q", "quadrillion"), PETA),
}
SAMPLE_NOUNS = frozenset(
    {"chats", "clips", "conversations", "dialogs", "dialogues", "documents", "example", "examples", "images"}
    | {"instructions", "pairs", "pictures", "prompts", "questions", "records", "row", "rows", "sample", "samples"}
    | {"sequences", "utterances", "videos"}
)
"""What people call the samples that they count."""
STEP_NOUNS = frozenset({"iteration", "iterations", "iters", "step", "steps", "updates"})
_COUNT_NOUNS = SAMPLE_NOUNS | STEP_NOUNS | {"parameter", "parameters", "param", "params", "token", "tokens", "toks"}
_DURATION_UNITS: Mapping[str, float] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE_S),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), HOUR_S),
    **dict.fromkeys(("d", "day", "days"), DAY_S),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 7 * DAY_S),
    **dict.fromkeys(("mo", "month", "months"), YEAR_S / 12),
    **dict.fromkeys(("q", "quarter", "quarters"), YEAR_S / 4),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), YEAR_S),
}
_BYTE_UNITS: Mapping[str, float] = {
    **dict.fromkeys(("b", "byte", "bytes"), 1.0),
    **{prefix + "b": 1000.0 ** (power + 1) for power, prefix in enumerate("kmgtp")},
    **{prefix + "ib": 1024.0 ** (power + 1) for power, prefix in enumerate("kmgtp")},
}

_NUMBER = r"[+-]?(?:\d{1,3}(?:[,_ ]\d{3})+|\d+)?(?:\.\d*)?(?:e[+-]?\d+)?"
_QUANTITY = re.compile(rf"({_NUMBER})\s*([a-zµ]*)(?:\s+([a-z]+))?")
_GPU_TIME = re.compile(
    r"(?P<number>[\d.,_ ]+(?:e\d+)?\s*[a-z]*?)[\s-]*(?:of\s+)?"
    r"(?:gpu|accelerator|device|card|chip|tpu"
    r"|(?:nvidia |amd )?(?:[abhlvt]\d{2,3}|gb\d{3}|mi\d{3}|rtx ?\d{4}|(?<=[\s-])[2-9]0\d0)[a-z]*)s?(?:[\s-]*gpus?)?"
    r"[\s·*-]*(?P<unit>h|hrs?|hours?|d|days?|weeks?|months?|years?)"
)
"""`5000 GPU-hours`, `1.3M H100 hours`: a count, a device, a unit of time."""
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]+)\s*(?:,|and)?\s*")
_POWER_OF_TEN = re.compile(r"\s*[x×*·]\s*10\s*(?:\^|\*\*)\s*([+-]?\d+)")
_OTHER_CURRENCY = re.compile(
    r"[€£¥₹₩₽]|(?<![a-z])(?:aud|cad|chf|cny|eur|euros?|gbp|hkd|inr|jpy|krw|pounds?|rmb|rub|rupees?|won|yen|yuan)(?![a-z])"
)
_DECIMAL_COMMA = re.compile(r"\d,(?!\d{3}(?:\D|$))")


def parse_count(given: object, argument: str, *, most: float = 1e18) -> float:
    """Return a count as people write it: `15T`, `1.4e12`, `2,000,000`, `1.5 trillion`, `300B tokens`, 7e9.

    Raises InvalidValueError for anything but a finite number above zero and at most `most`.
    """
    remedy = 'must be a number above zero, such as "15T", "300B", "1.4e12" or 2000000'
    number, unit, noun = _split(given, argument, remedy)
    if unit in _COUNT_NOUNS and not noun:
        unit, noun = "", unit
    if unit not in _COUNT_SUFFIXES or (noun and noun not in _COUNT_NOUNS):
        raise InvalidValueError(argument, given, f"has a suffix that is none of K, M, B, T; it {remedy}")
    return _in_range(number * _COUNT_SUFFIXES[unit], given, argument, remedy, most)


def parse_duration_s(given: object, argument: str, *, most: float = 1000 * YEAR_S) -> float:
    """Return seconds from `30 days`, `2 weeks`, `36h`, `90 min`, `1 day 12 hours`; a unit is required.

    Raises InvalidValueError for anything else, and beyond a thousand years.
    """
    remedy = 'must be a duration above zero with its unit, such as "30 days", "12h" or "90 min"'
    text = _text(given, argument, remedy)
    end, seconds = 0, 0.0
    while part := _PART.match(text, end):
        if part[2] not in _DURATION_UNITS:
            raise InvalidValueError(argument, given, f"has a unit that is not known; it {remedy}")
        seconds += float(part[1]) * _DURATION_UNITS[part[2]]
        end = part.end()
    if end != len(text) or not text:
        raise InvalidValueError(argument, given, remedy)
    return _in_range(seconds, given, argument, remedy, most)


def parse_gpu_hours(given: object, argument: str, *, most: float = 1e13) -> float:
    """Return GPU-hours from `5000 GPU-hours`, `1.3M H100 hours`, `200 GPU-days` or a plain number of them.

    Raises InvalidValueError for anything else.
    """
    remedy = 'must be GPU-hours above zero, such as "5000 GPU-hours", "1.3M GPU hours" or "200 GPU-days"'
    if not isinstance(given, str):
        number, _, _ = _split(given, argument, remedy)
        return _in_range(number, given, argument, remedy, most)
    match = _GPU_TIME.fullmatch(_text(given, argument, remedy))
    number, unit, noun = _split(given if match is None else match["number"], argument, remedy)
    if unit not in _COUNT_SUFFIXES or noun:
        raise InvalidValueError(argument, given, remedy)
    hours = 1.0 if match is None else _DURATION_UNITS[match["unit"]] / HOUR_S
    return _in_range(number * _COUNT_SUFFIXES[unit] * hours, given, argument, remedy, most)


def is_gpu_time(given: object) -> bool:
    """Return whether `given` is written as GPU time: `5000 GPU-hours`, `1.3M H100-hours`, `200 A100 days`."""
    return isinstance(given, str) and len(given) <= _LONGEST and bool(_GPU_TIME.fullmatch(given.strip().casefold()))


def parse_usd(given: object, argument: str, *, most: float = 1e13) -> float:
    """Return US dollars from `$250k`, `1.2M USD`, `250000`, `5万美元` or `2.5 million dollars`.

    Raises InvalidValueError for anything else, other currencies among them.
    """
    remedy = 'must be an amount of US dollars above zero, such as "$250k", "1.2M USD" or 250000'
    if isinstance(given, str):
        text = latin(given[: _LONGEST + 1]).casefold().replace("us$", "$").strip()
        if _OTHER_CURRENCY.search(text):
            raise InvalidValueError(
                argument, given, f"is in another currency, and no rate is kept here; convert it first: it {remedy}"
            )
        for word in ("$", "usd", "us dollars", "dollars", "dollar"):
            text = text.removeprefix(word).removesuffix(word).strip()
        number, unit, noun = _split(text, argument, remedy)
    else:
        number, unit, noun = _split(given, argument, remedy)
    if unit not in _COUNT_SUFFIXES or noun:
        raise InvalidValueError(argument, given, remedy)
    return _in_range(number * _COUNT_SUFFIXES[unit], given, argument, remedy, most)


def parse_bytes(given: object, argument: str, *, most: float = 1e21) -> float:
    """Return bytes from `100 MB`, `80GB`, `1.5 TiB`; a plain number is bytes.

    Raises InvalidValueError for anything else.
    """
    remedy = 'must be a size above zero with its unit, such as "100 MB" or "80 GiB"'
    number, unit, noun = _split(given, argument, remedy)
    if noun or (unit and unit not in _BYTE_UNITS):
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


def _split(given: object, argument: str, remedy: str) -> tuple[float, str, str]:
    """Return number, unit and noun of a quantity, the last two possibly empty and in lower case."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        try:
            return float(given), "", ""
        except OverflowError:
            raise InvalidValueError(argument, given, remedy) from None
    text = _text(given, argument, remedy)
    if _DECIMAL_COMMA.search(text):
        raise InvalidValueError(argument, given, f"has a comma that separates no thousands; it {remedy}")
    matched = _QUANTITY.fullmatch(_POWER_OF_TEN.sub(r"e\1", text))
    if matched is None:
        raise InvalidValueError(argument, given, remedy)
    try:
        number = float(re.sub("[,_ ]", "", matched[1]))
    except ValueError:
        raise InvalidValueError(argument, given, remedy) from None
    return number, matched[2], matched[3] or ""


def _text(given: object, argument: str, remedy: str) -> str:
    if not isinstance(given, str) or len(given) > _LONGEST:
        raise InvalidValueError(argument, given, remedy)
    return latin(given).strip().casefold()


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
