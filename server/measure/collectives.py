"""What the GPUs of this machine tell one another: all-reduce and all-to-all, one process a GPU."""

import importlib
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from server.measure.budget import Budget, Quartiles, quartiles
from server.measure.work import Tell

__all__ = ["Rank", "all_reduce_factor", "all_to_all_factor", "measured_collectives"]

_BYTES = 256 << 20
"""Large enough that latency is no part of it, small beside any GPU's memory."""
_MOST_SAMPLES = 50
_JOIN_S = 60.0
_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """One of several processes, and where they meet."""

    rank: int
    ranks: int
    port: int


def all_reduce_factor(ranks: int) -> float:
    """Return bytes that each rank sends over those that are reduced, by a ring (Patarasuk and Yuan 2009, section 3)."""
    return 2.0 * (ranks - 1) / ranks


def all_to_all_factor(ranks: int) -> float:
    """Return bytes that each rank sends over those that it holds: its own part stays."""
    return (ranks - 1) / ranks


def measured_collectives(place: Rank, budget: Budget, tell: Tell, *, size_bytes: int = _BYTES) -> None:
    """Measure both among processes of which this is the one at `place`; the first one tells.

    All ranks take as many samples: the first one says when it is enough.
    """
    rank, ranks = place.rank, place.ranks
    torch: Any = importlib.import_module("torch")
    group: Any = importlib.import_module("torch.distributed")
    on_gpu = bool(torch.cuda.is_available())
    device = f"cuda:{rank}" if on_gpu else "cpu"
    if on_gpu:
        torch.cuda.set_device(rank)
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ["MASTER_PORT"] = str(place.port)
    group.init_process_group(
        "nccl" if on_gpu else "gloo", rank=rank, world_size=ranks, timeout=timedelta(seconds=_JOIN_S)
    )
    values = torch.ones(size_bytes // 4 // ranks * ranks, device=device)
    received = torch.empty_like(values)
    works: tuple[tuple[str, float, Callable[[], object]], ...] = (
        ("all_reduce_gb_s", all_reduce_factor(ranks), lambda: group.all_reduce(values)),
        ("all_to_all_gb_s", all_to_all_factor(ranks), lambda: group.all_to_all_single(received, values)),
    )
    enough = torch.zeros(1, device=device)
    for done, (name, factor, work) in enumerate(works):
        slice_s = budget.slice_s(_SHARE, _SHARE * (len(works) - done))
        began_s = budget.clock()
        taken: list[float] = []
        for sample in range(_MOST_SAMPLES + 1):
            group.barrier()
            start_s = budget.clock()
            work()
            if on_gpu:
                torch.cuda.synchronize()
            # The first one builds the rings.
            taken += [budget.clock() - start_s] if sample else []
            enough.fill_(float(budget.clock() - began_s >= slice_s and bool(taken)))
            group.broadcast(enough, 0)
            if enough.item():
                break
        if rank == 0 and taken:
            moved = factor * values.numel() * 4
            tell(name, asdict(_rate(quartiles(taken), moved)))
    group.destroy_process_group()


def _rate(seconds: Quartiles, moved_bytes: float) -> Quartiles:
    return seconds.map(lambda s: moved_bytes / s / 1e9)
