"""How many tokens an encoder–decoder writes for each that it reads: as its task is told, else as it is usual."""

import re
from dataclasses import dataclass, replace

from estimator.models.towers import pretraining_ratio, text_ratio, with_text_ratio
from estimator.models.transformer import Transformer
from estimator.question.practice import NOTHING_SAID, Practice
from estimator.question.question import Assumption, SourceKind
from estimator.question.request import Request
from estimator.resolve.batch import told_length
from estimator.resolve.data import ToldData
from estimator.resolve.media import MediaUse
from estimator.resolve.packing import is_from_scratch

__all__ = ["with_targets"]

_SUMMARY = 1 / 8
"""128 tokens for a text of 1,024, as scripts of summarization cut both."""
_TRANSLATION = 1.0
"""A translation is about as long as its source."""
_TASKS: tuple[tuple[re.Pattern[str], float | None, str], ...] = (
    (re.compile(r"summari[sz]"), _SUMMARY, "a summary has 128 for a text of 1,024"),
    (re.compile(r"translat"), _TRANSLATION, "a translation is about as long as its source"),
    (
        re.compile(r"pre[-_ ]?train|denois|infilling|span[-_ ]?corrupt|\bmasked\b|from[-_ ]scratch"),
        None,
        "what its pre-training writes",
    ),
)
"""Words of each task, and what is written for each token that is read; None: as the family was pre-trained."""
_SUMMARIES = frozenset({"cnn-dailymail", "samsum", "xsum"})
"""Data sets of texts with their summaries."""
_READ = "tokens are those of the encoder, the source; the decoder's come to so many for each of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Targets:
    ratio: float
    source: SourceKind
    why: str


def with_targets(use: MediaUse, data: ToldData, practice: Practice = NOTHING_SAID) -> MediaUse:
    """Return `use` with its decoder writing as much as the task does; as it is where it has none, or reads no text.

        decoder's positions = target ratio · tokens

    What is written for a sample, and where that is cut, is told in `practice`.
    """
    network = use.subject.transformer
    ratio = None if network is None or network.media is not None else text_ratio(network)
    if network is None or ratio is None:
        return use
    read = _mean_read(data)
    targets = (
        _of_tokens(practice.target_tokens, read)
        or _told(data.request, network)
        or _of_data(data, network)
        or _Targets(ratio=ratio, source="default", why="say the task in objective where it is another")
    )
    targets = _at_most(targets, practice.target_limit, read)
    towers = tuple(
        with_text_ratio(tower, targets.ratio) if tower.name == "decoder" else tower for tower in network.towers
    )
    told = Assumption(
        name="target_ratio",
        value=round(targets.ratio, 4),
        unit="tokens",
        source=targets.source,
        note=f"{_READ}: {targets.why}",
    )
    return replace(
        use,
        subject=replace(use.subject, transformer=replace(network, towers=towers)),
        assumptions=(*use.assumptions, told),
    )


def _mean_read(data: ToldData) -> float | None:
    """Return the mean tokens of what is read of a sample, as it is cut; None where no sample is told of."""
    limit = told_length(data.request)
    return None if data.lengths is None else data.lengths.expected_longest(1, None if limit is None else float(limit))


def _of_tokens(told: int | None, read: float | None) -> _Targets | None:
    """Return what so many tokens written for each sample come to."""
    if told is None or not read:
        return None
    return _Targets(ratio=told / read, source="user", why=f"{told:,} are written for {read:,.0f}")


def _at_most(targets: _Targets, limit: int | None, read: float | None) -> _Targets:
    """Return `targets` that are cut at `limit` tokens, of samples of which as many are read."""
    if limit is None or not read or targets.ratio * read <= limit:
        return targets
    why = f"{targets.why}, and at most {limit:,} for {read:,.0f}"
    return replace(targets, ratio=limit / read, source="user", why=why)


def _told(request: Request, network: Transformer) -> _Targets | None:
    """Return what the words for the objective or the software say."""
    said = f"{request.objective} {request.framework}".casefold()
    for words, ratio, why in _TASKS:
        if words.search(said):
            return _Targets(ratio=_or_pretraining(ratio, network), source="user", why=why)
    return None


def _of_data(data: ToldData, network: Transformer) -> _Targets | None:
    """Return what the data tell: a set of summaries, or text as much as only pre-training takes."""
    if data.entry is not None and data.entry.id in _SUMMARIES:
        return _Targets(ratio=_SUMMARY, source="catalogue", why=f"{data.entry.name} has summaries")
    if data.entry.kind != "text" if data.entry else not is_from_scratch(data.request):
        return None
    why = "so much text has no targets of its own, and is written anew as in pre-training; say the task in objective"
    return _Targets(ratio=_or_pretraining(None, network), source="inferred", why=why)


def _or_pretraining(ratio: float | None, network: Transformer) -> float:
    return pretraining_ratio(network) if ratio is None else ratio
