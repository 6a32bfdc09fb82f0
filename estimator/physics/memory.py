"""Bytes on the fullest device, for many layouts at once."""

from dataclasses import dataclass

import numpy as np

from estimator.physics.case import Case
from estimator.physics.layout import Floats, Layouts

__all__ = ["USABLE_SHARE", "Memory", "memory_of"]

USABLE_SHARE = 0.95
"""Of a device's memory: what a run can fill before fragmentation and the driver's own share stop it."""
_SHARDED_GRADIENT_BYTES = 2.0
"""ZeRO-3 keeps gradients in 16 bit until they are reduced."""
_OPTIMIZER_BYTES = 12.0
"""FP32 master weights and two Adam moments (Rajbhandari et al. 2020, section 3.1)."""
_FIXED_BYTES = 2.0e9
"""CUDA context, communication buffers, workspaces."""
_RESIDUAL_ELEMENTS = 5.0
_HIDDEN_ELEMENTS = 1.55
"""16-bit elements kept per element of a stream: 32 bytes a token and hidden unit in all for an MLP of width 4h
(Korthikanti et al. 2022, equation 1, without the score matrix and without dropout masks)."""
_SELECTIVE_SHARE = 0.55
"""Of the activations: inputs of matmuls alone (Korthikanti et al. 2022, table 2, without the MLP's hidden copies)."""
_CHUNKED_LOSS = 0.05
"""Of the loss: what a stack that computes it in chunks holds at a time."""
_LOSS_BYTES = 6.0
"""Logits in 16 bit and their FP32 gradient."""
_ZERO1, _ZERO2, _ZERO3 = 1.0, 2.0, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes by use, each of shape (L,)."""

    weights_bytes: Floats
    gradients_bytes: Floats
    optimizer_bytes: Floats
    activations_bytes: Floats
    other_bytes: Floats

    @property
    def total_bytes(self) -> Floats:
        """Everything on the fullest device."""
        return (
            self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + self.activations_bytes + self.other_bytes
        )


def memory_of(case: Case, lay: Layouts) -> Memory:
    """Return the memory of the fullest device, by use, shape (L,).

    States by ZeRO stage: Rajbhandari et al. 2020, figure 1. Activations: Korthikanti et al. 2022, equations 1 to 5,
    with as many micro-batches in flight as the first pipeline stage holds (Narayanan et al. 2021, section 2.2).
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
    gathered = np.where(lay.shard_stage >= _ZERO3, 2.0 * 2.0 * (shared + experts) * lay.pipeline / case.n_layers, 0.0)
    gradient_bytes = np.where(lay.shard_stage >= _ZERO3, _SHARDED_GRADIENT_BYTES, case.gradient_bytes)
    on_device = 1.0 - case.offloads
    activations, loss = _activations(case, lay)
    # A stack that offloads keeps two layers, and checkpoints go to the host as they are made.
    # Transformer Engine moves whole layers' activations to the host, and not with pipeline stages.
    stays = 1.0 - np.where(lay.pipeline > 1, 0.0, case.host_activations)
    streamed = np.where(case.offloads > 0, np.minimum(1.0, 2.0 / case.n_layers), 1.0)
    return Memory(
        weights_bytes=case.frozen_bytes * spread(_ZERO3) * streamed,
        gradients_bytes=on_device * gradient_bytes * kept * spread(_ZERO2),
        optimizer_bytes=on_device * _OPTIMIZER_BYTES * kept * spread(_ZERO1),
        activations_bytes=activations * stays * streamed,
        other_bytes=_FIXED_BYTES + gathered + loss * np.where(case.offloads > 0, _CHUNKED_LOSS, 1.0),
    )


def _activations(case: Case, lay: Layouts) -> tuple[Floats, Floats]:
    """Return bytes of kept activations and of the loss."""
    tokens = lay.micro_batch * case.sequence_length / lay.context
    split = np.where(case.sequence_parallel > 0, lay.tensor, 1.0)
    hidden = case.heads_elements + case.mlp_elements + case.expert_elements + case.routed_elements
    layer = 2.0 * (_RESIDUAL_ELEMENTS * case.residual_elements / split + _HIDDEN_ELEMENTS * hidden / lay.tensor)
    scores = np.where((case.unfused > 0) & (lay.recompute == 0), 5.0 * case.score_elements / lay.tensor, 0.0)
    whole = (layer + scores) * tokens / case.n_layers
    # With fused attention, selective recomputation drops what norms and activations would keep.
    lighter = np.where((case.unfused > 0) | (lay.recompute == 0), 1.0, _SELECTIVE_SHARE)
    checkpoint = 2.0 * case.residual_elements / split * tokens / case.n_layers
    in_flight = np.minimum(lay.pipeline, lay.micro_batches)
    warm_up = 1.0 + (lay.pipeline - 1.0) / (lay.pipeline * lay.virtual)
    in_flight = np.where(lay.virtual > 1, np.minimum(in_flight * warm_up, lay.micro_batches), in_flight)
    layers = case.n_layers / lay.pipeline
    kept = np.where(lay.recompute > 1, checkpoint * layers * in_flight + whole, lighter * whole * layers * in_flight)
    # The last stage holds the logits, but only one micro-batch in flight.
    loss = _LOSS_BYTES * tokens * case.vocab / lay.tensor / np.where(lay.pipeline > 1, 4.0, 1.0)
    return kept, loss
