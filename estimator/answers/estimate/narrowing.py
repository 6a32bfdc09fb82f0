"""What would narrow the range most: inputs left unsaid, doubts about what is likely among them."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

from estimator.answers.estimate.best_step import BestStep, factor_and_range
from estimator.base.text import listed
from estimator.evidence.sensitivity import narrowings
from estimator.evidence.uncertainty import OPINIONS_PART, Interval
from estimator.question.question import Caution, Narrowing

__all__ = ["narrowed_by", "told_of_parting"]

_WORTH_SAYING = 0.05
"""Share of the log width that saying an argument must remove to be asked for beside a measured step."""
_WHY = {
    "base_expanded_to_fp32": "it tells whether the 4-bit base is expanded to 16 or to 32 bit",
    "trained_in_fp32": "it tells whether the trainer was left in 32 bit, as it is unless told",
    "packing_unsaid": "it tells whether samples fill sequences or are padded to the longest of a few",
    "loader_unsaid": "it tells how many workers read samples beside the device",
    "training_unsaid": "it tells whether the model is pre-trained or put to use",
    "recompute_unsaid": "running the forward pass again costs up to a third, and the range holds both",
    "network_unsaid": "the range holds a network for training and a plain one",
}
"""By the code of a doubt that an argument ends."""
_WHY_LAYERS = "it tells whose layers with experts run"
_WHY_BATCH = "it tells whether a step is one of tuning or of pre-training"


def narrowed_by(best: BestStep) -> tuple[Narrowing, ...]:
    """Return what to say first: a measured step, then what narrows the range of the best layout, most first."""
    measured, *others = narrowings(best.grounds.setting, best.priced, best.span)
    doubted = (*_doubted(best), *_crossed(best))
    # What a doubt is priced by is known better than from the spread of the layouts.
    named = {narrowing.argument for narrowing in doubted}
    told = (*(other for other in others if other.argument not in named), *doubted)
    return (measured, *sorted(told, key=lambda narrowing: -narrowing.narrows_by))


def told_of_parting(best: BestStep, warnings: Iterable[Caution]) -> tuple[Caution, ...]:
    """Return `warnings`; where opinions part, with what narrows the range that holds both, if saying anything does.

    Each argument that a doubt is about is tried: the range once it is said to be as is assumed. What leaves that as
    wide, such as a batch, is not asked for.
    """
    told = (*warnings,)
    if all(caution.code != OPINIONS_PART for caution in told):
        return told
    helps = {
        doubt.argument: narrows
        for doubt in best.grounds.doubts
        if (narrows := _narrows(best, doubt.argument)) >= _WORTH_SAYING
    }
    if not helps:
        return told
    said = listed(sorted(helps, key=lambda argument: -helps[argument]))
    beside = f"; until then saying {said} narrows it"
    return tuple(
        replace(caution, message=f"{caution.message}{beside}") if caution.code == OPINIONS_PART else caution
        for caution in told
    )


def _doubted(best: BestStep) -> Iterator[Narrowing]:
    """Yield the arguments whose doubt the range holds, with the share of its log width that saying them removes."""
    for doubt in best.grounds.doubts:
        why = _WHY.get(doubt.code)
        if why is None:
            continue
        narrows = _narrows(best, doubt.argument)
        if narrows > 0.0:
            yield Narrowing(argument=doubt.argument, narrows_by=round(narrows, 3), why=why)


def _crossed(best: BestStep) -> Iterator[Narrowing]:
    """Yield what ends the ways between which the amount of data decides, likewise."""
    for way in best.grounds.beside:
        argument = way.crossing.argument
        narrows = _narrows(best, argument)
        if narrows > 0.0:
            why = _WHY_LAYERS if way.crossing.of_layers else _WHY_BATCH
            yield Narrowing(argument=argument, narrows_by=round(narrows, 3), why=why)


def _narrows(best: BestStep, argument: str) -> float:
    """Return the share of the range's log width that saying `argument` to be as is assumed removes."""
    _, span = factor_and_range(best.grounds.without_doubt(argument))
    return 1.0 - _width_log(span) / _width_log(best.span)


def _width_log(span: Interval) -> float:
    return math.log(span.high / span.low)
