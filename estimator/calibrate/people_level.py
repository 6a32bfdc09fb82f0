"""How much longer people's own small steps take than published ones: a random-effects mean over sources of threads."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from estimator.calibrate.people import Answered, answered_threads
from estimator.evidence.calibration import Calibration, standing_in
from estimator.physics.constants import PRIORS, Constants

__all__ = ["PEOPLE_SLOWNESS", "Miss", "misses", "people_slowness", "with_slowness"]

PEOPLE_SLOWNESS = "people_slowness"
_CENTRAL = 3.29
"""Standard deviations between the ends of a normal distribution's central 90 %: 2 · 1.645."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """By what the answer to one thread is off, were people's steps as long as published ones."""

    source: str
    log: float
    """Of measured over predicted time."""
    smallness: float
    """Of the log of the constant, what the answer holds."""
    variance: float
    """Of the log time, by the answer's own range on the side of the miss: where one thing unsaid may make a step many
    times longer, one that took longer tells little of a level."""


def with_slowness(calibration: Calibration, slowness: float) -> Calibration:
    """Return `calibration` with that in the place of its `people_slowness`."""
    return replace(calibration, constants=Constants({**calibration.constants, PEOPLE_SLOWNESS: slowness}))


def misses(calibration: Calibration) -> tuple[Miss, ...]:
    """Return by what the answer to every thread that the constant moves is off, all else as in `calibration`.

    Less the threads whose answer it moves by more than itself: what it decides there is which of several ways that
    nobody told is taken, a network or a layout, and their miss is of that.
    """
    usual = PRIORS[PEOPLE_SLOWNESS].mode
    plain, slower = (_answers(with_slowness(calibration, slowness)) for slowness in (1.0, usual))
    found: list[Miss] = []
    for name in plain.keys() & slower.keys():
        answer = plain[name]
        smallness = math.log(slower[name].factor / answer.factor) / math.log(usual)
        if 0.0 < smallness <= 1.0:
            variance = (2.0 * answer.reach_log / _CENTRAL) ** 2
            found.append(
                Miss(source=answer.source, log=-math.log(answer.factor), smallness=smallness, variance=variance)
            )
    return tuple(found)


def _answers(calibration: Calibration) -> dict[str, Answered]:
    with standing_in(calibration):
        return {answer.thread.id: answer for answer in answered_threads()}


def people_slowness(found: Collection[Miss], *, without: Collection[str] = ()) -> float:
    """Return the constant that fits what was found best, some sources left out.

        y = log / smallness,   Σ (w y + prior mean / prior²) / (Σ w + 1 / prior²),   w = 1 / (v + τ²)

    τ²: variance between sources, by the method of moments. A source of several threads counts as one. Source:
    DerSimonian and Laird 1986.
    """
    prior = PRIORS[PEOPLE_SLOWNESS]
    mean, spread = math.log(prior.mode), math.log(prior.high / prior.low) / _CENTRAL
    by_source: dict[str, list[Miss]] = {}
    for miss in found:
        if miss.source not in without:
            by_source.setdefault(miss.source, []).append(miss)
    if not by_source:
        return prior.mode
    share = np.array([np.mean([miss.smallness for miss in by_source[name]]) for name in sorted(by_source)])
    level = np.array([np.mean([miss.log for miss in by_source[name]]) for name in sorted(by_source)]) / share
    variance = np.array([np.mean([miss.variance for miss in by_source[name]]) for name in sorted(by_source)]) / share**2
    weights = 1.0 / variance
    excess = float(weights @ (level - weights @ level / weights.sum()) ** 2) - (len(level) - 1)
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    weights = 1.0 / (variance + (max(0.0, excess / scale) if scale > 0.0 else 0.0))
    return math.exp(float((weights @ level + mean / spread**2) / (weights.sum() + spread**-2)))
