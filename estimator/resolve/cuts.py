"""At how many tokens a trainer cuts samples, where nobody tells."""

import math

from estimator.physics.habits import PAIR_LIMITS, SAMPLE_LIMITS
from estimator.physics.stacks import Stack

__all__ = ["trainers_limit"]

_FITTING = 0.75
"""Share of the limit up to which the mean of samples is when hardly anybody raises it."""


def trainers_limit(stack: Stack, mean: float, *, answers: bool) -> float | None:
    """Return the tokens at which a trainer cuts unless told; of samples that would not fit, twice as many, or more."""
    if answers:
        return PAIR_LIMITS.get(stack.name)
    limit = SAMPLE_LIMITS.get(stack.name)
    if limit is None:
        return None
    raised: float = 2.0 ** max(0, math.ceil(math.log2(mean / (_FITTING * limit))))
    return limit * raised
