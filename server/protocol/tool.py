"""One tool: a plain function seen as portable schemas, checked arguments and a structured answer.

The same object serves the protocol and the command line, so it knows neither.
"""

import inspect
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import to_json

from estimator.base.errors import shown
from estimator.base.inputs import said_number
from estimator.base.numerals import other_reading
from estimator.base.pauses import pausing
from estimator.base.text import is_plain, visible
from estimator.question.profile import Profile
from server.protocol.errors import ArgumentError, readable, unknown
from server.protocol.machine import machine_defaults, refuse_others_count, with_told_count
from server.protocol.schema import input_schema, output_schema
from tools.progress import Progress, silent

__all__ = ["Answer", "Tool", "answer_of"]

_LONGEST_TEXT = 1_000
"""Characters in a text argument that declares no limit of its own: names and quantities are short."""
_DEEPEST = 32
"""Levels of nesting in an object argument; a model's configuration has three."""
_MOST_VALUES: Mapping[str | None, int] = {"array": 2_000, "object": 20_000}
"""Values in an argument by its type: as many options as one comparison takes may all lie in one list; a model's
configuration has a few hundred values, and tables of its layers a few thousand.
"""
_MOST_ODD = 100
"""Values in what was sent for an argument that takes but one."""
_MOST_TOLD = 3
"""Faults told at once: a caller mends a few at a time, and looking for what each was meant to be takes its time."""
_MOST_QUICK = 64
"""Arguments of a quick call; no tool has as many."""
_MOST_KEPT = 128
_LONGEST_KEPT = 32_768
"""Answers kept, and the characters of the longest: a few megabytes at most."""
_CONTAINERS = ("array", "object")
_NUMBERS = ("integer", "number")
_NOT_FINITE = ("nan", "inf", "infinity")
_CONFIG = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
"""`gpu: 4090` is clear enough, and an unknown argument is refused rather than dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A tool's answer: the object, and the same object as compact JSON."""

    structured: dict[str, Any]
    text: str


def answer_of(answered: BaseModel) -> Answer:
    """Return what a function answered, with nothing in it that a terminal would obey.

    What a schema does not require and the function did not set is left out: nulls say nothing, and are read all the
    same.

    Raises ValueError for a number that JSON does not have.
    """
    structured = answered.model_dump(mode="json", exclude_unset=True)
    text = to_json(structured, inf_nan_mode="constants").decode()
    if not is_plain(text):
        structured = visible(structured)
        text = to_json(structured, inf_nan_mode="constants").decode()
    if "NaN" in text or "Infinity" in text:
        # Perhaps in a name. As a number JSON has neither, and the SDK would send null in its place.
        json.dumps(structured, allow_nan=False)
    return Answer(structured=structured, text=text)


