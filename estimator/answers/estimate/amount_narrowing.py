"""What saying the amount of data would narrow a range by, where it was told roughly or not at all."""

import math
from dataclasses import replace

from estimator.answers.estimate.timing import Timing
from estimator.question.question import Narrowing

__all__ = ["with_amount"]

_LEAST = 0.1
"""Share of a range's log width below which the amount is not worth saying more of."""


def with_amount(narrowings: tuple[Narrowing, ...], timing: Timing, argument: str) -> tuple[Narrowing, ...]:
    """Return `narrowings` of a step's range as those of the run's, among them that by the `argument` of the amount.

        1 − sqrt(((1 − n) · s)² + a²) / sqrt(s² + a²)      s, a: log widths of step and amount, independent

    As they are where the amount hardly widens the range. Most first.
    """
    step = math.log(timing.high_factor / timing.low_factor)
    amount = math.log(timing.amount_high / timing.amount_low)
    whole = math.hypot(step, amount)
    if not whole or (share := 1.0 - step / whole) < _LEAST:
        return narrowings
    others = (
        replace(one, narrows_by=round(1.0 - math.hypot((1.0 - one.narrows_by) * step, amount) / whole, 3))
        for one in narrowings
    )
    own = Narrowing(
        argument=argument,
        narrows_by=round(share, 3),
        why="time is proportional to it, and the range holds all that it may be",
    )
    return tuple(sorted((own, *others), key=lambda narrowing: -narrowing.narrows_by))
