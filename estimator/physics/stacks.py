"""Training stacks: their default sharding and recomputation, their kernels by release, and how well they are tuned."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from estimator.models.training import WITH_ADAPTERS, MethodName, Recompute
from estimator.physics.habits import HABITS, MICRO_BATCHES, TUNING_HABITS
from estimator.question.cluster import Accelerator
from estimator.question.practice import AttentionKernel, Practice
from estimator.question.question import Sharding

__all__ = [
    "LARGE_CLUSTER",
    "NEVER",
    "NOT_UNDER_ZERO3",
    "SDPA_CUDNN_SINCE",
    "SDPA_FLASH_2_SINCE",
    "STACKS",
    "VENDORS",
    "XLA",
    "YEAR_OF_TPU_V4",
    "Split",
    "Stack",
    "Tier",
    "auto_stack",
    "stack_named",
    "stack_of",
]

LARGE_CLUSTER = 64
"""Devices from which on people who name no framework do not run an untuned one."""
NEVER = 9999.0
"""Release year of what a stack does not have."""
SDPA_CUDNN_SINCE = 2025.0
"""Release from which PyTorch's own attention has cuDNN's kernels on Hopper and later (2.5, October 2024)."""
SDPA_FLASH_2_SINCE = 2024.0
"""Release from which it has FlashAttention 2's (2.2, January 2024)."""
_FLASH_2_SINCE = 2023.54
"""Release from which trainers that call FlashAttention have its second version (Dao 2023, July)."""
XLA = frozenset({"jax", "maxtext", "neuron"})
"""Kin whose layers XLA compiles, attention with them."""
_MULTIPLIES_SCORES = frozenset({"llm.c", "llm-foundry", "mlx", "nanogpt", "minimind", "tinygrad"})
"""Stacks, or their kin, beside Megatron's and XLA's whose own attention without FlashAttention is products (MPT's
`attn_impl: torch`, nanoGPT's "slow attention"), where others have SDPA's."""
_NEVER_INTERLEAVES = frozenset({"gpt-neox", "megatron-deepspeed", "nanotron"})
"""Stacks whose pipelines have no interleaved schedule: DeepSpeed's engine (`runtime/pipe/schedule.py`, TrainSchedule
alone), nanotron's (`AllForwardAllBackward` and `OneForwardOneBackward`)."""
_LEAST_TO_PRETRAIN_BYTES = 30e9
"""Memory of a card without a link of its own below which it is bought to infer with (T4, L4, A10): whoever trains on
one has a notebook or a script."""
YEAR_OF_TPU_V4 = 2021
"""The first chip that MaxText and attention in Pallas were written for; XLA alone keeps no scores on the chip."""
_END_LAYERS = 2
"""Embedding and logits, each balanced as one layer, as Llama 3's 126 layers were on 16 stages (Grattafiori et al. 2024,
section 3.3.2); Megatron-Core's `account_for_embedding_in_pipeline_split` and its twin for the loss."""
_FLASH_3_SINCE = 2024
"""First year of attention kernels for Hopper (cuDNN 9; FlashAttention 3: Shah et al. 2024)."""
_TRANSFORMERS_5 = 2026.05
"""Release from which trainers of Transformers' models run on its version 5: it trains weights in the precision of their
checkpoint, and multiplies all experts of a layer at once (`grouped_mm` by default; huggingface/transformers pull
request 42697)."""
_ON_TRANSFORMERS = frozenset(
    {"axolotl", "deepspeed", "huggingface", "llama-cookbook", "llama-factory", "ms-swift", "open-instruct", "openrlhf"}
    | {"optimum-habana", "trl", "verl", "xtuner"}
)
"""Stacks that train Transformers' own classes and came along to its version 5."""
_SPREAD_EXPERTS = frozenset(
    {"automodel", "jax", "levanter", "llm-foundry", "maxtext", "olmo-core", "torchtitan", "unknown", "xtuner"}
)
"""Stacks without tensor and pipeline parallelism by habit that have expert parallelism of their own."""
NOT_UNDER_ZERO3 = frozenset({"deepspeed", "megatron-deepspeed"})
"""Stacks that spread no experts under ZeRO-3 (deepspeed/runtime/engine.py: "MoE not supported with Stage 3")."""
Tier = Literal["tuned", "research", "untuned"]
Split = Literal["tensor", "pipeline", "context", "zero3"]
_SPLITS: frozenset[Split] = frozenset({"tensor", "context"})
_MEGATRON_SPLITS: frozenset[Split] = frozenset({"context", "zero3"})
_ALL_BUT_ZERO3: frozenset[Split] = frozenset({"tensor", "context", "pipeline"})
"""Megatron-Core has its own FSDP since 2024."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A training stack: defaults, and the release from which on it has each optimisation."""

    name: str
    tier: Tier
    """`tuned`: measured by its vendor on its own hardware; `research`: a maintained trainer; `untuned`: as users
    have it."""
    model_parallel: bool
    """Whether tensor and pipeline parallelism are searched where nothing is said."""
    expert_parallel: bool
    """Whether expert parallelism is: Transformers' models have none, whatever trains them."""
    spreads_under_zero3: bool
    """Whether experts may be spread where parameters are sharded, too."""
    sharding: Sharding
    recompute: Recompute | None
    """What runs on this stack do where they say nothing; None: the least that fits."""
    sharded_tuning_recompute: Recompute | None
    """The same of its scripts of fine-tuning on several devices, whose sharding is set up with it."""
    fused_attention_since: int
    """First year in which its attention did not write its scores to memory."""
    hides_tensor_parallel_since: float
    """First year in which its tensor-parallel collectives ran beside the matmuls they feed."""
    fused_sinks_since: float
    """First release whose fused attention knows softmax sinks; before, such models' scores were written to memory."""
    fused_experts_since: float
    """First release whose expert layers run without waiting for the host, dispatch and permutation in fused kernels."""
    offloads: bool
    """Whether it keeps what is not in use in host memory."""
    reserve: frozenset[Split]
    """Ways to split a model that it has, and that its users reach for only where nothing else fits."""
    habit: Practice
    """How runs on its current release do a step unless told; None where it is not known or not uniform."""
    tuning_habit: Practice
    """How its scripts of fine-tuning do a step: as `habit`, but for stacks that have others for it."""
    kin: str
    """The stack whose published runs speak for it: itself, or what it is built on."""
    micro_batch: int
    """Sequences of a micro-batch where samples are padded and nothing is said; 1 on stacks that pack."""
    fused_loss_since: float
    """First release whose habit it is to keep logits from being whole in memory."""
    grouped_experts_since: float
    """First release that multiplies all experts at once; before, it went through them one by one."""
    master_weights_until: float
    """First release whose habit it is to train weights in the precision that their checkpoint is in."""
    flattens_since: float
    """First release that packs without padding: a micro-batch is one sequence."""
    logit_metrics_since: float
    """First release that works out the entropy and accuracy of logits that are whole in memory."""
    checkpoints_layers: bool
    """Whether it runs whole layers again or none: a checkpoint of Transformers' is a layer's input."""
    chunks_loss: bool
    """Whether what keeps its logits from being whole is a loss in chunks, by PyTorch's own kernels."""
    sequence_parallel_since: int = 2023
    """First year in which tensor parallelism came with sequence parallelism (Korthikanti et al. 2022)."""
    tunes: bool = False
    """Whether it is mostly run on small sets, in batches of tens of sequences."""
    shards_stages: bool | None = None
    """Whether gradients and parameters of pipeline stages may be sharded; None: only where that is told."""
    pools_layouts: bool = False
    """Whether its users choose among all layouts that it has at once, and not among one kind of them while any fits."""

    @property
    def falls_back_to_sdpa(self) -> bool:
        """Whether attention that is not FlashAttention's is another fused kernel of PyTorch's, not whole scores."""
        own = self.model_parallel or bool({self.name, self.kin} & (XLA | _MULTIPLIES_SCORES))
        return not own

    @property
    def interleaves(self) -> bool:
        """Whether its users' pipeline stages may have several chunks of layers each (Narayanan et al. 2021)."""
        return self.model_parallel and self.name not in _NEVER_INTERLEAVES

    @property
    def end_layers(self) -> int:
        """Layers that embedding and logits count as where pipeline stages are balanced; 0 where they count as none."""
        return _END_LAYERS if self.tier == "tuned" else 0

    def recompute_with(self, *, prepared: bool = False, tunes_sharded: bool = False) -> Recompute | None:
        """Return what runs on this stack do where they say nothing; None: the least that fits.

        Trainers on Transformers checkpoint beside a base that is `prepared` by PEFT.
        """
        if prepared and self.kin == "huggingface":
            return "full"
        return self.sharded_tuning_recompute if tunes_sharded else self.recompute

    def habit_at(self, released: float, *, tuning: bool = False) -> Practice:
        """Return how runs on the release of date `released` do a step unless told: the habit, less what came later."""
        return _habit_at(self, released, tuning=tuning)


