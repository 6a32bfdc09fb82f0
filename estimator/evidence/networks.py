"""Networks that nobody named, priced each way, and what carries bytes over one whose rate alone was told."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.evidence.mixture import HELD, TOLD_FROM, WORTH_SAYING, Doubt, Times, Ways, borne, if_held, told_times
from estimator.evidence.usual_networks import other_networks, plain_networks
from estimator.physics.case import Case
from estimator.physics.choice import Setting, fastest
from estimator.physics.constants import Constants
from estimator.physics.transport import sends_by_sockets, sockets_share
from estimator.question.cluster import Cluster
from estimator.question.question import Question

__all__ = ["network_doubts", "transport_doubts"]

_BEARABLE = 20.0
"""Times as long as people still run and ask about; beyond it shares fall with the square, for most change the sharding
or the machine."""
_LOOKED_AT_ANEW = 1.5
"""Times as long a step from which on people change the layout for their network."""
_SAME = 0.01
"""Rates closer than this are one."""
_TUNINGS = 3
"""Ways in which sockets are set up, from well to as they come, equally many of each."""
_WORTH_TELLING = 1.2
"""Times as long a step that anybody cares for."""


def network_doubts(
    setting: Setting, factor: Callable[[Case], float], physical_s: float, constants: Constants
) -> tuple[Doubt, ...]:
    """Return the doubt about a network that nobody named, where it matters to a step that takes `physical_s`.

    `factor` gives how many times as long the step of the one layout takes in another case. Whoever has a slow network,
    and waits for it, runs what waits least of all that was left open: so is each way priced.
    """
    if "network_gbps_per_gpu" not in setting.question.unsaid:
        return ()
    question, ways, asked = setting.question, list[tuple[float, float]](), list[Question]()
    cluster, said = question.cluster, question.practice.transport
    node_gbps = _node_gbps(cluster)
    plain = plain_networks(cluster.accelerator, cluster.gpus_per_node, said) if cluster.spans_network else ()
    if plain:
        of_device = GIGA / BITS_PER_BYTE / cluster.gpus_per_node
        networks = tuple((gbps * of_device, share) for gbps, share in plain if abs(gbps / node_gbps - 1.0) > _SAME)
    elif setting.stack.tier == "untuned":
        networks = other_networks(cluster, said)
    else:
        return ()
    people = bool(np.any(setting.case.as_people_run))
    for speed, share in networks:
        slower = replace(cluster, scale_out_bytes_per_s=speed)
        sockets = float(sends_by_sockets(slower, said, as_people_run=people))
        times = factor(replace(setting.case, scale_out_bytes_per_s=speed, sockets=sockets))
        # A faster one has a layout of its own as well.
        if times > _LOOKED_AT_ANEW or plain:
            times = min(times, _searched_s(setting, replace(question, cluster=slower), constants) / physical_s)
        ways.append((times, share))
        unsaid = question.unsaid - {"network_gbps_per_gpu"}
        asked.append(replace(question, cluster=slower, unsaid=unsaid, global_batch_sequences=setting.global_batch))
    borne_ways = tuple((times, borne(share, times, _BEARABLE)) for times, share in ways)
    over = tuple(_node_gbps(replace(cluster, scale_out_bytes_per_s=speed)) for speed, _ in networks)
    if plain:
        differs = any(abs(math.log(times)) > WORTH_SAYING for times, _ in borne_ways)
        return (replace(_plain_doubt(cluster, over, borne_ways), asked=tuple(asked)),) if differs else ()
    told = [times for times, share in borne_ways if share >= TOLD_FROM]
    if not told or math.log(max(told)) <= WORTH_SAYING:
        return ()
    return (replace(_network_doubt(over, borne_ways), asked=tuple(asked)),)


def _node_gbps(cluster: Cluster) -> float:
    return cluster.scale_out_bytes_per_s * cluster.gpus_per_node * BITS_PER_BYTE / GIGA


def _plain_doubt(cluster: Cluster, node_gbps: Sequence[float], ways: Ways) -> Doubt:
    """Return the doubt about how fast a network is of which it was said that it is not the reference system's."""
    reference = cluster.accelerator.scale_out_bytes_per_s * BITS_PER_BYTE / GIGA
    taken = f"{_node_gbps(cluster):g}"
    first, *others = (f"over {gbps:g}" for gbps in node_gbps)

    def words(times: Times) -> str:
        told = times.told(f"{first} Gb/s a node", *others, assumed=f"over {taken}")
        return (
            f"without the adapters of the reference system's {reference:g} Gb/s a GPU, {taken} Gb/s a node are "
            f"assumed; a step would take {told}, and the range is of all of them: say network_gbps_per_gpu"
        )

    return Doubt(argument="network_gbps_per_gpu", ways=ways, code="network_unsaid", words=words)


