"""Errors on tables of measurements with constants fitted from their priors to the rest of the same table."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from estimator.calibrate.backtest import Table, table
from estimator.calibrate.benchmarks import CLASSICS, SWEEP, calibrated_tables, entry, layout_loss, published
from estimator.calibrate.fit import left_out
from estimator.calibrate.memory_backtest import memory_tables, peak_errors, verdicts
from estimator.calibrate.own_lab import left_out_errors, own_lab_tables
from estimator.calibrate.whole_runs import whole_runs
from estimator.catalogue import catalogue
from estimator.catalogue.calibration_shapes import TableRow, TablesFile
from estimator.catalogue.measured_steps import measured_steps
from estimator.catalogue.published import PublishedRun
from estimator.evidence.calibration import Calibration
from estimator.physics.constants import prior_constants
from estimator.physics.layout import Floats

__all__ = ["all_tables"]

_FOLDS = 5
_SEED = 0
_FOUNDRY = "llm-foundry's tables"


def all_tables(calibration: Calibration) -> TablesFile:
    """Return the figures of every table: with the constants of `calibration`, and with fits of the table's own."""
    rows = [
        *calibrated_tables(calibration, whole_runs(calibration)),
        *_classics(),
        *_sweep(),
        *_foundry(),
        *memory_tables(verdicts(), peak_errors(calibration.constants)),
        *own_lab_tables(left_out_errors(calibration, table(calibration.constants))),
    ]
    return {
        "error": "|predicted time / measured time - 1|; of layouts: measured time of the one predicted to be the "
        "fastest / that of the fastest - 1; of memory: |predicted / published - 1|",
        "tables": sorted(rows, key=lambda row: [other["name"] for other in rows].index(row["name"])),
        "people": {},
    }


def _classics() -> Iterator[TableRow]:
    """Yield both tables of Megatron's papers with one set of constants fitted to them, each row left out in turn."""
    rows = _alone(published("|".join(CLASSICS.values())))
    errors = np.expm1(_fold_errors(rows, np.arange(len(rows.runs))))
    for name, pattern in CLASSICS.items():
        ids = {run.id for run in published(pattern)}
        chosen = np.array([run.id in ids for run in rows.runs])
        yield entry(name, "step time", "each row, in a fit to both papers", errors[chosen])


def _sweep() -> Iterator[TableRow]:
    rows = _alone(measured_steps()["vtrain-single"])
    errors = _fold_errors(rows, _folds(len(rows.runs)))
    yield entry(SWEEP, "step time", "each fifth, in a fit to it", np.expm1(errors))
    yield entry(f"layouts of {SWEEP}", "time lost", "each fifth, in a fit to it", layout_loss(rows, errors))


def _foundry() -> Iterator[TableRow]:
    rows = _alone([run for run in catalogue.runs() if run.group == "mosaicml/llm-foundry"])
    devices = np.unique([run.accelerator_id for run in rows.runs], return_inverse=True)[1]
    for what, folds in (
        ("each device, in a fit to the others", devices),
        ("each fifth, in a fit to it", _folds(len(rows.runs))),
    ):
        yield entry(_FOUNDRY, "step time", what, np.expm1(_fold_errors(rows, folds)))


def _alone(runs: Sequence[PublishedRun]) -> Table:
    return table(prior_constants(), runs)


def _fold_errors(rows: Table, folds: NDArray[np.intp]) -> Floats:
    """Return the log of predicted over measured time of each row, its fold left out of a fit to the others alone."""
    errors = np.empty(len(rows.runs))
    for fold in left_out(rows, folds=folds):
        errors[fold.out] = -fold.residuals[fold.out]
    return errors


def _folds(n: int) -> NDArray[np.intp]:
    """Return the fold of each of `n` rows, at random, the same at each call."""
    return np.asarray(np.random.default_rng(_SEED).permutation(n) % _FOLDS, dtype=np.intp)