@lru_cache(maxsize=256)
def _habit_at(stack: Stack, released: float, *, tuning: bool) -> Practice:
    habit = stack.tuning_habit if tuning else stack.habit
    attention: AttentionKernel | None = habit.attention
    if attention is not None and int(released) < stack.fused_attention_since:
        attention = "unfused"
    elif attention == "flash_3" and int(released) < _FLASH_3_SINCE:
        attention = "flash_2"
    if attention == "flash_2" and released < _FLASH_2_SINCE and stack.kin not in XLA:
        attention = "flash_1"
    hides = habit.tensor_overlap
    return replace(
        habit,
        attention=attention,
        tensor_overlap=hides and int(released) >= stack.hides_tensor_parallel_since,
        fused_loss=habit.fused_loss and released >= stack.fused_loss_since,
        experts="loop" if released < stack.grouped_experts_since else habit.experts,
        master_weights=True if released < stack.master_weights_until else habit.master_weights,
    )


def _stack(
    name: str,
    tier: Tier,
    sharding: Sharding,
    recompute: Recompute | None = None,
    *,
    sharded_tuning_recompute: Recompute | None = None,
    kin: str = "",
    model_parallel: bool = False,
    fused: int = 2023,
    hides: float = NEVER,
    fused_experts: float = NEVER,
    sinks: float = NEVER,
    fused_loss: float = 0.0,
    master_weights_until: float = 0.0,
    flattens: float = NEVER,
    logit_metrics: float = NEVER,
    chunks_loss: bool = False,
    offloads: bool = False,
    reserve: frozenset[Split] = frozenset(),
) -> Stack:
    return Stack(
        name=name,
        tier=tier,
        model_parallel=model_parallel,
        expert_parallel=model_parallel or name in _SPREAD_EXPERTS,
        spreads_under_zero3=name not in NOT_UNDER_ZERO3,
        sharding=sharding,
        recompute=recompute,
        sharded_tuning_recompute=sharded_tuning_recompute or recompute,
        fused_attention_since=fused,
        hides_tensor_parallel_since=hides,
        fused_experts_since=fused_experts,
        fused_sinks_since=sinks,
        offloads=offloads,
        reserve=reserve,
        habit=HABITS[name],
        tuning_habit=TUNING_HABITS.get(name, HABITS[name]),
        kin=kin or name,
        micro_batch=MICRO_BATCHES.get(name, 1),
        fused_loss_since=fused_loss,
        grouped_experts_since=_TRANSFORMERS_5 if name in _ON_TRANSFORMERS else 0.0,
        checkpoints_layers=name in _ON_TRANSFORMERS,
        master_weights_until=master_weights_until,
        flattens_since=flattens,
        logit_metrics_since=logit_metrics,
        chunks_loss=chunks_loss,
    )


