"""Alpha-beta cost models of collectives over groups of ranks that may span scale-up (NVLink) domains."""

from dataclasses import dataclass

import numpy as np

from estimator.physics.case import BROADCAST, Case
from estimator.physics.constants import Constants

__all__ = ["Group", "all_to_all_s", "gather_s", "group", "transfer_s", "where"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A communicator: its ranks, how many share a scale-up domain, achieved bandwidths inside and across, latency."""

    ranks: BROADCAST
    local_ranks: BROADCAST
    up_bytes_per_s: BROADCAST
    out_bytes_per_s: BROADCAST
    latency_s: BROADCAST


def where(flag: BROADCAST, yes: BROADCAST, no: BROADCAST) -> BROADCAST:
    """Return `np.where(flag > 0, yes, no)`; with a scalar flag without making arrays."""
    if isinstance(flag, float):
        return yes if flag > 0 else no
    return np.where(flag > 0, yes, no)


def group(case: Case, constants: Constants, ranks: BROADCAST, stride: BROADCAST) -> Group:
    """Return the communicator of `ranks` ranks, `stride` apart in the rank order tensor, context, data, pipeline."""
    local = np.minimum(np.maximum(np.floor(case.scale_up_domain / stride), 1.0), ranks)
    up = where(case.pcie, constants["pcie_fraction"], constants["scale_up_fraction"])
    return Group(
        ranks=ranks,
        local_ranks=local,
        up_bytes_per_s=up * case.scale_up_bytes_per_s,
        out_bytes_per_s=constants["scale_out_fraction"] * case.scale_out_bytes_per_s,
        latency_s=constants["latency_s"] * np.log2(np.maximum(ranks, 1.0)),
    )


def gather_s(members: Group, size_bytes: BROADCAST) -> BROADCAST:
    """Return seconds to all-gather (or reduce-scatter) `size_bytes` in total, hierarchically.

        max((g − 1)/g · S / up,  (n − 1)/n · S / (g · out)) + latency      g ranks in each of n domains

    Every rank of a domain brings its own network port. An all-reduce takes twice as long.
    Source: Thakur et al. 2005; NCCL's ring and tree algorithms approach it for large messages.
    """
    g = members.local_ranks
    n = members.ranks / g
    inside = (g - 1.0) / g * size_bytes / members.up_bytes_per_s
    across = np.maximum(n - 1.0, 0.0) / n * size_bytes / (g * members.out_bytes_per_s)
    return np.maximum(inside, across) + members.latency_s


def all_to_all_s(members: Group, token_bytes: BROADCAST, top_k: BROADCAST, constants: Constants) -> BROADCAST:
    """Return seconds for every rank to send `token_bytes` of tokens to `top_k` ranks each, spread evenly.

        max((r − 1)/r · k · S / up,  d · S / out) / fraction + 2 · latency
        d = (n − 1)(1 − (1 − 1/n)^k)      domains other than its own that a token goes to, of n

    A token crosses to a domain once and is copied there. Source: DeepSeek-AI 2024 (V3), section 3.2.2.
    """
    r = members.ranks
    n = r / members.local_ranks
    inside = (r - 1.0) / r * top_k * token_bytes / members.up_bytes_per_s
    across = (n - 1.0) * (1.0 - (1.0 - 1.0 / n) ** top_k) * token_bytes / members.out_bytes_per_s
    return np.maximum(inside, across) / constants["exchange_fraction"] + np.where(r > 1.0, 2.0 * members.latency_s, 0.0)


def transfer_s(case: Case, constants: Constants, size_bytes: BROADCAST, stride: BROADCAST) -> BROADCAST:
    """Return seconds of a point-to-point send of `size_bytes` to the rank `stride` further on."""
    up = where(case.pcie, constants["pcie_fraction"], constants["scale_up_fraction"]) * case.scale_up_bytes_per_s
    out = constants["scale_out_fraction"] * case.scale_out_bytes_per_s
    rate = np.where(stride < case.scale_up_domain, up, np.minimum(out, up))
    return size_bytes / rate + constants["latency_s"]
