"""From a resolved run to its answer: time with its range, and what follows from it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from estimator.answers.estimate.assumed import united_assumptions
from estimator.answers.estimate.importance import most_important_first
from estimator.answers.estimate.money import Spread, energy_kwh, run_cost
from estimator.answers.estimate.overhead import RunOverhead
from estimator.answers.estimate.schedule_doubts import uncounted
from estimator.answers.estimate.short_runs import short_run_doubts
from estimator.answers.estimate.speeds import Basis, Speed, speed_of
from estimator.answers.estimate.timing import Timing
from estimator.answers.estimate.unlike import unlike_gpus
from estimator.base.errors import InfeasibleError
from estimator.base.units import HOUR_S
from estimator.base.version import VERSION
from estimator.catalogue import catalogue
from estimator.models.transformer import Transformer
from estimator.question.question import (
    Assumption,
    Caution,
    Comparable,
    Evidence,
    Layout,
    MemoryUse,
    Narrowing,
    Prediction,
    WayToFit,
)
from estimator.question.schedule import NOTHING_SCHEDULED
from estimator.resolve.run import Run

__all__ = ["Estimate", "estimate_id", "estimate_of"]

_ID_CHARACTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The answer to a `Run`."""

    run: Run
    basis: Basis
    training_s: float
    training_low_s: float
    training_high_s: float
    coverage: float | None
    """Probability that the range holds the truth; None where the range is not a probability."""
    timing: Timing
    step_s: float | None
    model_flop: float
    hardware_flop_per_token: float
    overhead: RunOverhead | None
    layout: Layout | None
    memory: MemoryUse | None
    ways_to_fit: tuple[WayToFit, ...]
    """Where the memory does not fit, arguments with which it does, the likeliest to suit first."""
    breakdown: Mapping[str, float]
    runner_ups: tuple[tuple[Layout, float], ...]
    comparable_runs: tuple[Comparable, ...]
    evidence: Evidence
    narrow_by: tuple[Narrowing, ...]
    cost_usd: Spread
    energy_kwh: Spread
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Caution, ...]

    @property
    def tokens_per_second(self) -> float:
        """Steady state, all devices together."""
        return self.timing.tokens_per_second

    @property
    def coefficient(self) -> float:
        """FLOPs per active parameter and token that the hardware executes."""
        return self.hardware_flop_per_token / self.run.subject.active_parameters

    @property
    def gpu_hours(self) -> tuple[float, float, float]:
        """GPU-hours of the whole run: point, low, high."""
        return _gpu_hours(self.run, self.training_s, self.training_low_s, self.training_high_s)

    @property
    def hardware_flops_utilization(self) -> float:
        """Executed FLOPs over the dense peak, steady state."""
        run = self.run
        return self.tokens_per_second * self.hardware_flop_per_token / (run.n_gpus * run.device.peak_flop_per_s)

    @property
    def model_flops_utilization(self) -> float:
        """FLOPs the model needs over the dense peak, steady state."""
        run = self.run
        per_token = self.model_flop / run.amount.tokens
        return self.tokens_per_second * per_token / (run.n_gpus * run.device.peak_flop_per_s)


def estimate_of(run: Run, prediction: Prediction | None = None, *, advised: bool = True, told: bool = True) -> Estimate:
    """Return the estimate of `run`; a `prediction` that was already made of its question is not made again.

    Where it does not fit, what would do is looked for only if `advised`; what changes no number, only if it is `told`.

    An observed speed is extrapolated, a given utilization is the rule of thumb's, and all else is predicted; the rule
    of thumb at its usual utilization stands in where the model or the device is not known to the step-time model.
    Raises InfeasibleError where no layout is possible.
    """
    # Of unlike devices no other count would do.
    prediction = prediction or _prediction(run, advised=advised and not run.device.pools, told=told)
    speed = speed_of(run, prediction)
    timing = speed.timing
    training_s, low_s, high_s = timing.training_s(run.amount.tokens)
    gpu_hours = _gpu_hours(run, training_s, low_s, high_s)
    return Estimate(
        run=run,
        basis=speed.basis,
        training_s=training_s,
        training_low_s=low_s,
        training_high_s=high_s,
        coverage=speed.coverage,
        timing=timing,
        step_s=_step_s(run, prediction, speed),
        model_flop=run.amount.tokens
        * (prediction.model_flop_per_token if prediction else run.model_coefficient * run.rule.parameters),
        hardware_flop_per_token=prediction.hardware_flop_per_token
        if prediction
        else run.rule.coefficient * run.rule.parameters,
        overhead=timing.overhead(run.amount.tokens),
        layout=prediction.layout if prediction else None,
        memory=prediction.memory if prediction else None,
        ways_to_fit=prediction.ways_to_fit if prediction else (),
        breakdown=prediction.breakdown if prediction else {},
        runner_ups=prediction.runner_ups if prediction else (),
        comparable_runs=prediction.comparable_runs if prediction else (),
        evidence=_evidence(run, prediction, speed.basis),
        narrow_by=_narrowed(run, prediction, speed),
        cost_usd=run_cost(run, gpu_hours),
        energy_kwh=energy_kwh(gpu_hours, run.device.accelerator),
        assumptions=united_assumptions(run, prediction, speed.assumptions, predicted=speed.basis == "predicted"),
        warnings=most_important_first(
            (
                *run.warnings,
                *_of_prediction(prediction, speed.basis),
                *speed.warnings,
                *_not_counted(run, prediction, speed),
                *short_run_doubts(run, prediction),
                *(unlike_gpus(run, prediction) if run.device.pools and prediction and advised else ()),
            )
        ),
    )