_PRETRAINERS = (
    _stack(
        "nemo",
        "tuned",
        "zero1",
        "none",
        model_parallel=True,
        fused=2024,
        hides=2024,
        fused_experts=2026.4,
        sinks=2026.4,
        fused_loss=2024,
        reserve=_MEGATRON_SPLITS,
    ),
    _stack("automodel", "tuned", "zero3", "none", sinks=2025.0, reserve=_ALL_BUT_ZERO3),
    _stack(
        "mlperf",
        "tuned",
        "zero1",
        "none",
        model_parallel=True,
        hides=2023,
        fused_experts=2026.4,
        sinks=2026.4,
        fused_loss=2024,
        reserve=_MEGATRON_SPLITS,
    ),
    _stack("megatron", "tuned", "zero1", model_parallel=True, hides=2024, reserve=_MEGATRON_SPLITS),
    _stack(
        "megatron-deepspeed",
        "research",
        "zero1",
        model_parallel=True,
        fused=2023,
        reserve=frozenset({"zero3"}),
    ),
    _stack("maxtext", "tuned", "zero3", sinks=2025.0, fused_loss=2025.3, reserve=_ALL_BUT_ZERO3),
    _stack("jax", "research", "zero3", reserve=_SPLITS),
    _stack("torchtitan", "research", "zero3", "selective", sinks=2025.0, reserve=_ALL_BUT_ZERO3),
    _stack("llm-foundry", "research", "zero3"),
    _stack("nanotron", "research", "zero1", model_parallel=True, reserve=frozenset({"context"})),
    _stack("nanogpt", "untuned", "ddp", "none"),
    _stack("llm.c", "tuned", "zero1", "none"),
    # Its kernels are llm.c's, file by file, made narrower (IST-DASLab/llmq, src/kernels; "inspired by llm.c").
    _stack("llmq", "tuned", "zero1", kin="llm.c", offloads=True),
    _stack("neuron", "research", "zero1", "selective", model_parallel=True),
    # DeepSeek-V3, section 3.2.3: norms and latent projections are computed again; no tensor parallelism.
    _stack("hai-llm", "tuned", "zero1", "selective", kin="megatron", model_parallel=True),
    _stack("internevo", "research", "zero1", model_parallel=True),
    # Tuned by the vendors of the chips they are for; Megatron-LM on these chips is not.
    _stack("mindspeed", "tuned", "zero1", model_parallel=True, reserve=_MEGATRON_SPLITS),
    _stack("primus", "tuned", "zero1", kin="megatron", model_parallel=True, fused=2024, reserve=_MEGATRON_SPLITS),
    # Its finetune scripts hand FSDP an activation_checkpointing_policy of whole blocks; on one device there is none.
    _stack("litgpt", "research", "zero3", kin="lightning", sharded_tuning_recompute="full"),
    _stack("gpt-neox", "research", "zero1", "full", kin="megatron-deepspeed", model_parallel=True),
    _stack("olmo-core", "research", "zero3", kin="fsdp", reserve=_ALL_BUT_ZERO3),
    _stack("levanter", "research", "zero3", "full", kin="jax", reserve=frozenset({"tensor"})),
    _stack("easylm", "research", "zero3", "full", kin="jax", fused=int(NEVER), reserve=frozenset({"tensor"})),
    _stack("mesh-transformer-jax", "research", "ddp", "full", kin="jax", model_parallel=True, fused=int(NEVER)),
    _stack(
        "colossal-ai",
        "research",
        "zero1",
        kin="megatron-deepspeed",
        model_parallel=True,
        reserve=_MEGATRON_SPLITS,
    ),
    _stack("metaseq", "research", "zero3", "full", kin="fsdp", model_parallel=True),
    _stack("paddlenlp", "research", "zero1", model_parallel=True, reserve=_MEGATRON_SPLITS),
    _stack("torch-xla", "research", "zero3", "full", kin="jax", reserve=frozenset({"tensor"})),
    _stack("nanochat", "research", "zero2", "none", kin="pytorch"),
    _stack("modded-nanogpt", "research", "zero2", "none", kin="pytorch"),
    _stack("minimind", "untuned", "ddp", "none", kin="pytorch"),
)
_FINE_TUNERS = (
    _stack("deepspeed", "untuned", "zero3"),
    _stack("fsdp", "research", "zero3"),
    _stack("lightning", "research", "ddp", fused=2022),
    # `enable_activation_checkpointing` is on in three of four recipes from 3B on, and in nearly all of one device.
    _stack("torchtune", "research", "zero3", "full", fused_loss=2024.7, reserve=frozenset({"tensor"})),
    _stack("huggingface", "untuned", "ddp", master_weights_until=_TRANSFORMERS_5),
    _stack("pytorch", "untuned", "ddp", "none"),
    # Gradient checkpointing is on by default, or in every example.
    _stack(
        "trl",
        "untuned",
        "ddp",
        "full",
        kin="huggingface",
        fused_loss=2026.45,  # 1.7
        flattens=2025.57,  # 0.20
        logit_metrics=2025.67,  # 0.22
        chunks_loss=True,
    ),
    _stack("axolotl", "untuned", "ddp", "full", kin="huggingface"),
    _stack("llama-factory", "untuned", "ddp", "full", kin="huggingface"),
    _stack("ms-swift", "untuned", "ddp", "full", kin="huggingface"),
    _stack("unsloth", "research", "ddp", "full"),
    _stack("xtuner", "research", "zero3", "full", kin="fsdp"),
    _stack("openrlhf", "untuned", "zero2", "full", kin="deepspeed"),
    _stack("deepspeed-chat", "untuned", "zero3", "full", kin="deepspeed", fused=int(NEVER)),
    _stack("verl", "research", "zero3", "full", kin="fsdp"),
    _stack("open-instruct", "untuned", "zero3", "full", kin="huggingface"),
    _stack("llama-cookbook", "untuned", "zero3", "full", kin="fsdp"),
    _stack("fastchat", "untuned", "zero3", "full", kin="huggingface"),
    _stack("mlx", "research", "ddp", "none", fused=int(NEVER)),
    _stack("optimum-habana", "research", "ddp", kin="huggingface"),
    _stack("tinygrad", "untuned", "ddp", fused=int(NEVER)),
)
_UNKNOWN = _stack("unknown", "untuned", "ddp", reserve=_ALL_BUT_ZERO3)
"""What a name stands for that nobody here has heard of: whatever fits, and no habit."""
_VENDORS_OWN: Mapping[str, tuple[str, int]] = MappingProxyType(
    {"NVIDIA": ("nemo", 0), "AMD": ("primus", 2023), "Huawei": ("mindspeed", 0)}
)
"""The stack that a vendor publishes with and gives to its customers, and for chips of which year on: AMD's older ones
have a port of Megatron."""
VENDORS = frozenset({"nemo", "megatron", "primus", "mindspeed"})
"""Stacks that are assumed where none is named, of those that others than a chip's vendor seldom run as tuned."""
STACKS: Mapping[str, Stack] = MappingProxyType(
    {
        **{one.name: one for one in (*_PRETRAINERS, _UNKNOWN)},
        **{one.name: replace(one, tunes=True) for one in _FINE_TUNERS},
    }
)


