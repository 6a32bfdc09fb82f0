"""The best matmul rate of a device by precision: measured, or its datasheet's times what its relatives reach."""

from estimator.question.cluster import Accelerator

__all__ = ["matmul_ceiling_flop_per_s"]

_CEILING_SHARE = {"cdna2": 0.75, "cdna3": 0.58, "cdna4": 0.65, "tpu": 0.95, "trainium": 0.85, "gaudi": 0.9}
"""Measured matmul rate over the datasheet's dense peak by family, for devices that nobody measured."""
_USUAL_CEILING_SHARE = {"datacenter": 0.82, "workstation": 0.85, "consumer": 0.95}
_LOW_BIT_CEILING_SHARE = {"fp8": 0.74, "mxfp8": 0.72, "nvfp4": 0.62, "int8": 0.85}
"""Median of measured over rated 8-bit matmuls; 4-bit by the same trend."""


def matmul_ceiling_flop_per_s(accelerator: Accelerator, precision: str) -> float:
    """Return the achievable GEMM rate of the device at `precision`, measured on large matrices where anybody did.

    Else the datasheet's dense peak times the share that devices of its family or segment reach.
    """
    measured = accelerator.measured_matmul_flop_per_s
    peaks = accelerator.peak_flop_per_s
    half = peaks.get("bf16") or peaks.get("fp16") or accelerator.training_peak_flop_per_s
    half_measured = measured.get("bf16") or measured.get("fp16")
    if precision in {"bf16", "fp16"}:
        if half_measured:
            return half_measured
        share = _CEILING_SHARE.get(accelerator.family, _USUAL_CEILING_SHARE[accelerator.segment])
        return share * (peaks.get(precision) or accelerator.training_peak_flop_per_s)
    if precision in measured:
        return measured[precision]
    if precision == "mxfp8" and "fp8" in measured:
        return measured["fp8"]
    if precision in {"tf32", "fp32"}:
        share = (half_measured or 0.85 * half) / half
        return share * peaks.get(precision, peaks.get("fp32", half / 16))
    peak = peaks.get(precision) or peaks.get("fp8") or half
    if precision == "int8":
        peak = max(peak, half * 2)
    share = _LOW_BIT_CEILING_SHARE[precision]
    if accelerator.segment != "datacenter":
        share = min(1.0, share * 1.25)
    elif accelerator.family in _CEILING_SHARE:
        share = _CEILING_SHARE[accelerator.family]
    return share * peak
