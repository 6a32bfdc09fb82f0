"""Which of the devices that keep to the limits to recommend, where the best differ by less than what is not counted."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.estimate.money import hourly_prices
from estimator.answers.plan.trials import left_idle
from estimator.answers.plan.types import Limits, Option
from estimator.base.prior import Prior
from estimator.base.units import format_counted
from estimator.catalogue import catalogue

__all__ = ["AS_GOOD", "Choice", "preferred", "usual_choice"]

AS_GOOD = Prior(
    low=1.1,
    mode=1.25,
    high=1.5,
    why="By which costs, or times, may differ and be as good: predictions of two devices are surer against each other "
    "than their ranges are wide, yet no surer than this, and sellers of one device differ by more.",
)
_SEVERAL = 2
"""Sellers from which on a price is the market's, and what one has no room for another may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is recommended, why, and what else to name beside it, first."""

    estimate: Estimate
    why: str
    beside: tuple[Option, ...]


def preferred(ranked: Sequence[Estimate], limits: Limits, *, anyones: bool) -> Choice:
    """Return the one to recommend of those that keep to the limits, best first by cost, or by time without a deadline.

    Of `anyones`, which the caller did not name and has yet to find, those within `AS_GOOD` of the cheapest are chosen
    among by what no cost holds: whether several sell them, then on how few machines the run is, whose number is what
    breaks, and what gradients cross a network between. Within a budget, the cheapest of those within `AS_GOOD` of the
    fastest: money that buys hardly any time is better kept.
    """
    best = ranked[0]
    # Of a stack that leaves all devices but one idle unless it is told, several are no choice beside one.
    ranked = [estimate for estimate in ranked if bool(left_idle(estimate)) == bool(left_idle(best))]
    if limits.deadline_s is not None:
        most = AS_GOOD.mode * _cost(best)
        near = [estimate for estimate in ranked if _cost(estimate) <= most] if anyones else []
        chosen = min(near, key=_risk, default=best)
        why = "the cheapest that does" if chosen is best else "about the cheapest, of more sellers or on fewer machines"
    else:
        within = [estimate for estimate in ranked if estimate.training_s <= AS_GOOD.mode * best.training_s]
        chosen = min(within, key=_cost) if limits.budget is not None else best
        why = "the fastest" if chosen is best else "about the fastest, for less"
    named: dict[int, Option] = {}
    if chosen is not best:
        named[id(best)] = Option(why=_why_best(best, limits), meets=True, estimate=best)
    usual = usual_choice(ranked) if anyones else None
    if usual is not None and usual is not chosen and id(usual) not in named:
        why_usual = f"the usual choice, of {format_counted(_sellers(usual), 'sellers')}"
        named[id(usual)] = Option(why=why_usual, meets=True, estimate=usual)
    return Choice(estimate=chosen, why=why, beside=tuple(named.values()))


def usual_choice(estimates: Iterable[Estimate]) -> Estimate | None:
    """Return the run on the device that most sellers have; None where none of them is sold by several."""
    sold = [estimate for estimate in estimates if _sellers(estimate) >= _SEVERAL]
    return max(sold, key=_sellers, default=None)


def _why_best(best: Estimate, limits: Limits) -> str:
    if limits.deadline_s is None:
        return "the fastest"
    sellers, machines = _sellers(best), _machines(best)
    said = [f"on {format_counted(machines, 'machines')}"] if machines > 1 else []
    said += [f"at {format_counted(sellers, 'sellers')}"] if sellers < _SEVERAL else []
    return f"the cheapest, {' '.join(said)}" if said else "the cheapest"


def _risk(estimate: Estimate) -> tuple[bool, int, float]:
    return _sellers(estimate) < _SEVERAL, _machines(estimate), _cost(estimate)


def _machines(estimate: Estimate) -> int:
    """Return how many islands of fast links a run is on: nodes, or racks and pods that are joined as one."""
    chip = estimate.run.device.accelerator
    return 1 if chip is None else math.ceil(estimate.run.n_gpus / max(chip.gpus_per_node, chip.scale_up_domain))


def _sellers(estimate: Estimate) -> int:
    chip = estimate.run.device.accelerator
    return 0 if chip is None else len({price.provider for price in hourly_prices(catalogue.prices(chip.id))})


def _cost(estimate: Estimate) -> float:
    return math.inf if estimate.cost_usd.value is None else estimate.cost_usd.value
