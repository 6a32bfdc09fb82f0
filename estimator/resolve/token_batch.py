"""A batch told in tokens, as papers tell it: `4M tokens` a step are so many sequences."""

from dataclasses import replace

from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.base.nouns import TOKEN_NOUNS
from estimator.base.units import counted_noun, format_count, parse_count
from estimator.models.training import WITH_ADAPTERS
from estimator.question.question import Assumption
from estimator.resolve.batch import replicas, shared_evenly, told_length, usual_length
from estimator.resolve.data import ToldData
from estimator.resolve.layout_request import MOST_SEQUENCES
from estimator.resolve.subject import Subject
from estimator.resolve.training_method import asked_method

__all__ = ["with_batch_of_tokens"]

_BATCH = "global_batch_sequences"


def with_batch_of_tokens(data: ToldData, subject: Subject, n_gpus: int) -> ToldData:
    """Return `data` with its batch in sequences where it is told in tokens; as it is where it is not.

        tokens of a step / tokens of a sequence, to a number that the replicas share where one is as near

    Raises MissingValueError where samples have no length that they are packed into, InvalidValueError for less than a
    sequence.
    """
    request = data.request
    if counted_noun(request.global_batch_sequences) not in TOKEN_NOUNS:
        return data
    tokens = parse_count(request.global_batch_sequences, _BATCH)
    length, told = _length(data, subject)
    batch = shared_evenly(tokens / length, replicas(request, n_gpus))
    if batch < 1:
        remedy = f"are less than a sequence of {length:,} tokens, of which a step takes one at least"
        raise InvalidValueError(_BATCH, request.global_batch_sequences, remedy)
    if batch > MOST_SEQUENCES:
        remedy = f"are {format_count(batch)} sequences of {length:,} tokens; at most {MOST_SEQUENCES:,} would do"
        raise InvalidValueError(_BATCH, request.global_batch_sequences, remedy)
    note = f"{format_count(tokens)} tokens a step ÷ {length:,} of a sequence = {tokens / length:,.4g}"
    if batch != round(tokens / length):
        note += f"; {batch:,} is what the replicas share evenly"
    assumed = [*told, Assumption(name=_BATCH, value=batch, unit="sequences", source="inferred", note=note)]
    rows = replace(request, global_batch_sequences=batch, sequence_length=length)
    return replace(data, request=rows, assumed=(*data.assumed, *assumed))


def _length(data: ToldData, subject: Subject) -> tuple[int, tuple[Assumption, ...]]:
    """Return the tokens of a sequence, and that they are assumed where nobody told them."""
    request = data.request
    told = told_length(request)
    if told is not None:
        return told, ()
    if data.lengths is not None:
        remedy = "a batch told in tokens is divided by those of a sequence: give that, or the batch in samples"
        raise MissingValueError("sequence_length", remedy)
    length = usual_length(subject, tunes=asked_method(request) in WITH_ADAPTERS)
    note = "usual for the model; the batch is told in tokens, and divided by it, so state yours"
    assumed = Assumption(name="sequence_length", value=length, unit="tokens", source="inferred", note=note)
    return length, (assumed,)
