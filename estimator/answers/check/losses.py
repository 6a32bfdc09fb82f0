"""Losses that a Trainer prints beside its bar, which names nothing itself: the bar is training's."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from estimator.answers.check.log_point import BAR, LogPoint

__all__ = ["is_loss", "named_by_losses"]

_LOSS = re.compile(r"['\"](?:train_)?loss['\"]\s?:")
"""In the dicts of a Trainer, of a step and of the run; evaluation's is `eval_loss`."""


def is_loss(line: str) -> bool:
    """Return whether `line` tells a loss of training as a Trainer does."""
    return "loss" in line and _LOSS.search(line) is not None


def named_by_losses(points: Sequence[LogPoint], losses: Sequence[int]) -> list[LogPoint]:
    """Return points with each bar without a name known as training's where a loss was printed beside it.

    `losses` are the places among the points at which one was: the bar stands before it, or behind the first of all.
    """
    out = list(points)
    bars = [index for index, point in enumerate(out) if point.rank == BAR]
    for place in losses if bars else ():
        beside = bars[max(bisect_left(bars, place) - 1, 0)]
        if out[beside].training is None:
            out[beside] = replace(out[beside], training=True)
    return out
