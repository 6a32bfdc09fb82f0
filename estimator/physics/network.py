"""Times of collectives over groups of ranks: within a scale-up domain, within a node over PCIe, between nodes.

Ranks lie in the order tensor, context, data, pipeline (Megatron-Core's): a group's stride says how many of it share a
domain or a node. A collective is never faster than its bytes over the slowest link that they must cross.
"""

from dataclasses import dataclass

import numpy as np

from estimator.physics.case import BROADCAST, Case
from estimator.physics.constants import Constants

__all__ = ["Group", "all_to_all_s", "gather_s", "group", "stage_hop_s", "where"]


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
    """Between the domains of a node."""
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
        node_bytes_per_s=_pcie_share(case, constants) * case.pcie_bytes_per_s,
        out_bytes_per_s=constants["scale_out_fraction"] * case.scale_out_bytes_per_s,
        latency_s=constants["latency_s"] * np.log2(np.maximum(ranks, 1.0)),
    )


def _pcie_share(case: Case, constants: Constants) -> BROADCAST:
    return where(case.no_peer_access, constants["pcie_host_fraction"], constants["pcie_fraction"])


def _up_bytes_per_s(case: Case, constants: Constants) -> BROADCAST:
    share = where(case.pcie, _pcie_share(case, constants), constants["scale_up_fraction"])
    return share * case.scale_up_bytes_per_s


def gather_s(members: Group, size_bytes: BROADCAST, messages: BROADCAST = 1.0) -> BROADCAST:
    """Return seconds to all-gather (or reduce-scatter) `size_bytes` in all, in so many messages, hierarchically.

        max((g − 1)/g · S / up,  (m/g − 1)/m · S / pcie,  (n − m)/n · S / (m · out)) + messages · latency

    g ranks share a domain, m a node, of n. Every rank of a node brings its own network port; the domains of a node
    share one path. An all-reduce takes twice as long. Source: Thakur et al. 2005; NCCL's rings approach it.
    """
    g, m, n = members.domain_ranks, members.node_ranks, members.ranks
    inside = (g - 1.0) / g * size_bytes / members.up_bytes_per_s
    beside = np.maximum(m / g - 1.0, 0.0) / m * size_bytes / members.node_bytes_per_s
    across = np.maximum(n / m - 1.0, 0.0) / (n / m) * size_bytes / (m * members.out_bytes_per_s)
    return np.maximum(np.maximum(inside, beside), across) + messages * members.latency_s


def all_to_all_s(members: Group, token_bytes: BROADCAST, top_k: BROADCAST, constants: Constants) -> BROADCAST:
    """Return seconds for every rank to send `token_bytes` of tokens to `top_k` ranks each, spread evenly.

        max((r − 1)/r · k · S / up,  d · S / out) / fraction + 2 · latency
        d = (n − 1)(1 − (1 − 1/n)^k)      nodes other than its own that a token goes to, of n

    A token crosses to a node once and is copied there. Source: DeepSeek-AI 2024 (V3), section 3.2.2.
    """
    r = members.ranks
    nodes = r / members.node_ranks
    domains = members.node_ranks / members.domain_ranks
    inside = (r - 1.0) / r * top_k * token_bytes / members.up_bytes_per_s
    beside = (domains - 1.0) / domains * top_k * token_bytes / members.node_bytes_per_s
    across = (nodes - 1.0) * (1.0 - (1.0 - 1.0 / nodes) ** top_k) * token_bytes / members.out_bytes_per_s
    busy = np.maximum(np.maximum(inside, beside), across) / constants["exchange_fraction"]
    return busy + np.where(r > 1.0, 2.0 * members.latency_s, 0.0)


def stage_hop_s(case: Case, constants: Constants, size_bytes: BROADCAST) -> BROADCAST:
    """Return seconds to hand `size_bytes` from each rank of a pipeline stage to the next.

    Stages follow one another over the whole cluster, so the slowest hop, which all wait for, is between nodes wherever
    there are several, and between domains wherever a node has several.
    """
    up = _up_bytes_per_s(case, constants)
    beside = np.minimum(up, _pcie_share(case, constants) * case.pcie_bytes_per_s)
    out = np.minimum(up, constants["scale_out_fraction"] * case.scale_out_bytes_per_s)
    reach = np.maximum(case.gpus_per_node, case.scale_up_domain)
    rate = np.where(case.n_gpus > reach, out, np.where(case.n_gpus > case.scale_up_domain, beside, up))
    return size_bytes / rate + constants["latency_s"]
