"""The errors a caller can mend, as a tree.

EstimatorError
├── InvalidValueError      a value no run can have; names the argument and what would do
│   └── UnknownNameError   a name no catalogue has; carries the nearest names
├── UnsupportedModelError  an architecture whose cost is not modelled here
└── InfeasibleError        a sound question without an answer, and what to relax
"""

from collections.abc import Sequence

__all__ = [
    "EstimatorError",
    "InfeasibleError",
    "InvalidValueError",
    "UnknownNameError",
    "UnsupportedModelError",
    "shown",
]

_ECHO_LIMIT = 80


def shown(value: object) -> str:
    """Return `value` as it may be echoed: quoted when text, at most 80 characters, one line."""
    text = repr(value) if isinstance(value, str) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _ECHO_LIMIT else text[: _ECHO_LIMIT - 1] + "…"


class EstimatorError(Exception):
    """A question that cannot be answered as asked; the text says what would do."""


class InvalidValueError(EstimatorError):
    """A value that no run can have."""

    def __init__(self, argument: str, given: object, remedy: str) -> None:
        self.argument = argument
        self.given = given
        self.remedy = remedy
        super().__init__(f"{argument}: {shown(given)} {remedy}")


class UnknownNameError(InvalidValueError):
    """A name that no catalogue has; `nearest` are the ones that would do."""

    def __init__(self, argument: str, given: str, nearest: Sequence[str]) -> None:
        self.nearest = tuple(nearest)
        hint = f"did you mean {', '.join(self.nearest)}?" if nearest else "no catalogued name is near it"
        super().__init__(argument, given, hint)
        self.args = (f"unknown {argument} {shown(given)}; {hint}",)


class UnsupportedModelError(EstimatorError):
    """An architecture whose cost is not modelled here; says what can be answered instead."""


class InfeasibleError(EstimatorError):
    """A sound question that has no answer; says which constraint to relax and by how much."""
