"""A prediction held to what its devices were ever measured to execute: no evidence makes a device faster."""

from dataclasses import replace

from estimator.evidence.uncertainty import Interval
from estimator.models.flops import flop_counts
from estimator.physics.choice import Setting
from estimator.physics.layout import Layouts

__all__ = ["held_to_ceiling"]


def held_to_ceiling(
    setting: Setting, best: Layouts, factor: float, span: Interval, physical_s: float
) -> tuple[float, Interval]:
    """Return `factor` on physical step time and its range, of which neither is faster than the device.

        step ≥ batch · length · FLOPs executed per token / (devices · measured matmul rate)

    Physical time keeps to that by itself; a correction learned on other runs need not. Where nobody measured the
    device, the point keeps to what its relatives reach of their datasheets, and the range to its own.
    """
    question, case = setting.question, setting.case
    executed = flop_counts(
        question.transformer,
        sequence_length=question.sequence_length,
        method=question.method,
        recompute=best.row(0).recompute,
    ).hardware
    tokens = setting.global_batch * question.sequence_length
    chip, precision, ceiling = question.cluster.accelerator, question.precision, float(case.gemm_flop_per_s)
    fastest = ceiling
    if precision not in chip.measured_matmul_flop_per_s:
        fastest = max(ceiling, chip.peak_flop_per_s.get(precision, chip.training_peak_flop_per_s))
    executed_flop_per_gpu = tokens * executed / question.cluster.n_gpus
    factor = max(factor, executed_flop_per_gpu / (ceiling * physical_s))
    least = executed_flop_per_gpu / (fastest * physical_s * factor)
    return factor, replace(span, low=max(span.low, min(1.0, least)))
