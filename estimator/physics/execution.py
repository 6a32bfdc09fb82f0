"""How a step is run, with nothing left open: what a caller said, else the stack's habit, else what its tier does."""

from dataclasses import dataclass, replace
from typing import Literal

from estimator.models.transformer import Transformer
from estimator.physics.abilities import is_stepped_by_engine, stepped_on_host
from estimator.physics.accumulation import bucket_bytes, fuses_accumulation, gradient_bytes
from estimator.physics.adapter_width import has_pefts_adapters, keeps_wide_weights, upcasts_ends
from estimator.physics.effects import release, trainer_release
from estimator.physics.expert_code import (
    OLD_FAMILIES,
    expert_capacity,
    fuses_experts,
    is_indexed,
    loops_over_experts,
    multiplies_all_experts,
)
from estimator.physics.held_base import fetched_share, held_bits, usual_kernels
from estimator.physics.loading import LIST_NUMBERS
from estimator.physics.stacks import SDPA_CUDNN_SINCE, SDPA_FLASH_2_SINCE, XLA, YEAR_OF_TPU_V4, Stack
from estimator.physics.transport import sends_by_sockets
from estimator.question.cluster import Accelerator
from estimator.question.practice import (
    AttentionKernel,
    Dequantization,
    Dispatcher,
    Launch,
    LayerPart,
    OptimizerName,
    Practice,
)
from estimator.question.question import Question

__all__ = ["Execution", "LossKernel", "execution_of"]

LossKernel = Literal["eager", "chunked", "cast", "fused", "compiled"]
"""`eager`: each step of the loss is a kernel and a copy; `chunked`: the same for a few tokens at a time, forward again
in the backward pass, the output layer's weights copied for each; `cast`: one kernel over logits that the model casts to
FP32; `fused`: one over them as they are; `compiled`: XLA's."""

