"""Seconds of what a device does beside matrix products: attention, elementwise kernels, what a quantised base costs."""

import numpy as np

from estimator.physics.case import BROADCAST, Case, is_anywhere
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts, where_sharded
from estimator.physics.network import where
from estimator.physics.recomputation import again_share, where_recomputed
from estimator.physics.uneven import busiest_share

__all__ = [
    "attention_s",
    "dequantization_s",
    "expert_overhead",
    "logits_traffic_s",
    "rounding_s",
    "routing_s",
    "scan_s",
    "traffic_s",
    "widening_s",
]

_ATTENTION_BACKWARD = 2.5
"""Five matmuls backward against two forward: Dao 2023, section 3.1."""
_PACKED_BYTES, _EXPANDED_BYTES = 0.55, 2.0
"""Bytes per weight of a 4-bit base with its scales, and of what its products read."""
_EAGER_NORM_PASSES, _NORM_PASSES = 14.0, 2.0
"""Elements moved forward per element that passes through a norm beyond a layer's two: each step a kernel in FP32, 18 as
counted in Transformers' RMSNorm, of which caches save what they save of the layer's two; and one kernel."""
_ROUNDED_BYTES = 15.0
"""Bytes moved forward per element that enters or leaves an 8-bit layer: cast, largest of each row, rounding, outliers
out; sums of 32 bits, scaled, cast, outliers' product added (bitsandbytes' `MatMul8bitLt`, counted)."""
_WIDENED_BYTES = 7.0
"""Bytes per weight backward: read in 8 bits, copied in 16, scaled."""
_METRIC_PASSES = 22.0
"""Times TRL's entropy and accuracy move whole logits, in 16-bit elements: log-softmax, exponent, product and sum in
FP32, and the largest (`entropy_from_logits`, counted)."""
_CHUNK_PASSES = 59.0
"""The same of a loss in chunks with both, forward twice and backward (TRL 1.9's `_chunk`, counted)."""
_CHUNK_TOKENS = 256.0


def attention_s(case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST) -> BROADCAST:
    """Return seconds of attention, one micro-batch, all passes, the model's layers divided over the stages.

    fused      FLOPs · (1 + k0/keys) / (ceiling · e(kernel) · head width^p)      k0: prologue of short sequences
               layers whose window is a mask, and all where one hides padding: FLOPs of all keys by the
               memory-efficient kernel, whose ends cost it as much; so all layers where a micro-batch is one sequence
               with a mask
    unfused    batched products, and the scores' passes through memory
    """
    part = tokens / (lay.tensor * lay.pipeline) * case.attention_share
    again = where_recomputed(lay, full=case.recomputed_share, selective=1.0)
    generation = where(case.flash_2, constants["flash_2_on_hopper"], constants["flash_hopper"])
    rate = case.half_flop_per_s * constants["flash_efficiency"] * where(case.modern, generation, 1.0)
    rate = rate * where(case.flash_1, constants["flash_1"], 1.0)
    fallback = constants["memory_efficient_attention"]
    rate = rate * where(case.memory_efficient, fallback, 1.0)
    # Scores have a head's width as their depth, and its values as their breadth: a wider unit is idle beside it.
    rate = rate * case.head_share ** constants["flash_head_power"] * case.head_fill
    core_again = where_recomputed(lay, full=case.recomputed_share, selective=case.again_core)
    # A ring of ranks passes each rank's two chunks of the sequence on, and every kernel sees one of them.
    chunks = np.where(lay.context > 1, 2.0 * lay.context, 1.0)
    flop: BROADCAST = case.attention_flop + constants["flash_start_keys"] * case.attention_flop_per_key * chunks
    slower = where(case.memory_efficient, 1.0, fallback)
    masked = case.masked_attention_flop + constants["flash_start_keys"] * case.masked_flop_per_key * chunks
    flop = flop + masked / slower
    flop = where(case.masked_batch_flop, case.masked_batch_flop * lay.micro_batch / slower, flop)
    passed = case.attention_passed
    flash: BROADCAST = part * flop / rate * (1.0 + (_ATTENTION_BACKWARD + core_again) * passed)
    if not is_anywhere(case.unfused):
        return flash
    products = part * case.attention_square_flop / (case.half_flop_per_s * constants["unfused_efficiency"])
    scores = part * case.score_elements * 2.0 * constants["unfused_passes"] * case.score_passes
    scores = scores / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])
    unfused = products * (1.0 + (2.0 + again) * passed) + scores * (1.0 + (2.0 + again) * passed) / 3.0
    return where(case.unfused, unfused, flash)


