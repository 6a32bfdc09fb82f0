"""Unlike GPUs in one run: what equal shares cost, what shares by speed would bring, and what the fastest do alone."""

from dataclasses import replace

from estimator.base.errors import InfeasibleError
from estimator.base.units import format_duration
from estimator.question.pools import Pool
from estimator.question.question import Caution, Prediction, Question
from estimator.resolve.pools import pools_text
from estimator.resolve.run import Run

__all__ = ["unlike_gpus"]


def unlike_gpus(run: Run, prediction: Prediction) -> tuple[Caution, ...]:
    """Return what a reader must know of unlike GPUs: they were given equal shares, and all wait for the slowest.

        shares by speed: at most Σ count · speed of one among as many of its kind

    The fastest kind alone is priced with the whole batch.
    """
    question, pools = run.question, run.device.pools
    if question is None:
        return ()
    equal = prediction.tokens_per_step / prediction.step_s
    cluster = question.cluster
    balanced, alone = 0.0, list[tuple[float, Pool]]()
    for pool in pools:
        whole = replace(cluster, accelerator=pool.accelerator)
        speed = _speed(replace(question, cluster=whole))
        if speed is None:
            return (_caution(run, ""),)
        balanced += pool.count * speed / cluster.n_gpus
        own = replace(whole, n_gpus=pool.count, gpus_per_node=min(cluster.gpus_per_node, pool.count))
        alone.append((_speed(replace(question, cluster=own), fitting=True) or 0.0, pool))
    fastest, best = max(alone, key=lambda entry: entry[0])
    told = f"; with shares by speed the steps would take at least {_time(run, balanced)} instead of {_time(run, equal)}"
    if fastest > 0.0:
        told += f", and the {pools_text((best,))} alone {_time(run, fastest)}"
    return (_caution(run, told),)


def _caution(run: Run, told: str) -> Caution:
    slowest = run.question.cluster.accelerator.name if run.question else ""
    message = f"equal shares of the batch are assumed, so that all wait for the {slowest}{told}"
    return Caution(code="unlike_gpus", message=message)


def _speed(question: Question, *, fitting: bool = False) -> float | None:
    """Return tokens per second; None where no layout divides the question, or, if asked, none fits."""
    # NumPy comes with it.
    from estimator.answers.estimate.best_step import best_step
    from estimator.evidence.calibration import committed_calibration
    from estimator.physics.choice import nearest_setting

    try:
        step = best_step(nearest_setting(question), committed_calibration()).prediction
    except InfeasibleError:
        return None
    return step.tokens_per_step / step.step_s if step.memory.fits or not fitting else None


def _time(run: Run, tokens_per_second: float) -> str:
    return format_duration(run.amount.tokens / tokens_per_second)
