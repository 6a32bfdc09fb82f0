"""Analytic step-time model: rooflines of the operations, alpha-beta collectives, 1F1B pipeline, optimizer.

Arrays of shape (L,) throughout: one question over many layouts, or many questions one layout each.
"""

import math
from dataclasses import dataclass

import numpy as np

from estimator.physics.case import BROADCAST, Case, Matrix
from estimator.physics.constants import Constants
from estimator.physics.layout import Floats, Layouts
from estimator.physics.network import all_to_all_s, gather_s, group, transfer_s, where

__all__ = ["PARTS", "StepTime", "matmul_s", "step_time"]

PARTS = ("compute", "attention", "memory_bound", "communication", "bubble", "optimizer", "other")
_TILE_ROWS, _TILE_COLUMNS = 128.0, 256.0
"""Output tile of a large matmul on tensor cores (CUTLASS' default for 16-bit inputs)."""
_ATTENTION_BACKWARD = 2.5
"""Five matmuls backward against two forward: Dao 2023, section 3.1."""
_ZERO3 = 3.0
_ROUNDING = 0.06
"""Softness of the smooth maximum of kernel and launch time: where both are equal it is an eighth above them."""
_FEW = 512
"""Array size up to which NumPy's call overhead dominates: the three passes of a matmul are then stacked in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime:
    """Seconds of a step by part, each of shape (L,): what is exposed, so that they add up to the step."""

    compute_s: Floats
    attention_s: Floats
    memory_bound_s: Floats
    communication_s: Floats
    bubble_s: Floats
    optimizer_s: Floats
    other_s: Floats

    @property
    def total_s(self) -> Floats:
        """Seconds of the step, shape (L,): the sum of its parts."""
        return (
            self.compute_s
            + self.attention_s
            + self.memory_bound_s
            + self.communication_s
            + self.bubble_s
            + self.optimizer_s
            + self.other_s
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """Seconds of one micro-batch on one stage, forward and backward together."""

    compute: BROADCAST
    attention: BROADCAST
    memory: BROADCAST
    communication: BROADCAST
    floor: BROADCAST
    last_stage: BROADCAST
    """Logits and loss, on the last stage only."""


def matmul_s(
    case: Case, constants: Constants, m: BROADCAST, n: BROADCAST, k: BROADCAST, *, half: bool = False
) -> BROADCAST:
    """Return seconds of an (m, k) by (k, n) matmul: roofline with wave quantisation and a K-loop prologue.

        max(2mnk / (ceiling · e · q^p / (1 + k0/k)),  bytes·(mk + kn + mn) / (bandwidth · eb))
        q = mn / (waves · SMs · tile)      k0 grows with the machine's balance

    e, p, k0, eb: calibrated constants. Holds for shapes of a transformer layer; below about 1e8 FLOPs kernel launches
    govern.
    """
    tiles = np.ceil(m / _TILE_ROWS) * np.ceil(n / _TILE_COLUMNS)
    sms = np.maximum(case.n_sm, 1.0)
    waves = np.ceil(tiles / sms) * sms
    filled = where(case.n_sm, m * n / (waves * _TILE_ROWS * _TILE_COLUMNS), 1.0)
    efficiency = constants["gemm_efficiency"] * filled ** constants["gemm_tail_power"]
    depth = 1.0 + constants["gemm_depth"] * case.balance / k
    low = (constants["eight_bit_efficiency"] - 1.0) * (case.low_bit - case.four_bit)
    four = (constants["four_bit_efficiency"] - 1.0) * case.four_bit
    rate = case.half_flop_per_s if half else case.gemm_flop_per_s * (1.0 + low + four)
    size = 2.0 if half else case.gemm_bytes
    compute = 2.0 * m * n * k * depth / (rate * efficiency)
    traffic = (size * (m * k + k * n) + 2.0 * m * n) / (case.bandwidth_bytes_per_s * constants["gemm_bandwidth"])
    return np.maximum(compute, traffic)


def _matrix_s(
    case: Case, constants: Constants, matrix: Matrix, lay: Layouts, tokens: BROADCAST
) -> tuple[BROADCAST, BROADCAST]:
    """Return forward and backward seconds of one weight matrix's GEMMs on a rank, per layer and micro-batch."""
    n = matrix.outputs / lay.tensor if matrix.shard == "column" else matrix.outputs
    k = matrix.inputs / lay.tensor if matrix.shard == "row" else matrix.inputs
    m = tokens / lay.tensor if matrix.shard in {"none", "expert"} else tokens
    times: BROADCAST = 1.0
    if matrix.shard == "expert":
        m = np.maximum(m * matrix.visits * lay.expert / matrix.copies, 1.0)
        times = matrix.copies / lay.expert / constants["expert_efficiency"]
    half = matrix.part == "logits" or matrix.name == "router"
    # Forward, gradient of the input, gradient of the weight.
    passes = ((m, n, k), (m, k, n), (k, n, m))
    shape = np.broadcast_shapes(*map(np.shape, passes[0]))
    if math.prod(shape) <= _FEW:
        together = np.empty((3, 3, *shape))
        for place, sizes in enumerate(passes):
            together[0, place], together[1, place], together[2, place] = sizes
        forward, of_input, of_weight = np.asarray(matmul_s(case, constants, *together, half=half))
    else:
        forward, of_input, of_weight = (matmul_s(case, constants, *sizes, half=half) for sizes in passes)
    return forward * times, (of_input + case.weight_gradients * of_weight) * times


