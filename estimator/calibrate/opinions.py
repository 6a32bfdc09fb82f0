"""What an unknown lab would see: the physics, the second opinion, and their blend, each with whole labs left out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.calibrate.backtest import Table
from estimator.calibrate.fit import lab_weights, left_out
from estimator.evidence.blend import blended_log
from estimator.evidence.correction import Neighbours, correction_log, kriging_weights, numbered
from estimator.evidence.share import FALLING, RISING, share_log
from estimator.physics.layout import Floats

__all__ = ["Opinions", "fitted_shares", "opinions_left_out"]

_NOISE = 0.3
"""Standard deviation of a run's log share about what its kind reaches; it weighs data against priors."""
_SPREAD, _LEVEL_SPREAD = 0.3, 2.0
"""Prior standard deviations of a coefficient, per word or e-fold, and of the common level."""
_LAB_SPREAD = 0.25
_HUBER = 0.3
_ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinions:
    """Log of predicted over measured time of every row, its whole lab left out, shape (R,)."""

    physics: Floats
    """Step-time model, effects and kriged correction."""
    share: Floats
    """The second opinion alone."""
    blend: Floats
    """What is served."""


def fitted_shares(
    features: Sequence[Mapping[str, float]], log_share: Floats, labs: NDArray[np.intp]
) -> dict[str, float]:
    """Return the coefficients of `share_log`: ridge regression, robust, labs with levels of their own.

    A coefficient whose sign is known by reason is held at 0 where the data would have it the other way.
    """
    names = sorted({name for row in features for name in row})
    design = np.array([[row.get(name, 0.0) for name in names] for row in features])
    levels = (labs[:, None] == np.unique(labs)[None, :]).astype(np.float64)
    matrix = np.column_stack([design, levels])
    spread = np.array([_LEVEL_SPREAD if name == "one" else _SPREAD for name in names] + [_LAB_SPREAD] * levels.shape[1])
    weights = lab_weights(labs)
    free = np.ones(len(spread), dtype=bool)
    solution = np.zeros(len(spread))
    for _ in range(_ROUNDS):
        residual = log_share - matrix @ solution
        pull = weights * np.minimum(1.0, _HUBER / np.maximum(np.abs(residual), 1e-9))
        used = matrix[:, free]
        normal = used.T @ (pull[:, None] * used) / _NOISE**2 + np.diag(1.0 / spread[free] ** 2)
        solution[free] = np.linalg.solve(normal, used.T @ (pull * log_share) / _NOISE**2)
        for place, name in enumerate(names):
            wrong = (name in RISING and solution[place] < 0.0) or (name in FALLING and solution[place] > 0.0)
            if wrong:
                solution[place], free[place] = 0.0, False
    return dict(zip(names, solution.tolist(), strict=False))


def opinions_left_out(rows: Table, chosen: Collection[str] | None = None) -> Opinions:
    """Return the errors of both opinions and of their blend, everything fitted without the row's own lab.

    Only of the labs `chosen`, all unless given; NaN for the others.
    """
    labs = numbered(rows.labs)
    log_share = rows.log_needed - rows.log_measured
    physics, share = np.full(len(labs), np.nan), np.full(len(labs), np.nan)
    for fold in left_out(rows, labs=chosen):
        out, kept = np.flatnonzero(fold.out), np.flatnonzero(~fold.out)
        others = rows.traits.taken(kept)
        neighbours = Neighbours(
            traits=others,
            weights=kriging_weights(others, fold.residuals[kept], labs[kept]),
            errors=np.abs(fold.residuals[kept]),
            labs=labs[kept],
        )
        physics[out] = correction_log(rows.traits.taken(out), neighbours) - fold.residuals[out]
        coefficients = fitted_shares([rows.features[i] for i in kept], log_share[kept], labs[kept])
        share[out] = log_share[out] - np.array([share_log(rows.features[i], coefficients) for i in out])
    return Opinions(physics=physics, share=share, blend=physics + blended_log(share - physics))