def estimate_id(run: Run, *parts: str) -> str:
    """Return a hash of every resolved input, the versions of program and data, and `parts` that shape the answer.

    What follows from these alone, such as the rates of a catalogued device, is left out: spelling it out would take
    longer than the estimate.
    """
    cluster = run.question.cluster if run.question else None
    resolved = (
        VERSION,
        catalogue.data_version(),
        *parts,
        *(
            text
            for given in run.assumptions
            for text in (given.name, repr(given.value), given.unit, given.source, given.note)
        ),
        *(text for warning in run.warnings for text in (warning.code, warning.message)),
        # What the assumptions do not tell in full: a configured architecture, and what is only told where it matters.
        _spelt(run.subject.transformer),
        *(own.key for own in run.own_runs),
        *((repr(run.schedule),) if run.schedule != NOTHING_SCHEDULED else ()),
        repr((run.subject.total_parameters, run.device.peak_flop_per_s, run.amount.low_factor, run.amount.high_factor)),
        repr((cluster.gpus_per_node, cluster.scale_out_bytes_per_s)) if cluster else "",
    )
    return hashlib.sha256("\0".join(resolved).encode()).hexdigest()[:_ID_CHARACTERS]


@lru_cache(maxsize=256)
def _spelt(transformer: Transformer | None) -> str:
    return repr(transformer)


def _gpu_hours(run: Run, point_s: float, low_s: float, high_s: float) -> tuple[float, float, float]:
    return (run.n_gpus * point_s / HOUR_S, run.n_gpus * low_s / HOUR_S, run.n_gpus * high_s / HOUR_S)


def _prediction(run: Run, *, advised: bool, told: bool) -> Prediction | None:
    if run.question is None or run.utilization is not None:
        return None
    # NumPy comes with it, and a closed-form answer does without.
    from estimator.answers.estimate.predict import prediction

    try:
        return prediction(run.question, advised=advised, told=told)
    except InfeasibleError:
        if run.observed_tokens_per_second is None:
            raise
        # It runs, whatever we think of it: only the layout and the memory stay unknown.
        return None


def _evidence(run: Run, prediction: Prediction | None, basis: Basis) -> Evidence:
    """Return what the answer rests on; an observed speed and a given one are corrected by no run."""
    if basis == "predicted" and prediction is not None and prediction.evidence is not None:
        return prediction.evidence
    if basis == "observed":
        note = "the speed that you observed"
    elif run.utilization is not None:
        note = "the utilization that you gave"
    else:
        note = "the rule of thumb: the model or the GPU is not known to the step-time model"
    unused = "; my_runs correct predictions alone" if run.own_runs and basis != "predicted" else ""
    return Evidence(runs=0, labs=0, nearest="", correction=0.0, note=note + unused)


def _of_prediction(prediction: Prediction | None, basis: Basis) -> tuple[Caution, ...]:
    """Return what to beware of in a prediction; of one whose speed is not the answer's, that it does not fit."""
    found = () if prediction is None else prediction.warnings
    return found if basis == "predicted" else tuple(caution for caution in found if caution.code == "does_not_fit")


def _narrowed(run: Run, prediction: Prediction | None, speed: Speed) -> tuple[Narrowing, ...]:
    """Return what would narrow the range of a predicted run most."""
    if prediction is None or speed.basis != "predicted":
        return ()
    from estimator.answers.estimate.amount_narrowing import with_amount

    return with_amount(prediction.narrow_by, speed.timing, run)


def _not_counted(run: Run, prediction: Prediction | None, speed: Speed) -> tuple[Caution, ...]:
    """Return what was told to be done between steps, where their speed was given."""
    if speed.basis == "predicted":
        return ()
    return uncounted(run, prediction, speed.timing.tokens_per_second, _step_s(run, prediction, speed))


def _step_s(run: Run, prediction: Prediction | None, speed: Speed) -> float | None:
    """Return the seconds of a step, steady state; None where no batch applies."""
    if run.global_batch_sequences is not None:
        return run.global_batch_sequences * run.sequence_length / speed.timing.tokens_per_second
    if prediction is not None and speed.basis == "predicted":
        return prediction.step_s
    return None
