"""Runs that a caller measured, told with the arguments of a question and a speed, and resolved as one."""

import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Protocol, Union, cast, get_args, get_origin, get_type_hints

from estimator.base.argument_names import meant
from estimator.base.errors import (
    InfeasibleError,
    InvalidValueError,
    MissingValueError,
    UnknownNameError,
    UnsupportedModelError,
)
from estimator.base.inputs import checked_number, checked_whole_count
from estimator.base.speeds import parse_step_s, parse_tokens_per_second
from estimator.models.flops import flop_counts
from estimator.physics.ceilings import matmul_ceiling_flop_per_s
from estimator.question.choices import method_named, precision_named, sharding_named
from estimator.question.profile import Profile
from estimator.question.question import Assumption, OwnRun, Question
from estimator.question.request import LONGEST_FRAMEWORK, NOT_ASKED, Request
from estimator.resolve.device import Device
from estimator.resolve.subject import Subject

__all__ = ["MOST_OWN_RUNS", "Resolved", "Resolver", "own_run_assumptions", "own_runs"]

MOST_OWN_RUNS = 50
_MY_RUNS = "my_runs"
_SPEED, _STEP = "tokens_per_second", "step_seconds"
_NOT_OF_A_RUN = NOT_ASKED | {
    _MY_RUNS,
    "profile",
    "utilization",
    "observed_tokens_per_second",
    "price_per_gpu_hour",
}
"""Arguments that say nothing of how a run was measured."""
_UNSAID_TOKENS = 1e12
"""Stands for an amount nobody told: a speed does not depend on it."""
_LONGEST = 1_000
"""Characters of an argument."""
_MOST_TOKENS_PER_SECOND, _MOST_STEP_S = 1e15, 1e7
_ARGUMENT = "argument"
_CHOICES: Mapping[str, Callable[[object], object]] = {
    "precision": precision_named,
    "data_sharding": sharding_named,
    "method": method_named,
}
_MOST_WHOLE = 10**9
_MOST_NAMED = 3
_KEPT = 32
_OF_ONE_TOKEN = 1


class Resolved(Protocol):
    """What is asked of a resolved run."""

    @property
    def subject(self) -> Subject:
        """The model."""
        ...

    @property
    def device(self) -> Device:
        """What it ran on."""
        ...

    @property
    def n_gpus(self) -> int:
        """How many of them."""
        ...

    @property
    def sequence_length(self) -> int:
        """Tokens of a sequence."""
        ...

    @property
    def global_batch_sequences(self) -> int | None:
        """As the caller said; None where they did not."""
        ...

    @property
    def question(self) -> Question | None:
        """None where the architecture or the device is not known to the step-time model."""
        ...


Resolver = Callable[[Request], Resolved]


def own_runs(
    given: Sequence[Mapping[str, object]], resolved: Resolver, profile: Profile | None = None
) -> tuple[OwnRun, ...]:
    """Return the runs `given`, each resolved by `resolved`; what was told alike is resolved once.

    They ran on the machines of `profile`, where there is one: its rates are theirs, or they would count twice.

    Raises InvalidValueError, MissingValueError, UnknownNameError or UnsupportedModelError naming the run and the
    argument that does not fit, and what would.
    """
    if not given:
        return ()
    if len(given) > MOST_OWN_RUNS:
        remedy = f"runs are more than the {MOST_OWN_RUNS} that are looked at; give those most like what is asked"
        raise InvalidValueError(_MY_RUNS, len(given), remedy)
    machines = None if profile is None else replace(profile, runs=())
    return tuple(_named_run(place, _spelt(place, run), resolved, machines) for place, run in enumerate(given))


def own_run_assumptions(own: Sequence[OwnRun]) -> tuple[Assumption, ...]:
    """Return that runs were given, as one resolved input."""
    named = ", ".join(dict.fromkeys(run.label for run in own[:_MOST_NAMED]))
    note = f"{named}{', …' if len(own) > _MOST_NAMED else ''}; their speeds correct the prediction"
    return (Assumption(name=_MY_RUNS, value=len(own), unit="runs", source="user", note=note),)


