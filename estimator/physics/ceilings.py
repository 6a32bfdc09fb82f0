"""The best matmul rate of a device by precision: measured, or its datasheet's times what its relatives reach."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.base.prior import Prior
from estimator.question.cluster import Accelerator

__all__ = [
    "convolution_precision",
    "grouped_ceiling_flop_per_s",
    "half_precision",
    "matmul_ceiling_flop_per_s",
    "on_shaders",
    "peak_flop_per_s",
]

_HALVES = ("bf16", "fp16")
_WIDE = ("tf32", "fp32")

_CEILING_SHARE = {
    "apple": 0.75, "rdna2": 0.75, "cdna2": 0.75, "cdna3": 0.58, "cdna4": 0.65, "tpu": 0.95, "trainium": 0.85,
    "gaudi": 0.9,
}  # fmt: skip
"""Measured matmul rate over the datasheet's dense peak by family, for devices that nobody measured. Apple's: prefill of
a 7B in FP16 by Metal kernels, from an M1 Max to an M3 Max (ggml-org/llama.cpp, discussion 4167); RDNA 2, which has no
matrix units either, is judged by it."""
_USUAL_CEILING_SHARE = {"datacenter": 0.82, "workstation": 0.85, "consumer": 0.95}
"""The same by segment. A GeForce sums in FP32 at half its units' rate, and they then draw too little to slow it."""
_USUAL_W_S_PER_FLOP: Mapping[str, float] = MappingProxyType({"TU10": 2.2e-12, "GA10": 1.94e-12, "GB20": 1.19e-12})
"""Rated power over the dense 16-bit rate, by chip, of the full-rate cards that are cooled for it: Quadro RTX 6000 and
8000; RTX A6000, A40 and A5000; RTX PRO 6000 of 600 W."""
_OTHER_CHIPS = "GA100"
_POWER_EXPONENT = Prior(
    low=0.2,
    mode=0.5,
    high=0.8,
    why="Of the rate that is sustained on a card's power: voltage falls with the clock. Measured against a sister of "
    "more power on the same chip: A100 PCIe 0.2, H100 PCIe 0.45, H100 NVL 0.6, T4 0.8",
)
_LOW_BIT_CEILING_SHARE = {"fp8": 0.74, "mxfp8": 0.72, "nvfp4": 0.62, "int8": 0.85}
"""Median of measured over rated 8-bit matmuls; 4-bit by the same trend."""
_SAME = 1.05
_WITHOUT_MATRIX_UNITS = frozenset({"kepler", "maxwell", "pascal"})
_SHADER_CEILING_SHARE = 0.93
"""Of matmuls outside matrix units, which draw too little power to slow the clock of a card that has all that its chip
asks for: SGEMM on V100 reaches 14.6 of 15.7 TFLOPS where half precision reaches three quarters (Markidis et al. 2018,
figure 6). A T4's 70 W are half of what its chip asks for, in any precision."""
_KEPLER_CEILING_SHARE = 0.73
"""The same on Kepler, whose schedulers must pair instructions to feed all units: NVIDIA rates SGEMM at 2.9 of 3.95
TFLOPS on a K20X, and at 2.6 of 3.5 on a K20 (Tesla brochures; from memory)."""
_DOUBLED_FAMILIES, _DOUBLED_FROM = frozenset({"ampere", "ada", "blackwell"}), 0.1
_DOUBLED_CEILING_SHARE = 0.62
"""The same where every other FP32 unit shares its way with integers and both are fed as one was before: cuBLAS' SGEMM
reaches 23.2 of 38.7 TFLOPS on an RTX A6000 (siboehm/SGEMM_CUDA, README), 14.7 of 21.8 on an RTX 3070 Ti, 47.6 of 82.6
on an RTX 4090. Those are chips for graphics of these families: their FP32 peak is a tenth of the 16-bit one or more."""


_TWIN = {"bf16": "fp16", "fp16": "bf16", "mxfp8": "fp8"}
"""The precision whose measurement speaks for another: the same units, scaled by their datasheet rates."""


def half_precision(accelerator: Accelerator, precision: str) -> str:
    """Return the 16-bit precision beside matmuls in `precision`: itself, else bf16 where the device has it."""
    if precision in _HALVES:
        return precision
    return next((half for half in _HALVES if half in accelerator.peak_flop_per_s), accelerator.training_precision)


