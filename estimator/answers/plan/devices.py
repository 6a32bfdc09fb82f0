"""Which device: the cheapest that ends by a deadline, or the fastest of a given count."""

import math
from dataclasses import replace

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.counts import Counts, degree_product
from estimator.answers.plan.limits import infeasible
from estimator.answers.plan.trials import Trials, fits
from estimator.answers.plan.types import Option
from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.catalogue import catalogue
from estimator.question.question import Assumption
from estimator.question.request import Quantity

__all__ = ["candidates", "devices"]

_MOST_CANDIDATES = 40
_ALTERNATIVES = 5
_ALL = frozenset({"", "all", "any"})
_DATACENTER = "datacenter"
_DESKTOP = 8
"""Up to as many, cards for desktops are candidates too."""


def candidates(given: Quantity | None, n_gpus: int | None) -> tuple[tuple[str, ...], Assumption]:
    """Return the ids to choose among: those listed by the caller, else all that have a dated price.

    Raises UnknownNameError for a name no catalogue has.
    """
    if given is not None and str(given).strip().casefold() not in _ALL:
        names = [name.strip() for name in str(given).split(",") if name.strip()]
        if len(names) > _MOST_CANDIDATES:
            raise InvalidValueError("gpu", given, f"names {len(names)}; at most {_MOST_CANDIDATES} would do")
        ids = tuple(dict.fromkeys(catalogue.accelerator(name).value.accelerator.id for name in names))
        return ids, Assumption(name="candidates", value=", ".join(ids), source="user")
    desktop = n_gpus is None or n_gpus <= _DESKTOP
    chips = [entry.accelerator for entry in catalogue.accelerators()]
    ids = tuple(chip.id for chip in chips if catalogue.prices(chip.id) and (desktop or chip.segment == _DATACENTER))
    note = "those with a dated price"
    if n_gpus is None:
        note += f", cards for desktops up to {_DESKTOP}; name others in gpu, with commas"
    elif not desktop:
        note += ", for data centres; name others in gpu, with commas"
    return ids, Assumption(name="candidates", value=len(ids), unit="GPUs", source="default", note=note)


def devices(
    trials: Trials, names: tuple[str, ...], n_gpus: int | None
) -> tuple[Option, Option | None, tuple[Option, ...]]:
    """Return the best device, the surely best, and the runners-up.

    With a deadline the cheapest that keeps to it, on its fewest devices where no count is given; else the fastest.
    Raises InfeasibleError where none keeps to the limits, with what to relax.
    """
    of = trials.limits
    if n_gpus is None and of.deadline_s is None:
        remedy = "the best gpu is chosen for a count (n_gpus) or for a deadline"
        raise MissingValueError("n_gpus", remedy)
    _checked(trials, names, n_gpus)
    found = [one for name in names if (one := _tried(trials, name, n_gpus)) is not None]
    cheapest_first = of.deadline_s is not None
    ranked = sorted((one for one in found if _meets(trials, one)), key=lambda one: _rank(one, cheapest=cheapest_first))
    if n_gpus is None:
        exact = [refined for one in ranked[: _ALTERNATIVES + 1] if (refined := _refined(trials, one)) is not None]
        ranked = sorted(exact, key=lambda one: _rank(one, cheapest=cheapest_first))
    if not ranked:
        how_many = f"{n_gpus:,} of " if n_gpus is not None else ""
        run = trials.resolved(trials.varied(gpu=names[0], n_gpus=n_gpus or 1))
        raise infeasible(trials, f"{how_many}none of the {len(names)} GPUs trains {run.subject.name}")
    kind = "the cheapest that does" if cheapest_first else "the fastest"
    solution = Option(why=f"even odds: {kind}", meets=True, estimate=ranked[0])
    others = [Option(why="does too", meets=True, estimate=one) for one in ranked[1 : _ALTERNATIVES + 1]]
    if len(others) < _ALTERNATIVES:
        missed = [one for one in found if not _meets(trials, one)]
        missed.sort(key=lambda one: (not fits(one), one.training_s))
        for one in missed[: _ALTERNATIVES - len(others)]:
            why = "breaks a limit" if fits(one) else "does not fit in memory"
            others.append(Option(why=why, meets=False, estimate=one))
    return solution, _surely(trials, ranked, n_gpus), tuple(others)


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


def _refined(trials: Trials, one: Estimate) -> Estimate | None:
    chip = one.run.device.accelerator
    if chip is None:
        return one
    ways = _counts(trials, chip.id)
    count = ways.fewest_in_time(sure=False)
    return None if count is None else ways.at(count)


def _surely(trials: Trials, ranked: list[Estimate], n_gpus: int | None) -> Option | None:
    """Return the best that keeps to the limits by the far end of its range."""
    of = trials.limits
    if of.deadline_s is None and of.budget_usd is None:
        return None
    for one in ranked:
        safe: Estimate | None = one
        chip = one.run.device.accelerator
        if n_gpus is None and chip is not None:
            ways = _counts(trials, chip.id)
            count = ways.fewest_in_time(sure=True)
            safe = None if count is None else ways.at(count)
        if safe is not None and safe.coverage is not None and trials.meets(safe, sure=True):
            return Option(why=f"at least {safe.coverage:.0%} sure", meets=True, estimate=safe)
    return None


def _counts(trials: Trials, name: str) -> Counts:
    """Return the counts of a device; of a card for desktops, unless the caller named it, one machine's."""
    named = str(trials.base.gpu).strip().casefold() not in _ALL
    segment = catalogue.accelerator(name).value.accelerator.segment
    return Counts(trials, name) if named or segment == _DATACENTER else Counts(trials, name, most=_DESKTOP)


def _meets(trials: Trials, one: Estimate) -> bool:
    if trials.limits.budget_usd is not None and one.cost_usd.value is None:
        return False
    return bool(trials.meets(one, sure=False))


def _rank(one: Estimate, *, cheapest: bool) -> tuple[float, float]:
    cost = math.inf if one.cost_usd.value is None else one.cost_usd.value
    return (cost, one.training_s) if cheapest else (one.training_s, cost)
