"""What a concise answer leaves to `detailed`: what says itself elsewhere, moves nothing, or only gives reasons.

A host puts every character of an answer before its model, so that a concise one holds what a person asks about first.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

from pydantic import BaseModel

from estimator.question.question import Assumption, LayoutRequest
from tools.answers import AssumptionAnswer

__all__ = [
    "affordable",
    "characters",
    "clipped",
    "first_clause",
    "shortened",
    "significant",
    "that_matter",
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
_LEAST_OPENING = 30
"""Characters of what is so, without which nobody knows what a remedy is for."""
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
    """Return the words of `text` that fit `longest` characters, without an aside or a quotation that does not end."""
    if len(text) <= longest:
        return text
    words = text[:longest].rpartition(" ")[0]
    if words.count("(") > words.count(")"):
        words = words[: words.rindex("(")]
    if words.count('"') % 2:
        words = words[: words.rindex('"')]
    return words.rstrip(",;: ") + " …"


def shortened(message: str, longest: int) -> str:
    """Return a warning in about `longest` characters: what is so, and what to do, which stands at its end.

    Of several ways to go the first are kept, and of all else as much as fits, from the front.
    """
    while len(message) > longest and _OR in message:
        message = message.rpartition(_OR)[0]
    if len(message) <= longest:
        return message
    *clauses, remedy = _CLAUSE.split(message)
    if not clauses:
        return clipped(message, longest)
    room = longest - len(remedy) - len(" … ")
    opening = clipped(" ".join(clauses), max(room, _LEAST_OPENING))
    return f"{opening.rstrip(',;:… ')} … {remedy}"


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
