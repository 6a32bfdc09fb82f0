"""A training run with every input resolved: what it is, where each value came from, what to beware of."""

from dataclasses import dataclass

from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.base.inputs import (
    MOST_GPUS,
    checked_fraction,
    checked_number,
    checked_whole,
    checked_whole_count,
)
from estimator.base.units import BITS_PER_BYTE, GIGA, parse_count, parse_usd
from estimator.models.coefficient import rule_passes
from estimator.models.training import Method
from estimator.physics.stacks import stack_of
from estimator.question.cluster import Cluster
from estimator.question.question import Assumption, Caution, Question
from estimator.question.request import Request
from estimator.resolve.amount import Amount, resolved_amount
from estimator.resolve.device import Device, resolved_device
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.told import framework_assumptions, told_request
from estimator.resolve.layout_request import MOST_SEQUENCES, layout_assumptions, layout_request
from estimator.resolve.rule import RuleOfThumb
from estimator.resolve.subject import Subject, resolved_subject
from estimator.resolve.training_method import resolved_method

__all__ = ["Run", "resolve"]

_MOST_SEQUENCE_LENGTH = 1_000_000_000
_MOST_NETWORK_GBPS = 1e6
_MOST_TOKENS_PER_SECOND = 1e15
_MOST_USD_PER_GPU_HOUR = 1e4
_USUAL_SEQUENCE_LENGTH = 8192
"""What models of long context are trained on for nearly all of their tokens (Grattafiori et al. 2024, section 3.4)."""
_SHORTEST_PACKED = 2048
"""Short samples are packed into sequences of at least this length by default in common fine-tuning stacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything an estimate depends on."""

    subject: Subject
    device: Device
    n_gpus: int
    amount: Amount
    method: Method
    sequence_length: int
    global_batch_sequences: int | None
    rule: RuleOfThumb
    model_coefficient: float
    """The rule's coefficient without recomputation: what the model needs."""
    question: Question | None
    """For the step-time model; None where the architecture or the device is not known to it."""
    utilization: float | None
    observed_tokens_per_second: float | None
    usd_per_gpu_hour: float | None
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Caution, ...]


def resolve(request: Request) -> Run:
    """Return `request` resolved.

    Raises InvalidValueError or UnknownNameError naming the argument that does not fit and what would;
    UnsupportedModelError for an architecture that is not modelled and whose size is not told.
    """
    framework = named_framework(request.framework)
    request, framework_doubts = told_request(request, framework)
    subject, device = resolved_subject(request), resolved_device(request)
    n_gpus = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    amount = resolved_amount(request, subject.transformer.vocab if subject.transformer else None)
    method, method_assumptions = resolved_method(request, subject)
    length, length_assumption = _sequence_length(request, subject, amount)
    batch, batch_note = _batch(request, n_gpus)
    cluster, cluster_assumptions = _cluster(request, device, n_gpus)
    stack = stack_of(framework.name, cluster.accelerator, n_gpus) if cluster else None
    layout = layout_request(
        request,
        subject.transformer,
        n_gpus,
        sequence_length=length,
        batch=batch,
        end_layers=stack.end_layers if stack else 0,
    )
    question = (
        Question(
            transformer=subject.transformer,
            cluster=cluster,
            precision=device.precision,
            method=method,
            sequence_length=length,
            global_batch_sequences=batch,
            layout=layout,
            framework=framework.name,
            released=framework.released,
            practice=framework.practice,
        )
        if subject.transformer is not None and cluster is not None
        else None
    )
    utilization, observed, price, given = _given_rates(request)
    coefficient = rule_passes(method.name, layout.recompute or "none").coefficient
    return Run(
        subject=subject,
        device=device,
        n_gpus=n_gpus,
        amount=amount,
        method=method,
        sequence_length=length,
        global_batch_sequences=batch,
        rule=RuleOfThumb(
            coefficient=coefficient,
            parameters=subject.active_parameters,
            tokens=amount.tokens,
            n_gpus=n_gpus,
            peak_flop_per_s=device.peak_flop_per_s,
        ),
        model_coefficient=rule_passes(method.name, "none").coefficient,
        question=question,
        utilization=utilization,
        observed_tokens_per_second=observed,
        usd_per_gpu_hour=price,
        assumptions=(
            *subject.assumptions,
            *amount.assumptions,
            *device.assumptions,
            Assumption(name="n_gpus", value=n_gpus, unit="GPUs", source="user"),
            *cluster_assumptions,
            *method_assumptions,
            length_assumption,
            *(
                ()
                if batch is None
                else (
                    Assumption(
                        name="global_batch_sequences", value=batch, unit="sequences", source="user", note=batch_note
                    ),
                )
            ),
            *layout_assumptions(layout),
            *framework_assumptions(framework),
            *given,
        ),
        warnings=(*subject.warnings, *device.warnings, *framework_doubts, *_length_doubts(amount, length)),
    )


