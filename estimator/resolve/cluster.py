"""The machines that a run has, and what is assumed of them."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import MOST_GPUS, checked_number, checked_whole
from estimator.base.units import BITS_PER_BYTE, GIGA, TERA
from estimator.evidence.usual_networks import plain_node_gbps
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.practice import Transport
from estimator.question.question import Assumption, Caution
from estimator.question.request import Request
from estimator.resolve.device import Device, catalogued_peak_flop_per_s
from estimator.resolve.framework.beside import with_said_beside
from estimator.resolve.framework.named import named_framework
from estimator.resolve.links import linked

__all__ = ["count_doubts", "resolved_cluster", "told_per_node"]

_MOST_NETWORK_GBPS = 1e6
_LARGEST_NODE = 16
"""Devices of the largest usual node, unless the catalogue has a larger one of its kind."""
_SLOW_BYTES_PER_S = 0.5 * GIGA / BITS_PER_BYTE
"""Of a GPU's network, below which somebody may have counted bytes, or a node's port as each of its GPUs' share."""


_CARRIED: Mapping[Transport, tuple[str, str]] = MappingProxyType(
    {
        "rdma": ("RDMA", "adapters write into memory by themselves"),
        "sockets": ("TCP sockets", "hosts copy what is sent, and fall behind more than 25 Gb/s a node"),
        "ethernet": ("Ethernet", "by sockets below about 150 Gb/s a node, as RoCE above, unless said"),
    }
)
"""What is told of each."""


def resolved_cluster(
    request: Request, device: Device, n_gpus: int, *, counts_with_peak: bool = True
) -> tuple[Cluster | None, tuple[Assumption, ...]]:
    """Return the machines and what was assumed of them; None for a card that is not catalogued.

    A peak that is given is the card's in what is predicted, if `counts_with_peak`.
    Raises InvalidValueError for one that is another figure than a dense rate, and larger: no run would reach it; and
    for a count of GPUs that is not that of the kinds named.
    """
    per_node = told_per_node(request)
    network = (
        None
        if request.network_gbps_per_gpu is None
        else checked_number("network_gbps_per_gpu", request.network_gbps_per_gpu, most=_MOST_NETWORK_GBPS, unit="Gb/s")
    )
    accelerator = device.accelerator
    named = sum(pool.count for pool in device.pools)
    if named not in {0, n_gpus}:
        raise InvalidValueError(
            "n_gpus",
            n_gpus,
            f"is not the {named:,} that gpu names; say there how many of each, such as 8 A100 + 16 H100",
        )
    if accelerator is None:
        return None, ()
    if counts_with_peak and request.peak_tflops is not None and _is_predicted(request):
        accelerator = _with_peak(accelerator, device)
    practice = with_said_beside(named_framework(request.framework).practice, request.gpu)
    accelerator, links = linked(accelerator, practice, n_gpus)
    usual = device.node or _shared_out(device, n_gpus) or accelerator.gpus_per_node
    node = min(usual if per_node is None else per_node, n_gpus)
    plain = plain_node_gbps(accelerator, node, practice.transport) if network is None and n_gpus > node else None
    if network is not None:
        scale_out = network * GIGA / BITS_PER_BYTE
    elif plain is not None:
        scale_out = plain / node * GIGA / BITS_PER_BYTE
    else:
        scale_out = accelerator.scale_out_bytes_per_s
    assumptions = [
        Assumption(
            name="gpus_per_node",
            value=node,
            unit="GPUs",
            source="catalogue" if per_node is None else "user",
            note=_node_note(device, node) if per_node is None else "",
        )
    ]
    if n_gpus > node or network is not None:
        used = "" if n_gpus > node else "not used: all are in one node"
        usual_note = (
            "the reference system's"
            if plain is None
            else f"{plain:g} Gb/s a node, the middle of what nodes without the reference system's adapters have"
        )
        assumptions.append(
            Assumption(
                name="network_gbps_per_gpu",
                value=round(scale_out * BITS_PER_BYTE / GIGA, 4),
                unit="Gb/s per GPU",
                source="user" if network is not None else "catalogue" if plain is None else "inferred",
                note=usual_note if network is None else used,
            )
        )
    if n_gpus > node and (transport := practice.transport) is not None:
        value, note = _CARRIED[transport]
        assumptions.append(Assumption(name="network_transport", value=value, source="user", note=note))
    cluster = Cluster(accelerator=accelerator, n_gpus=n_gpus, gpus_per_node=node, scale_out_bytes_per_s=scale_out)
    return cluster, (*assumptions, *links)


def told_per_node(request: Request) -> int | None:
    """Return the devices of a node that the caller gave; None where they gave none.

    Raises InvalidValueError for what is no such number.
    """
    if request.gpus_per_node is None:
        return None
    return checked_whole("gpus_per_node", request.gpus_per_node, most=MOST_GPUS)


def count_doubts(device: Device, n_gpus: int, cluster: Cluster | None = None) -> tuple[Caution, ...]:
    """Return warnings where the name of the device counts others than `n_gpus` are, or a network is hardly one.

    And where a part of a machine is used.
    """
    return (*_other_counts(device, n_gpus), *_slow_network(cluster))


