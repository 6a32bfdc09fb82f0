"""The counts around a planned one: what fewer would break, and what more would buy."""

from collections.abc import Iterable

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.counts import MOST_WASTE, Counts
from estimator.answers.plan.dominance import as_good, dominated
from estimator.answers.plan.trials import Trials, cost, fits, sureness
from estimator.answers.plan.types import Option
from estimator.base.units import DAY_S, HOUR_S, format_duration
from estimator.question.question import Caution

__all__ = ["count_alternatives", "diminishing"]

_ALTERNATIVES = 4
_HALF_IS_NEARLY_AS_FAST = 1.25


def count_alternatives(trials: Trials, taken: Iterable[Estimate], at_most: Option | None) -> tuple[Option, ...]:
    """Return other counts that divide well, around those taken, and the most that the budget pays for.

    What keeps to the limits comes first, by GPU-hours; then what does not, by time. What fits and is no better in
    anything than one taken is left out; of what is better in being sure alone, that is said.
    """
    taken = [*taken]
    ways = Counts(trials)
    taken_counts = {estimate.run.n_gpus for estimate in taken}
    rounded: set[int] = set()
    for count in taken_counts:
        steps = max(count // ways.ladder.step, 1)
        below = 1 << (steps.bit_length() - 1)
        rounded |= {ways.ladder.step * max(below * factor // 2, 1) for factor in (1, 2, 4)}
    if ways.ladder.parts and min(taken_counts) <= ways.ladder.step:
        rounded |= set(ways.ladder.parts)
    options = [] if at_most is None or at_most.estimate.run.n_gpus in taken_counts else [at_most]
    taken_counts |= {option.estimate.run.n_gpus for option in options}
    for count in sorted(rounded - taken_counts):
        estimate = ways.at(count) if count <= ways.ladder.most else None
        if estimate is None or (fits(estimate) and dominated(trials, estimate, taken)):
            continue
        meets, why = bool(trials.meets(estimate, sure=False)), _why_not(trials, estimate)
        if meets and any(as_good(run, estimate) for run in taken):
            why = f"{why}, {sureness(estimate)}"
        options.append(Option(why=why, meets=meets, estimate=estimate))
    options.sort(key=lambda option: (not option.meets, not fits(option.estimate), _rank(option)))
    nearest = options[:_ALTERNATIVES]
    if at_most in options and at_most not in nearest:
        nearest[-1:] = [at_most]
    return tuple(nearest)


def diminishing(trials: Trials, solution: Estimate, at_most: Option | None) -> tuple[Caution, ...]:
    """Return cautions where fewer devices would take hardly longer, or where more than the most would be idle."""
    ways = Counts(trials)
    cautions: list[Caution] = []
    limits = trials.limits
    if limits.deadline_s is None and limits.budget is None:
        return ()
    most = (solution if at_most is None else at_most.estimate).run.n_gpus
    more = ways.at(most + ways.ladder.step) if limits.deadline_s is None else None
    if more is not None and trials.in_budget(more, sure=False):
        message = (
            f"the budget would pay for more GPUs, but beyond {most:,} most of what they cost is idle "
            f"time: more than {MOST_WASTE:g} times the GPU-hours of a few"
        )
        cautions.append(Caution(code="budget_not_spent", message=message))
    half = solution.run.n_gpus // 2 // ways.ladder.step * ways.ladder.step
    estimate = ways.at(half) if half else None
    if estimate is not None and fits(estimate) and estimate.training_s <= _HALF_IS_NEARLY_AS_FAST * solution.training_s:
        share = estimate.gpu_hours[0] / solution.gpu_hours[0]
        message = (
            f"half as many ({half:,}) would take {format_duration(estimate.training_s)} instead of "
            f"{format_duration(solution.training_s)}, with {share:.0%} of the GPU-hours"
        )
        cautions.append(Caution(code="diminishing_returns", message=message))
    return tuple(cautions)


def _why_not(trials: Trials, estimate: Estimate) -> str:
    """Return what an option is: which limit it breaks, or that it keeps to all."""
    if not fits(estimate):
        return "does not fit in memory"
    if not trials.in_time(estimate, sure=False):
        over_s = estimate.training_s - (trials.limits.deadline_s or 0.0)
        return f"{_spoken_days(over_s)} late"
    if trials.limits.budget is not None and not trials.in_budget(estimate, sure=False):
        return f"{cost(estimate, trials.limits, sure=False) / trials.limits.budget - 1:.0%} over budget"
    if trials.limits.deadline_s is None:
        return "does too" if trials.limits.budget is not None else "holds it, too"
    early_s = trials.limits.deadline_s - estimate.training_s
    return f"{_spoken_days(early_s)} early"


def _spoken_days(seconds: float) -> str:
    return f"{seconds / DAY_S:,.3g} days" if seconds >= DAY_S else f"{seconds / HOUR_S:,.3g} hours"


def _rank(option: Option) -> float:
    estimate = option.estimate
    return estimate.gpu_hours[0] if option.meets else estimate.training_s
