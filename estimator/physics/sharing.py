"""Seconds of what parallel ranks tell one another, and of the step's end: gathers, reductions, optimizer, host."""

import numpy as np

from estimator.physics.case import BROADCAST, Case
from estimator.physics.constants import Constants
from estimator.physics.kernels import expert_overhead
from estimator.physics.layout import Layouts
from estimator.physics.network import all_to_all_s, gather_s, group, where

__all__ = ["ZERO3", "gradient_reduction_s", "layer_communication_s", "optimizer_s", "sharded_s", "shown_s"]

ZERO3 = 3.0
_HOST_ADAM_BYTES = 28.0
"""Bytes per parameter that Adam moves in host memory: FP32 weight, two moments, gradient, read and written."""
_FETCH_BYTES = 4.0
"""Bytes per parameter that cross to the host and back each step where it updates: 16-bit gradients, 16-bit weights."""


def shown_s(comm_s: BROADCAST, visible: BROADCAST, beside_s: BROADCAST) -> BROADCAST:
    """Return what is waited for of communication: its visible share, or more where compute is too short to hide it."""
    return np.maximum(comm_s * visible, comm_s - beside_s)


def layer_communication_s(
    case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST, busy_s: BROADCAST
) -> BROADCAST:
    """Return exposed seconds of tensor-, context- and expert-parallel collectives, per micro-batch and stage."""
    again = (lay.recompute > 1) * 1.0
    layers = case.n_layers / lay.pipeline
    tensor = group(case, constants, lay.tensor, 1.0)
    reductions = (4.0 + 2.0 * again) * 2.0 * gather_s(tensor, 2.0 * tokens * case.hidden) * layers
    visible = where(case.hides_tensor_parallel, constants["tensor_visible_beside"], constants["tensor_visible"])
    total: BROADCAST = np.where(lay.tensor > 1, shown_s(reductions, visible, busy_s), 0.0)
    if np.any(lay.context > 1):
        context = group(case, constants, lay.context, lay.tensor)
        passed = gather_s(context, 2.0 * tokens * lay.context * case.kv_width / lay.tensor)
        ring = (3.0 + again) * passed * layers
        total = total + np.where(lay.context > 1, shown_s(ring, constants["context_visible"], busy_s), 0.0)
    if np.any(lay.expert > 1):
        experts = group(case, constants, lay.expert, 1.0)
        sent = 2.0 * tokens / lay.tensor * case.hidden
        passed = all_to_all_s(experts, sent, case.top_k, constants)
        exchange = (4.0 + 2.0 * again) * passed * case.n_expert_layers / lay.pipeline
        visible = constants["exchange_visible"] * expert_overhead(case, constants)
        total = total + np.where(lay.expert > 1, shown_s(exchange, visible, busy_s), 0.0)
    return total


def sharded_s(case: Case, constants: Constants, lay: Layouts, compute_s: BROADCAST) -> BROADCAST:
    """Return seconds of ZeRO-3 gathers a micro-batch that compute does not hide, and what they cost it.

    Weights are gathered in the width they are held in: a 4-bit base moves 0.55 bytes each. Weights in host memory are
    fetched from there first. Source: Rajbhandari et al. 2020 (volumes), 2021 (fetching).
    """
    if not np.any(lay.shard_stage >= ZERO3):
        return 0.0
    dense = group(case, constants, lay.shard_group, lay.tensor)
    weights = case.frozen_bytes * case.shared_parameters / (lay.tensor * lay.pipeline)
    # FSDP gathers once for a layer's backward pass and what it runs again; DeepSpeed for each.
    apart = np.where(np.asarray(case.gathers) > 1.0, (lay.recompute > 1) * 1.0, 0.0)
    passes = 2.0 + case.weight_gradients + apart
    messages = case.gathers * case.n_layers / lay.pipeline
    comm = passes * gather_s(dense, weights, messages)
    if np.any(case.expert_parameters):
        expert_ranks = np.maximum(lay.shard_group * lay.tensor / lay.expert, 1.0)
        sharded_experts = group(case, constants, expert_ranks, lay.expert)
        expert_weights = case.frozen_bytes * case.expert_parameters / (lay.expert * lay.pipeline)
        comm = comm + np.where(
            (expert_ranks > 1) & (expert_weights > 0), passes * gather_s(sharded_experts, expert_weights), 0.0
        )
        weights = weights + expert_weights
    if np.any(case.offload_parameters):
        host = constants["host_link_fraction"] * case.pcie_bytes_per_s
        comm = comm + case.offload_parameters * passes * weights / lay.shard_group / host
    hidden = np.where(case.no_overlap > 0, 0.0, constants["shard_overlap"] * compute_s)
    exposed = np.maximum(comm - hidden, 0.0) + constants["shard_slowdown"] * np.minimum(comm, hidden)
    return np.where((lay.shard_stage >= ZERO3) & (lay.shard_group > 1), exposed, 0.0)


def gradient_reduction_s(case: Case, constants: Constants, lay: Layouts, stage_s: BROADCAST) -> BROADCAST:
    """Return exposed seconds per step of gradient reduce-scatter (FP32) and weight all-gather (16 bit): 6 bytes each.

        max(comm − overlap · stage time, visible share · comm)

    One micro-batch's time is there to hide it, on each stage; some share always shows.
    """
    ranks = lay.data * lay.context
    whole = group(case, constants, ranks, lay.tensor)
    trained = case.trained_share / lay.pipeline
    shared = case.shared_parameters * trained / lay.tensor
    comm = gather_s(whole, 6.0 * shared)
    if np.any(case.expert_parameters):
        experts = case.expert_parameters * trained / lay.expert
        expert_ranks = np.maximum(ranks * lay.tensor / lay.expert, 1.0)
        expert_group = group(case, constants, expert_ranks, lay.expert)
        comm = comm + np.where(experts > 0, gather_s(expert_group, 6.0 * experts), 0.0)
    if np.any(lay.shard_stage >= ZERO3):
        replicas = group(case, constants, np.maximum(ranks / lay.shard_group, 1.0), lay.tensor * lay.shard_group)
        hybrid = np.where(ranks > lay.shard_group, 2.0 * gather_s(replicas, 2.0 * shared / lay.shard_group), 0.0)
        comm = np.where(lay.shard_stage >= ZERO3, hybrid, comm)
    hidden = np.where(case.no_overlap > 0, 0.0, constants["shard_overlap"] * stage_s)
    visible = np.where(case.no_overlap > 0, 1.0, constants["gradient_visible"])
    return np.where(ranks > 1, shown_s(comm, visible, hidden), 0.0)


def optimizer_s(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return seconds of the optimizer's step on the weights that a device owns, or on the host where it holds them."""
    ranks = lay.data * lay.context
    owners = np.where(lay.shard_stage >= 1, np.where(lay.shard_stage >= ZERO3, lay.shard_group, ranks), 1.0)
    shared = case.shared_parameters / (lay.tensor * owners)
    experts = case.expert_parameters / (lay.expert * np.maximum(owners * lay.tensor / lay.expert, 1.0))
    owned = (shared + experts) * case.trained_share / lay.pipeline
    moved = constants["optimizer_bytes"] * case.optimizer_share * owned
    on_device: BROADCAST = moved / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])
    if not np.any(case.offload_optimizer):
        return on_device
    link = owned * _FETCH_BYTES / (constants["host_link_fraction"] * case.pcie_bytes_per_s)
    host = owned * _HOST_ADAM_BYTES / constants["host_bytes_per_s"] + link
    return where(case.offload_optimizer, host, on_device)
