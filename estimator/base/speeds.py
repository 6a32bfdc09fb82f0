"""Quantities for so much of another, as people write them: `60k tok/s/GPU`, `1.2 it/s`, `$2.50/GPU-hr`."""

import math
import re
from collections.abc import Mapping

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import checked_number
from estimator.base.numerals import NUMERAL
from estimator.base.spoken import spoken
from estimator.base.units import DAY_S, HOUR_S, MINUTE_S, YEAR_S, parse_count, parse_duration_s, parse_usd

__all__ = ["parse_step_s", "parse_tokens_per_second", "parse_usd_per_hour"]

_LONGEST = 64
_UNIT_S: Mapping[str, float] = {
    **dict.fromkeys(("ms",), 1e-3),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), MINUTE_S),
    **dict.fromkeys(("h", "hr", "hour", "hours"), HOUR_S),
    **dict.fromkeys(("d", "day", "days"), DAY_S),
    **dict.fromkeys(("week", "weeks"), 7 * DAY_S),
    **dict.fromkeys(("mo", "month", "months"), YEAR_S / 12),
    **dict.fromkeys(("y", "yr", "year", "years"), YEAR_S),
}
_TIME = "|".join(sorted(_UNIT_S, key=len, reverse=True))
_PER = r"(?:/|per\b|an?\b|1 (?=[a-z])|each\b)\s*"
_DEVICE = r"(?:gpu|device|card|chip|accelerator|rank|tpu|core)"
_MULTIPLE = r"(?:[kmb]|thousand|million|billion)"
_TOKENS = r"(?:tokens?|toks?|t)"
_SPEED = re.compile(
    rf"(?:{_PER}(?P<before>{_TIME})\s+)?(?P<count>{NUMERAL}\s*{_MULTIPLE}?)\s*"
    rf"(?:{_TOKENS}\s*(?:/\s*{_DEVICE}\s*(?P<first>))?{_PER}(?P<unit>{_TIME})|(?P<tps>tps|tgs)|{_TOKENS})?"
    rf"(?P<each>\s*(?:{_PER}|\()?\s*{_DEVICE}\)?)?"
    r"(?:\s*,?\s*\(?(?:in total|total|all gpus|overall|aggregate|together|for all gpus)\)?)?"
)
_OTHER_SPEEDS: tuple[tuple[str, str], ...] = (
    (
        r"[kmgtp]?flop/?s?\b|flops",
        "counts FLOPs; check_training_speed takes those of one GPU as observed_tflops_per_gpu",
    ),
    (r"%|\bmfu\b|\bhfu\b", "is a utilization; check_training_speed takes it as observed_mfu, as a fraction"),
    (
        r"\b(?:samples?|sequences?|seqs?|examples?|images?|imgs?|rows?|clips?)\b",
        "counts samples; give them times the tokens of each, or observed_step_seconds with the batch",
    ),
    (
        r"\b(?:its?|iters?|iterations?|steps?|batches|batch)\b",
        "counts steps; check_training_speed takes it as observed_step_seconds with global_batch_sequences",
    ),
)
_STEP = r"(?:it|its|iter|iters|iterations?|steps?|updates?|batch(?:es)?|optimi[sz]er steps?)"
_STEPS_IN_TIME = re.compile(rf"(?P<count>{NUMERAL}\s*k?)\s*{_STEP}\s*{_PER}(?P<unit>{_TIME})")
_TIME_OF_STEPS = re.compile(rf"(?P<time>.*\S)\s*{_PER}{_STEP}")
_PRICE = re.compile(
    rf"(?P<usd>.*?\S)\s*(?:{_PER}|\s)(?:(?P<node>node|server|machine|instance)|{_DEVICE})?s?[\s·*/-]*"
    rf"(?:per\s+|an?\s+|1\s+)?(?P<unit>{_TIME})(?:\s*{_PER}(?:(?P<node_behind>node|server|machine|instance)|{_DEVICE}))?"
)
_CENTS = re.compile(rf"(?:(?P<before>¢)\s*)?(?P<number>{NUMERAL})\s*(?:us\s+)?(?P<behind>¢|cents?|ct)?")
_CENT_USD = 0.01
_FREE = re.compile(
    r"(?:us)?\$?0+(?:[.,]0*)?\$?(?:usd|dollars?)?(?:/.*)?|free|none|nothing|gratis|owned|own|kostenlos|gratuit"
)
_ELECTRICITY = (
    "is no price of what is rented; for GPUs that cost nothing leave it out, or give what their electricity costs "
    '("0.10": 0.7 kW at $0.15 a kWh)'
)


