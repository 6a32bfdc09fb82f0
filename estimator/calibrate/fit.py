"""MAP fit of constants and effects to published runs: Gauss-Newton on log time, Huber loss, Gaussian priors in log."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.calibrate.backtest import Table, physical_log_time
from estimator.evidence.correction import Neighbours, correction_log, numbered
from estimator.physics.constants import PRIORS, Constants

__all__ = ["EFFECT_SPREAD", "Fit", "fitted", "left_out_corrected", "left_out_log_errors"]

EFFECT_SPREAD: Mapping[str, float] = {
    "device": 0.12,
    "stack": 0.15,
    "tier": 0.08,
    "precision": 0.06,
    "experts": 0.12,
    "experts-stack": 0.08,
    "frozen-base": 0.10,
    "early": 0.10,
    "searched": 0.10,
}
"""Prior standard deviation of each kind of effect, in log time."""
_HUBER = 0.10
"""Huber threshold, log time."""
_SUBMITTER_SPREAD = 0.30
"""Noise: standard deviation between equal runs of different submitters, log time; it weighs data against priors."""
_STEP = 0.02
"""Finite-difference step, in log of a constant."""
_SHARES = (
    "tensor_visible",
    "tensor_visible_beside",
    "context_visible",
    "exchange_visible",
    "pipeline_visible",
    "gradient_visible",
    "stage_imbalance",
)
"""Constants that cannot exceed 1."""
_CENTRAL = 3.29
"""Standard deviations between the ends of a normal distribution's central 90 %: 2 · 1.645."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Maximum a posteriori constants and effects."""

    constants: Constants
    effects: Mapping[str, float]


def _weights(groups: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return one weight a row, shape (R,): 1/sqrt(n) in a source of n rows, so that the source counts as sqrt(n)."""
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / np.sqrt(counts[inverse]))


class _Problem:
    """Nonlinear least squares in log offsets from the priors' modes: residuals, Jacobian, Gauss-Newton step."""

    def __init__(self, rows: Table) -> None:
        self.rows = rows
        self.names = tuple(PRIORS)
        self.keys = tuple(sorted({key for keys in rows.effects for key in keys}))
        self.design = np.array([[key in keys for key in self.keys] for keys in rows.effects], dtype=np.float64)
        self.spread = np.array(
            [math.log(PRIORS[name].high / PRIORS[name].low) / _CENTRAL for name in self.names]
            + [EFFECT_SPREAD[key.split(":")[0]] for key in self.keys]
        )
        self.weights = _weights(np.array(rows.groups))

    def constants(self, offsets: NDArray[np.float64]) -> Constants:
        values = {name: PRIORS[name].mode * math.exp(x) for name, x in zip(self.names, offsets, strict=False)}
        for capped in _SHARES:
            values[capped] = min(values[capped], 1.0)
        return Constants(values)

    def predicted(self, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        return physical_log_time(self.rows, self.constants(offsets)) + self.design @ offsets[len(self.names) :]

    def jacobian(self, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        base = physical_log_time(self.rows, self.constants(offsets))
        columns: list[NDArray[np.float64]] = []
        for index in range(len(self.names)):
            moved = offsets.copy()
            moved[index] += _STEP
            columns.append((physical_log_time(self.rows, self.constants(moved)) - base) / _STEP)
        return np.column_stack([*columns, self.design])

    def step(
        self, offsets: NDArray[np.float64], jacobian: NDArray[np.float64], use: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        residual = self.rows.log_measured - self.predicted(offsets)
        pull = self.weights * np.minimum(1.0, _HUBER / np.maximum(np.abs(residual), 1e-9)) * use
        scaled = pull[:, None] * jacobian
        normal = jacobian.T @ scaled / _SUBMITTER_SPREAD**2 + np.diag(1.0 / self.spread**2)
        gradient = scaled.T @ residual / _SUBMITTER_SPREAD**2 - offsets / self.spread**2
        return np.asarray(np.linalg.solve(normal, gradient), dtype=np.float64)


def _solved(problem: _Problem, start: NDArray[np.float64], use: NDArray[np.bool_], rounds: int) -> NDArray[np.float64]:
    offsets = start
    for _ in range(rounds):
        move = problem.step(offsets, problem.jacobian(offsets), use)
        offsets = offsets + np.clip(move, -0.5, 0.5)
    return offsets


def fitted(rows: Table, *, rounds: int = 8) -> Fit:
    """Return the constants and effects that fit all of `rows`."""
    problem = _Problem(rows)
    start = np.zeros(len(problem.names) + len(problem.keys))
    offsets = _solved(problem, start, np.ones(len(rows.runs), dtype=bool), rounds)
    effects = {key: float(x) for key, x in zip(problem.keys, offsets[len(problem.names) :], strict=True)}
    return Fit(constants=problem.constants(offsets), effects=effects)


def left_out_log_errors(rows: Table, *, folds: NDArray[np.intp] | None = None, rounds: int = 3) -> NDArray[np.float64]:
    """Return the log of predicted over measured time of each row, shape (R,), by leave-one-source-out (or fold) refits.

    Physics and effects alone: what runs alike teach comes on top, see `left_out_corrected`.
    """
    errors = np.empty(len(rows.runs))
    for out, residuals in _left_out(rows, numbered(rows.groups) if folds is None else folds, rounds):
        errors[out] = -residuals[out]
    return errors


def left_out_corrected(rows: Table, *, rounds: int = 3) -> NDArray[np.float64]:
    """Return the same with the kriged correction from all other sources added, as answers are served."""
    groups = numbered(rows.groups)
    errors = np.empty(len(rows.runs))
    for out, residuals in _left_out(rows, groups, rounds):
        kept = np.flatnonzero(~out)
        others = Neighbours(
            traits=rows.traits.taken(kept),
            residuals=residuals[kept],
            errors=np.abs(residuals[kept]),
            groups=groups[kept],
        )
        errors[out] = correction_log(rows.traits.taken(np.flatnonzero(out)), others) - residuals[out]
    return errors


def _left_out(
    rows: Table, folds: NDArray[np.intp], rounds: int
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """Yield the rows of each fold, and the residuals of all rows under the fit to the others."""
    problem = _Problem(rows)
    start = np.zeros(len(problem.names) + len(problem.keys))
    whole = _solved(problem, start, np.ones(len(rows.runs), dtype=bool), 8)
    for label in np.unique(folds):
        out = folds == label
        offsets = _solved(problem, whole, ~out, rounds)
        yield out, rows.log_measured - problem.predicted(offsets)
