"""Faults of the files that hold questions as arguments: threads of people, and what was published of memory."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from estimator.catalogue.memory_observations import MEMORY_UNITS, MemoryFile
from estimator.catalogue.threads import ThreadFile, ThreadMeasuredRow, ThreadTool
from estimator.question.request import NOT_ASKED, Request

__all__ = ["memory_faults", "thread_faults"]

_ASKED = frozenset(field.name for field in fields(Request)) - NOT_ASKED
_BESIDE: Mapping[ThreadTool, frozenset[str]] = MappingProxyType(
    {
        "estimate_training_time": frozenset(),
        "check_training_speed": frozenset({"observed_hours", "observed_step_seconds"}),
        "plan_training": frozenset({"solve_for", "deadline", "budget"}),
    }
)
"""Arguments that a tool has beside those of a question."""
_THREAD = re.compile(r"[\w.-]+/[\w.-]+#\d+")
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
_VERDICTS = {"slow", "fast", "implausible"}


def thread_faults(file: ThreadFile) -> Iterator[str]:
    """Yield what is wrong with data/threads.json beside its shape."""
    yield from (f"threads.json: {one} is listed twice" for one in _repeated(row["id"] for row in file["threads"]))
    for row in file["threads"]:
        where = f"threads.json: {row['id']}"
        if not _THREAD.fullmatch(row["thread"]) or not _MONTH.fullmatch(row["date"]) or not row["kind"]:
            yield f"{where}: thread {row['thread']!r}, date {row['date']!r} or kind {row['kind']!r}"
        known = _ASKED | _BESIDE[row["tool"]]
        yield from (f"{where}: {fault}" for fault in _argument_faults(row["arguments"], known))
        yield from (f"{where}: over: {fault}" for fault in _argument_faults(row.get("over", row["arguments"]), known))
        if ("over" in row) != (row["measured"]["unit"] == "ratio"):
            yield f"{where}: a ratio is over another run, and nothing else is"
        if not _is_of_its_unit(row["measured"]):
            yield f"{where}: measured {row['measured']['value']!r} {row['measured']['unit']}"
        if row["scored"] == bool(row.get("unscored_because")):
            yield f"{where}: is scored, or says why not"


def memory_faults(file: MemoryFile) -> Iterator[str]:
    """Yield what is wrong with data/memory.json beside its shape."""
    yield from (f"memory.json: {one} is listed twice" for one in _repeated(row["id"] for row in file["observations"]))
    used = {row["source"] for row in file["observations"]}
    yield from (f"memory.json: source {key} is listed and never used" for key in sorted(set(file["sources"]) - used))
    for row in file["observations"]:
        where = f"memory.json: {row['id']}"
        if row["source"] not in file["sources"]:
            yield f"{where}: unknown source {row['source']}"
        if row["published"]["unit"] not in MEMORY_UNITS[row["kind"]]:
            yield f"{where}: a {row['kind']} in {row['published']['unit']}"
        if isinstance(row["published"]["value"], bool) != (row["kind"] == "fits") or row["published"]["value"] < 0:
            yield f"{where}: published {row['published']['value']!r}"
        yield from (f"{where}: {fault}" for fault in _argument_faults(row["arguments"], _ASKED))
        if row["kind"] == "longest_context" and "sequence_length" in row["arguments"]:
            yield f"{where}: the longest context is what was found, not asked"


def _argument_faults(arguments: Mapping[str, Any], known: frozenset[str]) -> Iterator[str]:
    yield from (f"unknown argument {name}" for name in sorted(set(arguments) - known))
    yield from (f"lacks {name}" for name in ("gpu", "model") if name not in arguments)
    yield from (f"{name} is left out by its absence, not by null" for name, value in arguments.items() if value is None)


def _is_of_its_unit(measured: ThreadMeasuredRow) -> bool:
    value = measured["value"]
    match measured["unit"]:
        case "fits":
            return isinstance(value, bool)
        case "verdict":
            return value in _VERDICTS
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
