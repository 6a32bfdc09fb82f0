"""Rates that were measured on the caller's device, in place of the catalogue's."""

from dataclasses import replace

from estimator.base.errors import UnknownNameError
from estimator.base.prior import Prior
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.question.cluster import Accelerator
from estimator.question.profile import Profile, Rates

__all__ = ["COPY_SHARE", "is_catalogued", "is_profiled", "names_profiled", "with_rates"]

COPY_SHARE = Prior(
    low=0.8,
    mode=0.9,
    high=0.95,
    why="Rate of a large copy on the device over the datasheet's, which the step-time model counts with: refresh and "
    "turning between reads and writes take the rest. Elementwise kernels inside a step reach 0.7 to 0.95 of it "
    "(`stream_bandwidth`), and a copy is among the best of them.",
)


def is_catalogued(gpu: str) -> bool:
    """Return whether the catalogue has a device of that name."""
    return _id(gpu) is not None


def is_profiled(accelerator: Accelerator, profile: Profile) -> bool:
    """Return whether `profile` is of machines with that device."""
    return profile.gpu is not None and _id(profile.gpu) == accelerator.id


def names_profiled(gpu: str, profile: Profile) -> bool:
    """Return whether `gpu` names the device of `profile`; one that nobody catalogued by the very same name."""
    if profile.gpu is None:
        return False
    known = _id(gpu)
    return gpu.strip() == profile.gpu.strip() if known is None else known == _id(profile.gpu)


def _id(name: str) -> str | None:
    try:
        return catalogue.accelerator(name).value.accelerator.id
    except UnknownNameError:
        return None


def with_rates(accelerator: Accelerator, rates: Rates) -> Accelerator:
    """Return `accelerator` as it was measured: what was not measured stays as catalogued.

        datasheet bandwidth = copy / share a copy reaches
        link = bus bandwidth of the all-reduce / share that collectives reach of such a link

    so that the model's own shares lead back to what was measured. The datasheet's peak stays: utilization is of it.
    """
    constants = committed_calibration().constants
    share = "scale_up_fraction"
    if accelerator.scale_up_kind == "pcie":
        share = "pcie_host_fraction" if accelerator.segment == "consumer" else "pcie_fraction"
    copied, reduced = rates.copy_bytes_per_s, rates.all_reduce_bytes_per_s
    return replace(
        accelerator,
        measured_matmul_flop_per_s={**accelerator.measured_matmul_flop_per_s, **dict(rates.matmul_flop_per_s)},
        memory_bandwidth_bytes_per_s=accelerator.memory_bandwidth_bytes_per_s
        if copied is None
        else copied / COPY_SHARE.mode,
        scale_up_bytes_per_s=accelerator.scale_up_bytes_per_s if reduced is None else reduced / constants[share],
    )
