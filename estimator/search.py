"""The layouts a question allows: every legal combination, what does not fit masked, best first."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from estimator.case import Case
from estimator.layout import RECOMPUTES, SHARDINGS, Floats, Layouts
from estimator.model import Transformer
from estimator.question import LayoutRequest
from estimator.stacks import Stack

__all__ = ["Space", "legal_layouts", "space"]

_MICRO_BATCHES = (1, 2, 4, 8, 16, 32)
_VIRTUAL = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20)
_WIDEST_TENSOR = 16
_WIDEST_CONTEXT = 64
_LONG_SEQUENCE = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The choices of every knob."""

    tensor: tuple[int, ...]
    pipeline: tuple[int, ...]
    virtual: tuple[int, ...]
    context: tuple[int, ...]
    expert: tuple[int, ...]
    shard_stage: tuple[int, ...]
    micro_batch: tuple[int, ...]
    recompute: tuple[int, ...]


def _divisors(whole: int, most: int) -> tuple[int, ...]:
    return tuple(d for d in range(1, min(whole, most) + 1) if whole % d == 0)


def space(
    t: Transformer, *, n_gpus: int, domain: int, sequence_length: int, request: LayoutRequest, stack: Stack
) -> Space:
    """Return what each knob may be: what the caller fixed, else all that is legal on the stack."""

    def choices(fixed: int | None, free: tuple[int, ...]) -> tuple[int, ...]:
        return (fixed,) if fixed is not None else free

    searched = stack.model_parallel
    widest = min(_WIDEST_TENSOR, max(domain, 1))
    tensor = tuple(d for d in _divisors(t.n_heads, widest) if n_gpus % d == 0 and d & (d - 1) == 0)
    pipeline = _divisors(n_gpus, t.n_layers)
    context: tuple[int, ...] = (1,)
    if searched and sequence_length >= _LONG_SEQUENCE:
        powers = (d for d in _divisors(n_gpus, _WIDEST_CONTEXT) if d & (d - 1) == 0)
        context = tuple(d for d in powers if sequence_length % (2 * d) == 0)
    experts: tuple[int, ...] = (1,)
    if t.experts is not None:
        experts = tuple(d for d in _divisors(t.experts.n_experts, n_gpus) if n_gpus % d == 0)
    stages: tuple[int, ...] = (0, 1) if searched else (0, 1, 2, 3)
    if not searched and n_gpus == 1:
        stages = (0,)
    elif not searched and stack.sharding != "ddp":
        stages = (SHARDINGS.index(stack.sharding),)
    micro = (request.micro_batch_size,) if request.micro_batch_size else _MICRO_BATCHES
    recompute: tuple[int, ...] = (0, 1, 2)
    if stack.recompute is not None and not searched:
        recompute = tuple(sorted({RECOMPUTES.index(stack.recompute), 2}))
    if stack.recompute == "none" and request.tensor_parallel is not None and request.pipeline_parallel is not None:
        # Whoever states the split runs it, so it fits; these stacks then drop only what is cheap to compute again.
        recompute = (0, 1)
    return Space(
        tensor=choices(request.tensor_parallel, tensor if searched else (1,)),
        pipeline=choices(request.pipeline_parallel, pipeline if searched else (1,)),
        virtual=choices(request.virtual_pipeline, _VIRTUAL if searched else (1,)),
        context=choices(request.context_parallel, context),
        expert=choices(request.expert_parallel, experts),
        shard_stage=stages if request.data_sharding is None else (SHARDINGS.index(request.data_sharding),),
        micro_batch=micro,
        recompute=recompute if request.recompute is None else (RECOMPUTES.index(request.recompute),),
    )


def legal_layouts(
    choices: Space, t: Transformer, n_gpus: int, global_batch: int, shard_group: int | None = None
) -> Layouts:
    """Return every layout that divides devices, layers and batch, shape (L,); L may be 0."""
    outer = [
        (tp, pp, cp, ep, n_gpus // (tp * pp * cp))
        for tp, pp, cp, ep in product(choices.tensor, choices.pipeline, choices.context, choices.expert)
        if n_gpus % (tp * pp * cp) == 0 and (n_gpus // pp) % ep == 0
    ]
    outer = [row for row in outer if global_batch % row[4] == 0]
    inner = list(product(choices.virtual, choices.shard_stage, choices.micro_batch, choices.recompute))
    if not outer or not inner:
        return _layouts(np.zeros((0, 9)), global_batch, shard_group)
    a, b = np.array(outer, dtype=np.float64), np.array(inner, dtype=np.float64)
    rows = np.concatenate([np.repeat(a, len(b), axis=0), np.tile(b, (len(a), 1))], axis=1)
    _, pp, _, _, dp, vpp, stage, micro, _ = rows.T
    count = global_batch / (dp * micro)
    legal = (count >= 1) & (count == np.floor(count))
    legal &= (vpp == 1) | ((pp > 1) & (np.mod(t.n_layers, pp * vpp) == 0) & (np.mod(count, pp) == 0))
    if len(choices.virtual) == 1:
        legal = (count >= 1) & (count == np.floor(count)) & ((vpp == 1) | (pp > 1))
    if len(choices.shard_stage) > 1:
        legal &= (stage <= 1) | (pp == 1)
        legal &= (stage == 0) | (dp > 1)
    return _layouts(rows[legal], global_batch, shard_group)


def _layouts(rows: Floats, global_batch: int, shard_group: int | None) -> Layouts:
    tp, pp, cp, ep, dp, vpp, stage, micro, recompute = rows.T
    ranks = dp * cp
    return Layouts(
        tensor=tp,
        pipeline=pp,
        virtual=vpp,
        context=cp,
        expert=ep,
        data=dp,
        shard_stage=stage,
        shard_group=ranks if shard_group is None else np.minimum(ranks, float(shard_group)),
        micro_batch=micro,
        micro_batches=global_batch / (dp * micro) if len(rows) else dp,
        recompute=recompute,
    )


def fitting(case: Case, total_bytes: Floats, share: float) -> NDArray[np.bool_]:
    """Return which layouts fit the device's memory."""
    return total_bytes <= share * np.asarray(case.memory_bytes)