_FUSED_SINCE = 2022.5
"""Release before which attention wrote its scores, whatever ran it (Dao et al. 2022)."""
_COMPILED_ALONE = frozenset({"tpu", "trainium"})
_WITHOUT_FUSED_ATTENTION = frozenset({"kepler"})
"""Chips for which there is no kernel of it: xFormers' and SDPA's memory-efficient ones begin with Maxwell (sm_50)."""
_FUSED_ADAMW_SINCE = 2025.5
"""Release from which on general trainers take PyTorch's fused AdamW (Transformers 4.57, `adamw_torch_fused`)."""
_COMPILES_LAYERS = frozenset({"torchtitan"})
"""Stacks that compile each layer, and not the loss."""
_TRANSFORMER_ENGINE = frozenset({"nemo", "mlperf", "megatron", "automodel"})
_NARROW_ACTIVATIONS_SINCE = 2024.0
"""Release from which on submissions keep what is before the activation in 8 bits wherever else they would not fit: all
of one node with H200s or B200s do."""
_MORE_THAN_SCORES_SINCE = 2024.0
"""Release from which on selective recomputation is of norms and activations, too (Megatron's `recompute_modules`)."""
_PERMUTING: frozenset[Dispatcher] = frozenset({"deepep", "hybridep"})
"""Dispatchers that permute within their kernels: nothing is permuted before a collective and after it."""
_HOST_ACTIVATIONS = 0.5
"""NVIDIA's recipes for GB200 and GB300 offload 20 to 40 of Llama-3's 80 layers to Grace's memory (Megatron-Bridge,
cpu_offloading_num_layers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How one step is run beyond its layout."""

    attention: AttentionKernel = "flash_2"
    dense_masks: bool = False
    """Layers with a window multiply all queries with all keys, and a mask hides what lies outside (Transformers' SDPA,
    which hands such layers a mask: PyTorch's memory-efficient kernel takes one, its FlashAttention does not)."""
    masked_rows: bool = False
    """A mask hides padding, and all layers multiply all queries with all keys, the masked and the later ones too: with
    a mask of its own, SDPA is not told that it is causal (Transformers' `create_causal_mask`)."""
    masked_batches: bool = False
    """Packed samples of a micro-batch are one sequence, and a mask over all its keys keeps them apart (TRL's `bfd`
    packing under SDPA, which needs FlashAttention to know their ends)."""
    eager_scores: bool = False
    """Each step from scores to what they weigh is a kernel of PyTorch's: scaled, masked, to FP32 and back."""
    fused_kernels: bool = True
    launch: Launch = "eager"
    fused_loss: bool = True
    expert_loop: bool = False
    all_experts: bool = False
    """Every token is multiplied with every expert of a layer."""
    experts_in_one: bool = False
    """The trainer's code holds a layer's experts as one parameter, whatever its release."""
    expert_capacity: float = 1.0
    """Places that each expert has over its even share of tokens, all of them worked on; 1 where none is dropped, and
    experts over those that a token visits where all are multiplied with all."""
    one_hot_dispatch: bool = False
    """Tokens are sent to their places, and brought back, by products with one-hot matrices (Lepikhin et al. 2020)."""
    channels_last: bool = False
    """Convolutions find pictures in memory as tensor cores read them."""
    fused_experts: bool = False
    """Expert layers do not wait for the host, and dispatch and permutation are fused kernels."""
    spared_experts: bool = False
    """DeepEP or HybridEP sends their tokens, or a graph of whole layers waits for no counts."""
    dispatcher: Dispatcher | None = None
    free_routing: bool = False
    """Experts are known to get as many tokens as routers send them, not an even share."""
    exchange_overlap: bool = False
    optimizer: OptimizerName = "adamw"
    decomposes_gradients: bool = False
    """Its projections are found by a singular value decomposition of each matrix's gradient, now and then."""
    offload_optimizer: bool = False
    states_on_disk: bool = False
    """What is offloaded lies on the node's NVMe drives (ZeRO-Infinity)."""
    offload_parameters: float = 0.0
    """Share of the weights that lies in host memory and is fetched for each pass."""
    swap_copies: int = 0
    """Copies for each block that is fetched where blocks are swapped: its own, and of what makes room for it; 0 where
    none are."""
    master_weights: bool = True
    """Trained weights and the optimizer's moments are kept in FP32."""
    averages_weights: bool = False
    """A moving average of the trained weights is kept in FP32, and moved in each step."""
    step_copies: bool = False
    """The optimizer's step copies what it updates: AdamW over lists of tensors, DeepSpeed's gradients in FP32."""
    loss: LossKernel = "fused"
    loss_metrics: bool = False
    """Entropy and accuracy of whole logits are worked out beside their loss."""
    drops_scores_alone: bool = False
    """Selective recomputation is of the attention core and of nothing else (Korthikanti et al. 2022)."""
    recomputed: frozenset[LayerPart] | None = None
    """What selective recomputation runs again besides norms and activations; None where nobody said."""
    drops_dead_code: bool = False
    """A compiler leaves out what recomputation would work out for nothing: the last product of a layer."""
    eager_layers: bool = False
    """Norms, rotary embedding and activations are known to be several kernels each, which keep what passes between."""
    upcast_ends: bool = False
    """Embedding, output layer and residual stream are in FP32 beside a quantised base (PEFT prepares it so)."""
    narrow_inputs: bool = False
    """Inputs of 8-bit matmuls are kept as they were multiplied (Transformer Engine)."""
    narrow_activations: bool = False
    """The MLP's activation keeps its input in 8 bits where matmuls have no more (Megatron's
    `activation_func_fp8_input_store`)."""
    gathers_modules: bool = False
    """ZeRO-3's weights are gathered as each matrix needs them, not layers ahead."""
    recomputed_share: float = 1.0
    """Share of the layers that full recomputation is of (Megatron's `block` method leaves the others alone)."""
    partitions_checkpoints: bool = False
    """Tensor-parallel ranks hold a share each of what full recomputation keeps (ZeRO-R)."""
    host_activations: float = 0.0
    """Share of the activations that lies in host memory where nothing is split in stages."""
    host_checkpoints: float = 0.0
    """The same of the layers' inputs that full recomputation keeps."""
    streams_layers: bool = False
    """Weights, gradients and optimizer states lie in host memory and pass through the device (LLMQ)."""
    overlap: bool = True
    tensor_overlap: bool = False
    stages_alone: bool = False
    """Of pipeline stages one is at work at a time: a micro-batch is through before the next begins."""
    dequantization: Dequantization = "bitsandbytes"
    base_bits: int | None = None
    """Bits of a quantised frozen base; None: as wide as the matmuls' inputs."""
    whole_experts: bool = False
    """Experts of a quantised base stay in 16 bits: bitsandbytes replaces linear modules, and Transformers 5 holds the
    experts of a layer as one parameter."""
    gradient_bytes: float = 4.0
    """Bytes per gradient in the unsharded accumulation buffer."""
    bucket_bytes: float = 0.0
    """The same of buckets that are reduced where states are not sharded, beside the gradients; 0 where these are views
    of them."""
    fused_accumulation: bool = False
    """The product that makes a gradient adds it to those of the micro-batches before."""
    eager_adapters: bool = False
    """Adapters are PEFT's: pairs in FP32, each step of them a kernel, whatever of the base is fused."""
    joined_adapters: bool = False
    """One pair lies beside a fused matrix, as Megatron's are (queries, keys and values; gate and up)."""
    frees_gradients: bool = False
    """Gradients are freed after each step (`zero_grad(set_to_none=True)`), not held in buffers."""
    sequence_parallel: bool = True
    joins_pairs: bool = False
    """Weights that are trained and those that are not are gathered together (FSDP 2)."""
    reduces_once: bool = False
    """Whether what ZeRO-2 shards of the gradients is reduced once a step, by an optimizer of the script's own."""
    plain_loop: bool = False
    """A script's own loop: no trainer with checks and callbacks."""
    module_hooks: bool = False
    """ZeRO-3 gathers module by module (DeepSpeed), not layer by layer (FSDP)."""
    loader_workers: int | None = None
    """Processes that read each device's samples; None: as many as it takes."""
    lists_numbers: bool = False
    """Stored features become Python objects as they are read, by the process that launches unless told."""
    packed_short: bool = False
    """Short documents are packed and attention stays inside each."""
    sockets: bool = False
    """Hosts send what leaves a node, through sockets, where adapters could write into devices by themselves."""
    as_people_run: bool = False
    """On a machine and a version that nobody chose in order to publish a speed."""


