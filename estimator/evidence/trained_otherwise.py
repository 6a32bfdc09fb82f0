"""A published training that is asked about in another amount: whoever asks may train as is usual, and not as it was."""

import math
from dataclasses import replace

import numpy as np

from estimator.evidence.blend import blend_of
from estimator.evidence.calibration import Calibration
from estimator.evidence.held import drawn_log
from estimator.evidence.mixture import TOLD_FROM, WORTH_SAYING, Doubt, Times, Ways, mixed
from estimator.evidence.precisions import precision_doubts
from estimator.evidence.stack_doubts import stack_doubts, with_own_stacks
from estimator.physics.choice import Setting, fastest
from estimator.question.question import Precedent, Question

__all__ = ["trained_otherwise"]

_AS_USUAL = 0.5
"""Share of those who pretrain a published model on other tokens than its makers, and name no stack, that train it as is
usual on such devices: nothing tells more of them to follow its report than to run the trainer that they have."""

_REACHED = 0.3
"""Share from which on a range of nine tenths reaches as far as the other way lies, beside what else is open."""


def trained_otherwise(setting: Setting, physical_s: float, calibration: Calibration) -> tuple[Doubt, ...]:
    """Return the doubt whether a step of `physical_s` runs as the published training did whose terms were taken.

    None of that very training; of other amounts the more, the less they are its. A lab's code and its kernels of the
    day are seldom had by others, and its precision often is: both are thought of as open together. The point stays that
    of the terms that are printed, whatever the tokens, since they change nothing of a step. Dear, for the usual stack's
    layouts are searched.
    """
    question, precedent = setting.question, setting.question.precedent
    if precedent is None or not (precedent.trained and precedent.stack_adopted):
        return ()
    share = _AS_USUAL * (1.0 - precedent.amount_alike)
    if share < TOLD_FROM:
        return ()
    best = fastest(_as_usual(question, precedent), calibration.constants)
    if best is None:
        return ()
    usual = best.setting
    factor = best.step_s * blend_of(usual, calibration, best.step_s).factor
    factor /= physical_s * blend_of(setting, calibration, physical_s).factor
    # By what the training was off says nothing of another way to run it.
    factor *= setting.global_batch / usual.global_batch * math.exp(-drawn_log(setting, calibration))
    layouts = usual.layouts.taken(np.array([best.row]))
    others = mixed(
        (
            *with_own_stacks(usual, stack_doubts(usual, best.step_s, calibration.constants)),
            *precision_doubts(usual, layouts, best.step_s, calibration),
        )
    )
    ways: Ways = tuple((factor * math.exp(shift), share * its) for shift, its in others.items())
    if max(abs(math.log(one)) for one, _ in ways) < WORTH_SAYING:
        return ()
    # Of amounts near the training's few run otherwise, and the range need not reach as far.
    held = ", and the range holds both" if share > _REACHED else ""

    def words(times: Times) -> str:
        # The usual stack's own doubts spread into several ways; it is told as it would be if it were said.
        told = replace(times, others=(times.assumed * factor,)).told("", assumed="as in that training")
        return (
            f"{question.precision} on {setting.stack.name} is assumed, as in {precedent.run_id}; in "
            f"{usual.question.precision} on {usual.stack.name}, as others may train on other tokens, a step would take "
            f"about {told}{held}: say framework and precision"
        )

    return (Doubt(argument="framework", ways=ways, code="trained_as_published", words=words, moves=False),)


def _as_usual(question: Question, precedent: Precedent) -> Question:
    """Return `question` with nothing taken from the training but how long sequences are."""
    return replace(
        question,
        framework="auto",
        released=precedent.own_release,
        practice=precedent.own_practice,
        precision=precedent.own_precision or question.cluster.accelerator.training_precision,
        layout=precedent.own_layout,
        global_batch_sequences=precedent.own_batch,
        unsaid=question.unsaid | ({"framework"} if precedent.own_precision else {"framework", "precision"}),
        precedent=None,
    )