def _attention_s(case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST) -> BROADCAST:
    """Return seconds of the attention core per micro-batch and stage, forward, backward and recomputation.

    FlashAttention at a share of the 16-bit ceiling (Dao 2023), or unfused: batched GEMMs plus traffic of the scores.
    """
    part = tokens / (lay.tensor * lay.pipeline) * case.attention_share
    again = (lay.recompute > 0) * 1.0
    flash_rate = case.half_flop_per_s * constants["flash_efficiency"]
    generation = where(case.flash_2, constants["flash_2_on_hopper"], constants["flash_hopper"])
    flash_rate = flash_rate * where(case.modern, generation, 1.0)
    flash_rate = flash_rate * case.head_share ** constants["flash_head_power"]
    full_again = (lay.recompute > 1) * 1.0
    flash = part * case.attention_flop / flash_rate * (1.0 + _ATTENTION_BACKWARD + full_again)
    products = part * case.attention_square_flop / (case.half_flop_per_s * constants["unfused_efficiency"])
    scores = part * case.score_elements * 2.0 * constants["unfused_passes"]
    scores = scores / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])
    unfused = products * (3.0 + again) + scores * (1.0 + again / 3.0)
    return where(case.unfused, unfused, flash)


def _again(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return the share of the forward pass that recomputation runs again, attention core apart, shape (L,).

    Selective recomputation runs the attention core again where its scores were not kept (Korthikanti et al. 2022);
    with fused attention, which never keeps them, it runs norms, activations and some matmuls again.
    """
    selective = where(case.unfused, 0.0, constants["selective_share"])
    return np.where(lay.recompute > 1, 1.0, np.where(lay.recompute > 0, selective, 0.0))


def _expert_overhead(case: Case, constants: Constants) -> BROADCAST:
    """Return the factor on routing, permutation and all-to-all: 1 where each synchronises with the host."""
    return 1.0 + (constants["fused_expert_overhead"] - 1.0) * case.fused_experts


def _traffic_s(case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST) -> BROADCAST:
    """Return seconds of bandwidth-bound kernels (norms, activations, permutation, quantisation, gradient accumulation).

    Bytes over achieved memory bandwidth, per micro-batch and stage, forward, backward and recomputation.
    """
    sequence_split = where(case.sequence_parallel, lay.tensor, 1.0)
    hidden = case.heads_elements + case.mlp_elements + case.expert_elements
    elements = constants["residual_passes"] * case.residual_elements / sequence_split
    elements = elements + constants["hidden_passes"] * hidden / lay.tensor
    permuted = constants["expert_permutation"] * _expert_overhead(case, constants)
    elements = elements + permuted * case.routed_elements / lay.tensor
    unfused = 1.0 + (constants["untuned_traffic"] - 1.0) * case.untuned
    adapters = where(case.weight_gradients, 1.0, constants["adapter_traffic"])
    inputs = 4.0 * case.residual_elements + case.mlp_elements + case.expert_elements
    quantised = case.low_bit * constants["quantise_passes"] * inputs
    passes = 1.0 + constants["backward_traffic"] + _again(case, constants, lay)
    moved: BROADCAST = (
        2.0 * tokens / lay.pipeline * (elements * unfused * adapters * passes + quantised / lay.tensor * passes)
    )
    weights = case.shared_parameters / lay.tensor + case.expert_parameters / lay.expert
    moved = moved + constants["gradient_bytes"] * case.weight_gradients * weights / lay.pipeline
    return moved / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])


def _layer_communication_s(case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST) -> BROADCAST:
    """Return exposed seconds of tensor-, context- and expert-parallel collectives, per micro-batch and stage."""
    again = (lay.recompute > 1) * 1.0
    tensor = group(case, constants, lay.tensor, 1.0)
    reductions = (4.0 + 2.0 * again) * 2.0 * gather_s(tensor, 2.0 * tokens * case.hidden)
    beside = case.hides_tensor_parallel > 0
    visible = np.where(beside, constants["tensor_visible_beside"], constants["tensor_visible"])
    reductions = np.where(lay.tensor > 1, reductions * visible, 0.0) * case.n_layers
    ring: BROADCAST = 0.0
    if np.any(lay.context > 1):
        context = group(case, constants, lay.context, lay.tensor)
        passed = gather_s(context, 2.0 * tokens * lay.context * case.kv_width / lay.tensor)
        ring = (3.0 + again) * passed * ((lay.context > 1) * constants["context_visible"]) * case.n_layers
    exchange: BROADCAST = 0.0
    if np.any(lay.expert > 1):
        experts = group(case, constants, lay.expert, 1.0)
        sent = 2.0 * tokens / lay.tensor * case.hidden
        passed = all_to_all_s(experts, sent, case.top_k, constants)
        visible = (lay.expert > 1) * (constants["exchange_visible"] * _expert_overhead(case, constants))
        exchange = (4.0 + 2.0 * again) * passed * visible * case.n_expert_layers
    return (reductions + ring + exchange) / lay.pipeline


def _micro_batch(case: Case, constants: Constants, lay: Layouts) -> _Pass:
    """Return seconds of one micro-batch on one stage, by part, before overlap with ZeRO-3 and kernel launches."""
    tokens = lay.micro_batch * case.sequence_length / lay.context
    again = _again(case, constants, lay)
    forwards: BROADCAST = 0.0
    backwards: BROADCAST = 0.0
    last: BROADCAST = 0.0
    for matrix in case.matrices:
        forward, backward = _matrix_s(case, constants, matrix, lay, tokens)
        if matrix.part == "logits":
            last = last + forward + backward
        else:
            forwards = forwards + forward * matrix.layers
            backwards = backwards + backward * matrix.layers
    logits = 2.0 * tokens * case.vocab / lay.tensor * constants["logits_passes"]
    last = last + logits / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])
    experts = constants["expert_start_s"] * case.n_experts / lay.expert * 3.0
    routing = np.maximum(experts, constants["expert_floor_s"]) * case.n_expert_layers / lay.pipeline
    routing = routing * _expert_overhead(case, constants)
    return _Pass(
        compute=(forwards * (1.0 + again) + backwards) / lay.pipeline,
        attention=_attention_s(case, constants, lay, tokens),
        memory=_traffic_s(case, constants, lay, tokens) + routing,
        communication=_layer_communication_s(case, constants, lay, tokens),
        floor=np.where(case.unfused > 0, constants["unfused_layer_floor_s"], constants["layer_floor_s"])
        * case.n_layers
        / lay.pipeline
        * (1.0 + again / 3.0),
        last_stage=last,
    )


def _smooth_maximum(a: BROADCAST, b: BROADCAST) -> BROADCAST:
    """Return the smooth maximum of `a` and `b`, so that fitting has a gradient in both where they are close."""
    return 0.5 * (a + b + np.sqrt((a - b) ** 2 + _ROUNDING * a * b))


def _sharded_s(case: Case, constants: Constants, lay: Layouts, compute_s: BROADCAST) -> BROADCAST:
    """Return exposed seconds of ZeRO-3 all-gathers and reduce-scatters per micro-batch, and the slowdown of compute.

        max(comm − overlap · compute, 0) + slowdown · min(comm, overlap · compute)

    Source: Rajbhandari et al. 2020, section 7 (volumes).
    """
    if not np.any(lay.shard_stage >= _ZERO3):
        return 0.0
    dense = group(case, constants, lay.shard_group, lay.tensor)
    weights = 2.0 * case.shared_parameters / (lay.tensor * lay.pipeline)
    comm = (2.0 + case.weight_gradients) * gather_s(dense, weights)
    if np.any(case.expert_parameters):
        expert_ranks = np.maximum(lay.shard_group * lay.tensor / lay.expert, 1.0)
        sharded_experts = group(case, constants, expert_ranks, lay.expert)
        expert_weights = 2.0 * case.expert_parameters / (lay.expert * lay.pipeline)
        comm = comm + np.where(
            (expert_ranks > 1) & (expert_weights > 0),
            (2.0 + case.weight_gradients) * gather_s(sharded_experts, expert_weights),
            0.0,
        )
    hidden = constants["shard_overlap"] * compute_s
    exposed = np.maximum(comm - hidden, 0.0) + constants["shard_slowdown"] * np.minimum(comm, hidden)
    return np.where((lay.shard_stage >= _ZERO3) & (lay.shard_group > 1), exposed, 0.0)


def _gradient_reduction_s(case: Case, constants: Constants, lay: Layouts, stage_s: BROADCAST) -> BROADCAST:
    """Return exposed seconds per step of gradient reduce-scatter (FP32) and weight all-gather (16 bit): 6 bytes each.

        max(comm − overlap · stage time, visible share · comm)

    The last micro-batch's backward pass overlaps with it. Under ZeRO-3 only the all-reduce between replicas of a
    sharding group is left (hybrid sharding).
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
    if np.any(lay.shard_stage >= _ZERO3):
        replicas = group(case, constants, np.maximum(ranks / lay.shard_group, 1.0), lay.tensor * lay.shard_group)
        hybrid = np.where(ranks > lay.shard_group, 2.0 * gather_s(replicas, 2.0 * shared / lay.shard_group), 0.0)
        comm = np.where(lay.shard_stage >= _ZERO3, hybrid, comm)
    left = np.maximum(comm - constants["shard_overlap"] * stage_s, constants["gradient_visible"] * comm)
    return np.where(ranks > 1, left, 0.0)


def _optimizer_s(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return seconds of the optimizer step: bytes of the parameters a rank owns over achieved memory bandwidth."""
    ranks = lay.data * lay.context
    owners = np.where(lay.shard_stage >= 1, np.where(lay.shard_stage >= _ZERO3, lay.shard_group, ranks), 1.0)
    shared = case.shared_parameters / (lay.tensor * owners)
    experts = case.expert_parameters / (lay.expert * np.maximum(owners * lay.tensor / lay.expert, 1.0))
    owned = (shared + experts) * case.trained_share / lay.pipeline
    return constants["optimizer_bytes"] * owned / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])


def step_time(case: Case, lay: Layouts, constants: Constants) -> StepTime:
    """Return seconds of one step by part, each of shape (L,).

        micro_batches · slowest stage + bubble · (pipeline − 1)/virtual · stage + once a step

    Source: Narayanan et al. 2021, section 2.2 (bubble); Rajbhandari et al. 2020 (ZeRO volumes).
    """
    micro = _micro_batch(case, constants, lay)
    busy = micro.compute + micro.attention + micro.memory
    sharded = _sharded_s(case, constants, lay, busy + micro.last_stage)
    launch = _smooth_maximum(busy, micro.floor) - busy
    stage = busy + micro.communication + launch + sharded
    uneven = constants["stage_imbalance"]
    imbalance = np.where(lay.pipeline > 1, uneven + (1 - uneven) / lay.pipeline, 1.0)
    tail = micro.last_stage * imbalance
    tokens = lay.micro_batch * case.sequence_length / lay.context
    crossing = (
        lay.virtual
        * 2.0
        * transfer_s(case, constants, 2.0 * tokens * case.hidden / lay.tensor, lay.tensor * lay.context * lay.data)
    )
    crossing = np.where(lay.pipeline > 1, crossing * constants["pipeline_visible"], 0.0)
    n = lay.micro_batches
    bubble = constants["bubble"] * (lay.pipeline - 1.0) / lay.virtual * (stage + crossing + tail / lay.pipeline)
    reduction = _gradient_reduction_s(case, constants, lay, stage)
    optimizer = _optimizer_s(case, constants, lay)
    slow = 1.0 + constants["stragglers"] * np.log2(np.maximum(case.n_gpus / 8.0, 1.0))
    parts = {
        "compute_s": n * (micro.compute + tail),
        "attention_s": n * micro.attention,
        "memory_bound_s": n * micro.memory,
        "communication_s": n * (micro.communication + crossing + sharded) + reduction,
        "bubble_s": bubble,
        "optimizer_s": optimizer,
        "other_s": n * launch + constants["step_constant_s"],
    }
    return StepTime(**{name: np.asarray(value * slow, dtype=np.float64) for name, value in parts.items()})
