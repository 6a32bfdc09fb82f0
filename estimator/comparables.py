"""The published runs most like a question, each with our own prediction over its measurement."""

import math
from functools import cache

from estimator import catalogue
from estimator.calibration import Calibration
from estimator.flops import flop_counts
from estimator.pricing import Setting
from estimator.published import PublishedRun
from estimator.question import Comparable, Method
from estimator.stacks import STACKS
from estimator.workload import workload

__all__ = ["comparable_runs"]

_MOST = 8
_OTHER_FAMILY, _OTHER_CHIP, _OTHER_PRECISION, _OTHER_METHOD = 4.0, 0.7, 1.2, 3.0
_OTHER_STACK, _OTHER_TIER, _OTHER_EXPERTS = 0.5, 1.0, 2.5
"""Distances in e-folds of size: what makes runs unlike, by how much it moves utilization in the published ones."""


@cache
def _features() -> tuple[tuple[PublishedRun, str, str, float], ...]:
    rows: list[tuple[PublishedRun, str, str, float]] = []
    for run in catalogue.runs():
        if run.tokens_per_second_per_gpu is not None:
            chip = catalogue.accelerator(run.accelerator_id).value.accelerator
            rows.append((run, chip.family, chip.segment, math.log(workload(run.transformer).active_parameters)))
    return tuple(rows)


def comparable_runs(of: Setting, known: Calibration) -> tuple[Comparable, ...]:
    """Return the nearest published runs, at most eight, nearest first, no two of the same source and model.

    Distance: e-folds of active parameters, half those of device count and sequence length, and a constant for every
    other chip, precision, method, stack and kind of model.
    """
    question = of.question
    chip = question.cluster.accelerator
    size = math.log(workload(question.transformer).active_parameters)
    moe, frozen = question.transformer.experts is not None, question.method.name != "full"

    def distance(run: PublishedRun, family: str, segment: str, run_size: float) -> float:
        return (
            abs(run_size - size)
            + 0.4 * abs(math.log(run.n_gpus / question.cluster.n_gpus))
            + 0.3 * abs(math.log(run.sequence_length / question.sequence_length))
            + _OTHER_FAMILY * ((family, segment) != (chip.family, chip.segment))
            + _OTHER_CHIP * (run.accelerator_id != chip.id)
            + _OTHER_PRECISION * (run.precision != question.precision)
            + _OTHER_METHOD * ((run.method != "full") != frozen)
            + _OTHER_EXPERTS * ((run.transformer.experts is not None) != moe)
            + _OTHER_STACK * (run.stack != of.stack.name)
            + _OTHER_TIER * (STACKS[run.stack].tier != of.stack.tier)
        )

    nearest: list[Comparable] = []
    seen: set[tuple[str, str, str]] = set()
    for run, *_ in sorted(_features(), key=lambda row: distance(*row)):
        key = (run.group, run.transformer.name, run.accelerator_id)
        if key in seen:
            continue
        seen.add(key)
        nearest.append(_comparable(run, known))
        if len(nearest) == _MOST:
            break
    return tuple(nearest)


def _comparable(run: PublishedRun, known: Calibration) -> Comparable:
    chip = catalogue.accelerator(run.accelerator_id).value.accelerator
    speed = run.tokens_per_second_per_gpu or 0.0
    flop = flop_counts(run.transformer, sequence_length=run.sequence_length, method=Method(name=run.method)).model
    peak = chip.peak_flop_per_s.get(run.precision, chip.training_peak_flop_per_s)
    digits = max(0, 3 - math.floor(math.log10(speed)) - 1)
    return Comparable(
        name=f"{run.id}: {run.transformer.name}, {run.framework} {run.year}, {run.precision}, "
        f"sequence {run.sequence_length:,}",
        gpu=run.accelerator_id,
        n_gpus=run.n_gpus,
        published=f"{round(speed, digits):,.10g} tokens/s per GPU ({speed * flop / peak:.0%} MFU)",
        predicted_over_published=known.ratios.get(run.id),
        source=run.source,
    )
