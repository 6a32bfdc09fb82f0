"""Stacks that shard states and do not tell whose layers run, with layers of one's own where those hold experts."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from estimator.models.training import MethodName
from estimator.physics.stacks import STACKS, Split, Stack, stack_of
from estimator.question.cluster import Accelerator
from estimator.question.practice import Practice
from estimator.question.question import Question, Sharding

__all__ = ["LIBRARIES", "NOT_UNDER_ZERO3", "running_stack", "stack_running"]

_LIKE_TORCHTITAN: frozenset[Split] = frozenset({"tensor", "context", "pipeline"})
_SHARDINGS: Mapping[str, Sharding] = MappingProxyType(
    {
        # The furthest stage under which it spreads experts.
        "deepspeed": "zero2",
        "fsdp": "zero3",
        "lightning": "ddp",
        "pytorch": "ddp",
    }
)
NOT_UNDER_ZERO3 = frozenset({"deepspeed"})
"""Libraries that spread no experts under ZeRO-3 (deepspeed/runtime/engine.py: "MoE not supported with Stage 3")."""
LIBRARIES = frozenset(_SHARDINGS)
"""Stacks that people name for how states are shared or for what a loop is written in: layers are anybody's."""


def _with_own_experts(stack: Stack, sharding: Sharding) -> Stack:
    """Return `stack` as who pretrains experts on it has it.

    Layers are written to be trained on many devices, as those of trainers of research are: experts are multiplied in
    groups and spread, and a step is as large as pre-training's.
    """
    habit = replace(stack.habit, experts="grouped", packing="packed")
    return replace(
        stack,
        tier="research",
        expert_parallel=True,
        sharding=sharding,
        recompute=None,
        sharded_tuning_recompute=None,
        reserve=_LIKE_TORCHTITAN,
        habit=habit,
        tuning_habit=habit,
        grouped_experts_since=0.0,
        checkpoints_layers=False,
        tunes=False,
    )


_WITH_OWN: Mapping[str, Stack] = MappingProxyType(
    {name: _with_own_experts(STACKS[name], sharding) for name, sharding in _SHARDINGS.items()}
)


def running_stack(framework: str, accelerator: Accelerator, method: MethodName, practice: Practice) -> Stack:
    """Return the stack called `framework`, with layers of one's own where `practice` has them and it leaves that open.

    For "auto" it is the one that most runs of such a method on the hardware use.
    """
    stack = stack_of(framework, accelerator, method)
    return _WITH_OWN.get(stack.name, stack) if practice.own_experts else stack


def stack_running(question: Question) -> Stack:
    """Return the stack that runs `question`."""
    return running_stack(question.framework, question.cluster.accelerator, question.method.name, question.practice)
