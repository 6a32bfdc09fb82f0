"""How near a whole training step ever came to what its device multiplies at: what no published run has reached."""

from functools import cache
from typing import NamedTuple

from estimator.base.prior import Prior
from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.calibration import generation
from estimator.evidence.outlook import served_runs
from estimator.models.flops import flop_counts
from estimator.models.prediction import with_prediction
from estimator.models.training import Method

__all__ = ["BETTER", "Reached", "reached"]

BETTER = Prior(
    low=1.0,
    mode=1.1,
    high=1.2,
    why="By which a run may yet be better than the best published one: the best of one lab and of the next lie a tenth "
    "apart at most, on whatever device.",
)


class Reached(NamedTuple):
    """The largest share of the measured matmul rate that a published run's model FLOPs came to, of so many runs."""

    share: float
    runs: int


def reached() -> Reached:
    """Return the best share of a measured matmul rate over the decoders' runs that correct answers.

        tokens/s · FLOPs that the model needs per token / measured matmul rate of the device in that precision

    Recomputation is not counted, as in MFU. Runs of short packed documents are left out, whose attention is less than
    is counted, and devices whose rate nobody measured. 1 where there is no such run.
    """
    return _reached(generation())


@cache
def _reached(_: int) -> Reached:
    shares = [share for run in served_runs() if (share := _share(run)) is not None]
    return Reached(share=max(shares, default=1.0), runs=len(shares))


def _share(run: PublishedRun) -> float | None:
    chip = catalogue.accelerator(run.accelerator_id).value.accelerator
    rate, speed = chip.measured_matmul_flop_per_s.get(run.precision), run.tokens_per_second_per_gpu
    if rate is None or speed is None or run.packed_short:
        return None
    network, method = with_prediction(run.transformer), Method(name=run.method)
    return speed * flop_counts(network, sequence_length=run.sequence_length, method=method).model / rate
