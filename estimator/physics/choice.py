"""From a question to its priced layouts: the one path that answers, calibration and backtest share."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimator.base.errors import InfeasibleError
from estimator.models.workload import workload
from estimator.physics.case import Case, case
from estimator.physics.constants import Constants
from estimator.physics.effects import release
from estimator.physics.lattice import Lattice, Space, lattice, least_recomputing
from estimator.physics.layout import RECOMPUTES
from estimator.physics.memory import USABLE_SHARE, memory
from estimator.physics.space import space
from estimator.physics.stacks import Stack, auto_stack, stack
from estimator.physics.step import step_time
from estimator.question.question import LayoutRequest, Question

__all__ = ["Choice", "Setting", "choice", "contenders", "global_batch_sequences", "setting", "usual_recompute"]

_RANKED = 1024
"""Layouts that are put in order: no answer shows more, and sorting all would take as long as pricing them."""
_SMALL_CLUSTER = 8
_TOKENS_PER_STEP = ((1e9, 0.5e6), (4e9, 1e6), (3e10, 4e6), (2e11, 8e6), (6e11, 16e6), (float("inf"), 60e6))
"""Usual tokens a step by parameters (Brown et al. 2020, table 2.1; Touvron et al. 2023; Grattafiori et al. 2024;
DeepSeek-AI 2024)."""
_GRADIENT_BYTES = 2.0
_ACCUMULATED_GRADIENT_BYTES = 4.0
"""Megatron and what grew out of it accumulate gradients in FP32 (Narayanan et al. 2021), NVIDIA's recipes since 2024 in
BF16. Elsewhere a gradient is held as its weight is: with 12 bytes of optimizer that makes PyTorch's 16 a parameter,
whether weights are in FP32 or in BF16 with a copy."""
_HOST_ACTIVATIONS = 0.5
"""NVIDIA's recipes for GB200 and GB300 offload 20 to 40 of Llama-3's 80 layers to Grace's memory (Megatron-Bridge,
cpu_offloading_num_layers)."""
_LAST_FLASH_2_YEAR = 2023
"""After it NVIDIA's own stacks had attention kernels for Hopper (cuDNN 9; FlashAttention 3: Shah et al. 2024)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A question with its stack, its numbers, and all layouts it allows."""

    question: Question
    stack: Stack
    case: Case
    layouts: Lattice
    global_batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The priced layouts of a setting, best first."""

    order: NDArray[np.intp]
    """The best layouts by time, those that fit before those that do not; of each kind as many as anyone looks at."""
    seconds: NDArray[np.float64]
    memory_bytes: NDArray[np.float64]
    fits: NDArray[np.bool_]


def global_batch_sequences(question: Question) -> int:
    """Return the batch of a step: as given, or a usual one for the size of model and cluster.

    A few GPUs train with a few sequences each; large clusters with the tokens a step that models of the size use,
    rounded so that every device gets as many. Stacks that split no model give every device a sequence at least.
    """
    if question.global_batch_sequences is not None:
        return question.global_batch_sequences
    n = question.cluster.n_gpus
    micro = question.layout.micro_batch_size or 1
    size = _parameters(question)
    usual = next(tokens for limit, tokens in _TOKENS_PER_STEP if size <= limit) / question.sequence_length
    if n <= _SMALL_CLUSTER:
        usual = min(usual, 16.0 * n)
    unit = n * micro
    if usual >= unit or not _stack(question).model_parallel:
        return max(1, round(usual / unit)) * unit
    return max(micro, _power_of_two_share(unit, usual))


def _stack(question: Question) -> Stack:
    if question.framework != "auto":
        return stack(question.framework)
    return auto_stack(question.cluster.accelerator, question.cluster.n_gpus)


def _power_of_two_share(whole: int, target: float) -> int:
    share = whole
    while share % 2 == 0 and share / 2 >= target:
        share //= 2
    return share


def _parameters(question: Question) -> float:
    return float(workload(question.transformer).parameters)


def setting(question: Question, *, shard_group: int | None = None, packed_short: bool = False) -> Setting:
    """Return `question` with every layout its stack allows.

    Raises InfeasibleError where no layout divides devices, layers and batch.
    """
    cluster = question.cluster
    used = _stack(question)
    released = release(question)
    year = int(released)
    numbers = case(
        question.transformer,
        cluster,
        question.precision,
        question.method,
        question.sequence_length,
        unfused=year < used.fused_attention_since or (question.transformer.sinks and released < used.fused_sinks_since),
        packed_short=packed_short,
        flash_2=used.tier != "tuned" or year <= _LAST_FLASH_2_YEAR,
        gradient_bytes=_gradient_bytes(used, year),
        offloads=used.offloads,
        host_activations=_HOST_ACTIVATIONS
        if used.tier == "tuned" and cluster.accelerator.host_link_bytes_per_s
        else 0.0,
        fused_experts=released >= used.fused_experts_since,
        hides_tensor_parallel=year >= used.hides_tensor_parallel_since,
        untuned=used.tier == "untuned",
        sequence_parallel=_sequence_parallel(question, used, year),
    )
    batch = global_batch_sequences(question)
    request = _with_defaults(question.layout, used)
    free = space(
        question.transformer,
        n_gpus=cluster.n_gpus,
        domain=int(numbers.scale_up_domain),
        sequence_length=question.sequence_length,
        request=request,
        stack=used,
    )
    layouts = lattice(
        free,
        n_layers=question.transformer.n_layers,
        n_gpus=cluster.n_gpus,
        global_batch=batch,
        shard_group=shard_group,
    )
    if not len(layouts):
        raise InfeasibleError(_why_none(question, free, batch))
    return Setting(question=question, stack=used, case=numbers, layouts=layouts, global_batch=batch)


def _with_defaults(request: LayoutRequest, used: Stack) -> LayoutRequest:
    """Return `request`; whoever says how the model is split and not the context, has not split the context."""
    if request.tensor_parallel is not None and request.context_parallel is None and used.model_parallel:
        return replace(request, context_parallel=1)
    return request


def _gradient_bytes(used: Stack, year: int) -> float:
    """Return bytes of a gradient that is accumulated unsharded."""
    accumulates = used.model_parallel and not (used.tier == "tuned" and year > _LAST_FLASH_2_YEAR)
    return _ACCUMULATED_GRADIENT_BYTES if accumulates else _GRADIENT_BYTES


def _sequence_parallel(question: Question, used: Stack, year: int) -> bool:
    """Return whether tensor parallelism splits the residual stream too; it came with selective recomputation."""
    if used.name == "megatron-deepspeed":
        return False
    since = used.sequence_parallel_since
    return year >= since or (year == since - 1 and question.layout.recompute == "selective")


def _why_none(question: Question, free: Space, batch: int) -> str:
    n = question.cluster.n_gpus
    return (
        f"no layout splits {n:,} GPUs and a batch of {batch:,} sequences as asked: the data-parallel degree "
        f"(GPUs over tensor, pipeline and context degrees) times the micro-batch must divide the batch; "
        f"a multiple of {n * min(free.micro_batch):,} sequences would do"
    )


def choice(of: Setting, constants: Constants) -> Choice:
    """Return the setting's layouts priced, shape (L,), block by block.

    Layouts that fit come first, by seconds per step, those of the stack's `usual_recompute` before others. Where none
    fits, the smallest comes first.
    """
    n = len(of.layouts)
    seconds, used_bytes = np.empty(n), np.empty(n)
    for block in of.layouts.blocks:
        seconds[block.rows] = block.of_layouts(step_time(of.case, block.layouts, constants).total_s)
        used_bytes[block.rows] = block.of_layouts(memory(of.case, block.layouts).total_bytes)
    fits = used_bytes <= USABLE_SHARE * of.question.cluster.accelerator.memory_bytes
    first = of.layouts.knob("recompute") >= usual_recompute(of)
    order = np.concatenate(
        [_best(fits & first, seconds), _best(fits & ~first, seconds), _best(~fits, used_bytes)],
    )
    return Choice(order=order, seconds=seconds, memory_bytes=used_bytes, fits=fits)


def usual_recompute(of: Setting) -> int:
    """Return the least recomputation, an index into RECOMPUTES, of what is preferred while it fits.

    It is what the stack's users run. More is preferred as well, where it pays: else a device with more memory would
    make a slower layout the usual one.
    """
    if of.stack.recompute is None or of.question.layout.recompute is not None:
        return 0
    return RECOMPUTES.index(of.stack.recompute)


def _best(which: NDArray[np.bool_], key: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the first places of `which` by `key`; equal ones in the order of the layouts."""
    places = np.flatnonzero(which)
    values = key[places]
    if len(places) > _RANKED:
        near = values <= np.partition(values, _RANKED)[_RANKED]
        places, values = places[near], values[near]
    return places[np.argsort(values, kind="stable")]


def contenders(setting: Setting) -> tuple[NDArray[np.intp], bool]:
    """Return the layouts of which the fastest is the first of `choice`, and whether they fit; nothing is timed.

    Of layouts that differ in recomputation alone, the one that recomputes least is the fastest: the others are left
    out. Where none fits it is the smallest alone.
    """
    capacity_bytes = USABLE_SHARE * setting.question.cluster.accelerator.memory_bytes
    blocks = setting.layouts.blocks
    totals = [np.broadcast_to(memory(setting.case, block.layouts).total_bytes, block.legal.shape) for block in blocks]
    for least in (usual_recompute(setting), 0):
        fitting: list[NDArray[np.intp]] = []
        for block, total_bytes in zip(blocks, totals, strict=True):
            fits = block.legal & (total_bytes <= capacity_bytes) & (block.layouts.recompute >= least)
            fitting.append(block.rows.start + np.flatnonzero(least_recomputing(fits)[block.legal]))
        rows = np.concatenate(fitting)
        if len(rows):
            return rows, True
    smallest = np.concatenate([total[block.legal] for block, total in zip(blocks, totals, strict=True)])
    return np.array([np.argmin(smallest)]), False
