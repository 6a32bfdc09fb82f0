"""Fitting constants and effects to published runs: Gauss-Newton on log time, robust, shrunk to the priors.

Labs differ in level for reasons that nobody states, so each has an intercept of its own while the fit lasts: constants
then follow the shape inside labs, and the common level counts labs, not rows. A lab that was never seen has none.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.calibrate.backtest import Table, physical_log_time
from estimator.evidence.correction import numbered
from estimator.physics.constants import PRIORS, Constants
from estimator.physics.matmul import products_s

__all__ = ["EFFECT_SPREAD", "Fit", "LeftOut", "fitted", "lab_weights", "left_out"]

EFFECT_SPREAD: Mapping[str, float] = {
    "device": 0.12,
    "stack": 0.10,
    "tier": 0.08,
    "precision": 0.06,
    "experts": 0.12,
    "experts-stack": 0.08,
    "frozen-base": 0.10,
    "early": 0.04,
    "other-vendor": 0.15,
    "ported": 0.20,
}
"""Prior standard deviation of each kind of effect, in log time. A stack's is known from one to three labs, and most of
what it is off by is theirs: as far as stacks are found to differ beside that, 0.08 to 0.12. Whoever runs a device in
its first years is often its vendor, or has help from there; labs that ran it early and late, or beside an older one,
hardly differ by its age, and what is theirs is not to bend the shape inside labs."""
EFFECT_MEAN: Mapping[str, float] = {"other-vendor": 0.1, "ported": 0.25}
"""Prior mean of a kind of effect where there is a reason for one: kernels and compilers for chips beside NVIDIA's are
younger, and their ceilings are vendors' own benchmarks; ports of CUDA stacks to them lack kernels as well, and reach
half to nine tenths of what the vendors' own stacks do."""
_LAB_SPREAD = 0.1
"""Prior standard deviation of a lab's own level, log time, about that of the levels that are found. Freer ones take
what constants and effects explain: of 0.1, 0.125 and 0.2 the first is best for all others, whichever lab is left out.
"""
_UNSAID_SPREAD = 0.1
"""Prior standard deviation of what a run's unstated micro-batch or split costs it over the best, log time."""
_ALIKE = 0.1
"""Correlation of what a lab's rows are off by beside its level: they share a machine, a release, often all but a width
or a count of devices. Of 0.05, 0.15 and 0.4 the first or the second is best for the others, whichever lab is left
out."""
_HUBER = 0.15
"""Huber threshold, log time: beyond it a row pulls with constant force."""
_ROW_SPREAD = 0.10
"""Noise: standard deviation of a row about its lab's level, log time; it weighs data against priors."""
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
    "shard_overlap",
    "scale_up_fraction",
    "scale_out_fraction",
    "pcie_fraction",
    "gemm_bandwidth",
    "stream_bandwidth",
)
"""Constants that cannot exceed 1."""
_CENTRAL = 3.29
"""Standard deviations between the ends of a normal distribution's central 90 %: 2 · 1.645."""
_ROUNDS, _LEFT_OUT_ROUNDS = 8, 2
"""Gauss-Newton steps from the priors, and from the fit to all rows once a lab is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Maximum a posteriori constants and effects."""

    constants: Constants
    effects: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """The rows of one lab (or fold), and what a fit to all others leaves of every row."""

    out: NDArray[np.bool_]
    fit: Fit
    """To all others."""
    residuals: NDArray[np.float64]
    """Log of measured over predicted time, physics and effects, shape (R,)."""


