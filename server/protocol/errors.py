"""What is said of arguments that do not fit: one sentence each, with what would do.

EstimatorError
└── ArgumentError   arguments that a tool's signature does not admit
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from estimator.base.argument_names import changes_nothing, meant
from estimator.base.errors import EstimatorError, shown

__all__ = ["ArgumentError", "internal_fault", "nearest", "readable", "unknown"]

_MOST_REPORTED = 3
"""Problems named at once: a caller mends a few at a time, and a long text hides the first."""
_MOST_CHOICES = 12
_LONGEST_COMPARED = 200
"""Characters of a wrong name that are compared with the good ones; matching is quadratic in length."""


class ArgumentError(EstimatorError):
    """Arguments that a tool's signature does not admit."""


def internal_fault(tool: str) -> str:
    """Return the one sentence that stands for a fault of ours; its traceback is in the log."""
    return (
        f"{tool} failed on an internal fault, not on what it was asked; the traceback is in the server's log (stderr)"
    )


def nearest(given: str, good: Sequence[str], *, most: int = 3) -> list[str]:
    """Return the names in `good` that `given` was probably meant to be, best first."""
    folded = {name.casefold(): name for name in reversed(good)}
    matches = get_close_matches(given[:_LONGEST_COMPARED].casefold(), folded, n=most, cutoff=0.6)
    return [folded[match] for match in matches]


def unknown(kind: str, given: str, good: Sequence[str]) -> str:
    """Return `unknown gpu 'h100-smx'; did you mean h100-sxm?`, or the good names where none is near."""
    if kind == "argument" and changes_nothing(given):
        return f"unknown {kind} {shown(given)}; nothing that is answered here goes by it: leave it out"
    close = (meant(given, good) if kind == "argument" else ()) or nearest(given, good)
    hint = f"did you mean {', '.join(close)}?" if close else ""
    if not hint:
        hint = f"choose from {', '.join(good[:_MOST_CHOICES])}{', …' if len(good) > _MOST_CHOICES else ''}"
    return f"unknown {kind} {shown(given)}; {hint}"


def readable(problems: Sequence[Mapping[str, Any]], arguments: Sequence[str], about: Mapping[str, str]) -> str:
    """Return pydantic's `problems` as sentences a caller can act on.

    `arguments` are the names the tool takes, `about` what each means. An argument that may be text or a number fails
    once for every form; it is reported once.
    """
    by_argument: dict[str, list[Mapping[str, Any]]] = {}
    for problem in problems:
        place = problem["loc"]
        by_argument.setdefault(str(place[0]) if place else "arguments", []).append(problem)
    sentences = [
        _sentence(argument, faults, arguments, about.get(argument, "")) for argument, faults in by_argument.items()
    ]
    left_out = len(sentences) - _MOST_REPORTED
    more = f"; and {left_out} more" if left_out > 0 else ""
    return "; ".join(sentences[:_MOST_REPORTED]) + more


def _sentence(argument: str, problems: Sequence[Mapping[str, Any]], arguments: Sequence[str], about: str) -> str:
    problem = problems[0]
    kind = problem["type"]
    if kind == "missing":
        return f"{argument} is missing" + (f": {about}" if about else "")
    if kind == "extra_forbidden":
        return unknown("argument", argument, arguments)
    given, place = problem["input"], _place(argument, problem)
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in problem["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return _no_choice(argument, place, given, choices)
    if len(problems) > 1 and {other["loc"][1:] for other in problems} != {problem["loc"][1:]}:
        forms = dict.fromkeys(_must(other) for other in problems)
        return f"{argument}: {shown(given)} must be {' or '.join(form.removeprefix('be ') for form in forms)}"
    return f"{place}: {shown(given)} must {_must(problem)}{_unit_slip(given, problem)}"


def _no_choice(argument: str, place: str, given: object, choices: Sequence[str]) -> str:
    if not isinstance(given, str):
        return f"{place}: {shown(given)} must be one of {', '.join(choices)}"
    # Imported where an argument is wrong: it needs the catalogue.
    from estimator.resolve.training_method import no_method

    if argument in {"method", "methods"} and (remedy := no_method(given)):
        return f"{place}: {shown(given)} {remedy}"
    return unknown(place, given, choices)


def _place(argument: str, problem: Mapping[str, Any]) -> str:
    """Return `gpus[2]` for the third of a list, else the argument's name."""
    return argument + "".join(f"[{step}]" for step in problem["loc"][1:] if isinstance(step, int))


_MUST: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "bool_parsing": lambda _: "be true or false",
    "bool_type": lambda _: "be true or false",
    "dict_type": lambda _: "be a JSON object",
    "finite_number": lambda _: "be a finite number",
    "float_parsing": lambda _: "be a number",
    "float_type": lambda _: "be a number",
    "greater_than": lambda context: f"be greater than {context['gt']:g}",
    "greater_than_equal": lambda context: f"be at least {context['ge']:g}",
    "int_from_float": lambda _: "be a whole number",
    "int_parsing": lambda _: "be a whole number",
    "int_parsing_size": lambda _: "be a smaller whole number",
    "int_type": lambda _: "be a whole number",
    "less_than": lambda context: f"be less than {context['lt']:g}",
    "less_than_equal": lambda context: f"be at most {context['le']:g}",
    "list_type": lambda _: "be a list",
    "string_too_long": lambda context: f"be at most {context['max_length']} characters long",
    "string_too_short": lambda context: f"be at least {context['min_length']} characters long",
    "string_type": lambda _: "be text",
    "string_unicode": lambda _: "be valid Unicode",
    "too_long": lambda context: f"have at most {context['max_length']} entries",
    "too_short": lambda context: f"have at least {context['min_length']} entries",
    "value_error": lambda context: str(context["error"]).removeprefix("must "),
}


def _must(problem: Mapping[str, Any]) -> str:
    """Return what the value must be, to follow `must`."""
    rule = _MUST.get(problem["type"])
    return rule(problem.get("ctx", {})) if rule else f"be otherwise ({problem['msg']})"


def _unit_slip(given: object, problem: Mapping[str, Any]) -> str:
    """Return a hint where a percentage was sent for a fraction."""
    if isinstance(given, str) and given.strip().endswith("%"):
        return "; a percentage is a fraction here: 45 % is 0.45"
    largest = problem.get("ctx", {}).get("le", problem.get("ctx", {}).get("lt"))
    if largest == 1 and isinstance(given, int | float) and 1 < given <= 100:  # noqa: PLR2004 - per cent
        return f"; {given} % is {given / 100:g}"
    return ""
