"""Training stacks: their default sharding and recomputation, their kernels by release, and how well they are tuned."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from estimator.models.training import Recompute
from estimator.question.cluster import Accelerator
from estimator.question.question import Sharding

__all__ = ["NEVER", "STACKS", "Stack", "auto_stack", "stack_named"]

NEVER = 9999.0
"""Release year of what a stack does not have."""
Tier = Literal["tuned", "research", "untuned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A training stack: defaults, and the release from which on it has each optimisation."""

    name: str
    tier: Tier
    """`tuned`: measured by its vendor on its own hardware; `research`: a maintained trainer; `untuned`: as users
    have it."""
    model_parallel: bool
    """Whether tensor and pipeline parallelism are searched where nothing is said."""
    sharding: Sharding
    recompute: Recompute | None
    """What runs on this stack do where they say nothing; None: the least that fits."""
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
    sequence_parallel_since: int = 2023
    """First year in which tensor parallelism came with sequence parallelism (Korthikanti et al. 2022)."""


def _stack(
    name: str,
    tier: Tier,
    sharding: Sharding,
    recompute: Recompute | None = "none",
    *,
    model_parallel: bool = False,
    fused: int = 2023,
    hides: float = NEVER,
    fused_experts: float = NEVER,
    sinks: float = NEVER,
    offloads: bool = False,
) -> Stack:
    return Stack(
        name=name,
        tier=tier,
        model_parallel=model_parallel,
        sharding=sharding,
        recompute=recompute,
        fused_attention_since=fused,
        hides_tensor_parallel_since=hides,
        fused_experts_since=fused_experts,
        fused_sinks_since=sinks,
        offloads=offloads,
    )


STACKS: Mapping[str, Stack] = MappingProxyType(
    {
        software.name: software
        for software in (
            _stack(
                "nemo",
                "tuned",
                "zero1",
                model_parallel=True,
                fused=2024,
                hides=2024,
                fused_experts=2026.4,
                sinks=2026.4,
            ),
            _stack("automodel", "tuned", "zero3", "none", sinks=2025.0),
            _stack("mlperf", "tuned", "zero1", model_parallel=True, hides=2023, fused_experts=2026.4, sinks=2026.4),
            _stack("megatron", "tuned", "zero1", None, model_parallel=True, hides=2024),
            _stack("megatron-deepspeed", "research", "zero1", "full", model_parallel=True, fused=2024),
            _stack("deepspeed", "untuned", "zero3", None),
            _stack("maxtext", "tuned", "zero3", None, fused=2023, sinks=2025.0),
            _stack("jax", "research", "zero3", None),
            _stack("torchtitan", "research", "zero3", "selective", sinks=2025.0),
            _stack("fsdp", "research", "zero3", None),
            _stack("llm-foundry", "research", "zero3", None),
            _stack("nanotron", "research", "zero1", None, model_parallel=True),
            _stack("lightning", "research", "ddp", None, fused=2022),
            _stack("torchtune", "research", "zero3", None),
            _stack("huggingface", "untuned", "zero3", None),
            _stack("pytorch", "untuned", "ddp", "none"),
            _stack("nanogpt", "untuned", "ddp", "none"),
            _stack("llm.c", "tuned", "zero1", "none"),
            _stack("llmq", "tuned", "zero1", None, offloads=True),
            _stack("neuron", "research", "zero1", "selective", model_parallel=True),
        )
    }
)


def stack_named(name: str) -> Stack:
    """Return the stack called `name`."""
    return STACKS[name]


def auto_stack(accelerator: Accelerator, n_gpus: int) -> Stack:
    """Return the stack that most runs on such hardware use."""
    if accelerator.family == "tpu":
        return STACKS["maxtext"]
    if accelerator.family == "trainium":
        return STACKS["neuron"]
    if accelerator.segment == "datacenter":
        return STACKS["nemo" if n_gpus > 1 and accelerator.vendor == "NVIDIA" else "megatron" if n_gpus > 1 else "fsdp"]
    return STACKS["huggingface"]
