"""Peak memory of the fullest device, for many layouts at once: states by ZeRO stage, activations under 1F1B."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimator.base.prior import Prior
from estimator.physics.case import BROADCAST, Case, is_anywhere
from estimator.physics.layout import Floats, Layouts, where_sharded
from estimator.physics.network import where
from estimator.physics.recomputation import where_recomputed

__all__ = ["USABLE_SHARE", "Memory", "host_bytes_of", "memory_of", "usable_bytes"]

USABLE_SHARE = Prior(
    low=0.90,
    mode=0.96,
    high=0.98,
    why="Share of a device's addressable memory that a process can fill before its allocator fails: the caching "
    "allocator fragments the rest. fms-acceleration's runs on A100s of 85 GB reach 84 GB reserved for 80 GB allocated",
)
_CONTEXT_BYTES = Prior(
    low=0.5e9,
    mode=0.9e9,
    high=2.0e9,
    why="CUDA context and kernels (about 0.5 GB), workspaces of cuBLAS and of attention",
)
_COMMUNICATOR_BYTES = Prior(
    low=0.3e9,
    mode=1.1e9,
    high=4.0e9,
    why="Buffers of NCCL and reduction buckets, where there is more than one device; they grow with communicators. "
    "Adapters that are not sharded have hardly any buckets, and one communicator: the least of it. So has DDP, whose "
    "buckets are counted",
)
_BACKWARD_SHARE = Prior(
    low=0.3,
    mode=0.6,
    high=1.0,
    why="Gradients of activations that the layer at work holds in its backward pass, over the activations it keeps: "
    "those of the MLP before and after its activation live together (fms-acceleration's fully recomputed runs grow by "
    "230 kB a token beside the checkpoints, where a layer of Llama 3 8B keeps 145)",
)
_CHUNKED_LOSS = Prior(
    low=0.02,
    mode=0.05,
    high=0.15,
    why="Share of the logits that a stack which computes the loss in chunks of the tokens holds at a time",
)
_SHARDED_GRADIENT_BYTES = 2.0
"""ZeRO-3 keeps gradients in 16 bit until they are reduced (Rajbhandari et al. 2020, section 3.1)."""
_STREAMED_LAYERS = 2.0
"""Of a stack that streams from host memory what is not in use: a layer at work and one on its way."""
_WHOLE_INPUTS_BYTES = 4.0
"""Two copies in 16 bit of the residual stream that sequence parallelism gathers for the layer at work: the input of a
matmul and its gradient (Korthikanti et al. 2022, section 4.2.2)."""
_SCORE_BYTES = 5.0
"""Unfused attention keeps softmax (2), dropout mask (1) and its output (2) of every score (the same, equation 1)."""
_ZERO1, _ZERO2, _ZERO3 = 1.0, 2.0, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Peak bytes of the fullest device by use, each of shape (L,)."""

    weights_bytes: Floats
    gradients_bytes: Floats
    optimizer_bytes: Floats
    activations_bytes: Floats
    other_bytes: Floats

    @property
    def total_bytes(self) -> Floats:
        """Sum of all uses, shape (L,), which fits where it is at most `usable_bytes`."""
        states = self.weights_bytes + self.gradients_bytes + self.optimizer_bytes
        return states + (self.activations_bytes + self.other_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Weights of the fullest pipeline stage on one device before ZeRO, and over how many ranks each kind is sharded."""

    body: BROADCAST
    ends: BROADCAST
    output: BROADCAST
    """Of the ends, the output layer."""
    experts: BROADCAST
    owners: BROADCAST
    expert_owners: BROADCAST
    layers: BROADCAST

    def over(self, stage: BROADCAST, from_stage: float, body_bytes: BROADCAST, ends_bytes: BROADCAST) -> Floats:
        """Return bytes of a state that is sharded from a ZeRO stage on, of so many bytes a weight."""
        shared = body_bytes * self.body + ends_bytes * self.ends
        experts = body_bytes * self.experts
        return np.where(stage >= from_stage, shared / self.owners + experts / self.expert_owners, shared + experts)


def usable_bytes(memory_bytes: float) -> float:
    """Return how much of a device's addressable memory a run may take: what fits is at most this."""
    return USABLE_SHARE.mode * memory_bytes


def memory_of(case: Case, lay: Layouts) -> Memory:
    """Return peak memory of the fullest device, by use, shape (L,).

        weights + gradients, with DDP's buckets of them + optimizer, each sharded from its ZeRO stage on + context
        + the larger of the passes (activations in flight, gathered layers, a layer or the loss at work)
        and the optimizer's step (its copies)

    Source: Rajbhandari et al. 2020, figure 1 (states); Korthikanti et al. 2022, equations 1 to 5 (activations);
    Narayanan et al. 2021, section 2.2 (micro-batches in flight).
    Fails on experts that are not evenly visited, and by what allocators fragment.
    """
    held, trained, zero = _stage(case, lay), case.trained_share, lay.shard_stage
    fetched = case.offload_parameters
    on_device = 1.0 - case.offloads
    # A stack that offloads sends checkpoints to the host as they are made, too.
    streamed = where(case.offloads, np.minimum(1.0, _STREAMED_LAYERS / case.n_layers), 1.0)
    # Whoever steps a layer as soon as its gradient is there keeps none.
    sharded_gradient = where(case.gradient_bytes, _sharded_gradient_bytes(case), 0.0)
    gradient_bytes = trained * on_device * np.where(zero >= _ZERO3, sharded_gradient, case.gradient_bytes)
    # ZeRO-Offload hands gradients to the host as they are reduced.
    gradient_bytes = gradient_bytes * where(case.offload_optimizer, np.where(zero >= _ZERO2, 0.0, 1.0), 1.0)
    optimizer_bytes = case.optimizer_bytes * trained * on_device
    ends_bytes = case.ends_bytes * where_sharded(lay, case.unprepared_ends)
    kept, at_work, other = _activations(case, lay, held.layers)
    activations = kept * streamed + at_work
    gradients = held.over(zero, _ZERO2, gradient_bytes, gradient_bytes)
    if is_anywhere(case.widened_copy_bytes):
        activations = activations + _wide_copies(case, lay, held)
    if is_anywhere(case.gradients_freed):
        gradients = _at_the_fullest(case, lay, gradients, of_output=gradient_bytes * held.output, kept=kept, loss=other)
    if is_anywhere(case.bucket_bytes):
        in_buckets = trained * np.where(_replicates(lay), case.bucket_bytes, 0.0)
        gradients = gradients + held.over(zero, _ZERO1, in_buckets, in_buckets)
    if (zero >= _ZERO3).any() or is_anywhere(case.offload_parameters):
        other = other + _gathered(case, lay, held, fetched)
    if is_anywhere(case.step_bytes):
        step_bytes = case.step_bytes * trained * on_device
        other = np.maximum(other, held.over(zero, _ZERO1, step_bytes, step_bytes) - activations)
    counted = (np.asarray(case.adapters) > 0) | (np.asarray(case.bucket_bytes) > 0)
    buckets = np.where((zero < _ZERO1) & counted, 0.0, 1.0)
    communicator = _COMMUNICATOR_BYTES.low + buckets * (_COMMUNICATOR_BYTES.mode - _COMMUNICATOR_BYTES.low)
    fixed = _CONTEXT_BYTES.mode + where(case.n_gpus - 1.0, communicator, 0.0)
    return Memory(
        weights_bytes=held.over(zero, _ZERO3, case.frozen_bytes, ends_bytes) * streamed * (1.0 - fetched),
        gradients_bytes=gradients,
        optimizer_bytes=held.over(zero, _ZERO1, optimizer_bytes, optimizer_bytes),
        activations_bytes=activations,
        other_bytes=other + fixed,
    )


def host_bytes_of(case: Case, lay: Layouts) -> Floats:
    """Return bytes in host memory of the node whose devices hold most there, shape (L,).

        devices · (optimizer states, with weights and gradients as they are updated + fetched weights + activations)

    Source: Rajbhandari et al. 2021, table 1; DeepSpeed, `estimate_zero3_model_states_mem_needs`, without its factor of
    1.5 for buffers. Fails on what a process needs besides, and where weights are loaded whole.
    """
    offloaded = (case.host_state_bytes, case.offload_parameters, case.host_activations, case.host_checkpoints)
    if not any(is_anywhere(part) for part in offloaded):
        return np.zeros(len(lay))
    held, state_bytes, zero = _stage(case, lay), case.host_state_bytes * case.trained_share, lay.shard_stage
    states = held.over(zero, _ZERO1, state_bytes, state_bytes)
    weights = held.over(zero, _ZERO3, case.frozen_bytes, case.ends_bytes)
    on_device = replace(case, host_activations=0.0, host_checkpoints=0.0)
    activations = _activations(on_device, lay, held.layers)[0] - _activations(case, lay, held.layers)[0]
    return (states + case.offload_parameters * case.host_weights * weights + activations) * case.gpus_per_node


def _at_the_fullest(
    case: Case, lay: Layouts, gradients: Floats, *, of_output: BROADCAST, kept: Floats, loss: Floats
) -> Floats:
    """Return bytes of the gradients that are there when most is held, shape (L,).

        max(0, output layer's − loss, all − loss − kept)

    PyTorch frees gradients after each step and makes them layer by layer, as what was kept for the layer goes: there
    are none beside the whole logits, the output layer's beside all that is kept, and all of them at the end. Whoever
    accumulates over micro-batches has them beside the next activations; DDP frees them and keeps its buckets.
    """
    unsplit = lay.tensor * lay.pipeline <= 1
    one = lay.data * lay.context <= 1
    alone = (lay.micro_batches <= 1) & unsplit & (one | (_replicates(lay) & (np.asarray(case.bucket_bytes) > 0.0)))
    late = np.maximum(0.0, np.maximum(of_output, gradients - kept) - loss)
    return np.where(alone & (np.asarray(case.gradients_freed) > 0.0), late, gradients)


def _replicates(lay: Layouts) -> NDArray[np.bool_]:
    """Return where devices hold the same states, whole, and reduce their gradients, shape (L,)."""
    return (lay.data * lay.context > 1) & (lay.shard_stage < _ZERO1)


def _wide_copies(case: Case, lay: Layouts, held: _Stage) -> Floats:
    """Return bytes of the 16-bit copies of packed weights that autograd keeps for gradients of inputs, shape (L,).

    All of them where nothing is run again; else those of the layer at work.
    """
    kept = 1.0 - where_recomputed(lay, full=case.recomputed_share)
    return case.widened_copy_bytes * (held.body + held.experts) * np.maximum(kept, 1.0 / held.layers)


def _stage(case: Case, lay: Layouts) -> _Stage:
    """Return the weights of the fullest stage: the most layers, and embedding or output layer, tied or not."""
    chunks = lay.pipeline * lay.virtual
    layers = np.ceil(case.n_layers / chunks) * lay.virtual
    output = case.output_parameters
    ends = output + case.embedding_parameters
    # Dense layers lie before those with experts, so that other stages have only these, or between them.
    between = where(case.n_layers - 2.0 * case.n_expert_layers, 1.0, 0.0)
    evenly = between * case.n_expert_layers / case.n_layers + 1.0 - between
    of_experts = np.minimum(layers * evenly, case.n_expert_layers) / np.maximum(case.n_expert_layers, 1.0)
    owners = np.where(lay.shard_stage >= _ZERO3, lay.shard_group, lay.data * lay.context)
    return _Stage(
        body=(case.shared_parameters - ends) / case.n_layers * layers / lay.tensor,
        ends=np.where(lay.pipeline > 1, output, ends) / lay.tensor,
        output=output / lay.tensor,
        experts=case.expert_parameters * of_experts / lay.expert,
        owners=owners,
        expert_owners=np.maximum(owners * lay.tensor / lay.expert, 1.0),
        layers=layers,
    )


def _sharded_gradient_bytes(case: Case) -> BROADCAST:
    """Return bytes per gradient until ZeRO-3 reduces it, twice as many where weights are in FP32."""
    return _SHARDED_GRADIENT_BYTES * (1.0 + case.wide)


def _gathered(case: Case, lay: Layouts, held: _Stage, fetched: BROADCAST) -> Floats:
    """Return bytes of what ZeRO-3 holds whole for the layer at work: weights, and gradients before they are reduced."""
    width = np.minimum(case.frozen_bytes, 2.0 * (1.0 + case.wide))
    layer = (held.body + held.experts) / held.layers
    gradients = where(case.gradient_bytes, case.gradient_bytes, _sharded_gradient_bytes(case)) * case.trained_share
    ends = case.ends_bytes * where_sharded(lay, case.unprepared_ends) * held.ends
    # Whoever gathers matrix by matrix has the output layer whole, or a layer.
    one = np.maximum(layer * width, ends / 2.0)
    whole = layer * gradients + where(case.gathered_ends, layer * case.gathered_layers * width + ends, one)
    return np.where((lay.shard_stage >= _ZERO3) | (fetched > 0), whole, 0.0)


def _activations(case: Case, lay: Layouts, layers: BROADCAST) -> tuple[Floats, Floats, Floats]:
    """Return bytes of kept activations, of the layer at work, and of what the loss needs beyond, each of shape (L,).

    A micro-batch in flight keeps its layers' activations, or with full recomputation the layers' inputs, while one
    layer at a time is whole. The first stage has p micro-batches in flight, the last one and the logits; interleaving
    adds (p − 1)/v to either. The loss counts as far as it makes the last stage fuller than the first, in place of a
    layer at work. Where rows differ, the longest of the run is what must fit.
    Source: Korthikanti et al. 2022, section 4.2.3.
    """
    tokens = lay.micro_batch * case.sequence_length * case.longest_row / lay.context
    full, split = lay.recompute > 1, where(case.sequence_parallel, lay.tensor, 1.0)
    per_layer = tokens / case.n_layers
    whole = (case.kept_residual_bytes / split + case.kept_hidden_bytes / lay.tensor) * per_layer
    again = where_recomputed(lay, full=case.recomputed_share, selective=1.0 - case.selective_share)
    scores: BROADCAST = 0.0
    if is_anywhere(case.unfused):
        scores = case.unfused * _SCORE_BYTES * case.score_elements * case.longest_row / lay.tensor * per_layer
    kept_split = where(case.partitions_checkpoints, lay.tensor, split)
    checkpoint_bytes = case.checkpoint_bytes * where_sharded(lay, case.unprepared_ends)
    checkpoint = checkpoint_bytes / kept_split * per_layer * where_recomputed(lay, full=case.recomputed_share)
    dropped = where_recomputed(lay, full=case.recomputed_share, selective=1.0)
    kept = (1.0 - again) * whole + (1.0 - dropped) * scores + checkpoint
    in_flight = where(case.stages_alone, 1.0, np.minimum(lay.pipeline, lay.micro_batches))
    more = np.where(lay.virtual > 1, np.minimum((lay.pipeline - 1.0) / lay.virtual, lay.micro_batches - in_flight), 0.0)
    hosted = where(case.host_activations + case.host_checkpoints, _hosted(case, lay), 0.0)
    kept = kept * layers * (1.0 - hosted) * case.streams_passed
    # The layer at work: what it computes again, gradients of it, and inputs gathered whole.
    at_work = (np.where(full, 1.0, again) + _BACKWARD_SHARE.mode) * whole + np.where(lay.recompute > 0, scores, 0.0)
    gathered = _WHOLE_INPUTS_BYTES * (1.0 + case.wide) * tokens * case.hidden * case.sequence_parallel
    at_work = at_work + np.where(lay.tensor > 1, gathered, 0.0)
    share = _CHUNKED_LOSS.mode + (1.0 - _CHUNKED_LOSS.mode) * case.whole_logits
    logit_bytes = case.logit_bytes * where_sharded(lay, case.unprepared_logits)
    loss = logit_bytes * share * tokens * case.logits / lay.tensor
    on_first = kept * (in_flight + more)
    on_last = kept * np.minimum(1.0 + more, in_flight + more)
    return on_first, at_work, np.maximum(0.0, loss - (on_first - on_last) - at_work)


def _hosted(case: Case, lay: Layouts) -> Floats:
    """Return the share of kept activations in host memory; two layers' are on their way.

    Transformer Engine moves whole layers' activations, and not with pipeline stages.
    """
    share = np.where(lay.recompute > 1, case.host_checkpoints, case.host_activations)
    most = np.maximum(1.0 - _STREAMED_LAYERS / case.n_layers, 0.0)
    return np.where(lay.pipeline > 1, 0.0, np.minimum(share, most))
