"""Inputs of the step-time and memory models besides the layout: model, device, network and software as plain numbers.

Every field broadcasts against the layouts, so the same physics prices one model's layouts and a
whole table of published runs.
"""

from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from estimator.models.operations import Part, Shard

__all__ = ["BROADCAST", "Case", "Matrix", "is_anywhere", "stacked"]

Numbers: TypeAlias = "float | NDArray[np.float64]"
BROADCAST: TypeAlias = Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A weight matrix, `inputs` by `outputs`, in `layers` layers.

    Experts are `copies` of it, of which a token visits `visits`; `shard`: how tensor or expert parallelism divides it.
    """

    name: str
    part: Part
    shard: Shard
    inputs: Numbers
    outputs: Numbers
    layers: Numbers
    copies: Numbers
    visits: Numbers
    trained: Numbers
    """Share of its weights whose gradient is computed."""
    passed: Numbers = 1.0
    """Share of it that gradients pass through, to what learns below."""
    rate: Numbers = 1.0
    """Positions it is applied to for each token of the main sequence."""
    taps: Numbers = 1.0
    """Positions that a convolution's filter covers; 1 of a matrix."""
    groups: Numbers = 1.0
    """Groups of channels that a convolution keeps apart."""
    again_full: Numbers = 1.0
    """Share of its forward pass that full recomputation runs again …"""
    again_named: Numbers = 0.0
    """… and that selective recomputation does, where its parts are known by name."""
    adapter: bool = False
    """True for the low-rank pairs beside a frozen matrix: 16 bit whatever the base is."""
    half: bool = False
    """True where a recipe keeps it in 16 bits whatever the others are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Inputs of `step_time` and `memory_of` besides the layout; flags are 0 or 1, so that they broadcast too."""

    matrices: tuple[Matrix, ...]
    n_layers: Numbers
    """Layers that pipeline stages divide."""
    pairs: Numbers
    """Pairs of a sequence mixer and an MLP: layers of an ordinary transformer, those of towers included."""
    mixing_layers: Numbers
    """Layers whose attention context parallelism passes keys and values for."""
    n_expert_layers: Numbers
    hidden: Numbers
    routed_width: Numbers
    """Width in which tokens are sent to experts."""
    logits: Numbers
    """Logits for each token."""
    output_parameters: Numbers
    """Parameters of the output layer."""
    n_experts: Numbers
    top_k: Numbers
    attention_flop: Numbers
    """Forward FLOPs of the attention core per token over all layers, causal mask skipped (FlashAttention)."""
    attention_square_flop: Numbers
    """The same over the full score matrix, as unfused attention works it out."""
    masked_attention_flop: Numbers
    """The same over all keys, of layers whose window is a mask, or whose padding; `attention_flop` is without them."""
    masked_batch_flop: Numbers
    """The same of all layers, over all keys of a sequence, where one mask over a micro-batch keeps samples apart."""
    attention_flop_per_key: Numbers
    """`attention_flop` over the length of the sequence, or of the window: short ones start and end kernels often."""
    masked_flop_per_key: Numbers
    """`masked_attention_flop` over the length of the sequence, for the same reason: the kernel is no other."""
    attention_passed: Numbers
    """Share of attention that gradients pass through."""
    scan_matmul_flop: Numbers
    """Forward FLOPs of scans and recurrences per token over all layers, in small matrix products …"""
    scan_vector_flop: Numbers
    """… and outside matrix units."""
    scan_elements: Numbers
    """Activation elements that their kernels move forward, per token over all layers."""
    streams_passed: Numbers
    """Share of the activations that gradients pass through, and that are kept for them."""
    score_passes: Numbers
    """Times that unfused attention moves a score, over those of one kernel for scale, mask and softmax."""
    score_elements: Numbers
    """Elements of the score matrices per token over all layers."""
    kv_width: Numbers
    residual_elements: Numbers
    heads_elements: Numbers
    mlp_elements: Numbers
    expert_elements: Numbers
    routed_elements: Numbers
    """Activation elements per token over all layers: residual stream, Q/K/V, MLP, expert MLP, routed tokens."""
    normed_elements: Numbers
    """The same of what passes through norms beyond two a layer."""
    shared_parameters: Numbers
    """Parameters that expert parallelism does not divide, embedding included."""
    expert_parameters: Numbers
    embedding_parameters: Numbers
    trained_share: Numbers
    """Trainable over all parameters: those with gradients and optimizer states."""
    weight_gradients: Numbers
    """Share of the base's weights whose gradient is computed: 1, or 0 on a frozen base."""
    adapters: Numbers
    """1 where low-rank pairs lie beside a frozen base."""
    eager_adapters: Numbers
    """1 where each step of them is a kernel of its own, in FP32 (PEFT)."""
    decomposed: Numbers
    """1 where adapters work out the norm of each matrix that they lie beside, in every forward pass (DoRA) …"""
    decomposed_bytes: Numbers
    """… bytes moved for it, over all layers, whatever the tokens …"""
    decomposed_elements: Numbers
    """… and elements moved per token forward to scale by it what leaves such matrices."""
    adapter_elements: Numbers
    """Activation elements per token over all layers that enter or leave a matrix with a low-rank pair beside it."""
    frozen_bytes: Numbers
    """Bytes per weight of a layer held for the forward pass: 2 in 16 bit, 0.52 in QLoRA's 4 bit with its scales."""
    ends_bytes: Numbers
    """The same of embedding and output layer, which are not quantised."""
    unprepared_ends: Numbers
    """Share of these, and of layers' inputs, where a base is sharded, which trainers then leave as it was loaded …"""
    unprepared_logits: Numbers
    """… of the bytes held for each logit …"""
    unprepared_chunks: Numbers
    """… and of those that a loss in chunks moves; 1 each where none is prepared for training in 4 or 8 bits."""
    rounded: Numbers
    """Share of the weights that are held in 8 bits, their inputs rounded to as many before each product."""
    rounded_elements: Numbers
    """Elements of a token that enter or leave such products, over all layers."""
    dequantized: Numbers
    """Share of the weights that lie in 4 bit and are expanded before each product."""
    widened_bytes: Numbers
    """Bytes moved a weight to widen those that are held alone in few bits, before each product; 0 where none are."""
    widened_copy_bytes: Numbers
    """Bytes a weight of wide copies that are kept for the backward pass unless it makes them again."""
    slow_dequantization: Numbers
    """1 where the kernels that do so are GPTQ's of 2023."""
    gradients_freed: Numbers
    """1 where gradients are freed after each step, not held in buffers of the trainer's."""
    gradient_bytes: Numbers
    """Bytes per gradient in the unsharded accumulation buffer."""
    bucket_bytes: Numbers
    """The same of the buckets that DDP reduces, beside the gradients; 0 where there are none, or these are views."""
    fused_accumulation: Numbers
    """1 where the product that makes a gradient adds it to those of the micro-batches before."""
    optimizer_bytes: Numbers
    """Bytes per trained weight of the optimizer's states on the device: moments, and an FP32 copy of the weight."""
    step_bytes: Numbers
    """Bytes per trained weight that the optimizer's step holds besides, when activations are gone."""
    logit_bytes: Numbers
    """Bytes held at once for each logit of a micro-batch."""
    kept_residual_bytes: Numbers
    kept_hidden_bytes: Numbers
    """Activations kept for the backward pass, bytes per token over all layers: what sequence parallelism divides, and
    what tensor parallelism divides."""
    selective_share: Numbers
    """Share of them that selective recomputation keeps, scores of unfused attention apart."""
    named_recompute: Numbers
    """1 where the parts are known that selective recomputation runs again."""
    again_of_flop: Numbers
    """Their share of the forward products of all layers."""
    again_exchange: Numbers
    """Share of the experts' exchanges, there and back, that goes with them."""
    again_core: Numbers
    """1 where the attention core is one of them."""
    checkpoint_bytes: Numbers
    """Inputs of all layers, bytes per token, which full recomputation keeps."""
    recomputed_share: Numbers
    """Share of the layers that full recomputation is of."""
    partitions_checkpoints: Numbers
    """1 where tensor-parallel ranks hold a share each of them."""
    gathered_layers: Numbers
    """Layers whose weights ZeRO-3 holds whole at a time."""
    gathered_ends: Numbers
    """1 where it holds embedding and output layer whole from the forward pass to the backward's end."""
    offloads: Numbers
    """1 where weights, gradients and optimizer states lie in host memory, and the loss is computed in chunks."""
    offload_optimizer: Numbers
    """1 where the host holds and updates the optimizer's states (ZeRO-Offload)."""
    states_on_disk: Numbers
    """1 where what is offloaded lies on the node's drives, which its devices share."""
    offload_parameters: Numbers
    """Share of the weights that is fetched from host memory for each pass (ZeRO-Infinity, block swapping)."""
    host_state_bytes: Numbers
    """Bytes in host memory for each trained weight: the optimizer's states, the copy that it updates, its gradient."""
    host_weights: Numbers
    """Share of the fetched weights that lies in host memory beside those states; 0 on drives."""
    swap_copies: Numbers
    """Where blocks are swapped, copies over the link for each that is needed: of it, and of one that makes room for it
    where that is copied back first; 0 elsewhere."""
    paged_bytes: Numbers
    """Bytes per trained weight of moments that are paged out to the host under pressure; 0 where none are."""
    usable_bytes: Numbers
    """Bytes of a device that a run can fill."""
    decomposition_s: Numbers
    """Seconds a step in which an optimizer of low rank finds new projections, the mean over all steps."""
    optimizer_share: Numbers
    """Bytes that the optimizer's step moves, over AdamW's."""
    host_activations: Numbers
    """Share of the activations that lies in host memory where nothing is split in stages."""
    host_checkpoints: Numbers
    """The same of the layers' inputs that full recomputation keeps."""
    sequence_length: Numbers
    unevenness: Numbers
    """By what share the longest of several devices' micro-batches becomes longer with each e-fold of their number, each
    being padded on its own."""
    longest_row: Numbers
    """Tokens of the longest row over the usual one, which memory is counted at."""
    n_gpus: Numbers
    gemm_flop_per_s: Numbers
    half_flop_per_s: Numbers
    """Achievable GEMM rates, measured on large matrices: at the question's precision, and at 16 bit."""
    convolution_flop_per_s: Numbers
    """The same of convolutions …"""
    grouped_flop_per_s: Numbers
    """… and of those that keep groups of channels apart."""
    shaders: Numbers
    """1 where matrix products run outside matrix units …"""
    shader_convolutions: Numbers
    """… and where convolutions do."""
    gemm_bytes: Numbers
    wide: Numbers
    """1 where weights and activations are held in FP32."""
    low_bit: Numbers
    four_bit: Numbers
    bandwidth_bytes_per_s: Numbers
    narrowness: Numbers
    """Peak of matmuls in fewer than 16 bits over that of 16, 1 of others."""
    balance: Numbers
    """Machine balance, 16-bit peak over memory bandwidth, relative to an A100's: more of it needs longer inner
    dimensions."""
    n_sm: Numbers
    scale_up_bytes_per_s: Numbers
    """Infinite where each device is alone in its node, and has the network only."""
    scale_up_domain: Numbers
    pcie: Numbers
    """1 where devices of a node reach each other over PCIe alone."""
    split_nodes: Numbers
    """1 where a usual node has several scale-up domains, between which PCIe leads."""
    no_peer_access: Numbers
    """1 where what crosses PCIe goes through host memory (consumer cards)."""
    gpus_per_node: Numbers
    pcie_bytes_per_s: Numbers
    scale_out_bytes_per_s: Numbers
    memory_bytes: Numbers
    unfused: Numbers
    """1 where attention is unfused: it writes its score matrix to memory."""
    memory_efficient: Numbers
    """1 where attention is SDPA's or xFormers' memory-efficient kernel."""
    modern: Numbers
    """1 on Hopper and later NVIDIA datacenter chips."""
    flash_1: Numbers
    """1 where attention is the first FlashAttention's."""
    flash_2: Numbers
    """1 where attention kernels are not written for the chip's own generation (FlashAttention 2 on Hopper)."""
    channels_last: Numbers
    """1 where pictures lie in memory as tensor cores read them, so that no convolution transposes."""
    fused_experts: Numbers
    """1 where expert layers do not wait for the host, and dispatch and permutation are fused kernels."""
    spared_experts: Numbers
    """1 where they wait or permute less: a library made for it sends tokens, or a graph replays whole layers."""
    plain_exchange: Numbers
    """1 where NCCL's all-to-all sends a copy of a token for each expert that it goes to."""
    free_routing: Numbers
    """1 where routers choose experts freely: nothing forces them to be even, and nothing is dropped."""
    exchange_overlap: Numbers
    """1 where another micro-batch is worked on while tokens are on their way to experts and back."""
    hides_tensor_parallel: Numbers
    """1 where tensor-parallel collectives overlap with matmuls."""
    head_share: Numbers
    """Head dimension over 128, at most 1."""
    head_fill: Numbers
    """Share of a matrix unit that a head fills, where units are wider than 128, over that of a unit of 128."""
    sockets: Numbers
    """1 where hosts send what leaves a node, through sockets, and not adapters by themselves."""
    as_people_run: Numbers
    """1 where it is a run of people's own on a general trainer, whose small steps take longer than published ones."""
    attention_share: Numbers
    """Attention FLOPs under a block-diagonal mask of packed short documents, over the causal mask's; 1 otherwise."""
    untuned: Numbers
    """1 where norms, rotary embedding and activations are not fused."""
    unfused_loss: Numbers
    """1 where every step of the loss is a kernel of its own, in FP32."""
    whole_logits: Numbers
    """1 where logits are whole in memory."""
    loss_metrics: Numbers
    """1 where entropy and accuracy of whole logits are worked out, too."""
    chunked_loss: Numbers
    """1 where the loss goes through logits a few tokens at a time, forward twice, with the output weights copied."""
    chunk_bytes: Numbers
    """Bytes moved per output weight and chunk of such a loss."""
    stages_alone: Numbers
    """1 where a micro-batch is through all stages before the next begins."""
    no_overlap: Numbers
    """1 where gathers and gradient reductions do not run beside compute."""
    operations: Numbers
    """Kernels that the host launches for a layer's forward pass, less where a compiler or a graph saves it that."""
    expert_operations: Numbers
    """The same for a layer of experts, beyond its attention."""
    operations_per_expert: Numbers
    """The same for each local expert, where the host goes through them one by one …"""
    backward_per_expert: Numbers
    """… and what its backward pass takes of the host, in kernels of the forward's."""
    looped_elements: Numbers
    """Activation elements per token over all layers and experts that such a loop moves backward, besides: the gradient
    of an expert's input is as long as all tokens, and is added to the others'."""
    sliced_elements: Numbers
    """Elements moved a micro-batch where weights that learn are slices of one parameter: the gradient of each is as
    large as that, and is added to the others'."""
    gathers: Numbers
    """Modules of a layer that ZeRO-3 gathers one after the other …"""
    expert_gathers: Numbers
    """… and for a layer of experts what theirs, gathered together, cost as many of."""
    reduces_once: Numbers
    """1 where gradients that ZeRO-2 shards are reduced once a step, and not with each micro-batch."""
    module_hooks: Numbers
    """1 where each of them makes the host plan and wait (DeepSpeed)."""
    checkpoints: Numbers
    """Layers that Python enters once more where they are recomputed."""
    launch_share: Numbers
    """Of the host's work that a compiler or a graph leaves."""
    eager_trainer: Numbers
    """1 where a general trainer's bookkeeping stands between micro-batches."""
    reading_s: Numbers
    """Seconds that one core takes to read a sequence's pictures; 0 where they are there in time."""
    loader_workers: Numbers
    """Processes that do so beside each device's own, which does it itself where there are none."""
    sequence_parallel: Numbers
    """1 where tensor-parallel ranks split the residual stream (Korthikanti et al. 2022)."""


