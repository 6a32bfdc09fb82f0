"""Layout search: every legal layout of a question priced and ranked; answers, calibration and backtest share it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimator.base.errors import InfeasibleError
from estimator.base.pauses import pause
from estimator.physics.abilities import SHARDINGS, shards_states
from estimator.physics.adapter_width import is_prepared_by_peft
from estimator.physics.batch import global_batch_sequences, nearest_batch, usual_micro_batch
from estimator.physics.case import Case
from estimator.physics.constants import Constants
from estimator.physics.execution import Execution, execution_of
from estimator.physics.expert_code import multiplies_all_experts
from estimator.physics.lattice import Lattice, least_recomputing, legal_layouts
from estimator.physics.layout import RECOMPUTES, Floats
from estimator.physics.layout_releases import recompute_habit
from estimator.physics.memory import memory_of, usable_bytes
from estimator.physics.numbers import case_of
from estimator.physics.own_experts import stack_running
from estimator.physics.space import knob_choices
from estimator.physics.stacks import Stack
from estimator.physics.step import step_time
from estimator.question.question import LayoutRequest, Question

__all__ = [
    "Choice",
    "Fastest",
    "Setting",
    "contenders",
    "fastest",
    "nearest_setting",
    "posed_case",
    "ranked_layouts",
    "routed_case",
    "setting_of",
    "usual_recompute",
]

_WITHIN = 1.25
"""Bytes of the layout that is told over the least that a run can take, at most, where nothing fits. The last few per
cent are saved by splits that take several times as long, and that nobody would run: who has no room for a model looks
for a larger device, or more of them, and not for the one layout that almost fits."""
_RANKED = 1024
"""Length of a partial sort: no answer shows more layouts, and sorting all would take as long as pricing them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A question with its software stack, the model's inputs, and every legal layout, not yet priced."""

    question: Question
    stack: Stack
    case: Case
    layouts: Lattice
    used_bytes: tuple[Floats, ...]
    """Bytes on the fullest device, an array a block of `layouts`, which broadcasts to its cells."""
    global_batch: int

    @property
    def usable_bytes(self) -> float:
        """Bytes of a device that a run may take: a layout that takes more does not fit."""
        return usable_bytes(self.question.cluster.accelerator.memory_bytes)

    @property
    def fits(self) -> bool:
        """Whether any layout does."""
        return any(bool(fits.any()) for fits in self.within(self.usable_bytes))

    @property
    def least_bytes(self) -> float:
        """Bytes on a device that some layout takes, and none takes less."""
        return min(
            float(block.of_layouts(total).min(initial=np.inf))
            for block, total in zip(self.layouts.blocks, self.used_bytes, strict=True)
        )

    @property
    def told_bytes(self) -> float:
        """Bytes that the layout takes at most that is told: what a device has, or near the least where that is more.

        The smallest alone is told of what was published, for it ran, whatever we think of its memory; and of one
        device, which has no splits: who has little memory takes one sequence at a time and recomputes all.
        """
        least = self.least_bytes
        if least <= self.usable_bytes:
            return self.usable_bytes
        alone = _ran(self.question) or self.question.cluster.n_gpus == 1
        return least if alone else _WITHIN * least

    def within(self, limit_bytes: float) -> Iterator[NDArray[np.bool_]]:
        """Yield which cells of each block of `layouts` are legal and take no more."""
        for block, total_bytes in zip(self.layouts.blocks, self.used_bytes, strict=True):
            yield block.legal & (total_bytes <= limit_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Step time and memory of a setting's layouts, shape (L,), and their ranking."""

    order: NDArray[np.intp]
    """Top layouts: by time those that fit, or are near it where none does; then by memory. At most `_RANKED` a kind."""
    seconds: NDArray[np.float64]
    memory_bytes: NDArray[np.float64]
    fits: NDArray[np.bool_]


def posed_case(question: Question, execution: Execution) -> Case:
    """Return the model's inputs for `question`, its step run as `execution` has it."""
    return case_of(
        question.transformer,
        question.cluster,
        question.precision,
        question.method,
        sequence_length=question.sequence_length,
        execution=execution,
        reads=question.reads,
        unevenness=question.unevenness,
        longest_row=question.longest_row,
    )


def routed_case(setting: Setting) -> Case | None:
    """Return the model's inputs were each token worked on by its own experts alone; None where it is."""
    question, stack = setting.question, setting.stack
    if not multiplies_all_experts(question, stack):
        return None
    return posed_case(question, replace(execution_of(question, stack), expert_capacity=1.0))


def setting_of(
    question: Question,
    *,
    shard_group: int | None = None,
    packed_short: bool = False,
    raised: int = 1,
    by_habit: bool = True,
) -> Setting:
    """Return `question` with the model's inputs and every layout that is legal on its stack.

    Who fine-tunes and tells no micro-batch has at most `raised` times that of the trainer's examples. Sharded states
    are spread over all that share data, or over `shard_group` ranks, which are a node's where the question says so.
    Where none of those that the stack's users choose among fits, or divides, all else that the stack has is tried;
    where nothing fits, those of the two with the smallest are kept.
    Not `by_habit`, whatever the stack can be set to is: micro-batches, recomputation and sharding of states beyond what
    its users start with. Batches that are to be whole are split where they do not fit.
    Raises InfeasibleError where no layout divides devices, layers and batch.
    """
    pause()
    if shard_group is None and question.practice.shards_in_node:
        shard_group = question.cluster.gpus_per_node
    whole = _in_one(question)
    if whole is not None:
        posed = _setting(whole, shard_group=shard_group, packed_short=packed_short, raised=raised, by_habit=by_habit)
        if posed.fits:
            return replace(posed, question=question)
    return _setting(question, shard_group=shard_group, packed_short=packed_short, raised=raised, by_habit=by_habit)


def _in_one(question: Question) -> Question | None:
    """Return `question` with each device's share of the batch in one micro-batch; None where that is not to be."""
    n = question.cluster.n_gpus
    stated = question.layout.micro_batch_size is not None
    if not question.whole_batches or stated or (batch := global_batch_sequences(question)) % n:
        return None
    return replace(question, layout=replace(question.layout, micro_batch_size=batch // n))


def _setting(
    question: Question, *, shard_group: int | None, packed_short: bool, raised: int, by_habit: bool
) -> Setting:
    stack = stack_running(question)
    numbers = posed_case(question, execution_of(question, stack, packed_short=packed_short))
    batch = global_batch_sequences(question)
    usual = usual_micro_batch(question, stack)
    most = None if usual is None or not by_habit else raised * usual
    found: list[Setting] = []
    passes = _passes(question, stack, by_habit=by_habit)
    for reserve, shards in passes:
        layouts = _layouts(
            question,
            stack,
            batch,
            reserve=reserve,
            shards=shards,
            shard_group=shard_group,
            most=most,
            by_habit=by_habit,
        )
        used = tuple(memory_of(numbers, block.layouts).total_bytes for block in layouts.blocks)
        posed = Setting(
            question=question, stack=stack, case=numbers, layouts=layouts, used_bytes=used, global_batch=batch
        )
        if posed.fits:
            return posed
        if len(layouts) and (shards or len(passes) == 1):
            found.append(posed)
    if not found:
        raise InfeasibleError(_why_none(question, batch))
    # As its stack's users lay it out.
    return found[0] if _ran(question) else min(found, key=lambda posed: posed.least_bytes)


def _ran(question: Question) -> bool:
    """Return whether it is known that `question` was run."""
    return question.published or (question.precedent is not None and question.precedent.agrees)


def _passes(question: Question, stack: Stack, *, by_habit: bool) -> tuple[tuple[bool, bool], ...]:
    """Return the sets of layouts that are tried in turn, as whether each has the stack's reserve, and shards states.

    Who starts unsharded shards what does not fit so, and turns to all else only then. That is how people's scripts
    grow: the first set that holds a model is also the one that runs it best. Where experts are spread freely it is not,
    for some degree makes nearly any set fit: there the last set, which has all the others in it, is the only one.
    On stacks that shard nothing each device has the whole model, unless a caller says otherwise.
    """
    if stack.pools_layouts:
        return ((True, True),)
    unsharded = ((False, False),) if stack.sharding == "ddp" and (by_habit or stack.name not in SHARDINGS) else ()
    told = question.layout.data_sharding is not None or question.practice.zero_engine is not None
    if not told and not shards_states(stack.name):
        return unsharded
    return (*unsharded, (False, True), (True, True))


def nearest_setting(question: Question, *, shard_group: int | None = None, packed_short: bool = False) -> Setting:
    """Return the setting of `question`; a batch that its layout does not divide is rounded to one that it does.

    Raises InfeasibleError where even that has no layout.
    """
    try:
        return setting_of(question, shard_group=shard_group, packed_short=packed_short)
    except InfeasibleError:
        return setting_of(nearest_batch(question), shard_group=shard_group, packed_short=packed_short)


def _layouts(
    question: Question,
    stack: Stack,
    batch: int,
    *,
    reserve: bool,
    shards: bool,
    shard_group: int | None,
    most: int | None,
    by_habit: bool,
) -> Lattice:
    free = knob_choices(
        question.transformer,
        n_gpus=question.cluster.n_gpus,
        domain=question.cluster.scale_up_domain,
        sequence_length=question.sequence_length,
        global_batch=batch,
        sequences_each=question.sequences_each,
        request=question.layout if reserve else _with_defaults(question.layout, stack),
        stack=stack,
        reserve=reserve,
        shards=shards,
        most=most,
        splits_sequences=question.practice.splits_sequences,
        spreads_experts=question.practice.spreads_experts,
        released=question.released,
        by_habit=by_habit,
    )
    return legal_layouts(
        free,
        n_layers=question.transformer.n_layers,
        n_gpus=question.cluster.n_gpus,
        global_batch=batch,
        shard_group=shard_group,
    )


def _with_defaults(request: LayoutRequest, stack: Stack) -> LayoutRequest:
    """Return `request` with context parallelism 1 where the other splits of a model are stated and it is not."""
    split = request.tensor_parallel is not None and request.pipeline_parallel is not None
    if split and request.context_parallel is None and stack.model_parallel:
        return replace(request, context_parallel=1)
    return request


def _why_none(question: Question, batch: int) -> str:
    n, each = question.cluster.n_gpus, question.sequences_each
    micro = (question.layout.micro_batch_size or each) // each
    return (
        f"no layout splits {n:,} GPUs and a batch of {batch // each:,} {question.batch_unit} as asked: the "
        f"data-parallel degree (GPUs over tensor, pipeline and context degrees) times the micro-batch must divide the "
        f"batch; a multiple of {n * micro:,} {question.batch_unit} would do"
    )


def ranked_layouts(setting: Setting, constants: Constants) -> Choice:
    """Return step time and memory of every layout, shape (L,), and the top layouts: fitting first, then by time.

    Layouts that fit come first, by seconds per step, those of the stack's `usual_recompute` before others. Where none
    fits, those that take little more than the smallest stand in their place.
    """
    n = len(setting.layouts)
    seconds, used_bytes = np.empty(n), np.empty(n)
    for block, total_bytes in zip(setting.layouts.blocks, setting.used_bytes, strict=True):
        pause()
        seconds[block.rows] = block.of_layouts(step_time(setting.case, block.layouts, constants).total_s)
        used_bytes[block.rows] = block.of_layouts(total_bytes)
    fits = used_bytes <= setting.usable_bytes
    told = used_bytes <= setting.told_bytes
    first = setting.layouts.knob("recompute") >= usual_recompute(setting)
    order = np.concatenate(
        [_best(told & first, seconds), _best(told & ~first, seconds), _best(~told, used_bytes)],
    )
    return Choice(order=order, seconds=seconds, memory_bytes=used_bytes, fits=fits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fastest:
    """The layout that a question is answered with, where it fits."""

    setting: Setting
    row: int
    """Its place among the layouts of `setting`."""
    step_s: float
    """Physical, before any correction."""

    @property
    def token_s(self) -> float:
        """Physical seconds per token, all devices together."""
        return self.step_s / (self.setting.global_batch * self.setting.question.sequence_length)

    @property
    def micro_batch(self) -> int:
        """Sequences of a micro-batch."""
        return int(self.setting.layouts.taken(np.array([self.row])).micro_batch[0])


def fastest(question: Question, constants: Constants, *, raised: int = 1) -> Fastest | None:
    """Return the layout that `question` is answered with; None where no layout divides or fits."""
    try:
        setting = setting_of(question, raised=raised)
    except InfeasibleError:
        return None
    priced = ranked_layouts(setting, constants)
    row = int(priced.order[0])
    return Fastest(setting=setting, row=row, step_s=float(priced.seconds[row])) if priced.fits[row] else None


def usual_recompute(setting: Setting) -> int:
    """Return the least activation recomputation that is preferred while it fits, as an index into RECOMPUTES.

    It is what the users of the trainer that was named run, else those of the stack. More is preferred as well, where it
    pays: else a device with more memory would make a slower layout the usual one.
    """
    question = setting.question
    sharded = question.fine_tunes and question.cluster.n_gpus > 1
    prepared = is_prepared_by_peft(question.transformer, question.method.name, question.practice)
    usual = question.practice.usual_recompute or recompute_habit(
        setting.stack, question.released, prepared=prepared, tunes_sharded=sharded
    )
    if usual is None or question.layout.recompute is not None:
        return 0
    return RECOMPUTES.index(usual)


def _best(which: NDArray[np.bool_], key: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the indices of `which` by `key`: at least the first `_RANKED`, ties in the order of the layouts."""
    places = np.flatnonzero(which)
    values = key[places]
    if len(places) > _RANKED:
        near = values <= np.partition(values, _RANKED)[_RANKED]
        places, values = places[near], values[near]
    return places[np.argsort(values, kind="stable")]


def contenders(setting: Setting) -> NDArray[np.intp]:
    """Return the layouts of which the fastest is the first of `ranked_layouts`; nothing is timed.

    Of layouts that differ in recomputation alone, the one that recomputes least is the fastest: the others are left
    out.
    """
    blocks, told_bytes = setting.layouts.blocks, setting.told_bytes

    def told(least: int) -> NDArray[np.intp]:
        found: list[NDArray[np.intp]] = []
        for block, within in zip(blocks, setting.within(told_bytes), strict=True):
            kept = least_recomputing(within & (block.layouts.recompute >= least))
            found.append(block.rows.start + np.flatnonzero(kept[block.legal]))
        return np.concatenate(found)

    rows = told(usual_recompute(setting))
    return rows if len(rows) else told(0)
