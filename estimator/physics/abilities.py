"""What training stacks cannot do, and optimizers cannot: adapters, bases of few bits, sharded states, steps on a host.

And which ways to shard states those choose among that can.
Read in the projects' own code and documentation. Stacks that are not listed can, or it is not known that they cannot.
"""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.models.training import WITH_ADAPTERS, MethodName
from estimator.question.cluster import Accelerator
from estimator.question.practice import OptimizerName, Practice
from estimator.question.question import Sharding

__all__ = [
    "EIGHT_BIT_OPTIMIZERS",
    "LACKING",
    "SHARDINGS",
    "fuses_attention",
    "is_stepped_by_engine",
    "offloads_states",
    "recomputes",
    "runs_triton",
    "shards_states",
    "stepped_on_host",
    "trains_method",
]

_WITHOUT_ADAPTERS = frozenset(
    {"hai-llm", "llm.c", "mesh-transformer-jax", "metaseq", "modded-nanogpt", "nanochat", "nanogpt", "nanotron"}
    | {"olmo-core", "torchtitan"}
)
_ADAPTERS_ON_16_BITS = frozenset(
    {"deepspeed-chat", "easylm", "gpt-neox", "internevo", "levanter", "llm-foundry", "llmq", "megatron"}
    | {"megatron-deepspeed", "mindspeed", "minimind", "mlperf", "neuron", "primus", "tinygrad", "torch-xla"}
)
"""Stacks whose adapters, if they have any, lie beside a base in 16 bits or in FP8: none of them loads NF4 or GPTQ."""
_WHOLE_ON_EACH = frozenset({"minimind", "mlx", "nanogpt", "unsloth"})
"""Stacks that copy the model to each device and average gradients (DDP), and have no code or documented way to shard:
nanoGPT's `train.py`, MiniMind's trainers, `mx.distributed` under mlx-lm, Unsloth's patched models."""
_ON_DEVICE_ALONE = (
    _WHOLE_ON_EACH
    | {"easylm", "levanter", "llm.c", "mesh-transformer-jax", "modded-nanogpt"}
    | {*("nanochat", "nanotron", "olmo-core", "tinygrad")}
)
"""Stacks without a setting that keeps optimizer states in host memory."""
_WITHOUT_RECOMPUTATION = frozenset({"minimind", "modded-nanogpt", "nanochat", "nanogpt"})
"""Stacks whose scripts have no switch for gradient checkpointing."""
_ALWAYS_FUSED = frozenset({"modded-nanogpt", "nanochat", "nanogpt"})
"""Stacks whose attention is a fused kernel wherever PyTorch has one, whatever is set …"""
_FUSED_SINCE = 2023.2
"""… as it has from its release 2.0 on."""
_WITHOUT_TRITON = frozenset({"mlx", "optimum-habana", "tinygrad"})
"""Stacks that fine-tune without CUDA's or ROCm's libraries."""
LACKING = _WITHOUT_ADAPTERS | _ADAPTERS_ON_16_BITS | _ON_DEVICE_ALONE | _WITHOUT_TRITON
"""All stacks that lack anything of this."""
_STAGES: tuple[Sharding, ...] = ("zero1", "zero2", "zero3")
SHARDINGS: Mapping[str, tuple[Sharding, ...]] = MappingProxyType(
    {
        # Accelerate's configuration, DeepSpeed's or FSDP's; Lightning's and scripts' `strategy`.
        **dict.fromkeys(("huggingface", "lightning", "pytorch"), ("ddp", *_STAGES)),
        **dict.fromkeys(("deepspeed", "deepspeed-chat", "openrlhf"), _STAGES),  # `stage`
        # SHARD_GRAD_OP, or `reshard_after_forward`
        **dict.fromkeys(("fsdp", "torchtitan", "torchtune", "llm-foundry", "xtuner", "verl"), ("zero2", "zero3")),
        **dict.fromkeys(("llama-cookbook", "litgpt", "olmo-core", "automodel"), ("zero2", "zero3")),
        # On Transformers' trainer, whose configuration of Accelerate or DeepSpeed they take.
        **dict.fromkeys(("trl", "axolotl", "llama-factory", "ms-swift"), ("ddp", *_STAGES)),
        **dict.fromkeys(("open-instruct", "fastchat"), _STAGES),
    }
)
"""Ways to shard states that a setting chooses among, of stacks without other splits; elsewhere there is the habit."""
_OF_TRITON = frozenset({"NVIDIA", "AMD", "Intel"})
_IN_32_BITS: Mapping[OptimizerName, OptimizerName] = MappingProxyType(
    {"adamw_8bit": "adamw", "paged_adamw_8bit": "adamw", "low_rank_8bit": "low_rank"}
)
EIGHT_BIT_OPTIMIZERS = frozenset(_IN_32_BITS)
"""Those whose moments are in 8 bits, which bitsandbytes' and torchao's kernels step on the device."""
_STEPS_WHAT_IT_GATHERS = frozenset({"fsdp", "fsdp2"})
"""Engines that step offloaded weights as wide as they are loaded."""


def trains_method(stack: str, method: MethodName) -> bool:
    """Return whether `stack` has what trains by `method`; adapters on a base in 4 bits need kernels of their own."""
    if method not in WITH_ADAPTERS:
        return True
    return stack not in _WITHOUT_ADAPTERS and (method != "qlora" or stack not in _ADAPTERS_ON_16_BITS)


def shards_states(stack: str) -> bool:
    """Return whether users of `stack` can have states sharded over devices that do not each hold the model."""
    return stack not in _WHOLE_ON_EACH


def recomputes(stack: str) -> bool:
    """Return whether users of `stack` can have activations recomputed."""
    return stack not in _WITHOUT_RECOMPUTATION


def fuses_attention(stack: str, released: float | None) -> bool:
    """Return whether attention on `stack` cannot but be fused, on software of the date `released`, current if None."""
    return stack in _ALWAYS_FUSED and (released is None or released >= _FUSED_SINCE)


def offloads_states(stack: str) -> bool:
    """Return whether users of `stack` can keep optimizer states in host memory."""
    return stack not in _ON_DEVICE_ALONE


def runs_triton(stack: str, accelerator: Accelerator) -> bool:
    """Return whether kernels written in Triton (Liger) and bitsandbytes' optimizers run on `stack` and its device."""
    return accelerator.vendor in _OF_TRITON and accelerator.family != "gaudi" and stack not in _WITHOUT_TRITON


def stepped_on_host(said: Practice) -> OptimizerName | None:
    """Return the optimizer of `said` as its states are: a host steps none in 8 bits.

    DeepSpeed's offload takes DeepSpeedCPUAdam, whose moments are in FP32, and refuses bitsandbytes'; FSDP's steps on
    the CPU, for which these have no kernels. They page their moments instead, and step them on the device.
    """
    optimizer = said.optimizer
    return _IN_32_BITS.get(optimizer, optimizer) if said.offload_optimizer and optimizer is not None else optimizer


def is_stepped_by_engine(said: Practice, kin: str) -> bool:
    """Return whether DeepSpeed's CPU Adam steps what is offloaded, from copies in FP32 whatever the trainer loads.

    Of trainers on Transformers (`kin`) it does where weights are offloaded too and nobody names FSDP; optimizer states
    alone may be bitsandbytes' pages.
    """
    if said.zero_engine in _STEPS_WHAT_IT_GATHERS or not said.offload_optimizer:
        return False
    return said.zero_engine == "deepspeed" or (bool(said.offload_parameters) and kin in {"huggingface", "deepspeed"})
