"""Questions as they could be run: layouts of published runs that fit, batches that enough replicas can share."""

import math
from dataclasses import replace

from estimator.base.errors import InfeasibleError
from estimator.physics.batch import batch_shared_by_more, is_shared_by_all, nearest_batch
from estimator.physics.choice import fastest, setting_of
from estimator.physics.constants import Constants
from estimator.question.question import Assumption, Caution, Question

__all__ = ["batch_caution", "rounding", "runnable"]

_WORTH = 0.05
"""Share of the time that another batch must save before it is spoken of."""
_MUCH = 0.25
"""Share of the time beyond which nobody keeps to a batch, when one a few percent off would save it."""
_SAME_RUN = 0.25
"""How far a batch that can be shared may lie from a stated one that cannot, and still stand in its place. A larger or
smaller step by so much hardly changes what a token costs."""
_SMALL_PRIMES = (2, 3, 5, 7)


def runnable(question: Question, constants: Constants) -> Question:
    """Return `question` as it could be run, which nearly all already are.

    A layout and a batch that were taken from a published run give way to the caller's own where they do not fit, and a
    batch that only few replicas can share, or none, to one near it.
    """
    return _divided(_fitting(question, constants), constants)


def _fitting(question: Question, constants: Constants) -> Question:
    precedent = question.precedent
    if precedent is None:
        return question
    own_layout = replace(question, layout=precedent.own_layout)
    ways = (question, own_layout, replace(own_layout, global_batch_sequences=precedent.own_batch))
    if all(way == question for way in ways):
        return question
    return next((way for way in ways if math.isfinite(_physical_token_s(way, constants))), ways[-1])


def _divided(question: Question, constants: Constants) -> Question:
    """Return `question`; a batch that only few replicas can share gives way to one near it that takes less time.

    People turn tokens a step into sequences, and 4M tokens are 977 sequences of 4,096: a prime, which nobody trains on
    512 devices with one replica. Batches of small factors stand as they are, unless they cost much, as 65,536 on 1,472
    devices that would have to be 23 stages, or no layout divides them: trainers round what was meant, 128 on 6 devices,
    to whole micro-batches.
    """
    batch = question.global_batch_sequences
    if batch is None or is_shared_by_all(question):
        return question
    if not _has_layout(question):
        return _shared_batch(question)
    worth = _WORTH if _is_rough(batch) else _MUCH
    return _faster_batch(question, constants, worth) or question


def _shared_batch(question: Question) -> Question:
    """Return `question` with a batch near its own that its devices can share; as it is where none is near enough."""
    stated = question.global_batch_sequences or 1
    for batch in (batch_shared_by_more(question), nearest_batch(question).global_batch_sequences):
        if batch is not None and abs(batch / stated - 1.0) <= _SAME_RUN:
            other = replace(question, global_batch_sequences=batch)
            if _has_layout(other):
                return other
    return question


def _has_layout(question: Question) -> bool:
    """Return whether any layout divides devices, layers and batch, fitting or not."""
    try:
        setting_of(question)
    except InfeasibleError:
        return False
    return True


def rounding(question: Question, priced: Question) -> tuple[tuple[Assumption, ...], tuple[Caution, ...]]:
    """Return what must be said where `priced` has another batch than `question`; nothing where it has not."""
    batch = priced.global_batch_sequences
    if batch is None or batch == question.global_batch_sequences:
        return (), ()
    why = f"in place of {_shared_by_few(question)}"
    told, unit = batch // priced.sequences_each, priced.batch_unit
    assumption = Assumption(name="global_batch_sequences", value=told, unit=unit, source="inferred", note=why)
    return (assumption,), (Caution(code="batch_rounded", message=f"a batch of {told:,} {unit} was priced {why}"),)


def batch_caution(question: Question, constants: Constants) -> tuple[Caution, ...]:
    """Return a warning where a batch near the one stated would take much less time; nothing where none would."""
    faster = _faster_batch(question, constants, _WORTH)
    if faster is None:
        return ()
    message = f"a global_batch_sequences of {_counted(faster):,} would train faster than one of "
    return (Caution(code="other_batch_is_faster", message=message + _shared_by_few(question)),)


def _shared_by_few(question: Question) -> str:
    how = "can only run in micro-batches of one or a few"
    if not is_shared_by_all(question):
        how = "can share only if they are few" if _has_layout(question) else "cannot share evenly"
    return f"{_counted(question):,}, which replicas on {question.cluster.n_gpus:,} GPUs {how}"


def _counted(question: Question) -> int:
    """Return a stated batch as trainers count it."""
    return (question.global_batch_sequences or 0) // question.sequences_each


def _faster_batch(question: Question, constants: Constants, worth: float) -> Question | None:
    """Return `question` with a batch near its own that saves the share `worth` of time; None where none does."""
    better = batch_shared_by_more(question)
    if better is None:
        return None
    other = replace(question, global_batch_sequences=better)
    saves = _physical_token_s(other, constants) < (1.0 - worth) * _physical_token_s(question, constants)
    return other if saves else None


def _is_rough(batch: int) -> bool:
    """Return whether a batch has a prime factor above 7."""
    for prime in _SMALL_PRIMES:
        while batch % prime == 0:
            batch //= prime
    return batch > 1


def _physical_token_s(question: Question, constants: Constants) -> float:
    """Return physical seconds per token of the best layout, before any correction; infinity where there is none."""
    best = fastest(question, constants)
    return math.inf if best is None else best.token_s
