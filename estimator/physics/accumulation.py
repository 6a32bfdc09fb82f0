"""How gradients of micro-batches are added up: in how many bytes, and by what."""

from estimator.physics.stacks import Stack
from estimator.question.cluster import Accelerator

__all__ = ["fuses_accumulation", "gradient_bytes"]

_GRADIENT_BYTES = 2.0
_ACCUMULATED_GRADIENT_BYTES = 4.0
"""Megatron and what grew out of it accumulate gradients in FP32 (Narayanan et al. 2021; SimuMax's peaks of 2026), the
recipes of NeMo since 2024 in BF16. Elsewhere a gradient is held as its weight is: with 12 bytes of optimizer that makes
PyTorch's 16 a parameter, whether weights are in FP32 or in BF16 with a copy."""
_BF16_ACCUMULATION_SINCE = 2024
_BF16_ACCUMULATION = frozenset({"nemo", "mlperf"})
_FUSES_ACCUMULATION = frozenset({"megatron", "nemo", "mlperf", "llm.c"})
_FUSES_ACCUMULATION_SINCE = 2022
"""Stacks on NVIDIA's chips, and the year from which, whose gradients of weights are added up by the products that make
them (Megatron's `gradient_accumulation_fusion`, Transformer Engine's `fuse_wgrad_accumulation`, `accumulate` of llm.c's
`matmul_cublaslt`); scripts for other vendors' chips turn it off."""


def gradient_bytes(stack: Stack, year: int) -> float:
    """Return bytes per gradient in the unsharded accumulation buffer: 4 on stacks that accumulate in FP32."""
    recipe = stack.name in _BF16_ACCUMULATION and year >= _BF16_ACCUMULATION_SINCE
    accumulates = stack.model_parallel and not recipe
    return _ACCUMULATED_GRADIENT_BYTES if accumulates else _GRADIENT_BYTES


def fuses_accumulation(stack: Stack, chip: Accelerator, released: float) -> bool:
    """Return whether gradients of weights are added up by the products that make them."""
    fuses = stack.kin in _FUSES_ACCUMULATION and released >= _FUSES_ACCUMULATION_SINCE
    return fuses and chip.vendor == "NVIDIA"
