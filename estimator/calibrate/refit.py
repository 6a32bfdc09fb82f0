"""The calibration and its backtest, worked out anew from the published runs."""

from dataclasses import dataclass

import numpy as np

from estimator.calibrate.accuracy import figures_by_regime, in_sample_log_errors
from estimator.calibrate.backtest import Table, table
from estimator.calibrate.fit import Fit, fitted, left_out_corrected
from estimator.catalogue.shapes import AccuracyFile, CalibrationFile
from estimator.evidence.calibration import calibration_as_written
from estimator.evidence.uncertainty import COVERAGE, coverage_of, left_out_inside, left_out_scales, regime_quantiles
from estimator.physics.constants import prior_constants

__all__ = ["Refit", "refitted"]

_ROUNDS = 2
"""Layouts left open are chosen anew with the fitted constants this many times."""
_DIGITS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """What the two data files hold."""

    calibration: CalibrationFile
    accuracy: AccuracyFile


def refitted() -> Refit:
    """Return constants and effects fitted to all published runs, and their errors with whole sources left out."""
    rows, fit = _fitted()
    errors = left_out_corrected(rows)
    scales = left_out_scales(errors, rows.traits, rows.groups)
    quantiles = regime_quantiles(errors, scales, rows.regimes, rows.groups)
    inside, width = left_out_inside(errors, scales, rows.regimes, rows.groups)
    ratios = {run.id: round(float(np.exp(error)), 4) for run, error in zip(rows.runs, errors, strict=True)}
    calibration: CalibrationFile = {
        "fitted_on": {"rows": len(rows.runs), "sources": len(set(rows.groups)), "left_out": dict(rows.left_out)},
        "coverage": COVERAGE,
        "constants": {name: float(f"{value:.{_DIGITS}g}") for name, value in fit.constants.items()},
        "effects": {key: round(value, _DIGITS) for key, value in fit.effects.items()},
        "quantiles": {name: round(width, 4) for name, width in quantiles.items()},
        "ratios": ratios,
        "residuals": {},
    }
    written = calibration_as_written(calibration)
    in_sample = in_sample_log_errors(table(written.constants), written)
    tokens = np.exp(rows.traits.log_batch)
    calibration["residuals"] = {
        run.id: (round(-float(error), 4), float(f"{share:.{_DIGITS}g}"))
        for run, error, share in zip(rows.runs, in_sample, tokens, strict=True)
    }
    accuracy: AccuracyFile = {
        "error": "|predicted time / measured time - 1|, the whole source of each row left out of the fit",
        "coverage_aimed_at": COVERAGE,
        "rows_fitted_on": len(rows.runs),
        "rows_left_out": len(rows.left_out),
        "fits_memory": round(float(np.mean(rows.memory_share <= 1.0)), 4),
        "covered_in_sample": round(float(np.mean(coverage_of(errors, scales, quantiles, rows.regimes))), 4),
        "median_in_sample": round(float(np.median(np.abs(np.expm1(in_sample)))), 4),
        "regimes": figures_by_regime(rows, errors, inside, width),
    }
    return Refit(calibration=calibration, accuracy=accuracy)


def _fitted() -> tuple[Table, Fit]:
    constants = prior_constants()
    rows = table(constants)
    fit = fitted(rows)
    for _ in range(_ROUNDS):
        rows = table(fit.constants)
        fit = fitted(rows)
    return rows, fit
