"""The counts of devices that may be planned, and where along them a run keeps to its limits."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.plan.search import Ladder, Verdict, boundary, nearest_rung
from estimator.answers.plan.trials import Trials, cost, fits
from estimator.base.errors import MissingValueError
from estimator.base.units import HOUR_S
from estimator.question.request import Quantity, Request
from estimator.resolve.framework.local_updates import asked_local_updates

__all__ = ["MOST_WASTE", "Counts", "degree_product"]

MOST_PLANNED = 131_072
"""Devices of one run: published ones have up to 24,576 in synchronous training, announced ones about 100,000."""
MOST_WASTE = 2.0
"""Times the GPU-hours of few devices: beyond it most of what more devices cost is idle time, whoever pays."""
_USUAL_NODE = 8
"""Devices of a node of a card that is not catalogued."""
_NEIGHBOURS = 4
_COMFORTABLE_NODES = 8
_CLOSE = 1.2
_FAR = 8
_BOUGHT = 4


class Counts:
    """Runs of one request over the counts its nodes and degrees allow."""

    def __init__(self, trials: Trials, gpu: Quantity | None = None, *, most: int = MOST_PLANNED) -> None:
        self.trials = trials
        self._gpu = gpu
        self.ladder = _ladder(trials, trials.varied(gpu=gpu), most)

    def at(self, count: int) -> Estimate | None:
        """Return the estimate on `count` devices."""
        return self.trials.at(self.trials.varied(gpu=self._gpu, n_gpus=count))

    def fewest_in_time(self, *, sure: bool) -> int | None:
        """Return the fewest devices that end by the deadline, and within the budget where there is one; else None.

        One step fewer would not do. Searched over counts that divide well, then between two of them.
        """

        def in_time(count: int) -> bool | None:
            return self.trials.in_time(self.at(count), sure=sure)

        ladder = self.ladder
        fewest = boundary(in_time, ladder.coarse(), ladder.rising, self._near_deadline(sure=sure))
        if fewest is None:
            # Past the batch more devices may take as long, so that the few counts that do lie apart from the rest.
            near = next((count for count in self.doubling() if in_time(count)), None)
            fewest = None if near is None else boundary(in_time, ladder.coarse(), ladder.rising, near)
        else:
            # Nor does time fall with every count: a rounder one that is far smaller may do, down to what would do if
            # devices did not wait for one another.
            least = min(fewest / _FAR, self._near_deadline(sure=sure) / 2.0)
            rounder = (count for count in self.doubling() if least < count < fewest)
            near = next((count for count in (*self._waiting_less(fewest), *rounder) if in_time(count)), None)
            smaller = None if near is None else boundary(in_time, ladder.coarse(), ladder.rising, near)
            fewest = fewest if smaller is None else min(fewest, smaller)
        if fewest is None or self.trials.limits.budget is None:
            return fewest

        def meets(count: int) -> bool | None:
            return self.trials.meets(self.at(count), sure=sure)

        # An awkward count costs more than a rounder one above it, near or far: those may still be within the budget.
        coarse = ladder.coarse()
        above = coarse[nearest_rung(coarse, fewest) :][: _NEIGHBOURS + 1]
        near_first = (fewest, *above, *self.doubling())
        start = next((count for count in near_first if count >= fewest and meets(count)), None)
        return None if start is None else self._stepped_down(meets, start)

    def _waiting_less(self, count: int) -> list[int]:
        """Return the counts within a node, and a node, that may be as fast as `count`, which waits for its network."""
        estimate = self.at(count)
        shares: Mapping[str, float] = {} if estimate is None else estimate.breakdown
        waits = shares.get("communication", 0.0) + shares.get("bubble", 0.0)
        return [fewer for fewer in (*self.ladder.parts, self.ladder.step) if (1.0 - waits) * count < fewer < count]

    def most_in_budget(self, *, sure: bool) -> int | None:
        """Return the most devices that the budget pays and that still help; None where it pays for none.

        One step more it would not pay, or would waste: more than `MOST_WASTE` times the GPU-hours of few devices.
        Raises MissingValueError where the cost does not depend on the count.
        """
        few = [self.at(int(self.comfortable()) * factor) for factor in (1, 2, 4)]
        fitting = [estimate for estimate in few if estimate is not None and fits(estimate)]
        least_hours = min((estimate.gpu_hours[0] for estimate in fitting), default=math.inf)

        def worth_it(count: int) -> bool | None:
            estimate = self.at(count)
            affordable = self.trials.in_budget(estimate, sure=sure)
            return affordable and estimate is not None and estimate.gpu_hours[0] <= MOST_WASTE * least_hours

        falling = self.ladder.coarse()[::-1]
        if worth_it(falling[0]):
            remedy = "the budget pays for every count; a deadline would say how many are needed"
            raise MissingValueError("deadline", remedy)
        most = boundary(worth_it, falling, self.ladder.falling, self.comfortable())
        if most is None:
            # The budget may pay for a few counts only, between too few to be efficient and too many, or in a node.
            near = next((count for count in (*self.doubling(), *self.ladder.parts[::-1]) if worth_it(count)), None)
            most = None if near is None else boundary(worth_it, falling, self.ladder.falling, near)
        return most

    def doubling(self) -> Iterator[int]:
        """Yield counts over the whole ladder, each twice the one before."""
        count = self.ladder.step
        while count <= self.ladder.most:
            yield count
            count *= 2

    def fewest_that_fit(self) -> int | None:
        """Return the fewest devices whose memory holds the run, or None."""

        def holds(count: int) -> bool | None:
            estimate = self.at(count)
            return None if estimate is None else fits(estimate)

        return boundary(holds, self.ladder.coarse(), self.ladder.rising, self.ladder.step)

    def roughly_in_time(self) -> Estimate | None:
        """Return a run that ends by the deadline on about the fewest devices that do; to compare, not to plan."""
        coarse = self.ladder.coarse()
        at = nearest_rung(coarse, self._near_deadline(sure=False))
        for count in coarse[at : at + 4 * _NEIGHBOURS : 2]:
            estimate = self.at(count)
            if self.trials.in_time(estimate, sure=False):
                return estimate
        return None

    def bought(self) -> tuple[int, ...]:
        """Return the counts that spend about the budget by the deadline, whatever is trained: GPU-hours over hours.

        Fewer leave money, more leave time: the nearest on either side, then rounder ones, which divide more models.
        Where so few do not hold the run, the fewest that do: they spend the same money sooner.
        """
        limits, estimate = self.trials.limits, self.at(int(self.comfortable()))
        if estimate is None or limits.deadline_s is None or limits.budget is None:
            return ()
        cost_per_gpu_hour = cost(estimate, limits, sure=False) / estimate.gpu_hours[0]
        holding = self.fewest_that_fit()
        if holding is None:
            return ()
        spending = limits.budget / cost_per_gpu_hour / (limits.deadline_s / HOUR_S)
        most = min(max(spending, float(holding)), float(self.ladder.most))
        coarse = self.ladder.coarse()
        below = self.ladder.fewer(int(most) + 1)
        nearest = [below] if below else []
        nearest += [min(self.ladder.rising(int(most), int(most) + self.ladder.step), default=self.ladder.most)]
        close = [count for count in coarse if most / _CLOSE <= count <= most * _CLOSE]
        rounder = sorted(close, key=lambda count: (count & -count, count), reverse=True)
        return tuple(dict.fromkeys((*nearest, *rounder)))[:_BOUGHT]

    def comfortable(self) -> float:
        """Return a count at which the run surely fits, to start from: a few nodes, or more for a large model."""
        count = float(self.ladder.step)
        for _ in range(int(math.log2(max(self.ladder.most / count, 1)))):
            estimate = self.at(int(count))
            if estimate is not None and fits(estimate):
                break
            count *= 2
        return count

    def _near_deadline(self, *, sure: bool) -> float:
        """Return about how many devices the deadline takes, as if time were inverse to them."""
        deadline_s = self.trials.limits.deadline_s
        start = min(self.ladder.step * _COMFORTABLE_NODES, self.ladder.most)
        estimate = self.at(start) or self.at(self.ladder.step)
        if estimate is None or deadline_s is None:
            return float(start)
        seconds = estimate.training_high_s if sure else estimate.training_s
        return min(max(estimate.run.n_gpus * seconds / deadline_s, 1.0), float(self.ladder.most))

    def _stepped_down(self, meets: Verdict, count: int) -> int:
        while (fewer := self.ladder.fewer(count)) is not None and meets(fewer):
            count = fewer
        return count


def _ladder(trials: Trials, request: Request, most: int) -> Ladder:
    """Return the counts up to `most` that can be planned: parts of a node that divide it, then whole nodes.

    Of racks parts in whole trays, as they are had, then whole racks. Parallel degrees that were given must divide the
    count, so that they widen the step.
    """
    together = degree_product(request)
    device = trials.resolved(replace(request, n_gpus=together)).device
    usual = device.accelerator.gpus_per_node if device.accelerator else _USUAL_NODE
    whole = device.rack or request.gpus_per_node or device.node or usual
    least = usual if device.rack else 1
    step = min(math.lcm(int(whole), together), MOST_PLANNED)
    parts = tuple(part for part in range(least, int(whole), least) if whole % part == 0 and part % together == 0)
    return Ladder(parts=parts, step=step, most=max(most // step, 1) * step)


def degree_product(request: Request) -> int:
    """Return what every count must be a multiple of: the parallel degrees that were given, and sites, multiplied."""
    asked, _ = asked_local_updates(request.framework)
    sites = asked.sites if asked is not None else None
    degrees = (request.tensor_parallel, request.pipeline_parallel, request.context_parallel, sites)
    return min(math.prod(degree for degree in degrees if degree and degree > 0), MOST_PLANNED)
