"""The limits of a plan as given, and what to relax, by how much, where nothing keeps to them."""

import math

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.trials import Trials
from estimator.answers.plan.types import Limits, PlanRequest
from estimator.base.errors import InfeasibleError, MissingValueError
from estimator.base.units import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    format_duration,
    format_usd,
    parse_duration_s,
    parse_usd,
)
from estimator.question.question import Assumption

__all__ = ["infeasible", "limit_assumptions", "needs_limit", "requested_limits", "within"]

_USUAL_DEADLINE_S = 30 * DAY_S
_OF_MONEY = frozenset({"tokens", "model_size"})
"""What is solved for as so much training, which money buys whichever way it is spread over devices and days."""
_DIGITS = 3
_LEAST_IN_UNIT = 2.0
_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def requested_limits(request: PlanRequest) -> Limits:
    """Return the limits that `request` sets; a usual deadline where only a budget says how much is trained.

    Raises InvalidValueError for what is no duration or no amount of dollars.
    """
    deadline_s = None if request.deadline is None else parse_duration_s(request.deadline, "deadline")
    budget_usd = None if request.budget is None else parse_usd(request.budget, "budget")
    if deadline_s is None and budget_usd is not None and request.n_gpus is None and request.solve_for in _OF_MONEY:
        return Limits(deadline_s=_USUAL_DEADLINE_S, budget_usd=budget_usd, deadline_assumed=True)
    return Limits(deadline_s=deadline_s, budget_usd=budget_usd)


def limit_assumptions(limits: Limits) -> tuple[Assumption, ...]:
    """Return the limits as the assumptions they are."""
    out: list[Assumption] = []
    if limits.deadline_s is not None:
        note = f"{format_duration(limits.deadline_s)} from start to end, run-level overhead in it"
        if limits.deadline_assumed:
            note = f"neither time nor GPUs were given: {note}; fewer GPUs for longer do about as much for the money"
        out.append(
            Assumption(
                name="deadline",
                value=round(limits.deadline_s / DAY_S, 6),
                unit="days",
                source="default" if limits.deadline_assumed else "user",
                note=note,
            )
        )
    if limits.budget_usd is not None:
        note = (
            "for GPU time at the median price; the surer answer takes the far end of the time and not of the price; "
            "storage, network and staff are not counted"
        )
        out.append(Assumption(name="budget", value=limits.budget_usd, unit="USD", source="user", note=note))
    return tuple(out)


def needs_limit(limits: Limits, solve_for: str) -> None:
    """Raise MissingValueError where neither deadline nor budget bounds what is solved for."""
    if limits.deadline_s is None and limits.budget_usd is None:
        raise MissingValueError(
            "deadline", f'{solve_for} is solved for a deadline ("30 days"), a budget ("$250k") or both'
        )


def within(limits: Limits) -> str:
    """Return the limits in words: ` within 30 days and $250k`."""
    parts: list[str] = []
    if limits.deadline_s is not None:
        parts.append(format_duration(limits.deadline_s))
    if limits.budget_usd is not None:
        parts.append(format_usd(limits.budget_usd))
    return f" within {' and '.join(parts)}" if parts else ""


