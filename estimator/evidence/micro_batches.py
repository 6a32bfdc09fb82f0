"""The micro-batch that nobody told: most who fine-tune leave their trainer's example, and some take the fastest."""

import math

from estimator.evidence.mixture import WORTH_SAYING, Doubt
from estimator.physics.choice import Setting, fastest, usual_micro_batch
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts
from estimator.question.question import Caution

__all__ = ["micro_batch_doubt"]

_LARGER = 0.35
"""Share of those who fine-tune and say nothing of it that raise the micro-batch while it fits and pays."""
_RAISED = 8
"""Times the usual one that they go to: few try more than 16 or 32."""


def micro_batch_doubt(setting: Setting, layouts: Layouts, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt whether a run of fine-tuning has a larger micro-batch than its trainer's examples.

    Each micro-batch gathers, fetches or expands all weights, and a host launches as much for it, however small it is.
    The point stays that of the layout that is printed.
    """
    question = setting.question
    if usual_micro_batch(question, setting.stack) is None:
        return ()
    best = fastest(question, constants, raised=_RAISED)
    if best is None:
        return ()
    factor = best.step_s * setting.global_batch / best.setting.global_batch / physical_s
    if math.log(factor) > -WORTH_SAYING:
        return ()
    chosen = int(layouts.micro_batch[0]) // question.sequences_each
    larger = best.micro_batch // question.sequences_each
    message = (
        f"micro-batches of {chosen:,} are taken, as {setting.stack.name}'s examples have them; those of {larger:,} "
        f"fit, with which a step would take {factor:.2g} times as long, and the range holds both: say micro_batch_size"
    )
    caution = Caution(code="micro_batch_unsaid", message=message)
    return (Doubt(argument="micro_batch_size", ways=((factor, _LARGER),), caution=caution, moves=False),)
