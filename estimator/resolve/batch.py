"""Sequences of a step and tokens of a sequence: as told, or as is usual."""

import re
from collections.abc import Callable
from dataclasses import replace

from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.base.inputs import checked_whole, checked_whole_count
from estimator.base.units import format_count
from estimator.catalogue.published import PublishedRun
from estimator.evidence.precedent import trained_length
from estimator.models.kinds import kind_of
from estimator.question.question import Assumption, Caution, Question
from estimator.question.request import Quantity, Request
from estimator.resolve.amount import Amount
from estimator.resolve.layout_request import MOST_SEQUENCES
from estimator.resolve.media import MediaUse
from estimator.resolve.packing import LARGEST_SET
from estimator.resolve.samples import Padded
from estimator.resolve.subject import Subject

__all__ = [
    "batch_assumption",
    "cut_length",
    "length_doubts",
    "model_window",
    "packed_length",
    "padding_doubts",
    "replicas",
    "resolved_batch",
    "resolved_sequence_length",
    "shared_by",
    "shared_evenly",
    "told_length",
    "usual_length",
    "with_amount",
]

_NEARLY = 0.05
"""Share by which a batch may be another and still be what was said: 4M tokens are 4.19M as often as not."""
_MOST_SEQUENCE_LENGTH = 1_000_000_000
_USUAL_SEQUENCE_LENGTH = 8192
"""What models of long context are trained on for nearly all of their tokens (Grattafiori et al. 2024, section 3.4)."""
_USUAL_TUNED_LENGTH = 2048
"""What fine-tuning trainers cut at by default or in their examples: TRL 1,024, LLaMA-Factory and Unsloth 2,048, Axolotl
2,048 to 8,192."""
_SHORTEST_ASSUMED = 1024
"""TRL's default, below which nobody is thought to go who tells no length."""
_USUAL_SOURCE_LENGTH = 1024
"""`max_source_length` of Transformers' scripts of summarization and translation."""
_USUAL_TEXT_LENGTH = 512
"""BERT's positions, and `passage_max_len` of FlagEmbedding's and `max_seq_length` of most of sentence-transformers'
examples with encoders of 8,192."""
_OF_EACH = re.compile(
    r"(\d{1,3}(?:[,_]\d{3})+|\d{1,6})\b.*?(?:/|\bper\b|\beach\b|\ba\b)\s*(?:gpu|device|card|rank|replica)"
)
_TOKENS_SUSPECTED = 200_000
"""Sequences of a step beyond which tokens are meant: the largest batches, of CLIP's kin and of BERT's, have 65,536."""
_NEARLY_WHOLE = 0.95
"""Share of a sample's tokens that are left where a few long ones are cut."""
_MOSTLY_WHOLE = 0.8
"""The same of samples that are shorter on average than where they are cut."""
_SHORTEST_PACKED = 2048
"""Short samples are packed into sequences of at least this length by default in common fine-tuning stacks."""


def resolved_batch(request: Request, n_gpus: int) -> tuple[int | None, str]:
    """Return the sequences of a step and what they are made of; None where nothing tells.

    micro-batch · gradient accumulation · GPUs / (tensor · pipeline · context parallel)
    """
    if request.global_batch_sequences is not None:
        if request.gradient_accumulation is not None:
            remedy = "and gradient_accumulation both set the batch; give one of them"
            raise InvalidValueError("global_batch_sequences", request.global_batch_sequences, remedy)
        _refuse_of_each(request.global_batch_sequences, n_gpus)
        return checked_whole_count("global_batch_sequences", request.global_batch_sequences, most=MOST_SEQUENCES), ""
    if request.gradient_accumulation is None:
        return None, ""
    accumulated = checked_whole("gradient_accumulation", request.gradient_accumulation, most=MOST_SEQUENCES)
    if request.micro_batch_size is None:
        raise MissingValueError("micro_batch_size", "gradient_accumulation counts micro-batches; give their size too")
    micro = checked_whole("micro_batch_size", request.micro_batch_size, most=MOST_SEQUENCES)
    n = replicas(request, n_gpus)
    note = f"{micro:,} a micro-batch × {accumulated:,} accumulated × {n:,} data-parallel replicas"
    return micro * accumulated * n, note


def _refuse_of_each(given: Quantity, n_gpus: int) -> None:
    """Raise InvalidValueError for the sequences of one device, which are no batch: what is accumulated is not said."""
    each = _OF_EACH.match(given.casefold()) if isinstance(given, str) else None
    if each is not None:
        sequences = int(re.sub(r"\D", "", each[1]))
        remedy = (
            f"is of each GPU: give micro_batch_size {sequences} with gradient_accumulation, or what all {n_gpus:,} "
            f"GPUs take in a step, such as {sequences * n_gpus:,}"
        )
        raise InvalidValueError("global_batch_sequences", given, remedy)


