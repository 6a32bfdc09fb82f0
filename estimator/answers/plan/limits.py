"""The limits of a plan as given, and what to relax, by how much, where nothing keeps to them."""

import math
import re
from collections.abc import Callable

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.answers.plan.amounts import Used, largest_within
from estimator.answers.plan.trials import Trials, fits
from estimator.answers.plan.types import BudgetUnit, Limits, PlanRequest
from estimator.base.errors import InfeasibleError, InvalidValueError, MissingValueError
from estimator.base.numerals import other_reading
from estimator.base.spoken import without_bound
from estimator.base.units import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    format_count,
    format_duration,
    format_usd,
    is_gpu_time,
    parse_duration_s,
    parse_gpu_hours,
    parse_usd,
)
from estimator.question.question import Assumption
from estimator.question.request import Quantity

__all__ = [
    "USUAL_DEADLINE_S",
    "infeasible",
    "limit_assumptions",
    "needs_limit",
    "requested_limits",
    "spoken_budget",
    "within",
]

USUAL_DEADLINE_S = 30 * DAY_S
"""What a run takes where nobody says: published ones of any size take weeks."""
_OF_MONEY = frozenset({"tokens", "model_size", "gpu"})
"""What is solved for as so much training, which money buys whichever way it is spread over devices and days; which
device it buys most of is chosen so too."""
_HOURS = re.compile(r"[\d.,_ ]+[km]?\s*(?:h|hrs?|hours?|days?|weeks?|months?)")
_UNLIMITED = re.compile(r"(?:unlimited|no limit|none|any|open|whatever|asap|as (?:soon|fast|cheap(?:ly)?) as possible)")
_LEAST = re.compile(r"(?:at least|minimum|min\b|more than|over\b|above|>)")
_DIGITS = 3
_MOST_NAMED = 5
_MOST_ADVISED = 5
"""Devices on which ways to make a run fit are looked for: each takes as long as an estimate."""
_LEAST_IN_UNIT = 2.0
_NEARLY = 0.99
"""Share of a limit that fewer tokens take at least: they are told in three digits."""
_SUFFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def requested_limits(request: PlanRequest) -> Limits:
    """Return the limits that `request` sets; a usual deadline where only a budget says how much is trained.

    GPU-hours limit what a run takes, as dollars do. Raises InvalidValueError for what is no duration and no amount.
    """
    deadline, given = _most("deadline", request.deadline), _most("budget", request.budget)
    if is_gpu_time(deadline):
        # So much GPU time is no date, and however it is spread over GPUs it is what the run may take.
        if given is not None:
            remedy = "is GPU time, which a budget limits, and a budget is given too; keep one of them"
            raise InvalidValueError("deadline", deadline, remedy)
        deadline, given = None, deadline
    deadline_s = None if deadline is None else _deadline_s(deadline, given=request.deadline)
    budget, unit = _budget(given, given_as=request.budget)
    if deadline_s is None and budget is not None and request.n_gpus is None and request.solve_for in _OF_MONEY:
        return Limits(deadline_s=USUAL_DEADLINE_S, budget=budget, budget_unit=unit, deadline_assumed=True)
    return Limits(deadline_s=deadline_s, budget=budget, budget_unit=unit)


def _most(argument: str, given: Quantity | None) -> Quantity | None:
    """Return the amount that a limit names: `$20k` of `max $20k`, `a week` of `within a week`.

    Raises InvalidValueError for what is no upper limit.
    """
    if not isinstance(given, str):
        return given
    amount = without_bound(given)
    if (readings := other_reading(amount)) is not None:
        remedy = f"may be {readings[0]} or {readings[1]}, by what its separator is; write it without one"
        raise InvalidValueError(argument, given, remedy)
    if _UNLIMITED.fullmatch(amount):
        raise InvalidValueError(argument, given, "is no limit; leave it out, and set another")
    if _LEAST.match(amount):
        raise InvalidValueError(
            argument, given, f"is a least, and a {argument} is a most; give the most that it may be"
        )
    return amount


def _deadline_s(deadline: Quantity, given: Quantity | None) -> float:
    try:
        return parse_duration_s(deadline, "deadline")
    except InvalidValueError as error:
        if isinstance(given, str) and "$" in given:
            raise InvalidValueError("deadline", given, "is money, which a budget limits; give it as budget") from None
        raise InvalidValueError("deadline", given, error.remedy) from None


