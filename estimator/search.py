"""The layouts a question allows: every legal combination, what does not fit masked, best first."""

from dataclasses import dataclass

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
    """Return every layout that divides devices, layers and batch, shape (L,); L may be 0.

    In the order of the product of the knobs: tensor, pipeline, context, expert, virtual, stage, micro-batch, recompute.
    """
    tp, pp, cp, ep = (
        knob.ravel()
        for knob in np.meshgrid(
            *map(_column, (choices.tensor, choices.pipeline, choices.context, choices.expert)), indexing="ij"
        )
    )
    dp = n_gpus / (tp * pp * cp)
    splits = (dp == np.floor(dp)) & (np.mod(n_gpus // pp, ep) == 0) & (np.mod(global_batch, dp) == 0)
    tp, pp, cp, ep, dp = (knob[splits] for knob in (tp, pp, cp, ep, dp))
    virtual, stage, micro, recompute = map(
        _column, (choices.virtual, choices.shard_stage, choices.micro_batch, choices.recompute)
    )
    batches = _legal_batches(choices, t, global_batch, pp, dp)
    stages = np.ones((len(pp), len(stage)), dtype=np.bool_)
    if len(stage) > 1:
        stages = ((stage <= 1) | (pp[:, None] == 1)) & ((stage == 0) | (dp[:, None] > 1))
    legal = batches[:, :, None, :, None] & stages[:, None, :, None, None] & np.ones(len(recompute), dtype=np.bool_)
    outer, at_virtual, at_stage, at_micro, at_recompute = np.nonzero(legal)
    data, batch = dp[outer], micro[at_micro]
    context = cp[outer]
    ranks = data * context
    return Layouts(
        tensor=tp[outer],
        pipeline=pp[outer],
        virtual=virtual[at_virtual],
        context=context,
        expert=ep[outer],
        data=data,
        shard_stage=stage[at_stage],
        shard_group=ranks if shard_group is None else np.minimum(ranks, float(shard_group)),
        micro_batch=batch,
        micro_batches=global_batch / (data * batch),
        recompute=recompute[at_recompute],
    )


def _column(values: tuple[int, ...]) -> Floats:
    return np.array(values, dtype=np.float64)


def _legal_batches(
    choices: Space, t: Transformer, global_batch: int, pipeline: Floats, data: Floats
) -> NDArray[np.bool_]:
    """Return which virtual stages and micro-batches go with each split, shape (splits, virtual, micro-batch)."""
    virtual, micro = _column(choices.virtual), _column(choices.micro_batch)
    count = global_batch / (data[:, None] * micro)
    whole = (count >= 1) & (count == np.floor(count))
    piped = pipeline[:, None] > 1
    if len(virtual) == 1:
        # A stated degree is run, so it divides however its users see to that.
        interleaved = piped[:, :, None]
    else:
        layers = piped & (np.mod(t.n_layers, pipeline[:, None] * virtual) == 0)
        rounds = np.mod(count, pipeline[:, None]) == 0
        interleaved = layers[:, :, None] & rounds[:, None, :]
    legal: NDArray[np.bool_] = whole[:, None, :] & ((virtual == 1)[None, :, None] | interleaved)
    return legal


def fitting(case: Case, total_bytes: Floats, share: float) -> NDArray[np.bool_]:
    """Return which layouts fit the device's memory."""
    return total_bytes <= share * np.asarray(case.memory_bytes)
