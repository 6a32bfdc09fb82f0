"""What would narrow the range most: inputs left unsaid, doubts about what is likely among them."""

import math
from collections.abc import Iterator
from dataclasses import replace

from estimator.answers.estimate.best_step import BestStep, factor_and_range
from estimator.evidence.calibration import Calibration
from estimator.evidence.sensitivity import narrowings
from estimator.evidence.uncertainty import Interval
from estimator.physics.choice import Setting
from estimator.question.question import Narrowing

__all__ = ["narrowed_by"]

_WHY = {
    "base_expanded_to_fp32": ("precision", "it tells whether the 4-bit base is expanded to 16 or to 32 bit"),
    "network_unsaid": ("network_gbps_per_gpu", "the range holds a network for training and a plain one"),
}
"""By the caution that tells of a doubt: the argument that ends it."""


def narrowed_by(setting: Setting, calibration: Calibration, best: BestStep) -> tuple[Narrowing, ...]:
    """Return what to say first: a measured step, then what narrows the range of the best layout, most first."""
    measured, *others = narrowings(setting, best.priced, best.span)
    told = (*others, *_doubted(setting, calibration, best))
    return (measured, *sorted(told, key=lambda narrowing: -narrowing.narrows_by))


def _doubted(setting: Setting, calibration: Calibration, best: BestStep) -> Iterator[Narrowing]:
    """Yield the arguments whose doubt the range holds, with the share of its log width that saying them removes.

    The range is worked out again as if what is assumed had been said.
    """
    question = setting.question
    for caution in best.span.warnings:
        if caution.code in _WHY:
            argument, why = _WHY[caution.code]
            said = replace(setting, question=replace(question, unsaid=question.unsaid - {argument}))
            _, span = factor_and_range(said, calibration, best.layouts, float(best.times.total_s[0]))
            narrows = 1.0 - _width_log(span) / _width_log(best.span)
            if narrows > 0.0:
                yield Narrowing(argument=argument, narrows_by=round(narrows, 3), why=why)


def _width_log(span: Interval) -> float:
    return math.log(span.high / span.low)
