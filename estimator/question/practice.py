"""How a stack runs a step beyond its layout: kernels, launches, loss, optimizer, offload, overlap, padding."""

from dataclasses import dataclass, fields, replace
from typing import Literal

from estimator.models.training import Recompute

__all__ = [
    "NOTHING_SAID",
    "AttentionKernel",
    "Dequantization",
    "Dispatcher",
    "ExpertKernel",
    "Launch",
    "LayerPart",
    "LoadedIn",
    "NetworkOf",
    "OptimizerName",
    "Packing",
    "Padding",
    "Practice",
    "Recipe",
    "Transport",
    "ZeroEngine",
]

AttentionKernel = Literal["flash_3", "flash_2", "flash_1", "sdpa", "memory_efficient", "unfused"]
"""`flash_3`: written for the chip's own generation (FlashAttention 3, cuDNN 9); `flash_2`: FlashAttention 2;
`flash_1`: the first, in CUDA or Triton; `sdpa`: whichever fused kernel PyTorch's attention has on the release and chip;
`memory_efficient`: SDPA's or xFormers' fallback; `unfused`: scores are written to memory."""
Launch = Literal["eager", "compiled", "partial_graphs", "graphs"]
"""Who launches kernels: the host one by one, fewer after `torch.compile` or XLA fused them, or CUDA graphs: of
attention and router alone (`partial_graphs`), or of whole layers or steps."""
Dispatcher = Literal["alltoall", "deepep", "hybridep"]
"""What sends tokens to experts: NCCL's all-to-all, which sends a copy for each expert that a token goes to, or a
library that sends one to each domain and permutes within its kernels."""
LayerPart = Literal["qkv", "core", "out", "up", "down"]
"""Of a layer: matrices into heads, the attention between them, out of heads; into the MLP or experts, out of them."""
ExpertKernel = Literal["grouped", "loop"]
"""`grouped`: one kernel over all experts; `loop`: the host goes through the experts one by one."""
OptimizerName = Literal[
    "adamw", "adamw_8bit", "paged_adamw_8bit", "adafactor", "lion", "sgd", "muon", "low_rank", "low_rank_8bit"
]
"""`low_rank`: Adam whose moments are of a projection of each matrix's gradient to a low rank (GaLore, APOLLO)."""
LoadedIn = Literal["bf16", "fp16", "fp32", "checkpoint"]
"""What a model's weights are loaded in; `checkpoint`: as they are stored (`torch_dtype="auto"`), which for models since
2023 is in BF16."""
Packing = Literal["packed", "padded"]
Padding = Literal["longest", "alike", "none", "limit"]
"""What a sample that is not packed is padded to: `longest` of its micro-batch; the same where samples of like length
share one, `alike`; to the `limit` at which all are cut; or to nothing, a micro-batch being one row of its samples."""
ZeroEngine = Literal["fsdp", "fsdp2", "deepspeed"]
"""Who shards states: FSDP gathers layer by layer, its second version what is trained and what is not together;
DeepSpeed's ZeRO-3 module by module, with a hook on each."""
NetworkOf = Literal["device", "node"]
"""Whether a rate of the network is each device's, or that of a node, which its devices share."""
Transport = Literal["rdma", "sockets", "ethernet"]
"""What carries bytes between nodes: adapters that write into memory by themselves (InfiniBand, RoCE, EFA, Slingshot,
Omni-Path), hosts through TCP sockets, or one of these over Ethernet, of which no more was said."""
Recipe = Literal["performance", "default"]
"""What a framework's recipe is made for: `performance` recipes are tuned for one model on one machine by its vendor."""
Dequantization = Literal["bitsandbytes", "gptq", "fused", "quanto", "cast", "scaled"]
"""What expands a quantised base: bitsandbytes' kernels; GPTQ's of 2023, of 4 bits; those fused with the product; what
holds weights alone in few bits and widens them before each product: quanto and torchao, a plain cast of FP8 weights, or
that and a scale (`fp8_scaled`, which leaves modulations in 16 bits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """What is known of how a step is run; None: not said, so the stack's own habit holds."""

    attention: AttentionKernel | None = None
    fused_kernels: bool | None = None
    """Whether norms, rotary embedding, gated activations are one kernel each (Liger, Unsloth, Transformer Engine)."""
    launch: Launch | None = None
    fused_loss: bool | None = None
    """Whether logits are never whole in memory: chunked or fused cross-entropy."""
    experts: ExpertKernel | None = None
    dispatcher: Dispatcher | None = None
    exchange_overlap: bool | None = None
    """Whether another micro-batch is worked on while tokens are on their way to experts and back."""
    even_routing: bool | None = None
    """Whether each expert is made to get the same number of tokens, as benchmarks do, or what its router sends it."""
    expert_capacity: float | None = None
    """Tokens that each expert works on over its even share, the rest dropped and the lack padded, where told."""
    gathers_masked: bool | None = None
    """Whether masked positions are gathered before the output layer (BERT's own code), so that others have no
    logits."""
    channels_last: bool | None = None
    """Whether pictures lie in memory with their channels together (NHWC), as tensor cores read them."""
    optimizer: OptimizerName | None = None
    master_weights: bool | None = None
    """Whether trained weights and the optimizer's moments are kept in FP32; else both are in 16 bit (`pure BF16`)."""
    loaded_in: LoadedIn | None = None
    """What the model is loaded in, where that is told: trainers that cast nothing train its weights so."""
    own_adapters: bool | None = None
    """Whether adapters are the trainer's own modules, in the precision of its products, where others take PEFT's."""
    averages_weights: bool | None = None
    """Whether a moving average of the trained weights (EMA) is kept beside them, in FP32, and moved in each step."""
    releases_gradients: bool | None = None
    """Whether each weight is updated as soon as its gradient is there, which is then freed (`fused_backward_pass`)."""
    decomposes_gradients: bool | None = None
    """Whether an optimizer of low rank finds its projections by a decomposition of each matrix's gradient (GaLore), and
    does not draw them (APOLLO)."""
    offload_optimizer: bool | None = None
    """Whether optimizer states lie in host memory and are updated there (ZeRO-Offload), or paged from it."""
    offload_parameters: bool | None = None
    """Whether weights lie in host memory and are fetched for each pass."""
    swapped_blocks: int | None = None
    """Blocks of a network, as its trainer counts them, that lie in host memory until others make room for them."""
    swaps_one_way: bool | None = None
    """Whether blocks that make room are dropped, since the host has them, and not copied back."""
    states_on_disk: bool | None = None
    """Whether what is offloaded lies on the node's NVMe drives, and not in host memory."""
    offload_activations: bool | None = None
    caches_gradients: bool | None = None
    """Whether vectors of a whole batch come first, and passes with gradients part by part after (GradCache)."""
    usual_recompute: Recompute | None = None
    """What activations the commands and configurations of a trainer that was named run again, where nobody said."""
    recomputed_share: float | None = None
    """Share of the layers that full recomputation is of, where that is not all of them."""
    overlap: bool | None = None
    """Whether gradient reductions and weight gathers run beside compute."""
    tensor_overlap: bool | None = None
    """Whether tensor-parallel collectives run beside the matmuls they feed."""
    stages_alone: bool | None = None
    """Whether a model split by its layers is at work on one device at a time (`device_map="auto"`), not in a pipeline.
    """
    one_process: bool | None = None
    """Whether one process copies the model to every device in each step (`nn.DataParallel`)."""
    started_plainly: bool | None = None
    """Whether its script is started by Python alone, which is one process however many devices it sees."""
    spreads_experts: bool | None = None
    """Whether devices share the experts of a layer (expert parallelism), on stacks that do so where it is asked for."""
    own_experts: bool | None = None
    """Whether layers with experts are code of one's own and not Transformers', on stacks that do not tell whose they
    are: it multiplies experts in groups and may spread them."""
    splits_sequences: bool | None = None
    """Whether devices may share a sequence (context parallelism), on stacks that do so where it is asked for."""
    pcie_lanes: int | None = None
    """Lanes that each device is plugged into, where they are told …"""
    pcie_generation: int | None = None
    """… and of which generation of PCIe."""
    network_gbps: float | None = None
    """Gb/s of a port of the network between nodes, where it is told …"""
    network_ports: int | None = None
    """… with how many there are …"""
    network_of: NetworkOf | None = None
    """… and whose they are."""
    transport: Transport | None = None
    """What carries bytes over it, however fast it is."""
    host_memory_bytes: float | None = None
    """Bytes of a machine's own memory, where they are told …"""
    host_memory_of: NetworkOf | None = None
    """… and whether they are those of a node, or of each of its devices."""
    devices: int | None = None
    """Devices of the run in all, where they are told beside its software."""
    nodes: int | None = None
    """Machines that a run has, where they are told …"""
    node_devices: int | None = None
    """… and how many devices each of them holds."""
    bridged: bool | None = None
    """Whether bridges of NVLink join the cards two by two."""
    zero_engine: ZeroEngine | None = None
    full_precision: bool | None = None
    """Whether scripts and examples of what trains compute in FP32 unless they are told."""
    own_stack: bool | None = None
    """Whether whoever runs it on a cluster has a stack of their own, of which nobody else publishes."""
    shards_in_node: bool | None = None
    """Whether sharded states are spread over the devices of a node alone, and each node has all of them (HSDP)."""
    packing: Packing | None = None
    """Whether short samples are packed into full sequences, or padded as `padding` says."""
    padding: Padding | None = None
    at_defaults: bool | None = None
    """Whether the trainer is said to be left at its defaults."""
    samples_each: int | None = None
    """Samples of a micro-batch in the one script that is named, where nothing is said of them."""
    padded_to: int | None = None
    """Tokens of that limit, where they are told."""
    source_limit: int | None = None
    """Tokens at which what a model reads is cut, where that is told apart from what it writes …"""
    target_limit: int | None = None
    """… at which what it writes is …"""
    target_tokens: int | None = None
    """… and how many it writes for a sample on average."""
    loader_workers: int | None = None
    """Processes beside each device's own that read samples; 0: none, so that its own reads them between steps."""
    stores_frames: bool | None = None
    """Whether frames of clips were decoded before training, each a picture of its own, and not as they are read."""
    made_up_samples: bool | None = None
    """Whether samples are made up, or read by what keeps ahead of any device (DALI, FFCV): nothing waits for them."""
    dequantization: Dequantization | None = None
    expands_base_wide: bool | None = None
    """Whether a script has a quantised base expanded to FP32, multiplied as TF32, unless it is told a precision."""
    base_bits: int | None = None
    """Bits of a frozen base's weights where it is quantised, 2 to 8; 16: it is not, whatever the habit is."""
    large_base_bits: int | None = None
    """The same where nothing is said, of bases that are too large for people's own cards."""
    recipe: Recipe | None = None
    caches_latents: bool | None = None
    """Whether a denoiser's pictures were encoded before training, and not in each step."""
    caches_text: bool | None = None
    """Whether its texts were."""
    caches_large_text: bool | None = None
    """Whether they were where nothing is said and their encoder is a large one (T5 XXL, a language model); small ones,
    which may learn, then run in each step."""
    recomputed: frozenset[LayerPart] | None = None
    """What selective recomputation runs again besides norms and activations, where that is known by name."""
    prediction: bool | None = None
    """Whether modules that predict tokens beyond the next (MTP) are trained."""
    fp8_recipe: str | None = None
    """Scaling of 8-bit matmuls as its stack calls it: delayed, tensorwise, blockwise, mxfp8, rowwise."""

    def over(self, habit: "Practice") -> "Practice":
        """Return `habit` with all that is said here in its place."""
        said = {name: value for name in _NAMES if (value := getattr(self, name)) is not None}
        return replace(habit, **said) if said else habit


_NAMES = tuple(field.name for field in fields(Practice))


NOTHING_SAID = Practice()