def with_amount(question: Question | None, amount: Amount, *, tunes: bool) -> Question | None:
    """Return `question` with whether its amount is one of pre-training, and the tokens of the run where they count.

    That is where its batch was left open, and follows from how many steps: to a trainer for fine-tuning, or for an
    encoder of text.
    """
    if question is None:
        return None
    question = replace(question, pretrains=amount.real_tokens / amount.epochs > LARGEST_SET)
    if question.global_batch_sequences is not None:
        return question
    if not tunes and (kind_of(question.transformer) != "encoder" or question.small_set):
        return question
    return replace(question, run_tokens=amount.tokens)


def shared_by(batch: int, n_replicas: int) -> int:
    """Return the sequences of a replica; of a batch that they cannot share evenly all, whose divisors are tried."""
    return batch if batch % n_replicas else batch // n_replicas


def replicas(request: Request, n_gpus: int) -> int:
    """Return the data-parallel replicas that the stated splits leave."""
    split = (request.tensor_parallel or 1) * (request.pipeline_parallel or 1) * (request.context_parallel or 1)
    return max(1, n_gpus // max(1, split))


def shared_evenly(sequences: float, n_replicas: int) -> int:
    """Return the whole number of sequences that is meant: one that all replicas share where it is nearly the same."""
    shared = max(1, round(sequences / n_replicas)) * n_replicas
    return shared if abs(shared / sequences - 1.0) <= _NEARLY else round(sequences)


def model_window(subject: Subject) -> int:
    """Return the longest sequence the model was made for; a usual one where its architecture is not known."""
    return subject.transformer.native_sequence_length if subject.transformer is not None else _USUAL_SEQUENCE_LENGTH


def cut_length(subject: Subject, mean: float | None = None) -> int:
    """Return the tokens at which samples of so many on average are cut where nothing is said.

    Encoders that read a source for a decoder know any position, and their scripts cut it at 1,024 or above; those that
    make a vector of a text cut it at 512, whatever they could read, unless its mean is above.
    """
    window, network = model_window(subject), subject.transformer
    kind = None if network is None else kind_of(network)
    if kind == "encoder_decoder":
        return max(window, _USUAL_SOURCE_LENGTH)
    if kind == "encoder" and mean is not None and mean <= _USUAL_TEXT_LENGTH:
        return min(window, _USUAL_TEXT_LENGTH)
    return window


def told_length(request: Request) -> int | None:
    """Return the sequence length that the caller gave; None where they gave none."""
    if request.sequence_length is None:
        return None
    return checked_whole_count("sequence_length", request.sequence_length, most=_MOST_SEQUENCE_LENGTH)


def usual_length(subject: Subject, *, tunes: bool = False) -> int:
    """Return the tokens of a sequence where nothing is said; those of fine-tuning trainers where it `tunes`.

    Those that the model itself was trained on, on whatever device, where that is published.
    """
    own = _own_length(subject) or model_window(subject)
    if tunes:
        return min(own, _USUAL_TUNED_LENGTH)
    if own < model_window(subject):
        return own
    trained = _trained_on(subject)
    return min(model_window(subject), _USUAL_SEQUENCE_LENGTH if trained is None else trained.sequence_length)


def _own_length(subject: Subject) -> int | None:
    """Return the tokens of a sequence in most of the model's pre-training, where it ended with longer ones."""
    return None if subject.transformer is None else subject.transformer.trained_sequence_length


def _trained_on(subject: Subject) -> PublishedRun | None:
    return None if subject.transformer is None else trained_length(subject.transformer)


def packed_length(subject: Subject, tokens_per_sample: float) -> int:
    """Return the tokens of a sequence that takes several samples of so many each."""
    native = model_window(subject)
    encodes = subject.transformer is not None and not subject.transformer.causal
    # Encoders know as many positions as they were made for; decoders' are rotated on.
    shortest = min(native, _SHORTEST_PACKED) if encodes else _SHORTEST_PACKED
    length = shortest
    while length < tokens_per_sample:
        length *= 2
    return min(length, max(native, shortest))


def resolved_sequence_length(
    request: Request,
    subject: Subject,
    amount: Amount,
    padded: Padded | None,
    *,
    tunes: bool = False,
    fitting: Callable[[int], bool] | None = None,
) -> tuple[int, tuple[Assumption, ...]]:
    """Return the tokens of a sequence that is priced and where the number came from.

    Padded rows are as long as the longest sample of their micro-batch, which `padding_assumptions` tells: whoever said
    it as sequence_length would cut what is longer. A trainer that `tunes` trained models does so in shorter ones than
    they were made for, whatever the amount; and a length that nobody told gives way to one that is `fitting`.
    """
    length = told_length(request)
    if length is not None:
        told = Assumption(name="sequence_length", value=length, unit="tokens", source="user")
        return (min(length, padded.sequence_length) if padded else length), (told,)
    native = model_window(subject)
    if padded:
        return padded.sequence_length, ()
    if amount.tokens_per_sample is not None:
        length = packed_length(subject, amount.tokens_per_sample)
        note = "long enough for a sample of the given length; several are packed into one sequence"
    else:
        length = usual_length(subject, tunes=tunes)
        if length == native:
            guessed = subject.transformer is None or subject.transformer.inferred
            note = "usual for a model of which a size is told" if guessed else "the model's own training length"
        elif length == _own_length(subject):
            note = f"the model takes {native:,}, and was pre-trained on {length:,} for most of its tokens"
        elif tunes:
            guessed = subject.transformer is None or subject.transformer.inferred
            own = "" if guessed else f"the model takes {native:,}, but "
            note = f"{own}this trainer is mostly run at about {length:,} where nothing is said"
        elif (trained := _trained_on(subject)) is not None:
            note = (
                f"the model takes {native:,}, and was trained on {length:,} for nearly all of its tokens ({trained.id})"
            )
        else:
            note = f"the model takes {native:,}, but nearly all training is done at {length:,} or less"
        shorter = _shorter_that_fits(length, fitting) if fitting else length
        if shorter < length:
            note = f"the longest that fits: {note}, and {length:,} would need more memory than there is"
            length = shorter
    return length, (Assumption(name="sequence_length", value=length, unit="tokens", source="default", note=note),)


def _shorter_that_fits(length: int, fitting: Callable[[int], bool]) -> int:
    """Return the longest half, quarter and so on of `length` that fits; all of it where none does."""
    shorter = length
    while shorter >= _SHORTEST_ASSUMED:
        if fitting(shorter):
            return shorter
        shorter //= 2
    return length


def length_doubts(amount: Amount, length: int, padded: Padded | None, batch: int | None) -> tuple[Caution, ...]:
    """Return warnings where samples are longer than the sequence that takes them, or a batch has too many of it."""
    return (*_batch_doubts(batch, length), *_limit_doubts(padded), *_cut_doubts(amount, length, padded))


def _limit_doubts(padded: Padded | None) -> tuple[Caution, ...]:
    """Return a warning where every sample is padded to a length that nobody told."""
    if padded is None or padded.limits is None or padded.limit is None:
        return ()
    least, most = padded.limits
    message = (
        f"every sample is padded to the length at which all are cut, and nobody told it: {padded.limit:,.0f} tokens "
        f"are assumed, where scripts have {least:,.0f} to {most:,.0f}; time is proportional to that: say it in "
        'sequence_length, or "mean N, max M" in tokens_per_sample'
    )
    return (Caution(code="padded_length_assumed", message=message),)


def _cut_doubts(amount: Amount, length: int, padded: Padded | None) -> tuple[Caution, ...]:
    if amount.tokens_per_sample is None:
        return ()
    mean = amount.tokens_per_sample
    end = (padded.limit if padded else None) or length
    is_longer = mean > end
    are = "are longer than the sequence of" if is_longer else "on average are cut at"
    if padded is None:
        whole = not is_longer
        what = "they are counted as split over several sequences; truncated instead, there would be fewer tokens"
    else:
        kept = padded.mean / mean
        whole = kept > (_NEARLY_WHOLE if is_longer else _MOSTLY_WHOLE)
        what = (
            f"{kept:.0%} of their tokens are trained on, if they are as unlike in length as is usual; give another "
            "sequence_length if they are not cut"
        )
    message = f"samples of {mean:,.0f} tokens {are} {end:,.0f}: {what}"
    return () if whole else (Caution(code="samples_longer_than_sequence", message=message),)


def _batch_doubts(batch: int | None, length: int) -> tuple[Caution, ...]:
    """Return a warning where a batch counts so many sequences that tokens were most likely meant."""
    if batch is None or batch < _TOKENS_SUSPECTED:
        return ()
    message = (
        f"global_batch_sequences: {batch:,} sequences of {length:,} tokens are {format_count(batch * length)} tokens a "
        f'step, more than anyone trains with; if tokens are meant, write "{format_count(batch)} tokens"'
    )
    return (Caution(code="batch_in_tokens_suspected", message=message),)


def padding_doubts(request: Request, amount: Amount, use: MediaUse) -> tuple[Caution, ...]:
    """Return a warning where padding was told of tokens that are no samples."""
    if request.packing.strip().casefold() != "padded" or amount.tokens_per_sample is not None or use.whole_rows:
        return ()
    message = "padding is not counted: of tokens nobody knows the samples; give samples with tokens_per_sample instead"
    return (Caution(code="padding_not_counted", message=message),)


def batch_assumption(batch: int | None, note: str) -> tuple[Assumption, ...]:
    """Return the batch as the caller said it; nothing where nobody did."""
    if batch is None:
        return ()
    name = "global_batch_sequences"
    return (Assumption(name=name, value=batch, unit="sequences", source="user", note=note),)