def _spelt(place: int, run: object) -> str:
    """Return a run as JSON, its keys sorted, so that the same words are the same run."""
    where = f"{_MY_RUNS}[{place}]"
    if not isinstance(run, Mapping):
        raise InvalidValueError(
            where, run, 'must be an object: {"model": …, "gpu": …, "n_gpus": …, "' + _SPEED + '": …}'
        )
    try:
        return json.dumps(dict(cast("Mapping[str, object]", run)), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise InvalidValueError(where, "{…}", "must hold text, finite numbers and objects alone") from None


def _named_run(place: int, spelt: str, resolved: Resolver, profile: Profile | None) -> OwnRun:
    """Return the run that `spelt` tells; whatever is wrong with it is told with its place in the list."""
    where = f"{_MY_RUNS}[{place}]"
    try:
        return _own_run(spelt, resolved, profile)
    except UnknownNameError as error:
        argument = f"{where} argument" if error.argument == _ARGUMENT else f"{where}.{error.argument}"
        raise UnknownNameError(argument, str(error.given), error.nearest, error.remedy) from error
    except InvalidValueError as error:
        raise InvalidValueError(f"{where}.{error.argument}", error.given, error.remedy) from error
    except MissingValueError as error:
        raise MissingValueError(f"{where}.{error.argument}", str(error).partition(" is missing: ")[2]) from error
    except UnsupportedModelError as error:
        raise UnsupportedModelError(f"{where}: {error}") from error
    except InfeasibleError as error:
        raise InfeasibleError(f"{where}: {error}") from error


@lru_cache(maxsize=_KEPT * MOST_OWN_RUNS)
def _own_run(spelt: str, resolved: Resolver, profile: Profile | None) -> OwnRun:
    told: dict[str, object] = json.loads(spelt)
    arguments = {name: value for name, value in told.items() if value is not None}
    speeds = {name: arguments.pop(name) for name in (_SPEED, _STEP) if name in arguments}
    request = _request(arguments)
    if len(speeds) != 1:
        if speeds:
            raise InvalidValueError(_STEP, speeds[_STEP], f"and {_SPEED} both tell the speed; give one of them")
        raise MissingValueError(_SPEED, f"give what all GPUs together reached, or {_STEP} with the batch")
    alone = _STEP in speeds and request.micro_batch_size is not None and not _tells_batch(request)
    if alone:
        # Trainers accumulate nothing unless told.
        request = replace(request, gradient_accumulation=1)
    run = resolved(replace(request, profile=profile))
    question = run.question
    if question is None:
        remedy = (
            "cannot be predicted, so that nothing follows from its speed; name a model and a GPU that are catalogued"
        )
        raise InvalidValueError("model" if run.device.accelerator else "gpu", run.subject.name, remedy)
    device = question.cluster.accelerator
    return OwnRun(
        key=spelt if profile is None else f"{profile.digest} {spelt}",
        label=f"{run.subject.name} on {run.n_gpus:,} × {device.id}{', nothing accumulated' if alone else ''}",
        question=question,
        tokens_per_second=_possible(_tokens_per_second(run, speeds), question, next(iter(speeds.items()))),
    )


def _tells_batch(request: Request) -> bool:
    return request.global_batch_sequences is not None or request.gradient_accumulation is not None


def _request(arguments: Mapping[str, object]) -> Request:
    """Return the question that `arguments` ask, each of its own type."""
    known = _readers()
    for name in arguments:
        if name == _MY_RUNS:
            raise InvalidValueError(name, "[…]", "cannot hold runs of its own; list every run in the one my_runs")
        if name not in known:
            choices = [*known, _SPEED, _STEP]
            near = meant(name, choices) or get_close_matches(name[:_LONGEST], choices, n=_MOST_NAMED, cutoff=0.6)
            # Said of the argument itself: its place is put before.
            raise UnknownNameError(_ARGUMENT, name, near, "an own run takes estimate_training_time's arguments")
    for name, remedy in (
        ("model", 'give a preset such as "llama-3.1-8b", or a size such as "7B"'),
        ("gpu", 'give one that list_gpus shows, such as "h100"'),
        ("n_gpus", "give how many GPUs the run had"),
    ):
        if name not in arguments and not (name == "model" and "hf_config" in arguments):
            raise MissingValueError(name, remedy)
    read = {name: known[name](name, value) for name, value in arguments.items()}
    for name, named in _CHOICES.items():
        if name in read:
            read[name] = named(read[name])
    read.setdefault("model", "")
    if not any(name in read for name in ("tokens", "samples", "steps")):
        read["tokens"] = _UNSAID_TOKENS
        read.pop("epochs", None)
    return Request(**read)  # type: ignore[arg-type]


_Reader = Callable[[str, object], object]


@cache
def _readers() -> Mapping[str, _Reader]:
    """Return what reads each argument that a run may be told with, by the type that a question has it in."""
    hints = get_type_hints(Request)
    return {each.name: _reader(hints[each.name]) for each in fields(Request) if each.name not in _NOT_OF_A_RUN}


def _reader(hint: object) -> _Reader:
    kinds = set(get_args(hint)) if get_origin(hint) in {Union, types.UnionType} else {hint}
    if str in kinds:
        return _text if not kinds & {int, float} else _quantity
    if float in kinds:
        return checked_number
    if int in kinds:
        return _whole
    return _object


def _text(name: str, value: object) -> object:
    longest = LONGEST_FRAMEWORK if name == "framework" else _LONGEST
    if not isinstance(value, str) or len(value) > longest:
        raise InvalidValueError(name, value, f"must be text of at most {longest:,} characters")
    return value


def _quantity(name: str, value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > _LONGEST:
        raise InvalidValueError(name, value, f"must be a number, or text of at most {_LONGEST:,} characters")
    return value


def _whole(name: str, value: object) -> object:
    return checked_whole_count(name, value, most=_MOST_WHOLE)


def _object(name: str, value: object) -> object:
    if not isinstance(value, dict):
        raise InvalidValueError(name, value, "must be a JSON object")
    return cast("dict[str, object]", value)


def _tokens_per_second(run: Resolved, speeds: Mapping[str, object]) -> float:
    """Return the speed of all devices together, steady state.

    batch · sequence length / step time      where the time of a step is told
    """
    if _SPEED in speeds:
        return parse_tokens_per_second(speeds[_SPEED], _SPEED, n_gpus=run.n_gpus, most=_MOST_TOKENS_PER_SECOND)[0]
    step_s = parse_step_s(speeds[_STEP], _STEP, most=_MOST_STEP_S)
    if run.global_batch_sequences is None:
        raise MissingValueError("global_batch_sequences", f"{_STEP} needs how many sequences a step has")
    return run.global_batch_sequences * run.sequence_length / step_s


def _possible(tokens_per_second: float, question: Question, told: tuple[str, object]) -> float:
    """Return the speed of a run where its devices can reach it.

    Raises InvalidValueError where the weights' products alone, attention left out, would pass the dense peak.
    """
    cluster, precision = question.cluster, question.precision
    chip = cluster.accelerator
    peak = max(matmul_ceiling_flop_per_s(chip, precision), chip.peak_flop_per_s.get(precision, 0.0))
    # At a length of one: packed documents of any length see at least that.
    flop = flop_counts(question.transformer, sequence_length=_OF_ONE_TOKEN, method=question.method).model
    share = tokens_per_second * flop / (cluster.n_gpus * peak)
    if share > 1.0:
        name, given = told
        raise InvalidValueError(
            name,
            given,
            f"would execute {share:,.0%} of the dense peak of {cluster.n_gpus:,} {chip.name}: is it in tokens (or "
            "seconds a step) of all GPUs together, of this model?",
        )
    return tokens_per_second
