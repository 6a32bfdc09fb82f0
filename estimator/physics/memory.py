"""Peak memory of the fullest device, for many layouts at once: states by ZeRO stage, activations under 1F1B."""

from dataclasses import dataclass

import numpy as np

from estimator.base.prior import Prior
from estimator.physics.case import Case
from estimator.physics.layout import Floats, Layouts

__all__ = ["USABLE_SHARE", "Memory", "memory_of"]

USABLE_SHARE = Prior(
    low=0.88,
    mode=0.95,
    high=0.98,
    why="Share of a device's memory that tensors can fill: the driver keeps some, and the caching allocator fragments "
    "the rest",
)
_FIXED_BYTES = Prior(
    low=0.8e9,
    mode=2.0e9,
    high=5.0e9,
    why="CUDA context and kernels (about 0.5 GB), NCCL buffers, which grow with communicators, cuBLAS workspaces",
)
_SELECTIVE_SHARE = Prior(
    low=0.4,
    mode=0.55,
    high=0.75,
    why="Activations kept under selective recomputation with fused attention, over all: the inputs of matmuls, less "
    "the MLP's copies before and after its activation (after Korthikanti et al. 2022, table 2)",
)
_CHUNKED_LOSS = Prior(
    low=0.02,
    mode=0.05,
    high=0.15,
    why="Share of the logits that a stack which computes the loss in chunks of the tokens holds at a time",
)
_PIPELINED_LOSS = Prior(
    low=0.0,
    mode=0.25,
    high=1.0,
    why="Share of the logits that adds to the peak where there are stages: the first is the fullest, for it holds p "
    "micro-batches where the last, which has the logits, holds one",
)
_SHARDED_GRADIENT_BYTES = 2.0
"""ZeRO-3 keeps gradients in 16 bit until they are reduced (Rajbhandari et al. 2020, section 3.1)."""
_OPTIMIZER_BYTES = 12.0
"""FP32 master weights and two Adam moments (Rajbhandari et al. 2020, section 3.1)."""
_GATHERED_BYTES = 2.0
"""ZeRO-3 gathers weights in 16 bit."""
_GATHERED_LAYERS = 2.0
"""The layer at work and the next one, prefetched."""
_STREAMED_LAYERS = 2.0
"""The same of a stack that streams weights from host memory: one at work, one on its way."""
_ELEMENT_BYTES = 2.0
"""Activations are kept in 16 bit."""
_RESIDUAL_ELEMENTS = 5.0
"""Copies of the residual stream a layer keeps: inputs of both norms, of QKV, of the output projection, of the MLP
(Korthikanti et al. 2022, section 4.1)."""
_HIDDEN_ELEMENTS = 1.55
"""Copies of heads and MLP a layer keeps: Q, K and V once, the MLP before and after its activation; (3 + 8)/(3 + 4) with
an MLP of width 4h. With the residual stream that is the paper's 32 bytes of 34 (equation 1) without dropout masks."""
_SCORE_BYTES = 5.0
"""Unfused attention keeps softmax (2), dropout mask (1) and its output (2) of every score (the same, equation 1)."""
_LOSS_BYTES = 6.0
"""Logits in 16 bit and their FP32 gradient."""
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
        """Sum of all uses, shape (L,), compared with `USABLE_SHARE` of the device's memory."""
        return (
            self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + self.activations_bytes + self.other_bytes
        )


