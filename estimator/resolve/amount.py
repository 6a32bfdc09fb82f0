"""How many tokens a run trains on: told outright, or as samples of some length, seen some times over."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.base.inputs import checked_number
from estimator.base.units import format_count, format_counted, parse_count
from estimator.question.question import Assumption, SourceKind
from estimator.question.request import Request
from estimator.resolve.data import MOST_EPOCHS, ToldData, told_data
from estimator.resolve.samples import Padded, padded_samples
from estimator.resolve.text_tokens import text_tokens

__all__ = ["MOST_TOKENS", "Amount", "resolved_amount"]

MOST_TOKENS = 1e18
"""A thousand times every text there is."""
_WHOLE = 0.95
"""Share of their tokens that samples keep where a cut is not worth telling."""
_MULTIPLIED = ("tokens", "processed_tokens")
"""What several sequences a sample make more of; names and lengths stay."""
_SAY_LENGTHS = ': "300", "500-600", "mean 300, max 2048", or a data set named in samples; '
_PREFERRED = "a prompt with one of its answers has some 200 to 600"
_OF_TEXT = "a sentence has some 20 to 40, a document 500 to 1,000; of full sequences give tokens instead"
_USUAL_LENGTHS: Mapping[str, str] = MappingProxyType(
    {
        "contrastive": "of each text of a pair: a sentence or a question has some 20 to 40, a passage 70 to 300",
        "classification": "a sentence or a message has some 20 to 60, a review 100 to 300, an article 500 to 1,000",
        "masked": _OF_TEXT,
        "replaced_token": _OF_TEXT,
        "encoding": "a sentence has some 20 to 40, a review or a passage 70 to 300, an article 500 to 1,000",
        "dpo": _PREFERRED,
        "orpo": _PREFERRED,
        "kto": _PREFERRED,
        "reward": _PREFERRED,
    }
)
"""Tokens of usual samples, by what is trained towards, or `encoding` for an encoder that does something else."""
_CONVERSED = "an instruction with its answer has some 150 to 500, a conversation 1,000 to 1,500"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Tokens of the whole run."""

    tokens: float
    """Tokens that are processed, padding among them: what speeds are counted in."""
    real_tokens: float
    """Tokens of the data as told, each pass counted: what is neither padding nor cut away, but for what is too long."""
    tokens_per_sample: float | None
    """Mean tokens of a sample; None where the caller counted tokens, not samples."""
    fixed_per_sample: float = 0.0
    """Tokens of these that every sample has alike: its pictures."""
    sequences: float | None
    """Rows in all, where every sample is one; None where tokens were counted or samples are packed."""
    padding: float
    """Tokens processed over real ones; 1 where nothing is padded."""
    cut_at: float | None = None
    """Tokens at which so many samples are cut that it shows; None where hardly any are."""
    epochs: float
    """Passes over the data as told, 1 where nothing is said of them."""
    low_factor: float
    """The true amount is at least so much of `tokens` …"""
    high_factor: float
    """… and at most so much; both 1 where tokens were counted."""
    assumptions: tuple[Assumption, ...]


def resolved_amount(
    request: Request,
    vocabulary: int | None = None,
    padded: Padded | None = None,
    data: ToldData | None = None,
    *,
    sequences: int = 1,
    towards: str = "next_token",
) -> Amount:
    """Return the tokens that `request` trains on.

        tokens · epochs, or samples · tokens_per_sample · epochs, longest samples in the stead of mean ones where padded

    Tokens may be told as a size of text ("2 GB of German text"), counted by `vocabulary`, or as a data set's name, of
    which `data` is the reading. Samples are padded as `padded`, or as the request alone tells.

    A sample of an objective with several `sequences`, such as a pair of answers, is as many rows of that length.

    Raises MissingValueError where neither is given, saying how long samples usually are of what is trained `towards`,
    an objective or `encoding`; InvalidValueError where tokens and samples both are.
    """
    if data is None:
        data = told_data(request, vocabulary=vocabulary, sequences=sequences)
        request = data.request
    epochs = 1.0 if request.epochs is None else checked_number("epochs", request.epochs, most=MOST_EPOCHS)
    if request.tokens is not None:
        _refuse_said_twice(request)
        amount = _counted(request, data, vocabulary, epochs)
    elif request.samples is not None and request.tokens_per_sample is not None:
        if padded is None and request.packing == "padded":
            padded = padded_samples(request, lengths=data.lengths)
        amount = _of_samples(request, data, padded, epochs)
        if sequences > 1:
            amount = _of_several(amount, sequences)
    else:
        missing = "tokens_per_sample" if request.samples is not None else "samples"
        if request.samples is None and request.tokens_per_sample is None:
            remedy = 'give tokens (such as "15T"), samples with tokens_per_sample, a data set ("alpaca ×3"), or steps'
            raise MissingValueError("tokens", remedy)
        usual = f"{_SAY_LENGTHS}{_USUAL_LENGTHS.get(towards, _CONVERSED)}" if request.samples is not None else ""
        raise MissingValueError(missing, f"samples and tokens_per_sample go together{usual}")
    if amount.tokens > MOST_TOKENS:
        raise InvalidValueError("tokens", amount.tokens, f"must be at most {MOST_TOKENS:.0e} in all")
    return amount


