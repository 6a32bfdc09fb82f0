"""Fit constants and effects to the published runs; write the calibration and what leaving sources out showed."""

import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.accuracy import figures_by_regime, in_sample_log_errors  # noqa: E402 - the checkout's own packages come first
from estimator.backtest import Table, table  # noqa: E402
from estimator.calibration import calibration_as_written  # noqa: E402
from estimator.constants import prior_constants  # noqa: E402
from estimator.files import AccuracyFile, CalibrationFile  # noqa: E402
from estimator.fit import Fit, fitted, left_out_log_errors  # noqa: E402
from estimator.uncertainty import COVERAGE, coverage_of, left_out_inside, regime_quantiles  # noqa: E402

DATA = ROOT / "estimator" / "data"
ROUNDS = 2
"""Layouts left open are chosen anew with the fitted constants this many times."""
DIGITS = 5


def main() -> None:
    """Fit, judge, write."""
    rows, fit = _fitted()
    errors = left_out_log_errors(rows)
    quantiles = regime_quantiles(errors, rows.regimes, rows.groups)
    inside, width = left_out_inside(errors, rows.regimes, rows.groups)
    ratios = {run.id: round(float(np.exp(error)), 4) for run, error in zip(rows.runs, errors, strict=True)}
    calibration: CalibrationFile = {
        "fitted_on": {"rows": len(rows.runs), "sources": len(set(rows.groups)), "left_out": dict(rows.left_out)},
        "coverage": COVERAGE,
        "constants": {name: float(f"{value:.{DIGITS}g}") for name, value in fit.constants.items()},
        "effects": {key: round(value, DIGITS) for key, value in fit.effects.items()},
        "quantiles": {name: (round(low, 4), round(high, 4)) for name, (low, high) in quantiles.items()},
        "ratios": ratios,
    }
    accuracy: AccuracyFile = {
        "error": "|predicted time / measured time - 1|, the whole source of each row left out of the fit",
        "coverage_aimed_at": COVERAGE,
        "rows_fitted_on": len(rows.runs),
        "rows_left_out": len(rows.left_out),
        "fits_memory": round(float(np.mean(rows.memory_share <= 1.0)), 4),
        "covered_in_sample": round(float(np.mean(coverage_of(errors, quantiles, rows.regimes))), 4),
        "median_in_sample": _median_in_sample(calibration),
        "regimes": figures_by_regime(rows, errors, inside, width),
    }
    _write("calibration.json", calibration)
    _write("accuracy.json", accuracy)
    print(f"{len(rows.runs)} rows, median error {accuracy['median_in_sample']:.3f} with none left out")


def _fitted() -> tuple[Table, Fit]:
    constants = prior_constants()
    rows = table(constants)
    fit = fitted(rows)
    for _ in range(ROUNDS):
        rows = table(fit.constants)
        fit = fitted(rows)
    return rows, fit


def _median_in_sample(written: CalibrationFile) -> float:
    """Return the median error with the constants as written, so that the tests can work it out again."""
    known = calibration_as_written(written)
    errors = in_sample_log_errors(table(known.constants), known)
    return round(float(np.median(np.abs(np.expm1(errors)))), 4)


def _write(name: str, content: CalibrationFile | AccuracyFile) -> None:
    (DATA / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {name}")


if __name__ == "__main__":
    main()