def stack_named(name: str) -> Stack:
    """Return the stack called `name`."""
    return STACKS[name]


def stack_of(framework: str, accelerator: Accelerator, method: MethodName) -> Stack:
    """Return the stack called `framework`, or for "auto" the one that most runs of such a method on it use."""
    return auto_stack(accelerator, method) if framework == "auto" else stack_named(framework)


def auto_stack(accelerator: Accelerator, method: MethodName) -> Stack:
    """Return the stack that most runs of such a method on such hardware use, on however many devices.

    Adapters are trained with PEFT, and whatever there is on consumer cards and on those that are rented to infer with;
    elsewhere what the chip's vendor publishes with. The count of devices does not choose: two would seem more than
    twice as fast as one.
    """
    if accelerator.family == "tpu":
        return STACKS["maxtext" if accelerator.year >= YEAR_OF_TPU_V4 else "jax"]
    if accelerator.family == "trainium":
        return STACKS["neuron"]
    if accelerator.vendor == "Apple":
        return STACKS["mlx"]
    infers = accelerator.scale_up_kind == "pcie" and accelerator.memory_bytes < _LEAST_TO_PRETRAIN_BYTES
    if method in WITH_ADAPTERS or accelerator.segment != "datacenter" or infers:
        return STACKS["huggingface"]
    own = _VENDORS_OWN.get(accelerator.vendor)
    return STACKS[own[0] if own is not None and accelerator.year >= own[1] else "megatron"]
