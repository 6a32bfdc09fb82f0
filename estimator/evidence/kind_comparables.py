"""The published runs of other kinds than decoders that are shown beside an answer: the most alike of its kind."""

import math
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice

from estimator.catalogue import catalogue
from estimator.catalogue.kind_runs import kind_rows
from estimator.evidence.calibration import KindRun, committed_calibration
from estimator.models.kinds import measured_as
from estimator.models.workload import workload
from estimator.physics.choice import Setting
from estimator.question.choices import as_wide
from estimator.question.question import Comparable, Question

__all__ = ["kind_comparables"]

_SIZE_FADING, _COUNT_FADING = 1.0, 3.0
"""E-folds of parameters and of devices after which a run is far off."""
_OTHER_DEVICE, _OTHER_FAMILY, _OTHER_METHOD, _OTHER_PRECISION = 0.6, 0.4, 0.4, 0.7
"""Factor on the likeness of runs that differ in it: as for decoders, where 1 is no difference."""
_FULL = "full"


def kind_comparables(setting: Setting, most: int) -> tuple[Comparable, ...]:
    """Return the `most` alike published runs of the kind of a setting's model, the nearest first.

    No two are of the same source, model and device; none where the kind has no published run.
    """
    question = setting.question
    kind, runs = measured_as(question.transformer), committed_calibration().kind_runs
    known = [row for row in kind_rows() if row["id"] in runs and runs[row["id"]].kind == kind]
    parameters = workload(question.transformer).parameters
    # Sorted stably, so that rows as near as each other stay in the catalogue's order.
    nearest = sorted(known, key=lambda row: -round(math.prod(_factors(question, parameters, row, runs[row["id"]])), 12))
    firsts: dict[tuple[str, str, str], Mapping[str, str]] = {}
    for row in nearest:
        firsts.setdefault((row["group"], row["model"], row["accelerator"]), row)
    return tuple(_comparable(row, runs[row["id"]]) for row in islice(firsts.values(), most))


def _factors(question: Question, parameters: float, row: Mapping[str, str], run: KindRun) -> Iterator[float]:
    """Yield what a run's likeness to a question about a model of so many `parameters` is the product of."""
    cluster = question.cluster
    yield math.exp(-((math.log(run.parameters / parameters) / _SIZE_FADING) ** 2) / 2.0)
    yield math.exp(-((math.log(int(row["gpus"]) / cluster.n_gpus) / _COUNT_FADING) ** 2) / 2.0)
    if row["accelerator"] != cluster.accelerator.id:
        yield _OTHER_DEVICE if _family(row["accelerator"]) == cluster.accelerator.family else _OTHER_FAMILY
    if ((row["method"] or _FULL) == _FULL) != (question.method.name == _FULL):
        yield _OTHER_METHOD
    if row["precision"] and not as_wide(row["precision"], question.precision):
        yield _OTHER_PRECISION


@cache
def _family(accelerator_id: str) -> str:
    return catalogue.accelerator(accelerator_id).value.accelerator.family


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
