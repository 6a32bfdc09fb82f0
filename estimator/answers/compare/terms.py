"""On which terms options are compared where nobody said which: warnings, with what the terms change."""

from collections.abc import Callable, Iterator, Sequence

from estimator.answers.compare.alike import Terms, left_open
from estimator.answers.compare.compare import Outcome
from estimator.answers.compare.rank import Row
from estimator.answers.compare.wording import option_name
from estimator.base.text import first_of
from estimator.question.question import Caution
from estimator.resolve.framework.software import AUTO
from estimator.resolve.run import Run

__all__ = ["SEVERAL_FRAMEWORKS", "terms_cautions"]

SEVERAL_FRAMEWORKS = "several_frameworks_assumed"

_SEVERAL = 2
_NAMED = 2


def terms_cautions(terms: Terms, rows: Sequence[Row]) -> tuple[Caution, ...]:
    """Return what to know of the terms before anything else is read off a comparison; often nothing."""
    best = [row.outcome for row in rows if row.rank is not None]
    stacks = (*_one_stack(terms, best), *_several_stacks(best))
    return (*_one_precision(terms, best), *stacks, *_several_lengths(best))


def _one_precision(terms: Terms, best: Sequence[Outcome]) -> Iterator[Caution]:
    found = left_open(terms, best, "precision")
    if found is None:
        return
    here, own = (outcome.estimate for outcome in found)
    if here is None or own is None:
        return
    common, narrow = here.run.device.precision, own.run.device.precision
    message = (
        f"precision was not said: all are compared in {common}; in {narrow}, as published runs on it are, "
        f"{option_name(here)} would take {own.training_s / here.training_s:.2f} times as long: say precisions"
    )
    yield Caution(code="one_precision_assumed", message=message)


def _one_stack(terms: Terms, best: Sequence[Outcome]) -> Iterator[Caution]:
    found = left_open(terms, best, "framework")
    if found is None or found[0].estimate is None or found[1].estimate is None:
        return
    here, own = found
    times = found[1].estimate.training_s / found[0].estimate.training_s
    kept = {id(terms.asked[place]) for place, names in terms.changed.items() if "framework" in names}
    alone = sum(id(outcome.request) in kept for outcome in best)
    others = f", but for {alone:,} that fit on their usual one alone" if alone else ""
    message = (
        f"framework was not said, and these options would usually run on several: they are compared on "
        f"{here.framework}{others}; on {own.framework} {option_name(found[0].estimate)} would take {times:.2f} times "
        "as long: name yours with framework"
    )
    yield Caution(code="one_framework_assumed", message=message)


def _several_stacks(best: Sequence[Outcome]) -> Iterator[Caution]:
    """Yield that stacks differ where nobody named one and none is common: of chips of several makers."""
    on = _usual_stacks(best)
    if len(on) < _SEVERAL:
        return
    told = first_of([f"{stack} for {first_of(names, _NAMED)}" for stack, names in on.items()], _NAMED)
    message = (
        f"framework was not said: each is taken to run on what is usual, {told}, so that part of a difference may be "
        "the software's: name one with framework"
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
                f"sequence_length was not said: {model} is compared at {span}, as fits or was published, and part of a "
                "difference may be the length's: give sequence_length"
            )
            yield Caution(code="several_lengths_assumed", message=message)


def _usual_stacks(best: Sequence[Outcome]) -> dict[str, list[str]]:
    """Return the stacks of options of which none was said, each with what tells its options from the others'."""
    usual = [
        (outcome.framework, outcome.estimate.run)
        for outcome in best
        if outcome.framework and outcome.request.framework == AUTO and outcome.estimate is not None
    ]
    ways: tuple[Callable[[Run], str], ...] = (
        lambda run: run.device.name,
        lambda run: run.subject.name,
        lambda run: f"{run.n_gpus:,} GPUs",
    )
    for name in ways:
        on: dict[str, list[str]] = {}
        for stack, run in usual:
            on.setdefault(stack, []).append(name(run))
        names = {stack: [*dict.fromkeys(told)] for stack, told in on.items()}
        if len({each for told in names.values() for each in told}) == sum(map(len, names.values())):
            return names
    return {}
