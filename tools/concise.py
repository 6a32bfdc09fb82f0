"""What a concise answer leaves to `detailed`: what says itself elsewhere, moves nothing, or only gives reasons.

A host puts every character of an answer before its model, so that a concise one holds what a person asks about first.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar, cast

from pydantic import BaseModel

from estimator.question.question import Assumption, LayoutRequest
from tools.answers import AssumptionAnswer

__all__ = [
    "affordable",
    "characters",
    "clipped",
    "first_clause",
    "in_short",
    "shortened",
    "significant",
    "that_matter",
    "with_few_digits",
    "without_asides",
    "without_assumptions",
]


class _Assuming(Protocol):
    """An answer that lists assumptions."""

    @property
    def assumptions(self) -> list[AssumptionAnswer]: ...

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> "Self": ...


_A = TypeVar("_A", bound=BaseModel)
_B = TypeVar("_B", bound=_Assuming)

_DIGITS = 4
"""Shares and gigabytes are known to two."""
_TOLD_DIGITS = 6
"""Of an assumed number that is no whole one."""
_IN_LAYOUT = frozenset(LayoutRequest().by_argument())
_FROM_ELSEWHERE = frozenset({"catalogue", "inferred"})
_ECHOED = frozenset({"peak_tflops", "software_release"})
"""The peak and its note are keys of an answer; the stack's usual release stands for `framework` being open."""
_BETWEEN_NODES = frozenset({"gpus_per_node", "network_gbps_per_gpu"})
_IN_FULL = frozenset({"framework", "model", "objective"})
"""Whose later clauses say what was not understood, what stands in for it, and who teaches."""
_CITATION = re.compile(r" \([^()]*\b\d{4}\b[^()]*\)")
_CLAUSE = re.compile(r"(?<=[;:…]) (?![^(]*\))")
"""Between clauses, those of an aside apart; what was left out already stands between two."""
_OR = "; or "
_LEAST_OF_PHRASES = 2
"""Share of a clipped text, as its inverse, that whole phrases must have to be all that is left."""
_READ_DIGITS = 5
"""Of a number in a concise answer: no range is known to three."""
_LARGEST_COUNT = 2.0**53
"""Up to it a whole number is told as it is: tokens, parameters."""
_REMARK = re.compile(r" \((?!\d)[^()]*\)|(?<=times the cost)(?: per token)")
"""In a list of remedies, what is to be known of one."""
_LEAST_TO_SHORTEN = 2
"""Clauses of a warning that has none between what is so and what to do."""
_FIGURE = re.compile(r"\d")
_ASIDE = re.compile(r" \([^()]*\)")


def that_matter(assumptions: Sequence[Assumption], said: Collection[str] = ()) -> list[Assumption]:
    """Return the assumptions that a concise answer tells, their notes cut to what was assumed, without the reasons.

    Left out: what was searched for (it is the layout), what repeats the caller's words or the names in `said`, what
    another key tells, and what moves nothing, as a network that a single node does not use.
    """
    values = {assumption.name: assumption.value for assumption in assumptions}
    return [_brief(assumption) for assumption in assumptions if _matters(assumption, values, said)]


def _matters(assumption: Assumption, values: dict[str, str | float | int | bool], said: Collection[str]) -> bool:
    name, source, note = assumption.name, assumption.source, assumption.note
    if source == "searched":
        return False
    if source == "user":
        return bool(note) and note not in said
    if name == "method":
        return source != "default"
    if name in _BETWEEN_NODES:
        return not _on_one_node(values)
    if name == "parameters":
        # Of a dense model the formula has them; of experts, only those that work.
        return source != "catalogue" or note.startswith("active")
    return name not in _ECHOED and not (name in _IN_LAYOUT and source in _FROM_ELSEWHERE)


def _on_one_node(values: dict[str, str | float | int | bool]) -> bool:
    n_gpus, node = values.get("n_gpus"), values.get("gpus_per_node")
    return isinstance(n_gpus, int) and isinstance(node, int) and n_gpus <= node


def _brief(assumption: Assumption) -> Assumption:
    note = _CITATION.sub("", assumption.note)
    value = assumption.value
    if isinstance(value, float):
        value = int(value) if value.is_integer() else significant(value, _TOLD_DIGITS)
    return Assumption(
        name=assumption.name,
        value=value,
        unit=assumption.unit,
        source=assumption.source,
        note=note if assumption.name in _IN_FULL else first_clause(note),
    )


