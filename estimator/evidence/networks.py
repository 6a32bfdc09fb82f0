"""Which networks the nodes have of those who name none, and what carries bytes over one whose rate alone was told.

By how machines with such devices are sold and rented.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.evidence.mixture import HELD, TOLD_FROM, WORTH_SAYING, Doubt, Ways, borne
from estimator.physics.case import Case
from estimator.physics.choice import Setting, fastest
from estimator.physics.constants import Constants
from estimator.physics.transport import on_boards, sends_by_sockets, sockets_share
from estimator.question.cluster import Cluster
from estimator.question.practice import Transport
from estimator.question.question import Caution, Question

__all__ = ["network_doubts", "transport_doubts"]

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
_BEARABLE = 20.0
"""Times as long as people still run and ask about; beyond it shares fall with the square, for most change the sharding
or the machine."""
_LOOKED_AT_ANEW = 1.5
"""Times as long a step from which on people change the layout for their network."""
_REMOTE_ACCESS_GBPS = 100.0
"""The slowest node's network that is sold with adapters which write into memory by themselves, but for a few."""
_TUNINGS = 3
"""Ways in which sockets are set up, from well to as they come, equally many of each."""
_WORTH_TELLING = 1.2
"""Times as long a step that anybody cares for."""


def _other_networks(cluster: Cluster, transport: Transport | None) -> tuple[tuple[float, float], ...]:
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


def network_doubts(
    setting: Setting, factor: Callable[[Case], float], physical_s: float, constants: Constants
) -> tuple[Doubt, ...]:
    """Return the doubt about a network that nobody named, where it matters to a step that takes `physical_s`.

    `factor` gives how many times as long the step of the one layout takes in another case. Whoever has a slow network,
    and waits for it, runs what waits least of all that was left open: so is each way priced.
    """
    if "network_gbps_per_gpu" not in setting.question.unsaid or setting.stack.tier != "untuned":
        return ()
    question, ways = setting.question, list[tuple[float, float]]()
    cluster, said = question.cluster, question.practice.transport
    networks = _other_networks(cluster, said)
    people = bool(np.any(setting.case.as_people_run))
    for speed, share in networks:
        slower = replace(cluster, scale_out_bytes_per_s=speed)
        sockets = float(sends_by_sockets(slower, said, as_people_run=people))
        times = factor(replace(setting.case, scale_out_bytes_per_s=speed, sockets=sockets))
        if times > _LOOKED_AT_ANEW:
            times = min(times, _searched_s(setting, replace(question, cluster=slower), constants) / physical_s)
        ways.append((times, share))
    borne_ways = tuple((times, borne(share, times, _BEARABLE)) for times, share in ways)
    told = [times for times, share in borne_ways if share >= TOLD_FROM]
    if not told or math.log(max(told)) <= WORTH_SAYING:
        return ()
    node_gbps = [speed * cluster.gpus_per_node * BITS_PER_BYTE / GIGA for speed, _ in networks]
    return (_network_doubt(node_gbps, borne_ways),)


def transport_doubts(
    setting: Setting, factor: Callable[[Case], float], physical_s: float, constants: Constants
) -> tuple[Doubt, ...]:
    """Return the doubt whether adapters or sockets carry bytes over a network whose rate alone was told.

    Arguments as of `network_doubts`; none where a node's network makes it plain, and of whoever publishes a speed.
    """
    question = setting.question
    cluster, said = question.cluster, question.practice.transport
    crossed = cluster.n_gpus > max(cluster.gpus_per_node, cluster.scale_up_domain)
    told = "network_gbps_per_gpu" not in question.unsaid
    if not (crossed and told and np.any(setting.case.as_people_run)):
        return ()
    in_sockets = sockets_share(cluster, said)
    assumed = bool(np.any(setting.case.sockets))
    share = 1.0 - in_sockets if assumed else in_sockets
    if share <= 0.0:
        return ()
    times = factor(replace(setting.case, sockets=0.0 if assumed else 1.0))
    if times > _LOOKED_AT_ANEW:
        practice = replace(question.practice, transport="sockets")
        times = min(times, _searched_s(setting, replace(question, practice=practice), constants) / physical_s)
    if abs(math.log(times)) <= WORTH_SAYING:
        return ()
    return (_transport_doubt(cluster, times, share, assumed=assumed),)


def _transport_doubt(cluster: Cluster, times: float, share: float, *, assumed: bool) -> Doubt:
    """Return the doubt about a step that takes `times` as long the other way; `assumed`: sockets are."""
    gbps = cluster.scale_out_bytes_per_s * cluster.gpus_per_node * BITS_PER_BYTE / GIGA
    sockets, adapters = "TCP sockets", "adapters that write into memory by themselves (RDMA: InfiniBand, RoCE, EFA)"
    taken, other = (sockets, adapters) if assumed else (adapters, sockets)
    held = ", and the range holds both" if share > 2.0 * HELD else ""
    most = "up to " if times > 1.0 else ""
    message = (
        f"{gbps:.3g} Gb/s a node are taken to be carried by {taken}; by {other}, as about {share:.0%} of them do, a "
        f'step would take {most}{times:.2g} times as long{held}: say "InfiniBand", "RoCE", "EFA" or "TCP" in framework'
    )
    # How far sockets fall behind differs as much: several streams and large frames win back most of it.
    ways = tuple((times ** (part / _TUNINGS), share / _TUNINGS) for part in range(1, _TUNINGS + 1))
    return Doubt(argument="framework", ways=ways, caution=Caution(code="transport_unsaid", message=message))


def _searched_s(setting: Setting, question: Question, constants: Constants) -> float:
    """Return physical seconds of a step of the same batch over the network of `question`, by its own best layout."""
    best = fastest(replace(question, global_batch_sequences=setting.global_batch), constants)
    return math.inf if best is None else best.step_s


def _network_doubt(node_gbps: Sequence[float], ways: Ways) -> Doubt:
    """Return the doubt about a network that nobody named; `ways` are those over `node_gbps`, the slowest last.

    One at least has a share that is worth telling, and no other is told.
    """
    over = [
        (f"over {gbps:g} Gb/s a node", f"{factor:.1f} times") for gbps, (factor, _) in zip(node_gbps, ways, strict=True)
    ]
    last = max(place for place, (_, share) in enumerate(ways) if share >= TOLD_FROM)
    # What lies beyond the middle of a way: all slower ones, and half of those who have it.
    beyond_it = [share / 2.0 + sum(other for _, other in ways[place + 1 :]) for place, (_, share) in enumerate(ways)]
    held = sum(share > HELD for share in beyond_it)
    if held and ways[held - 1][0] > _WORTH_TELLING:
        where, times = over[held - 1]
        message = f"a step takes {times} as long {where} as over the network that is assumed, and the range holds both"
        if held <= last:
            where, times = over[last]
            message += f"; {where} it takes {times} as long, which few such nodes have and the range need not hold"
        message += ": say network_gbps_per_gpu"
    else:
        where, times = over[last]
        message = (
            f"a step takes {times} as long {where} as over the network that is assumed, which is made for training as "
            "in nearly all such nodes: say yours with network_gbps_per_gpu"
        )
    return Doubt(argument="network_gbps_per_gpu", ways=ways, caution=Caution(code="network_unsaid", message=message))