def execution_of(question: Question, stack: Stack, *, packed_short: bool = False) -> Execution:
    """Return how `question` is run on `stack`: as told, else as its users run it."""
    released = release(question)
    chip = question.cluster.accelerator
    said = _compiled(question.practice.over(_habit(question, stack, released)), chip)
    precedent = question.precedent
    tuned, untuned = stack.tier == "tuned", stack.tier == "untuned"
    offloaded = 1.0 if said.offload_activations else 0.0
    host_activations = _HOST_ACTIVATIONS if tuned and chip.host_link_bytes_per_s else 0.0
    if question.practice.offload_activations is not None:
        host_activations = offloaded
    base_bits = held_bits(question, said)
    engine = said.zero_engine == "deepspeed" or (said.zero_engine is None and "deepspeed" in stack.kin)
    # Hugging Face's trainer calls FSDP by its name; whoever says ZeRO-3 there has DeepSpeed's.
    deepspeed = engine or (said.zero_engine is None and stack.kin == "huggingface")
    fused_kernels = not untuned if said.fused_kernels is None else said.fused_kernels
    master_weights = is_stepped_by_engine(said, stack.kin)
    master_weights = master_weights or keeps_wide_weights(question, stack, said, base_bits, engine=engine)
    pefts = has_pefts_adapters(stack, said)
    attention = _attention(question, stack, said.attention or ("unfused" if released < _FUSED_SINCE else "flash_2"))
    masks = said.attention == "sdpa" and attention != "unfused" and stack.kin == "huggingface"
    dequantization = said.dequantization or usual_kernels(question, base_bits)
    # On an old card, too, people have the trainer's code of today, as `_habit` has.
    trainers = trainer_release(question)
    flattens = said.packing == "packed" and stack.flattens_since <= trainers
    loss = _loss(said, stack, chip)
    all_experts = multiplies_all_experts(question, stack)
    in_one = all_experts or is_indexed(question, stack)
    people = untuned and not question.published and (precedent is None or not precedent.is_it)
    return Execution(
        attention=attention,
        dense_masks=masks,
        masked_rows=masks and question.masks_padding,
        masked_batches=masks and flattens,
        eager_scores=attention == "unfused" and said.launch in {None, "eager"} and _is_of_pytorch(stack),
        fused_kernels=fused_kernels,
        launch=said.launch or "eager",
        fused_loss=not untuned if said.fused_loss is None else said.fused_loss,
        expert_loop=loops_over_experts(question, stack, said) and not all_experts,
        all_experts=all_experts,
        experts_in_one=in_one,
        expert_capacity=expert_capacity(question, said, all_experts=all_experts),
        one_hot_dispatch=said.expert_capacity is not None and stack.kin in XLA,
        channels_last=bool(said.channels_last),
        fused_experts=fuses_experts(question, stack, released) and said.recipe != "default",
        spared_experts=said.dispatcher in _PERMUTING or said.launch == "graphs",
        dispatcher=said.dispatcher,
        free_routing=said.even_routing is False and said.expert_capacity is None,
        exchange_overlap=bool(said.exchange_overlap),
        optimizer=stepped_on_host(said) or "adamw",
        decomposes_gradients=bool(said.decomposes_gradients),
        offload_optimizer=bool(said.offload_optimizer),
        states_on_disk=bool(said.states_on_disk),
        offload_parameters=fetched_share(question, said),
        swap_copies=(1 if said.swaps_one_way else 2) if said.swapped_blocks else 0,
        master_weights=master_weights,
        averages_weights=bool(said.averages_weights),
        step_copies=(untuned and trainers < _FUSED_ADAMW_SINCE) or engine,
        loss=loss,
        loss_metrics=loss == "eager" and trainers >= stack.logit_metrics_since,
        drops_scores_alone=attention == "unfused" and released < _MORE_THAN_SCORES_SINCE,
        recomputed=said.recomputed,
        drops_dead_code=stack.kin in XLA,
        eager_layers=said.fused_kernels is False and said.launch == "eager",
        upcast_ends=upcasts_ends(question, stack, said, base_bits),
        narrow_inputs=stack.kin in _TRANSFORMER_ENGINE,
        narrow_activations=stack.name == "mlperf" and released >= _NARROW_ACTIVATIONS_SINCE,
        gathers_modules=deepspeed or stack.kin in XLA,
        recomputed_share=1.0 if said.recomputed_share is None else said.recomputed_share,
        partitions_checkpoints=deepspeed and stack.model_parallel,
        host_activations=host_activations,
        host_checkpoints=max(offloaded, host_activations),
        streams_layers=stack.offloads,
        overlap=said.overlap is not False,
        tensor_overlap=bool(said.tensor_overlap),
        stages_alone=bool(said.stages_alone),
        dequantization=dequantization,
        base_bits=base_bits,
        whole_experts=dequantization == "bitsandbytes" and (in_one or 0.0 < stack.grouped_experts_since <= released),
        gradient_bytes=0.0 if said.releases_gradients else gradient_bytes(stack, int(released)),
        bucket_bytes=0.0 if engine or said.zero_engine else bucket_bytes(stack, wide=master_weights),
        fused_accumulation=fuses_accumulation(stack, chip, released),
        eager_adapters=said.launch == "eager" and pefts,
        joined_adapters=stack.model_parallel,
        frees_gradients=not stack.model_parallel and stack.kin not in XLA and not engine,
        sequence_parallel=_sequence_parallel(question, stack, int(released)),
        joins_pairs=said.zero_engine == "fsdp2",
        reduces_once=stack.sharding == "zero2" and stack.kin == "pytorch",
        plain_loop=stack.name == "pytorch",
        module_hooks=deepspeed,
        loader_workers=said.loader_workers,
        lists_numbers=stack.kin in LIST_NUMBERS,
        packed_short=packed_short,
        sockets=sends_by_sockets(question.cluster, question.practice.transport, as_people_run=people),
        as_people_run=people,
    )


