"""Steps where an amount of data stands: so many batches of sequences, or of samples."""

import math
from collections.abc import Callable
from dataclasses import replace

from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.base.inputs import checked_number, checked_whole_count
from estimator.base.prior import Prior
from estimator.base.units import format_count, parse_count
from estimator.physics.habits import ACCUMULATED, UNACCUMULATED
from estimator.physics.stacks import Stack
from estimator.question.question import Assumption, Caution
from estimator.question.request import Request
from estimator.resolve.batch import shared_evenly
from estimator.resolve.data import EXACT, MOST_EPOCHS, ToldData
from estimator.resolve.layout_request import MOST_SEQUENCES
from estimator.resolve.text_tokens import text_tokens

__all__ = ["with_batch", "with_steps"]

_MOST_STEPS = 1_000_000_000
_SAME = 0.05
"""Share by which steps and an amount may differ and mean the same: amounts are rounded."""
_EXAMPLES = Prior(low=0.5, mode=1.0, high=2.0, why="Examples of one trainer have half and twice its usual batch")
_ACCUMULATES = Prior(
    low=1.0, mode=1.0, high=4.0, why="A micro-batch is told where others would tell the batch, or four"
)
_PICTURES = Prior(low=1.0, mode=1.0, high=2.0, why="Guides to tuning denoisers at home take one picture, some two")
_BATCH, _LENGTH = "global_batch_sequences", "sequence_length"


def with_batch(data: ToldData, stack: Stack | None, *, pictures: bool = False, accumulates: bool = True) -> ToldData:
    """Return `data` with a batch for its steps where it tells none, and no amount that tells it either.

    Of a micro-batch that is told nothing is accumulated, or up to four of them where one `accumulates` and its trainer
    may.
    Without one, a `stack` that is named and made for fine-tuning has the batch of its examples; where a denoiser is
    tuned on `pictures`, it is one, whichever its trainer.
    Raises MissingValueError where nothing tells the batch.
    """
    request = data.request
    amount = request.tokens if data.lengths is None else request.samples
    passed = data.entry is not None or _repeats(request)
    told = (request.global_batch_sequences, request.gradient_accumulation, None if passed else amount)
    if any(value is not None for value in told):
        return data
    if request.micro_batch_size is not None:
        return _of_micro_batches(data, stack, accumulates=accumulates)
    if pictures:
        micro, accumulated, whose, spread = 1, 1, "trainers of denoisers", _PICTURES
    elif stack is not None and stack.tunes:
        micro, accumulated, whose = stack.micro_batch, ACCUMULATED.get(stack.name, 1), stack.name
        spread = _EXAMPLES
    else:
        raise _without_batch()
    note = (
        f"{micro} × {accumulated} accumulated on each replica, usual with {whose}: steps need a batch and none was "
        "said, so state yours"
    )
    batch = micro * accumulated
    message = (
        f"steps count batches, and nobody told theirs: {batch:,} a replica {'is' if batch == 1 else 'are'} assumed, "
        f"{spread.low * batch:g} to {spread.high * batch:g} in the range; time is proportional to that: give "
        "global_batch_sequences, or micro_batch_size with gradient_accumulation"
    )
    # The number of replicas is not known here: the batch that follows takes this note.
    return replace(
        data,
        request=replace(request, micro_batch_size=micro, gradient_accumulation=accumulated),
        assumed=(
            _inferred("micro_batch_size", micro, "sequences", f"usual with {whose}"),
            _inferred(_BATCH, 0, "sequences", note),
        ),
        batches=spread,
        cautions=(*data.cautions, Caution(code="batch_assumed", message=message)),
    )