def _batch(request: Request, n_gpus: int) -> tuple[int | None, str]:
    """Return the sequences of a step and what they are made of; None where nothing tells.

    micro-batch · gradient accumulation · GPUs / (tensor · pipeline · context parallel)
    """
    if request.global_batch_sequences is not None:
        if request.gradient_accumulation is not None:
            remedy = "and gradient_accumulation both set the batch; give one of them"
            raise InvalidValueError("global_batch_sequences", request.global_batch_sequences, remedy)
        return checked_whole_count("global_batch_sequences", request.global_batch_sequences, most=MOST_SEQUENCES), ""
    if request.gradient_accumulation is None:
        return None, ""
    accumulated = checked_whole("gradient_accumulation", request.gradient_accumulation, most=MOST_SEQUENCES)
    if request.micro_batch_size is None:
        raise MissingValueError("micro_batch_size", "gradient_accumulation counts micro-batches; give their size too")
    micro = checked_whole("micro_batch_size", request.micro_batch_size, most=MOST_SEQUENCES)
    split = (request.tensor_parallel or 1) * (request.pipeline_parallel or 1) * (request.context_parallel or 1)
    replicas = max(1, n_gpus // max(1, split))
    note = f"{micro:,} a micro-batch × {accumulated:,} accumulated × {replicas:,} data-parallel replicas"
    return micro * accumulated * replicas, note


def _sequence_length(request: Request, subject: Subject, amount: Amount) -> tuple[int, Assumption]:
    """Return the tokens of a sequence and where the number came from."""
    if request.sequence_length is not None:
        length = checked_whole_count("sequence_length", request.sequence_length, most=_MOST_SEQUENCE_LENGTH)
        return length, Assumption(name="sequence_length", value=length, unit="tokens", source="user")
    native = subject.transformer.native_sequence_length if subject.transformer is not None else _USUAL_SEQUENCE_LENGTH
    if amount.tokens_per_sample is not None:
        length = _SHORTEST_PACKED
        while length < amount.tokens_per_sample:
            length *= 2
        length = min(length, max(native, _SHORTEST_PACKED))
        note = "long enough for a sample of the given length; several are packed into one sequence"
    else:
        length = min(native, _USUAL_SEQUENCE_LENGTH)
        note = (
            "the model's own training length"
            if length == native
            else f"the model takes {native:,}, but nearly all training is done at {length:,} or less"
        )
    return length, Assumption(name="sequence_length", value=length, unit="tokens", source="default", note=note)


def _length_doubts(amount: Amount, length: int) -> tuple[Caution, ...]:
    if amount.tokens_per_sample is None or amount.tokens_per_sample <= length:
        return ()
    return (
        Caution(
            code="samples_longer_than_sequence",
            message=f"samples of {amount.tokens_per_sample:,.0f} tokens are longer than the sequence of {length:,}: "
            "they are counted as split over several sequences; truncated instead, there would be fewer tokens",
        ),
    )


def _cluster(request: Request, device: Device, n_gpus: int) -> tuple[Cluster | None, tuple[Assumption, ...]]:
    """Return the machines and what was assumed of them; None for a card that is not catalogued."""
    per_node = (
        None if request.gpus_per_node is None else checked_whole("gpus_per_node", request.gpus_per_node, most=MOST_GPUS)
    )
    network = (
        None
        if request.network_gbps_per_gpu is None
        else checked_number("network_gbps_per_gpu", request.network_gbps_per_gpu, most=_MOST_NETWORK_GBPS, unit="Gb/s")
    )
    accelerator = device.accelerator
    if accelerator is None:
        return None, ()
    node = min(accelerator.gpus_per_node if per_node is None else per_node, n_gpus)
    scale_out = accelerator.scale_out_bytes_per_s if network is None else network * GIGA / BITS_PER_BYTE
    assumptions = [
        Assumption(
            name="gpus_per_node",
            value=node,
            unit="GPUs",
            source="catalogue" if per_node is None else "user",
            note="the usual node" if per_node is None and node == accelerator.gpus_per_node else "",
        )
    ]
    if n_gpus > node:
        assumptions.append(
            Assumption(
                name="network_gbps_per_gpu",
                value=round(scale_out * BITS_PER_BYTE / GIGA, 4),
                unit="Gb/s per GPU",
                source="catalogue" if network is None else "user",
                note="the reference system's" if network is None else "",
            )
        )
    cluster = Cluster(accelerator=accelerator, n_gpus=n_gpus, gpus_per_node=node, scale_out_bytes_per_s=scale_out)
    return cluster, tuple(assumptions)


def _given_rates(request: Request) -> tuple[float | None, float | None, float | None, tuple[Assumption, ...]]:
    """Return utilization, observed speed and price, where given, and the assumptions they are."""
    assumptions: list[Assumption] = []
    utilization = observed = price = None
    if request.utilization is not None:
        utilization = checked_fraction("utilization", request.utilization)
        assumptions.append(
            Assumption(name="utilization", value=utilization, unit="of dense peak", source="user", note="not predicted")
        )
    if request.observed_tokens_per_second is not None:
        if utilization is not None:
            raise InvalidValueError(
                "utilization", utilization, "and observed_tokens_per_second both set the speed; give one of them"
            )
        observed = parse_count(
            request.observed_tokens_per_second, "observed_tokens_per_second", most=_MOST_TOKENS_PER_SECOND
        )
        assumptions.append(
            Assumption(
                name="observed_tokens_per_second",
                value=observed,
                unit="tokens/s, all GPUs together",
                source="user",
                note="steady state",
            )
        )
    if request.price_per_gpu_hour is not None:
        price = parse_usd(request.price_per_gpu_hour, "price_per_gpu_hour", most=_MOST_USD_PER_GPU_HOUR)
        assumptions.append(Assumption(name="price_per_gpu_hour", value=price, unit="USD", source="user"))
    return utilization, observed, price, tuple(assumptions)
