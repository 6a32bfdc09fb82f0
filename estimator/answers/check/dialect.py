"""One row of the table of dialects: what a kind of line is spelled like, and what its numbers mean.

A field's text is the key as printed, its value following; after `~` it is a pattern, `{N}` for a number. Fields:
`s`, `ms`, `it_per_s` of an optimizer step, `data` of what it waits for data, `micro_…` of a micro-batch; `tps` of all
devices together, `gpu_tps` of one; `samples` and `gpu_samples`; `seen` tokens since the start, `step_tokens` of one
step; `tflops` of one device; `percent` and `share` its utilization; `clock` since the start and `left` to the end;
`passed` passes over the data since then, in parts of one; `epoch` the one whose steps `step` counts, the number of all
behind it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from estimator.answers.check.log_point import OWN

__all__ = ["Dialect", "row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One kind of line."""

    name: str
    keys: tuple[str, ...]
    """Text of which such a line has at least one."""
    needs: tuple[str, ...]
    """Fields without which it is not one; `|` between those of which one will do."""
    rank: int
    counts_micro: bool
    """Whether its steps are micro-batches, by the trainer's source."""
    stamped: bool
    """Whether the time of day that it is printed at is all it tells of time."""
    first_epoch: float | None
    """What it counts its first epoch as, where no number beside it tells."""
    guessed: bool
    """Whether the names are everybody's: what speaks of evaluation or generation beside them is passed over."""
    fields: Mapping[str, tuple[str, ...]]


def row(
    name: str,
    keys: str | tuple[str, ...],
    needs: str,
    *,
    rank: int = OWN,
    counts_micro: bool = False,
    stamped: bool = False,
    guessed: bool = False,
    first_epoch: float | None = None,
    **fields: str | tuple[str, ...],
) -> Dialect:
    """Return a row: keys and fields as texts, or as tuples of several spellings."""
    return Dialect(
        name=name,
        keys=(keys,) if isinstance(keys, str) else keys,
        needs=tuple(needs.split()),
        rank=rank,
        counts_micro=counts_micro,
        stamped=stamped,
        guessed=guessed,
        first_epoch=first_epoch,
        fields={field: (text,) if isinstance(text, str) else text for field, text in fields.items()},
    )
