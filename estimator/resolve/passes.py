"""Passes told beside an amount: `2B tokens, 3 epochs` and `1B x 3` are an amount and `epochs`."""

from dataclasses import replace
from typing import Any

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import checked_number
from estimator.base.spoken import spoken
from estimator.base.units import parse_count
from estimator.question.request import Quantity, Request
from estimator.resolve.named_data import split_passes
from estimator.resolve.text_tokens import text_tokens

__all__ = ["amount_and_passes", "with_told_passes"]

_LONGEST = 64
_SAME = 0.01
"""Share by which two ways to say the same may differ."""


def with_told_passes(request: Request) -> Request:
    """Return `request` with the passes in its epochs that are told beside a count of tokens or of samples.

    Of a data set, its name tells them. Raises InvalidValueError where epochs say otherwise.
    """
    for argument in ("tokens", "samples"):
        given: Quantity | None = getattr(request, argument)
        told = amount_and_passes(given, argument)
        if told is None:
            continue
        amount, passes = told
        if request.epochs is not None and abs(checked_number("epochs", request.epochs) / passes - 1.0) > _SAME:
            remedy = f"and the {passes:g} passes in {argument} disagree; keep one of them"
            raise InvalidValueError("epochs", request.epochs, remedy)
        changes: dict[str, Any] = {argument: amount}
        return replace(request, epochs=passes, **changes)
    return request


def amount_and_passes(given: object, argument: str) -> tuple[str, float] | None:
    """Return the amount and the passes over it that `given` tells; None for what tells no passes over an amount."""
    if not isinstance(given, str) or len(given) > _LONGEST:
        return None
    text = spoken(given)
    if _is_amount(text, argument):
        # `1.5 x 10^9` has a factor that is no pass.
        return None
    amount, passes = split_passes(text)
    return (amount, passes) if passes is not None and passes > 0 and _is_amount(amount, argument) else None


def _is_amount(text: str, argument: str) -> bool:
    try:
        return text_tokens(text, argument) is not None or parse_count(text, argument) > 0
    except InvalidValueError:
        return False
