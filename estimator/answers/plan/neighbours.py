"""The counts around a planned one: what fewer would break, and what more would buy."""

from collections.abc import Iterable

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.counts import MOST_WASTE, Counts
from estimator.answers.plan.trials import Trials, fits
from estimator.answers.plan.types import Option
from estimator.base.units import DAY_S, HOUR_S, format_duration
from estimator.question.question import Caution

__all__ = ["count_alternatives", "diminishing"]

_ALTERNATIVES = 4
_HALF_IS_NEARLY_AS_FAST = 1.25


def count_alternatives(trials: Trials, taken: Iterable[Estimate]) -> tuple[Option, ...]:
    """Return other counts that divide well, around those taken.

    What keeps to the limits comes first, by GPU-hours; then what does not, by time.
    """
    ways = Counts(trials)
    known = {one.run.n_gpus for one in taken}
    rounded: set[int] = set()
    for count in known:
        steps = max(count // ways.ladder.step, 1)
        below = 1 << (steps.bit_length() - 1)
        rounded |= {ways.ladder.step * max(below * factor // 2, 1) for factor in (1, 2, 4)}
    if ways.ladder.parts and min(known) <= ways.ladder.step:
        rounded |= set(ways.ladder.parts)
    options: list[Option] = []
    for count in sorted(rounded - known):
        one = ways.at(count) if count <= ways.ladder.most else None
        if one is not None:
            meets = bool(trials.meets(one, sure=False))
            options.append(Option(why=_why_not(trials, one), meets=meets, estimate=one))
    options.sort(key=lambda option: (not option.meets, not fits(option.estimate), _rank(option)))
    return tuple(options[:_ALTERNATIVES])


def diminishing(trials: Trials, solution: Estimate) -> tuple[Caution, ...]:
    """Return cautions where fewer devices would take hardly longer, or where more would only have been idle."""
    ways = Counts(trials)
    cautions: list[Caution] = []
    of = trials.limits
    if of.deadline_s is None and of.budget_usd is None:
        return ()
    more = ways.at(solution.run.n_gpus + ways.ladder.step) if of.deadline_s is None else None
    if more is not None and trials.in_budget(more, sure=False):
        message = (
            f"the budget would pay for more GPUs, but beyond {solution.run.n_gpus:,} most of what they cost is idle "
            f"time: more than {MOST_WASTE:g} times the GPU-hours of a few"
        )
        cautions.append(Caution(code="budget_not_spent", message=message))
    half = solution.run.n_gpus // 2 // ways.ladder.step * ways.ladder.step
    one = ways.at(half) if half else None
    if one is not None and fits(one) and one.training_s <= _HALF_IS_NEARLY_AS_FAST * solution.training_s:
        share = one.gpu_hours[0] / solution.gpu_hours[0]
        message = (
            f"half as many ({half:,}) would take {format_duration(one.training_s)} instead of "
            f"{format_duration(solution.training_s)}, with {share:.0%} of the GPU-hours"
        )
        cautions.append(Caution(code="diminishing_returns", message=message))
    return tuple(cautions)


def _why_not(trials: Trials, one: Estimate) -> str:
    """Return what an option is: which limit it breaks, or that it keeps to all."""
    if not fits(one):
        return "does not fit in memory"
    if not trials.in_time(one, sure=False):
        over_s = one.training_s - (trials.limits.deadline_s or 0.0)
        return f"{_spoken_days(over_s)} late"
    if trials.limits.budget_usd is not None and not trials.in_budget(one, sure=False):
        return f"{(one.cost_usd.value or 0.0) / trials.limits.budget_usd - 1:.0%} over budget"
    if trials.limits.deadline_s is None:
        return "does too" if trials.limits.budget_usd is not None else "holds it, too"
    early_s = trials.limits.deadline_s - one.training_s
    return f"{_spoken_days(early_s)} early"


def _spoken_days(seconds: float) -> str:
    return f"{seconds / DAY_S:,.3g} days" if seconds >= DAY_S else f"{seconds / HOUR_S:,.3g} hours"


def _rank(option: Option) -> float:
    one = option.estimate
    return one.gpu_hours[0] if option.meets else one.training_s