def infeasible(trials: Trials, what: str) -> InfeasibleError:
    """Return the error that says `what` cannot be, how near the tried runs came, and what would do.

    Every remedy names a constraint and the value to which it must give way, alone, rounded to the safe side.
    """
    limits = trials.limits
    tried = trials.priced()
    said = f"{what}{within(limits)}"
    if not tried:
        return InfeasibleError(f"{said}: {_too_large(trials)}")
    fastest = min(tried, key=lambda estimate: estimate.training_s)
    if limits.deadline_s is not None and fastest.training_s > limits.deadline_s:
        remedies = [*_for_time(fastest, limits.deadline_s), *_more_parallel(fastest)]
        if limits.budget_usd is not None and _cost(fastest) > limits.budget_usd:
            remedies[0] += f" and a budget of {_usd_at_least(_cost(fastest))}"
        return InfeasibleError(
            f"{said}: the fastest that fits is {_described(fastest)}; what would do: {_or(remedies)}"
        )
    in_time = [estimate for estimate in tried if limits.deadline_s is None or estimate.training_s <= limits.deadline_s]
    cheapest = min(in_time, key=_cost)
    budget = limits.budget_usd if limits.budget_usd is not None else math.inf
    remedies = [f"a budget of {_usd_at_least(_cost(cheapest))}"]
    affordable = [estimate for estimate in tried if _cost(estimate) <= budget]
    if affordable and limits.deadline_s is not None:
        soonest = min(affordable, key=lambda estimate: estimate.training_s)
        remedies.append(f"a deadline of {_duration_at_least(soonest.training_s)} ({_described(soonest)})")
    if _cost(cheapest) > budget:
        remedies.append(_fewer_tokens(cheapest, budget / _cost(cheapest)))
    in_time_too = "in time " if limits.deadline_s is not None else ""
    return InfeasibleError(
        f"{said}: the cheapest {in_time_too}is {_described(cheapest)}; what would do: {_or(remedies)}"
    )


def _too_large(trials: Trials) -> str:
    """Return why nothing fits, from the largest run that was tried."""
    largest = trials.largest()
    if largest is None:
        return "no layout divides any count that was tried; leave the parallel degrees or global_batch_sequences out"
    caution = next((estimate.message for estimate in largest.warnings if estimate.code == "does_not_fit"), "")
    return f"on {largest.run.n_gpus:,} GPUs {caution or 'it does not fit in memory'}"


def _cost(estimate: Estimate) -> float:
    return math.inf if estimate.cost_usd.value is None else estimate.cost_usd.value


def _described(estimate: Estimate) -> str:
    cost = f", {format_usd(_cost(estimate))}" if math.isfinite(_cost(estimate)) else ""
    return f"{estimate.run.n_gpus:,} × {estimate.run.device.name} in {format_duration(estimate.training_s)}{cost}"


def _for_time(fastest: Estimate, deadline_s: float) -> list[str]:
    return [
        f"a deadline of {_duration_at_least(fastest.training_s)}",
        _fewer_tokens(fastest, deadline_s / fastest.training_s),
    ]


def _fewer_tokens(estimate: Estimate, share: float) -> str:
    return f"{_count_at_most(estimate.run.amount.real_tokens * share)} tokens"


def _more_parallel(fastest: Estimate) -> list[str]:
    """Return what lets more devices work at once, where the batch is what holds them up."""
    layout = fastest.layout
    if layout is None:
        return []
    batch = layout.global_batch_sequences
    if fastest.run.n_gpus < batch:
        return []
    return [f"a global_batch_sequences above {batch:,}, which more GPUs can share"]


def _or(ways: list[str]) -> str:
    return "; or ".join(ways)


def _duration_at_least(seconds: float) -> str:
    """Return a duration, rounded up, as the deadline argument reads it."""
    for unit_s, name in ((DAY_S, "days"), (HOUR_S, "hours"), (MINUTE_S, "minutes")):
        if seconds >= _LEAST_IN_UNIT * unit_s:
            return f"{_rounded(seconds / unit_s, up=True):.10g} {name}"
    return f"{_rounded(seconds, up=True):.10g} seconds"


def _usd_at_least(usd: float) -> str:
    return f"${_suffixed(_rounded(usd, up=True))}"


def _count_at_most(count: float) -> str:
    return _suffixed(_rounded(count, up=False))


def _suffixed(value: float) -> str:
    factor, suffix = next(((factor, suffix) for factor, suffix in _SUFFIXES if value >= factor), (1.0, ""))
    return f"{value / factor:.6g}{suffix}"


def _rounded(value: float, *, up: bool) -> float:
    """Return `value` to three significant digits, on the safe side."""
    unit = 10.0 ** (math.floor(math.log10(value)) - _DIGITS + 1)
    return (math.ceil(value / unit) if up else math.floor(value / unit)) * unit
