"""The batch that a log's steps tell: how often samples that were told go into them."""

import math
import re
from dataclasses import replace

from estimator.answers.check.logs import LogReading
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.run import Run

__all__ = ["as_inferred", "batch_of_steps"]

_BATCH = "global_batch_sequences"
_EPOCH = re.compile(r"'epoch': '?(\d+(?:\.\d+)?)")
"""Transformers' trainer logs how much of its data it has seen, in passes."""
_ROUNDED = 0.03
"""Share by which the last, smaller batch of each pass may make the steps more."""
_WHOLE = 0.1
"""How far passes that a log's rounded share of one tells may lie from whole ones."""
_FEWEST, _MOST = 0.5, 100_000.0
"""Samples of a step, between which it is one."""


def batch_of_steps(request: Request, reading: LogReading | None, log: str | None, run: Run) -> int | None:
    """Return the samples of a step by how many steps pass over those that were told; None where it was told otherwise.

    samples · passes / steps in all      a counter of one pass: samples / its steps
    """
    open_batch = request.global_batch_sequences is None and request.gradient_accumulation is None
    if reading is None or not open_batch or reading.counts_micro or reading.sequences_per_step is not None:
        return None
    each, total = run.amount.tokens_per_sample, reading.total_steps
    if request.samples is None or not each or not total:
        return None
    samples = run.amount.real_tokens / run.amount.epochs / each
    passes = 1.0 if reading.of_epoch else _passes(request, reading, log, run)
    return _likeliest(samples, passes, total)


def _passes(request: Request, reading: LogReading, log: str | None, run: Run) -> float:
    """Return the passes of the run: as told, by the share of one that a log has at a step, else one."""
    if request.epochs is not None or run.amount.epochs != 1.0:
        # Passes may be told beside the data as well: "alpaca x3".
        return run.amount.epochs
    seen = _EPOCH.findall(log or "")
    if not seen or not reading.steps_done or not reading.total_steps or not float(seen[-1]):
        return 1.0
    passes = float(seen[-1]) * reading.total_steps / reading.steps_done
    whole = max(1, round(passes))
    return float(whole) if abs(passes / whole - 1.0) <= _WHOLE else passes


def _likeliest(samples: float, passes: float, total: float) -> int | None:
    """Return the batch with most factors of two of those that make so many steps; None where it is no batch."""
    mean = samples * passes / total
    if not _FEWEST <= mean <= _MOST:
        return None
    near = range(max(1, math.floor(mean)), max(1, math.ceil(mean * (1.0 + _ROUNDED))) + 1)
    makes = [one for one in near if abs(math.ceil(samples / one) * passes - total) <= max(1.0, passes)]
    return max(makes or [max(1, round(mean))], key=lambda one: (one & -one, -abs(one - mean)))


def as_inferred(assumptions: tuple[Assumption, ...]) -> tuple[Assumption, ...]:
    """Return `assumptions` with the batch as what the log's steps say."""
    note = "samples that were told over the log's steps"
    return tuple(replace(one, source="inferred", note=note) if one.name == _BATCH else one for one in assumptions)