def _of_micro_batches(data: ToldData, stack: Stack | None, *, accumulates: bool) -> ToldData:
    """Return `data` with a micro-batch on each replica as its batch, as trainers have it that are told no more.

    That is exact of a trainer that accumulates nothing unless told, and whose examples do not either.
    """
    request, name = data.request, stack.name if stack else ""
    by_default, in_examples = name in UNACCUMULATED, ACCUMULATED.get(name, 1) > 1
    spread = _ACCUMULATES if accumulates and (in_examples or not by_default) else EXACT
    unless = f"{name} accumulates none unless told" if by_default else "nothing accumulated"
    note = f"{unless}; if yours accumulates, say gradient_accumulation"
    micro = checked_whole_count("micro_batch_size", request.micro_batch_size, most=MOST_SEQUENCES)
    why = f"{unless}, but its examples mostly do" if by_default else "whether it accumulates several is not told"
    message = (
        f"a step is taken to be of the micro-batch told, {micro:,} a replica: {why}; up to {spread.high * micro:g} are "
        "in the range, and time is proportional to that: give gradient_accumulation, 1 where it is none"
    )
    return replace(
        data,
        request=replace(request, gradient_accumulation=1),
        assumed=(_inferred(_BATCH, 0, "sequences", note),),
        batches=spread,
        cautions=(*data.cautions, *(() if spread is EXACT else (Caution(code="batch_assumed", message=message),))),
    )


def with_steps(
    data: ToldData,
    batch: int | None,
    *,
    lengths: tuple[int, int],
    padded: Callable[[Request], bool],
    replicas: int = 1,
    vocabulary: int | None = None,
) -> ToldData:
    """Return `data` with tokens or samples in place of its steps.

        steps · batch · sequence length, or steps · batch samples where each is padded to a row of its own

    `lengths` are the tokens of a sequence without samples, and with samples packed into it; a size of text is counted
    in the model's `vocabulary`. Of a data set, and of samples fewer than the steps take, as many passes are made as
    they take. A batch that follows is one that `replicas` share, where one is as near. Raises InvalidValueError where
    an amount is told too and is another, naming what both come to.
    """
    request = data.request
    steps = checked_whole_count("steps", request.steps, most=_MOST_STEPS)
    length, packed = lengths
    if data.lengths is None:
        return _of_tokens(data, steps, batch, length, replicas=replicas, vocabulary=vocabulary)
    told = None if request.samples is None else parse_count(request.samples, "samples") * _epochs(request)
    # A set of pairs is counted in sequences, a batch in pairs.
    sequences = 1 if data.entry is None else data.entry.rows_per_sample
    if batch is None:
        batch = _batch(request, steps, None if told is None else told / sequences, replicas)
    # Whether samples are packed may depend on how many there are.
    taken: float = steps * batch * sequences
    rows = replace(request, samples=taken, epochs=None, steps=None)
    how = f"{steps:,} steps × {_counted(batch, 'sample')}"
    packs = not padded(rows)
    if packs:
        taken = steps * batch * packed / data.lengths.mean
        rows = replace(rows, samples=taken, sequence_length=packed)
        how = f"{steps:,} steps × {_counted(batch, 'sequence')} × {packed:,} tokens, with samples packed into them"
    if request.epochs is not None or (data.entry is None and (told is None or taken < told)):
        _agree(request, taken, told, "samples" if data.entry is None else "epochs", how)
    return _with_assumed(data, rows, batch, steps, how + _of_set(data, taken, told), exact=packs)


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _of_tokens(
    data: ToldData, steps: int, batch: int | None, length: int, *, replicas: int, vocabulary: int | None
) -> ToldData:
    request = data.request
    told = _told_tokens(request, vocabulary)
    if batch is None:
        batch = _batch(request, steps, None if told is None else told / length, replicas)
    taken = float(steps * batch * length)
    how = f"{steps:,} steps × {_counted(batch, 'sequence')} × {length:,} tokens"
    if data.entry is None or request.epochs is not None:
        _agree(request, taken, told, "tokens" if data.entry is None else "epochs", how)
    # What was told exactly stands: a number of steps is rounded, too.
    kept = taken if told is None or data.entry else told
    rows = replace(request, tokens=kept, epochs=None, steps=None, sequence_length=length)
    return _with_assumed(data, rows, batch, steps, how + _of_set(data, taken, told), exact=data.entry is not None)


