"""Estimates of the runs a plan weighs, each priced once, and whether they keep to its limits."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.answers.estimate.money import at_median_price, run_cost
from estimator.answers.plan.types import Limits
from estimator.base.errors import InfeasibleError, InvalidValueError, MissingValueError
from estimator.base.pauses import pause
from estimator.evidence.stack_doubts import LEFT_IDLE
from estimator.question.question import Caution
from estimator.question.request import Quantity, Request
from estimator.resolve.run import Run, resolve

__all__ = ["Trials", "climbed", "cost", "fits", "in_full", "left_idle", "sureness", "taken"]

_MOST_OF_USUAL_BATCH = 2


def fits(estimate: Estimate) -> bool:
    """Return whether a run fits in memory; True where the memory is not known."""
    if any(caution.code == "does_not_fit" for caution in estimate.warnings):
        return False
    return estimate.memory is None or estimate.memory.fits


def in_full(estimate: Estimate) -> Estimate:
    """Return the estimate of a trial with all that is told of an answer: trials are weighed by their numbers alone."""
    return estimate_of(estimate.run, advised=False)


def left_idle(estimate: Estimate) -> tuple[Caution, ...]:
    """Return the warning that a run's stack leaves all devices but one idle unless it is started otherwise, if so."""
    return tuple(caution for caution in estimate.warnings if caution.code == LEFT_IDLE)


def cost(estimate: Estimate, limits: Limits, *, sure: bool) -> float:
    """Return what a run takes of the budget: dollars at its price, or GPU-hours; at the far end of time where `sure`.

    Raises MissingValueError where there is no price.
    """
    return taken(estimate.gpu_hours, estimate.run, limits, sure=sure)


def taken(gpu_hours: tuple[float, float, float], run: Run, limits: Limits, *, sure: bool) -> float:
    """Return what so many hours (point, low, high) of the devices of `run` take of the budget; see `cost`."""
    point, _, high = gpu_hours
    if limits.budget_unit == "GPU-hours":
        return high if sure else point
    spread = run_cost(run, gpu_hours)
    usd = spread.high if sure else spread.value
    if usd is None:
        remedy = f"no dated price of {run.device.name} is catalogued, and a budget needs one"
        raise MissingValueError("price_per_gpu_hour", remedy)
    return usd


def climbed(
    start: Estimate | None, at: Callable[[int], Estimate | None], worth: Callable[[Estimate], float]
) -> Estimate | None:
    """Return the best of `start` and runs on ever twice its devices, while each is worth more than the one before.

    Where devices run better in larger numbers, or only more of them hold more, the same money buys more in less time.
    """
    best = start
    while best is not None and (more := at(2 * best.run.n_gpus)) is not None and worth(more) > worth(best):
        best = more
    return best


def sureness(estimate: Estimate) -> str:
    """Return how sure the far end of a run's range is, in words."""
    if estimate.coverage is None:
        return "by the slow end of the range"
    return f"at least {estimate.coverage:.0%} sure"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batches:
    """The batch that devices share evenly, and that of the rounder counts about theirs."""

    n_gpus: int
    shared: int
    usual: int

    @property
    def differ(self) -> bool:
        """Whether the one is far larger than the other.

        A count with a large prime factor is given a sequence for each device; planning it for that would be planning
        another training. Who wants a larger batch says so.
        """
        return self.shared > _MOST_OF_USUAL_BATCH * self.usual


def _batches(run: Run) -> _Batches | None:
    """Return the batches of a run whose step is predicted; None where it is none, or its batch is stated."""
    question = run.question
    if question is None or run.utilization is not None or question.global_batch_sequences is not None:
        return None
    # NumPy comes with it, and a plan by the rule of thumb does without.
    from estimator.physics.batch import global_batch_sequences

    n = question.cluster.n_gpus
    below = 1 << (n.bit_length() - 1)
    usual = max(
        global_batch_sequences(replace(question, cluster=replace(question.cluster, n_gpus=rounder)))
        for rounder in (below, 2 * below)
    )
    return _Batches(n_gpus=n, shared=global_batch_sequences(question), usual=usual)


