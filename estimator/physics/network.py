"""Times of collectives over groups of ranks: within a scale-up domain, within a node over PCIe, between nodes.

Ranks lie in the order tensor, context, data, pipeline (Megatron-Core's): a group's stride says how many of it share a
domain or a node. A collective is never faster than its bytes over the slowest link that they must cross.
"""

from dataclasses import dataclass

import numpy as np

from estimator.physics.case import BROADCAST, Case
from estimator.physics.constants import Constants

__all__ = ["Group", "all_to_all_s", "gather_s", "group", "stage_hop_s", "surroundings_slowness", "where"]

_KEPT_UP_BYTES_PER_S, _BEHIND_BYTES_PER_S = 3.125e9, 12.5e9
"""A node's network up to which sockets fill the line, 25 Gb/s, and that beside which they are `surroundings_slowness`
times as slow, 100 Gb/s: a few threads copy what they send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A communicator: its ranks, how many of them share a domain and a node, and the rates they reach."""

    ranks: BROADCAST
    domain_ranks: BROADCAST
    node_ranks: BROADCAST
    """At least `domain_ranks`: a domain may span nodes, and a node several domains."""
    up_bytes_per_s: BROADCAST
    """Inside a domain."""
    node_bytes_per_s: BROADCAST
    """Into a domain from the others of its node; infinite where a node has no others."""
    out_bytes_per_s: BROADCAST
    """Between nodes, one rank's port."""
    latency_s: BROADCAST


def where(flag: BROADCAST, yes: BROADCAST, no: BROADCAST) -> BROADCAST:
    """Return `np.where(flag > 0, yes, no)`; with a scalar flag without making arrays."""
    if isinstance(flag, float):
        return yes if flag > 0 else no
    return np.where(flag > 0, yes, no)


def group(case: Case, constants: Constants, ranks: BROADCAST, stride: BROADCAST) -> Group:
    """Return the group of `ranks` ranks that lie `stride` apart."""
    in_domain = np.minimum(np.maximum(np.floor(case.scale_up_domain / stride), 1.0), ranks)
    in_node = np.minimum(np.maximum(np.floor(case.gpus_per_node / stride), 1.0), ranks)
    return Group(
        ranks=ranks,
        domain_ranks=in_domain,
        node_ranks=np.maximum(in_node, in_domain),
        up_bytes_per_s=_up_bytes_per_s(case, constants),
        node_bytes_per_s=_node_bytes_per_s(case, constants),
        out_bytes_per_s=_out_bytes_per_s(case, constants),
        latency_s=_latency_s(case, constants) * np.log2(np.maximum(ranks, 1.0)),
    )


def surroundings_slowness(case: Case, constants: Constants) -> BROADCAST:
    """Return the factor on time of a device's host and network where people run what they have.

    Whoever publishes a speed chose the machine and set it up; the device itself is as fast for everybody, and so are
    the links that it is sold with. PCIe is among them: published runs on cards without a link of their own were made
    on machines such as people have, and what slots reach is fitted to them. Of networks see `_behind_sockets`.
    """
    slowness: BROADCAST = constants["surroundings_slowness"] ** case.as_people_run
    return slowness


def _pcie_share(case: Case, constants: Constants) -> BROADCAST:
    return where(case.no_peer_access, constants["pcie_host_fraction"], constants["pcie_fraction"])


def _up_bytes_per_s(case: Case, constants: Constants) -> BROADCAST:
    share = where(case.pcie, _pcie_share(case, constants), constants["scale_up_fraction"])
    return share * case.scale_up_bytes_per_s


def _node_bytes_per_s(case: Case, constants: Constants) -> BROADCAST:
    return where(case.split_nodes, _pcie_share(case, constants) * case.pcie_bytes_per_s, np.inf)


def _out_bytes_per_s(case: Case, constants: Constants) -> BROADCAST:
    behind = where(case.sockets, _behind_sockets(case, constants), 1.0)
    return constants["scale_out_fraction"] * case.scale_out_bytes_per_s / behind


def _behind_sockets(case: Case, constants: Constants) -> BROADCAST:
    """Return how many times as slow as its line a network is over which hosts send through sockets.

        slowness ^ (log(node / 25 Gb/s) / log 4), at least 1 and at most node / 25 Gb/s

    Sockets copy what they send: they keep up with a slow line, and fall behind a faster one by as much with each
    fourfold of it, but never below what they reach on the slow one. Where adapters write into memory by themselves, no
    host is in the way, and a network does for everybody what it does where speeds are published.
    """
    times = np.maximum(case.scale_out_bytes_per_s * case.gpus_per_node / _KEPT_UP_BYTES_PER_S, 1.0)
    far = np.log(times) / np.log(_BEHIND_BYTES_PER_S / _KEPT_UP_BYTES_PER_S)
    behind = np.minimum(constants["surroundings_slowness"] ** far, times)
    # A network that takes no time is asked about, too.
    return np.where(np.isfinite(times), behind, 1.0)


