"""Seconds per token of a question as it would be answered alone: for what is held against an answer beside it."""

import math

import numpy as np

from estimator.answers.estimate.best_step import factor_alone
from estimator.evidence.calibration import Calibration
from estimator.physics.choice import Fastest, fastest
from estimator.question.question import Question

__all__ = ["corrected_token_s", "predicted_token_s"]


def predicted_token_s(question: Question, fitted: Calibration) -> float:
    """Return predicted seconds per token on the best layout; infinity where none divides or fits.

    No published run is held against it, so that a question with a `precedent` is asked without.
    """
    best = fastest(question, fitted.constants)
    return math.inf if best is None else corrected_token_s(best, fitted)


def corrected_token_s(best: Fastest, fitted: Calibration) -> float:
    """Return seconds per token of a layout, corrected as an answer with it would be, without a published run."""
    layout = best.setting.layouts.taken(np.array([best.row]))
    return best.token_s * factor_alone(best.setting, fitted, layout, best.step_s)
