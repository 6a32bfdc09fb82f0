"""Fit constants and effects to the published runs; write the calibration and what leaving sources out showed."""

import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.accuracy import figures_by_regime  # noqa: E402 - the checkout's own packages come first
from estimator.backtest import Table, physical_log_time, table  # noqa: E402
from estimator.constants import prior_constants  # noqa: E402
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
    predicted = physical_log_time(rows, fit.constants)
    ratios = {run.id: round(float(np.exp(error)), 4) for run, error in zip(rows.runs, errors, strict=True)}
    _write(
        "calibration.json",
        {
            "fitted_on": {"rows": len(rows.runs), "sources": len(set(rows.groups)), "left_out": dict(rows.left_out)},
            "coverage": COVERAGE,
            "constants": {name: float(f"{value:.{DIGITS}g}") for name, value in fit.constants.items()},
            "effects": {key: round(value, DIGITS) for key, value in fit.effects.items()},
            "quantiles": {name: [round(low, 4), round(high, 4)] for name, (low, high) in quantiles.items()},
            "ratios": ratios,
        },
    )
    _write(
        "accuracy.json",
        {
            "error": "|predicted time / measured time - 1|, the whole source of each row left out of the fit",
            "coverage_aimed_at": COVERAGE,
            "rows_fitted_on": len(rows.runs),
            "rows_left_out": len(rows.left_out),
            "fits_memory": round(float(np.mean(rows.memory_share <= 1.0)), 4),
            "covered_in_sample": round(float(np.mean(coverage_of(errors, quantiles, rows.regimes))), 4),
            "regimes": figures_by_regime(rows, errors, inside, width),
        },
    )
    print(f"{len(rows.runs)} rows, residual in sample {np.median(np.abs(predicted)):.3f}")


def _fitted() -> tuple[Table, Fit]:
    constants = prior_constants()
    rows = table(constants)
    fit = fitted(rows)
    for _ in range(ROUNDS):
        rows = table(fit.constants)
        fit = fitted(rows)
    return rows, fit


def _write(name: str, content: dict[str, object]) -> None:
    (DATA / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {name}")


if __name__ == "__main__":
    main()
