"""What carries bytes between nodes: adapters that write into devices by themselves, or hosts through sockets."""

import math

from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.practice import Transport

__all__ = ["is_on_board", "on_boards", "sends_by_sockets", "sockets_share"]

_SLOW_GBPS, _FAST_GBPS = 100.0, 400.0
"""Of a node: up to the first, one port of what is sold for any server; from the second on, as many adapters as a node
has devices, or half, which nobody buys to send through sockets."""
_ON_BOARDS = 0.4
"""Share of nodes with links of their own and a network of 100 Gb/s that send through sockets: one port of InfiniBand or
EFA is what machines of V100 were bought and rented with, clouds' plain networks of 100 Gb/s what A100 often were."""
_IN_SLOTS = 0.6
"""The same of datacenter cards in slots, which clouds rent by the card, most with a network for any server."""
_OF_OWN = 0.75
"""The same of machines of people's own, and wherever Ethernet is all that is said: RoCE wants switches that lose
nothing, and somebody who sets them up."""


def sockets_share(cluster: Cluster, transport: Transport | None) -> float:
    """Return how many of those with such nodes send through sockets, 0 to 1, where `transport` is what was said.

        share of its kind · (log(400 / node's Gb/s) / log(400 / 100))²      between 100 and 400 Gb/s a node

    Below it is that of 100 Gb/s, above none is.
    """
    if transport in {"sockets", "rdma"}:
        return float(transport == "sockets")
    chip = cluster.accelerator
    if chip.scale_up_kind == "ethernet":
        # Gaudi's ports are RoCE's, in the chip itself.
        return 0.0
    if transport == "ethernet" or chip.segment != "datacenter":
        most = _OF_OWN
    else:
        most = _ON_BOARDS if on_boards(cluster) else _IN_SLOTS
    node = cluster.scale_out_bytes_per_s * cluster.gpus_per_node * BITS_PER_BYTE / GIGA
    node = min(max(node, _SLOW_GBPS), _FAST_GBPS)
    return most * (math.log(_FAST_GBPS / node) / math.log(_FAST_GBPS / _SLOW_GBPS)) ** 2


def sends_by_sockets(cluster: Cluster, transport: Transport | None, *, as_people_run: bool) -> bool:
    """Return whether hosts send what leaves a node: as said, else as most of those with such nodes.

    Who publishes a speed has had adapters do it.
    """
    if transport == "sockets":
        return True
    return as_people_run and sockets_share(cluster, transport) > 1.0 / 2.0


def on_boards(cluster: Cluster) -> bool:
    """Return whether devices come on a board with links between them all, not as cards for slots."""
    return is_on_board(cluster.accelerator)


def is_on_board(chip: Accelerator) -> bool:
    """Return whether such devices do."""
    return chip.scale_up_kind != "pcie" and chip.scale_up_domain >= chip.gpus_per_node
