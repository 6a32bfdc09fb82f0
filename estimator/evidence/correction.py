"""Kriged log correction of predicted time, from the residuals of published runs, and its expected absolute log error.

A Gaussian process over residuals of the physical model: runs of alike traits are off in the same direction. The
absolute left-out errors of alike runs scale the range in turn.
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
"""Nearest runs kriged over (local kriging): beyond them the kernel is below a hundredth of its amplitude squared."""
_OUTLIER = 0.03
"""Huber threshold, log time: beyond it the loss is linear, because releases and routing make heavy tails."""
_ROUNDS = 2
"""Reweightings of the iteratively reweighted least squares."""
_PRIOR_WEIGHT = 1.0
"""Pseudo-count of the overall median error, in sources of the question's own kind."""
_LEAST_ERROR = 0.01
"""Floor of a log error before its logarithm is averaged: smaller ones are luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Training data of the correction: traits, residuals and left-out errors of published runs, shape (R,)."""

    traits: Traits
    residuals: Floats
    """Log of measured over predicted time, effects included and no correction."""
    errors: Floats
    """Absolute log error of each where its source was left out; NaN where that is not known."""
    groups: NDArray[np.intp]
    """Source of each run, numbered: the level that cross-validation leaves out."""

    def without(self, group: int) -> "Neighbours":
        """Return the runs of all sources but `group`, for leave-one-source-out."""
        rows = np.flatnonzero(self.groups != group)
        return Neighbours(
            traits=self.traits.taken(rows),
            residuals=self.residuals[rows],
            errors=self.errors[rows],
            groups=self.groups[rows],
        )


def correction_log(traits: Traits, neighbours: Neighbours) -> Floats:
    """Return the kriged residual, to be added to the log of predicted time of each question, shape (Q,).

        k' (K + S + D)⁻¹ r      over the nearest runs: kernel K, source covariance S, noise D, residuals r

    The posterior mean of a Gaussian process of mean 0, with Huber weights in D by iterative reweighting. It fades to 0
    where no run is alike. Source: Rasmussen and Williams 2006, section 2.2; Huber 1964.
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
    """Return the expected absolute log error of predictions with these traits, shape (Q,).

    The kernel-weighted geometric mean of left-out errors (Nadaraya 1964; Watson 1964), a source of n runs weighing
    sqrt(n), shrunk to the overall median with a weight of `_PRIOR_WEIGHT`.
    """
    _, inverse, counts = np.unique(neighbours.groups, return_inverse=True, return_counts=True)
    near = error_kernel(traits, neighbours.traits) / np.sqrt(counts[inverse])[None, :]
    usual = math.log(max(float(np.median(neighbours.errors)), _LEAST_ERROR))
    logs = np.log(np.maximum(neighbours.errors, _LEAST_ERROR))
    return np.asarray(np.exp((near @ logs + _PRIOR_WEIGHT * usual) / (near.sum(axis=1) + _PRIOR_WEIGHT)))


def numbered(groups: Sequence[str]) -> NDArray[np.intp]:
    """Return an integer code for each source, by the alphabet."""
    return np.asarray(np.unique(np.array(groups), return_inverse=True)[1], dtype=np.intp)
