"""Many runs side by side: each is estimated, or kept with the reason why it cannot be."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TYPE_CHECKING, TypeVar

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.base.errors import EstimatorError, InfeasibleError, InvalidValueError, UnsupportedModelError
from estimator.base.inputs import MOST_GPUS, checked_whole_count
from estimator.base.numerals import other_reading
from estimator.base.pauses import pause
from estimator.base.units import format_bytes, parse_count
from estimator.physics.crossings import amount_decides
from estimator.question.question import MemoryUse, Question
from estimator.question.request import Quantity, Request
from estimator.resolve.candidates import means_all, priced_devices
from estimator.resolve.misplaced import checked_kind
from estimator.resolve.named_data import named_data
from estimator.resolve.passes import amount_and_passes
from estimator.resolve.run import Run, checked_own_runs, resolve
from estimator.resolve.slices import with_whole_counted
from estimator.resolve.text_tokens import text_tokens

_T = TypeVar("_T")

if TYPE_CHECKING:
    from estimator.answers.compare.steps import QuickStep

__all__ = ["MOST_OPTIONS", "Choices", "Outcome", "outcomes", "requests", "run_or_reason", "same_step"]

MOST_OPTIONS = 2_000
"""Of one comparison: what is answered in a few seconds; a sweep takes as many as one likes."""
_WINDOW = 64
"""Requests resolved ahead of those that are priced, so that those of one question share its layouts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The values of everything that is varied; the options are their product."""

    models: Sequence[Quantity]
    gpus: Sequence[Quantity]
    n_gpus: Sequence[Quantity]
    tokens: Sequence[Quantity | None]
    """None for the amount that the common request tells as steps."""
    precisions: Sequence[str] = ("auto",)
    methods: Sequence[str] = ("full",)
    prices: Sequence[Quantity] = ()
    """Of a GPU-hour: none, one for all, or one for each of `gpus`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one request."""

    request: Request
    estimate: Estimate | None
    """None where the request was refused."""
    framework: str
    """The stack whose efficiency was used; empty where the speed was not predicted."""
    reason: str
    """Why it cannot be run as asked; empty where it can."""


def requests(choices: Choices, common: Request) -> list[Request]:
    """Return every combination of `choices`, all else as in `common`; a value given twice counts once.

    Raises InvalidValueError where there are more than one comparison takes, where a count is none, or where there are
    not as many prices as GPUs. A model or a GPU that nobody knows is for the row to say.
    """
    # Whatever is wrong with them is wrong of every option.
    checked_own_runs(common)
    counts = _once(checked_whole_count("n_gpus", n_gpus, most=MOST_GPUS) for n_gpus in choices.n_gpus)
    devices = _devices(choices, counts)
    models, precisions, methods = _once(choices.models), _once(choices.precisions), _once(choices.methods)
    amounts = _once(_amount(tokens) for tokens in choices.tokens)
    lists: dict[str, Sequence[object]] = {
        "models": models,
        "gpus": devices,
        "n_gpus": counts,
        "tokens": amounts,
        "precisions": precisions,
        "methods": methods,
    }
    total = 1
    for name, values in lists.items():
        if not values:
            raise InvalidValueError(name, "[]", "is empty; give at least one value")
        total *= len(values)
    if total > MOST_OPTIONS:
        parts = " × ".join(f"{len(values)} {name}" for name, values in lists.items() if len(values) > 1)
        widest = max(lists, key=lambda name: len(lists[name]))
        remedy = f"combinations ({parts}) are more than the {MOST_OPTIONS:,} that one comparison takes"
        raise InvalidValueError(widest, total, f"{remedy}; give fewer {widest}, or run `traintime sweep`")
    counted = {gpu: _counted_once(gpu, counts) for gpu, _ in devices}
    return [
        replace(
            common,
            model=model,
            gpu=gpu,
            n_gpus=n_gpus,
            tokens=tokens,
            precision=precision,
            method=method,
            method_chosen=len(methods) > 1,
            price_per_gpu_hour=price,
        )
        # Tokens innermost, then GPUs: those share their layouts.
        for model, method, n_gpus, precision, (gpu, price), tokens in product(
            models,
            methods,
            counts,
            precisions,
            devices,
            amounts,
        )
        if n_gpus in counted[gpu]
    ]


def _devices(choices: Choices, counts: Sequence[int]) -> list[tuple[Quantity, Quantity | None]]:
    """Return each device with its price; all that have one in the place of `all`."""
    named: list[tuple[Quantity, Quantity | None]] = []
    for name, price in zip(choices.gpus, _prices(choices), strict=True):
        names = priced_devices(max(counts, default=None)) if str(name).strip() and means_all(name) else (name,)
        named += [(each, price) for each in names]
    return _once(named)


def _counted_once(gpu: Quantity, counts: Sequence[int]) -> frozenset[int]:
    """Return those of `counts` that differ beside `gpu`: one rack and 72 GPUs are the same beside `GB200 NVL72`.

    Of those that do not, the one that counts devices, or the first.
    """
    meant: dict[int, list[int]] = {}
    for count in counts:
        try:
            devices = int(with_whole_counted(Request(model="", gpu=gpu, n_gpus=count)).request.n_gpus)
        except InvalidValueError:
            # Refused beside such a name, which its row tells.
            devices = count
        meant.setdefault(devices, []).append(count)
    return frozenset(devices if devices in told else told[0] for devices, told in meant.items())


def _amount(tokens: Quantity | None) -> Quantity | None:
    """Return a number of tokens, or the name of a data set and the size of a text as they are.

    Raises InvalidValueError or UnknownNameError for what is none of them.
    """
    checked_kind("tokens", tokens)
    if tokens is None or named_data(tokens, "tokens") is not None or text_tokens(tokens, "tokens") is not None:
        return tokens
    if amount_and_passes(tokens, "tokens") is not None:
        return tokens
    count = parse_count(tokens, "tokens")
    # What may be another amount is told of with each option, which sees it as it was written.
    return tokens if isinstance(tokens, str) and other_reading(tokens) is not None else count


def _once(values: Iterable[_T]) -> list[_T]:
    return list(dict.fromkeys(values))


def _prices(choices: Choices) -> Sequence[Quantity | None]:
    n_prices, n_gpus = len(choices.prices), len(choices.gpus)
    if n_prices <= 1:
        return [choices.prices[0] if choices.prices else None] * n_gpus
    if n_prices != n_gpus:
        remedy = f"prices do not match {n_gpus} gpus; give one for all, or one for each in the same order"
        raise InvalidValueError("prices_per_gpu_hour", n_prices, remedy)
    return choices.prices


def outcomes(several: Iterable[Request], *, most_unknown: int | None = None) -> Iterator[Outcome]:
    """Yield what comes of each request, in order; nothing that is yielded depends on the others.

    Raises InvalidValueError past `most_unknown` models and devices that cannot be resolved, if that is given.

    Neighbours that differ only in the amount of data share one question unless another batch follows from it, or one of
    them is a published training, and those of one model their layouts.
    """
    # NumPy comes with it, and the first word of a comparison should not wait for that.
    from estimator.answers.compare.steps import quick_steps

    left = iter(several)
    refusals: dict[object, str] = {}
    while window := list(islice(left, _WINDOW)):
        resolved = [run_or_reason(request, refusals, most_unknown) for request in window]
        questions: dict[object, Question] = {}
        for request, resolution in zip(window, resolved, strict=True):
            if isinstance(resolution, Run) and resolution.question is not None and resolution.utilization is None:
                questions.setdefault(_shared(request, resolution), resolution.question)
        steps = quick_steps(list(questions.values()))
        done: dict[object, QuickStep | InfeasibleError] = {}
        keys = list(questions)
        for request, resolution in zip(window, resolved, strict=True):
            key = _shared(request, resolution)
            while key in questions and key not in done:
                place, step = next(steps)
                done[keys[place]] = step
            if isinstance(resolution, str):
                yield _refused(request, resolution)
            else:
                yield _outcome(request, resolution, done.get(key))


def run_or_reason(request: Request, refusals: dict[object, str], most_unknown: int | None) -> Run | str:
    """Return the run that `request` describes, or why there is none; a bad name is looked up once."""
    pause()
    names = [("model", request.model, request.hf_config is None), ("gpu", request.gpu, request.peak_tflops)]
    for name in names:
        if name in refusals:
            return refusals[name]
    if most_unknown is not None and len(refusals) > most_unknown:
        first = next(iter(refusals.values()))
        remedy = f"names and more are not known here; mend those first. The first: {first}"
        raise InvalidValueError("models or gpus", most_unknown, remedy)
    try:
        return resolve(request)
    except InvalidValueError as error:
        for name in names:
            if name[0] == error.argument:
                refusals[name] = str(error)
        return str(error)
    except EstimatorError as error:
        if isinstance(error, UnsupportedModelError):
            refusals[names[0]] = str(error)
        return str(error)


def _shared(request: Request, resolution: Run | str) -> object:
    """Return what requests have in common that one question answers."""
    question = resolution.question if isinstance(resolution, Run) else None
    of_amount = amount_decides(question) if question is not None and question.step_follows else None
    # On as many tokens as a published training had, it is that one, and the surer the nearer they are.
    precedent = question.precedent if question is not None else None
    alike = (precedent.trained, precedent.amount_alike) if precedent is not None else None
    return same_step(request), of_amount, alike


def same_step(request: Request) -> object:
    """Return what the step of `request` depends on, of a batch that does not follow from the amount of data."""
    # A name may be of samples, which are priced in rows of their own length.
    named = request.tokens if isinstance(request.tokens, str) else None
    same = replace(request, tokens=named, epochs=None, price_per_gpu_hour=None, hf_config=None, my_runs=())
    return same, id(request.hf_config), id(request.my_runs)


def _refused(request: Request, reason: str) -> Outcome:
    return Outcome(request=request, estimate=None, framework="", reason=reason)


def _outcome(request: Request, resolved: Run, step: "QuickStep | InfeasibleError | None") -> Outcome:
    if isinstance(step, InfeasibleError):
        return _refused(request, str(step))
    estimated = estimate_of(resolved, step.prediction if step else None)
    reason = "" if step is None or step.fits else _too_large(step.prediction.memory, resolved)
    return Outcome(request=request, estimate=estimated, framework=step.framework if step else "", reason=reason)


def _too_large(memory: MemoryUse, resolved: Run) -> str:
    need, have = format_bytes(memory.least_bytes), format_bytes(memory.usable_bytes)
    return (
        f"does not fit: the smallest layout needs {need} of {have} that a run can fill on each {resolved.device.name}"
    )
