"""The micro-batch that nobody told: the fastest that fits is answered with, and most leave their trainer's example."""

import math
from dataclasses import replace

from estimator.evidence.mixture import Doubt
from estimator.models.kinds import kind_of
from estimator.models.training import WITH_ADAPTERS
from estimator.physics.choice import Setting, fastest
from estimator.physics.constants import Constants
from estimator.physics.habits import ACCUMULATED, MICRO_BATCHES
from estimator.physics.layout import Layouts
from estimator.question.question import Caution

__all__ = ["micro_batch_doubt"]

_AS_IN_EXAMPLES = 0.6
"""Share of those who fine-tune and say nothing of it that have the micro-batch of their trainer's examples; samples
that are padded are priced by it outright."""
_WORTH_SAYING = 0.15
"""Log time below which it changes nothing."""


def micro_batch_doubt(setting: Setting, layouts: Layouts, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt whether a run of fine-tuning has its trainer's usual micro-batch, smaller than the answered one.

    Each micro-batch gathers, fetches or expands all weights, and a host launches as much for it, however small it is.
    """
    question, stack = setting.question, setting.stack
    tunes = question.small_set or question.method.name in WITH_ADAPTERS or stack.name in ACCUMULATED
    decoder = kind_of(question.transformer) in {"decoder", "hybrid"}
    told = question.layout.micro_batch_size is not None or question.published or question.precedent is not None
    chosen = int(layouts.micro_batch[0]) // question.sequences_each
    if told or not (tunes and decoder) or MICRO_BATCHES.get(stack.name, chosen) >= chosen:
        return ()
    usual = MICRO_BATCHES[stack.name]
    asked = replace(
        question,
        global_batch_sequences=setting.global_batch,
        layout=replace(question.layout, micro_batch_size=usual * question.sequences_each),
    )
    best = fastest(asked, constants)
    if best is None or math.log(best.step_s / physical_s) < _WORTH_SAYING:
        return ()
    factor = best.step_s / physical_s
    message = (
        f"micro-batches of {chosen:,} are the fastest that fit; {stack.name}'s examples have {usual:,}, with which a "
        f"step would take {factor:.2g} times as long, and the range holds both: say micro_batch_size"
    )
    caution = Caution(code="micro_batch_unsaid", message=message)
    return (Doubt(argument="micro_batch_size", ways=((factor, _AS_IN_EXAMPLES),), caution=caution),)
