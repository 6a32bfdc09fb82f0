"""The backtest in figures: how far left-out predictions were from what was measured, by regime."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from estimator.calibrate.backtest import Table, physical_log_time
from estimator.catalogue.shapes import FiguresRow
from estimator.evidence.calibration import Calibration
from estimator.physics.effects import bit_class
from estimator.physics.layout import Floats
from estimator.physics.stacks import STACKS

__all__ = ["figures_by_regime", "in_sample_log_errors", "labels"]


def figures(
    log_errors: NDArray[np.float64], inside: NDArray[np.bool_], width: NDArray[np.float64], groups: Sequence[str]
) -> FiguresRow:
    """Return the error |predicted/measured − 1| of the rows in figures, with coverage and width of their ranges."""
    error = np.abs(np.expm1(log_errors))
    return {
        "rows": len(error),
        "sources": len(set(groups)),
        "mean": round(float(np.mean(error)), 4),
        "median": round(float(np.median(error)), 4),
        "p90": round(float(np.quantile(error, 0.9)), 4),
        "bias": round(float(np.median(log_errors)), 4),
        "covered": round(float(np.mean(inside)), 4),
        "range_width": round(float(np.median(width)), 3),
    }


def labels(rows: Table) -> dict[str, NDArray[np.bool_]]:
    """Return which rows belong to each regime that accuracy is reported for."""
    runs = rows.runs
    moe = np.array([run.transformer.experts is not None for run in runs])
    frozen = np.array([run.method != "full" for run in runs])
    tier = np.array([STACKS[run.stack].tier for run in runs])
    bits = np.array([bit_class(run.precision) for run in runs])
    half, eight, four = bits == "16-bit", bits == "8-bit", bits == "4-bit"
    return {
        "all": np.ones(len(runs), dtype=bool),
        "dense": ~moe,
        "dense 16-bit": ~moe & half & ~frozen,
        "dense 8-bit": ~moe & eight & ~frozen,
        "dense 4-bit": ~moe & four & ~frozen,
        "experts": moe,
        "experts 16-bit": moe & half,
        "experts 8-bit": moe & eight,
        "adapters": frozen,
        "tuned stacks": tier == "tuned",
        "research stacks": tier == "research",
        "untuned stacks": tier == "untuned",
    }


def in_sample_log_errors(rows: Table, calibration: Calibration) -> Floats:
    """Return the log of predicted over measured time of every row with the calibration that was fitted to it."""
    effects = np.array([sum(calibration.effects.get(key, 0.0) for key in keys) for keys in rows.effects])
    return np.asarray(physical_log_time(rows, calibration.constants) + effects - rows.log_measured, dtype=np.float64)


def figures_by_regime(
    rows: Table, log_errors: NDArray[np.float64], inside: NDArray[np.bool_], width: NDArray[np.float64]
) -> dict[str, FiguresRow]:
    """Return the figures of every regime that has rows."""
    groups = np.array(rows.groups)
    return {
        name: figures(log_errors[mask], inside[mask], width[mask], list(groups[mask]))
        for name, mask in labels(rows).items()
        if mask.any()
    }
