"""The published runs shown beside an answer: the most alike of those that correct it, by the same kernel."""

import math
from functools import cache

from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.calibration import Calibration, committed_calibration
from estimator.evidence.kind_comparables import kind_comparables
from estimator.evidence.likeness import residual_kernel, setting_traits
from estimator.evidence.outlook import neighbours, served_runs
from estimator.models.flops import flop_counts
from estimator.models.kinds import measured_as
from estimator.models.prediction import with_prediction
from estimator.models.training import Method
from estimator.physics.choice import Setting
from estimator.question.question import Comparable

__all__ = ["comparable_runs"]

_MOST = 8


def comparable_runs(setting: Setting) -> tuple[Comparable, ...]:
    """Return the most alike published runs, at most eight, no two of the same source, model and device.

    Of a model that is no decoder they are of its kind. Decoders' are ranked by `residual_kernel`, the prior covariance
    from which the correction's kriging weights follow; equals stay in the catalogue's order. Runs without a residual,
    which correct nothing, are not shown.
    """
    if measured_as(setting.question.transformer) != "decoder":
        return kind_comparables(setting, _MOST)
    calibration = committed_calibration()
    runs = served_runs()
    kernel = residual_kernel(setting_traits(setting), neighbours().traits)[0]
    nearest: list[Comparable] = []
    seen: set[tuple[str, str, str]] = set()
    # Rounded, so that rows as near as each other stay in the catalogue's order on any processor.
    order: list[int] = (-kernel.round(12)).argsort(kind="stable").tolist()
    for run in (runs[index] for index in order):
        key = (run.group, run.transformer.name, run.accelerator_id)
        if key in seen:
            continue
        seen.add(key)
        nearest.append(_comparable(run, calibration))
        if len(nearest) == _MOST:
            break
    return tuple(nearest)


def _comparable(run: PublishedRun, calibration: Calibration) -> Comparable:
    return Comparable(
        name=f"{run.id}: {run.transformer.name}, {run.framework} {run.year}, {run.precision}, "
        f"sequence {run.sequence_length:,}",
        gpu=run.accelerator_id,
        n_gpus=run.n_gpus,
        published=_as_published(run),
        predicted_over_published=calibration.ratios.get(run.id),
        source=run.source,
    )


@cache
def _as_published(run: PublishedRun) -> str:
    """Return the measured speed of a run and its MFU, in the form of an answer."""
    chip = catalogue.accelerator(run.accelerator_id).value.accelerator
    speed = run.tokens_per_second_per_gpu or 0.0
    flop = flop_counts(
        with_prediction(run.transformer), sequence_length=run.sequence_length, method=Method(name=run.method)
    ).model
    peak = chip.peak_flop_per_s.get(run.precision, chip.training_peak_flop_per_s)
    digits = max(0, 3 - math.floor(math.log10(speed)) - 1)
    return f"{round(speed, digits):,.10g} tokens/s per GPU ({speed * flop / peak:.0%} MFU)"
