"""Rates that were measured on the caller's device, in place of the catalogue's."""

from dataclasses import replace

from estimator.base.errors import UnknownNameError
from estimator.base.prior import Prior
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.question.cluster import Accelerator
from estimator.question.profile import Profile, Rates

__all__ = ["COPY_SHARE", "is_profiled", "with_rates"]

COPY_SHARE = Prior(
    low=0.8,
    mode=0.9,
    high=0.95,
    why="Rate of a large copy on the device over the datasheet's, which the step-time model counts with: refresh and "
    "turning between reads and writes take the rest. Elementwise kernels inside a step reach 0.7 to 0.95 of it "
    "(`stream_bandwidth`), and a copy is among the best of them.",
)


def is_profiled(accelerator: Accelerator, profile: Profile) -> bool:
    """Return whether `profile` is of machines with that device."""
    if profile.gpu is None:
        return False
    try:
        return catalogue.accelerator(profile.gpu).value.accelerator.id == accelerator.id
    except UnknownNameError:
        return False


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
