"""Lengths of what is read told apart from those of what is written, as the model that is trained takes both."""

from dataclasses import replace

from estimator.base.errors import InvalidValueError
from estimator.base.units import parse_count
from estimator.models.towers import text_ratio
from estimator.models.transformer import Transformer
from estimator.question.practice import Practice
from estimator.question.question import Caution
from estimator.question.request import Request
from estimator.resolve.framework.target_lengths import split_targets

__all__ = ["with_lengths_apart"]

_LONGEST = 80


def with_lengths_apart(
    request: Request, practice: Practice, network: Transformer | None
) -> tuple[Request, Practice, tuple[Caution, ...]]:
    """Return `request` with lengths of sources and targets told apart as `network` takes them, and what to beware of.

    An encoder–decoder reads sources, which samples and sequences are counted by, and what it writes stays in practice;
    to any other model of text a sample is both, one behind the other. Of pictures and sounds lengths stay as they are.

    Raises InvalidValueError where samples tell of targets alone, or of sources in a range beside them.
    """
    if network is not None and network.media is not None:
        return request, practice, ()
    request, said = _apart(request)
    practice = said.over(practice)
    if network is not None and text_ratio(network) is not None:
        return *_cut_at_sources(request, practice), ()
    request = _joined(request, said)
    limits = (practice.source_limit, practice.target_limit)
    if limits == (None, None):
        return request, practice, ()
    return *_cut_at_both(request, practice), (_of_other_scripts(practice),)


def _apart(request: Request) -> tuple[Request, Practice]:
    """Return `request` with samples as long as what is read of them, and how much is written for each."""
    given = request.tokens_per_sample
    if not isinstance(given, str) or len(given) > _LONGEST:
        return request, Practice()
    rest, said = split_targets(given)
    if said.target_tokens is None:
        return request, said
    if not any(map(str.isdigit, rest)):
        remedy = f'tells of targets alone; say what is read, too: "300 source, {said.target_tokens} target"'
        raise InvalidValueError("tokens_per_sample", given, remedy)
    return replace(request, tokens_per_sample=rest), said


def _joined(request: Request, said: Practice) -> Request:
    """Return `request` with samples as long as source and target together, of a model that reads them in one."""
    if said.target_tokens is None:
        return request
    given = str(request.tokens_per_sample)
    try:
        read = parse_count(given.removesuffix("tokens").strip(), "tokens_per_sample")
    except InvalidValueError:
        remedy = "beside the length of targets is no number; this model reads both in one sequence: give their sum"
        raise InvalidValueError("tokens_per_sample", given, remedy) from None
    return replace(request, tokens_per_sample=read + said.target_tokens)


def _cut_at_sources(request: Request, practice: Practice) -> tuple[Request, Practice]:
    if practice.source_limit is None or request.sequence_length is not None:
        return request, practice
    return replace(request, sequence_length=practice.source_limit), practice


def _cut_at_both(request: Request, practice: Practice) -> tuple[Request, Practice]:
    """Return `request` with rows that end where source and target together do, if both are told."""
    if practice.source_limit is None or practice.target_limit is None or request.sequence_length is not None:
        return request, practice
    return replace(request, sequence_length=practice.source_limit + practice.target_limit), practice


def _of_other_scripts(practice: Practice) -> Caution:
    source, target = practice.source_limit, practice.target_limit
    limits = (("sources", source), ("targets", target))
    told = " and ".join(f"{what} of at most {limit:,}" for what, limit in limits if limit is not None)
    if source is not None and target is not None:
        how = f"this model reads one behind the other, and rows are taken to end at {source + target:,}"
    else:
        how = "this model reads both in one sequence, so that neither alone tells where rows end, and it is not counted"
    message = f"framework says {told} tokens, as scripts for encoder–decoders do; {how}: say sequence_length"
    return Caution(code="lengths_not_apart", message=message)