def _budget(amount: Quantity | None, given_as: Quantity | None) -> tuple[float | None, BudgetUnit]:
    """Return a budget and what it is counted in: dollars, or GPU-hours where it says so."""
    if amount is None:
        return None, "USD"
    if is_gpu_time(amount):
        return parse_gpu_hours(amount, "budget"), "GPU-hours"
    if _is_duration(amount):
        remedy = 'is a time, which a deadline limits; of GPUs it is written "5000 GPU-hours"'
        raise InvalidValueError("budget", given_as, remedy)
    try:
        return parse_usd(amount, "budget"), "USD"
    except InvalidValueError as error:
        raise InvalidValueError("budget", given_as, error.remedy) from None


def _is_duration(amount: Quantity) -> bool:
    """Return whether `amount` is a time; a bare m is a million of dollars."""
    if _HOURS.fullmatch(str(amount)):
        return True
    try:
        parse_duration_s(amount, "budget")
    except InvalidValueError:
        return False
    return True


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
    if limits.budget is not None and limits.budget_unit == "GPU-hours":
        note = "over all GPUs, run-level overhead in it; what they cost does not matter"
        out.append(Assumption(name="budget", value=limits.budget, unit="GPU-hours", source="user", note=note))
    elif limits.budget is not None:
        note = (
            "for GPU time at price_per_gpu_hour, or at the median price, than which a dearer provider needs more; the "
            "surer answer takes the far end of the time; storage, network and staff are not counted"
        )
        out.append(Assumption(name="budget", value=limits.budget, unit="USD", source="user", note=note))
    return tuple(out)


def needs_limit(limits: Limits, solve_for: str) -> None:
    """Raise MissingValueError where neither deadline nor budget bounds what is solved for."""
    if limits.deadline_s is None and limits.budget is None:
        raise MissingValueError(
            "deadline",
            f'{solve_for} is solved for a deadline ("30 days"), a budget ("$250k", "5000 GPU-hours") or both',
        )


def within(limits: Limits) -> str:
    """Return the limits in words: ` within 30 days and $250k`; a deadline that nobody told last, and as such."""
    parts: list[str] = []
    if limits.deadline_s is not None and not limits.deadline_assumed:
        parts.append(format_duration(limits.deadline_s))
    if limits.budget is not None:
        parts.append(spoken_budget(limits.budget, limits.budget_unit))
    if limits.deadline_s is not None and limits.deadline_assumed:
        parts.append(f"{format_duration(limits.deadline_s)} (the usual, for no deadline was given)")
    return f" within {' and '.join(parts)}" if parts else ""


def spoken_budget(amount: float, unit: BudgetUnit) -> str:
    """Return an amount of what a budget counts: `$250k`, `5k GPU-hours`."""
    return format_usd(amount) if unit == "USD" else f"{format_count(amount)} GPU-hours"


def infeasible(trials: Trials, what: str) -> InfeasibleError:
    """Return the error that says `what` cannot be, how near the tried runs came, and what would do.

    Every remedy names a constraint and the value to which it must give way, alone, rounded to the safe side.
    """
    limits = trials.limits
    tried = trials.priced()
    said = f"{what}{within(limits)}"

    def cost(estimate: Estimate) -> float:
        return _cost(estimate, limits.budget_unit)

    def least_budget(estimate: Estimate) -> str:
        return _budget_at_least(cost(estimate), limits.budget_unit)

    if not tried:
        return InfeasibleError(f"{said}: {_too_large(trials)}")
    if limits.budget is not None and not any(math.isfinite(cost(estimate)) for estimate in tried):
        names = list(dict.fromkeys(estimate.run.device.name for estimate in tried))
        told = f"{', '.join(names[:_MOST_NAMED])}{', …' if len(names) > _MOST_NAMED else ''}"
        return InfeasibleError(
            f"{said}: no price of {told} is known; give price_per_gpu_hour, or the budget in GPU-hours"
        )
    fastest = min(tried, key=lambda estimate: estimate.training_s)
    if limits.deadline_s is not None and fastest.training_s > limits.deadline_s:
        later = f"a deadline of {_duration_at_least(fastest.training_s)}"
        fewer = _fewer_tokens(trials, fastest, lambda estimate: estimate.training_s, limits.deadline_s)
        remedies = [later, *fewer, *_more_parallel(fastest)]
        if limits.budget is not None and cost(fastest) > limits.budget:
            remedies[0] += f" and a budget of {least_budget(fastest)}"
        return InfeasibleError(
            f"{said}: the fastest that fits is {_described(fastest)}; what would do: {_or(remedies)}"
        )
    in_time = [estimate for estimate in tried if limits.deadline_s is None or estimate.training_s <= limits.deadline_s]
    cheapest = min(in_time, key=cost)
    budget = limits.budget if limits.budget is not None else math.inf
    remedies = [f"a budget of {least_budget(cheapest)}"]
    affordable = [estimate for estimate in tried if cost(estimate) <= budget]
    if affordable and limits.deadline_s is not None:
        soonest = min(affordable, key=lambda estimate: estimate.training_s)
        remedies.append(f"a deadline of {_duration_at_least(soonest.training_s)} ({_described(soonest)})")
    if cost(cheapest) > budget:
        remedies += _fewer_tokens(trials, cheapest, cost, budget)
    in_time_too = "in time " if limits.deadline_s is not None else ""
    return InfeasibleError(
        f"{said}: the cheapest {in_time_too}is {_described(cheapest)}; what would do: {_or(remedies)}"
    )


