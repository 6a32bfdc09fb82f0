"""Seconds per token of a question as it would be answered alone: for what is held against an answer beside it."""

import math

import numpy as np

from estimator.answers.estimate.best_step import factor_and_range
from estimator.base.errors import InfeasibleError
from estimator.evidence.calibration import Calibration
from estimator.physics.choice import ranked_layouts, setting_of
from estimator.question.question import Question

__all__ = ["predicted_token_s"]


def predicted_token_s(question: Question, fitted: Calibration) -> float:
    """Return predicted seconds per token on the best layout; infinity where none divides or fits."""
    try:
        posed = setting_of(question)
    except InfeasibleError:
        return math.inf
    priced = ranked_layouts(posed, fitted.constants)
    best = int(priced.order[0])
    if not priced.fits[best]:
        return math.inf
    seconds = float(priced.seconds[best])
    factor, _ = factor_and_range(posed, fitted, posed.layouts.taken(np.array([best])), seconds)
    return seconds * factor / (posed.global_batch * question.sequence_length)