def _with_assumed(data: ToldData, rows: Request, batch: int, steps: int, how: str, *, exact: bool) -> ToldData:
    """Return `data` as `rows`, with the batch where it followed from the amount, and what was not the caller's own.

    Full sequences tell their tokens as `exact` as they are, whatever is known of the set that they are taken from.
    """
    asked = data.request
    assumed = [replace(one, value=batch) if one.name == _BATCH else one for one in data.assumed]
    if asked.global_batch_sequences is None and asked.gradient_accumulation is None:
        rows = replace(rows, global_batch_sequences=batch)
        assumed.append(_inferred(_BATCH, batch, "sequences", "what the amount and the steps come to"))
    if asked.sequence_length is None and rows.sequence_length is not None:
        note = "usual for the model; steps count sequences of it, so state yours"
        assumed.append(_inferred(_LENGTH, int(rows.sequence_length), "tokens", note))
    told = Assumption(name="steps", value=steps, unit="steps", source="user", note=how)
    idle = asked.epochs is not None and asked.tokens is None and asked.samples is None
    message = "epochs are not counted: steps tell the amount, and nobody told of what these are passes"
    return replace(
        data,
        request=rows,
        low_factor=1.0 / _together(1.0 / data.batches.low, 1.0 if exact else 1.0 / data.low_factor),
        high_factor=_together(data.batches.high, 1.0 if exact else data.high_factor),
        assumptions=(*data.assumptions, told),
        assumed=tuple(assumed),
        cautions=(*data.cautions, *((Caution(code="epochs_not_counted", message=message),) if idle else ())),
    )


def _together(*factors: float) -> float:
    """Return what independent errors come to: their logs, added in quadrature."""
    return math.exp(math.hypot(*(math.log(factor) for factor in factors)))


def _batch(request: Request, steps: int, sequences: float | None, replicas: int) -> int:
    """Return the batch that `sequences` over so many steps have, shared by `replicas` where that is as near."""
    if sequences is None:
        raise _without_batch()
    if sequences < steps:
        remedy = f"are more than the {format_count(sequences)} sequences that there are; a step takes one at least"
        raise InvalidValueError("steps", request.steps, remedy)
    return min(MOST_SEQUENCES, shared_evenly(sequences / steps, replicas))


def _told_tokens(request: Request, vocabulary: int | None) -> float | None:
    if request.tokens is None:
        return None
    text = text_tokens(request.tokens, "tokens", vocabulary)
    once = text.tokens if text else parse_count(request.tokens, "tokens")
    return once * _epochs(request)


def _epochs(request: Request) -> float:
    return 1.0 if request.epochs is None else checked_number("epochs", request.epochs, most=MOST_EPOCHS)


def _agree(request: Request, taken: float, told: float | None, what: str, how: str) -> None:
    """Raise InvalidValueError where steps and an amount come to different things."""
    if told is None or abs(taken / told - 1.0) <= _SAME:
        return
    unit = "tokens" if request.samples is None else "samples"
    fitting = max(1, round(parse_count(request.steps, "steps") * told / taken))
    remedy = (
        f"and {what} disagree: {how} are {format_count(taken)} {unit}, not the {format_count(told)} told; leave one of "
        f"them out, or give steps {fitting:,}"
    )
    raise InvalidValueError("steps", request.steps, remedy)


def _repeats(request: Request) -> bool:
    """Return whether there are more steps than samples, so that these are a set which steps pass over several times."""
    if request.samples is None or request.epochs is not None:
        return False
    return checked_whole_count("steps", request.steps, most=_MOST_STEPS) > parse_count(request.samples, "samples")


def _of_set(data: ToldData, taken: float, told: float | None) -> str:
    """Return how much of a set the steps see: of one that is named, or of samples that are fewer than they take."""
    if not told or (data.entry is None and taken <= told * (1.0 + _SAME)):
        return ""
    of = f"{format_count(told)} samples" if data.entry is None else data.entry.name
    return f": {taken / told * _epochs(data.request):.3g} passes over {of}"


def _without_batch() -> MissingValueError:
    return MissingValueError(
        _BATCH,
        "steps tell an amount only with the sequences of a step: give it, or gradient_accumulation with "
        'micro_batch_size, or a framework with a usual batch ("trl", "axolotl")',
    )


def _inferred(name: str, value: int, unit: str, note: str) -> Assumption:
    return Assumption(name=name, value=value, unit=unit, source="inferred", note=note)
