"""Steps as an amount of data: of full sequences where a run packs or pre-trains, of samples where it pads them."""

import re
from collections.abc import Callable
from dataclasses import replace

from estimator.models.kinds import kind_of
from estimator.models.objective import ObjectiveName
from estimator.models.training import WITH_ADAPTERS
from estimator.physics.stacks import Stack, auto_stack, stack_named
from estimator.question.question import Caution
from estimator.question.request import Request
from estimator.resolve.batch import model_window, packed_length, replicas, resolved_batch, told_length, usual_length
from estimator.resolve.data import ToldData
from estimator.resolve.device import Device
from estimator.resolve.framework.software import AUTO
from estimator.resolve.media import MediaUse, usual_trainer
from estimator.resolve.objective import asked_objective, usual_stack
from estimator.resolve.packing import FEW_GPUS, SCORED_WHOLE, resolved_packing
from estimator.resolve.sample_lengths import USUAL_SAMPLE, SampleLengths
from estimator.resolve.steps import with_batch, with_steps
from estimator.resolve.training_method import resolved_method

__all__ = ["FROM_SCRATCH_TOO", "counted_steps"]

FROM_SCRATCH_TOO = frozenset({"deepspeed", "fsdp", "huggingface", "lightning", "mlx", "pytorch", "tinygrad"})
"""Engines and general trainers: whoever trains all of a model on them may as well pre-train it, in full sequences."""
_TUNING = re.compile(r"\bsft\b|instruct|fine[ _-]?tun|supervised")
"""What says that samples are trained on, whoever trains."""


def counted_steps(data: ToldData, framework: str, use: MediaUse, device: Device, n_gpus: int) -> ToldData:
    """Return `data` with an amount in place of its steps, and with the batch and the length that they took.

    Where a run trains on samples and tells no length of them, they are as long as in a usual set.
    """
    stack = stack_named(framework) if framework != AUTO else None
    subject = use.subject
    few = n_gpus <= FEW_GPUS or resolved_method(data.request, subject)[0].name in WITH_ADAPTERS
    denoises = subject.transformer is not None and kind_of(subject.transformer) == "diffusion"
    tunes = not use.whole_rows and _trains_on_samples(data.request, stack, use, device)
    data = with_batch(data, stack, pictures=denoises and few, accumulates=tunes)

    def padded(rows: Request) -> bool:
        method, _ = resolved_method(rows, subject)
        trainer = usual_stack(_objective(rows, stack), framework)
        trainer = usual_trainer(trainer, subject.transformer, device.accelerator, n_gpus, rows)
        if use.fixed_tokens and trainer == AUTO and rows.packing == AUTO:
            # Whoever counts steps of pictures counts samples, however many then share a row.
            return True
        return resolved_packing(
            rows,
            trainer,
            device.accelerator,
            method.name,
            n_gpus,
            encodes=use.encodes,
            objective=_objective(rows, stack),
        ).padded

    if tunes and data.lengths is None and data.request.tokens is None:
        data = _with_usual_samples(data, use, padded)
    told = told_length(data.request)
    packed = packed_length(subject, data.lengths.mean) if data.lengths else 0
    return with_steps(
        data,
        resolved_batch(data.request, n_gpus)[0],
        lengths=(told or usual_length(subject, tunes=tunes), told or packed),
        padded=padded,
        replicas=replicas(data.request, n_gpus),
        vocabulary=subject.transformer.vocab if subject.transformer else None,
    )


def _objective(request: Request, stack: Stack | None) -> ObjectiveName:
    return asked_objective(request, stack.name if stack else AUTO).objective.name


def _trains_on_samples(request: Request, stack: Stack | None, use: MediaUse, device: Device) -> bool:
    """Return whether a step takes samples rather than full sequences: adapters, pairs, a trainer made for samples."""
    name = _objective(request, stack)
    if name in SCORED_WHOLE:
        return True
    method, _ = resolved_method(request, use.subject)
    if stack is None and method.name in WITH_ADAPTERS and device.accelerator is not None:
        stack = auto_stack(device.accelerator, method.name)
    if name in {"masked", "replaced_token"}:
        return False
    if _TUNING.search(f"{request.objective} {request.framework}".casefold()):
        return True
    if stack is None or not stack.tunes:
        return False
    return method.name in WITH_ADAPTERS or stack.name not in FROM_SCRATCH_TOO


def _with_usual_samples(data: ToldData, use: MediaUse, padded: Callable[[Request], bool]) -> ToldData:
    """Return `data` with samples of a usual length where they are padded; as it is where they fill sequences.

    A sequence length that was told is what they have, or what trainers cut them at: the range holds both.
    """
    request = data.request
    window = told_length(request) or model_window(use.subject)
    low, mean, high = (min(tokens, window) for tokens in (USUAL_SAMPLE.low, USUAL_SAMPLE.mode, USUAL_SAMPLE.high))
    if mean >= window or not padded(replace(request, samples=1, tokens_per_sample=mean)):
        return data
    if request.sequence_length is not None:
        return _maybe_cut(data, window)
    message = (
        f"steps count samples, and nobody told how long those are: {mean:,.0f} tokens on average are assumed, where "
        f"sets have {USUAL_SAMPLE.low:,.0f} to {USUAL_SAMPLE.high:,.0f}; time is proportional to that: give "
        'tokens_per_sample, or a data set in samples, or packing "packed" for full sequences'
    )
    return replace(
        data,
        request=replace(request, tokens_per_sample=mean),
        lengths=SampleLengths(mean=mean),
        low_factor=low / mean,
        high_factor=high / mean,
        cautions=(*data.cautions, Caution(code="sample_lengths_assumed", message=message)),
    )


def _maybe_cut(data: ToldData, length: int) -> ToldData:
    """Return `data`, whose sequences are as long as told, with a range that holds samples only cut there."""
    least = USUAL_SAMPLE.mode / length
    message = (
        f"each sequence is counted with all of its {length:,} tokens; if that is only where samples are cut, they are "
        f"shorter, and time with them: a usual set's have {USUAL_SAMPLE.mode:,.0f}, {least:.2g} of it, and half of all "
        'sets have shorter ones: give tokens_per_sample or a data set in samples, or packing "packed" if they are full'
    )
    caution = Caution(code="length_may_be_a_limit", message=message)
    return replace(data, low_factor=least, cautions=(*data.cautions, caution))
