"""The level of people's own small steps over published ones: a random-effects mean over the sources of threads."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from estimator.calibrate.people import Answered, answered_threads
from estimator.evidence.calibration import Calibration, standing_in

__all__ = ["AS_PUBLISHED", "answers_as_published", "people_level"]

AS_PUBLISHED: Mapping[str, float] = {"level": 0.0, "spread": 0.0}
"""As if people's runs were like published ones."""
_PRIOR_SPREAD = 0.5
"""Prior standard deviation of the level about none, log time."""
_CENTRAL = 3.29
"""Standard deviations between the ends of a normal distribution's central 90 %: 2 · 1.645."""
_DIGITS = 4


def answers_as_published(calibration: Calibration) -> tuple[Answered, ...]:
    """Return every thread's answer with `calibration`, but without a level of people's: what that is fitted to."""
    with standing_in(replace(calibration, people=AS_PUBLISHED)):
        return answered_threads()


def people_level(answers: Sequence[Answered], *, without: Collection[str] = ()) -> dict[str, float]:
    """Return the level and the spread between sources, log time, of answers that hold neither; some sources left out.

        y = log(measured / predicted) / smallness,   level = Σ w y / (Σ w + 1/prior²),   w = 1 / (v + τ²)

    v: variance of an answer by its own range; τ²: between sources, by the method of moments. A source of several
    threads counts as one. Source: DerSimonian and Laird 1986.
    """
    by_source: dict[str, list[Answered]] = {}
    for answer in answers:
        if answer.smallness > 0.0 and answer.source not in without:
            by_source.setdefault(answer.source, []).append(answer)
    if not by_source:
        return dict(AS_PUBLISHED)
    share = np.array([np.mean([one.smallness for one in members]) for members in by_source.values()])
    missed = np.array([np.mean([-math.log(one.factor) for one in members]) for members in by_source.values()])
    variance = np.array([np.mean([_variance(one) for one in members]) for members in by_source.values()])
    level, variance = missed / share, variance / share**2
    weights = 1.0 / variance
    excess = float(weights @ (level - weights @ level / weights.sum()) ** 2) - (len(level) - 1)
    scale = float(weights.sum() - (weights**2).sum() / weights.sum())
    between = max(0.0, excess / scale) if scale > 0.0 else 0.0
    weights = 1.0 / (variance + between)
    return {
        "level": round(float(weights @ level / (weights.sum() + _PRIOR_SPREAD**-2)), _DIGITS),
        "spread": round(math.sqrt(between), _DIGITS),
    }


def _variance(answer: Answered) -> float:
    return (math.log(answer.width) / _CENTRAL) ** 2
