"""The published runs most like a question, each with our own prediction over its measurement."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.calibration import Calibration
from estimator.models.flops import flop_counts
from estimator.models.training import Method
from estimator.models.workload import workload
from estimator.physics.choice import Setting
from estimator.physics.stacks import STACKS
from estimator.question.cluster import Accelerator
from estimator.question.question import Comparable

__all__ = ["comparable_runs"]

_MOST = 8
_OTHER_FAMILY, _OTHER_CHIP, _OTHER_PRECISION, _OTHER_METHOD = 4.0, 0.7, 1.2, 3.0
_OTHER_STACK, _OTHER_TIER, _OTHER_EXPERTS = 0.5, 1.0, 2.5
"""Distances in e-folds of size: what makes runs unlike, by how much it moves utilization in the published ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Published:
    """The runs with a measured speed, and what tells them apart as arrays of shape (R,)."""

    runs: tuple[PublishedRun, ...]
    families: NDArray[np.str_]
    """Family and segment of the device."""
    chips: NDArray[np.str_]
    precisions: NDArray[np.str_]
    stacks: NDArray[np.str_]
    tiers: NDArray[np.str_]
    frozen: NDArray[np.bool_]
    experts: NDArray[np.bool_]
    log_size: NDArray[np.float64]
    log_gpus: NDArray[np.float64]
    log_length: NDArray[np.float64]


@cache
def _published() -> _Published:
    runs = tuple(run for run in catalogue.runs() if run.tokens_per_second_per_gpu is not None)
    chips = [catalogue.accelerator(run.accelerator_id).value.accelerator for run in runs]
    return _Published(
        runs=runs,
        families=np.array([_family(chip) for chip in chips]),
        chips=np.array([run.accelerator_id for run in runs]),
        precisions=np.array([run.precision for run in runs]),
        stacks=np.array([run.stack for run in runs]),
        tiers=np.array([STACKS[run.stack].tier for run in runs]),
        frozen=np.array([run.method != "full" for run in runs]),
        experts=np.array([run.transformer.experts is not None for run in runs]),
        log_size=np.log([workload(run.transformer).active_parameters for run in runs]),
        log_gpus=np.log([run.n_gpus for run in runs]),
        log_length=np.log([run.sequence_length for run in runs]),
    )


def _family(chip: Accelerator) -> str:
    return f"{chip.family} {chip.segment}"


def comparable_runs(of: Setting, known: Calibration) -> tuple[Comparable, ...]:
    """Return the nearest published runs, at most eight, nearest first, no two of the same source and model.

    Distance: e-folds of active parameters, half those of device count and sequence length, and a constant for every
    other chip, precision, method, stack and kind of model.
    """
    question, rows = of.question, _published()
    chip = question.cluster.accelerator
    size = math.log(workload(question.transformer).active_parameters)
    distance = (
        np.abs(rows.log_size - size)
        + 0.4 * np.abs(rows.log_gpus - math.log(question.cluster.n_gpus))
        + 0.3 * np.abs(rows.log_length - math.log(question.sequence_length))
        + _OTHER_FAMILY * (rows.families != _family(chip))
        + _OTHER_CHIP * (rows.chips != chip.id)
        + _OTHER_PRECISION * (rows.precisions != question.precision)
        + _OTHER_METHOD * (rows.frozen != (question.method.name != "full"))
        + _OTHER_EXPERTS * (rows.experts != (question.transformer.experts is not None))
        + _OTHER_STACK * (rows.stacks != of.stack.kin)
        + _OTHER_TIER * (rows.tiers != of.stack.tier)
    )
    nearest: list[Comparable] = []
    seen: set[tuple[str, str, str]] = set()
    # Rounded, so that rows as near as each other stay in the catalogue's order on any processor.
    order: list[int] = distance.round(9).argsort(kind="stable").tolist()
    for run in (rows.runs[index] for index in order):
        key = (run.group, run.transformer.name, run.accelerator_id)
        if key in seen:
            continue
        seen.add(key)
        nearest.append(_comparable(run, known))
        if len(nearest) == _MOST:
            break
    return tuple(nearest)


def _comparable(run: PublishedRun, known: Calibration) -> Comparable:
    return Comparable(
        name=f"{run.id}: {run.transformer.name}, {run.framework} {run.year}, {run.precision}, "
        f"sequence {run.sequence_length:,}",
        gpu=run.accelerator_id,
        n_gpus=run.n_gpus,
        published=_as_published(run),
        predicted_over_published=known.ratios.get(run.id),
        source=run.source,
    )


@cache
def _as_published(run: PublishedRun) -> str:
    """Return what was published of a run, in the form of an answer."""
    chip = catalogue.accelerator(run.accelerator_id).value.accelerator
    speed = run.tokens_per_second_per_gpu or 0.0
    flop = flop_counts(run.transformer, sequence_length=run.sequence_length, method=Method(name=run.method)).model
    peak = chip.peak_flop_per_s.get(run.precision, chip.training_peak_flop_per_s)
    digits = max(0, 3 - math.floor(math.log10(speed)) - 1)
    return f"{round(speed, digits):,.10g} tokens/s per GPU ({speed * flop / peak:.0%} MFU)"
