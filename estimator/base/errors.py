"""The errors a caller can mend, as a tree.

EstimatorError
├── InvalidValueError      a value no run can have; names the argument and what would do
│   └── UnknownNameError   a name no catalogue has; carries the nearest names
├── MissingValueError      an argument that must be given, alone or beside another
├── UnsupportedModelError  an architecture whose cost is not modelled here
└── InfeasibleError        a sound question without an answer, and what to relax
"""

from collections.abc import Sequence

__all__ = [
    "EstimatorError",
    "InfeasibleError",
    "InvalidValueError",
    "MissingValueError",
    "UnknownNameError",
    "UnsupportedModelError",
    "shown",
]

_ECHO_LIMIT = 80


def shown(value: object) -> str:
    """Return `value` as it may be echoed: quoted when text, at most 80 characters, one line."""
    # 0.0 was most likely sent as 0, and is read as it.
    text = repr(value) if isinstance(value, str) else f"{value:.6g}" if isinstance(value, float) else str(value)
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
    """A name that no catalogue has; `nearest` are the ones that would do, `otherwise` says what would where none is."""

    def __init__(self, argument: str, given: str, nearest: Sequence[str], otherwise: str = "") -> None:
        self.nearest = tuple(nearest)
        hint = f"did you mean {', '.join(self.nearest)}?" if nearest else otherwise or "no catalogued name is near it"
        super().__init__(argument, given, hint)
        self.args = (f"unknown {argument} {shown(given)}; {hint}",)


class MissingValueError(EstimatorError):
    """An argument that must be given."""

    def __init__(self, argument: str, remedy: str) -> None:
        self.argument = argument
        super().__init__(f"{argument} is missing: {remedy}")


class UnsupportedModelError(EstimatorError):
    """An architecture whose cost is not modelled here; says what can be answered instead."""


class InfeasibleError(EstimatorError):
    """A sound question that has no answer; says which constraint to relax and by how much."""