def first_clause(note: str) -> str:
    """Return a note up to its first semicolon: what is so, without why."""
    return note.partition("; ")[0]


def without_asides(note: str) -> str:
    """Return a note without what stands in parentheses, up to its first semicolon."""
    return first_clause(_ASIDE.sub("", note))


def clipped(text: str, longest: int) -> str:
    """Return the phrases of `text` that fit `longest` characters, or of its only one the words.

    Without an aside or a quotation that does not end.
    """
    if len(text) <= longest:
        return text
    words = text[:longest].rpartition(" ")[0]
    phrases = words.rpartition(", ")[0]
    if len(phrases) * _LEAST_OF_PHRASES >= longest:
        words = phrases
    if words.count("(") > words.count(")"):
        words = words[: words.rindex("(")]
    if words.count('"') % 2:
        words = words[: words.rindex('"')]
    return words.rstrip(",;: ") + " …"


def shortened(message: str, longest: int) -> str:
    """Return a warning in about `longest` characters: what is so, and what to do, which stands at its end.

    Of several ways to go the first are kept, and between the two the clauses that fit, those with figures before
    others. Every clause is whole: half of one tells no number, or no verb.
    """
    while len(message) > longest and _OR in message:
        message = message.rpartition(_OR)[0]
    clauses = _CLAUSE.split(message)
    if len(message) <= longest or len(clauses) <= _LEAST_TO_SHORTEN:
        return message
    kept = {0, len(clauses) - 1}
    for place in sorted(range(1, len(clauses) - 1), key=lambda place: _FIGURE.search(clauses[place]) is None):
        if len(_joined(clauses, kept | {place})) <= longest:
            kept.add(place)
    return _joined(clauses, kept)


def _joined(clauses: Sequence[str], kept: Collection[int]) -> str:
    """Return the clauses at the places `kept`, and where others are left out, that they are."""
    told = ""
    for place in sorted(kept):
        follows = place == 0 or place - 1 in kept
        told = f"{told} {clauses[place]}" if follows else f"{told.rstrip(',;:… ')} … {clauses[place]}"
    return told.strip()


def in_short(message: str) -> str:
    """Return a warning with all that it names, each without the asides that tell more of it."""
    return _REMARK.sub("", message)


def with_few_digits(answer: _A) -> _A:
    """Return an answer whose numbers have the digits that are worth reading; counts and what was assumed stay whole."""
    told = {name: _with_few_digits(getattr(answer, name)) for name in answer.model_fields_set}
    return answer.model_copy(update=told)


def _with_few_digits(value: object) -> object:
    if isinstance(value, float):
        return value if value.is_integer() and abs(value) < _LARGEST_COUNT else significant(value, _READ_DIGITS)
    if isinstance(value, BaseModel) and not isinstance(value, AssumptionAnswer):
        return with_few_digits(value)
    return [_with_few_digits(one) for one in cast("list[object]", value)] if isinstance(value, list) else value


def significant(value: float, digits: int = _DIGITS) -> float:
    """Return `value` with as many significant digits as are worth reading."""
    return float(f"{value:.{digits}g}")


def characters(answer: BaseModel) -> int:
    """Return the length of an answer as compact JSON in ASCII, the longest form that a host may make of it."""
    return len(answer.model_dump_json(ensure_ascii=True, exclude_unset=True))


def affordable(answer: _A, limit: int, steps: Iterable[Callable[[_A], _A]]) -> _A:
    """Return `answer` after the first few `steps` that make it fit `limit` characters; after all of them if none do."""
    shorter = iter(steps)
    while characters(answer) > limit:
        step = next(shorter, None)
        if step is None:
            return answer
        answer = step(answer)
    return answer


def without_assumptions(*names: str, beside: str = "") -> Callable[[_B], _B]:
    """Return a step that leaves out the assumptions called `names`, if `beside` is assumed too."""

    def step(answer: _B) -> _B:
        if beside and all(told.name != beside for told in answer.assumptions):
            return answer
        return answer.model_copy(
            update={"assumptions": [told for told in answer.assumptions if told.name not in names]}
        )

    return step
