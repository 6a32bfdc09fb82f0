"""What a model learns where nobody said: its pre-training or its use, each by the software that is usual for it."""

import math
from dataclasses import replace

from estimator.evidence.blend import blend_of
from estimator.evidence.calibration import Calibration
from estimator.evidence.mixture import WORTH_SAYING, Doubt, Times, Ways, if_held, mixed
from estimator.evidence.stack_doubts import stack_doubts
from estimator.physics.choice import Setting, fastest
from estimator.question.other_training import OtherTraining

__all__ = ["with_other_training"]


def with_other_training(
    setting: Setting, physical_s: float, calibration: Calibration, of_stack: tuple[Doubt, ...]
) -> tuple[Doubt, ...]:
    """Return `of_stack`, the doubts about who runs it, with the other training that its words may mean.

    Where that is usual on another stack, its ways are in place of those of the stack that is assumed: nobody runs both.
    Dear, for the other training's layouts are searched.
    """
    other = setting.question.otherwise
    if other is None:
        return of_stack
    ways = _other_ways(setting, other, physical_s, calibration)
    if max((abs(math.log(one)) for one, _ in ways), default=0.0) < WORTH_SAYING:
        return of_stack
    its_own = ways
    beside = of_stack if other.framework == setting.stack.name else ()
    if not beside:
        rest = 1.0 - other.share
        ways = (*ways, *((factor, share * rest) for doubt in of_stack for factor, share in doubt.ways))

    def words(times: Times) -> str:
        return (
            f"{other.assumed} is assumed; {other.words}, it would take "
            f"{times.told('', assumed='as assumed')}{if_held(its_own)}: say {other.say}"
        )

    return (*beside, Doubt(argument=other.argument, ways=ways, code="training_unsaid", words=words))


def _other_ways(setting: Setting, other: OtherTraining, physical_s: float, calibration: Calibration) -> Ways:
    """Return how much longer the `other` training takes, by the stacks that it may run on; empty where none fits.

    tokens · (seconds of its step / tokens of that) / (seconds of the step / tokens of that)      each as corrected
    """
    question = setting.question
    posed = replace(
        question,
        transformer=other.transformer,
        framework=other.framework,
        sequence_length=other.sequence_length,
        reads=other.reads,
        otherwise=None,
    )
    best = fastest(posed, calibration.constants)
    if best is None:
        return ()
    its_s = best.step_s * blend_of(best.setting, calibration, best.step_s).factor
    own_s = physical_s * blend_of(setting, calibration, physical_s).factor
    its_tokens = best.setting.global_batch * other.sequence_length
    own_tokens = setting.global_batch * question.sequence_length
    factor = other.tokens * (its_s / its_tokens) / (own_s / own_tokens)
    stacks = mixed(stack_doubts(best.setting, best.step_s, calibration.constants))
    return tuple((factor * math.exp(shift), other.share * its) for shift, its in stacks.items())
