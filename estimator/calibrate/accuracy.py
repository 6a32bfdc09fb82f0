"""The backtest in figures: how far predictions were from what was measured, whole labs left out, by kind of run."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from estimator.calibrate.backtest import Table, physical_log_time
from estimator.catalogue import catalogue
from estimator.catalogue.calibration_shapes import FiguresRow
from estimator.evidence.calibration import Calibration
from estimator.evidence.correction import numbered
from estimator.physics.effects import bit_class
from estimator.physics.layout import Floats
from estimator.physics.stacks import STACKS

__all__ = ["centred", "error_pair", "figures_by_kind", "in_sample_log_errors", "kinds"]


def figures(
    log_errors: NDArray[np.float64], inside: NDArray[np.bool_], width: NDArray[np.float64], labs: Sequence[str]
) -> FiguresRow:
    """Return the error |predicted/measured − 1| of the rows in figures, with coverage and width of their ranges."""
    error = np.abs(np.expm1(log_errors))
    codes = numbered(labs)
    median, p90 = error_pair(log_errors)
    return {
        "rows": len(error),
        "labs": len(np.unique(codes)),
        "median": median,
        "p90": p90,
        "labs_alike": round(float(np.mean([np.median(error[codes == code]) for code in np.unique(codes)])), 4),
        "bias": round(float(np.median(log_errors)), 4),
        "covered": round(float(np.mean(inside)), 4),
        "labs_covered": round(float(np.mean([inside[codes == code].mean() for code in np.unique(codes)])), 4),
        "range_width": round(float(np.median(width)), 3),
    }


def error_pair(log_errors: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median and the 90 % quantile of |predicted/measured − 1|."""
    error = np.abs(np.expm1(log_errors))
    return round(float(np.median(error)), 4), round(float(np.quantile(error, 0.9)), 4)


def centred(log_errors: NDArray[np.float64], labs: Sequence[str]) -> NDArray[np.float64]:
    """Return the log errors less their lab's mean, of labs with more than one row: what is wrong beside the level."""
    codes = numbered(labs)
    means = np.bincount(codes, weights=log_errors) / np.bincount(codes)
    several = np.bincount(codes)[codes] > 1
    return np.asarray((log_errors - means[codes])[several])


def kinds(rows: Table) -> dict[str, NDArray[np.bool_]]:
    """Return which rows belong to each kind of run that accuracy is reported for; a row may be of several."""
    runs = rows.runs
    chips = [catalogue.accelerator(run.accelerator_id).value.accelerator for run in runs]
    tier = np.array([STACKS[run.stack].tier for run in runs])
    moe = np.array([run.transformer.experts is not None for run in runs])
    adapters = np.array([run.method in {"lora", "qlora"} for run in runs])
    bits = np.array([bit_class(run.precision) for run in runs])
    nvidia = np.array([run.lab == "NVIDIA" for run in runs])
    return {
        "all": np.ones(len(runs), dtype=bool),
        "all but NVIDIA's own": ~nvidia,
        "vendor-tuned pretraining": (tier == "tuned") & ~adapters,
        "research stacks": tier == "research",
        "Hugging Face and other untuned, full": (tier == "untuned") & ~adapters,
        "LoRA and QLoRA": adapters,
        "LoRA and QLoRA, untuned and research": adapters & (tier != "tuned"),
        "experts": moe,
        "consumer and workstation cards": np.array([chip.segment != "datacenter" for chip in chips]),
        "other vendors": np.array([chip.vendor != "NVIDIA" for chip in chips]),
        "8-bit": bits == "8-bit",
        "4-bit": bits == "4-bit",
    }


def in_sample_log_errors(rows: Table, calibration: Calibration) -> Floats:
    """Return the log of predicted over measured time of every row with the calibration that was fitted to it.

    Physics and effects alone: neither the kriged correction nor the second opinion.
    """
    effects = np.array([sum(calibration.effects.get(key, 0.0) for key in keys) for keys in rows.effects])
    return np.asarray(physical_log_time(rows, calibration.constants) + effects - rows.log_measured, dtype=np.float64)


def figures_by_kind(
    rows: Table, log_errors: NDArray[np.float64], inside: NDArray[np.bool_], width: NDArray[np.float64]
) -> dict[str, FiguresRow]:
    """Return the figures of every kind that has rows."""
    labs = np.array(rows.labs)
    return {
        name: figures(log_errors[mask], inside[mask], width[mask], list(labs[mask]))
        for name, mask in kinds(rows).items()
        if mask.any()
    }
