"""How many tokens devices train on by a deadline, for a budget, or both: time and cost are about proportional."""

import math

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.answers.plan.amounts import NEARLY, Used, largest_within
from estimator.answers.plan.counts import Counts
from estimator.answers.plan.dominance import dominated
from estimator.answers.plan.limits import infeasible, needs_limit, within
from estimator.answers.plan.trials import Trials, climbed, fits, sureness, taken
from estimator.answers.plan.types import Limits, Option
from estimator.base.errors import InfeasibleError, MissingValueError
from estimator.base.units import HOUR_S
from estimator.question.request import Quantity
from estimator.resolve.amount import MOST_TOKENS

__all__ = ["planned_tokens", "token_alternatives"]

_UNIT_TOKENS = 1e12
"""Any number would do to find what a token takes."""
_SAFE_SIDE = 1.0 - 1e-12
"""So that rounding in floating point does not end a run a microsecond late."""
_ALTERNATIVES = 4
_ROUNDS = 40


def planned_tokens(trials: Trials, n_gpus: Quantity | None) -> tuple[Option, Option | None]:
    """Return the most tokens that keep to the limits, and how many surely do.

        min(deadline / seconds per token, budget / dollars per token)

    Without a count, deadline and budget together choose it. Raises InfeasibleError where the run does not fit.
    """
    limits = trials.limits
    needs_limit(limits, "tokens")
    if n_gpus is None and (limits.deadline_s is None or limits.budget is None):
        remedy = "a deadline alone leaves open how many GPUs train: give their number, or a budget"
        raise MissingValueError("n_gpus", remedy)
    if n_gpus is not None:
        trials.resolved(trials.varied(tokens=_UNIT_TOKENS))
    even = _most(trials, n_gpus, sure=False)
    if even is None:
        raise _refusal(trials, n_gpus)
    solution = Option(why="even odds: the most that do", meets=True, estimate=even)
    if even.training_high_s == even.training_s:
        return solution, None
    safe = _most(trials, n_gpus, sure=True)
    if safe is None:
        return solution, None
    return solution, Option(why=sureness(safe), meets=True, estimate=safe)


def token_alternatives(trials: Trials, solution: Estimate) -> tuple[Option, ...]:
    """Return what other counts of devices would train on within the same limits, most tokens first.

    Not those that take as many GPU-hours for no more.
    """
    count = solution.run.n_gpus
    options = [
        Option(why=f"on {estimate.run.n_gpus:,} instead of {count:,}", meets=True, estimate=estimate)
        for estimate in _around(trials, _counts(trials), count, sure=False)
        if not dominated(trials, estimate, [solution])
    ]
    options.sort(key=lambda option: -_trained_on(option.estimate))
    return tuple(options[:_ALTERNATIVES])


def _counts(trials: Trials) -> Counts:
    return Counts(Trials(trials.varied(tokens=_UNIT_TOKENS), trials.limits))


