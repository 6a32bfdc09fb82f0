"""Kriging: a Gaussian process over the log-time residuals that the calibrated physics leaves on published runs.

Its posterior mean corrects a prediction by what runs alike say; between labs that is little, because what a lab does
differently is shared by all its runs and by no other's. The left-out errors of runs alike give the expected size of a
prediction's error.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.evidence.likeness import LAB_SPREAD, RUN_SPREAD, Traits, error_kernel, residual_kernel
from estimator.physics.layout import Floats

__all__ = ["Neighbours", "correction_log", "error_scale", "kriging_weights", "numbered"]

_HUBER = 0.25
"""Huber threshold, log time: beyond it a residual's weight falls as 1/|residual|."""
_ROUNDS = 3
"""Reweighting steps after the first solution."""
_PRIOR_WEIGHT = 1.0
"""Labs of the same kind that the overall median error counts as."""
_LEAST_ERROR = 0.02
"""Floor of an absolute log error: smaller ones are luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Published runs with what the calibrated physics left of each, shape (R,)."""

    traits: Traits
    weights: Floats
    """Kriging weights (K + S + D)⁻¹ r of the residuals r."""
    errors: Floats
    """Absolute log error of each where its lab was left out; NaN where that is not known."""
    labs: NDArray[np.intp]
    """Number of each run's lab."""

    def without(self, lab: int) -> "Neighbours":
        """Return the runs of all other labs; for their errors, since the weights are those of all runs."""
        rows = np.flatnonzero(self.labs != lab)
        return Neighbours(
            traits=self.traits.taken(rows),
            weights=self.weights[rows],
            errors=self.errors[rows],
            labs=self.labs[rows],
        )


def kriging_weights(traits: Traits, residuals: Floats, labs: NDArray[np.intp]) -> Floats:
    """Return the weight of each run's residual in corrections, shape (R,).

        (K + S + D)⁻¹ r      kernel K, covariance S that a lab's runs share, noise D, residuals r

    A Gaussian process of mean 0, with Huber weights in D by iterative reweighting. Source: Rasmussen and Williams 2006,
    section 2.2; Huber 1964.
    """
    covariance = residual_kernel(traits, traits) + LAB_SPREAD**2 * (labs[:, None] == labs[None, :])
    noise = np.full(len(residuals), RUN_SPREAD**2)
    weights: Floats = np.zeros(len(residuals))
    for _ in range(_ROUNDS + 1):
        weights = np.asarray(np.linalg.solve(covariance + np.diag(noise), residuals), dtype=np.float64)
        noise = RUN_SPREAD**2 * np.maximum(1.0, np.abs(noise * weights) / _HUBER)
    return weights


def correction_log(traits: Traits, neighbours: Neighbours) -> Floats:
    """Return the kriged residual, to be added to the log of predicted time of each question, shape (Q,).

    k' (K + S + D)⁻¹ r      fades to 0 where no run is alike
    """
    return np.asarray(residual_kernel(traits, neighbours.traits) @ neighbours.weights, dtype=np.float64)


def error_scale(traits: Traits, neighbours: Neighbours) -> Floats:
    """Return the expected absolute log error of predictions with these traits, shape (Q,).

    The kernel-weighted geometric mean of left-out errors (Nadaraya 1964; Watson 1964), a lab of n runs weighing
    sqrt(n), shrunk to the median of labs with a weight of `_PRIOR_WEIGHT`.
    """
    _, inverse, counts = np.unique(neighbours.labs, return_inverse=True, return_counts=True)
    share = 1.0 / np.sqrt(counts[inverse])
    near = error_kernel(traits, neighbours.traits) * share[None, :]
    logs = np.log(np.maximum(neighbours.errors, _LEAST_ERROR))
    usual = _weighted_median(logs, share)
    return np.asarray(np.exp((near @ logs + _PRIOR_WEIGHT * usual) / (near.sum(axis=1) + _PRIOR_WEIGHT)))


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, 0.5 * reached[-1])]) if len(values) else math.log(_LEAST_ERROR)


def numbered(labs: Sequence[str]) -> NDArray[np.intp]:
    """Return an integer code for each lab, by the alphabet."""
    return np.asarray(np.unique(np.array(labs), return_inverse=True)[1], dtype=np.intp)
