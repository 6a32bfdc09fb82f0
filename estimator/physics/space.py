"""Search space of layouts: the values each knob may take for a question."""

import math

from estimator.base.inputs import divisors_of
from estimator.models.transformer import Transformer
from estimator.physics.abilities import SHARDINGS
from estimator.physics.batch import ENOUGH_AT_A_TIME, as_patches
from estimator.physics.lattice import Space
from estimator.physics.layout import RECOMPUTES
from estimator.physics.layout_releases import has_selective, interleaves
from estimator.physics.stacks import Split, Stack
from estimator.question.question import ZERO_STAGES, LayoutRequest

__all__ = ["knob_choices", "micro_batches"]

_MICRO_BATCHES = (1, 2, 4, 8, 16, 32)
_MORE_OF_SHORT = (64, 128, 256, 512)
_MOST_POSITIONS = 65_536
"""Of a micro-batch of more than 32 sequences: 256 pictures of 197 patches, 128 texts of 512 tokens. Who trains on short
sequences accumulates none of them while more at once fit."""
_VIRTUAL = (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 16, 17, 19, 20)
"""Chunks of a stage: some of each order of size, and primes, so that none of less than 21 layers is left whole."""
_WIDEST_TENSOR = 16
_WIDEST_CONTEXT = 64
_SHORTEST_SHARE = 6144
"""Tokens of a sequence that each context-parallel rank has at least. From there on the degree is hardly ever better
than its half at first, so that no time jumps with the length at which a degree opens; and a sequence that 2 · degree
does not divide is padded by less than 0.1 %, which is not counted."""
_SHORTEST_IN_NEED = 1024
"""The same where nothing else fits, or else devices would have nothing to do: more of them than the batch's sequences
occupy, each split over as many as tensor parallelism takes."""


