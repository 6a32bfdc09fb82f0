"""Libraries that shard states and do not tell whose layers run, with layers of one's own where those hold experts.

Such layers call the kernels that a chip's vendor gives away, as any stack of one's own does, and split a model in all
the ways that PyTorch has; how much longer than the vendor's they take is the same wherever they are written
(`with_own_stacks` in `estimator.evidence.stack_doubts`).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from estimator.models.training import MethodName
from estimator.physics.stacks import NEVER, STACKS, VENDORS, Split, Stack, auto_stack, stack_of
from estimator.question.cluster import Accelerator
from estimator.question.practice import Practice
from estimator.question.question import Question, Sharding

__all__ = ["LIBRARIES", "running_stack", "stack_running"]

_LIKE_TORCHTITAN: frozenset[Split] = frozenset({"tensor", "context", "pipeline"})
_SHARDINGS: Mapping[str, Sharding] = MappingProxyType(
    {
        # Named for all states that are sharded; the others shard what pays.
        "fsdp": "zero3",
        "deepspeed": "ddp",
        "lightning": "ddp",
        "pytorch": "ddp",
    }
)
LIBRARIES = frozenset(_SHARDINGS)
"""Stacks that people name for how states are shared or for what a loop is written in: layers are anybody's."""
_WHOLE_STAGES = frozenset({"deepspeed"})
"""Libraries whose pipelines go with ZeRO-1 at most (deepspeed/runtime/pipe/engine.py: "ZeRO-2 and ZeRO-3 are
incompatible with pipeline parallelism"); PyTorch's stages may be wrapped by FSDP."""
_OTHERWISE = "megatron"
"""Whose kernels they are on chips whose vendor gives away no stack to pretrain with."""


@lru_cache(maxsize=256)
def _with_own_experts(library: str, vendors: str) -> Stack:
    """Return `library` as who pretrains experts on it has it: kernels of the `vendors` stack, states shared its way.

    Experts are multiplied in groups and spread, and a step is as large as pre-training's. What the vendor's stack has
    of its own beside kernels, it has not: interleaved stages, experts that do not wait for the host.
    """
    own, kernels = STACKS[library], STACKS[vendors if vendors in VENDORS else _OTHERWISE]
    habit = replace(
        kernels.habit,
        experts="grouped",
        packing="packed",
        zero_engine="deepspeed" if library == "deepspeed" else kernels.habit.zero_engine,
    )
    return replace(
        kernels,
        name=library,
        model_parallel=False,
        expert_parallel=True,
        spreads_under_zero3=own.spreads_under_zero3,
        shards_stages=library not in _WHOLE_STAGES,
        sharding=_SHARDINGS[library],
        pools_layouts=True,
        recompute=None,
        sharded_tuning_recompute=None,
        reserve=_LIKE_TORCHTITAN,
        habit=habit,
        tuning_habit=habit,
        fused_experts_since=NEVER,
        fused_sinks_since=own.fused_sinks_since,
        micro_batch=own.micro_batch,
        tunes=False,
    )


def running_stack(framework: str, accelerator: Accelerator, method: MethodName, practice: Practice) -> Stack:
    """Return the stack called `framework`, with layers of one's own where `practice` has them and it leaves that open.

    For "auto" it is the one that most runs of such a method on the hardware use.
    """
    stack = stack_of(framework, accelerator, method)
    own = practice.own_experts and stack.name in LIBRARIES
    return _with_own_experts(stack.name, auto_stack(accelerator, "full").name) if own else stack


def stack_running(question: Question) -> Stack:
    """Return the stack that runs `question`."""
    return running_stack(question.framework, question.cluster.accelerator, question.method.name, question.practice)
