"""Seconds per token of a question as it would be answered alone: for what is held against an answer beside it."""

import math

import numpy as np

from estimator.answers.estimate.best_step import factor_alone
from estimator.evidence.calibration import Calibration
from estimator.physics.choice import fastest
from estimator.question.question import Question

__all__ = ["predicted_token_s"]


def predicted_token_s(question: Question, fitted: Calibration) -> float:
    """Return predicted seconds per token on the best layout; infinity where none divides or fits.

    No published run is held against it, so that a question with a `precedent` is asked without.
    """
    best = fastest(question, fitted.constants)
    if best is None:
        return math.inf
    layout = best.setting.layouts.taken(np.array([best.row]))
    return best.token_s * factor_alone(best.setting, fitted, layout, best.step_s)
