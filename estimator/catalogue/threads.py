"""What people measured or asked in public threads: the question as arguments of a tool, and what was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NotRequired, get_args

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

__all__ = [
    "THREAD_UNITS",
    "ThreadFile",
    "ThreadMeasured",
    "ThreadMeasuredRow",
    "ThreadRow",
    "ThreadRun",
    "ThreadTool",
    "ThreadUnit",
    "thread_run",
]

ThreadTool = Literal["estimate_training_time", "check_training_speed", "plan_training"]
ThreadUnit = Literal["h", "s/step", "tokens/s", "tokens/s/GPU", "MFU", "ratio", "fits", "verdict", "GPUs"]
THREAD_UNITS: tuple[ThreadUnit, ...] = get_args(ThreadUnit)


class ThreadMeasuredRow(TypedDict):
    """A number with its unit; true or false for `fits`, a word for `verdict`."""

    value: float | bool | str
    unit: ThreadUnit


class ThreadRow(TypedDict):
    """One question and what was measured."""

    id: str
    thread: str
    date: str
    kind: str
    tool: ThreadTool
    arguments: dict[str, Any]
    over: NotRequired[dict[str, Any]]
    measured: ThreadMeasuredRow
    scored: bool
    unscored_because: NotRequired[str]
    note: str


class ThreadFile(TypedDict):
    """data/threads.json."""

    format: int
    checked: str
    conventions: list[str]
    threads: list[ThreadRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadMeasured:
    """What a thread reports."""

    value: float | bool | str
    """A number in `unit`; whether it ran for `fits`; `slow`, `fast` or `implausible` for `verdict`."""
    unit: ThreadUnit
    """`h` of the whole run, `s/step`, `tokens/s` of all devices, `tokens/s/GPU`, `MFU` (0 to 1), `GPUs`, or `ratio`:
    the time of `ThreadRun.arguments` over that of `ThreadRun.over`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRun:
    """One run that people asked about in public, as they described it.

    The speed is an ordinary user's, not a vendor's: what is left unsaid was left unsaid by the asker.
    """

    id: str
    thread: str
    """Repository and number, `owner/name#number`."""
    date: str
    """Year and month."""
    kind: str
    """Class of question that accuracy is stated for."""
    tool: ThreadTool
    arguments: Mapping[str, Any]
    """What the thread says, as arguments of `tool`.

    The framework is in the thread's words; some values may be ones that the tool refuses.
    """
    over: Mapping[str, Any] | None
    """Arguments of the run that a ratio is over; None for what is no ratio."""
    measured: ThreadMeasured
    scored: bool
    """Whether a prediction from `arguments` can be held against `measured`."""
    unscored_because: str
    note: str
    """What was assumed, and what else the thread tells."""


def thread_run(row: ThreadRow) -> ThreadRun:
    """Return the run that one row of the data file holds."""
    return ThreadRun(
        id=row["id"],
        thread=row["thread"],
        date=row["date"],
        kind=row["kind"],
        tool=row["tool"],
        arguments=MappingProxyType(row["arguments"]),
        over=MappingProxyType(row["over"]) if "over" in row else None,
        measured=ThreadMeasured(value=row["measured"]["value"], unit=row["measured"]["unit"]),
        scored=row["scored"],
        unscored_because=row.get("unscored_because", ""),
        note=row["note"],
    )
