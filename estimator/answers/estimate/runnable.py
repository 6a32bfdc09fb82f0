"""Questions as they could be run: layouts of published runs that fit, batches that enough replicas can share."""

import math
from dataclasses import replace

from estimator.physics.batch import batch_shared_by_more, is_shared_by_all
from estimator.physics.choice import fastest
from estimator.physics.constants import Constants
from estimator.question.question import Assumption, Caution, Question

__all__ = ["batch_caution", "rounding", "runnable"]

_WORTH = 0.05
"""Share of the time that another batch must save before it is spoken of."""
_SMALL_PRIMES = (2, 3, 5, 7)


def runnable(question: Question, constants: Constants) -> Question:
    """Return `question` as it could be run, which nearly all already are.

    A layout and a batch that were taken from a published run give way to the caller's own where they do not fit, and a
    batch with a large prime factor to one near it that takes less time.
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
    """Return `question`; a batch with a large prime factor gives way to one near it that takes less time.

    People turn tokens a step into sequences, and 4M tokens are 977 sequences of 4,096: a prime, which nobody trains on
    512 devices with one replica. Batches of small factors stand as they are.
    """
    batch = question.global_batch_sequences
    if batch is None or is_shared_by_all(question) or not _is_rough(batch):
        return question
    return _faster_batch(question, constants) or question


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
    faster = _faster_batch(question, constants)
    if faster is None:
        return ()
    message = f"a global_batch_sequences of {_counted(faster):,} would train faster than one of "
    return (Caution(code="other_batch_is_faster", message=message + _shared_by_few(question)),)


def _shared_by_few(question: Question) -> str:
    how = "have to run one or few at a time" if is_shared_by_all(question) else "can share only if they are few"
    return f"{_counted(question):,}, which replicas on {question.cluster.n_gpus:,} GPUs {how}"


def _counted(question: Question) -> int:
    """Return a stated batch as trainers count it."""
    return (question.global_batch_sequences or 0) // question.sequences_each


def _faster_batch(question: Question, constants: Constants) -> Question | None:
    """Return `question` with a batch near its own that takes much less time; None where it divides well enough."""
    better = batch_shared_by_more(question)
    if better is None:
        return None
    other = replace(question, global_batch_sequences=better)
    saves = _physical_token_s(other, constants) < (1.0 - _WORTH) * _physical_token_s(question, constants)
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
