"""Which device: the cheapest that ends by a deadline, or the fastest of a given count."""

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.counts import Counts, degree_product
from estimator.answers.plan.limits import infeasible
from estimator.answers.plan.preference import preferred, usual_choice
from estimator.answers.plan.trials import Trials, fits, left_idle, sureness
from estimator.answers.plan.types import Option
from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.base.text import listed
from estimator.catalogue import catalogue
from estimator.catalogue.entries import AcceleratorEntry, Match
from estimator.catalogue.network_words import listed_devices
from estimator.question.question import Assumption, Caution
from estimator.question.request import Quantity
from estimator.resolve.candidates import DESKTOP, means_all, priced_devices
from estimator.resolve.framework.platforms import NOT_FOR_GPU
from estimator.resolve.framework.software import AUTO
from estimator.resolve.slices import machine_name, uncounted

__all__ = ["candidates", "planned_device", "precisions_differ"]

_MOST_CANDIDATES = 40
_ALTERNATIVES = 5
_DATACENTER = "datacenter"


def candidates(given: Quantity | None, n_gpus: int | None) -> tuple[tuple[str, ...], Assumption]:
    """Return the names to choose among: those listed by the caller, else all that have a dated price.

    Each as `n_gpus` is counted with; without a count what reads as the same in any number.
    Raises UnknownNameError for a name no catalogue has.
    """
    if not means_all(given):
        names = listed_devices(str(given))
        if len(names) > _MOST_CANDIDATES:
            raise InvalidValueError("gpu", given, f"names {len(names)}; at most {_MOST_CANDIDATES} would do")
        found = [catalogue.accelerator(name) for name in names]
        if any(match.network for match in found):
            raise InvalidValueError("gpu", given, "tells of a network, which is one for all: say it in framework")
        if n_gpus is None:
            names = [str(uncounted(name)) for name in names]
        listed_once = {
            match.value.id if _is_plain(match) else name: None for name, match in zip(names, found, strict=True)
        }
        return (*listed_once,), Assumption(name="candidates", value=", ".join(listed_once), source="user")
    ids = priced_devices(n_gpus)
    note = "those with a dated price, each with the software that is usual on it"
    if n_gpus is None:
        note += f", cards for desktops up to {DESKTOP}; name others in gpu, with commas"
    elif n_gpus > DESKTOP:
        note += ", for data centres; name others in gpu, with commas"
    return ids, Assumption(name="candidates", value=len(ids), unit="GPUs", source="default", note=note)


def planned_device(
    trials: Trials, names: tuple[str, ...], n_gpus: int | None
) -> tuple[Option, Option | None, tuple[Option, ...]]:
    """Return the best device, the surely best, and the runners-up.

    With a deadline the cheapest that keeps to it, on its fewest devices where no count is given; else the fastest. Of
    all that are for rent, `preferred` chooses among those that cost, or take, about as little. Raises InfeasibleError
    where none keeps to the limits, with what to relax.
    """
    limits = trials.limits
    if n_gpus is None and limits.deadline_s is None:
        remedy = "the best gpu is chosen for a count (n_gpus), for a deadline or for a budget"
        raise MissingValueError("n_gpus", remedy)
    _checked(trials, names, n_gpus)
    estimates = [estimate for name in names if (estimate := _tried(trials, name, n_gpus)) is not None]
    if means_all(trials.base.gpu):
        # Who names a device is warned; nobody asked for one on which the method or the stack is not run.
        estimates = [estimate for estimate in estimates if _is_run_on(estimate)] or estimates
    cheapest_first = limits.deadline_s is not None
    by_rank = partial(_rank, cheapest=cheapest_first)
    ranked = sorted((estimate for estimate in estimates if _meets(trials, estimate)), key=by_rank)
    anyones = means_all(trials.base.gpu)
    if n_gpus is None:
        tried, usual = _shortlisted(ranked), usual_choice(ranked) if anyones else None
        tried += [usual] if usual is not None and all(usual is not one for one in tried) else []
        on_fewest = (_refined(trials, estimate) for estimate in tried)
        ranked = sorted((estimate for estimate in on_fewest if estimate is not None), key=by_rank)
    if not ranked:
        each = f", with {n_gpus:,} of one," if n_gpus is not None else ""
        run = trials.resolved(trials.varied(gpu=names[0], n_gpus=n_gpus or 1))
        raise infeasible(trials, f"none of the {len(names)} GPUs{each} trains {run.subject.name}")
    choice = preferred(ranked, limits, anyones=anyones)
    solution = Option(why=f"even odds: {choice.why}", meets=True, estimate=choice.estimate)
    others = [*choice.beside]
    kept = {id(option.estimate) for option in (solution, *others)}
    others += [
        Option(why=_too(other), meets=True, estimate=other) for other in _shortlisted(ranked) if id(other) not in kept
    ]
    others = others[:_ALTERNATIVES]
    ranked.sort(key=lambda estimate: estimate is not choice.estimate)
    if len(others) < _ALTERNATIVES:
        missed = [estimate for estimate in estimates if not _meets(trials, estimate)]
        missed.sort(key=lambda estimate: (not fits(estimate), estimate.training_s))
        for estimate in missed[: _ALTERNATIVES - len(others)]:
            why = "breaks a limit" if fits(estimate) else "does not fit in memory"
            others.append(Option(why=why, meets=False, estimate=estimate))
    return solution, _surely(trials, ranked, n_gpus), tuple(others)


