"""What a run trains on: how many samples of what length, and what of its model each of them meets."""

from dataclasses import replace

from estimator.models.kinds import Kind, kind_of
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.batch import replicas, resolved_batch
from estimator.resolve.data import ToldData
from estimator.resolve.device import Device
from estimator.resolve.framework.software import NamedFramework
from estimator.resolve.media import MediaUse, media_use, with_media, with_usual_parts
from estimator.resolve.sounds import data_of_network
from estimator.resolve.subject import Subject
from estimator.resolve.targets import with_targets

__all__ = ["contents"]

_AT_ONCE: frozenset[Kind] = frozenset({"audio", "diffusion", "encoder", "vision"})
"""Kinds whose trainers seldom accumulate: recipes of timm, DETR, diffusers and BERT give the batch of a device."""


def contents(
    told: Request, subject: Subject, framework: NamedFramework, device: Device, n_gpus: int
) -> tuple[ToldData, MediaUse]:
    """Return the data of `told` in numbers, its steps counted, and its model as one sample meets it.

    Raises as `told_data`, `media_use` and `with_steps` do.
    """
    data = data_of_network(told, subject.transformer)
    use = media_use(data.request, subject, framework.practice)
    data = _at_once(with_media(data, use), use, n_gpus)
    if data.request.steps is not None:
        # Most amounts are told in tokens or samples.
        from estimator.resolve.counted_steps import counted_steps

        data = counted_steps(data, framework.name, use, device, n_gpus)
    return data, with_targets(with_usual_parts(use, data.request), data)


def _at_once(data: ToldData, use: MediaUse, n_gpus: int) -> ToldData:
    """Return `data` with the batch that a micro-batch on each replica makes, where it alone is told.

    Not where steps and an amount tell the batch, nor of kinds whose trainers accumulate as often.
    """
    request, network = data.request, use.subject.transformer
    batch = (request.global_batch_sequences, request.gradient_accumulation)
    amount = request.tokens if data.lengths is None else request.samples
    told = any(value is not None for value in batch) or (request.steps is not None and amount is not None)
    if told or network is None or request.micro_batch_size is None or kind_of(network) not in _AT_ONCE:
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
