"""The step at which a trainer is told to stop, where the arguments tell how large the set is that it runs over."""

from collections.abc import Callable
from dataclasses import replace

from estimator.base.inputs import checked_number
from estimator.base.units import format_count, parse_count
from estimator.physics.stacks import Stack, stack_named
from estimator.question.question import Caution
from estimator.question.request import Request, ToldSteps
from estimator.resolve.data import MOST_EPOCHS, ToldData
from estimator.resolve.framework.software import AUTO

__all__ = ["with_last_step"]

_WHICHEVER_FIRST = frozenset({"lightning", "litgpt"})
"""Trainers that stop at their number of steps or of passes, whichever comes first; to others steps alone count."""


def with_last_step(data: ToldData, framework: str, counted: Callable[[ToldData], ToldData]) -> ToldData:
    """Return `data` in so many steps as its trainer is told, by `counted`; as it is where it is told none.

    `max_steps` overrides passes in Transformers and what is built on it, and an iteration of MLX is a step: samples
    are then those that there are to take. Where nobody told a batch and no trainer has a usual one, the samples count.
    """
    request = data.request
    stop = None if request.settings is None else request.settings.last_step
    if stop is None:
        return data
    stack = stack_named(framework) if framework != AUTO else None
    if not _has_batch(request, stack):
        message = f"framework says {stop.words}, but of what batch is not told, and the argument's samples are counted"
        remedy = "give micro_batch_size with gradient_accumulation, or global_batch_sequences"
        caution = Caution(code="framework_contradicted", message=f"{message}: {remedy}")
        return replace(data, cautions=(*data.cautions, caution))
    there, what = _there(data)
    kept = request.samples if data.entry else None
    stopped = counted(replace(data, request=replace(request, steps=stop.steps, epochs=None, samples=kept)))
    epochs = None if request.epochs is None else checked_number("epochs", request.epochs, most=MOST_EPOCHS)
    passes = _there(stopped)[0] / there
    if framework in _WHICHEVER_FIRST and epochs is not None and passes > epochs:
        return data
    return replace(stopped, cautions=(*stopped.cautions, _stopped(stop, there, what, passes, epochs)))


def _has_batch(request: Request, stack: Stack | None) -> bool:
    told = (request.global_batch_sequences, request.micro_batch_size)
    return any(value is not None for value in told) or (stack is not None and stack.tunes)


def _there(data: ToldData) -> tuple[float, str]:
    """Return how much there is in one pass over `data`, and what is counted: samples, else tokens."""
    request = data.request
    if request.samples is not None:
        return parse_count(request.samples, "samples"), "samples"
    return (1.0 if request.tokens is None else parse_count(request.tokens, "tokens")), "tokens"


def _stopped(stop: ToldSteps, there: float, what: str, passes: float, epochs: float | None) -> Caution:
    instead = f", not the {epochs:g} told" if epochs is not None else ""
    message = (
        f"framework says {stop.words}: the run is taken to end there, after {passes:.3g} passes over the "
        f"{format_count(there)} {what}{instead}; leave that out if it does not"
    )
    return Caution(code="steps_from_framework", message=message)
