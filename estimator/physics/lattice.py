"""Legal layouts as a masked product of parallelism degrees and other knobs, priced by broadcasting.

A matmul's time is the same for every pipeline, ZeRO stage and recomputation, so pricing layout by layout does the same
work dozens of times. Here each knob is an array along an axis of its own, so each term of a formula is only as large
as the product of the knobs it depends on.
"""

import math
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from estimator.physics.layout import Floats, Layouts
from estimator.question.question import Layout

__all__ = ["Block", "Lattice", "Space", "least_recomputing", "legal_layouts"]

_BLOCK_CELLS = 12_288
"""Cells of a block: one array of them is 96 kB, so that a formula's operands stay in a core's second-level cache."""


_ZERO_3 = 3
_KNOBS = tuple(field.name for field in fields(Layouts))
_CHOSEN = ("tensor", "pipeline", "virtual", "context", "expert", "shard_stage", "micro_batch", "recompute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The values that each knob may take, before divisibility is checked."""

    tensor: tuple[int, ...]
    pipeline: tuple[int, ...]
    virtual: tuple[int, ...]
    context: tuple[int, ...]
    expert: tuple[int, ...]
    shard_stage: tuple[int, ...]
    micro_batch: tuple[int, ...]
    recompute: tuple[int, ...]
    end_layers: int
    """Layers that embedding and logits count as when virtual stages are balanced; 0 where they count as none."""
    spreads_under_zero3: bool
    """Whether experts may be spread under ZeRO-3."""
    whole_stages: bool
    """Whether ZeRO-2 and 3 exclude pipeline stages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Layouts whose arrays stay in cache: the legal cells of an array, numbered along it.

    Axes: splits, recomputation, ZeRO stage, micro-batch, splits; one of the two kinds of splits is over tensor,
    context and experts, the other over pipeline and virtual stages, and the longer one is last, where loops are fast.
    """

    rows: slice
    """Which layouts of the lattice it holds."""
    layouts: Layouts
    """Knobs that broadcast to the shape of `legal`; nonsense where that is False."""
    legal: NDArray[np.bool_]
    cells: NDArray[np.intp]
    """Flat places of the legal cells."""

    def of_layouts(self, values: Floats) -> Floats:
        """Return `values`, which broadcast to the cells, at the legal ones, shape (number of `rows`,)."""
        return np.broadcast_to(values, self.legal.shape)[self.legal]

    def knobs(self, rows: NDArray[np.intp]) -> dict[str, Floats]:
        """Return the knobs of the layouts at `rows` of the block, by name."""
        places = np.unravel_index(self.cells[rows], self.legal.shape)

        def at(values: Floats) -> Floats:
            if values.size == 1:
                return np.full(len(rows), values.item())
            # Along axes of length 1 the knob does not vary.
            own = tuple(place if size > 1 else 0 for place, size in zip(places, values.shape, strict=True))
            taken: Floats = values[own]
            return taken

        return {name: at(getattr(self.layouts, name)) for name in _KNOBS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """L layouts, in blocks that differ in tensor, context and expert degrees."""

    blocks: tuple[Block, ...]

    def __len__(self) -> int:
        """Return L."""
        return self.blocks[-1].rows.stop if self.blocks else 0

    def row(self, index: int) -> Layout:
        """Return one layout."""
        return self.taken(np.array([index])).row(0)

    def taken(self, rows: NDArray[np.intp]) -> Layouts:
        """Return the layouts at `rows`, in that order."""
        if len(self.blocks) == 1:
            return Layouts(**self.blocks[0].knobs(rows))
        columns = {name: np.empty(len(rows)) for name in _KNOBS}
        for block in self.blocks:
            here = np.flatnonzero((rows >= block.rows.start) & (rows < block.rows.stop))
            if len(here):
                for name, values in block.knobs(rows[here] - block.rows.start).items():
                    columns[name][here] = values
        return Layouts(**columns)

    def knob(self, name: str) -> Floats:
        """Return one knob of all layouts, shape (L,)."""
        return np.concatenate([block.of_layouts(getattr(block.layouts, name)) for block in self.blocks])


def legal_layouts(
    choices: Space, *, n_layers: int, n_gpus: int, global_batch: int, shard_group: int | None = None
) -> Lattice:
    """Return every layout of `choices` whose degrees divide devices, experts and batch; L may be 0.

        data = n_gpus / (tensor · pipeline · context)      micro-batches = global batch / (data · micro-batch)

    Sharded states are spread over `shard_group` ranks (hybrid sharding), or over all data-parallel ones. Interleaving
    needs virtual stages that divide the layers, and micro-batches that the pipeline degree divides (Narayanan et al.
    2021, section 2.2).
    """
    sizes = (len(getattr(choices, knob)) for knob in _CHOSEN)
    make = _kept if math.prod(sizes) <= _BLOCK_CELLS else _legal
    return make(choices, n_layers, n_gpus, global_batch, shard_group)


def _legal(choices: Space, n_layers: int, n_gpus: int, global_batch: int, shard_group: int | None) -> Lattice:
    inner = _inner_splits(choices, n_gpus)
    outer = _outer_splits(choices, n_layers)
    apart = len(outer[0]) * len(choices.recompute) * len(choices.shard_stage) * len(choices.micro_batch)
    # Cut where matmuls differ anyhow, so that none is timed twice.
    step = max(1, _BLOCK_CELLS // max(apart, 1))
    blocks: list[Block] = []
    start = 0
    for first in range(0, len(inner[0]), step):
        part = tuple(knob[first : first + step] for knob in inner)
        layouts, legal = _cells(choices, part, outer, n_gpus, global_batch)
        if shard_group is not None:
            layouts = replace(layouts, shard_group=np.minimum(layouts.shard_group, float(shard_group)))
        cells = np.flatnonzero(legal)
        if len(cells):
            rows = slice(start, start + len(cells))
            blocks.append(Block(rows=rows, layouts=layouts, legal=legal, cells=cells))
            start = rows.stop
    return Lattice(blocks=tuple(blocks))


_kept = lru_cache(maxsize=64)(_legal)
"""Small lattices, a few megabytes in all: one question is asked in many ways that have the same layouts."""


def least_recomputing(kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the `kept` cells of a block that recompute least among those equal in all other knobs."""
    least = kept.copy()
    for more in range(1, kept.shape[1]):
        least[:, more] &= ~kept[:, :more].any(axis=1)
    return least


def _cells(
    choices: Space, inner: tuple[Floats, ...], outer: tuple[Floats, ...], n_gpus: int, global_batch: int
) -> tuple[Layouts, NDArray[np.bool_]]:
    """Return the product of `inner` and `outer` splits and all other knobs, and which cells of it are legal."""
    last_is_inner = len(inner[0]) >= len(outer[0])
    tensor, context, expert = (_along(knob, -1 if last_is_inner else 0) for knob in inner)
    pipeline, virtual = (_along(knob, 0 if last_is_inner else -1) for knob in outer)
    recompute, stage, micro = (
        _along(_column(values), axis)
        for axis, values in ((1, choices.recompute), (2, choices.shard_stage), (3, choices.micro_batch))
    )
    data = n_gpus / (tensor * pipeline * context)
    legal = (data == np.floor(data)) & (np.mod(n_gpus // pipeline, expert) == 0) & (np.mod(global_batch, data) == 0)
    # What does not divide is masked; its cells should not be zero or infinite.
    data = np.where(legal, data, 1.0)
    count = global_batch / (data * micro)
    legal = legal & (count >= 1) & (count == np.floor(count))
    if len(choices.virtual) > 1:
        legal &= (virtual == 1) | (np.mod(count, pipeline) == 0)
    if choices.whole_stages:
        legal = legal & ((stage <= 1) | (pipeline == 1))
    if len(choices.shard_stage) > 1:
        legal = legal & ((stage == 0) | (data > 1))
    if not choices.spreads_under_zero3:
        legal = legal & ((stage < _ZERO_3) | (expert == 1))
    layouts = Layouts(
        tensor=tensor,
        pipeline=pipeline,
        virtual=virtual,
        context=context,
        expert=expert,
        data=data,
        shard_stage=stage,
        shard_group=data * context,
        micro_batch=micro,
        micro_batches=count,
        recompute=recompute,
    )
    return layouts, np.repeat(legal, len(choices.recompute), axis=1)


def _inner_splits(choices: Space, n_gpus: int) -> tuple[Floats, Floats, Floats]:
    """Return the tensor, context and expert degrees that go together, shape (A,)."""
    tensor, context, expert = _product(choices.tensor, choices.context, choices.expert)
    kept = np.mod(n_gpus, tensor * context) == 0
    return tensor[kept], context[kept], expert[kept]


def _outer_splits(choices: Space, n_layers: int) -> tuple[Floats, Floats]:
    """Return the pipeline degrees and virtual stages that go together, shape (C,)."""
    pipeline, virtual = _product(choices.pipeline, choices.virtual)
    kept = (virtual == 1) | (pipeline > 1)
    if len(choices.virtual) > 1:
        # One that a caller states is run, so it divides however its users see to that.
        chunks = pipeline * virtual
        kept &= (virtual == 1) | (np.mod(n_layers, chunks) == 0) | (np.mod(n_layers + choices.end_layers, chunks) == 0)
    return pipeline[kept], virtual[kept]


@lru_cache(maxsize=256)
def _product(*knobs: tuple[int, ...]) -> tuple[Floats, ...]:
    return tuple(knob.ravel() for knob in np.meshgrid(*map(_column, knobs), indexing="ij"))


def _column(values: tuple[int, ...]) -> Floats:
    return np.array(values, dtype=np.float64)


def _along(values: Floats, axis: int) -> Floats:
    shape = [1] * 5
    shape[axis] = len(values)
    return values.reshape(shape)
