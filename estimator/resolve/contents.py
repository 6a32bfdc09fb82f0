"""What a run trains on: how many samples of what length, and what of its model each of them meets."""

from dataclasses import replace
from functools import partial

from estimator.base.prior import Prior
from estimator.models.kinds import Kind, kind_of
from estimator.question.practice import Padding
from estimator.question.question import Assumption, Caution
from estimator.question.request import Request
from estimator.resolve.autoencoders import seen_as_trained
from estimator.resolve.batch import cut_length, replicas, resolved_batch
from estimator.resolve.data import ToldData
from estimator.resolve.device import Device
from estimator.resolve.framework.software import NamedFramework
from estimator.resolve.media import MediaUse, media_use, with_media, with_usual_parts
from estimator.resolve.objective import asked_objective
from estimator.resolve.picture_text import picture_text, with_projector_alone
from estimator.resolve.sample_lengths import SampleLengths
from estimator.resolve.small_pictures import on_small_pictures
from estimator.resolve.sounds import data_of_network
from estimator.resolve.sources_and_targets import with_lengths_apart
from estimator.resolve.subject import Subject
from estimator.resolve.targets import with_targets
from estimator.resolve.token_batch import with_batch_of_tokens
from estimator.resolve.trainers_defaults import left_at_defaults, micro_batch_unless_told

__all__ = ["contents"]

_NONE = Prior(low=0.0, mode=0.0, high=0.0, why="all rows are padded to one length")
_CUT_AT = 64
"""What lengths at which scripts cut are multiples of: 128 (`run_glue.py`), 384 (SQuAD), 192, 256, 512."""
_SPECIAL_TOKENS = 2
"""Tokens that such a number may be short of: those that a tokenizer adds at the ends, T5 one and BERT two."""
_SHORTER_ROWS = 0.6
"""Tokens of a row over a limit: collators that pad to the longest leave rows of short texts shorter than the cut."""
_LONGER_ROWS = 1.5
"""The same where a number that is a limit in most scripts was a mean all the same."""

_AT_ONCE: frozenset[Kind] = frozenset({"audio", "diffusion", "encoder", "vision"})
"""Kinds whose trainers seldom accumulate: recipes of timm, DETR, diffusers and BERT give the batch of a device."""


def contents(
    told: Request, subject: Subject, framework: NamedFramework, device: Device, n_gpus: int
) -> tuple[ToldData, MediaUse]:
    """Return the data of `told` in numbers, its steps counted, and its model as one sample meets it.

    Raises as `told_data`, `media_use` and `with_steps` do.
    """
    subject = seen_as_trained(subject, told)
    told, practice, apart = with_lengths_apart(told, framework.practice, subject.transformer)
    sequences = asked_objective(told, framework.name).objective.sequences
    data = data_of_network(told, subject.transformer, sequences)
    data = replace(data, cautions=(*data.cautions, *apart))
    data, subject = on_small_pictures(data, subject, told)
    use = media_use(data.request, subject, framework.practice, picture_text(data, told, subject.transformer))
    data = with_batch_of_tokens(with_media(data, use), subject, n_gpus)
    data = left_at_defaults(data, use, framework, device)
    data = _at_once(_cut(data, use, framework.practice.padding), use, framework, n_gpus)
    media = None if use.subject.transformer is None else use.subject.transformer.media
    if media is not None and use.count:
        data = with_projector_alone(data, media)
    if data.request.steps is not None or _is_told_to_stop(data.request):
        # Most amounts are told in tokens or samples.
        from estimator.resolve.counted_steps import counted_steps
        from estimator.resolve.last_step import with_last_step

        counted = partial(counted_steps, framework=framework.name, use=use, device=device, n_gpus=n_gpus)
        data = with_last_step(data, framework.name, counted) if data.request.steps is None else counted(data)
    return data, with_targets(with_usual_parts(use, data.request), data, practice)


def _is_told_to_stop(request: Request) -> bool:
    return request.settings is not None and request.settings.last_step is not None