def memory_of(case: Case, lay: Layouts) -> Memory:
    """Return peak memory of the fullest device, by use, shape (L,).

        weights + gradients + optimizer, each sharded from its ZeRO stage on
        + activations of min(p, micro-batches) micro-batches of L/p layers + fixed + gathered layers + loss

    Source: Rajbhandari et al. 2020, figure 1 (states); Korthikanti et al. 2022, equations 1 to 5 (activations);
    Narayanan et al. 2021, section 2.2 (micro-batches in flight).
    Fails on optimizers other than Adam with FP32 states, and on CPU offloading other than llmq's.
    """
    ranks = lay.data * lay.context
    owners = np.where(lay.shard_stage >= _ZERO3, lay.shard_group, ranks)
    expert_owners = np.maximum(owners * lay.tensor / lay.expert, 1.0)
    ends = np.where(lay.pipeline > 1, case.embedding_parameters, 0.0)
    body = (case.shared_parameters - 2.0 * ends) / lay.pipeline + ends
    shared = body / lay.tensor
    experts = case.expert_parameters / (lay.expert * lay.pipeline)

    def spread(from_stage: float) -> Floats:
        sharded = shared / owners + experts / expert_owners
        return np.where(lay.shard_stage >= from_stage, sharded, shared + experts)

    kept = case.trained_share
    layers_gathered = _GATHERED_LAYERS * _GATHERED_BYTES * (shared + experts) * lay.pipeline / case.n_layers
    gathered = np.where(lay.shard_stage >= _ZERO3, layers_gathered, 0.0)
    gradient_bytes = np.where(lay.shard_stage >= _ZERO3, _SHARDED_GRADIENT_BYTES, case.gradient_bytes)
    on_device = 1.0 - case.offloads
    activations, loss = _activations(case, lay)
    # Transformer Engine moves whole layers' activations to the host, and not with pipeline stages.
    stays = 1.0 - np.where(lay.pipeline > 1, 0.0, case.host_activations)
    # A stack that offloads sends checkpoints to the host as they are made, too.
    streamed = np.where(case.offloads > 0, np.minimum(1.0, _STREAMED_LAYERS / case.n_layers), 1.0)
    return Memory(
        weights_bytes=case.frozen_bytes * spread(_ZERO3) * streamed,
        gradients_bytes=on_device * gradient_bytes * kept * spread(_ZERO2),
        optimizer_bytes=on_device * _OPTIMIZER_BYTES * kept * spread(_ZERO1),
        activations_bytes=activations * stays * streamed,
        other_bytes=_FIXED_BYTES.mode + gathered + loss * np.where(case.offloads > 0, _CHUNKED_LOSS.mode, 1.0),
    )


def _activations(case: Case, lay: Layouts) -> tuple[Floats, Floats]:
    """Return bytes of kept activations and of the logits with their gradient, each of shape (L,).

    A micro-batch in flight keeps its layers' activations, or with full recomputation the layers' inputs, while one
    layer at a time is whole. Interleaving keeps 1 + (p − 1)/(p·v) times as much. Source: Korthikanti et al. 2022,
    section 4.2.3.
    """
    tokens = lay.micro_batch * case.sequence_length / lay.context
    split = np.where(case.sequence_parallel > 0, lay.tensor, 1.0)
    hidden = case.heads_elements + case.mlp_elements + case.expert_elements + case.routed_elements
    layer = _ELEMENT_BYTES * (
        _RESIDUAL_ELEMENTS * case.residual_elements / split + _HIDDEN_ELEMENTS * hidden / lay.tensor
    )
    scores = np.where((case.unfused > 0) & (lay.recompute == 0), _SCORE_BYTES * case.score_elements / lay.tensor, 0.0)
    whole = (layer + scores) * tokens / case.n_layers
    # With fused attention, selective recomputation drops what norms and activations would keep.
    lighter = np.where((case.unfused > 0) | (lay.recompute == 0), 1.0, _SELECTIVE_SHARE.mode)
    checkpoint = _ELEMENT_BYTES * case.residual_elements / split * tokens / case.n_layers
    in_flight = np.minimum(lay.pipeline, lay.micro_batches)
    warm_up = 1.0 + (lay.pipeline - 1.0) / (lay.pipeline * lay.virtual)
    in_flight = np.where(lay.virtual > 1, np.minimum(in_flight * warm_up, lay.micro_batches), in_flight)
    layers = case.n_layers / lay.pipeline
    kept = np.where(lay.recompute > 1, checkpoint * layers * in_flight + whole, lighter * whole * layers * in_flight)
    loss = _LOSS_BYTES * tokens * case.vocab / lay.tensor * np.where(lay.pipeline > 1, _PIPELINED_LOSS.mode, 1.0)
    return kept, loss
