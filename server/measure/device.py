"""One device as PyTorch drives it: what can be run on it, and what it says of itself."""

import gc
import importlib
import importlib.util
import platform
from collections.abc import Callable
from typing import Any, Protocol

from server.measure.decoder import plain_step, transformers_step
from server.measure.sizes import Step

__all__ = ["Device", "OutOfMemoryError", "TorchDevice"]

_BF16_FROM = (8, 0)
"""Compute capability of the first NVIDIA chip with BF16 and TF32 units …"""
_FP16_FROM = (7, 0)
_FP8_FROM = (8, 9)
_CPU_BYTES = 4 << 30
"""Of the host's memory, what is used where there is no device: others live there."""


class OutOfMemoryError(Exception):
    """The device cannot hold what was to be run."""


class Device(Protocol):
    """What the measurements need of a device; a call runs its work so many times and waits for its end."""

    name: str
    kind: str
    step_precision: str
    precisions: tuple[str, ...]
    has_transformers: bool

    def free_bytes(self) -> float:
        """Return the memory that is free now."""
        ...

    def matmul(self, precision: str, size: int) -> Callable[[int], None]:
        """Return square matrix products."""
        ...

    def copy(self, size_bytes: int) -> Callable[[int], None]:
        """Return copies on the device."""
        ...

    def step(self, step: Step, trainer: str) -> Callable[[int], None]:
        """Return training steps; raises OutOfMemoryError where they do not fit, then or when run."""
        ...

    def most_allocated_bytes(self) -> float | None:
        """Return the most that was allocated since the last clearing; None where nobody counts."""
        ...

    def clear(self) -> None:
        """Give back what is not in use."""
        ...


class TorchDevice:
    """A GPU of PyTorch's, or the CPU where it has none."""

    def __init__(self) -> None:
        torch: Any = importlib.import_module("torch")
        self._torch = torch
        self._on_gpu = bool(torch.cuda.is_available())
        self._device = "cuda:0" if self._on_gpu else "cpu"
        self.kind = ("rocm" if torch.version.hip else "cuda") if self._on_gpu else "cpu"
        self.name = str(torch.cuda.get_device_name(0)) if self._on_gpu else f"cpu {platform.machine()}"
        self.devices = int(torch.cuda.device_count()) if self._on_gpu else 1
        self.torch_version = str(torch.__version__)
        self.has_transformers = importlib.util.find_spec("transformers") is not None
        self.precisions = self._precisions()
        # Few CPUs have units for less than FP32.
        wanted = ("bf16", "fp16") if self._on_gpu else ()
        self.step_precision: str = next((name for name in wanted if name in self.precisions), "fp32")

    def _precisions(self) -> tuple[str, ...]:
        if not self._on_gpu:
            return ("fp32", "bf16")
        if self.kind == "rocm":
            return ("bf16", "fp16", "fp32")
        has = tuple(self._torch.cuda.get_device_capability(0))
        known = (("bf16", _BF16_FROM), ("fp16", _FP16_FROM), ("fp8", _FP8_FROM), ("tf32", _BF16_FROM), ("fp32", (0, 0)))
        return tuple(name for name, since in known if has >= since)

    def memory_bytes(self) -> float | None:
        """Return the memory of the device; None for the CPU."""
        return float(self._torch.cuda.mem_get_info(0)[1]) if self._on_gpu else None

    def free_bytes(self) -> float:
        """Return the memory that is free now; of a host, a part."""
        return float(self._torch.cuda.mem_get_info(0)[0]) if self._on_gpu else float(_CPU_BYTES)

    def matmul(self, precision: str, size: int) -> Callable[[int], None]:
        """Return square matrix products; FP8 as PyTorch's scaled product has it, with BF16 results."""
        torch = self._torch
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, torch.float32)
        left = torch.randn(size, size, device=self._device).to(half)
        right = torch.randn(size, size, device=self._device).to(half)
        out = torch.empty(size, size, device=self._device, dtype=half)
        if precision == "fp8":
            left8, right8 = left.to(torch.float8_e4m3fn), right.to(torch.float8_e4m3fn).t()
            one = torch.ones((), device=self._device)

            def scaled() -> None:
                torch._scaled_mm(left8, right8, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)  # noqa: SLF001

            return self._waiting(scaled)
        return self._waiting(lambda: torch.mm(left, right, out=out))

    def copy(self, size_bytes: int) -> Callable[[int], None]:
        """Return copies on the device, of FP32 numbers."""
        source = self._torch.ones(size_bytes // 4, device=self._device)
        target = self._torch.empty_like(source)
        return self._waiting(lambda: target.copy_(source))

    def step(self, step: Step, trainer: str) -> Callable[[int], None]:
        """Return training steps by plain PyTorch or by Transformers."""
        torch, precision = self._torch, self.step_precision
        # What people leave as it is: FP32 products where nothing is cast.
        torch.set_float32_matmul_precision("highest")

        def made() -> Callable[[], None]:
            if trainer == "transformers":
                transformers: Any = importlib.import_module("transformers")
                return transformers_step(torch, transformers, self._device, step, precision)
            return plain_step(torch, self._device, step, precision)

        return self._waiting(self._guarded(made)())

    def most_allocated_bytes(self) -> float | None:
        """Return the most that was allocated since the last clearing; None for the CPU."""
        return float(self._torch.cuda.max_memory_allocated(0)) if self._on_gpu else None

    def clear(self) -> None:
        """Give back what is not in use, and count anew."""
        gc.collect()
        if self._on_gpu:
            self._torch.cuda.empty_cache()
            self._torch.cuda.reset_peak_memory_stats(0)

    def _waiting(self, work: Callable[[], object]) -> Callable[[int], None]:
        guarded = self._guarded(work)

        def run(times: int) -> None:
            for _ in range(times):
                guarded()
            if self._on_gpu:
                self._torch.cuda.synchronize()

        return run

    def _guarded(self, work: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:  # noqa: ANN401 - whatever it returns
            try:
                return work()
            except (MemoryError, self._torch.OutOfMemoryError) as error:
                raise OutOfMemoryError(str(error)) from error

        return run
