"""The steady speed of a run, and where it comes from: an observation, the step-time model or the rule of thumb."""

from dataclasses import dataclass
from typing import Literal

from estimator.answers.estimate.claims import above_ceiling, refuse_impossible
from estimator.answers.estimate.schedule_doubts import schedule_doubts
from estimator.answers.estimate.scheduled import scheduled_of
from estimator.answers.estimate.timing import PredictedStep, Timing
from estimator.base.prior import Prior
from estimator.models.training import WITH_ADAPTERS
from estimator.question.question import Assumption, Caution, Prediction
from estimator.resolve.rule import UTILIZATION
from estimator.resolve.run import Run

__all__ = ["OBSERVED_DRIFT", "Basis", "Speed", "speed_of"]

Basis = Literal["predicted", "assumed_utilization", "observed"]

OBSERVED_DRIFT = Prior(
    low=0.95,
    mode=1.0,
    high=1.05,
    why="A speed measured over some steps against the run's mean: data, stragglers and other users of the network move "
    "it by a few per cent; repeated published runs of equal inputs differ by 4 % in the median.",
)
_BARELY_POSSIBLE = 1.0
"""Of the peak: executed FLOPs cannot pass it for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Steady-state speed and where it came from."""

    basis: Basis
    timing: Timing
    coverage: float | None
    assumptions: tuple[Assumption, ...] = ()
    warnings: tuple[Caution, ...] = ()


def speed_of(run: Run, prediction: Prediction | None) -> Speed:
    """Return the speed that answers `run`: as observed, else as predicted, else the rule of thumb's.

    Raises InvalidValueError where what was observed is beyond what the devices can do.
    """
    if run.observed_tokens_per_second is not None:
        return _observed(run, run.observed_tokens_per_second, prediction)
    if prediction is not None:
        return _predicted(run, prediction)
    return _assumed(run)


def _timing(
    run: Run, tokens_per_second: float, low: float, high: float, predicted: PredictedStep | None = None
) -> Timing:
    return Timing(
        tokens_per_second=tokens_per_second,
        low_factor=low,
        high_factor=high,
        amount_low=run.amount.low_factor,
        amount_high=run.amount.high_factor,
        predicted=predicted,
    )


def _observed(run: Run, observed: float, prediction: Prediction | None) -> Speed:
    per_token = prediction.hardware_flop_per_token if prediction else run.rule.coefficient * run.rule.parameters
    utilization = observed * per_token / (run.n_gpus * run.device.peak_flop_per_s)
    warnings: list[Caution] = []
    model_per_token = prediction.model_flop_per_token if prediction else run.model_coefficient * run.rule.parameters
    refuse_impossible(run, observed, model_per_token)
    if utilization > _BARELY_POSSIBLE:
        warnings.append(
            Caution(
                code="observed_speed_implausible",
                message=f"{observed:,.0f} tokens/s would execute {utilization:.0%} of the dense peak of {run.n_gpus:,} "
                f"{run.device.name}: is it the speed of all GPUs together, in tokens per second, of this model?",
            )
        )
    assumptions = [
        Assumption(
            name="observed_drift",
            value=f"{OBSERVED_DRIFT.low:g} to {OBSERVED_DRIFT.high:g}",
            unit="of the observed time",
            source="default",
            note=OBSERVED_DRIFT.why,
        )
    ]
    if prediction is not None:
        predicted = prediction.tokens_per_step / prediction.step_s
        assumptions.append(
            Assumption(
                name="predicted_tokens_per_second",
                value=predicted,
                unit="tokens/s, all GPUs together",
                source="inferred",
                note=f"the observed speed is {observed / predicted:.2f} of it",
            )
        )
    return Speed(
        basis="observed",
        timing=_timing(run, observed, OBSERVED_DRIFT.low, OBSERVED_DRIFT.high),
        coverage=None,
        assumptions=tuple(assumptions),
        warnings=tuple(warnings),
    )


def _predicted(run: Run, prediction: Prediction) -> Speed:
    stack = run.stack
    precedent = None if run.question is None else run.question.precedent
    speed = prediction.tokens_per_step / prediction.step_s
    scheduled = scheduled_of(run, speed, prediction.step_s, prediction.layout)
    step = PredictedStep(
        step_s=prediction.step_s,
        stack=stack,
        n_gpus=run.n_gpus,
        adapters=run.method.name in WITH_ADAPTERS,
        goodput=run.goodput,
        its_own=precedent is not None and precedent.trained and precedent.agrees,
        scheduled=scheduled,
    )
    timing = _timing(run, speed, prediction.low_factor, prediction.high_factor, step)
    steps_s = run.amount.tokens / speed
    overhead = step.overhead(steps_s)
    return Speed(
        basis="predicted",
        timing=timing,
        coverage=prediction.coverage,
        assumptions=(
            Assumption(
                name="run_level_overhead",
                value=round(overhead.fraction, 4),
                unit="of the time in steps",
                source="default",
                note=overhead.note,
            ),
            *(scheduled.assumptions(steps_s) if scheduled else ()),
        ),
        warnings=schedule_doubts(run, scheduled, overhead, steps_s),
    )


def _assumed(run: Run) -> Speed:
    """Return the rule of thumb's speed, at the utilization given or the usual one."""
    given = run.utilization
    utilization = UTILIZATION.mode if given is None else given
    return Speed(
        basis="assumed_utilization",
        timing=_timing(
            run,
            run.amount.tokens / run.rule.training_s(utilization),
            1.0 if given is not None else UTILIZATION.mode / UTILIZATION.high,
            1.0 if given is not None else UTILIZATION.mode / UTILIZATION.low,
        ),
        coverage=None,
        assumptions=()
        if given is not None
        else (
            Assumption(
                name="utilization",
                value=utilization,
                unit="of dense peak",
                source="default",
                note=f"{UTILIZATION.low:.2f} to {UTILIZATION.high:.2f}: {UTILIZATION.why}",
            ),
        ),
        warnings=() if given is None else above_ceiling(run, given),
    )