def is_anywhere(flag: Numbers) -> bool:
    """Return whether `flag` is other than 0 anywhere; of a scalar without a call into NumPy, which is dear."""
    return flag != 0.0 if isinstance(flag, float) else bool(np.any(flag))


def stacked(cases: list[Case]) -> Case:
    """Return many scalar cases as one, each field an array of shape (L,); a matrix that a model lacks has 0 layers."""

    def column(name: str) -> NDArray[np.float64]:
        return np.array([getattr(case, name) for case in cases], dtype=np.float64)

    # A name may stand for two matrices: for the layers that a recipe narrows, and for those that it keeps wide.
    each = [{(matrix.name, matrix.half): matrix for matrix in case.matrices} for case in cases]
    kinds = {key: matrix for named in each for key, matrix in named.items()}
    matrices: list[Matrix] = []
    for (name, half), kind in kinds.items():
        rows = [named.get((name, half)) for named in each]

        def values(field: str, missing: float, rows: list[Matrix | None] = rows) -> NDArray[np.float64]:
            return np.array([missing if m is None else getattr(m, field) for m in rows], dtype=np.float64)

        matrices.append(
            Matrix(
                name=name,
                part=kind.part,
                shard=kind.shard,
                inputs=values("inputs", 128.0),
                outputs=values("outputs", 128.0),
                layers=values("layers", 0.0),
                copies=values("copies", 1.0),
                visits=values("visits", 1.0),
                trained=values("trained", 1.0),
                passed=values("passed", 1.0),
                rate=values("rate", 1.0),
                taps=values("taps", 1.0),
                groups=values("groups", 1.0),
                again_full=values("again_full", 1.0),
                again_named=values("again_named", 0.0),
                adapter=kind.adapter,
                half=half,
            )
        )
    columns = {f.name: column(f.name) for f in fields(Case) if f.name != "matrices"}
    return Case(matrices=tuple(matrices), **columns)
