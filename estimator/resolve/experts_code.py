"""Whose code multiplies experts, where a library is named that any layers may run on."""

import math
from dataclasses import replace

from estimator.physics.own_experts import LIBRARIES
from estimator.resolve.open_question import OpenQuestion
from estimator.resolve.packing import LARGEST_SET

__all__ = ["with_experts_code"]

_ALL_OWN = 3e11
"""Tokens from which on hardly anybody trains experts on Transformers' layers: to continue pretraining takes tens of
billions at most, and whoever trains from scratch on hundreds of billions pays for each of them several times over."""
_MOST_OWN = 0.95
"""Share that does not, however many they are."""
_MOSTLY = 0.5


def with_experts_code(posed: OpenQuestion, tokens: float) -> OpenQuestion:
    """Return `posed` with whose layers run on a library that does not tell, for a run on so many `tokens`.

    Experts that are said to be spread, or are by the layout, are in layers that can spread them: one's own. Else the
    amount of data tells how likely they are: a released model is tuned on in Transformers' layers. Where it is not
    told, both are left open.
    """
    stack, trained, practice = posed.stack, posed.trained, posed.practice
    if stack is None or stack.name not in LIBRARIES or trained is None or trained.experts is None:
        return posed
    if practice.own_experts is not None:
        return posed
    share = _own_share(tokens) if posed.method.name == "full" else 0.0
    spread = practice.spreads_experts or (posed.request.expert_parallel or 1) > 1
    told = spread or practice.experts is not None
    # Grouped products alone are put into Transformers' layers, too, by who tunes a released model.
    own = bool(spread) or (
        share > 0.0 if practice.experts == "grouped" else practice.experts is None and share >= _MOSTLY
    )
    return replace(posed, practice=replace(practice, own_experts=own), own_experts_share=None if told else share)


def _own_share(tokens: float) -> float:
    """Return how likely layers are one's own; linear in the log of `tokens`, from the largest set that is tuned on."""
    grown = math.log(max(tokens, 1.0) / LARGEST_SET) / math.log(_ALL_OWN / LARGEST_SET)
    return min(_MOST_OWN, max(0.0, grown))
