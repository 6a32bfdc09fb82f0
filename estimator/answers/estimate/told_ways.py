"""What the other ways of a doubt take, each asked as whoever says it would ask: for one answer's warnings."""

import math
from collections.abc import Sequence
from dataclasses import replace

from estimator.answers.estimate.best_step import Grounds
from estimator.answers.estimate.token_time import predicted_token_s
from estimator.evidence.calibration import Calibration
from estimator.evidence.mixture import Doubt, Times
from estimator.question.question import Caution, Prediction, Question

__all__ = ["with_told_ways"]


def with_told_ways(step: Prediction, grounds: Grounds, fitted: Calibration) -> tuple[Caution, ...]:
    """Return the warnings of `step` with what each way of a doubt takes as it is answered to whoever says it.

    One way has another layout than the other, and another doubt matters more for it, or less. Dear, for each is
    searched and doubted by itself.
    """
    question, doubts = grounds.setting.question, grounds.doubts
    asked = [doubt for doubt in doubts if doubt.asked]
    if not asked:
        return step.warnings
    now_s = step.step_s / step.tokens_per_step * question.sequence_length
    if question.precedent is not None:
        now_s = _sequence_s(question, fitted)
    told = {
        doubt.caution(times): doubt.caution(_answered(doubt, times, now_s, fitted))
        for doubt, times in ((doubt, doubt.times(doubts)) for doubt in asked)
    }
    return tuple(told.get(caution, caution) for caution in step.warnings)


def _answered(doubt: Doubt, times: Times, now_s: float, fitted: Calibration) -> Times:
    """Return `times` with what is answered to the questions of `doubt` in place of what is reckoned of them."""
    answered = [_sequence_s(question, fitted) / now_s for question in doubt.asked]
    both: Sequence[float] = [
        one if math.isfinite(one) else other for one, other in zip(answered, times.others, strict=False)
    ]
    return replace(times, others=(*both, *times.others[len(both) :]))


def _sequence_s(question: Question, fitted: Calibration) -> float:
    """Return predicted seconds per sequence: those of padded rows are of several lengths."""
    return predicted_token_s(replace(question, precedent=None), fitted) * question.sequence_length
