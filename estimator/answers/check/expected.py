"""What speed a run should reach, and what speed it cannot exceed."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from estimator.answers.estimate.best_step import BestStep, Grounds, best_step, factor_and_range, own_runs_say
from estimator.answers.estimate.runnable import runnable
from estimator.base.errors import InfeasibleError
from estimator.base.units import TERA
from estimator.evidence.account import evidence_of
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.ceiling import dense_peak_at, measured_rate_at, reachable_share
from estimator.evidence.comparables import comparable_runs
from estimator.models.flops import flop_counts
from estimator.models.passes import passes_of
from estimator.models.workload import workload
from estimator.physics.batch import nearest_batch
from estimator.physics.choice import Setting, setting_of
from estimator.question.question import Caution, Evidence, Layout, Prediction, Question
from estimator.resolve.rule import UTILIZATION
from estimator.resolve.run import Run

__all__ = [
    "Bound",
    "Expected",
    "Settled",
    "Verdict",
    "attention_flop_per_token",
    "dense_peak_flop_per_s",
    "expected_of",
    "expected_speed",
    "question_bound",
    "speed_bound",
    "utilization",
    "verdict",
]

_BACKWARD_OVER_FORWARD = 2.0
_MEASURED = "observed_tokens_per_second"
"""Of a doubt that nothing settles which can be said of a run: here the speed itself is told."""
Verdict = Literal["faster", "normal", "slow", "implausible"]


_RULE_ALONE = Evidence(runs=0, labs=0, nearest="", correction=0.0, note="the rule of thumb: nothing was predicted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a range would be about the same speed if some of what it holds several ways of were said."""

    arguments: tuple[str, ...]
    low: float
    """Factor on the speed expected …"""
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Steady-state tokens per second of all devices, with its range."""

    tokens_per_second: float
    low: float
    high: float
    coverage: float | None
    """Probability of the range; None where the rule of thumb's spread stands in for it."""
    layout: Layout | None
    fits: bool
    shares: Mapping[str, float]
    """Of a step's time, by part."""
    stack: str
    tier: str
    warnings: tuple[Caution, ...] = ()
    rounded_batch: int | None = None
    """The batch that was priced, where the one asked divides among no layout's devices, or few."""
    evidence: Evidence = _RULE_ALONE
    settled: tuple[Settled, ...] = ()
    """Its range were arguments said that are open: one each, then more and more of them."""

    def slowed(self, fraction: float, low: float, high: float) -> "Expected":
        """Return the speed over a run whose time is longer than its steps by `fraction`."""
        return replace(
            self,
            tokens_per_second=self.tokens_per_second / (1.0 + fraction),
            low=self.low / (1.0 + high),
            high=self.high / (1.0 + low),
            settled=tuple(
                replace(
                    one,
                    low=one.low * (1.0 + fraction) / (1.0 + high),
                    high=one.high * (1.0 + fraction) / (1.0 + low),
                )
                for one in self.settled
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A speed that executed FLOPs rule out."""

    tokens_per_second: float
    flop_per_s_per_gpu: float
    flop_per_token: float
    """The least that the run must execute: no recomputation."""
    name: str
    note: str
    reached: float = math.inf
    """Of that speed, what the best of published runs came to, and somewhat more; not limited where none tells."""


def verdict(tokens_per_second: float, expected: Expected, bound: Bound, *, least_share: float = 1.0) -> Verdict:
    """Return where an observed speed lies: beyond the bound, or against the expected range.

    Above that range and above what any run has come to of the bound, it is more likely miscounted than a record.

    `least_share`: of the speed, what is sure; less than 1 where it stands on tokens that were assumed. Only that is
    ruled out by the bound.
    """
    if least_share * tokens_per_second > bound.tokens_per_second:
        return "implausible"
    if tokens_per_second > expected.high:
        unreached = least_share * tokens_per_second > bound.reached * bound.tokens_per_second
        return "implausible" if unreached else "faster"
    return "slow" if tokens_per_second < expected.low else "normal"


def expected_speed(run: Run) -> Expected:
    """Return what `run` should reach: predicted, or the rule of thumb's spread where nothing can be predicted."""
    if run.question is not None:
        try:
            return _as_runnable(run.question)
        except InfeasibleError:
            nearest = nearest_batch(run.question)
            try:
                at_nearest = _with_evidence(setting_of(nearest))
            except InfeasibleError:
                pass
            else:
                return replace(at_nearest, rounded_batch=nearest.global_batch_sequences)

    def speed(utilization: float) -> float:
        return run.amount.tokens / run.rule.training_s(utilization)

    return Expected(
        tokens_per_second=speed(UTILIZATION.mode),
        low=speed(UTILIZATION.low),
        high=speed(UTILIZATION.high),
        coverage=None,
        layout=None,
        fits=True,
        shares={},
        stack="",
        tier="",
    )


def _as_runnable(question: Question) -> Expected:
    posed = setting_of(runnable(question, committed_calibration().constants))
    rounded = question.global_batch_sequences not in {None, posed.global_batch}
    return replace(_with_evidence(posed), rounded_batch=posed.global_batch if rounded else None)


def _with_evidence(setting: Setting) -> Expected:
    evidence = evidence_of(setting, comparable_runs(setting), own_runs_say(setting))
    best = best_step(setting, committed_calibration())
    return replace(_expected(setting, best.prediction), evidence=evidence, settled=(*_settled(best),))


def _settled(best: BestStep) -> Iterator[Settled]:
    """Yield the range of `best` without each of its doubts, and without more and more, those first that widen it most.

    About the speed that is expected, which lies among the ways: once one is said, it is another.
    """
    arguments = tuple({doubt.argument: None for doubt in best.grounds.doubts if doubt.argument != _MEASURED})
    alone = [_without(best.grounds, (argument,)) for argument in arguments]
    yield from alone
    narrowing = sorted(alone, key=lambda settled: settled.high / settled.low)
    for several in range(2, len(narrowing) + 1):
        yield _without(best.grounds, tuple(settled.arguments[0] for settled in narrowing[:several]))


def _without(grounds: Grounds, arguments: tuple[str, ...]) -> Settled:
    for argument in arguments:
        grounds = grounds.without_doubt(argument)
    _, span = factor_and_range(grounds)
    return Settled(arguments=arguments, low=1.0 / span.high, high=1.0 / span.low)


def expected_of(setting: Setting) -> Expected:
    """Return what a run of `setting` should reach on its best layout, with the range that left-out runs support."""
    return _expected(setting, best_step(setting, committed_calibration()).prediction)


def _expected(setting: Setting, step: Prediction) -> Expected:
    speed = step.tokens_per_step / step.step_s
    return Expected(
        tokens_per_second=speed,
        low=speed / step.high_factor,
        high=speed / step.low_factor,
        coverage=step.coverage,
        layout=step.layout,
        fits=step.memory.fits,
        shares=step.breakdown,
        stack=setting.stack.name,
        tier=setting.stack.tier,
        warnings=step.warnings,
    )


def speed_bound(run: Run, *, packed_short: bool = False) -> Bound:
    """Return the speed that executed FLOPs rule out for `run`; a device that is not catalogued has its given peak."""
    if run.question is not None and not run.device.pools:
        return question_bound(run.question, packed_short=packed_short)
    per_token = run.model_coefficient * run.rule.parameters
    peak = run.device.peak_flop_per_s
    return Bound(
        tokens_per_second=run.n_gpus * peak / per_token,
        flop_per_s_per_gpu=peak,
        flop_per_token=per_token,
        name="dense peak",
        note="as given or catalogued",
    )


def question_bound(question: Question, *, packed_short: bool = False) -> Bound:
    """Return the speed at which the run would execute more FLOPs than its devices were ever measured to.

        devices · measured matmul rate / FLOPs per token without recomputation

    The datasheet's dense peak stands in where nobody measured the device. With `packed_short`, attention is left out:
    documents shorter than the sequence see few keys.
    """
    counts = flop_counts(question.transformer, sequence_length=question.sequence_length, method=question.method)
    per_token = counts.model - (attention_flop_per_token(question) if packed_short else 0.0)
    chip, precision = question.cluster.accelerator, question.precision
    measured, peak = measured_rate_at(chip, precision), dense_peak_at(chip, precision)
    name, note = f"dense {precision} peak", f"datasheet of {chip.name}"
    if measured is not None:
        name = f"measured {precision} matmul ceiling"
        note = f"best rate measured on {chip.name}; the datasheet's dense peak is {peak / TERA:,.4g}"
    rate = peak if measured is None else measured
    return Bound(
        tokens_per_second=question.sites * question.cluster.n_gpus * rate / per_token,
        flop_per_s_per_gpu=rate,
        flop_per_token=per_token,
        name=name,
        note=note,
        reached=reachable_share(question),
    )


def dense_peak_flop_per_s(run: Run) -> float:
    """Return the catalogued dense peak of one device, whatever peak a caller divides by; of unlike ones the mean."""
    chip = run.device.accelerator
    return run.device.peak_flop_per_s if chip is None or run.device.pools else dense_peak_at(chip, run.device.precision)


def utilization(run: Run, tokens_per_second: float, flop_per_token: float) -> float:
    """Return the FLOPs of a speed of all devices over the dense peak of all devices."""
    return tokens_per_second * flop_per_token / (run.n_gpus * dense_peak_flop_per_s(run))


def attention_flop_per_token(question: Question) -> float:
    """Return FLOPs per token of the score products at full sequences, forward and as far back as gradients pass."""
    table = workload(question.transformer)
    plan = passes_of(table, question.method)
    return sum(
        attention.flop_per_token(question.sequence_length)
        * (1.0 + _BACKWARD_OVER_FORWARD * plan.of(attention.group).input_gradient)
        for attention in table.attentions
    )
