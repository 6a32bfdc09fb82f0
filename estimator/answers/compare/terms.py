"""On which terms options are compared where nobody said which: each is what an estimate of it alone would be.

What differs beside what is compared, the software, the precision or the length, would pass for a difference between
devices or methods, and is told before anything else is read off a comparison.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from estimator.answers.compare.compare import Outcome
from estimator.answers.compare.names import short_names
from estimator.answers.compare.rank import Row
from estimator.answers.estimate.wording import amount_words
from estimator.base.text import first_of
from estimator.question.question import Caution
from estimator.resolve.framework.local_updates import asked_local_updates
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.software import AUTO
from estimator.resolve.profile import with_profile
from estimator.resolve.run import Run

__all__ = ["SEVERAL_FRAMEWORKS", "SEVERAL_PRECISIONS", "names_no_stack", "terms_cautions"]

SEVERAL_FRAMEWORKS, SEVERAL_PRECISIONS = "several_frameworks_assumed", "several_precisions_assumed"

_SEVERAL = 2
_NAMED = 2
_WAYS: tuple[Callable[[Run], str], ...] = (
    lambda run: run.device.name,
    lambda run: run.subject.name,
    lambda run: f"method {run.method.name}",
    lambda run: f"{run.n_gpus:,} GPUs",
    amount_words,
    lambda run: f"{run.method.name} on {run.device.name}",
    lambda run: f"{run.subject.name} on {run.device.name}",
    lambda run: f"{run.method.name} on {run.device.counted(run.n_gpus)}",
)
"""What may tell the options of one kind from the others', the plainest first."""


def terms_cautions(rows: Sequence[Row]) -> tuple[Caution, ...]:
    """Return what to know of the terms before anything else is read off a comparison; often nothing."""
    best = [row.outcome for row in rows if row.rank is not None]
    return (*_several_precisions(best), *_several_stacks(best), *_several_lengths(best))


def names_no_stack(outcome: Outcome) -> bool:
    """Return whether nobody said what an option is run on."""
    _, software = asked_local_updates(with_profile(outcome.request).request.framework)
    return named_framework(software).name == AUTO


def _several_precisions(best: Sequence[Outcome]) -> Iterator[Caution]:
    """Yield that precisions differ where nobody said one: a training is priced as it was, and chips have their own."""
    on = _apart(
        (outcome.estimate.run.device.precision, outcome)
        for outcome in best
        if outcome.estimate is not None and outcome.request.precision.strip().casefold() == AUTO
    )
    if len(on) < _SEVERAL:
        return
    message = (
        f"precision was not said: {_told(on)}, so that part of a difference may be the precision's: say precisions"
    )
    yield Caution(code=SEVERAL_PRECISIONS, message=message)


def _several_stacks(best: Sequence[Outcome]) -> Iterator[Caution]:
    """Yield that stacks differ where nobody named one: of several chips, methods or models."""
    on = _apart(
        (outcome.framework, outcome)
        for outcome in best
        if outcome.framework and outcome.estimate is not None and names_no_stack(outcome)
    )
    if len(on) < _SEVERAL:
        return
    message = (
        f"framework was not said: each is taken to run on what is usual, {_told(on)}, so that part of a difference may "
        "be the software's: name one with framework"
    )
    yield Caution(code=SEVERAL_FRAMEWORKS, message=message)


def _several_lengths(best: Sequence[Outcome]) -> Iterator[Caution]:
    """Yield that one model is compared at several lengths that nobody told: as each device has room for."""
    lengths: dict[str, set[int]] = {}
    for outcome in best:
        if outcome.estimate is not None and outcome.request.sequence_length is None:
            run = outcome.estimate.run
            if run.amount.tokens_per_sample is None:
                lengths.setdefault(run.subject.name, set()).add(run.sequence_length)
    for model, found in lengths.items():
        if len(found) >= _SEVERAL:
            span = f"{min(found):,} to {max(found):,} tokens"
            message = (
                f"sequence_length was not said: {model} is compared at {span}, as is usual or fits, and part of a "
                "difference may be the length's: give sequence_length"
            )
            yield Caution(code="several_lengths_assumed", message=message)


def _apart(options: Iterable[tuple[str, Outcome]]) -> Mapping[str, list[str]]:
    """Return each value of the options that have one, with what tells its options from the others'.

    The plainest way whose names are of one value each; where none is, all that differs among the options.
    """
    told = list(options)
    runs = [outcome.estimate.run for _, outcome in told if outcome.estimate is not None]
    ways = [*([name(run) for run in runs] for name in _WAYS), short_names([outcome for _, outcome in told])]
    names: dict[str, list[str]] = {}
    for way in ways:
        on: dict[str, list[str]] = {}
        for (value, _), name in zip(told, way, strict=True):
            on.setdefault(value, []).append(name)
        names = {value: [*dict.fromkeys(each)] for value, each in on.items()}
        if len({each for named in names.values() for each in named}) == sum(map(len, names.values())):
            break
    return names


def _told(on: Mapping[str, list[str]]) -> str:
    return first_of([f"{value} for {first_of(names, _NAMED)}" for value, names in on.items()], _NAMED)
