"""Which ways to lay out a step a release had, and what its users did before there was a choice."""

from estimator.models.training import Recompute
from estimator.physics.stacks import XLA, Stack

__all__ = ["SELECTIVE_SINCE", "has_selective", "interleaves", "recompute_habit"]

SELECTIVE_SINCE = 2022.35
"""Release from which on a part of a layer's activations can be run again alone (Korthikanti et al. 2022, May). Before,
a layer was run again as a whole or not at all."""
_INTERLEAVED_SINCE = 2021.25
"""Release from which on a pipeline stage may have several chunks of layers (Narayanan et al. 2021, April)."""
_RAN_ALL_AGAIN = frozenset({"megatron", "megatron-deepspeed"})
"""Stacks, or their kin, whose examples of pre-training have `--checkpoint-activations` until then; so had 25 of the 29
runs of 2021 that two labs published on them, all but short benchmarks of 1.3 billion parameters."""


def has_selective(stack: Stack, released: float | None) -> bool:
    """Return whether `stack`, at a release that was told, recomputes in part. XLA does what it is asked to keep."""
    return released is None or released >= SELECTIVE_SINCE or stack.kin in XLA or stack.recompute == "selective"


def interleaves(stack: Stack, released: float | None) -> bool:
    """Return whether `stack`, at a release that was told, has an interleaved pipeline schedule."""
    return stack.interleaves and (released is None or released >= _INTERLEAVED_SINCE)


def recompute_habit(
    stack: Stack, released: float | None, *, prepared: bool = False, tunes_sharded: bool = False
) -> Recompute | None:
    """Return what runs on `stack`, at a release that was told, do where they say nothing; None: the least that fits."""
    if released is not None and released < SELECTIVE_SINCE and stack.kin in _RAN_ALL_AGAIN:
        return "full"
    return stack.recompute_with(prepared=prepared, tunes_sharded=tunes_sharded)
