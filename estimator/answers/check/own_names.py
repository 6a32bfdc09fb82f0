"""Everybody's names for a speed, by how they are built: `tokens/s/GPU`, `52.3 ktok/s`, `avg_step_time_ms`, `took 2 s`.

A rate is what is counted per a unit of time, and of one device where that is said; a duration is a unit of time per
step. The name stands before its number or, as a unit, behind it.
"""

import re
from collections.abc import Iterator, Mapping

from estimator.answers.check.log_values import NUMBER, number_or_none

__all__ = ["named_speeds"]

_TOKENS = r"tokens?|toks?|(?<=[KkM])t"
_SAMPLES = r"samples?|examples?|sequences?|seqs?|images?|imgs?|clips?"
_STEPS = r"iterations?|iters?|its?|steps?|batch(?:es)?|updates?|步"
_STEP = r"steps?|iterations?|iters?|it|batch|update|步"
_DEVICE = r"gpus?|devices?|dev|chips?|cores?|ranks?|workers?|accelerators?|cards?|[nthx]pus?|gcds?|dcus?"
_PER = r"[ _-]?(?:/|(?<![a-z])per(?![a-z]))[ _-]?"
_TIME = r"s|secs?|seconds?|mins?|minutes?|h|hrs?|hours?|d|days?|秒"
_TIMES_S: Mapping[str, float] = {"s": 1.0, "秒": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_UNIT = r"ms|msecs?|milliseconds?|us|µs|s|secs?|seconds?|秒"
_SCALES: Mapping[str, float] = {"": 1.0, "k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9}
_SCALE = r"(?P<scale>thousand|million|billion|[kKMB])?[ _]?"
_SEPARATOR = r"['\"]?\s{0,9}(?:[:=]|\s)\s{0,9}['\"]?~?"
_RATE = (
    rf"{_SCALE}(?:(?P<tokens>{_TOKENS})|(?P<samples>{_SAMPLES})|(?P<steps>{_STEPS}))"
    rf"(?:{_PER}(?P<each>{_DEVICE}))?{_PER}(?P<time>{_TIME})(?:{_PER}(?P<scope>[a-z]{{1,12}}))?"
)
_SHORT = rf"(?P<short>tps|tgs)(?:(?:{_PER}|_)(?P<scope>[a-z]{{1,12}}))?"
_DURATION = (
    rf"(?:(?:{_STEP})[ _-]?(?:time|duration)|time{_PER}(?:{_STEP})|(?P<unit>{_UNIT}){_PER}(?:{_STEP})|dt)"
    rf"(?:[ _]?\(?(?:in[ _])?(?P<given>{_UNIT})\)?)?"
)
_BEFORE = r"(?<![A-Za-z0-9])"
_AFTER = r"(?![A-Za-z0-9])"
_FIGURE = rf"(?<![\d.,]){NUMBER}"
_RATES, _DURATIONS = (
    tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
    for patterns in (
        (
            rf"{_BEFORE}{_RATE}(?:\s?\((?P<brackets>[kKMB])\))?{_SEPARATOR}{NUMBER}",
            rf"{_BEFORE}{_SHORT}{_SEPARATOR}{NUMBER}",
            rf"{_FIGURE}\s?{_RATE}{_AFTER}",
        ),
        (
            rf"{_BEFORE}{_DURATION}{_SEPARATOR}{NUMBER}\s?(?P<own>{_UNIT})?{_AFTER}",
            rf"{_FIGURE}\s?(?P<unit>{_UNIT}){_PER}(?:{_STEP}){_AFTER}",
            rf"\b(?:{_STEP})\W{{0,3}}\d{{1,9}}\s{{1,3}}took\s{{1,3}}{NUMBER}\s?(?P<unit>{_UNIT}){_AFTER}",
        ),
    )
)
"""Names before their numbers first: what is found so is not looked for behind them."""
_RATED = re.compile(rf"(?:/|per)[ _-]?(?:{_TIME})(?![a-z])|t[pg]s", re.IGNORECASE)
_TIMED = re.compile(rf"(?:/|per)[ _-]?(?:{_STEP})(?![a-z])|time|duration|\bdt\b|\btook\b", re.IGNORECASE)
"""Without which a line names no rate, or no duration."""
_LEAD = re.compile(r"[A-Za-z_./-]{0,40}$")
_ONE_DEVICE = re.compile(rf"(?:{_DEVICE})[_/. -]", re.IGNORECASE)
_OF_A_PART = re.compile(
    r"eval|valid|test|infer|generat|rollout|prompt|prefill|decod|sampler|vllm|actor|critic|reward|data|load|read|"
    r"forward|backward|fwd|bwd|optim|save|ckpt|checkpoint|comm|idle|wait|max|min|peak|remain|time_per",
    re.IGNORECASE,
)
"""Before a name: of something else than a whole step of training."""


def named_speeds(line: str) -> dict[str, float]:
    """Return what a line tells of speed by names that mean one thing: fields of a point, in SI units.

    Rates and durations of parts of a step, of evaluation or of a sampler are passed over; what is named first counts.
    """
    found: dict[str, float] = {}
    for hint, patterns in ((_RATED, _RATES), (_TIMED, _DURATIONS)):
        if hint.search(line):
            speeds = (speeds for pattern in patterns if (speeds := tuple(_speeds(pattern, line))))
            for field, value in next(speeds, ()):
                found.setdefault(field, value)
    return found


def _speeds(pattern: re.Pattern[str], line: str) -> Iterator[tuple[str, float]]:
    for match in pattern.finditer(line):
        # Before a name stand its qualifiers; before a number that has a unit, another field's.
        lead = "" if pattern.pattern.startswith(_FIGURE) else _lead(line, match.start())
        if _OF_A_PART.search(lead):
            continue
        groups = match.groupdict(default="")
        value = number_or_none(next(text for text in match.groups(default="") if text[:1].isdigit()))
        if value:
            speed = _rate(groups, lead, value) if "time" in groups or "short" in groups else _step(groups, value)
            if speed is not None:
                yield speed


def _rate(groups: Mapping[str, str], lead: str, value: float) -> tuple[str, float] | None:
    scope = groups.get("scope") or groups.get("each", "")
    if scope and not re.fullmatch(_DEVICE, scope, re.IGNORECASE):
        # Per node, per user, per replica: of how many devices is not told.
        return None
    each = bool(scope) or groups.get("short", "").casefold() == "tgs" or _ONE_DEVICE.search(lead) is not None
    scale = _SCALES[groups.get("scale", "").casefold()] * _SCALES[groups.get("brackets", "").casefold()]
    rate = value * scale / _TIMES_S[(groups.get("time") or "s")[0].casefold()]
    if groups.get("steps"):
        return None if each else ("step_s", 1.0 / rate)
    counted = "sequences_per_second" if groups.get("samples") else "tokens_per_second"
    return (f"{counted}_per_gpu" if each else counted), rate


def _step(groups: Mapping[str, str], value: float) -> tuple[str, float]:
    unit = (groups.get("own") or groups.get("given") or groups.get("unit") or "s").casefold()
    return "step_s", value * (1e-3 if unit.startswith("m") else 1e-6 if unit[0] in "uµ" else 1.0)


def _lead(line: str, start: int) -> str:
    match = _LEAD.search(line, max(0, start - 40), start)
    return match[0] if match else ""
