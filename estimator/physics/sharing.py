"""Seconds of what parallel ranks tell one another, and of the step's end: gathers, reductions, optimizer, host."""

import numpy as np

from estimator.base.prior import Prior
from estimator.physics.case import BROADCAST, Case, is_anywhere
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts, where_sharded
from estimator.physics.memory import memory_of
from estimator.physics.network import all_to_all_s, gather_s, group, where
from estimator.physics.recomputation import where_recomputed
from estimator.physics.uneven import busiest_share

__all__ = ["ZERO3", "gradient_reduction_s", "layer_communication_s", "optimizer_s", "sharded_s", "shown_s"]

ZERO2, ZERO3 = 2.0, 3.0
_GATHERS = 2.0
"""ZeRO-3 gathers weights for the forward and for the backward pass."""
_HALF_BYTES = 2.0
"""Bytes of a gradient in 16 bit; in FP32 twice as many."""
_SENT_BYTES = 6.0
"""Bytes per weight of a gradient in FP32, reduced and scattered, and of the weight in 16 bit, gathered."""
_ADAPTER_BYTES = 2.0
"""Bytes of an adapter's weight, whatever the base's."""
_HOST_ADAM_BYTES = 28.0
"""Bytes per parameter that Adam moves in host memory: FP32 weight, two moments, gradient, read and written."""
_SWAPPED_BYTES_PER_S = Prior(
    low=4e9,
    mode=9e9,
    high=20e9,
    why="Rate at which trainers of denoisers swap blocks: memory that is not page-locked is copied by a thread of the "
    "host, whatever the link (Qwen-Image with 40 of 60 blocks swapped: 109 GB in a step of 16 s, musubi-tuner pull "
    "request 700; Wan 2.2 with 29 of 40 on an RTX 4090: 83 GB in 8 s, its issue 632)",
)
_DISK_BYTES_PER_S = Prior(
    low=2e9,
    mode=6e9,
    high=25e9,
    why="Rate of a node's NVMe drives, each way, which all of its devices share: one drive of PCIe 4.0 reads 7 GB/s "
    "and writes 5, of 3.0 half of it; a DGX-2's raid, which ZeRO-Infinity was shown on, 25 (Rajbhandari et al. 2021)",
)
_DISK_ADAM_BYTES = 28.0
"""Bytes per parameter that a step reads from drives and writes to them: FP32 weight and both moments each way, and the
gradient once (Rajbhandari et al. 2021, section 5)."""
_FETCH_BYTES = 4.0
"""Bytes per parameter that cross to the host and back each step where it updates: 16-bit gradients, 16-bit weights."""


def shown_s(comm_s: BROADCAST, visible_s: BROADCAST, beside_s: BROADCAST) -> BROADCAST:
    """Return what is waited for of communication: what nothing hides, or more where `beside_s` is too short for it."""
    return np.maximum(visible_s, comm_s - beside_s)


def layer_communication_s(
    case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST
) -> tuple[BROADCAST, BROADCAST]:
    """Return seconds of tensor-, context- and expert-parallel collectives, and what of them nothing hides.

    Per micro-batch and stage. All of them have the same compute to hide behind, so they are added up before they are
    held against it.
    """
    again = where_recomputed(lay, full=case.recomputed_share)
    layers = case.pairs / lay.pipeline
    tensor = group(case, constants, lay.tensor, 1.0)
    reductions = (
        (4.0 + 2.0 * again) * 2.0 * gather_s(tensor, 2.0 * tokens * case.residual_elements / case.pairs) * layers
    )
    total: BROADCAST = np.where(lay.tensor > 1, reductions, 0.0)
    visible = total * where(case.hides_tensor_parallel, constants["tensor_visible_beside"], constants["tensor_visible"])
    if (lay.context > 1).any():
        context = group(case, constants, lay.context, lay.tensor)
        passed = gather_s(context, 2.0 * tokens * lay.context * case.kv_width / lay.tensor)
        attending = case.mixing_layers / lay.pipeline
        ring = np.where(lay.context > 1, (3.0 + again) * passed * attending, 0.0)
        total, visible = total + ring, visible + constants["context_visible"] * ring
    if (lay.expert > 1).any():
        experts = group(case, constants, lay.expert, 1.0)
        sent = 2.0 * tokens / lay.tensor * case.routed_width * busiest_share(case, constants, lay)
        passed = all_to_all_s(experts, sent, case.top_k, constants, each_expert=case.plain_exchange)
        sent_again = where_recomputed(lay, full=case.recomputed_share, selective=case.again_exchange)
        exchange = (4.0 + 2.0 * sent_again) * passed * case.n_expert_layers / lay.pipeline
        exchange = np.where(lay.expert > 1, exchange, 0.0)
        beside = where(case.exchange_overlap, constants["exchange_visible_beside"], constants["exchange_visible"])
        total, visible = total + exchange, visible + beside * exchange
    return total, visible


