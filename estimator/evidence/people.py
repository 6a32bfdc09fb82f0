"""How much longer people's own small steps take than what is published of their trainer: a level fitted to threads.

Published speeds of a general trainer are of a machine and a software version that somebody chose to measure. What
people report of theirs is slower where a micro-batch is small: older versions, slow hosts and links, loaders, the other
jobs of a node have little work to hide behind. Large micro-batches run as published.
"""

import math

from estimator.evidence.calibration import Calibration
from estimator.physics.choice import Setting
from estimator.physics.layout import Layouts
from estimator.physics.stacks import Stack
from estimator.question.question import Question

__all__ = ["people_log", "people_spread", "smallness"]

_SMALL, _LARGE = 2_048.0, 16_384.0
"""Tokens of a micro-batch up to which all of the level holds, and from which on none."""


def smallness(question: Question, stack: Stack, tokens_per_micro_batch: float) -> float:
    """Return by how much of the level people's steps are longer: 0 to 1.

    Between the two sizes of a micro-batch in proportion to the log of its tokens. 0 on stacks that are not run as they
    come, and where a published run is asked about and nothing said differs from it.
    """
    precedent = question.precedent
    if stack.tier != "untuned" or (precedent is not None and precedent.agrees):
        return 0.0
    return min(1.0, max(0.0, math.log(_LARGE / tokens_per_micro_batch) / math.log(_LARGE / _SMALL)))


def people_log(setting: Setting, layouts: Layouts, calibration: Calibration) -> float:
    """Return what is to be added to the log of predicted time of one layout, for what people report of such steps."""
    return calibration.people["level"] * _smallness(setting, layouts)


def people_spread(setting: Setting, layouts: Layouts, calibration: Calibration) -> float:
    """Return the standard deviation between people about that level, log time, beyond that of published runs."""
    return calibration.people["spread"] * _smallness(setting, layouts)


def _smallness(setting: Setting, layouts: Layouts) -> float:
    tokens = float(layouts.micro_batch[0] / layouts.context[0]) * setting.question.sequence_length
    return smallness(setting.question, setting.stack, tokens)
