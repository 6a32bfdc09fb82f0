"""Quantities whose point or comma may set thousands apart or decimals: how they are read, and what else is likely."""

from collections.abc import Iterator, Mapping

from estimator.base.errors import shown
from estimator.base.numerals import other_reading
from estimator.question.question import Caution
from estimator.question.request import Request

__all__ = ["separator_doubts", "separators_doubted"]

_COUNTED = (
    "tokens",
    "samples",
    "tokens_per_sample",
    "steps",
    "trainable_params",
    "sequence_length",
    "global_batch_sequences",
    "observed_tokens_per_second",
)
"""What is told in thousands and more. Prices and the times of steps are not: $2.500 and 6.280 s are decimals."""


def separator_doubts(request: Request) -> tuple[Caution, ...]:
    """Return a warning for each quantity of `request` that may be a thousand times as much, or as little."""
    return separators_doubted({name: getattr(request, name) for name in _COUNTED})


def separators_doubted(given: Mapping[str, object]) -> tuple[Caution, ...]:
    """Return a warning for each text of `given`, by argument, that may be a thousand times as much, or as little."""
    return tuple(_doubts(given))


def _doubts(given: Mapping[str, object]) -> Iterator[Caution]:
    for name, value in given.items():
        readings = other_reading(value) if isinstance(value, str) else None
        if readings is not None:
            read, other = readings
            message = f"{name}: {shown(value)} is read with {read}; if {other} is meant, write it without a separator"
            yield Caution(code="separator_ambiguous", message=message)