def sharded_s(case: Case, constants: Constants, lay: Layouts, beside_s: BROADCAST, hidden_s: BROADCAST) -> BROADCAST:
    """Return seconds a micro-batch of fetching weights that lie elsewhere, as far as compute does not hide them.

        gathers + fetches − hidden + slowdown · hidden      hidden: at most overlap · beside − what hides there already

    ZeRO-3 gathers weights forward and backward, and reduces the gradients of what is trained. Weights are moved in the
    width they are held in: of a 4-bit base 0.52 bytes each, of its embedding, logits and adapters 2. Weights in host
    memory are fetched from there first, after those that make room for them were copied back, where blocks trade
    places. Source: Rajbhandari et al. 2020 (volumes), 2021 (fetching).
    """
    sharded = (lay.shard_stage >= ZERO3) & (lay.shard_group > 1)
    if not sharded.any() and not is_anywhere(case.offload_parameters):
        return 0.0
    trained, trained_experts = _trained_parameters(case)
    split, expert_split = lay.tensor * lay.pipeline, lay.expert * lay.pipeline
    ends = case.embedding_parameters + case.output_parameters
    ends_bytes = case.ends_bytes * where_sharded(lay, case.unprepared_ends)
    held = case.frozen_bytes * (case.shared_parameters - ends) + ends_bytes * ends
    weights = (held + _ADAPTER_BYTES * case.adapters * trained) / split
    expert_weights = case.frozen_bytes * case.expert_parameters / expert_split
    width = _HALF_BYTES + _HALF_BYTES * case.wide
    # FSDP gathers once for a layer's backward pass and what it runs again; DeepSpeed for each, though it would keep a
    # small layer between the two (`stage3_max_reuse_distance`) while its trace of modules holds: it breaks often, and
    # steps of those who measured show three gathers.
    gathers = _GATHERS + where(case.module_hooks, where_recomputed(lay, full=case.recomputed_share), 0.0)
    messages = case.gathers * case.pairs / lay.pipeline
    dense = group(case, constants, lay.shard_group, lay.tensor)
    comm = gathers * gather_s(dense, weights, messages)
    comm = comm + gather_s(dense, width * trained / split, messages * case.weight_gradients)
    if is_anywhere(case.expert_parameters):
        expert_ranks = np.maximum(lay.shard_group * lay.tensor / lay.expert, 1.0)
        experts = group(case, constants, expert_ranks, lay.expert)
        of_experts = gathers * gather_s(experts, expert_weights)
        of_experts = of_experts + gather_s(experts, width * trained_experts / expert_split, case.weight_gradients)
        comm = comm + np.where((expert_ranks > 1) & (expert_weights > 0), of_experts, 0.0)
    comm = np.where(sharded, comm, 0.0)
    if is_anywhere(case.offload_parameters):
        owners = np.where(sharded, lay.shard_group, 1.0)
        passes = case.offload_parameters * (_GATHERS + case.weight_gradients) * np.maximum(case.swap_copies, 1.0)
        host_bytes_per_s = constants["host_link_fraction"] * case.pcie_bytes_per_s
        swapped_bytes_per_s = np.minimum(host_bytes_per_s, _SWAPPED_BYTES_PER_S.mode)
        host_bytes_per_s = np.where(case.swap_copies > 0, swapped_bytes_per_s, host_bytes_per_s)
        host_bytes_per_s = np.minimum(host_bytes_per_s, _stored_bytes_per_s(case))
        comm = comm + passes * (weights + expert_weights) / owners / host_bytes_per_s
    room = np.maximum(constants["shard_overlap"] * beside_s - hidden_s, 0.0)
    hidden = np.where(case.no_overlap > 0, 0.0, room)
    return np.maximum(comm - hidden, 0.0) + constants["shard_slowdown"] * np.minimum(comm, hidden)


def _stored_bytes_per_s(case: Case) -> BROADCAST:
    """Return the rate at which a device's share comes from where it is offloaded to, as far as drives limit it."""
    return where(case.states_on_disk, _DISK_BYTES_PER_S.mode / case.gpus_per_node, np.inf)


def _paged_s(case: Case, constants: Constants, lay: Layouts, owned: BROADCAST) -> BROADCAST:
    """Return seconds in which pages of moments come in from the host, while others make room for them.

    As much as a device cannot hold beside all else at its peak: what is evicted by the passes returns for each step.
    Source: bitsandbytes, "Paged optimizers" (CUDA's unified memory, moved by page under pressure).
    """
    moments = case.paged_bytes * owned
    lacking = memory_of(case, lay).total_bytes + moments - case.usable_bytes
    return np.clip(lacking, 0.0, moments) / (constants["host_link_fraction"] * case.pcie_bytes_per_s)


