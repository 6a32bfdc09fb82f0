"""Whether what ran fits and what ran out of memory does not, and how far published peaks and longest contexts are off.

No constant of the memory model is fitted; its widths are counted in source code and papers. Three of its priors were
set with some of these peaks in view, as they say: bytes of a logit by kernel, gradients of the layer at work, and what
selective recomputation keeps.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from estimator.base.errors import InfeasibleError
from estimator.base.units import GIBI
from estimator.calibrate.backtest import published_setting
from estimator.calibrate.benchmarks import entry
from estimator.catalogue import catalogue
from estimator.catalogue.calibration_shapes import TableRow
from estimator.catalogue.memory_observations import MemoryObservation
from estimator.physics.choice import ranked_layouts, setting_of
from estimator.physics.constants import Constants
from estimator.question.question import Question
from estimator.question.request import Request
from estimator.resolve.run import resolve

__all__ = ["Verdict", "longest_context_errors", "memory_tables", "peak_errors", "right_by_lab", "verdicts"]

_ADDRESSABLE = 0.99
"""Of a card's nominal GiB: what is left of them for processes."""
_SAME_CARD = 0.08
"""A stand-in this close to the card that a source names is left as it is."""
_LONGEST = 1 << 21
_NOTHING_FITTED = "nothing is fitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was said of one run's memory, and how that turned out."""

    id: str
    lab: str
    """Whose run it is; of what was published of memory alone, its source."""
    fits: bool
    ran: bool

    @property
    def right(self) -> bool:
        """Whether it fits as predicted."""
        return self.fits == self.ran


def memory_tables(judged: tuple[Verdict, ...], peaks: Mapping[str, float]) -> list[TableRow]:
    """Return the shares of wrong verdicts, rows and labs alike, and the errors of published peaks and contexts."""
    wrong = np.array([0.0 if one.right else 1.0 for one in judged])
    too_large = wrong[[not one.ran for one in judged]]
    wrong_by_lab = 1.0 - np.array([*right_by_lab(judged).values()])
    return [
        entry("what ran, or ran out of memory", "wrong verdicts", _NOTHING_FITTED, wrong),
        entry("the same, labs alike", "wrong verdicts", _NOTHING_FITTED, wrong_by_lab),
        entry("of it, what ran out of memory", "wrong verdicts", _NOTHING_FITTED, too_large),
        entry("published peaks", "memory", _NOTHING_FITTED, np.array([*peaks.values()])),
        entry("longest contexts", "memory", _NOTHING_FITTED, np.array([*longest_context_errors().values()])),
    ]


def verdicts() -> tuple[Verdict, ...]:
    """Return whether each published run fits, which all of them did, and each that was published to fit or not to.

    A run whose batch no layout divides says nothing of memory and is left out.
    """
    found: list[Verdict] = []
    for run in catalogue.runs():
        try:
            fits = published_setting(run).fits
        except InfeasibleError:
            continue
        found.append(Verdict(id=run.id, lab=run.lab, fits=fits, ran=True))
    found += [
        Verdict(id=one.id, lab=one.source, fits=_fits(_question(one)), ran=one.fits)
        for one in catalogue.memory_observations()
        if one.fits is not None
    ]
    return tuple(found)


def right_by_lab(judged: tuple[Verdict, ...]) -> Mapping[str, float]:
    """Return the share of right verdicts by lab."""
    labs: dict[str, list[bool]] = defaultdict(list)
    for one in judged:
        labs[one.lab].append(one.right)
    return {lab: float(np.mean(right)) for lab, right in labs.items()}


def peak_errors(constants: Constants) -> Mapping[str, float]:
    """Return predicted over published peaks, less 1; where a source leaves the layout open it is the best that fits."""
    errors: dict[str, float] = {}
    for one in catalogue.memory_observations():
        if one.peak_bytes is not None:
            priced = ranked_layouts(setting_of(_question(one)), constants)
            errors[one.id] = float(priced.memory_bytes[priced.order[0]]) / one.peak_bytes - 1.0
    return errors


def longest_context_errors() -> Mapping[str, float]:
    """Return predicted over published longest contexts, less 1."""
    return {
        one.id: _longest(one) / one.longest_context - 1.0
        for one in catalogue.memory_observations()
        if one.longest_context is not None
    }


def _longest(one: MemoryObservation) -> int:
    """Return the tokens of the longest sequence that fits, by bisection: memory never falls with the length."""
    shortest, longest = 0, _LONGEST
    while longest - shortest > 1:
        middle = (shortest + longest) // 2
        if _fits(_question(one, sequence_length=middle)):
            shortest = middle
        else:
            longest = middle
    return shortest


def _fits(question: Question) -> bool:
    try:
        return setting_of(question).fits
    except InfeasibleError:
        return False


def _question(one: MemoryObservation, **more: int) -> Question:
    """Return what was observed as a question, on a card of the size that the source names."""
    arguments: dict[str, Any] = {**one.arguments, **more, "tokens": "1B"}
    question = resolve(Request(**arguments)).question
    if question is None:
        raise InfeasibleError(f"{one.id} is of a model or a card that is not known")
    if one.card_gb is None:
        return question
    card_bytes, cluster = one.card_gb * GIBI * _ADDRESSABLE, question.cluster
    chip = cluster.accelerator
    if abs(chip.memory_bytes / card_bytes - 1.0) <= _SAME_CARD:
        return question
    return replace(question, cluster=replace(cluster, accelerator=replace(chip, memory_bytes=card_bytes)))