def matmul_ceiling_flop_per_s(accelerator: Accelerator, precision: str) -> float:
    """Return the achievable GEMM rate of the device at `precision`, measured on large matrices where anybody did.

    Else the datasheet's dense peak of that precision times the share of it that the same units reached in another, or
    that devices of its family or segment reach.
    """
    measured, peaks = accelerator.measured_matmul_flop_per_s, accelerator.peak_flop_per_s
    if precision in measured:
        return measured[precision]
    peak = peak_flop_per_s(accelerator, precision)
    twin = _TWIN.get(precision, "")
    if twin in measured and twin in peaks:
        return measured[twin] / peaks[twin] * peak
    if on_shaders(accelerator, precision):
        return peak * _shader_share(accelerator) * _sustained(accelerator)
    usual = _CEILING_SHARE.get(accelerator.family, _usual_share(accelerator))
    if precision in _HALVES:
        return usual * peak
    if precision in _WIDE:
        half = next((half for half in _HALVES if half in measured and half in peaks), None)
        # Boost clocks carry measured 16-bit rates past some datasheets; nobody showed that for wider operands.
        return peak * (0.85 if half is None else min(measured[half] / peaks[half], 1.0))
    share = _LOW_BIT_CEILING_SHARE[precision]
    if accelerator.segment != "datacenter":
        share = min(1.0, share * 1.25)
    elif accelerator.family in _CEILING_SHARE:
        share = usual
    return share * peak


def _usual_share(accelerator: Accelerator) -> float:
    """Return the share of its peak that a card nobody measured reaches: its segment's, less where its power is less."""
    if accelerator.vendor != "NVIDIA" or not _sums_at_full_rate(accelerator):
        return _USUAL_CEILING_SHARE[accelerator.segment]
    share = min(_USUAL_CEILING_SHARE[accelerator.segment], _USUAL_CEILING_SHARE["workstation"])
    return share * _sustained(accelerator)


def _sustained(accelerator: Accelerator) -> float:
    """Return the share of its clock that a card's power sustains, of one whose sister on the chip keeps all of it.

    min(1, power / usual power of so many FLOP/s on the chip) ^ exponent; 1 where no sister is known.
    """
    chip = accelerator.architecture
    usual = next((watts for of_chip, watts in _USUAL_W_S_PER_FLOP.items() if of_chip in chip), None)
    if usual is None or _OTHER_CHIPS in chip or not _sums_at_full_rate(accelerator):
        return 1.0
    power = accelerator.tdp_w / (usual * accelerator.training_peak_flop_per_s)
    sustained: float = min(1.0, power) ** _POWER_EXPONENT.mode
    return sustained


def _sums_at_full_rate(accelerator: Accelerator) -> bool:
    """Return whether 16-bit products are as fast with sums in FP32 as in FP16: not on a GeForce."""
    accumulate = accelerator.fp16_accumulate_flop_per_s
    return accumulate is not None and accumulate <= _SAME * accelerator.training_peak_flop_per_s


def on_shaders(accelerator: Accelerator, precision: str) -> bool:
    """Say whether matmuls in `precision` run outside matrix units, which on these devices have none of its kind."""
    return accelerator.vendor == "NVIDIA" and (precision == "fp32" or accelerator.family in _WITHOUT_MATRIX_UNITS)


def _shader_share(accelerator: Accelerator) -> float:
    if accelerator.family == "kepler":
        return _KEPLER_CEILING_SHARE
    return _DOUBLED_CEILING_SHARE if _is_doubled(accelerator) else _SHADER_CEILING_SHARE


def _is_doubled(accelerator: Accelerator) -> bool:
    peaks = accelerator.peak_flop_per_s
    half = max((peaks[half] for half in _HALVES if half in peaks), default=0.0)
    return accelerator.family in _DOUBLED_FAMILIES and peaks.get("fp32", 0.0) > _DOUBLED_FROM * half > 0.0


def convolution_precision(accelerator: Accelerator, precision: str) -> str:
    """Return what convolutions run in beside matmuls in `precision`.

    No framework narrows them below 16 bits, and all let TF32 stand in for FP32 there unless told otherwise (PyTorch's
    `torch.backends.cudnn.allow_tf32`, which is on, where that of matmuls is off).
    """
    if precision in _WIDE:
        return "tf32" if "tf32" in accelerator.peak_flop_per_s else precision
    return half_precision(accelerator, precision)


def grouped_ceiling_flop_per_s(accelerator: Accelerator, precision: str) -> float:
    """Return the achievable rate of convolutions whose groups have few channels, such as those over positions.

    GPUs' libraries have no kernels on matrix units for them: in 16 bits they are as fast as in 32.
    """
    if accelerator.vendor == "NVIDIA":
        return _SHADER_CEILING_SHARE * peak_flop_per_s(accelerator, "fp32")
    return matmul_ceiling_flop_per_s(accelerator, "fp32" if accelerator.vendor == "AMD" else precision)


def peak_flop_per_s(accelerator: Accelerator, precision: str) -> float:
    """Return the datasheet's dense peak; of what the device lacks, that of what stands in for it."""
    peaks = accelerator.peak_flop_per_s
    if precision in peaks:
        return peaks[precision]
    half = peaks.get(half_precision(accelerator, precision), accelerator.training_peak_flop_per_s)
    if precision in _WIDE:
        return peaks.get("fp32", half / 16)
    if precision == "int8":
        return max(peaks.get("fp8", half), half * 2)
    return half if precision in _HALVES else peaks.get("fp8", half)
