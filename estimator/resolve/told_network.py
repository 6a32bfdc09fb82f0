"""The network between nodes as told in words: what carries bytes, and a port's rate as each device's share."""

from dataclasses import dataclass

from estimator.base.inputs import MOST_GPUS, checked_whole_count
from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.question.practice import Practice
from estimator.question.question import Caution
from estimator.question.request import Request
from estimator.resolve.cluster import told_per_node
from estimator.resolve.device import resolved_device
from estimator.resolve.framework.named import named_framework

__all__ = ["ToldNetwork", "network_contradicted", "told_network_share"]

_ALIKE = 1.1
"""Times as fast as what is told that an argument may be, and still mean it."""
_OF_A_NODE = 2.0
"""Times a device's network in its reference system from which on a rate is a whole node's: clouds tell theirs so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldNetwork:
    """Gb/s that each device has of a network told in words, and how those were read."""

    gbps_per_device: float
    caution: Caution


def told_network_share(request: Request, practice: Practice) -> ToldNetwork | None:
    """Return what each device has of the network told in `practice`.

    None where nothing is told, the device is not catalogued, or all devices are in one node.
    Whose a port is that has no owner, its rate tells: adapters for each device are as fast as in reference systems, and
    slower ones are a node's only one.
    """
    gbps = practice.network_gbps
    if gbps is None:
        return None
    device = resolved_device(request)
    accelerator = device.accelerator
    if accelerator is None:
        return None
    n_gpus = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    node = _node(request, accelerator.gpus_per_node)
    if n_gpus <= node:
        return None
    reference = accelerator.scale_out_bytes_per_s * BITS_PER_BYTE / GIGA
    each = practice.network_of
    if each is None and practice.network_ports is None:
        each = "device" if reference <= gbps < _OF_A_NODE * reference else "node"
    ports = practice.network_ports or 1
    share = gbps * ports if each == "device" else gbps * ports / node
    read = f"{ports} x {gbps:g} Gb/s" if ports > 1 else f"{gbps:g} Gb/s"
    whose = "for each GPU" if each == "device" else f"for a node of {node:,}"
    other = f"{gbps * ports:g} if each GPU has its own" if each != "device" else f"{gbps / node:g} if a node shares it"
    beside = "" if practice.network_of or node == 1 else f"; say network_gbps_per_gpu {other}"
    teller = "gpu" if named_framework(request.framework).practice.network_gbps is None else "framework"
    message = f"{teller} tells of a network: {read} {whose}, so {share:.4g} Gb/s a GPU, is counted{beside}"
    return ToldNetwork(gbps_per_device=share, caution=Caution(code="network_from_framework", message=message))


def network_contradicted(request: Request, practice: Practice) -> tuple[Caution, ...]:
    """Return that the argument for the network is taken where `practice` tells another, whosever its ports are."""
    told = told_network_share(request, practice)
    given, device = request.network_gbps_per_gpu, resolved_device(request).accelerator
    if told is None or device is None or not isinstance(given, int | float) or given <= 0.0:
        return ()
    port, node = practice.network_gbps or 0.0, _node(request, device.gpus_per_node)
    ports = practice.network_ports or 1
    if practice.network_ports is None and practice.network_of is None:
        # `HDR100` names what ports are of, and the argument how many there are.
        ports = max(1, round(given * node / port))
    if any(1.0 / _ALIKE <= given / reading <= _ALIKE for reading in (told.gbps_per_device, port * ports / node)):
        return ()
    message = (
        f"framework tells of a network of {told.gbps_per_device:.4g} Gb/s a GPU, but the argument's "
        f"network_gbps_per_gpu {given:g} is taken"
    )
    return (Caution(code="framework_contradicted", message=message),)


def _node(request: Request, usual: int) -> int:
    """Return the devices of a node, as told, as its machine has, or as usual."""
    return told_per_node(request) or resolved_device(request).node or usual
