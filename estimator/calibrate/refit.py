"""The calibration, its backtest and further tables, worked out anew from all that was published."""

from dataclasses import dataclass

import numpy as np

from estimator.calibrate.accuracy import centred, error_pair, figures_by_kind, in_sample_log_errors
from estimator.calibrate.backtest import Table, table
from estimator.calibrate.fit import Fit, fitted
from estimator.calibrate.kinds import fitted_kinds, kind_errors, kind_tables
from estimator.calibrate.opinions import fitted_shares, opinions_left_out
from estimator.calibrate.people import answered_threads, people_figures
from estimator.calibrate.people_left_out import answers_left_out
from estimator.calibrate.people_level import PEOPLE_SLOWNESS, misses, people_slowness
from estimator.calibrate.tables_fitted import all_tables
from estimator.catalogue.calibration_shapes import AccuracyFile, CalibrationFile, TablesFile
from estimator.evidence.calibration import calibration_as_written, standing_in
from estimator.evidence.correction import kriging_weights, numbered
from estimator.evidence.reach import left_out_beyond
from estimator.evidence.uncertainty import COVERAGE, holds, left_out_half_widths, regime_quantiles
from estimator.physics.constants import prior_constants

__all__ = ["Refit", "refitted"]

_ROUNDS = 2
"""Layouts left open are chosen anew with the fitted constants this many times."""
_DIGITS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """What the three data files hold."""

    calibration: CalibrationFile
    accuracy: AccuracyFile
    tables: TablesFile


def refitted() -> Refit:
    """Return what is fitted to all published runs, its errors with whole labs left out, and those on further tables."""
    calibration, accuracy = _of_decoders()
    others = kind_errors(calibration_as_written(calibration))
    levels = fitted_kinds(others)
    calibration["kinds"], calibration["manners"], calibration["kind_runs"] = levels.kinds, levels.manners, levels.runs
    written = calibration_as_written(calibration)
    # What answers are made of asks for the committed constants by itself.
    with standing_in(written):
        tables = all_tables(written)
        tables["tables"] += kind_tables(others)
        tables["people"] = people_figures(answered_threads(), answers_left_out(written))
    return Refit(calibration=calibration, accuracy=accuracy, tables=tables)


def _of_decoders() -> tuple[CalibrationFile, AccuracyFile]:
    """Return constants and effects fitted to all published runs of decoders, and their errors with labs left out."""
    rows, fit = _fitted()
    opinions = opinions_left_out(rows)
    errors = opinions.blend
    quantiles = regime_quantiles(errors, rows.spreads, rows.regimes, rows.labs)
    beyond = left_out_beyond(rows.traits, [run.n_gpus for run in rows.runs], rows.labs)
    halves = left_out_half_widths(errors, rows.spreads, rows.regimes, rows.labs, beyond)
    labs = numbered(rows.labs)
    shares = fitted_shares(rows.features, rows.log_needed - rows.log_measured, labs)
    calibration: CalibrationFile = {
        "fitted_on": {"rows": len(rows.runs), "labs": len(set(rows.labs)), "left_out": dict(rows.left_out)},
        "coverage": COVERAGE,
        "constants": {name: _rounded(value) for name, value in fit.constants.items()},
        "effects": {key: round(value, _DIGITS) for key, value in fit.effects.items()},
        "shares": {name: round(value, _DIGITS) for name, value in shares.items()},
        "quantiles": {name: round(quantile, 4) for name, quantile in quantiles.items()},
        "ratios": {run.id: round(float(np.exp(error)), 4) for run, error in zip(rows.runs, errors, strict=True)},
        "residuals": {},
    }
    written = calibration_as_written(calibration)
    served = table(written.constants)
    residuals = -in_sample_log_errors(served, written)
    weights = kriging_weights(served.traits, residuals, numbered(served.labs))
    tokens = np.exp(served.traits.log_batch)
    calibration["residuals"] = {
        run.id: (round(float(residual), 4), _rounded(float(batch)), _rounded(float(weight)))
        for run, residual, batch, weight in zip(served.runs, residuals, tokens, weights, strict=True)
    }
    found = misses(calibration_as_written(calibration))
    calibration["constants"][PEOPLE_SLOWNESS] = _rounded(people_slowness(found))
    accuracy: AccuracyFile = {
        "error": "|predicted time / measured time - 1|, the whole lab of each row left out of all that was fitted",
        "coverage_aimed_at": COVERAGE,
        "rows_fitted_on": len(rows.runs),
        "rows_left_out": len(rows.left_out),
        "fits_memory": round(float(np.mean(rows.memory_share <= 1.0)), 4),
        "median_in_sample": round(float(np.median(np.abs(np.expm1(-residuals)))), 4),
        "centred": error_pair(centred(errors, rows.labs)),
        "opinions": {
            "physics": error_pair(opinions.physics),
            "second opinion": error_pair(opinions.share),
            "blend": error_pair(opinions.blend),
        },
        "regimes": figures_by_kind(rows, errors, holds(errors, halves), np.exp(2.0 * halves)),
    }
    return calibration, accuracy


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _fitted() -> tuple[Table, Fit]:
    constants = prior_constants()
    rows = table(constants)
    fit = fitted(rows)
    for _ in range(_ROUNDS):
        rows = table(fit.constants)
        fit = fitted(rows)
    return rows, fit
