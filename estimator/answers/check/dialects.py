"""How a row of the table of dialects is read: its keys looked up in a line, their values in SI units."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from estimator.answers.check.bars import bar_point
from estimator.answers.check.dialect import Dialect
from estimator.answers.check.dialect_rows import DIALECTS, ELSEWHERE, OWN_LOOP, SETUPS
from estimator.answers.check.log_point import LogPoint, LogSetup
from estimator.answers.check.log_values import NUMBER, duration_s, number_or_none
from estimator.answers.check.own_names import named_speeds

__all__ = ["line_point", "line_setup"]

_LARGEST = 1e18
_SEVERAL = 1.5
_MOST_SHARE = 1.5
"""Of a peak, where no sign tells: what is more is per cent. A percentage may be of a slower device's peak, and beyond
100."""
_PERCENT_SIGNS = ("%", " %")
_SMALLEST = 1e-12
_MILLI, _PERCENT, _TERA, _MINUTE_S = 1e-3, 1e-2, 1e12, 60.0
_SEPARATOR = r"['\"]?\s{0,9}(?:[:=]|\s)\s{0,9}['\"]?\$?"
_UNITS = r"(?:days?|hours?|hrs?|h|minutes?|mins?|min|m|seconds?|secs?|sec|s|ms|d)"
_DURATION = rf"(\d[\d:.,]{{0,20}}(?: ?{_UNITS}\b,? ?[\d:.,]{{0,20}}){{0,5}})"
_SPEEDS = (
    "step_s",
    "micro_s",
    "elapsed_s",
    "left_s",
    "tokens_per_second",
    "tokens_per_second_per_gpu",
    "sequences_per_second",
    "sequences_per_second_per_gpu",
    "flop_per_s_per_gpu",
    "utilization",
    "tokens_seen",
    "time_s",
)
_FIELDS: Mapping[str, tuple[str, float]] = {
    "step": ("step", 1.0),
    "total": ("total_steps", 1.0),
    "epoch": ("epoch", 1.0),
    "epochs": ("epochs", 1.0),
    "micro_step": ("micro_step", 1.0),
    "ms": ("step_s", _MILLI),
    "micro_ms": ("micro_s", _MILLI),
    "elapsed_ms": ("elapsed_s", _MILLI),
    "elapsed_n": ("elapsed_s", 1.0),
    "left_min": ("left_s", _MINUTE_S),
    "tps": ("tokens_per_second", 1.0),
    "gpu_tps": ("tokens_per_second_per_gpu", 1.0),
    "samples": ("sequences_per_second", 1.0),
    "gpu_samples": ("sequences_per_second_per_gpu", 1.0),
    "batch": ("sequences_per_step", 1.0),
    "micro": ("micro_batch", 1.0),
    "step_tokens": ("tokens_per_step", 1.0),
    "length": ("sequence_length", 1.0),
    "consumed": ("consumed_sequences", 1.0),
    "seen": ("tokens_seen", 1.0),
    "passed": ("epochs_passed", 1.0),
    "tflops": ("flop_per_s_per_gpu", _TERA),
    "flops": ("flop_per_s_per_gpu", 1.0),
    "percent": ("utilization", _PERCENT),
    "share": ("utilization", 1.0),
    "interval": ("interval", 1.0),
    "time": ("time_s", 1.0),
}
_INVERSE: Mapping[str, str] = {"it_per_s": "step_s", "micro_it_per_s": "micro_s"}
_DURATIONS: Mapping[str, str] = {
    "s": "step_s",
    "data": "data_s",
    "micro_s": "micro_s",
    "clock": "elapsed_s",
    "left": "left_s",
}
_STAMP = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6}))?")
_NOT_TRAINING = re.compile(
    r"\b(?:eval|evaluation|evaluating|valid|validation|test|inference|generation|generate|decode|prompt|prefill|serving|rollout)\b",
    re.IGNORECASE,
)
_OF_TRAINING = re.compile(r"(?i)\bloss|train|\b(?:global_)?(?:step|iter(?:ation)?)\b\W{0,3}\d|\bstep\b.{0,3}:")
"""Without which everybody's names may be anything's: a sentence of an article, a download."""
_OF_SO_MANY = {"step": "total", "epoch": "epochs"}
"""Counters, and the field for the number that stands behind them."""
_COMPLEMENTS = ("step", "total_steps", "elapsed_s", "left_s", "epoch", "epochs", "first_epoch", "of_epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """A row of the table, compiled."""

    row: Dialect
    patterns: tuple[tuple[str, str, re.Pattern[str]], ...]
    """Field, text that is in the line where the pattern can be, pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Rows of the table, and what stands in a line that is of any of them."""

    readers: tuple[_Reader, ...]
    keys: tuple[str, ...]


def _table(readers: tuple[_Reader, ...]) -> _Table:
    return _Table(readers=readers, keys=tuple({key: None for reader in readers for key in reader.row.keys}))


def _pattern(field: str, key: str) -> str:
    """Return the pattern of a value: `~` before a pattern of its own, else the key as it is printed."""
    value = _DURATION if field in _DURATIONS else NUMBER
    if key.startswith("~"):
        # Tried at the first digit of a number alone, or a line of figures takes as long as it has digits.
        started = key[1:].replace("{N}", rf"(?<![\d.,]){NUMBER}", 1) if key.startswith("~{N}") else key[1:]
        return started.replace("{N}", NUMBER).replace("{D}", _DURATION)
    spelled = re.escape(key).replace(r"\ ", r"\s{1,9}")
    if field == "step":
        # `Step: [100/1000]`, and not the `s/step: 0.45` before it.
        return rf"(?<!\w)(?<!s/)(?<!e/){spelled}{_SEPARATOR}\[?{value}(?:\s{{0,9}}/\s{{0,9}}{NUMBER})?"
    return rf"(?<!\w){spelled}{_SEPARATOR}{value}"


def _patterns(row: Dialect) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    return tuple(
        (field, "" if key.startswith("~") else key.split()[0], re.compile(_pattern(field, key)))
        for field, spelled in row.fields.items()
        for key in spelled
    )


_READERS, _STAMPED = (
    _table(tuple(_Reader(row=row, patterns=_patterns(row)) for row in DIALECTS if row.stamped is stamped))
    for stamped in (False, True)
)
"""Of those that tell no more than a step and the time of day: what anything else says goes before."""
_OWN_LOOP = _Reader(row=OWN_LOOP, patterns=_patterns(OWN_LOOP))
_SETUP_PATTERNS = tuple((key, field, re.compile(pattern.replace("{N}", NUMBER))) for key, field, pattern in SETUPS)
_ELSEWHERE = re.compile("|".join(ELSEWHERE))


def line_point(line: str) -> LogPoint | None:
    """Return what `line` says about speed; None where it says nothing, or speaks of something else than training."""
    bar = bar_point(line)
    if _ELSEWHERE.search(line):
        return bar
    named = not _NOT_TRAINING.search(line) and (bar is not None or _OF_TRAINING.search(line) is not None)
    point = _first_read(_READERS, line, named=named)
    if point is not None:
        # What only closes a run says less of a step than the bar that it is printed on.
        return _on_bar(bar, point) if bar is not None and point.rank > bar.rank else _complemented(point, bar)
    if named:
        point = _read(_OWN_LOOP, line, named_speeds(line))
    if point is not None:
        return point if bar is None else _on_bar(bar, point)
    point = _first_read(_STAMPED, line, named=named)
    return bar if point is None else _complemented(point, bar)


def _first_read(table: _Table, line: str, *, named: bool) -> LogPoint | None:
    """Return what the first row that a line is of makes of it; everybody's names need one `named` training."""
    # Most lines are of none, and a loop is several times as quick as asking each row.
    present = {key for key in table.keys if key in line}
    if not present:
        return None
    for reader in table.readers:
        if not present.isdisjoint(reader.row.keys) and (named or not reader.row.guessed):
            point = _read(reader, line)
            if point is not None:
                return point
    return None


