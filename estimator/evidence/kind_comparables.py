"""The published runs of other kinds than decoders that are shown beside an answer: the most alike of its kind."""

import math
from collections.abc import Iterator, Mapping

from estimator.catalogue import catalogue
from estimator.catalogue.kind_runs import kind_rows
from estimator.evidence.calibration import KindRun, committed_calibration
from estimator.models.kinds import kind_of
from estimator.models.workload import workload
from estimator.physics.choice import Setting
from estimator.question.question import Comparable

__all__ = ["kind_comparables"]

_MOST = 8
_SIZE_FADING, _COUNT_FADING = 1.0, 3.0
"""E-folds of parameters and of devices after which a run is far off."""
_OTHER_DEVICE, _OTHER_FAMILY, _OTHER_METHOD, _OTHER_PRECISION = 0.6, 0.4, 0.4, 0.7
"""Factor on the likeness of runs that differ in it: as for decoders, where 1 is no difference."""
_FULL = "full"


def kind_comparables(setting: Setting) -> tuple[Comparable, ...]:
    """Return the most alike published runs of the kind of a setting's model, at most eight, the nearest first.

    No two are of the same source, model and device; none where the kind has no published run.
    """
    kind, runs = kind_of(setting.question.transformer), committed_calibration().kind_runs
    known = [row for row in kind_rows() if row["id"] in runs and runs[row["id"]].kind == kind]
    # Sorted stably, so that rows as near as each other stay in the catalogue's order.
    nearest = sorted(known, key=lambda row: -round(_likeness(setting, row, runs[row["id"]]), 12))
    firsts = {(row["group"], row["model"], row["accelerator"]): row for row in reversed(nearest)}
    chosen = [row for row in nearest if firsts[row["group"], row["model"], row["accelerator"]] is row]
    return tuple(_comparable(row, runs[row["id"]]) for row in chosen[:_MOST])


def _likeness(setting: Setting, row: Mapping[str, str], run: KindRun) -> float:
    return math.prod(_factors(setting, row, run))


def _factors(setting: Setting, row: Mapping[str, str], run: KindRun) -> Iterator[float]:
    """Yield what a run's likeness to a question is the product of."""
    question, cluster = setting.question, setting.question.cluster
    size = math.log(run.parameters / workload(question.transformer).parameters)
    yield math.exp(-((size / _SIZE_FADING) ** 2) / 2.0)
    yield math.exp(-((math.log(int(row["gpus"]) / cluster.n_gpus) / _COUNT_FADING) ** 2) / 2.0)
    if row["accelerator"] != cluster.accelerator.id:
        family = catalogue.accelerator(row["accelerator"]).value.accelerator.family
        yield _OTHER_DEVICE if family == cluster.accelerator.family else _OTHER_FAMILY
    if ((row["method"] or _FULL) == _FULL) != (question.method.name == _FULL):
        yield _OTHER_METHOD
    if row["precision"] not in {"", question.precision}:
        yield _OTHER_PRECISION


def _comparable(row: Mapping[str, str], run: KindRun) -> Comparable:
    told = ", ".join(filter(None, (row["model"], f"{row['framework']} {row['year']}".strip(), row["precision"])))
    return Comparable(
        name=f"{row['id']}: {told}",
        gpu=row["accelerator"],
        n_gpus=int(row["gpus"]),
        published=_as_published(row),
        predicted_over_published=run.ratio,
        source=row["source"],
    )


def _as_published(row: Mapping[str, str]) -> str:
    """Return what a source states of a run's speed or duration, with its unit."""
    units = {
        "samples_per_s": "samples/s",
        "tokens_per_s_per_gpu": "tokens/s per GPU",
        "step_s": "s a step",
        "hours": "hours",
        "gpu_hours": "GPU-hours",
    }
    return next(f"{float(row[column]):,.4g} {unit}" for column, unit in units.items() if row[column])