def scan_s(case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST) -> BROADCAST:
    """Return seconds of scans and recurrences, one micro-batch, all passes, the model's layers divided over the stages.

        max(products / (ceiling · e) + steps / (ceiling · v),  bytes / (bandwidth · b)) · (1 + backward + again)

    Heads are divided by tensor parallelism, tokens by context parallelism, between whose ranks a state a head is
    passed: less than a token's activations. Source: Dao and Gu 2024, section 6 (chunks as matrix products, and what
    passes between them); Gu and Dao 2023, section 3.3 (a scan in on-chip memory).
    """
    if not is_anywhere(case.scan_elements):
        return 0.0
    part = tokens / (lay.tensor * lay.pipeline)
    again = where_recomputed(lay, full=case.recomputed_share, selective=1.0)
    products = case.scan_matmul_flop / (case.half_flop_per_s * constants["scan_efficiency"])
    steps = case.scan_vector_flop / (case.half_flop_per_s * constants["vector_share"])
    width = 2.0 + 2.0 * case.wide
    moved = width * case.scan_elements / (case.bandwidth_bytes_per_s * constants["scan_bandwidth"])
    passes = 1.0 + (constants["scan_backward"] + again) * case.streams_passed
    return part * np.maximum(products + steps, moved) * passes


def expert_overhead(case: Case, constants: Constants) -> BROADCAST:
    """Return the factor on routing and permutation: 1 where each synchronises with the host."""
    spared = where(case.spared_experts, constants["spared_expert_overhead"], 1.0)
    return where(case.fused_experts, constants["fused_expert_overhead"], spared)


def traffic_s(case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST) -> BROADCAST:
    """Return seconds of bandwidth-bound kernels (norms, activations, permutation, quantisation, gradient accumulation).

    Bytes over achieved memory bandwidth, per micro-batch and stage, forward, backward and recomputation.
    """
    sequence_split = where(case.sequence_parallel, lay.tensor, 1.0)
    hidden = case.heads_elements + case.mlp_elements + case.expert_elements
    elements = constants["residual_passes"] * case.residual_elements / sequence_split
    elements = elements + constants["hidden_passes"] * hidden / lay.tensor
    permuted = constants["expert_permutation"] * expert_overhead(case, constants) * busiest_share(case, constants, lay)
    elements = elements + permuted * case.routed_elements / lay.tensor
    unfused = 1.0 + (constants["untuned_traffic"] - 1.0) * case.untuned
    beside = where(case.eager_adapters, constants["eager_adapter_passes"], constants["adapter_passes"])
    elements = elements * unfused + beside * case.adapter_elements / lay.tensor
    elements = elements + case.decomposed_elements / lay.tensor
    norm_passes = where(case.untuned, _EAGER_NORM_PASSES, _NORM_PASSES)
    elements = elements + norm_passes * case.normed_elements / lay.tensor
    # Each expert that a token visits has its input rounded as well.
    inputs = 4.0 * case.residual_elements + case.routed_elements + case.mlp_elements + case.expert_elements
    quantised = case.low_bit * constants["quantise_passes"] * inputs
    passes = 1.0 + (constants["backward_traffic"] + again_share(case, constants, lay)) * case.streams_passed
    width = 2.0 + 2.0 * case.wide
    moved: BROADCAST = width * tokens / lay.pipeline * (elements + quantised / lay.tensor) * passes
    looped = width * tokens * case.looped_elements / lay.expert * case.streams_passed
    moved = moved + (looped + width * case.sliced_elements / lay.expert * case.weight_gradients) / lay.pipeline
    weights = case.shared_parameters / lay.tensor + case.expert_parameters / lay.expert
    apart = case.weight_gradients * (1.0 - case.fused_accumulation)
    moved = moved + constants["gradient_bytes"] * apart * weights / lay.pipeline
    return moved / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])