def _too_large(trials: Trials) -> str:
    """Return why nothing fits: of the devices that were tried, on that which the least change would make it fit on."""
    tried = trials.largest_of_each()[:_MOST_ADVISED]
    if not tried:
        return "no layout divides any count that was tried; leave the parallel degrees or global_batch_sequences out"
    told = min((estimate_of(estimate.run) for estimate in tried), key=_least_change)
    caution = next((warning.message for warning in told.warnings if warning.code == "does_not_fit"), "")
    n_gpus = told.run.n_gpus
    return f"on {n_gpus:,} GPU{'s' * (n_gpus > 1)} {caution or 'it does not fit in memory'}"


def _least_change(estimate: Estimate) -> tuple[bool, int]:
    """Return how far the nearest way to make a run fit is: on the same devices first, then on the fewest of them."""
    ways = [way.arguments for way in estimate.ways_to_fit]
    counts = [count if isinstance(count := way.get("n_gpus"), int) else 0 for way in ways if "gpu" not in way]
    return not counts, min(counts, default=0)


def _cost(estimate: Estimate, unit: BudgetUnit = "USD") -> float:
    if unit == "GPU-hours":
        return estimate.gpu_hours[0]
    return math.inf if estimate.cost_usd.value is None else estimate.cost_usd.value


def _described(estimate: Estimate) -> str:
    cost = f", {format_usd(_cost(estimate))}" if math.isfinite(_cost(estimate)) else ""
    devices = estimate.run.device.counted(estimate.run.n_gpus)
    return f"{devices} in {format_duration(estimate.training_s)}{cost}"


def _fewer_tokens(trials: Trials, estimate: Estimate, taken: Callable[[Estimate], float], limit: float) -> list[str]:
    """Return on how many tokens the same run takes no more than `limit`; nothing where it takes more on any.

    Fewer tokens may be another training than was published on all of them, of another speed or batch.
    """
    run = estimate.run

    def used(tokens: int) -> Used:
        fewer = trials.at(trials.varied(gpu=run.device.label, n_gpus=run.n_gpus, tokens=tokens))
        if fewer is None or not fits(fewer):
            return Used(share=math.inf, proposal=0.0, keeps=False)
        share = taken(fewer) / limit
        return Used(share=share, proposal=tokens / share, keeps=share <= 1.0)

    most = math.floor(run.amount.real_tokens)
    tokens = largest_within(used, math.floor(most * limit / taken(estimate)), most, _NEARLY)
    return [] if tokens is None else [f"{_suffixed(_rounded(tokens, up=False))} tokens"]


def _more_parallel(fastest: Estimate) -> list[str]:
    """Return what lets more devices work at once, where the batch is what holds them up."""
    layout = fastest.layout
    if layout is None:
        return []
    batch = layout.counted_batch
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


def _budget_at_least(amount: float, unit: BudgetUnit) -> str:
    rounded = _suffixed(_rounded(amount, up=True))
    return f"${rounded}" if unit == "USD" else f"{rounded} GPU-hours"


def _suffixed(value: float) -> str:
    factor, suffix = next(((factor, suffix) for factor, suffix in _SUFFIXES if value >= factor), (1.0, ""))
    return f"{value / factor:.6g}{suffix}"


def _rounded(value: float, *, up: bool) -> float:
    """Return `value` to three significant digits, on the safe side."""
    unit = 10.0 ** (math.floor(math.log10(value)) - _DIGITS + 1)
    return (math.ceil(value / unit) if up else math.floor(value / unit)) * unit
