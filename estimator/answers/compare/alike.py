"""Options on equal terms: one stack and one precision for all of them where nobody said which.

Left open, each is what most runs of its kind have, or what a published run of it had. Beside one another the choice of
software and of number format would pass for a difference between methods or devices.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from estimator.answers.compare.compare import Outcome, outcomes, run_or_reason
from estimator.models.kinds import kind_of
from estimator.physics.stacks import stack_named
from estimator.question.request import Request
from estimator.resolve.framework.local_updates import asked_local_updates
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.software import AUTO
from estimator.resolve.profile import with_profile
from estimator.resolve.run import Run

__all__ = ["Terms", "equal_terms", "estimated_on", "left_open"]

_NARROW = frozenset({"fp8", "mxfp8", "nvfp4"})
_HALVES = ("bf16", "fp16")
_OF_THEIR_OWN = frozenset({"tpu", "trainium"})
"""Families of chips that have a stack which no other runs."""
_MAKERS_OF_THEIR_OWN = frozenset({"Apple"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Requests as they are compared, each beside what was asked."""

    asked: tuple[Request, ...]
    set: tuple[Request, ...]
    """The same with what nobody said, in the same order."""

    @property
    def changed(self) -> Mapping[int, frozenset[str]]:
        """The arguments that were set, by place, of those requests that have any."""
        return {place: request.alike for place, request in enumerate(self.set) if request.alike}


def equal_terms(asked: Sequence[Request], *, across_devices: bool, most_unknown: int) -> Terms:
    """Return `asked` with one stack and one precision where both were left open and would differ.

    The stack is that of the options which are fine-tuned or run on cards for desktops, where there are any, for it runs
    all of them; that of each maker's chips stays where all are pre-trained. With `across_devices` off each device keeps
    its own, as where nobody named them. The precision is of 16 bits, which all have.
    """
    refusals: dict[object, str] = {}

    def resolved(requests: Iterable[Request]) -> list[Run | str]:
        return [run_or_reason(request, refusals, most_unknown) for request in requests]

    runs = resolved(asked)
    stacks = _common_stacks(asked, runs, across_devices=across_devices)
    set_ = [_on_stack(request, stacks.get(place)) for place, request in enumerate(asked)]
    if stacks:
        runs = resolved(set_)
    return Terms(asked=tuple(asked), set=tuple(_in_one_precision(set_, runs)))


def _common_stacks(asked: Sequence[Request], runs: Sequence[Run | str], *, across_devices: bool) -> dict[int, str]:
    """Return the stack of each option that is to have another's, by place, and of those it is compared with."""
    rivals: dict[object, list[int]] = {}
    for place, (request, run) in enumerate(zip(asked, runs, strict=True)):
        if isinstance(run, Run) and run.question is not None and _names_no_stack(request):
            chip = run.question.cluster.accelerator
            own = chip.family if chip.family in _OF_THEIR_OWN else chip.vendor
            platform = own if own in _OF_THEIR_OWN | _MAKERS_OF_THEIR_OWN else ""
            device = "" if across_devices else chip.id
            rivals.setdefault((platform, device, kind_of(run.question.transformer)), []).append(place)
    stacks: dict[int, str] = {}
    for places in rivals.values():
        names = Counter(run.stack.name for place in places if isinstance(run := runs[place], Run))
        tuning = [name for name, _ in names.most_common() if stack_named(name).tunes]
        if len(names) > 1 and tuning:
            stacks |= dict.fromkeys(places, tuning[0])
    return stacks


def _names_no_stack(request: Request) -> bool:
    _, software = asked_local_updates(with_profile(request).request.framework)
    return named_framework(software).name == AUTO


def _on_stack(request: Request, stack: str | None) -> Request:
    if stack is None:
        return request
    said = with_profile(request).request.framework
    plain = not named_framework(said).says_something
    framework = stack if plain else f"{stack}, {said}"
    return replace(request, framework=framework, alike=request.alike | {"framework"})


def _in_one_precision(requests: Sequence[Request], runs: Sequence[Run | str]) -> Iterator[Request]:
    """Yield each request; those left in narrow formats, where others are not, in 16 bits."""
    left_open = [request.precision.strip().casefold() == AUTO for request in requests]
    found = {
        run.device.precision for run, is_open in zip(runs, left_open, strict=True) if isinstance(run, Run) and is_open
    }
    mixed = bool(found & _NARROW) and len(found) > 1
    for request, run, is_open in zip(requests, runs, left_open, strict=True):
        narrow = mixed and is_open and isinstance(run, Run) and run.device.precision in _NARROW
        chip = run.device.accelerator if narrow and isinstance(run, Run) else None
        half = next((one for one in _HALVES if chip is not None and one in chip.peak_flop_per_s), None)
        if half is None:
            yield request
        else:
            yield replace(request, precision=half, alike=request.alike | {"precision"})


def estimated_on(terms: Terms, found: Sequence[Outcome]) -> list[Outcome]:
    """Return what came of each request; what cannot be run on the common stack, and can on its own, as it was asked."""
    alone = [place for place, names in terms.changed.items() if "framework" in names and found[place].reason]
    again = dict(zip(alone, outcomes([terms.asked[place] for place in alone]), strict=True))
    return [
        again[place] if place in again and not again[place].reason else outcome for place, outcome in enumerate(found)
    ]


def left_open(terms: Terms, best: Sequence[Outcome], argument: str) -> tuple[Outcome, Outcome] | None:
    """Return the first of `best` whose `argument` was set and is another left open, and what comes of it so."""
    asked = {id(request): original for request, original in zip(terms.set, terms.asked, strict=True)}
    for outcome in best:
        original = asked.get(id(outcome.request))
        if original is None or argument not in outcome.request.alike:
            continue
        alike = outcome.request.alike - {argument}
        if argument == "framework":
            request = replace(outcome.request, framework=original.framework, alike=alike)
        else:
            request = replace(outcome.request, precision=original.precision, alike=alike)
        (own,) = outcomes([request])
        if not own.reason and _differs(outcome, own, argument):
            return outcome, own
    return None


def _differs(one: Outcome, other: Outcome, argument: str) -> bool:
    if argument == "framework":
        return one.framework != other.framework
    if one.estimate is None or other.estimate is None:
        return False
    return one.estimate.run.device.precision != other.estimate.run.device.precision