def _read(reader: _Reader, line: str, speeds: Mapping[str, float] | None = None) -> LogPoint | None:
    """Return what a row of the table makes of a line; None where the line is none of its kind."""
    said = _said(reader, line)
    if not all(any(name in said for name in need.split("|")) for need in reader.row.needs):
        return None
    return _point(reader, said, line, speeds or {})


def _said(reader: _Reader, line: str) -> dict[str, str]:
    """Return the texts of a row's fields in a line; a share that is printed with a percent sign is a percentage."""
    said: dict[str, str] = {}
    for field, hint, pattern in reader.patterns:
        if field not in said and hint in line and (match := pattern.search(line)):
            signed = field == "share" and line.startswith(_PERCENT_SIGNS, match.end(1))
            said["percent" if signed else field] = match[1]
            if field in _OF_SO_MANY and pattern.groups > 1 and match[2]:
                said.setdefault(_OF_SO_MANY[field], match[2])
    return said


def line_setup(line: str) -> LogSetup | None:
    """Return what `line` says about batch and length of the run; None where it says nothing."""
    said: dict[str, float] = {}
    for key, field, pattern in _SETUP_PATTERNS:
        if field not in said and key in line and (match := pattern.search(line)):
            value = number_or_none(match[1])
            if value is not None and 1.0 <= value < _LARGEST:
                said[field] = value
    return LogSetup(**said) if said else None


