"""Whose code multiplies experts, where a library is named that any layers may run on."""

import math
from dataclasses import replace

from estimator.physics.own_experts import LIBRARIES
from estimator.question.other_layers import OtherLayers
from estimator.question.question import Question
from estimator.resolve.amount import Amount
from estimator.resolve.open_question import OpenQuestion
from estimator.resolve.packing import LARGEST_SET
from estimator.resolve.samples import Padded

__all__ = ["with_experts_code", "with_other_layers"]

_ALL_OWN = 3e11
"""Tokens from which on hardly anybody trains experts on Transformers' layers: to continue pretraining takes tens of
billions at most, and whoever trains from scratch on hundreds of billions pays for each of them several times over."""
_WIDTH_LOG = math.log(_ALL_OWN / LARGEST_SET)
_MOSTLY = 0.5


def with_experts_code(posed: OpenQuestion, tokens: float) -> OpenQuestion:
    """Return `posed` with whose layers run on a library that does not tell, for a run on so many `tokens`.

    Experts that are said to be spread, or are by the layout, are in layers that can spread them: one's own. Else the
    amount of data tells how likely they are: a released model is tuned on in Transformers' layers. Where it is not
    told, both are left open, and the likelier are assumed.
    """
    stack, trained, practice = posed.stack, posed.trained, posed.practice
    if stack is None or stack.name not in LIBRARIES or trained is None or trained.experts is None:
        return posed
    if practice.own_experts is not None:
        return posed
    grown = math.log(max(tokens, 1.0) / LARGEST_SET) / _WIDTH_LOG if posed.method.name == "full" else None
    spread = practice.spreads_experts or (posed.request.expert_parallel or 1) > 1
    told = spread or practice.experts is not None
    # Grouped products alone are put into Transformers' layers, too, by who tunes a released model.
    least = 0.0 if practice.experts == "grouped" else _MOSTLY
    own = spread or (practice.experts in {None, "grouped"} and grown is not None and grown > least)
    return replace(posed, practice=replace(practice, own_experts=bool(own)), experts_grown=None if told else grown)


def with_other_layers(
    question: Question | None, posed: OpenQuestion, amount: Amount, padded: Padded | None
) -> Question | None:
    """Return `question` with what differs in the other layers with experts, where it is open whose they are."""
    if question is None or posed.experts_grown is None:
        return question
    other = replace(posed, practice=replace(posed.practice, own_experts=not posed.practice.own_experts))
    length, _ = other.length(amount, padded)
    layers = OtherLayers(grown=posed.experts_grown, width_log=_WIDTH_LOG, sequence_length=length)
    # Whoever has the data for a larger batch has layers of their own: were both to grow with it, time would fall.
    return replace(question, other_layers=layers, run_tokens=None)
