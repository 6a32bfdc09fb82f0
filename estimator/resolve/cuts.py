"""At how many tokens a trainer cuts samples, where nobody tells."""

import math

from estimator.physics.habits import PAIR_LIMITS, SAMPLE_LIMITS
from estimator.physics.stacks import Stack

__all__ = ["trainers_limit"]

_FITTING, _FITTING_ANSWERS = 0.75, 1.0
"""Share of the limit up to which the mean is when hardly anybody raises it: of samples, and of answers to a prompt."""


def trainers_limit(stack: Stack, mean: float, *, answers: bool) -> float | None:
    """Return the tokens at which a trainer cuts unless told; of samples that would not fit, twice as many, or more."""
    limits, fitting = (PAIR_LIMITS, _FITTING_ANSWERS) if answers else (SAMPLE_LIMITS, _FITTING)
    limit = limits.get(stack.name)
    if limit is None:
        return None
    raised: float = 2.0 ** max(0, math.ceil(math.log2(mean / (fitting * limit))))
    return limit * raised