def lab_weights(labs: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the weight of each row in a fit, shape (R,), where a lab's n rows err alike, correlated by r.

        1 / (1 + r · (n − 1))      no lab counts as more than 1/r rows

    Source: Kish 1965, section 8.2 (design effect of clusters).
    """
    _, inverse, counts = np.unique(labs, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / (1.0 + _ALIKE * (counts[inverse] - 1.0)), dtype=np.float64)


class _Read(dict[str, float]):
    """Constants that note which of them were asked for."""

    def __init__(self, constants: Constants) -> None:
        super().__init__(constants)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> float:
        self.names.add(name)
        return super().__getitem__(name)


class _Problem:
    """Nonlinear least squares in log offsets from the priors' modes, effects and levels beside them."""

    def __init__(self, rows: Table, *, one_lab: bool = False) -> None:
        self.rows = rows
        self.names = tuple(PRIORS)
        self.keys = tuple(sorted({key for keys in rows.effects for key in keys}))
        self.design = np.array([[key in keys for key in self.keys] for keys in rows.effects], dtype=np.float64)
        labs = numbered(rows.labs)
        self.weights = np.ones(len(labs)) if one_lab else lab_weights(labs)
        # Rows of one lab alone need no level: whatever is predicted from them is of the same lab.
        levels = (labs[:, None] == np.unique(labs)[None, :]).astype(np.float64)[:, : 0 if one_lab else None]
        # What a source leaves open was not the best there is. Centred, so that a question is taken for the mean of
        # both: whoever states the layout that was found must be told the same time.
        unsaid = np.array(
            [[run.micro_batch_size is None, run.tensor_parallel is None and run.n_gpus > 1] for run in rows.runs],
            dtype=np.float64,
        )
        self.levels = np.column_stack([levels, unsaid - np.average(unsaid, axis=0, weights=self.weights)])
        self.spread = np.array(
            [math.log(PRIORS[name].high / PRIORS[name].low) / _CENTRAL for name in self.names]
            + [EFFECT_SPREAD[key.split(":")[0]] for key in self.keys]
            + [_LAB_SPREAD] * levels.shape[1]
            + [_UNSAID_SPREAD] * unsaid.shape[1]
        )
        self.mean = np.zeros(len(self.spread))
        for place, key in enumerate(self.keys, start=len(self.names)):
            self.mean[place] = EFFECT_MEAN.get(key.split(":")[0], 0.0)

    def constants(self, offsets: NDArray[np.float64]) -> Constants:
        values = {name: PRIORS[name].mode * math.exp(x) for name, x in zip(self.names, offsets, strict=False)}
        for capped in _SHARES:
            values[capped] = min(values[capped], 1.0)
        return Constants(values)

    def effects(self, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        return offsets[len(self.names) : len(self.names) + len(self.keys)]

    def predicted(self, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log time of an unknown lab, shape (R,)."""
        return physical_log_time(self.rows, self.constants(offsets)) + self.design @ self.effects(offsets)

    def jacobian(self, offsets: NDArray[np.float64]) -> NDArray[np.float64]:
        # Matrix products take most of the time, and few constants move them.
        read = _Read(self.constants(offsets))
        products = products_s(self.rows.case, Constants(read), self.rows.layouts)
        base = physical_log_time(self.rows, self.constants(offsets), products)
        columns: list[NDArray[np.float64]] = []
        for index, name in enumerate(self.names):
            moved = offsets.copy()
            moved[index] += _STEP
            known = None if name in read.names else products
            columns.append((physical_log_time(self.rows, self.constants(moved), known) - base) / _STEP)
        return np.column_stack([*columns, self.design, self.levels])

    def step(
        self, offsets: NDArray[np.float64], jacobian: NDArray[np.float64], use: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        levels = self.levels @ offsets[len(self.names) + len(self.keys) :]
        residual = self.rows.log_measured - self.predicted(offsets) - levels
        pull = self.weights * np.minimum(1.0, _HUBER / np.maximum(np.abs(residual), 1e-9)) * use
        scaled = pull[:, None] * jacobian
        normal = jacobian.T @ scaled / _ROW_SPREAD**2 + np.diag(1.0 / self.spread**2)
        gradient = scaled.T @ residual / _ROW_SPREAD**2 - (offsets - self.mean) / self.spread**2
        return np.asarray(np.linalg.solve(normal, gradient), dtype=np.float64)

    def solved(self, start: NDArray[np.float64], use: NDArray[np.bool_], rounds: int) -> NDArray[np.float64]:
        offsets = start
        for _ in range(rounds):
            move = self.step(offsets, self.jacobian(offsets), use)
            offsets = offsets + np.clip(move, -0.5, 0.5)
        return offsets

    def fit(self, offsets: NDArray[np.float64]) -> Fit:
        effects = {key: float(x) for key, x in zip(self.keys, self.effects(offsets), strict=True)}
        return Fit(constants=self.constants(offsets), effects=effects)

    def whole(self, rounds: int = _ROUNDS) -> NDArray[np.float64]:
        """Return the offsets that fit all rows best."""
        return self.solved(np.zeros(len(self.spread)), np.ones(len(self.rows.runs), dtype=bool), rounds)


def fitted(rows: Table, *, rounds: int = _ROUNDS) -> Fit:
    """Return the constants and effects that fit all of `rows`."""
    problem = _Problem(rows)
    return problem.fit(problem.whole(rounds))


def left_out(
    rows: Table,
    *,
    folds: NDArray[np.intp] | None = None,
    rounds: int = _LEFT_OUT_ROUNDS,
    labs: Collection[str] | None = None,
) -> Iterator[LeftOut]:
    """Yield what fits to all other labs leave of every row, lab by lab; or to all other folds of one lab's rows.

    Of the labs only `labs` are left out, one after the other, all unless given.
    """
    problem = _Problem(rows, one_lab=folds is not None)
    whole = problem.whole()
    groups = numbered(rows.labs) if folds is None else folds
    chosen = np.array([labs is None or lab in labs for lab in rows.labs])
    for label in np.unique(groups[chosen]):
        out = groups == label
        offsets = problem.solved(whole, ~out, rounds)
        yield LeftOut(out=out, fit=problem.fit(offsets), residuals=rows.log_measured - problem.predicted(offsets))
