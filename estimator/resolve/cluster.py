"""The machines that a run has, and what is assumed of them."""

from estimator.base.inputs import MOST_GPUS, checked_number, checked_whole
from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.question.cluster import Cluster
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.device import Device

__all__ = ["resolved_cluster"]

_MOST_NETWORK_GBPS = 1e6


def resolved_cluster(request: Request, device: Device, n_gpus: int) -> tuple[Cluster | None, tuple[Assumption, ...]]:
    """Return the machines and what was assumed of them; None for a card that is not catalogued."""
    per_node = (
        None if request.gpus_per_node is None else checked_whole("gpus_per_node", request.gpus_per_node, most=MOST_GPUS)
    )
    network = (
        None
        if request.network_gbps_per_gpu is None
        else checked_number("network_gbps_per_gpu", request.network_gbps_per_gpu, most=_MOST_NETWORK_GBPS, unit="Gb/s")
    )
    accelerator = device.accelerator
    if accelerator is None:
        return None, ()
    node = min(accelerator.gpus_per_node if per_node is None else per_node, n_gpus)
    scale_out = accelerator.scale_out_bytes_per_s if network is None else network * GIGA / BITS_PER_BYTE
    assumptions = [
        Assumption(
            name="gpus_per_node",
            value=node,
            unit="GPUs",
            source="catalogue" if per_node is None else "user",
            note="the usual node" if per_node is None and node == accelerator.gpus_per_node else "",
        )
    ]
    if n_gpus > node:
        assumptions.append(
            Assumption(
                name="network_gbps_per_gpu",
                value=round(scale_out * BITS_PER_BYTE / GIGA, 4),
                unit="Gb/s per GPU",
                source="catalogue" if network is None else "user",
                note="the reference system's" if network is None else "",
            )
        )
    cluster = Cluster(accelerator=accelerator, n_gpus=n_gpus, gpus_per_node=node, scale_out_bytes_per_s=scale_out)
    return cluster, tuple(assumptions)
