"""Layouts as a structure of arrays: one array per knob, all of shape (L,); a row is a Layout."""

from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from estimator.models.training import Recompute
from estimator.question.question import ZERO_STAGES, Layout

__all__ = ["RECOMPUTES", "Floats", "Layouts", "layouts_of", "where_sharded"]

Floats: TypeAlias = NDArray[np.float64]
RECOMPUTES: tuple[Recompute, ...] = ("none", "selective", "full")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layouts:
    """Parallelism degrees and other knobs of L layouts; whole numbers, held as the floats that they only ever meet."""

    tensor: Floats
    pipeline: Floats
    virtual: Floats
    context: Floats
    expert: Floats
    data: Floats
    shard_stage: Floats
    """ZeRO stage, 0 to 3: index into ZERO_STAGES."""
    shard_group: Floats
    """Ranks that sharded states are spread over: all data-parallel ranks, or fewer (hybrid sharding)."""
    micro_batch: Floats
    micro_batches: Floats
    recompute: Floats
    """Index into RECOMPUTES."""

    def __len__(self) -> int:
        """Return L."""
        return len(self.tensor)

    def row(self, index: int, sequences_each: int = 1) -> Layout:
        """Return one layout, of a batch whose trainers count `sequences_each` sequences as one."""
        return Layout(
            tensor_parallel=int(self.tensor[index]),
            pipeline_parallel=int(self.pipeline[index]),
            virtual_pipeline=int(self.virtual[index]),
            context_parallel=int(self.context[index]),
            expert_parallel=int(self.expert[index]),
            data_parallel=int(self.data[index]),
            data_sharding=ZERO_STAGES[int(self.shard_stage[index])],
            micro_batch_size=int(self.micro_batch[index]),
            micro_batches=int(self.micro_batches[index]),
            recompute=RECOMPUTES[int(self.recompute[index])],
            sequences_each=sequences_each,
        )

    def taken(self, rows: NDArray[np.intp]) -> "Layouts":
        """Return the layouts at `rows`, in that order."""
        return Layouts(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def where_sharded(lay: Layouts, share: Floats | float) -> Floats | float:
    """Return `share` where ZeRO-3 shards weights, 1 elsewhere, shape (L,); of 1 without making arrays."""
    if isinstance(share, float) and share == 1.0:
        return 1.0
    return np.where(lay.shard_stage >= ZERO_STAGES.index("zero3"), share, 1.0)


def layouts_of(*rows: Layout) -> Layouts:
    """Return `rows` as arrays; sharded states are spread over all data-parallel ranks."""

    def column(values: list[float]) -> Floats:
        return np.array(values, dtype=np.float64)

    return Layouts(
        tensor=column([row.tensor_parallel for row in rows]),
        pipeline=column([row.pipeline_parallel for row in rows]),
        virtual=column([row.virtual_pipeline for row in rows]),
        context=column([row.context_parallel for row in rows]),
        expert=column([row.expert_parallel for row in rows]),
        data=column([row.data_parallel for row in rows]),
        shard_stage=column([ZERO_STAGES.index(row.data_sharding) for row in rows]),
        shard_group=column([row.data_parallel * row.context_parallel for row in rows]),
        micro_batch=column([row.micro_batch_size for row in rows]),
        micro_batches=column([row.micro_batches for row in rows]),
        recompute=column([RECOMPUTES.index(row.recompute) for row in rows]),
    )
