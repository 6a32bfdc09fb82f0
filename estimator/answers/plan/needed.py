"""How many devices: the fewest that end by a deadline, the cheapest that a budget pays for, or what holds the run."""

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.counts import Counts
from estimator.answers.plan.limits import USUAL_DEADLINE_S, infeasible, needs_limit
from estimator.answers.plan.trials import Trials, cost, sureness
from estimator.answers.plan.types import Option
from estimator.base.units import format_counted, format_duration
from estimator.question.question import Assumption

__all__ = ["counts_considered", "most_affordable", "planned_count"]


def planned_count(trials: Trials) -> tuple[Option, Option | None]:
    """Return the planned count, and the one that is sure to do.

    For a deadline the fewest devices that keep to it; for a budget alone the cheapest that end within a usual time;
    without either the fewest that hold the run. Raises InfeasibleError with what to relax where there is none.
    """
    limits = trials.limits
    ways = Counts(trials)
    if limits.deadline_s is None and limits.budget is None:
        return _fewest_that_fit(ways), None
    find = _fewest_in_time if limits.deadline_s is not None else _thriftiest
    solution = find(ways, sure=False)
    if solution is None:
        _tried_widely(ways)
        raise infeasible(trials, _cannot(ways))
    even = Option(why=f"even odds: {_kind(trials, solution)}", meets=True, estimate=solution)
    if solution.training_high_s == solution.training_s:
        return even, None
    safe = find(ways, sure=True)
    return even, None if safe is None else Option(why=sureness(safe), meets=True, estimate=safe)


def most_affordable(trials: Trials, taken: Estimate) -> Option | None:
    """Return the run on the most devices that a budget alone pays for and that still help; None without more."""
    if trials.limits.budget is None or trials.limits.deadline_s is not None:
        return None
    ways = Counts(trials)
    most = ways.most_in_budget(sure=False)
    run = None if most is None or most <= taken.run.n_gpus else ways.at(most)
    return None if run is None else Option(why="the most that the budget pays for", meets=True, estimate=run)


def counts_considered(trials: Trials) -> Assumption:
    """Return which counts were weighed: machines are rented whole, or in parts that divide them."""
    note = "as machines are rented and degrees divide; estimate_training_time answers for counts between them"
    return Assumption(name="counts_considered", value=_spoken_counts(trials), source="default", note=note)


def _spoken_counts(trials: Trials) -> str:
    ladder = Counts(trials).ladder
    parts = f"{', '.join(str(part) for part in ladder.parts)}, then " if ladder.parts else ""
    return f"{parts}multiples of {ladder.step}"


def _kind(trials: Trials, solution: Estimate) -> str:
    """Return what a solution is of the counts considered, in words."""
    if trials.limits.deadline_s is not None:
        return f"the fewest that do of {_spoken_counts(trials)}"
    if solution.training_s <= USUAL_DEADLINE_S:
        return f"the cheapest that end within {format_duration(USUAL_DEADLINE_S)}"
    return "the soonest that the budget pays for"


def _fewest_in_time(ways: Counts, *, sure: bool) -> Estimate | None:
    count = ways.fewest_in_time(sure=sure)
    return None if count is None else ways.at(count)


def _thriftiest(ways: Counts, *, sure: bool) -> Estimate | None:
    """Return the run that costs least of those within the budget, by the far end of its cost where `sure`; else None.

    The most devices that a budget pays for end soonest, but nobody rents hundreds for a minute of work; the fewest may
    take years. So only those count that end within a usual time, and where the budget pays for none, the soonest.
    Raises MissingValueError where the cost does not depend on the count.
    """
    most = ways.most_in_budget(sure=sure)
    if most is None:
        return None
    counts = (*ways.ladder.parts, *(count for count in ways.doubling() if count <= most), most)
    tried = [run for count in counts if (run := ways.at(count)) is not None]
    within = [run for run in tried if ways.trials.in_budget(run, sure=sure)]
    usual = [run for run in within if run.training_s <= USUAL_DEADLINE_S]
    if not usual:
        return min(within, key=lambda run: run.training_s)
    return min(usual, key=lambda run: (cost(run, ways.trials.limits, sure=sure), run.training_s))


def _fewest_that_fit(ways: Counts) -> Option:
    """Return the fewest devices whose memory holds the run.

    Raises MissingValueError where no memory is predicted, so that one device would always do.
    """
    run = ways.trials.resolved(ways.trials.varied(n_gpus=ways.ladder.step))
    if run.question is None or run.utilization is not None:
        needs_limit(ways.trials.limits, "n_gpus")
    count = ways.fewest_that_fit()
    solution = None if count is None else ways.at(count)
    if solution is None:
        raise infeasible(ways.trials, _cannot(ways))
    return Option(why="the fewest that hold it", meets=True, estimate=solution)


def _cannot(ways: Counts) -> str:
    request = ways.trials.resolved(ways.trials.varied(n_gpus=ways.ladder.step))
    return (
        f"no count of {request.device.name} up to {ways.ladder.most:,} trains {request.subject.name} on "
        f"{format_counted(request.amount.real_tokens, 'tokens')}"
    )


def _tried_widely(ways: Counts) -> None:
    """Price doubling counts, so that what is said to be the fastest or the cheapest was compared with others."""
    for count in ways.doubling():
        ways.at(count)
    ways.fewest_that_fit()