def _powers(degrees: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(d for d in degrees if d & (d - 1) == 0)


def _divisors(whole: int, most: int) -> tuple[int, ...]:
    return tuple(d for d in divisors_of(whole) if d <= most)


def micro_batches(positions: float, share: int) -> tuple[int, ...]:
    """Return the micro-batches to choose among for sequences of so many positions: powers of two, while they are few.

    And other divisors of what each device has of the batch, its `share`, where powers of two divide that badly: of 33
    sequences they leave one at a time, and who has them runs 11 or all 33. Several are looked at however long they are.
    """
    most = _MOST_POSITIONS / positions
    powers = (*_MICRO_BATCHES, *(size for size in _MORE_OF_SHORT if size <= most))
    useful = max(most, ENOUGH_AT_A_TIME)
    if share & -share >= useful:
        return powers
    return tuple(sorted({*powers, *(d for d in divisors_of(share) if d <= useful)}))


def knob_choices(
    t: Transformer,
    *,
    n_gpus: int,
    domain: int,
    sequence_length: int,
    global_batch: int,
    sequences_each: int,
    request: LayoutRequest,
    stack: Stack,
    reserve: bool,
    shards: bool,
    most: int | None,
    splits_sequences: bool | None = None,
    spreads_experts: bool | None = None,
    released: float | None = None,
    by_habit: bool = True,
) -> Space:
    """Return the values of each knob: what the caller fixed, else what the stack's users would choose among.

    Tensor parallelism in powers of two inside a scale-up domain of at most 16; context parallelism in powers of two
    that leave each rank enough of a sequence, unless it would have none (load-balanced ring attention: padded to chunks
    of 2 · degree, where they do not divide it); expert parallelism, on stacks that have it, by divisors of the experts;
    micro-batches for the `global_batch`, of whole samples and of `most` sequences. With `reserve` all else that the
    stack has, for a model that fits no other way; with `shards` a stack shards whose users start unsharded.
    `splits_sequences`: whether a caller said that devices share them, on a stack that is not asked whether it does;
    Megatron's sequence parallelism is another thing, and comes with tensor parallelism. `spreads_experts`: the same of
    experts. What came after the release that was told, `released`, is no choice. Not `by_habit`, recomputation and the
    sharding of states are what the stack can be set to, and not what its users start with.
    """

    def choices(fixed: int | None, free: tuple[int, ...]) -> tuple[int, ...]:
        return (fixed,) if fixed is not None else free

    searched = stack.model_parallel
    has = stack.reserve if reserve else frozenset[Split]()
    tensor = _powers(_divisors(math.gcd(t.n_heads, n_gpus), min(_WIDEST_TENSOR, max(domain, 1))))
    pipeline = _divisors(n_gpus, t.n_layers)
    context: tuple[int, ...] = (1,)
    asked = "context" in has if splits_sequences is None or searched else splits_sequences
    if searched or asked:
        # Devices for each that the samples occupy.
        idle = n_gpus * sequences_each / (global_batch * max(tensor))
        context = _contexts(n_gpus, sequence_length, _WIDEST_CONTEXT if asked else idle)
    experts: tuple[int, ...] = (1,)
    if t.experts is not None and (stack.expert_parallel if spreads_experts is None else spreads_experts):
        experts = tuple(d for d in _divisors(t.experts.n_experts, n_gpus) if n_gpus % d == 0)
    share = global_batch // math.gcd(global_batch, n_gpus)
    sizes = micro_batches(as_patches(t, sequence_length), share)
    micro = tuple(size for size in sizes if size % sequences_each == 0 and (most is None or size <= most))
    recompute = _recomputes(stack, request, released, reserve=reserve, by_habit=by_habit)
    stages = _stages(request, stack, n_gpus, has, shards=shards, by_habit=by_habit)
    return Space(
        tensor=choices(request.tensor_parallel, tensor if searched or "tensor" in has else (1,)),
        pipeline=choices(request.pipeline_parallel, pipeline if searched or "pipeline" in has else (1,)),
        virtual=choices(request.virtual_pipeline, _VIRTUAL if interleaves(stack, released) else (1,)),
        context=choices(request.context_parallel, context),
        expert=choices(request.expert_parallel, experts),
        shard_stage=stages,
        micro_batch=choices(request.micro_batch_size or None, micro),
        recompute=recompute if request.recompute is None else (RECOMPUTES.index(request.recompute),),
        end_layers=stack.end_layers,
        spreads_under_zero3=stack.spreads_under_zero3,
        whole_stages=_whole_stages(request, stack, stages),
    )


def _contexts(n_gpus: int, sequence_length: int, needed: float) -> tuple[int, ...]:
    """Return the context degrees: those that leave each rank enough, and up to `needed` ones that leave it less."""
    widest = max(sequence_length // _SHORTEST_SHARE, min(sequence_length // _SHORTEST_IN_NEED, math.ceil(needed)), 1)
    return _powers(_divisors(n_gpus, min(widest, _WIDEST_CONTEXT)))


def _stages(
    request: LayoutRequest, stack: Stack, n_gpus: int, has: frozenset[Split], *, shards: bool, by_habit: bool
) -> tuple[int, ...]:
    """Return the ways to shard states: the one that a stack's users start with, and others where that holds nothing."""
    if request.data_sharding is not None:
        return (ZERO_STAGES.index(request.data_sharding),)
    if stack.model_parallel:
        return (0, 1, 3) if "zero3" in has else (0, 1)
    if n_gpus == 1:
        return (0,)
    if not by_habit and stack.name in SHARDINGS:
        return tuple(ZERO_STAGES.index(sharding) for sharding in SHARDINGS[stack.name])
    if stack.sharding == "ddp":
        return (0, 1, 2, 3) if shards else (0,)
    return (ZERO_STAGES.index(stack.sharding),)


def _whole_stages(request: LayoutRequest, stack: Stack, stages: tuple[int, ...]) -> bool:
    """Return whether ZeRO-2 and 3 exclude pipeline stages; never where a caller states how many there are."""
    if stack.shards_stages is None:
        return len(stages) > 1
    return not stack.shards_stages and request.pipeline_parallel is None


def _recomputes(
    stack: Stack, request: LayoutRequest, released: float | None, *, reserve: bool, by_habit: bool
) -> tuple[int, ...]:
    if stack.recompute is not None and not stack.model_parallel:
        if by_habit:
            return tuple(sorted({RECOMPUTES.index(stack.recompute), 2}))
        if stack.recompute == "full":
            # Trainers that checkpoint whole layers by habit have a switch for it, and nothing between.
            return (0, 2)
    if stack.checkpoints_layers or not has_selective(stack, released):
        return (0, 2)
    stated = request.tensor_parallel is not None and request.pipeline_parallel is not None
    if stack.recompute == "none" and stated and not reserve:
        # Whoever states the split runs it, so it fits; these stacks then drop only what is cheap to compute again.
        return (0, 1)
    return (0, 1, 2)