def _around(trials: Trials, ways: Counts, count: int, *, sure: bool) -> list[Estimate]:
    """Return what twice, four times, half and a quarter of `count` devices train on within the limits."""
    step = ways.ladder.step
    others = [count * 4, count * 2, count // 2, count // 4]
    rungs = {other if other in ways.ladder.parts else other // step * step for other in others} - {0, count}
    found = (_limited(trials, rung, sure=sure) for rung in sorted(rungs) if rung <= ways.ladder.most)
    return [estimate for estimate in found if estimate is not None]


def _share(limits: Limits, unit: Estimate, tokens: float, *, sure: bool) -> float:
    """Return the share of `tokens` that keeps to the limits, at the speed of `unit`; above 1 where there is room."""
    point_s, low_s, high_s = unit.timing.training_s(tokens)
    share = math.inf
    if limits.deadline_s is not None:
        share = limits.deadline_s / (high_s if sure else point_s)
    if limits.budget is not None:
        hours = unit.run.n_gpus / HOUR_S
        used = taken((hours * point_s, hours * low_s, hours * high_s), unit.run, limits, sure=sure)
        share = min(share, limits.budget / used)
    return share


def _most(trials: Trials, n_gpus: Quantity | None, *, sure: bool) -> Estimate | None:
    if n_gpus is not None:
        return _limited(trials, n_gpus, sure=sure)
    ways = _counts(trials)
    estimates = [estimate for count in ways.bought() if (estimate := _limited(trials, count, sure=sure))]
    best = max(estimates, key=_trained_on, default=None)
    best = climbed(best, lambda count: _limited(trials, count, sure=sure), _trained_on)
    # Batches differ from count to count, so that one further off may train on a little more.
    while best is not None:
        other = max(_around(trials, ways, best.run.n_gpus, sure=sure), key=_trained_on, default=best)
        if _trained_on(other) <= _trained_on(best):
            break
        best = other
    return best


def _trained_on(estimate: Estimate) -> float:
    return estimate.run.amount.real_tokens


def _limited(trials: Trials, n_gpus: Quantity, *, sure: bool) -> Estimate | None:
    """Return the run on as many tokens as the limits allow; None where it has no layout or does not fit.

    A short run may be padded, have a smaller batch or another stack: time need not be proportional to tokens.
    """

    def at(tokens: int) -> Estimate | None:
        run = trials.at(trials.varied(n_gpus=n_gpus, tokens=tokens))
        return run if run is not None and fits(run) else None

    def used(tokens: int) -> Used:
        run = at(tokens)
        if run is None:
            return Used(share=math.inf, proposal=0.0, keeps=False)
        amount = run.run.amount
        return Used(
            share=1.0 / _share(trials.limits, run, amount.tokens, sure=sure),
            proposal=_tokens_within(trials.limits, run, sure=sure) * amount.real_tokens / amount.tokens,
            keeps=bool(trials.meets(run, sure=sure)),
        )

    if at(int(_UNIT_TOKENS)) is None:
        return None
    most = largest_within(used, int(_UNIT_TOKENS), int(MOST_TOKENS))
    return None if most is None else at(most)


def _tokens_within(limits: Limits, run: Estimate, *, sure: bool) -> float:
    """Return the tokens, padding among them, that keep to the limits at the speed of `run`."""
    most = _UNIT_TOKENS
    for _ in range(_ROUNDS):
        # A longer run has more overhead, so that what is scaled up runs late; what is scaled down keeps to the limits.
        share = _share(limits, run, most, sure=sure)
        most = min(most * share, MOST_TOKENS)
        if NEARLY <= share <= 1.0:
            break
    return most * _SAFE_SIDE


def _refusal(trials: Trials, n_gpus: Quantity | None) -> InfeasibleError:
    """Return why not one token is trained: the devices do not hold the model, or the limits allow none."""
    ways = Counts(Trials(trials.varied(tokens=_UNIT_TOKENS), trials.limits))
    fewest = ways.fewest_that_fit()
    request = trials.resolved(trials.varied(n_gpus=n_gpus or fewest or ways.ladder.step, tokens=_UNIT_TOKENS))
    estimate = ways.at(request.n_gpus)
    if estimate is not None and fits(estimate):
        on = request.device.counted(request.n_gpus)
        remedies = "; or ".join(_larger_limits(trials.limits))
        return InfeasibleError(
            f"not one token of {request.subject.name} is trained on {on}{within(trials.limits)}; "
            f"what would do: {remedies}"
        )
    counted = f"{request.n_gpus:,}" if n_gpus is not None else f"up to {ways.ladder.most:,}"
    what = f"{counted} × {request.device.name} do not hold {request.subject.name}"
    if fewest is None:
        return infeasible(ways.trials, what)
    others = [way.words for way in estimate_of(request).ways_to_fit if not way.words.startswith("n_gpus")]
    return InfeasibleError(f"{what}; what would do: {'; or '.join([f'n_gpus of {fewest:,}', *others])}")


def _larger_limits(limits: Limits) -> list[str]:
    """Return which limits may give way; one that was assumed is nobody's."""
    given = (limits.deadline_s is not None and not limits.deadline_assumed, limits.budget is not None)
    return [way for way, told in zip(("a later deadline", "a larger budget"), given, strict=True) if told]