class Tool:
    """A function of `tools/`, ready to be advertised and called."""

    def __init__(
        self,
        function: Callable[..., BaseModel],
        *,
        title: str,
        quick: Callable[[Mapping[str, Any]], bool] = lambda _: False,
        profile: Profile | None = None,
    ) -> None:
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters
        self._progress = next((name for name in parameters if hints[name] is Progress), None)
        self._profiled = next((name for name in parameters if hints[name] == (Profile | None)), None)
        self._profile = profile if self._profiled else None
        self._function = function
        self._answer_model: type[BaseModel] = hints["return"]
        required = {name: hints[name] for name, parameter in parameters.items() if parameter.default is parameter.empty}
        self._required = frozenset(required)
        self._defaults = machine_defaults(required, self._profile)
        fields: dict[str, Any] = {
            name: (hints[name], self._defaults.get(name, ...) if name in required else parameter.default)
            for name, parameter in parameters.items()
            if name not in {self._progress, self._profiled}
        }
        self._arguments_model = create_model(f"{function.__name__}_arguments", __config__=_CONFIG, **fields)
        self._fields: dict[str, FieldInfo] = self._arguments_model.model_fields
        self.name = function.__name__
        self.title = title
        self.description = inspect.cleandoc(function.__doc__ or "")
        self._kept: dict[str, Answer] = {}
        self._is_quick = quick

    @property
    def takes_profile(self) -> bool:
        """Whether its answers may depend on the caller's own machines."""
        return self._profiled is not None

    def with_profile(self, profile: Profile) -> "Tool":
        """Return the tool that answers for the machines of `profile`."""
        return Tool(self._function, title=self.title, quick=self._is_quick, profile=profile)

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """What may be sent, in the portable subset."""
        return input_schema(self._arguments_model.model_json_schema())

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """What comes back, in the portable subset."""
        return output_schema(self._answer_model.model_json_schema(mode="serialization"))

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return `given` checked and in the function's own types.

        Raises ArgumentError, which names every argument that does not fit and what would.
        """
        sent: dict[str, object] = {}
        odd: list[str] = []
        for name, value in given.items():
            if len(odd) == _MOST_TOLD:
                break
            blank = self._blanks.get(name)
            if blank is None:
                odd.append(unknown("argument", name, list(self._fields)))
            elif value is not None:  # Some hosts send null for every argument that was left out.
                sent[name] = blank.parsed(value)
                oddity = blank.excess(sent[name]) or blank.oddity(sent[name])
                if oddity is not None:
                    odd.append(f"{name}: {oddity}")
        if odd:
            raise ArgumentError("; ".join(odd))
        told = with_told_count(sent, self._required)
        refuse_others_count(told, self._defaults, self._profile)
        try:
            checked = self._arguments_model.model_validate(told)
        except ValidationError as error:
            about = {name: field.description or "" for name, field in self._fields.items()}
            raise ArgumentError(readable(error.errors(include_url=False), list(self._fields), about)) from error
        return dict(vars(checked))

    def quick_answer(self, given: Mapping[str, Any]) -> Answer | None:
        """Return the answer to `given` where it is kept or takes about a millisecond; None where it may take longer.

        Raises EstimatorError as `answer` does.
        """
        if not _is_small(given):
            return None
        question = self._question(given)
        kept = self._kept.get(question)
        if kept is not None or not self._is_quick(given):
            return kept
        try:
            with pausing(_stop):
                return self._new_answer(question, given)
        except _NotQuickError:
            return None

    def answer(self, given: Mapping[str, Any], progress: Progress = silent) -> Answer:
        """Return the function's answer to `given`.

        The same question has the same answer, so the last few are kept; it is what hosts send when they try again.
        Raises EstimatorError where a caller can mend the question; anything else is a fault of ours.
        """
        question = self._question(given)
        return self._kept.get(question) or self._new_answer(question, given, progress)

    def _new_answer(self, question: str, given: Mapping[str, Any], progress: Progress = silent) -> Answer:
        answer = self._answer(given, progress)
        if question and len(answer.text) + len(question) <= _LONGEST_KEPT:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[question] = answer
        return answer

    def _question(self, given: Mapping[str, Any]) -> str:
        """Return `given` spelt in full, since 1, 1.0 and "1" are different questions; empty for one not to be kept."""
        if self._progress is not None:
            # Its caller may be watching the progress, and would see none.
            return ""
        if any(len(value) > _LONGEST_KEPT for value in given.values() if isinstance(value, str)):
            return ""
        try:
            return json.dumps(given, sort_keys=True)
        except (RecursionError, TypeError, ValueError):
            return ""

    def _answer(self, given: Mapping[str, Any], progress: Progress) -> Answer:
        values = self.arguments(given)
        if self._progress is not None:
            values[self._progress] = progress
        if self._profiled is not None:
            values[self._profiled] = self._profile
        return answer_of(self._function(**values))

    @cached_property
    def _blanks(self) -> Mapping[str, "_Blank"]:
        properties = self.input_schema["properties"]
        return {
            name: _Blank(
                name=name,
                kind=properties[name].get("type"),
                longest=_longest(field),
                most_values=_MOST_VALUES.get(properties[name].get("type"), _MOST_ODD),
            )
            for name, field in self._fields.items()
        }


class _NotQuickError(Exception):
    """Raised where work that was thought to be quick pauses before something that is not."""


def _stop() -> None:
    raise _NotQuickError


def _is_small(given: Mapping[str, Any]) -> bool:
    """Return whether `given` holds short texts and numbers only: what is read at once, whatever it says."""
    return len(given) <= _MOST_QUICK and all(
        len(value) <= _LONGEST_TEXT if isinstance(value, str) else not isinstance(value, dict | list)
        for value in given.values()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blank:
    """What is looked at in one argument before pydantic is."""

    name: str
    kind: str | None
    """Its advertised type."""
    longest: int
    """Characters it admits."""
    most_values: int
    """Values it admits, however nested."""

    def parsed(self, value: object) -> object:
        """Return an object or list that a host sent as JSON text, as some do, and a number that is said as text.

        Anything else is returned as it is.
        """
        if self.kind in _NUMBERS and isinstance(value, str):
            said = said_number(self.name, value)
            return value if said is None else said
        if self.kind not in _CONTAINERS or not isinstance(value, str):
            return value
        # Some editors put a byte-order mark before all else.
        text = value.removeprefix("\ufeff")
        if text.lstrip()[:1] not in {"{", "["}:
            return value
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return value

    def excess(self, value: object) -> str | None:
        """Return what to say of a value that holds too much even to be looked at; it is not shown either."""
        if _has_more_than(value, self.most_values):
            return f"must hold at most {self.most_values:,} values in all"
        return None

    def oddity(self, value: object) -> str | None:
        """Return what is wrong with a value that pydantic would let pass, or would be slow to refuse."""
        wrong = None
        if isinstance(value, str):
            wrong = self._wrong_text(value)
        elif isinstance(value, bool):
            if self.kind != "boolean":
                return f"{str(value).lower()} must be {'a number' if self.kind in _NUMBERS else 'text or a number'}"
        elif not _is_finite(value):
            wrong = "must be finite"
        elif not _depth_fits(value):
            wrong = f"must be nested at most {_DEEPEST} levels deep"
        elif not _is_unicode(value):
            wrong = "must be valid Unicode"
        return f"{shown(value)} {wrong}" if wrong else None

    def _wrong_text(self, value: str) -> str | None:
        if len(value) > self.longest:
            return f"must be at most {self.longest} characters long, not {len(value)}"
        if self.kind in _NUMBERS and value.strip().lower().lstrip("+-") in _NOT_FINITE:
            return "must be a finite number"
        readings = other_reading(value) if self.kind == "integer" else None
        if readings is not None:
            return f"may be {readings[0]} or {readings[1]}, by what its separator is; write it without one"
        return None if _is_unicode(value) else "must be valid Unicode"


def _longest(field: FieldInfo) -> int:
    """Return the characters that `field` admits."""
    declared = (getattr(constraint, "max_length", None) for constraint in field.metadata)
    return next((limit for limit in declared if isinstance(limit, int)), _LONGEST_TEXT)


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _has_more_than(value: object, most: int) -> bool:
    """Return whether `value` holds more than `most` values, at any depth; no more of it is looked at than that."""
    left: list[object] = [value]
    seen = 0
    while left:
        container = left.pop()
        if isinstance(container, dict | list):
            seen += len(cast("dict[str, object] | list[object]", container))
            if seen > most:
                return True
            left.extend(_children(cast("object", container)))
    return False


def _depth_fits(value: object, levels: int = _DEEPEST) -> bool:
    return levels > 0 and all(_depth_fits(child, levels - 1) for child in _children(value))


def _is_finite(value: object, levels: int = _DEEPEST) -> bool:
    """Return whether no number in `value` is NaN or infinite, as deep as is looked."""
    if isinstance(value, float):
        return math.isfinite(value)
    return levels == 0 or all(_is_finite(child, levels - 1) for child in _children(value))


def _is_unicode(value: object) -> bool:
    """Return whether all text in `value` can be sent: JSON may carry halves of a character, and UTF-8 may not."""
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
    within = list(_children(value))
    if isinstance(value, dict):
        within += cast("dict[str, object]", value)
    return all(map(_is_unicode, within))