def _point(reader: _Reader, said: Mapping[str, str], line: str, speeds: Mapping[str, float]) -> LogPoint | None:
    """Return the point that a line's fields amount to, in SI units; None where no speed follows from it.

    `speeds` are those that were read otherwise.
    """
    values: dict[str, float] = dict(speeds)
    for name, text in said.items():
        if name in _DURATIONS:
            field, value = _DURATIONS[name], _seconds(text)
        elif name in _INVERSE:
            rate = number_or_none(text)
            field, value = _INVERSE[name], 1.0 / rate if rate else None
        else:
            field, factor = _FIELDS[name]
            read = number_or_none(text)
            value = None if read is None else read * factor
        if value is not None and field not in values:
            values[field] = value
    if "percent" not in said and values.get("utilization", 0.0) > _MOST_SHARE:
        values["utilization"] *= _PERCENT
    if "step" not in values:
        values.pop("time_s", None)
    if "interval" in values:
        _counted_whole(values, values.pop("interval"), line)
    steps = {"step", "total_steps", "micro_step", "consumed_sequences", "tokens_seen", "elapsed_s", "left_s", "epoch"}
    kept: dict[str, Any] = {
        name: value
        for name, value in values.items()
        if _SMALLEST < value < _LARGEST or (value == 0.0 and name in steps)
    }
    stamp_s = _stamp_s(line)
    if not any(kept.get(name) for name in _SPEEDS) and not (reader.row.stamped and stamp_s):
        return None
    return LogPoint(
        dialect=reader.row.name,
        rank=reader.row.rank,
        counts_micro=reader.row.counts_micro,
        of_epoch="epoch" in kept,
        first_epoch=reader.row.first_epoch,
        line=line,
        stamp_s=stamp_s,
        **kept,
    )


def _counted_whole(values: dict[str, float], interval_s: float, line: str) -> None:
    """Mend the samples per second of PaddleNLP before 2.5: those of one step over the time of all of an interval.

    Source: `speed_metrics("interval", …, num_samples=total_train_batch_size)` in its trainer_base.py. Since then lines
    tell of memory, and count every step's samples.
    """
    steps = interval_s / values["step_s"] if values.get("step_s") else 1.0
    if "memory" not in line and steps > _SEVERAL and "sequences_per_second" in values:
        values["sequences_per_second"] *= round(steps)


def _complemented(point: LogPoint, bar: LogPoint | None) -> LogPoint:
    """Return a point with the steps and clock of the bar that it is printed on.

    Not where the bar counts an epoch's steps and the point the run's: what is left of one is not left of the other.
    """
    if bar is None:
        return point
    if bar.epoch is not None and point.step not in {None, bar.step}:
        return replace(point, elapsed_s=bar.elapsed_s if point.elapsed_s is None else point.elapsed_s)
    missing = {name: getattr(bar, name) for name in _COMPLEMENTS if not getattr(point, name)}
    return replace(point, **missing)


def _on_bar(bar: LogPoint, point: LogPoint) -> LogPoint:
    """Return a bar with the rates, and the tokens counted, that are printed beside it."""
    rates = ("tokens_per_second", "tokens_per_second_per_gpu", "sequences_per_second", "tokens_seen", "epochs_passed")
    return replace(bar, **{name: value for name in rates if (value := getattr(point, name)) is not None})


def _seconds(text: str) -> float | None:
    try:
        return duration_s(text)
    except (ValueError, OverflowError):
        return None


def _stamp_s(line: str) -> float | None:
    match = _STAMP.search(line[:200])
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp() + float(f"0.{match[7] or 0}")