def _compiled(said: Practice, chip: Accelerator) -> Practice:
    """Return how a step is run where a chip runs nothing but compiled programs: none of its kernels is launched apart.

    PyTorch on them traces a step and has XLA compile it (PyTorch/XLA, "Lazy tensors").
    """
    eager = said.launch in {None, "eager"} and chip.family in _COMPILED_ALONE
    return replace(said, launch="compiled") if eager else said


def _is_of_pytorch(stack: Stack) -> bool:
    """Return whether attention that is not fused is PyTorch's own, not Megatron's softmax in one kernel, nor XLA's."""
    return not stack.model_parallel and stack.tier != "tuned" and stack.kin not in XLA


def _loss(said: Practice, stack: Stack, chip: Accelerator) -> LossKernel:
    """Return how the loss is computed: kernels that are known to be fused, else PyTorch's own in FP32."""
    if stack.kin in XLA or chip.family in _COMPILED_ALONE:
        return "compiled"
    compiled = said.launch in {"compiled", "graphs"} and stack.kin not in _COMPILES_LAYERS
    if compiled:
        return "fused"
    if not said.fused_kernels:
        return "chunked" if stack.chunks_loss and said.fused_loss else "eager"
    return "cast" if stack.kin == "huggingface" else "fused"


def _habit(question: Question, stack: Stack, released: float) -> Practice:
    """Return how the stack's users run a step on the release at hand.

    Where none is said, old chips keep the kernels that were last made for them, and get what a trainer's own code has
    today: SDPA, and a loss in chunks.
    """
    tuning = question.fine_tunes
    habit, today = (stack.habit_at(its, tuning=tuning) for its in (released, trainer_release(question)))
    if (habit.attention, habit.fused_loss) == (today.attention, today.fused_loss):
        return habit
    return replace(habit, attention=today.attention, fused_loss=today.fused_loss)


