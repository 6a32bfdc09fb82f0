"""One-at-a-time sensitivity to the inputs left unsaid: the share of the range that stating each removes."""

import math

import numpy as np

from estimator.evidence.uncertainty import Interval
from estimator.physics.choice import Choice, Setting
from estimator.physics.layout import RECOMPUTES
from estimator.question.question import Narrowing

__all__ = ["narrowings"]

_FRAMEWORK_SPREAD = 0.25
"""Spread over stacks of one tier and the next, log time (left-out rows: tuned against untuned)."""
_BATCH_SPREAD = 0.05
"""Spread over usual batches, log time: how often gradients are reduced, and the bubble."""
_LEAST = 0.005
"""Narrowing, as a share of the log width, below which an input is not listed."""


def narrowings(setting: Setting, choice: Choice, span: Interval) -> tuple[Narrowing, ...]:
    """Return the unsaid inputs and the share of the log width that stating each removes, largest first.

        1 − sqrt(1 − (d/w)²)      d: log time between the input's usual values, w: log width of the range

    Holds as far as the input is an independent part of the error, so that variances add.
    """
    width = math.log(span.high / span.low)
    request = setting.question.layout
    moves: list[tuple[str, float, str]] = []
    if setting.question.framework == "auto":
        moves.append(("framework", _FRAMEWORK_SPREAD, "stacks differ in how well they are tuned"))
    if request.recompute is None:
        why = "running the forward pass again costs up to a third"
        moves.append(("activation_recompute", _spread(setting, choice, "recompute"), why))
    if request.micro_batch_size is None:
        why = "small micro-batches leave the device idle"
        moves.append(("micro_batch_size", _spread(setting, choice, "micro_batch"), why))
    if request.tensor_parallel is None and setting.question.cluster.n_gpus > 1 and setting.stack.model_parallel:
        moves.append(("tensor_parallel", _spread(setting, choice, "tensor"), "its communication is in every layer"))
    if request.pipeline_parallel is None and setting.question.cluster.n_gpus > 1 and setting.stack.model_parallel:
        moves.append(("pipeline_parallel", _spread(setting, choice, "pipeline"), "its bubble leaves devices idle"))
    if setting.question.global_batch_sequences is None:
        moves.append(("global_batch_sequences", _BATCH_SPREAD, "it sets how often gradients are exchanged"))
    out: list[Narrowing] = []
    for name, move, why in moves:
        share = min(0.95, move / width) if width else 0.0
        narrows = 1.0 - math.sqrt(1.0 - share * share)
        if narrows > _LEAST:
            out.append(Narrowing(argument=name, narrows_by=round(narrows, 3), why=why))
    speed = Narrowing(
        argument="observed_tokens_per_second",
        narrows_by=round(max(0.0, 1.0 - 0.1 / width), 3) if width else 0.0,
        why="one measured step replaces the prediction",
    )
    return (speed, *sorted(out, key=lambda n: -n.narrows_by))


def _spread(setting: Setting, choice: Choice, knob: str) -> float:
    """Return log time between the best fitting layouts of the knob's three best values, at most 0.5."""
    fits = choice.fits
    values, seconds = setting.layouts.knob(knob)[fits], choice.seconds[fits]
    best: list[float] = []
    while len(values):
        others = values != values[0]
        best.append(float(np.min(seconds[~others])))
        values, seconds = values[others], seconds[others]
    if len(best) <= 1:
        return 0.0
    near = sorted(best)[: max(2, len(RECOMPUTES))]
    return min(0.5, math.log(near[-1] / near[0]))
