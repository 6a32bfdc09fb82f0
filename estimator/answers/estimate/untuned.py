"""What a question would take on a stack as users have it, where nobody said which it is run on."""

import math
from dataclasses import replace

from estimator.answers.estimate.token_time import predicted_token_s
from estimator.evidence.calibration import Calibration
from estimator.physics.choice import Setting
from estimator.physics.stacks import LARGE_CLUSTER
from estimator.question.question import Caution, LayoutRequest, Prediction

__all__ = ["untuned_caution"]

_AUTO, _UNTUNED = "auto", "huggingface"
_CODE = "tuned_stack_assumed"
_SAID_ALREADY = frozenset({_CODE, "framework_unsaid"})
_HARDLY = 1.05
_BEARABLE = 4.0
"""Times as long as nobody lets a cluster work who can help it: there that trainer is no doubt."""


def untuned_caution(setting: Setting, fitted: Calibration, step: Prediction) -> tuple[Caution, ...]:
    """Return by how much an untuned stack would be slower where a tuned one is assumed; nothing where one was named.

    The factor is that of asking again with the other stack: precision, length, batch and all that was said of the
    step stay, the layout is its own.
    """
    question, stack = setting.question, setting.stack
    adopted = question.precedent is not None and question.precedent.stack_adopted
    if stack.tier != "tuned" or question.framework != _AUTO or adopted or question.practice.own_stack:
        return ()
    if _SAID_ALREADY & {caution.code for caution in step.warnings}:
        return ()
    layout = LayoutRequest(micro_batch_size=question.layout.micro_batch_size, recompute=question.layout.recompute)
    plain = replace(
        question,
        framework=_UNTUNED,
        precedent=None,
        layout=layout,
        global_batch_sequences=_shared(setting),
    )
    times = predicted_token_s(plain, fitted) * step.tokens_per_step / step.step_s
    if question.cluster.n_gpus >= LARGE_CLUSTER and times > _BEARABLE:
        return ()
    if math.isinf(times):
        slower = "does not split a model and would not fit"
    elif times < _HARDLY:
        slower = "would take about as long"
    else:
        slower = f"would take {times:.2f} times as long"
    message = (
        f"a tuned stack ({stack.name}) is assumed; an untuned one (Hugging Face) {slower}: name yours with framework"
    )
    return (Caution(code=_CODE, message=message),)


def _shared(setting: Setting) -> int:
    """Return the batch nearest to that of `setting` that every device has an equal share of."""
    unit = setting.question.cluster.n_gpus * (setting.question.layout.micro_batch_size or 1)
    return max(1, round(setting.global_batch / unit)) * unit
