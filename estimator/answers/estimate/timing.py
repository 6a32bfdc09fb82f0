"""From a speed to the time of so many tokens: overhead of the run, its least time, and both ends of its range."""

import math
from dataclasses import dataclass

from estimator.answers.estimate.overhead import START_UP_S, RunOverhead, run_overhead
from estimator.answers.estimate.scheduled import Scheduled
from estimator.physics.stacks import Stack
from estimator.question.profile import Goodput

__all__ = ["PredictedStep", "Timing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedStep:
    """What a predicted run adds to its speed: a stack with its overhead, and a step that is the least it takes."""

    step_s: float
    stack: Stack
    n_gpus: int
    adapters: bool
    goodput: Goodput | None = None
    """What was told of interruptions."""
    its_own: bool = False
    """Whether this very training is one that was published."""
    scheduled: Scheduled | None = None
    """Evaluations and checkpoints that were told; None where they are as usual."""

    def overhead(self, steps_s: float) -> RunOverhead:
        """Return what a run of `steps_s` seconds of steps takes beyond them."""
        return run_overhead(
            self.n_gpus,
            steps_s,
            self.stack,
            adapters=self.adapters,
            goodput=self.goodput,
            its_own=self.its_own,
            scheduled=self.scheduled,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A speed with its range, from which the time of any amount of data follows."""

    tokens_per_second: float
    """Steady state, all devices together."""
    low_factor: float
    """The time of a step is at least so much of what is expected …"""
    high_factor: float
    """… and at most so much."""
    amount_low: float = 1.0
    """The amount of data is at least so much of what is expected …"""
    amount_high: float = 1.0
    """… and at most so much."""
    predicted: PredictedStep | None = None
    """None where a speed was given: it is extrapolated as it is."""

    def overhead(self, tokens: float) -> RunOverhead | None:
        """Return what a predicted run of `tokens` takes beyond its steps; None where a speed was given."""
        return None if self.predicted is None else self.predicted.overhead(tokens / self.tokens_per_second)

    def training_s(self, tokens: float) -> tuple[float, float, float]:
        """Return the seconds of a run of `tokens`: point, low, high.

        Log errors of step, overhead and data are independent and added in quadrature. A predicted run takes a step and
        its start-up at least.
        """
        point, low_factor, high_factor = tokens / self.tokens_per_second, self.low_factor, self.high_factor
        overhead = self.overhead(tokens)
        if overhead is not None:
            point *= 1.0 + overhead.fraction
            low_factor, high_factor = overhead.widened(low_factor, high_factor)
        low = point * math.exp(-math.hypot(math.log(low_factor), math.log(self.amount_low)))
        high = point * math.exp(math.hypot(math.log(high_factor), math.log(self.amount_high)))
        if self.predicted is None:
            return point, low, high
        step_s = self.predicted.step_s
        return (
            max(point, step_s + START_UP_S.mode),
            max(low, step_s * self.low_factor + START_UP_S.low),
            max(high, step_s * self.high_factor + START_UP_S.high),
        )