def logits_traffic_s(case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST) -> BROADCAST:
    """Return seconds of softmax and cross-entropy over the vocabulary, all passes, and of what goes with them.

    A loss in chunks copies the output layer's weights for each.
    """
    passes = where(case.unfused_loss, constants["unfused_logits_passes"], constants["logits_passes"])
    passes = where(case.chunked_loss, _CHUNK_PASSES, passes + _METRIC_PASSES * case.loss_metrics)
    moved = 2.0 * tokens * case.logits / lay.tensor * passes
    chunks = np.ceil(tokens / _CHUNK_TOKENS) * case.chunked_loss
    chunk_bytes = case.chunk_bytes * where_sharded(lay, case.unprepared_chunks)
    moved = moved + chunks * chunk_bytes * case.hidden * case.logits / lay.tensor
    return moved / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])


def _dense_weights(case: Case, lay: Layouts) -> BROADCAST:
    """Return the weights of all layers on a tensor-parallel rank, experts and both ends apart."""
    return (case.shared_parameters - case.embedding_parameters - case.output_parameters) / lay.tensor


def dequantization_s(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return seconds a micro-batch of expanding a 4-bit base before each pass over it, whatever its tokens.

        weights · (packed + expanded bytes) · passes / bandwidth      forward, backward, and forward again

    They are expanded to what products are computed in, 2 bytes or 4, and once more in each forward pass for their norms
    where adapters are decomposed. Source: Dettmers et al. 2023, section 3 (storage and computation data types).
    """
    if not is_anywhere(case.dequantized):
        return 0.0
    weights = (_dense_weights(case, lay) + case.expert_parameters / lay.expert) / lay.pipeline
    slowness = where(case.slow_dequantization, constants["gptq_passes"], constants["dequantize_passes"])
    expanded_bytes = _EXPANDED_BYTES * (1.0 + case.wide)
    moved = case.dequantized * weights * (_PACKED_BYTES + expanded_bytes) * slowness
    again = where_recomputed(lay, full=case.recomputed_share)
    passes = 2.0 + again + case.decomposed * (1.0 + again)
    return moved * passes / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])


def widening_s(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return seconds a micro-batch of widening weights that are held alone in few bits, before each product over them.

        weights · bytes moved · passes / bandwidth        forward, backward where gradients pass, and forward again

    Products are of 16 bits, as those of a base that is not quantised.
    """
    if not is_anywhere(case.widened_bytes):
        return 0.0
    weights = (_dense_weights(case, lay) + case.expert_parameters / lay.expert) / lay.pipeline
    passes = 1.0 + (1.0 + where_recomputed(lay, full=case.recomputed_share)) * case.streams_passed
    return case.widened_bytes * weights * passes / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])


def rounding_s(case: Case, constants: Constants, lay: Layouts, tokens: BROADCAST) -> BROADCAST:
    """Return seconds a micro-batch of what 8-bit products of a frozen base cost beside the products.

    Forward each input is rounded and its outliers multiplied apart; backward the weights are widened to 16 bits.
    Source: Dettmers et al. 2022 (LLM.int8()), section 3.
    """
    if not is_anywhere(case.rounded):
        return 0.0
    widened = case.rounded * _dense_weights(case, lay) * _WIDENED_BYTES * case.streams_passed
    forwards = 1.0 + where_recomputed(lay, full=case.recomputed_share)
    moved = widened + tokens * case.rounded_elements / lay.tensor * _ROUNDED_BYTES * forwards
    return moved / lay.pipeline / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])


def routing_s(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return seconds a micro-batch of finding the tokens of experts, starting them, and waiting for the host.

    Where another micro-batch is worked on while tokens are on their way, it is also while the host finds out how many
    come.
    """
    starts = constants["expert_start_s"] * case.n_experts / lay.expert
    again = again_share(case, constants, lay)
    floor = constants["expert_floor_s"] * where(case.exchange_overlap, constants["exchange_visible_beside"], 1.0)
    routing = (floor + starts) * case.n_expert_layers / lay.pipeline * (1.0 + again / 2.0)
    return routing * expert_overhead(case, constants)