def _is_plain(match: Match[AcceleratorEntry]) -> bool:
    """Return whether a name says no more than which device it is."""
    return match.count is None and match.holds is None and machine_name(match) == match.value.id


def _shortlisted(ranked: list[Estimate]) -> list[Estimate]:
    """Return the best of `ranked`, among them one on several devices where the stack uses one by itself."""
    first = ranked[: _ALTERNATIVES + 1]
    several = next((estimate for estimate in ranked if left_idle(estimate)), None)
    return first if several is None or several in first else [*first[:-1], several]


def _too(estimate: Estimate) -> str:
    return "does too, where it is started on all of them" if left_idle(estimate) else "does too"


def precisions_differ(solution: Estimate, others: Iterable[Estimate], said: str) -> tuple[Caution, ...]:
    """Return that devices are weighed in several precisions where nobody `said` one: a training is as it was."""
    found = dict.fromkeys(estimate.run.device.precision for estimate in (solution, *others))
    if said != AUTO or len(found) == 1:
        return ()
    message = (
        f"precision was not said: devices are weighed in {listed([*found])}, the chosen one in {next(iter(found))}, so "
        "that part of a difference may be the precision's: say precision"
    )
    return (Caution(code="several_precisions_assumed", message=message),)


def _is_run_on(estimate: Estimate) -> bool:
    return all(caution.code != NOT_FOR_GPU for caution in estimate.run.warnings)


def _checked(trials: Trials, names: tuple[str, ...], n_gpus: int | None) -> None:
    """Raise what is wrong with the request on every candidate; on some it may be the candidate's own want."""
    error: InvalidValueError | None = None
    for name in names:
        request = trials.varied(gpu=name)
        try:
            trials.resolved(replace(request, n_gpus=n_gpus or degree_product(request)))
        except InvalidValueError as wrong:
            error = wrong
        else:
            return
    if error is not None:
        raise error


def _tried(trials: Trials, name: str, n_gpus: int | None) -> Estimate | None:
    """Return a device's run: on the given count, or on about the fewest that do; None where it cannot run so."""
    if n_gpus is not None:
        return trials.at(trials.varied(gpu=name, n_gpus=n_gpus))
    try:
        return _counts(trials, name).roughly_in_time()
    except InvalidValueError:
        # The precision asked for is not one it has.
        return None


def _refined(trials: Trials, estimate: Estimate) -> Estimate | None:
    if estimate.run.device.accelerator is None:
        return estimate
    ways = _counts(trials, estimate.run.device.label)
    count = ways.fewest_in_time(sure=False)
    return None if count is None else ways.at(count)


def _surely(trials: Trials, ranked: list[Estimate], n_gpus: int | None) -> Option | None:
    """Return the best that keeps to the limits by the far end of its range."""
    limits = trials.limits
    if limits.deadline_s is None and limits.budget is None:
        return None
    for estimate in ranked:
        safe: Estimate | None = estimate
        device = estimate.run.device
        if n_gpus is None and device.accelerator is not None:
            ways = _counts(trials, device.label)
            count = ways.fewest_in_time(sure=True)
            safe = None if count is None else ways.at(count)
        if safe is not None and safe.coverage is not None and trials.meets(safe, sure=True):
            return Option(why=sureness(safe), meets=True, estimate=safe)
    return None


def _counts(trials: Trials, name: str) -> Counts:
    """Return the counts of a device; of a card for desktops, unless the caller named it, one machine's."""
    named = not means_all(trials.base.gpu)
    segment = catalogue.accelerator(name).value.accelerator.segment
    return Counts(trials, name) if named or segment == _DATACENTER else Counts(trials, name, most=DESKTOP)


def _meets(trials: Trials, estimate: Estimate) -> bool:
    of_money = trials.limits.budget is not None and trials.limits.budget_unit == "USD"
    if of_money and estimate.cost_usd.value is None:
        return False
    return bool(trials.meets(estimate, sure=False))


def _rank(estimate: Estimate, *, cheapest: bool) -> tuple[bool, float, float]:
    """Return what runs are ordered by, the least first; last those whose stack uses one of several by itself."""
    cost = math.inf if estimate.cost_usd.value is None else estimate.cost_usd.value
    idle = bool(left_idle(estimate))
    return (idle, cost, estimate.training_s) if cheapest else (idle, estimate.training_s, cost)