def _cut(data: ToldData, use: MediaUse, padding: Padding | None) -> ToldData:
    """Return `data` with the one length that is told of an encoder's texts as a mean or what they are cut to, or both.

    The longest is a limit, and so is a round number, which hardly any mean is. Another number alone may be either. Of
    what no encoder reads the longest alone tells a limit, and no mean.
    """
    told, network = data.lengths, use.subject.transformer
    if told is None:
        return data
    reads = use.encodes and network is not None and data.request.sequence_length is None
    # Of tokens that were counted, a mean makes samples: rows of the longest would be fewer.
    counted = any(one.name == "samples" for one in data.assumptions)
    window = network.native_sequence_length if reads and network is not None else 0
    if told.usual_mean:
        longest = told.longest or 0.0
        return _limited(data, told, longest) if not counted and longest <= window else _of_usual_mean(data, told)
    if not told.bare or told.mean > window:
        return data
    # A text as long as its model reads fills its row either way.
    fills = told.mean >= cut_length(use.subject, told.mean)
    if fills or -told.mean % _CUT_AT <= _SPECIAL_TOKENS:
        return _limited(data, told, told.mean, longer=1.0 if fills or padding == "limit" else _LONGER_ROWS)
    return data if padding == "limit" else _either(data, told)


def _limited(data: ToldData, told: SampleLengths, cut_at: float, *, longer: float = 1.0) -> ToldData:
    """Return `data` with `cut_at` as what all texts are padded and cut to; `longer`: rows may be by so much."""
    mean, say = "", f'"mean N, max {cut_at:g}"'
    if longer > 1.0:
        mean, say = "; were it the mean, they would be about twice as long", f'{say} or "mean {cut_at:g}"'
    message = (
        f"{cut_at:,.0f} tokens are taken to be what texts are padded and cut to, as such numbers are in scripts for "
        f"encoders; padded to the longest of a micro-batch, rows are shorter{mean}: if so, say {say}"
    )
    factors = (1.0, 1.0) if told.usual_mean else (data.low_factor, data.high_factor)
    return replace(
        data,
        request=replace(data.request, tokens_per_sample=cut_at),
        lengths=SampleLengths(
            mean=cut_at, variation=_NONE, shortest=cut_at, longest=cut_at, told=True, fixed=told.fixed
        ),
        low_factor=factors[0] * _SHORTER_ROWS,
        high_factor=factors[1] * longer,
        cautions=(*data.cautions, Caution(code="length_taken_as_limit", message=message)),
    )


def _either(data: ToldData, told: SampleLengths) -> ToldData:
    """Return `data` of whose texts one number is told, that may be their mean or what they are padded and cut to."""
    message = (
        f"{told.mean:,.0f} tokens may be the mean of texts, or what they are padded and cut to, which makes rows about "
        "half as long as those padded to the longest of a micro-batch: the time is between the two, and the range "
        f'holds both: say "mean {told.mean:g}" or "padded to {told.mean:g}"'
    )
    return replace(
        data,
        lengths=replace(told, may_be_limit=True),
        low_factor=data.low_factor * _SHORTER_ROWS,
        cautions=(*data.cautions, Caution(code="length_mean_or_limit", message=message)),
    )


def _of_usual_mean(data: ToldData, told: SampleLengths) -> ToldData:
    """Return `data`, of whose samples the longest alone was told, with a warning of the mean that was assumed."""
    message = (
        f"of samples only the longest is told, {told.longest or told.mean:,.0f} tokens: those of a usual set cut there "
        f"have {told.mean - told.fixed:,.0f} on average, which is assumed, and time is proportional to that: say "
        f'"mean N, max {told.longest or told.mean:g}"'
    )
    return replace(data, cautions=(*data.cautions, Caution(code="sample_lengths_assumed", message=message)))


def _at_once(data: ToldData, use: MediaUse, framework: NamedFramework, n_gpus: int) -> ToldData:
    """Return `data` with the batch that a micro-batch on each replica makes, where it alone is told.

    Not where steps and an amount tell the batch, nor of kinds whose trainers accumulate as often, unless it is one that
    does not unless told.
    """
    request, network = data.request, use.subject.transformer
    batch = (request.global_batch_sequences, request.gradient_accumulation)
    amount = request.tokens if data.lengths is None else request.samples
    told = any(value is not None for value in batch) or (request.steps is not None and amount is not None)
    if told or network is None or request.micro_batch_size is None:
        return data
    if kind_of(network) not in _AT_ONCE and micro_batch_unless_told(request, framework.name, network) is None:
        return data
    alone = replace(request, gradient_accumulation=1)
    note = (
        f"{request.micro_batch_size:,} a micro-batch × {replicas(request, n_gpus):,} replicas, nothing accumulated: "
        "trainers of such models seldom do; say gradient_accumulation where yours does"
    )
    sequences = resolved_batch(alone, n_gpus)[0] or 0
    name = "global_batch_sequences"
    assumed = Assumption(name=name, value=sequences, unit="sequences", source="inferred", note=note)
    return replace(data, request=alone, assumed=(*data.assumed, assumed))