def _slow_network(cluster: Cluster | None) -> tuple[Caution, ...]:
    if cluster is None or cluster.n_gpus <= cluster.gpus_per_node or cluster.scale_out_bytes_per_s >= _SLOW_BYTES_PER_S:
        return ()
    each, node = cluster.scale_out_bytes_per_s * BITS_PER_BYTE / GIGA, cluster.gpus_per_node
    message = (
        f"network_gbps_per_gpu counts gigabits a second for each GPU, and {each:g} makes {each * node:g} for a node of "
        f"{node:,}: a port of 1 GbE has 1 for the whole node, one of 10 GbE has 10, and 1 GB/s is 8"
    )
    return (Caution(code="network_slow", message=message),)


def _other_counts(device: Device, n_gpus: int) -> tuple[Caution, ...]:
    count, node = device.count, device.node or device.rack
    if device.slice_of is not None and count is not None:
        return _other_slice(count, device.slice_of, n_gpus)
    if count is not None and node is not None:
        if n_gpus == count * node or (device.counts_either and n_gpus == count):
            return ()
        named = f"{count:,} machines of {node:,}, {count * node:,} GPUs in all,"
    elif count is not None and count != n_gpus and not _are_nodes(device, count, n_gpus):
        named = f"{count:,}"
    elif device.machines is not None and _shared_out(device, n_gpus) is None:
        named = f"{device.machines:,} machines"
    elif node is not None and n_gpus % node and not _is_part_of_rack(device, n_gpus):
        named = f"a machine of {node:,}"
    else:
        return ()
    if node is None or n_gpus >= node:
        return (_disagrees(named, n_gpus),)
    machines = f"{n_gpus:,} machine{'s' if n_gpus > 1 else ''}"
    remedy = f"; if {machines} {'are' if n_gpus > 1 else 'is'} meant, say n_gpus {n_gpus * node:,}"
    part = f"gpu names {named} and n_gpus counts GPUs, {n_gpus:,} of them here"
    return (Caution(code="gpu_count_disagrees", message=part + remedy),)


def _are_nodes(device: Device, count: int, n_gpus: int) -> bool:
    """Return whether `count` is what a node has, of which `n_gpus` are several: `8x H100` with 64."""
    chip = device.accelerator
    return chip is not None and count == chip.gpus_per_node and n_gpus % count == 0


def _disagrees(named: str, n_gpus: int, remedy: str = "") -> Caution:
    message = f"gpu names {named} and n_gpus says {n_gpus:,}: n_gpus is counted with, and time goes with it{remedy}"
    return Caution(code="gpu_count_disagrees", message=message)


def _shared_out(device: Device, n_gpus: int) -> int | None:
    """Return the devices of each machine that was counted without them; None where they would not be a node's."""
    machines = device.machines
    if machines is None or n_gpus % machines or device.accelerator is None:
        return None
    each = n_gpus // machines
    return each if each <= max(_LARGEST_NODE, device.accelerator.gpus_per_node) else None


def _is_part_of_rack(device: Device, n_gpus: int) -> bool:
    """Return whether at least one node is counted of a rack, parts of which are rented and known by its name."""
    chip = device.accelerator
    return device.rack is not None and chip is not None and n_gpus >= chip.gpus_per_node


def _other_slice(chips: int, number: int, n_gpus: int) -> tuple[Caution, ...]:
    if n_gpus == chips:
        return ()
    held = f"{chips:,} chip{'s' if chips > 1 else ''}" + (f" ({number:,} cores)" if number != chips else "")
    message = (
        f"gpu names a slice of {held} and n_gpus says {n_gpus:,}: n_gpus is counted with, in chips, and time goes "
        f"with it; if that slice is meant, say n_gpus {chips}"
    )
    return (Caution(code="gpu_count_disagrees", message=message),)


def _node_note(device: Device, node: int) -> str:
    if device.node is not None:
        return f"the machine that gpu names holds {device.node}"
    if device.machines is not None:
        return f"gpu names {device.machines:,} machines"
    return "the usual node" if device.accelerator and node == device.accelerator.gpus_per_node else ""


def _is_predicted(request: Request) -> bool:
    return request.utilization is None and request.observed_tokens_per_second is None


def _with_peak(accelerator: Accelerator, device: Device) -> Accelerator:
    """Return the card with the given peak in the precision in use, and its other matrix rates in proportion.

    Raises InvalidValueError where the peak is a larger figure for something else.
    """
    share = device.peak_flop_per_s / catalogued_peak_flop_per_s(accelerator, device.precision)
    if share > 1.0 and device.warnings:
        reason = device.warnings[0].message.removeprefix("peak_tflops: ")
        raise InvalidValueError(
            "peak_tflops",
            round(device.peak_flop_per_s / TERA, 4),
            f"would not be reached: {reason}; leave it out to be predicted, or give utilization with it",
        )
    return replace(
        accelerator,
        peak_flop_per_s={name: share * rate for name, rate in accelerator.peak_flop_per_s.items()},
        training_peak_flop_per_s=share * accelerator.training_peak_flop_per_s,
        measured_matmul_flop_per_s={
            name: share * rate for name, rate in accelerator.measured_matmul_flop_per_s.items()
        },
    )