def _trained_parameters(case: Case) -> tuple[BROADCAST, BROADCAST]:
    """Return what is trained of the parameters that expert parallelism does not divide, and of those it does.

    Adapters lie beside the former alone.
    """
    shared, experts = case.trained_share * case.shared_parameters, case.trained_share * case.expert_parameters
    return shared + case.adapters * experts, (1.0 - case.adapters) * experts


def gradient_reduction_s(case: Case, constants: Constants, lay: Layouts, stage_s: BROADCAST) -> BROADCAST:
    """Return exposed seconds per step of gradient reduce-scatter (FP32) and weight all-gather (16 bit): 6 bytes in all.

        max(comm − overlap · stage time · turns, visible share · comm)      turns: min(p, n) if interleaved, else 1

    One micro-batch's time is there to hide it: the last backward pass over a stage's weights, the first forward one. An
    interleaved stage takes p micro-batches through each of its chunks in turn, so that one chunk's weights are
    gathered, and its gradients reduced, beside p micro-batches of the others (Narayanan et al. 2021, section 2.2). Some
    share always shows. Where every rank keeps all states, an all-reduce takes the place of both, of DDP's buckets as
    wide as they are. ZeRO-2 owns a share of the gradients alone, and so reduces those of each micro-batch, in 16 bit
    (Rajbhandari et al. 2020, section 5.2).
    """
    ranks = lay.data * lay.context
    whole = group(case, constants, ranks, lay.tensor)
    trained, trained_experts = _trained_parameters(case)
    shared = trained / (lay.tensor * lay.pipeline)
    by_all = 1.0 - np.minimum(lay.shard_stage, 1.0)
    in_buckets = (lay.shard_stage < 1.0) & (np.asarray(case.bucket_bytes) > 0.0)
    sent_bytes = np.where(in_buckets, 2.0 * case.bucket_bytes, _SENT_BYTES)
    comm = gather_s(whole, sent_bytes * shared, in_trees=by_all)
    if is_anywhere(trained_experts):
        experts = trained_experts / (lay.expert * lay.pipeline)
        expert_ranks = np.maximum(ranks * lay.tensor / lay.expert, 1.0)
        expert_group = group(case, constants, expert_ranks, lay.expert)
        comm = comm + np.where(experts > 0, gather_s(expert_group, sent_bytes * experts, in_trees=by_all), 0.0)
    if (lay.shard_stage >= ZERO3).any():
        replicas = group(case, constants, np.maximum(ranks / lay.shard_group, 1.0), lay.tensor * lay.shard_group)
        between = 2.0 * gather_s(replicas, 2.0 * shared / lay.shard_group, in_trees=1.0)
        hybrid = np.where(ranks > lay.shard_group, between, 0.0)
        comm = np.where(lay.shard_stage >= ZERO3, hybrid, comm)
    turns = np.where(lay.virtual > 1, np.minimum(lay.pipeline, lay.micro_batches), 1.0)
    hidden = np.where(case.no_overlap > 0, 0.0, constants["shard_overlap"] * stage_s * turns)
    visible = np.where(case.no_overlap > 0, 1.0, constants["gradient_visible"])
    shown = shown_s(comm, visible * comm, hidden)
    each = (lay.shard_stage == ZERO2) & (lay.micro_batches > 1) & (np.asarray(case.reduces_once) < 1.0)
    if each.any():
        # A third of what a step sends is one reduction in 16 bit, a third the weights.
        third = comm / 3.0
        apart = (lay.micro_batches - 1.0) * shown_s(third, visible * third, hidden)
        shown = shown + np.where(each, apart, 0.0)
    return np.where(ranks > 1, shown, 0.0)


def optimizer_s(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return seconds of the optimizer's step on the weights that a device owns, or on the host where it holds them."""
    ranks = lay.data * lay.context
    owners = np.where(lay.shard_stage >= 1, np.where(lay.shard_stage >= ZERO3, lay.shard_group, ranks), 1.0)
    trained, trained_experts = _trained_parameters(case)
    shared = trained / (lay.tensor * owners)
    experts = trained_experts / (lay.expert * np.maximum(owners * lay.tensor / lay.expert, 1.0))
    owned = (shared + experts) / lay.pipeline
    moved = constants["optimizer_bytes"] * case.optimizer_share * owned
    on_device: BROADCAST = moved / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])
    if is_anywhere(case.decomposition_s):
        on_device = on_device + case.decomposition_s
    if is_anywhere(case.paged_bytes):
        on_device = on_device + _paged_s(case, constants, lay, owned)
    if not is_anywhere(case.offload_optimizer):
        return on_device
    link = owned * _FETCH_BYTES / (constants["host_link_fraction"] * case.pcie_bytes_per_s)
    host = owned * _HOST_ADAM_BYTES / constants["host_bytes_per_s"] + link
    # Drives read and write while the host updates.
    host = np.maximum(host, owned * _DISK_ADAM_BYTES / _stored_bytes_per_s(case))
    return where(case.offload_optimizer, host, on_device)