class Trials:
    """Prices variations of one request; the same variation is priced once."""

    def __init__(self, base: Request, limits: Limits) -> None:
        self.base = base
        self.limits = limits
        self._priced: dict[str, Estimate | None] = {}
        self._unusual: _Batches | None = None

    def varied(
        self,
        *,
        model: Quantity | None = None,
        gpu: Quantity | None = None,
        n_gpus: Quantity | None = None,
        tokens: Quantity | None = None,
    ) -> Request:
        """Return the base request with what is given in place of its own."""
        request = self.base
        if model is not None:
            request = replace(request, model=model)
        if gpu is not None:
            request = replace(request, gpu=gpu)
        if n_gpus is not None:
            request = replace(request, n_gpus=n_gpus)
        if tokens is not None:
            # How long samples are stays true of any number of tokens; of steps it says what they come to.
            length = self.base.tokens_per_sample if self.base.steps is None else None
            request = replace(request, tokens=tokens, samples=None, tokens_per_sample=length, epochs=None, steps=None)
        return request

    def resolved(self, request: Request) -> Run:
        """Return one variation resolved; bad values are refused here, before they could pass for infeasible ones."""
        return resolve(request)

    def at(self, request: Request) -> Estimate | None:
        """Return the estimate of one variation; None where no layout divides it and a usual batch, or the one asked."""
        key = repr(request)
        if key not in self._priced:
            pause()
            try:
                self._priced[key] = self._estimate(resolve(request))
            except (InfeasibleError, InvalidValueError):
                # The base was checked: what does not fit now is this variation's count against a fixed layout.
                self._priced[key] = None
        return self._priced[key]

    def _estimate(self, run: Run) -> Estimate | None:
        """Return the estimate of a run; None where its batch is another than the one stated, or than is usual."""
        batches = _batches(run)
        if batches is not None and batches.differ:
            self._unusual = batches
            return None
        if self.limits.budget is not None and self.limits.budget_unit == "USD":
            run = at_median_price(run)
        estimate = estimate_of(run, advised=False, told=False)
        return None if any(caution.code == "batch_rounded" for caution in estimate.warnings) else estimate

    def refuse_unusual_batches(self) -> None:
        """Raise InfeasibleError where nothing has been priced because the devices share no usual batch evenly."""
        batches = self._unusual
        if batches is None or self.largest() is not None:
            return
        raise InfeasibleError(
            f"{batches.n_gpus:,} GPUs share no usual batch evenly: one that they share has {batches.shared:,} "
            f"sequences a step, and usual are about {batches.usual:,}; what would do: a count with more factors of "
            "two, fewer GPUs, or global_batch_sequences with the batch that is meant"
        )

    def priced(self) -> list[Estimate]:
        """Return every estimate so far that fits in memory."""
        return [estimate for estimate in self._priced.values() if estimate is not None and fits(estimate)]

    def largest(self) -> Estimate | None:
        """Return the estimate so far on the most devices, whether it fits or not."""
        return max(self._all(), key=lambda estimate: estimate.run.n_gpus, default=None)

    def largest_of_each(self) -> list[Estimate]:
        """Return of each device the estimate so far on the most of it, whether it fits or not, most memory first."""
        of_each: dict[str, Estimate] = {}
        for estimate in sorted(self._all(), key=lambda estimate: -estimate.run.n_gpus):
            of_each.setdefault(estimate.run.device.label, estimate)
        return sorted(of_each.values(), key=lambda estimate: -_memory_bytes(estimate))

    def _all(self) -> list[Estimate]:
        return [estimate for estimate in self._priced.values() if estimate is not None]

    def in_time(self, estimate: Estimate | None, *, sure: bool) -> bool | None:
        """Return whether a run fits and ends by the deadline, by the far end of its range where `sure`."""
        if estimate is None:
            return None
        if not fits(estimate):
            return False
        deadline_s = self.limits.deadline_s
        return deadline_s is None or (estimate.training_high_s if sure else estimate.training_s) <= deadline_s

    def in_budget(self, estimate: Estimate | None, *, sure: bool) -> bool | None:
        """Return whether a run fits and costs at most the budget, by the far end of its cost where `sure`.

        Raises MissingValueError where its device has no price.
        """
        if estimate is None:
            return None
        if not fits(estimate):
            return False
        if self.limits.budget is None:
            return True
        return cost(estimate, self.limits, sure=sure) <= self.limits.budget

    def meets(self, estimate: Estimate | None, *, sure: bool) -> bool | None:
        """Return whether a run keeps to every limit; None where it has no layout."""
        return self.in_time(estimate, sure=sure) and self.in_budget(estimate, sure=sure)


def _memory_bytes(estimate: Estimate) -> float:
    """Return the memory of all devices of a run."""
    chip = estimate.run.device.accelerator
    return 0.0 if chip is None else estimate.run.n_gpus * chip.memory_bytes
