"""A prediction held to what its devices were ever measured to execute: no evidence makes a device faster."""

import math
from dataclasses import replace

from estimator.evidence.reached import BETTER, reached
from estimator.evidence.uncertainty import Interval
from estimator.models.flops import flop_counts
from estimator.models.kinds import measured_as
from estimator.physics.choice import Setting
from estimator.physics.layout import Layouts
from estimator.question.cluster import Accelerator
from estimator.question.question import Question

__all__ = ["dense_peak_at", "held_to_ceiling", "measured_rate_at", "reachable_share"]

_HALF = ("bf16", "fp16")


def held_to_ceiling(
    setting: Setting, best: Layouts, factor: float, span: Interval, physical_s: float, *, to_reached: bool = True
) -> tuple[float, Interval]:
    """Return `factor` on physical step time and its range, of which neither is faster than the device.

        step ≥ batch · length · FLOPs executed per token / (devices · measured matmul rate)

    Nor, unless not `to_reached`, is the range's fast end faster than any run has been, and somewhat more:

        fast end ≥ batch · length · FLOPs that the model needs per token / (devices · measured matmul rate · share)

    Physical time keeps to that by itself; a correction learned on other runs need not. Where nobody measured the
    device, the point keeps to what its relatives reach of their datasheets, and the range to its own.
    """
    question, case = setting.question, setting.case
    counts = flop_counts(
        question.transformer,
        sequence_length=question.sequence_length,
        method=question.method,
        recompute=best.row(0).recompute,
    )
    tokens = setting.global_batch * question.sequence_length
    chip, precision, ceiling = question.cluster.accelerator, question.precision, float(case.gemm_flop_per_s)
    fastest = ceiling
    if precision not in chip.measured_matmul_flop_per_s:
        fastest = max(ceiling, chip.peak_flop_per_s.get(precision, chip.training_peak_flop_per_s))
    tokens_per_gpu = tokens / question.cluster.n_gpus
    executed_flop_per_gpu = tokens_per_gpu * counts.hardware
    factor = max(factor, executed_flop_per_gpu / (ceiling * physical_s))
    least_s = executed_flop_per_gpu / fastest
    measured = measured_rate_at(chip, precision)
    if measured is not None and to_reached:
        least_s = max(least_s, tokens_per_gpu * counts.model / (measured * reachable_share(question)))
    return factor, replace(span, low=max(span.low, min(1.0, least_s / (physical_s * factor))))


def reachable_share(question: Question) -> float:
    """Return of its devices' measured matmul rate what the best published run came to, and somewhat more, at most 1.

    Infinity where none tells: for a model that is no decoder, or a device whose rate nobody measured.
    """
    chip = question.cluster.accelerator
    if measured_rate_at(chip, question.precision) is None or measured_as(question.transformer) != "decoder":
        return math.inf
    return min(1.0, BETTER.mode * reached().share)


def measured_rate_at(chip: Accelerator, precision: str) -> float | None:
    """Return the best FLOP/s that matrix products were measured at; None where nobody measured them.

    One unit serves both half precisions, on some chips at different rates: what was measured of one tells the other.
    """
    measured = chip.measured_matmul_flop_per_s.get(precision)
    if measured is None and precision in _HALF:
        half = next((half for half in _HALF if half in chip.measured_matmul_flop_per_s), None)
        if half is not None:
            by_datasheet = dense_peak_at(chip, precision) / dense_peak_at(chip, half)
            return chip.measured_matmul_flop_per_s[half] * by_datasheet
    return measured


def dense_peak_at(chip: Accelerator, precision: str) -> float:
    """Return the datasheet's dense FLOP/s in a precision; of one that it does not list, that of usual training."""
    if precision == chip.training_precision:
        return chip.training_peak_flop_per_s
    return chip.peak_flop_per_s.get(precision, chip.training_peak_flop_per_s)