def parse_tokens_per_second(given: object, argument: str, *, n_gpus: int, most: float) -> tuple[float, bool]:
    """Return tokens per second of all devices, and whether those of one were told: `60k tok/s`, `7.5k tokens/s/GPU`.

        of one · devices

    Raises InvalidValueError for what counts anything else, saying where that belongs.
    """
    if not isinstance(given, str) or len(given) > _LONGEST:
        return parse_count(given, argument, most=most), False
    text = spoken(given)
    match = _SPEED.fullmatch(text)
    if match is None:
        _refuse_other_speeds(text, given, argument)
    try:
        count = parse_count(text if match is None else match["count"], argument)
    except InvalidValueError:
        remedy = 'must be tokens per second above zero, of all GPUs together, such as "60k", "60,000 tok/s" or '
        raise InvalidValueError(argument, given, f'{remedy}"7.5k tokens/s/GPU"') from None
    if match is None:
        return _at_most(count, given, argument, most), False
    each = bool(match["each"]) or match["first"] is not None or match["tps"] == "tgs"
    unit = match["unit"] or match["before"] or "s"
    return _at_most(count / _UNIT_S[unit] * (n_gpus if each else 1), given, argument, most), each


def _at_most(speed: float, given: object, argument: str, most: float) -> float:
    if speed > most:
        raise InvalidValueError(argument, given, f"must be at most {most:.3g}; is the suffix right?")
    return speed


def _refuse_other_speeds(text: str, given: str, argument: str) -> None:
    for pattern, remedy in _OTHER_SPEEDS:
        if re.search(pattern, text):
            raise InvalidValueError(argument, given, remedy)


def parse_step_s(given: object, argument: str, *, most: float) -> float:
    """Return seconds of a step: `6.28`, `6.28s/it`, `350 ms`, `1.2 it/s`, `12 steps per minute`.

    Raises InvalidValueError for anything else.
    """
    if not isinstance(given, str) or len(given) > _LONGEST:
        return checked_number(argument, given, most=most)
    text = spoken(given)
    steps = _STEPS_IN_TIME.fullmatch(text)
    if steps is not None:
        count = parse_count(steps["count"], argument)
        return checked_number(argument, _UNIT_S[steps["unit"]] / count, most=most)
    of_steps = _TIME_OF_STEPS.fullmatch(text)
    time = text if of_steps is None else of_steps["time"]
    if re.fullmatch(NUMERAL, time):
        time += " s"
    elif re.fullmatch(rf"{NUMERAL}\s*m", time):
        # Nobody takes months for a step.
        time += "in"
    try:
        return parse_duration_s(time, argument, most=most)
    except InvalidValueError as error:
        remedy = 'must be seconds of an optimizer step, such as "6.28", "6.28s/it", "350 ms" or "1.2 it/s"'
        remedy = error.remedy if "at most" in error.remedy else remedy
        raise InvalidValueError(argument, given, remedy) from None


def parse_usd_per_hour(given: object, argument: str, *, most: float) -> float:
    """Return US dollars for a GPU and an hour: `2.5`, `$2.50/hr`, `2.5 USD per GPU-hour`, `79 cents/h`, `$1,800/month`.

    Raises InvalidValueError for anything else, for nothing, and for the price of a machine with several.
    """
    if not isinstance(given, str):
        if given == 0 and not isinstance(given, bool):
            raise InvalidValueError(argument, 0, _ELECTRICITY)
        return parse_usd(given, argument, most=most)
    text = spoken(given[: _LONGEST + 1])
    if _FREE.fullmatch(text.replace(" ", "")):
        raise InvalidValueError(argument, given, _ELECTRICITY)
    match = _PRICE.fullmatch(text)
    if match is not None and (match["node"] or match["node_behind"]):
        raise InvalidValueError(argument, given, "is the price of a machine; divide it by the GPUs in it")
    amount, hours = (text, 1.0) if match is None else (match["usd"], _UNIT_S[match["unit"]] / HOUR_S)
    if match is None:
        amount = re.sub(rf"\s*{_PER}{_DEVICE}$", "", amount)
    cents = _CENTS.fullmatch(amount)
    in_cents = cents is not None and bool(cents["before"] or cents["behind"])
    try:
        usd = parse_usd(cents["number"] if cents is not None else amount, argument)
    except InvalidValueError as error:
        raise InvalidValueError(argument, given, error.remedy) from None
    price = usd * (_CENT_USD if in_cents else 1.0) / hours
    if not math.isfinite(price) or price > most:
        raise InvalidValueError(argument, given, f"must be at most {most:.3g} USD for a GPU and an hour")
    return price
