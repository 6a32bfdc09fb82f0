"""The caller's own machines: what always holds of them, and what was measured on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Goodput", "Profile", "Rates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Best rates of one device, each measured alone; None where nobody measured it."""

    matmul_flop_per_s: tuple[tuple[str, float], ...] = ()
    """By precision: the fastest of the sizes tried."""
    copy_bytes_per_s: float | None = None
    """Bytes read and written by a large copy on the device."""
    all_reduce_bytes_per_s: float | None = None
    """Bus bandwidth of one device among all of the machine: 2 · (n − 1) / n · size / time."""

    def __bool__(self) -> bool:
        """Return whether anything was measured."""
        return bool(self.matmul_flop_per_s or self.copy_bytes_per_s or self.all_reduce_bytes_per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodput:
    """How often a run is interrupted, and what each time costs; None is what is usual."""

    interval_s: float | None = None
    """Mean time between interruptions of the whole run: failures, or machines taken back."""
    restart_s: float | None = None
    """From an interruption to the first step after it."""
    checkpoint_s: float | None = None
    """That training waits for one checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What need not be said again of the caller's machines; None is what the profile does not tell."""

    name: str
    date: str
    """Day of the measurement, or of the last edit: 2026-11-26; may be empty."""
    digest: str
    """Of everything in it: two profiles with one digest are the same."""
    gpu: str | None = None
    """As the catalogue or the driver calls it."""
    n_gpus: int | None = None
    gpus_per_node: int | None = None
    network_gbps_per_gpu: float | None = None
    price_per_gpu_hour: str | float | None = None
    framework: str | None = None
    rates: Rates = Rates()
    goodput: Goodput | None = None
    remark: str = ""
    """What else was noted of the measured device: its power limit where it is not the usual one."""
    runs: tuple[Mapping[str, object], ...] = field(default=(), compare=False, repr=False)
    """Measured steps, each as the arguments of an estimate, with `tokens_per_second`."""
