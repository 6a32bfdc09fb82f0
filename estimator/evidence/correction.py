"""What published runs like a question say about the physics' error on it: kriging over their residuals.

The step-time model explains most of a run's time. What it leaves is alike in runs that are alike, so the residuals of
the most similar runs correct the answer, and the size of their left-out errors tells how wide its range is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.evidence.likeness import RUN_SPREAD, SOURCE_SPREAD, Traits, error_kernel, residual_kernel
from estimator.physics.layout import Floats

__all__ = ["Neighbours", "correction_log", "error_scale", "numbered"]

_MOST = 96
"""Published runs that take part in one correction: beyond them likeness is below a hundredth."""
_OUTLIER = 0.03
"""Residual beyond which a run counts by its distance, not by its square: releases and routing make heavy tails."""
_ROUNDS = 2
_PRIOR_WEIGHT = 1.0
"""How many sources of the same kind the overall error stands for."""
_LEAST_ERROR = 0.01
"""An error below it is luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Published runs with what the physics left of each, shape (R,)."""

    traits: Traits
    residuals: Floats
    """Log of measured over physical time, effects included."""
    errors: Floats
    """Absolute log error of each where its source was left out; NaN where that is not known."""
    groups: NDArray[np.intp]
    """Number of each run's source."""

    def without(self, group: int) -> "Neighbours":
        """Return the runs of all other sources."""
        rows = np.flatnonzero(self.groups != group)
        return Neighbours(
            traits=self.traits.taken(rows),
            residuals=self.residuals[rows],
            errors=self.errors[rows],
            groups=self.groups[rows],
        )


def correction_log(traits: Traits, neighbours: Neighbours) -> Floats:
    """Return what to add to the log of predicted time of each question, shape (Q,).

        k' (K + S + D)⁻¹ r      over the most similar runs: their likeness K, shared source S, noise D, residuals r

    D grows with a run's own residual (Huber weights). Source: Rasmussen and Williams 2006, section 2.2; Huber 1964.
    """
    likely = residual_kernel(traits, neighbours.traits)
    return np.array([_kriged(row, neighbours) for row in likely])


def _kriged(likely: Floats, neighbours: Neighbours) -> float:
    if len(likely) > _MOST:
        # In the catalogue's order, so that equals stay in it on any processor.
        rows = np.sort(np.argpartition(-likely.round(12), _MOST - 1)[:_MOST])
    else:
        rows = np.arange(len(likely))
    residuals, groups = neighbours.residuals[rows], neighbours.groups[rows]
    traits = neighbours.traits.taken(rows)
    covariance = residual_kernel(traits, traits) + SOURCE_SPREAD**2 * (groups[:, None] == groups[None, :])
    noise = np.full(len(rows), RUN_SPREAD**2)
    weights: Floats = np.zeros(len(rows))
    for _ in range(_ROUNDS + 1):
        weights = np.asarray(np.linalg.solve(covariance + np.diag(noise), residuals), dtype=np.float64)
        left = np.abs(noise * weights)
        noise = RUN_SPREAD**2 * np.maximum(1.0, left / _OUTLIER)
    return float(likely[rows] @ weights)


def error_scale(traits: Traits, neighbours: Neighbours) -> Floats:
    """Return how far off predictions of runs like these were, as absolute log errors, shape (Q,).

    The geometric mean of left-out errors, by nearness, each source of n runs counted as sqrt(n), and the overall
    median standing in where nothing is near.
    """
    _, inverse, counts = np.unique(neighbours.groups, return_inverse=True, return_counts=True)
    near = error_kernel(traits, neighbours.traits) / np.sqrt(counts[inverse])[None, :]
    usual = math.log(max(float(np.median(neighbours.errors)), _LEAST_ERROR))
    logs = np.log(np.maximum(neighbours.errors, _LEAST_ERROR))
    return np.asarray(np.exp((near @ logs + _PRIOR_WEIGHT * usual) / (near.sum(axis=1) + _PRIOR_WEIGHT)))


def numbered(groups: Sequence[str]) -> NDArray[np.intp]:
    """Return a number for each source."""
    return np.asarray(np.unique(np.array(groups), return_inverse=True)[1], dtype=np.intp)
