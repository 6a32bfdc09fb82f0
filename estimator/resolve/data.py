"""The data of a run as plain numbers: what a data set's name, a range of lengths or a number of steps comes to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.base.inputs import checked_number
from estimator.base.prior import Prior
from estimator.base.units import format_count, format_counted, parse_count
from estimator.catalogue.datasets import DatasetEntry
from estimator.models.transformer import Transformer
from estimator.question.question import Assumption, Caution
from estimator.question.request import Request
from estimator.resolve.misplaced import checked_kinds
from estimator.resolve.named_data import NamedData, named_data
from estimator.resolve.passes import with_told_passes
from estimator.resolve.sample_lengths import LENGTH_VARIATION, SampleLengths
from estimator.resolve.text_tokens import text_tokens
from estimator.resolve.told_lengths import told_lengths

__all__ = ["EXACT", "MOST_EPOCHS", "ToldData", "data_for", "told_data"]

MOST_EPOCHS = 1e6
_SAME = 0.01
"""Share by which two ways to say the same may differ."""
_MEASURED_SPREAD, _JUDGED_SPREAD = 1.15, 1.4
"""By what factor the spread of lengths may be another: with another tokenizer or template; where it was only judged."""
TRUST: Mapping[str, Prior] = MappingProxyType(
    {
        "read": Prior(low=0.9, mode=1.0, high=1.1, why="Another tokenizer and template than its source counted with"),
        "measured": Prior(low=0.9, mode=1.0, high=1.1, why="Another tokenizer and template than was counted with"),
        "read-secondary": Prior(low=0.9, mode=1.0, high=1.1, why="As read, transcribed by others"),
        "derived": Prior(low=0.85, mode=1.0, high=1.15, why="Bytes over bytes a token: 3.7 to 5 for English"),
        "remembered": Prior(low=0.8, mode=1.0, high=1.25, why="Nobody looked it up"),
        "estimate": Prior(low=0.67, mode=1.0, high=1.5, why="Nobody counted"),
    }
)
"""How far the true count of tokens of a data set may lie from the catalogue's, by its confidence."""

EXACT = Prior(low=1.0, mode=1.0, high=1.0, why="As told")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldData:
    """A request whose data are numbers, and what was told of them beside."""

    request: Request
    lengths: SampleLengths | None
    """Of its samples; None where it tells of none."""
    entry: DatasetEntry | None
    """The data set that was named."""
    low_factor: float
    """The true amount is at least so much of the numbers …"""
    high_factor: float
    """… and at most so much."""
    assumptions: tuple[Assumption, ...]
    """What was understood of the data …"""
    assumed: tuple[Assumption, ...] = ()
    """… and what of the batch and the sequence was assumed for its steps, in place of what the request now says."""
    batches: Prior = EXACT
    """How far the batch of its steps may be another than was assumed."""
    cautions: tuple[Caution, ...] = ()
    """What to beware of in an amount that was assumed."""


def data_for(request: Request, network: Transformer | None, sequences: int) -> ToldData:
    """Return the data of `request` in numbers, as a model reads them that is trained on so many `sequences` a sample.

    Raises as `told_data` does.
    """
    if network is None:
        return told_data(request, sequences=sequences)
    reads_media = network.media is not None
    return told_data(request, reads_media=reads_media, vocabulary=network.vocab, sequences=sequences)


def told_data(
    request: Request, *, reads_media: bool = False, vocabulary: int | None = None, sequences: int = 1
) -> ToldData:
    """Return the data of `request` in numbers: a name looked up, a range of lengths read.

    Samples of pictures or sounds need no tokens of their own where the model `reads_media`. Tokens in samples of some
    length are as many samples, of `sequences` each, as hold them; a size of text is counted by `vocabulary`.

    Raises InvalidValueError where two arguments say different things, UnknownNameError for a data set that nobody
    knows, MissingValueError for one that has no tokens of its own.
    """
    request = with_told_passes(request)
    named = _named(request)
    if named is None:
        lengths = None if request.tokens_per_sample is None else told_lengths(request.tokens_per_sample)
        if lengths is not None and request.tokens is not None and request.samples is None and not reads_media:
            return _of_tokens(request, lengths, vocabulary, sequences)
        mean = None if lengths is None else lengths.mean
        return ToldData(
            request=request if mean is None else replace(request, tokens_per_sample=mean),
            lengths=lengths,
            entry=None,
            low_factor=1.0 if lengths is None else lengths.low_factor,
            high_factor=1.0 if lengths is None else lengths.high_factor,
            assumptions=(),
        )
    argument, data = named
    epochs = _epochs(request, argument, data)
    own = None if request.tokens_per_sample is None else told_lengths(request.tokens_per_sample)
    if data.entry.kind == "text" and own is None:
        return _of_text(request, data, epochs)
    return _of_samples(request, argument, data, epochs, own, reads_media=reads_media)


def _named(request: Request) -> tuple[str, NamedData] | None:
    """Return the data set that `request` names and the argument it is named in; None where it names none."""
    checked_kinds(request)
    found = {name: named_data(getattr(request, name), name) for name in ("tokens", "samples")}
    named = [(name, data) for name, data in found.items() if data is not None]
    if not named:
        return None
    argument, data = named[0]
    other = "samples" if argument == "tokens" else "tokens"
    if getattr(request, other) is not None:
        remedy = f"and {other} say how much there is twice; leave one of them out"
        raise InvalidValueError(argument, getattr(request, argument), remedy)
    return argument, data


