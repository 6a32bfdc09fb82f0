"""How large a model devices train by a deadline or for a budget, compute-optimally or on given tokens."""

import math
from dataclasses import replace

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.counts import Counts
from estimator.answers.plan.limits import needs_limit, within
from estimator.answers.plan.scaling import optimal_parameters, optimal_tokens
from estimator.answers.plan.search import boundary, nearest_rung
from estimator.answers.plan.trials import Trials, cost, sureness
from estimator.answers.plan.types import Option
from estimator.base.errors import InfeasibleError, MissingValueError
from estimator.base.units import format_count, format_tokens
from estimator.question.request import Quantity, Request

__all__ = ["planned_size", "size_alternatives"]

_SIZES = tuple(digits * 10**exponent for exponent in range(5, 13) for digits in range(10, 100))
"""1M to 99T, as people call sizes: two significant digits."""
_GUESSED_UTILIZATION = 0.4
"""Where the search starts; it does not depend on it."""
_OTHER_RATIOS = (10.0, 20.0, 40.0, 100.0, 200.0)
_OTHER_TOKENS = (0.25, 0.5, 2.0, 4.0)
_ALTERNATIVES = 4


def planned_size(
    trials: Trials, n_gpus: Quantity | None, tokens: float | None, ratio: float
) -> tuple[Option, Option | None, tuple[Option, ...]]:
    """Return the largest model that keeps to the limits, the largest that surely does, and what other data would do.

    Trained on `tokens`, or on `ratio` tokens a parameter where None. Raises InfeasibleError where the limits allow
    no model at all, MissingValueError where they leave the count open.
    """
    limits = trials.limits
    needs_limit(limits, "model_size")
    if n_gpus is None and (limits.deadline_s is None or limits.budget is None):
        remedy = "a deadline alone leaves open how many GPUs train: give their number, or a budget"
        raise MissingValueError("n_gpus", remedy)
    tried = [
        _largest(trials, count, tokens, ratio, sure=False)
        for count in ([n_gpus] if n_gpus is not None else _bought(trials, tokens, ratio))
    ]
    estimates = [estimate for estimate in tried if estimate is not None]
    even = max(estimates, key=_size_and_thrift, default=None)
    if even is None:
        smallest = format_count(_SIZES[0])
        text = (
            f"no model of {smallest} parameters or more trains{within(limits)}; "
            "what would do: more GPUs, a later deadline, a larger budget, or fewer tokens"
        )
        raise InfeasibleError(text)
    solution = Option(why="even odds: the largest that does", meets=True, estimate=even)
    ranged = even.training_high_s > even.training_s
    safe = _largest(trials, even.run.n_gpus, tokens, ratio, sure=True) if ranged else None
    if safe is None:
        return solution, None, size_alternatives(trials, even, tokens, ratio)
    sure = Option(why=sureness(safe), meets=True, estimate=safe)
    return solution, sure, size_alternatives(trials, even, tokens, ratio)


def _size_and_thrift(estimate: Estimate) -> tuple[float, float]:
    """Return what the best of several is the most of: parameters, then GPU-hours not spent."""
    return estimate.run.subject.total_parameters, -estimate.gpu_hours[0]


def size_alternatives(trials: Trials, solution: Estimate, tokens: float | None, ratio: float) -> tuple[Option, ...]:
    """Return the largest models on other amounts of data and the same devices, largest first."""
    count = solution.run.n_gpus
    options: list[Option] = []
    if tokens is None:
        for other in (candidate for candidate in _OTHER_RATIOS if candidate != ratio):
            estimate = _largest(trials, count, None, other, sure=False)
            if estimate is not None:
                options.append(Option(why=f"at {other:g} tokens a parameter", meets=True, estimate=estimate))
    else:
        for share in _OTHER_TOKENS:
            estimate = _largest(trials, count, tokens * share, ratio, sure=False)
            if estimate is not None:
                options.append(Option(why=f"on {format_tokens(tokens * share)}", meets=True, estimate=estimate))
    options.sort(key=lambda option: -option.estimate.run.subject.total_parameters)
    return tuple(options[:_ALTERNATIVES])


def _largest(trials: Trials, count: Quantity, tokens: float | None, ratio: float, *, sure: bool) -> Estimate | None:
    def at(size: int) -> Estimate | None:
        amount = optimal_tokens(size, ratio) if tokens is None else tokens
        return trials.at(trials.varied(model=size, n_gpus=count, tokens=amount))

    def meets(size: int) -> bool | None:
        return trials.meets(at(size), sure=sure)

    largest = boundary(meets, _SIZES[::-1], None, _guess(trials, count, tokens, ratio))
    return None if largest is None else at(largest)


def _bought(trials: Trials, tokens: float | None, ratio: float) -> tuple[int, ...]:
    """Return the counts that spend about the budget by the deadline."""
    return Counts(Trials(_small(trials, None, tokens, ratio), trials.limits)).bought()


def _guess(trials: Trials, count: Quantity, tokens: float | None, ratio: float) -> float:
    """Return about which size keeps to the limits, by the rule of thumb and a usual speed.

    Raises what is wrong with the request, which a search would pass over as without a layout.
    """
    small = _small(trials, count, tokens, ratio)
    run = trials.resolved(small)
    seconds = math.inf if trials.limits.deadline_s is None else trials.limits.deadline_s
    estimate = trials.at(small)
    if trials.limits.budget is not None and estimate is not None:
        seconds = min(seconds, trials.limits.budget / cost(estimate, trials.limits, sure=False) * estimate.training_s)
    flop = run.n_gpus * run.device.peak_flop_per_s * _GUESSED_UTILIZATION * seconds
    size = optimal_parameters(flop, ratio) if tokens is None else flop / (6.0 * tokens)
    guess = _SIZES[nearest_rung(_SIZES, min(max(size, _SIZES[0]), _SIZES[-1]))]
    trials.resolved(trials.varied(model=guess, n_gpus=count, tokens=tokens or optimal_tokens(guess, ratio)))
    return float(guess)


def _small(trials: Trials, count: Quantity | None, tokens: float | None, ratio: float) -> Request:
    """Return a run of the smallest model, without the degrees that a small model does not divide into."""
    request = trials.varied(model=_SIZES[0], n_gpus=count, tokens=tokens or optimal_tokens(_SIZES[0], ratio))
    return replace(
        request,
        tensor_parallel=None,
        pipeline_parallel=None,
        virtual_pipeline=None,
        context_parallel=None,
        expert_parallel=None,
    )
