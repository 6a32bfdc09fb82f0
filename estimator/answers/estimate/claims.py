"""Speeds and utilizations that are a caller's own, held against what a device can execute."""

from estimator.base.errors import InvalidValueError
from estimator.base.units import TERA
from estimator.question.question import Caution
from estimator.resolve.run import Run

__all__ = ["above_ceiling", "refuse_impossible"]

_IMPOSSIBLE = 2.0
"""Of the fastest dense rate: what short packed documents and layers that are not trained leave out of counted FLOPs."""


def refuse_impossible(run: Run, observed: float, model_flop_per_token: float) -> None:
    """Raise InvalidValueError for an observed speed that no reading of the question makes possible.

    tokens/s · FLOPs per token of the model > 2 · devices · fastest dense rate in any precision
    """
    accelerator = run.device.accelerator
    if accelerator is None:
        return
    fastest = run.n_gpus * max(run.device.peak_flop_per_s, *accelerator.peak_flop_per_s.values())
    times = observed * model_flop_per_token / fastest
    if times > _IMPOSSIBLE:
        raise InvalidValueError(
            "observed_tokens_per_second",
            observed,
            f"would take {times:,.3g} times the fastest dense rate of {run.n_gpus:,} × {accelerator.name}; give tokens "
            f"(not samples, characters or bytes) per second of all GPUs together: at most about "
            f"{fastest / model_flop_per_token:,.3g} of this model",
        )


def above_ceiling(run: Run, utilization: float) -> tuple[Caution, ...]:
    """Return a warning where a utilization is the caller's alone: more than the device was ever measured to execute.

    A peak that is told to be another figure is not held against it: its own warning says more.
    """
    accelerator, precision = run.device.accelerator, run.device.precision
    measured = accelerator.measured_matmul_flop_per_s.get(precision) if accelerator else None
    if measured is None or run.device.warnings or utilization * run.device.peak_flop_per_s <= measured:
        return ()
    return (
        Caution(
            code="utilization_above_ceiling",
            message=f"utilization {utilization:g} of {run.device.peak_flop_per_s / TERA:g} TFLOPS is yours: no matrix "
            f"product was measured above {measured / TERA:g} TFLOPS in {precision.upper()} on {run.device.name}",
        ),
    )