def _latency_s(case: Case, constants: Constants) -> BROADCAST:
    return constants["latency_s"] * surroundings_slowness(case, constants)


def gather_s(
    members: Group, size_bytes: BROADCAST, messages: BROADCAST = 1.0, *, in_trees: BROADCAST = 0.0
) -> BROADCAST:
    """Return seconds to all-gather (or reduce-scatter) `size_bytes` in all, in so many messages.

        max((1 − 1/n) · S / up,  (1/g − 1/n) · S / pcie,  a · S / out) + messages · latency
        a = (1 − 1/n) / m in rings over several nodes,   (1/m − 1/n) in trees

    Of n ranks, g share a domain and m a node. Each takes in what the others hold, no faster than over its fastest link;
    what comes from outside the domain comes a g-th to each, over PCIe where a node has several domains. A ring passes
    all but a rank's own through each node, an m-th of it through each rank's own network port; only an all-reduce,
    which takes twice as long, may go by trees, that send a node what it lacks (`in_trees`): half of it on two nodes.
    Source: Thakur et al. 2005; NCCL's algorithms by collective. Fewer ranks in a domain or a node, and slower links,
    never make it shorter.
    """
    g, m, n = members.domain_ranks, members.node_ranks, members.ranks
    inside = (1.0 - 1.0 / n) / members.up_bytes_per_s
    beside = (1.0 / g - 1.0 / n) / members.node_bytes_per_s
    ring = np.where(n > m, (1.0 - 1.0 / n) / m, 0.0)
    across = where(in_trees, 1.0 / m - 1.0 / n, ring) / members.out_bytes_per_s
    return size_bytes * np.maximum(np.maximum(inside, beside), across) + messages * members.latency_s


def all_to_all_s(
    members: Group, token_bytes: BROADCAST, top_k: BROADCAST, constants: Constants, *, each_expert: BROADCAST = 0.0
) -> BROADCAST:
    """Return seconds for every rank to send `token_bytes` of tokens to `top_k` ranks each, spread evenly.

        max((1 − 1/n) · k · S / up,  d(n/g) · S / pcie,  d(n/m) · S / out) / fraction + 2 · latency
        d(x) = (x − 1)(1 − (1 − 1/x)^k)      domains, or nodes, other than its own that a token goes to, of x

    Of n ranks, g share a domain and m a node. A token crosses to a node once and is copied there; or, with
    `each_expert`, as often as it has experts there: d(x) = k (1 − 1/x). Source: DeepSeek-AI 2024 (V3), section 3.2.2.
    """
    n = members.ranks
    inside = (1.0 - 1.0 / n) * top_k / members.up_bytes_per_s
    beside = _copies_sent(n / members.domain_ranks, top_k, each_expert) / members.node_bytes_per_s
    across = _copies_sent(n / members.node_ranks, top_k, each_expert) / members.out_bytes_per_s
    busy = token_bytes * np.maximum(np.maximum(inside, beside), across) / constants["exchange_fraction"]
    return busy + np.where(n > 1.0, 2.0 * members.latency_s, 0.0)


def _copies_sent(places: BROADCAST, top_k: BROADCAST, each_expert: BROADCAST) -> BROADCAST:
    once_a_place = (places - 1.0) * (1.0 - (1.0 - 1.0 / places) ** top_k)
    return where(each_expert, top_k * (1.0 - 1.0 / places), once_a_place)


def stage_hop_s(case: Case, constants: Constants, size_bytes: BROADCAST) -> BROADCAST:
    """Return seconds to hand `size_bytes` from each rank of a pipeline stage to the next.

    Stages follow one another over the whole cluster, so the slowest hop, which all wait for, is between nodes wherever
    there are several, and between domains wherever a node has several.
    """
    up = _up_bytes_per_s(case, constants)
    beside = np.minimum(up, _node_bytes_per_s(case, constants))
    out = np.minimum(beside, _out_bytes_per_s(case, constants))
    reach = np.maximum(case.gpus_per_node, case.scale_up_domain)
    rate = np.where(case.n_gpus > reach, out, np.where(case.n_gpus > case.scale_up_domain, beside, up))
    return size_bytes / rate + _latency_s(case, constants)