def _refuse_said_twice(request: Request) -> None:
    """Raise InvalidValueError where tokens are told and samples as well."""
    if request.samples is not None:
        remedy = "and samples say the same thing twice: give either tokens, or samples with tokens_per_sample"
        raise InvalidValueError("tokens", request.tokens, remedy)
    if request.tokens_per_sample is not None:
        # Of samples with pictures or sounds, told_data leaves the two as they are.
        remedy = "with tokens does not say how many pictures or sounds there are; leave it out, or give samples"
        raise InvalidValueError("tokens_per_sample", request.tokens_per_sample, remedy)


def _counted(request: Request, data: ToldData, vocabulary: int | None, epochs: float) -> Amount:
    text = text_tokens(request.tokens, "tokens", vocabulary)
    once = text.tokens if text else parse_count(request.tokens, "tokens")
    seen = f"{format_counted(once, 'tokens')} seen {epochs:g} times" if epochs != 1 else ""
    note = "; ".join(part for part in (text.note if text else "", seen) if part)
    return Amount(
        tokens=once * epochs,
        real_tokens=once * epochs,
        tokens_per_sample=None,
        sequences=None,
        padding=1.0,
        epochs=epochs,
        low_factor=text.low / once if text else data.low_factor,
        high_factor=text.high / once if text else data.high_factor,
        assumptions=(*data.assumptions, _told(once * epochs, note, data)),
    )


def _of_samples(request: Request, data: ToldData, padded: Padded | None, epochs: float) -> Amount:
    samples = parse_count(request.samples, "samples")
    mean = parse_count(request.tokens_per_sample, "tokens_per_sample")
    real = samples * mean * epochs
    fixed = data.lengths.fixed if data.lengths else 0.0
    passes = "" if epochs == 1 else f" × {epochs:g} epochs"
    told = _told(real, f"{format_count(samples)} samples × {format_counted(mean, 'tokens')}{passes}", data)
    if padded is None:
        return Amount(
            tokens=real,
            real_tokens=real,
            tokens_per_sample=mean,
            fixed_per_sample=fixed,
            sequences=None,
            padding=1.0,
            epochs=epochs,
            low_factor=data.low_factor,
            high_factor=data.high_factor,
            assumptions=(*data.assumptions, told),
        )
    tokens = samples * padded.longest * epochs
    note = f"{format_count(samples * epochs)} rows of {format_count(padded.longest)}; speeds count padding too"
    processed = Assumption(name="processed_tokens", value=tokens, unit="tokens", source="inferred", note=note)
    return Amount(
        tokens=tokens,
        real_tokens=real,
        tokens_per_sample=mean,
        fixed_per_sample=fixed,
        sequences=samples * epochs,
        padding=max(1.0, padded.longest / padded.mean),
        cut_at=padded.limit if padded.mean < _WHOLE * mean else None,
        epochs=epochs,
        low_factor=padded.low * data.low_factor,
        high_factor=padded.high * data.high_factor,
        assumptions=(*data.assumptions, told) if padded.longest == mean else (*data.assumptions, told, processed),
    )


def _of_several(amount: Amount, sequences: int) -> Amount:
    """Return the amount of samples that are several sequences each, as long as told."""
    return replace(
        amount,
        tokens=amount.tokens * sequences,
        real_tokens=amount.real_tokens * sequences,
        sequences=None if amount.sequences is None else amount.sequences * sequences,
        assumptions=tuple(
            replace(
                told, value=float(told.value) * sequences, note=f"{told.note}, {sequences} sequences of each sample"
            )
            if told.name in _MULTIPLIED
            else told
            for told in amount.assumptions
        ),
    )


def _told(tokens: float, note: str, data: ToldData) -> Assumption:
    source: SourceKind = "user" if data.entry is None else "catalogue"
    return Assumption(name="tokens", value=tokens, unit="tokens", source=source, note=note)
