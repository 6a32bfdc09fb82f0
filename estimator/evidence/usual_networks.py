"""Which networks the nodes have of those who name none, by how machines with such devices are sold and rented.

Whoever denies the adapters that a reference system's network is made of, or names Ethernet or sockets in their place,
has not its speed either: then the middle of what such nodes have is assumed.
"""

from collections.abc import Mapping
from itertools import accumulate
from types import MappingProxyType

from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.physics.transport import is_on_board, on_boards
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.practice import Transport

__all__ = ["other_networks", "plain_networks", "plain_node_gbps"]

_QUARTER = 1.0 / 4.0
"""Clouds' own networks over those of reference systems: a node of A100 has 1,600 Gb/s in the vendor's and in most
clouds and 400 in the largest, one of H100 3,200 and 800."""
_OF_BOARDS = {100.0: 0.12, 25.0: 0.06}
"""Share by a node's Gb/s where devices share a board and its links, on two nodes: such nodes are sold and rented with
one adapter for each device or two. A cloud had 100 Gb/s for A100, and so have nodes that are rented singly; 25 is what
sockets leave where a container does not see the adapters."""
_QUARTER_OF_BOARDS = 0.25
_OF_SLOTS = {100.0: 0.5, 25.0: 0.25}
"""The same of datacenter cards in slots, which clouds rent with 25 to 100 Gb/s a node and hardly any with more."""
_OF_OWN = {25.0: 0.3, 10.0: 0.35, 1.0: 0.1}
"""The same of machines of one's own: an office's network, or a card bought for it."""
_BESIDE_FAST = 1.0 / 4.0
"""Times the share of slower networks where the reference system has a fast one: such nodes are dear, and whoever has
them sees to it that they can train together."""
_FAST_GBPS = 400.0
"""A device's network in reference systems from H100 on."""
_REMOTE_ACCESS_GBPS = 100.0
"""The slowest node's network that is sold with adapters which write into memory by themselves, but for a few."""
_WHOLE = 1.0
_ETHERNET_OF_BOARDS: Mapping[float, float] = MappingProxyType({_WHOLE: 0.15, _QUARTER: 0.3, 100.0: 0.35, 25.0: 0.2})
"""Of those with devices on boards who say that what joins their nodes is Ethernet, or no InfiniBand, the share by a
node's Gb/s, or, up to 1, by what part of the reference system's it has. Few have RoCE as fast as that and do not call
it so; clouds' own networks are no InfiniBand, and 100 and 25 Gb/s are what a server has as it is bought or rented."""
_ETHERNET_OF_FAST: Mapping[float, float] = MappingProxyType({_WHOLE: 0.3, _QUARTER: 0.4, 100.0: 0.2, 25.0: 0.1})
"""The same of dear nodes: several clouds join them by RoCE at full speed, and two by networks of their own of 800."""
_SOCKETS_OF_BOARDS: Mapping[float, float] = MappingProxyType({_QUARTER: 0.25, 100.0: 0.5, 25.0: 0.25})
"""The same where sockets carry bytes: the adapters of a reference system are not bought for that."""
_ETHERNET_OF_SLOTS: Mapping[float, float] = MappingProxyType({_WHOLE: 0.15, 100.0: 0.55, 25.0: 0.3})
_SOCKETS_OF_SLOTS: Mapping[float, float] = MappingProxyType({100.0: 0.65, 25.0: 0.35})
"""The same of datacenter cards in slots, by `_OF_SLOTS`."""
_OF_ADAPTERS = frozenset({"nvlink", "xgmi", "pcie"})
"""Links of devices whose reference systems have InfiniBand or RoCE between nodes; others have networks of their own."""


def other_networks(cluster: Cluster, transport: Transport | None) -> tuple[tuple[float, float], ...]:
    """Return bytes a second and device of each slower network that nodes like these have, with the share that has it.

    Shares fall with the square of the nodes, for whoever has many bought them to train together.
    """
    node = cluster.gpus_per_node
    if cluster.n_gpus <= max(node, cluster.scale_up_domain):
        return ()
    few = min(1.0, (2.0 * node / cluster.n_gpus) ** 2)
    least = _REMOTE_ACCESS_GBPS if transport == "rdma" else 0.0
    slower = {gbps: share for gbps, share in _slower(cluster).items() if gbps >= least}
    speeds = {gbps * GIGA / BITS_PER_BYTE / node: few * share for gbps, share in slower.items()}
    return tuple((speed, share) for speed, share in speeds.items() if speed < cluster.scale_out_bytes_per_s)


def _slower(cluster: Cluster) -> dict[float, float]:
    """Return the share of those with two nodes by their Gb/s, the fastest first."""
    chip = cluster.accelerator
    if chip.segment != "datacenter":
        return _OF_OWN
    if not on_boards(cluster):
        return _OF_SLOTS
    device_gbps = chip.scale_out_bytes_per_s * BITS_PER_BYTE / GIGA
    quarter = _QUARTER * device_gbps * cluster.gpus_per_node
    kept = _BESIDE_FAST if device_gbps >= _FAST_GBPS else 1.0
    slower = {gbps: kept * share for gbps, share in _OF_BOARDS.items()}
    return {quarter: kept * _QUARTER_OF_BOARDS, **{gbps: share for gbps, share in slower.items() if gbps < quarter}}


def plain_networks(chip: Accelerator, node: int, transport: Transport | None) -> tuple[tuple[float, float], ...]:
    """Return Gb/s of a node and the share of those who say `transport` that has it, the fastest first.

    None unless they deny the adapters that the network of the device's reference system is made of, or name what has
    none, and that network is faster than a server's usual one.
    """
    if transport not in {"ethernet", "sockets"} or chip.segment != "datacenter":
        return ()
    if chip.scale_up_kind not in _OF_ADAPTERS:
        return ()
    device_gbps = chip.scale_out_bytes_per_s * BITS_PER_BYTE / GIGA
    by_sockets = transport == "sockets"
    if not is_on_board(chip):
        shares = _SOCKETS_OF_SLOTS if by_sockets else _ETHERNET_OF_SLOTS
    elif by_sockets:
        shares = _SOCKETS_OF_BOARDS
    else:
        shares = _ETHERNET_OF_FAST if device_gbps >= _FAST_GBPS else _ETHERNET_OF_BOARDS
    reference = device_gbps * node
    found: dict[float, float] = {}
    for said, share in shares.items():
        gbps = min(reference, said * device_gbps * chip.gpus_per_node if said <= _WHOLE else said)
        found[gbps] = found.get(gbps, 0.0) + share
    fastest_first = sorted(found.items(), reverse=True)
    return tuple(fastest_first) if len(fastest_first) > 1 else ()


def plain_node_gbps(chip: Accelerator, node: int, transport: Transport | None) -> float | None:
    """Return Gb/s of a node as the middle of `plain_networks`; None where that has none."""
    networks = plain_networks(chip, node, transport)
    up_to = accumulate(share for _, share in networks)
    return next((gbps for (gbps, _), so_far in zip(networks, up_to, strict=True) if so_far >= 1.0 / 2.0), None)
