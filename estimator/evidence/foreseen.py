"""How far kinds of runs can know what a step takes: the second opinion is as blind to what they do not tell.

They know neither the network nor the micro-batch nor who reads pictures, so that of a step which mostly waits, or is
much longer by its host, its links or the expansion of a 4-bit base, they say little.
"""

import math
from dataclasses import replace

import numpy as np

from estimator.physics.choice import Setting, routed_case
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts
from estimator.physics.matmul import Products
from estimator.physics.step import StepTime, step_time

__all__ = ["foreseen_log"]

_FEW_TOKENS = 1024.0
"""Tokens of a micro-batch below which next to no published run is."""
_DELAYED = 1.5
"""Times as long as with a network, a host and a base that cost nothing."""
_WAITING = 0.5
"""Share of a step in communication and bubble."""


def foreseen_log(
    parting_log: float,
    setting: Setting,
    layouts: Layouts,
    constants: Constants,
    *,
    times: StepTime,
    products: Products,
) -> float:
    """Return `parting_log`, by which the second opinion lies from the physics, as far as its kind can know that.

        parting / (1 + Σ (reason / its half)²)      where the physics is the slower of the two

    A reason to wait draws the second opinion to the physics, to half of its distance where it is as large as its
    constant; a range so moves as gradually as a reason grows. One that is slower than the physics knows of some other.
    `times` are those of the one layout.
    """
    if parting_log >= 0.0:
        return parting_log
    tokens = float(layouts.micro_batch[0] / layouts.context[0]) * setting.question.sequence_length
    routed = routed_case(setting)
    quick = replace(
        routed or setting.case,
        scale_out_bytes_per_s=np.inf,
        operations=0.0,
        expert_operations=0.0,
        operations_per_expert=0.0,
        backward_per_expert=0.0,
        looped_elements=0.0,
        sliced_elements=0.0,
        eager_trainer=0.0,
        gathers=0.0,
        expert_gathers=0.0,
        dequantized=0.0,
        reading_s=0.0,
    )
    quickest_s = float(step_time(quick, layouts, constants, products if routed is None else None).total_s[0])
    total_s = float(times.total_s[0])
    waited = float(times.communication_s[0] + times.bubble_s[0]) / total_s
    delay_log = max(0.0, math.log(total_s / quickest_s))
    reasons = (_FEW_TOKENS / tokens, delay_log / math.log(_DELAYED), waited / _WAITING)
    return parting_log / (1.0 + sum(reason**2 for reason in reasons))