def _attention(question: Question, stack: Stack, kernel: AttentionKernel) -> AttentionKernel:
    """Return the attention kernel: never one that the chip or the model cannot have.

    On old chips SDPA and xFormers have one that does not write its scores; Megatron's layers multiply them out.
    """
    said = question.practice.attention is not None
    sinks = question.transformer.sinks and release(question) < stack.fused_sinks_since
    if kernel == "sdpa" and stack.kin == "huggingface" and not said:
        kernel = _dispatched(question.transformer)
    if kernel == "sdpa":
        released = release(question)
        kernel = "flash_2" if released >= SDPA_FLASH_2_SINCE else "flash_1"
        kernel = "flash_3" if released >= SDPA_CUDNN_SINCE else kernel
    if kernel == "unfused" or (sinks and not said):
        return "unfused"
    chip = question.cluster.accelerator
    if chip.family == "tpu" and chip.year < YEAR_OF_TPU_V4 and not said:
        return "unfused"
    if chip.family in _WITHOUT_FUSED_ATTENTION:
        return "unfused"
    if chip.family in OLD_FAMILIES:
        return "unfused" if stack.model_parallel and not said else "memory_efficient"
    return kernel


def _dispatched(transformer: Transformer) -> AttentionKernel:
    """Return the kernel that Transformers' models get by SDPA: of scores that are capped none, so that they are eager.

    FlashAttention's in PyTorch wants values as wide as keys; the memory-efficient one does not (latent attention).
    """
    latent = transformer.latent
    if transformer.soft_capped:
        return "unfused"
    if latent is not None and latent.value_head_dim != transformer.head_dim:
        return "memory_efficient"
    return "sdpa"


def _sequence_parallel(question: Question, stack: Stack, year: int) -> bool:
    """Return whether tensor parallelism includes sequence parallelism; it came with selective recomputation."""
    if stack.name == "megatron-deepspeed":
        return False
    since = stack.sequence_parallel_since
    # A run of that year tells by its recomputation; a layout that is found should take as long once it is stated.
    early = question.released is not None and question.layout.recompute == "selective"
    return year >= since or (year == since - 1 and early)