def _of_tokens(request: Request, lengths: SampleLengths, vocabulary: int | None, sequences: int) -> ToldData:
    """Return tokens in samples of some length as so many samples: what is padded or packed depends on them."""
    text = text_tokens(request.tokens, "tokens", vocabulary)
    tokens = text.tokens if text else parse_count(request.tokens, "tokens")
    samples = tokens / (lengths.mean * sequences)
    note = f"{format_counted(tokens, 'tokens')} in samples of {format_count(lengths.mean)}"
    if sequences > 1:
        note += f", {sequences} sequences each"
    note = f"{note}; {text.note}" if text else note
    return ToldData(
        request=replace(request, tokens=None, samples=samples, tokens_per_sample=lengths.mean),
        lengths=lengths,
        entry=None,
        # How long samples are changes how many there are, and not what they hold together.
        low_factor=text.low / tokens if text else 1.0,
        high_factor=text.high / tokens if text else 1.0,
        assumptions=(Assumption(name="samples", value=samples, unit="samples", source="inferred", note=note),),
    )


def _epochs(request: Request, argument: str, data: NamedData) -> float | None:
    """Return the passes over the data set, however they were said; None where they were not."""
    if request.epochs is None:
        return data.passes
    epochs = checked_number("epochs", request.epochs, most=MOST_EPOCHS)
    if data.passes is not None and abs(epochs / data.passes - 1.0) > _SAME:
        remedy = f"and the {data.passes:g} passes in {argument} disagree; keep one of them"
        raise InvalidValueError("epochs", request.epochs, remedy)
    return epochs


def _of_text(request: Request, data: NamedData, epochs: float | None) -> ToldData:
    entry, trust = data.entry, TRUST[data.entry.confidence]
    tokens = data.tokens
    if tokens is None and data.samples is not None and entry.tokens_per_sample is not None:
        tokens = data.samples * entry.tokens_per_sample
    if tokens is None:
        tokens = entry.tokens
    if tokens is None:
        remedy = "is a data set whose tokens nobody counted; give their number"
        raise InvalidValueError("tokens", entry.name, remedy)
    exact = data.tokens is not None
    return ToldData(
        request=replace(request, tokens=tokens, samples=None, epochs=epochs),
        lengths=None,
        entry=entry,
        low_factor=1.0 if exact else trust.low,
        high_factor=1.0 if exact else trust.high,
        assumptions=(_assumption(data, f"{format_counted(entry.tokens, 'tokens')}" if entry.tokens else ""),),
    )


def _of_samples(
    request: Request,
    argument: str,
    data: NamedData,
    epochs: float | None,
    own: SampleLengths | None,
    *,
    reads_media: bool,
) -> ToldData:
    entry, trust = data.entry, TRUST[data.entry.confidence]
    mean = entry.tokens_per_sample
    if own is None and mean is None and not reads_media:
        raise MissingValueError("tokens_per_sample", _without_tokens(entry))
    lengths = own
    if lengths is None and mean is not None:
        lengths = SampleLengths(mean=mean, variation=_spread(entry), told=entry.length_variation is not None)
    samples = data.samples
    if samples is None and data.tokens is not None and lengths is not None:
        samples = data.tokens / (lengths.mean * entry.rows_per_sample)
    if samples is None:
        samples = entry.samples
    if samples is None:
        hours = f"; it has {entry.hours:,.0f} hours" if entry.hours else ""
        raise InvalidValueError(argument, getattr(request, argument), f"has samples that nobody counted{hours}")
    rows = samples * entry.rows_per_sample
    counted = f"{format_count(entry.samples)} {_noun(entry)}" if entry.samples else ""
    if mean is not None:
        counted += f" of {mean:,.0f} tokens{' a sequence' if entry.rows_per_sample > 1 else ''}"
    return ToldData(
        request=replace(
            request,
            tokens=None,
            samples=rows,
            tokens_per_sample=lengths.mean if lengths else None,
            epochs=epochs,
        ),
        lengths=lengths,
        entry=entry,
        low_factor=own.low_factor if own else trust.low,
        high_factor=own.high_factor if own else trust.high,
        assumptions=(_assumption(data, counted),),
    )


def _spread(entry: DatasetEntry) -> Prior:
    """Return the spread of a set's lengths: as measured or judged, else as usual."""
    measured = entry.length_variation
    if measured is None:
        return LENGTH_VARIATION
    factor = _MEASURED_SPREAD if entry.variation_measured else _JUDGED_SPREAD
    return Prior(low=measured / factor, mode=measured, high=measured * factor, why="of the set itself")


def _without_tokens(entry: DatasetEntry) -> str:
    """Return what to say of a set whose samples are no text."""
    if entry.kind == "audio":
        each = "a second of audio is 50 frames in Whisper's encoder; add those of its transcript"
    elif entry.kind == "image":
        each = "an image of 224 × 224 is 196 patches of 16, or 256 of 14"
    else:
        each = "an image is 196 to 576 patches; add the tokens of its text"
    size = f" ({format_count(entry.samples)} {_noun(entry)})" if entry.samples else ""
    return f"{entry.name}{size} has no tokens of its own; say how many a sample takes: {each}"


def _noun(entry: DatasetEntry) -> str:
    nouns = {
        "preference": "pairs of two sequences",
        "image": "images",
        "image-text": "image–text pairs",
        "image-instruction": "conversations about pictures",
    }
    return nouns.get(entry.kind, "utterances" if entry.kind == "audio" else "samples")


def _assumption(data: NamedData, counted: str) -> Assumption:
    entry = data.entry
    by = f" by {entry.tokenizer}" if entry.tokenizer else ""
    parts = (f"{entry.name}, {entry.date}", f"{counted}{by}", entry.confidence, data.note, entry.note)
    source = f"source: {entry.sources[0]}"
    note = "; ".join(part for part in (*parts, source) if part)
    return Assumption(name="dataset", value=entry.id, source="catalogue", note=note)