def transport_doubts(
    setting: Setting, factor: Callable[[Case], float], physical_s: float, constants: Constants
) -> tuple[Doubt, ...]:
    """Return the doubt whether adapters or sockets carry bytes over a network whose rate alone was told.

    Arguments as of `network_doubts`; none where a node's network makes it plain, and of whoever publishes a speed.
    """
    question = setting.question
    cluster, said = question.cluster, question.practice.transport
    told = "network_gbps_per_gpu" not in question.unsaid
    known = question.published or (question.precedent is not None and question.precedent.agrees)
    if known or not (cluster.spans_network and told):
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
    gbps = _node_gbps(cluster)
    sockets, adapters = "TCP sockets", "adapters that write into memory by themselves (RDMA: InfiniBand, RoCE, EFA)"
    taken, other = (sockets, adapters) if assumed else (adapters, sockets)
    # How far sockets fall behind differs as much: several streams and large frames win back most of it.
    ways = tuple((times ** (part / _TUNINGS), share / _TUNINGS) for part in range(1, _TUNINGS + 1))
    most = "up to " if times > 1.0 else ""

    def words(times: Times) -> str:
        *_, furthest = times.others
        told = replace(times, others=(furthest,)).told("", assumed="as taken")
        return (
            f"{gbps:.3g} Gb/s a node are taken to be carried by {taken}; by {other}, as about {share:.0%} of them do, "
            f'a step would take {most}{told}{if_held(ways)}: say "InfiniBand", "RoCE", "EFA" or "TCP" in framework'
        )

    return Doubt(argument="framework", ways=ways, code="transport_unsaid", words=words)


def _searched_s(setting: Setting, question: Question, constants: Constants) -> float:
    """Return physical seconds of a step of the same batch over the network of `question`, by its own best layout."""
    best = fastest(replace(question, global_batch_sequences=setting.global_batch), constants)
    return math.inf if best is None else best.step_s


def _network_doubt(node_gbps: Sequence[float], ways: Ways) -> Doubt:
    """Return the doubt about a network that nobody named; `ways` are those over `node_gbps`, the slowest last.

    One at least has a share that is worth telling, and no other is told.
    """
    last = max(place for place, (_, share) in enumerate(ways) if share >= TOLD_FROM)
    # What lies beyond the middle of a way: all slower ones, and half of those who have it.
    beyond_it = [share / 2.0 + sum(other for _, other in ways[place + 1 :]) for place, (_, share) in enumerate(ways)]
    held = sum(share > HELD for share in beyond_it)

    def words(times: Times) -> str:
        over = [f"over {gbps:g} Gb/s a node" for gbps in node_gbps]
        told = [told_times(each) for each in times.others]
        than = " as here" if times.moved else " as over the network that is assumed"
        assumed = f", {told_times(times.assumed)} over the network that is assumed" if times.moved else ""
        if held and ways[held - 1][0] > _WORTH_TELLING:
            message = f"a step takes {told[held - 1]} as long {over[held - 1]}{than}{assumed}, and the range holds both"
            if held <= last:
                message += (
                    f"; {over[last]} it takes {told[last]} as long, which few such nodes have and the range need not "
                    "hold"
                )
            return f"{message}: say network_gbps_per_gpu"
        return (
            f"the network assumed is one made for training, as nearly all such nodes have; {over[last]} a step takes "
            f"{told[last]} as long{' as here' if times.moved else ''}{assumed}, which the range need not hold: say "
            "yours with network_gbps_per_gpu"
        )

    return Doubt(argument="network_gbps_per_gpu", ways=ways, code="network_unsaid", words=words)
