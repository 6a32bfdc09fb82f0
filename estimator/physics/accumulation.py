"""How gradients are added up over micro-batches and devices: in how many bytes, by what, and in which buffers."""

from estimator.physics.stacks import Stack
from estimator.question.cluster import Accelerator

__all__ = ["bucket_bytes", "fuses_accumulation", "gradient_bytes"]

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
_IN_BUCKETS = frozenset({"huggingface", "lightning", "llm-foundry", "minimind", "nanogpt", "pytorch", "unsloth"})
"""Stacks, or their kin, that replicate by `DistributedDataParallel` with `gradient_as_bucket_view` as PyTorch has it,
False; Accelerate's and Lightning's strategies and Composer leave it so."""
_VIEWS_OR_OWN = frozenset({"optimum-habana", "nanochat", "modded-nanogpt"})
"""Their kin that do not: gradients that are views, optimizers that reduce."""


def gradient_bytes(stack: Stack, year: int) -> float:
    """Return bytes per gradient in the unsharded accumulation buffer: 4 on stacks that accumulate in FP32."""
    recipe = stack.name in _BF16_ACCUMULATION and year >= _BF16_ACCUMULATION_SINCE
    accumulates = stack.model_parallel and not recipe
    return _ACCUMULATED_GRADIENT_BYTES if accumulates else _GRADIENT_BYTES


def bucket_bytes(stack: Stack, *, wide: bool) -> float:
    """Return bytes per gradient of the flat buckets that DDP reduces, which it holds beside the gradients; 0 elsewhere.

    They are as `wide` as what learns: AMP's gradients of FP32 weights are in FP32.
    Source: torch.nn.parallel.DistributedDataParallel, `gradient_as_bucket_view`: "peak memory usage … saved memory size
    will be equal to the total gradients size" where it is True.
    """
    if stack.name in _VIEWS_OR_OWN or not {stack.name, stack.kin} & _IN_BUCKETS:
        return 0.0
    return 2.0 * _GRADIENT_BYTES if wide else _GRADIENT_BYTES


def fuses_accumulation(stack: Stack, chip: Accelerator, released: float) -> bool:
    """Return whether gradients of weights are added up by the products that make them."""
    fuses = stack.kin in _FUSES_ACCUMULATION and released >= _FUSES_ACCUMULATION_SINCE
    return fuses and chip.vendor == "NVIDIA"
