"""A model told as how many parameters it has."""

from estimator.base.errors import InvalidValueError
from estimator.base.spoken import spoken
from estimator.base.units import parse_count
from estimator.models.typical import MOST_PARAMETERS
from estimator.question.request import Quantity

__all__ = ["told_parameters"]

_LONGEST_COUNT = 64
"""Characters up to which a text may be a count in words."""


def told_parameters(model: Quantity) -> float | None:
    """Return `model` as a parameter count; None where it is a name."""
    text = spoken(str(model)) if isinstance(model, str) and len(model) <= _LONGEST_COUNT else str(model)
    if not text[:1].isdigit() and text[:1] not in {"+", "-", "."}:
        return None
    try:
        return parse_count(model, "model", most=MOST_PARAMETERS)
    except InvalidValueError:
        # `01-ai/Yi-6B` and `7Bx` begin with a digit too, and are names: only what is a number is out of range.
        if any(letter.isalpha() and letter.casefold() not in "ekmbtq" for letter in text):
            return None
        raise
