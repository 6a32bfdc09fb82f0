"""How far answers are from what people measured and reported in public threads, asked as they asked."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.base.errors import EstimatorError
from estimator.base.units import HOUR_S
from estimator.catalogue import catalogue
from estimator.catalogue.calibration_shapes import PeopleRow
from estimator.catalogue.threads import ThreadRun
from estimator.question.request import Request
from estimator.resolve.run import resolve

__all__ = ["Answered", "answered_threads", "people_figures", "source_of"]

_OWN = "traintime/measured"
_FINE_TUNED = ("adapter", "full FT", "Ethernet")
"""What the kinds of threads about fine-tuning have in their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One thread whose measurement an answer can be held against."""

    thread: ThreadRun
    factor: float
    """Predicted over measured time."""
    inside: bool
    width: float
    """High over low end of the range."""
    reach_log: float
    """Log time from the prediction to the end of its range on the side where the measurement lies."""

    @property
    def source(self) -> str:
        """The repository whose users report."""
        return source_of(self.thread)

    @property
    def of_our_own(self) -> bool:
        """Whether this project ran it itself, as people do."""
        return self.source == _OWN

    @property
    def fine_tuning(self) -> bool:
        """Whether a trained model was trained on."""
        method = self.thread.arguments.get("method", "full")
        return method != "full" or any(word in self.thread.kind for word in _FINE_TUNED)


def answered_threads(source: str | None = None) -> tuple[Answered, ...]:
    """Return every thread with a measured time or speed, or those of one `source`, as they are answered now.

    No thread is in the fit of any constant but `people_slowness`; other runs of some labs are whose users ask: a
    vendor's, in its own repository.
    """
    asked = (thread for thread in catalogue.threads() if thread.scored and source in {None, source_of(thread)})
    return tuple(answer for answer in map(_answered, asked) if answer is not None)


def source_of(thread: ThreadRun) -> str:
    """Return the repository whose users report."""
    return thread.thread.partition("#")[0]


def people_figures(served: Sequence[Answered], left_out: Sequence[Answered]) -> dict[str, PeopleRow]:
    """Return how many answers hold the truth, and by what factor they are off, for all and for fine-tuning.

    Of answers as they are served, and of those that know nothing of a thread's source and lab; steps that this project
    ran itself are told apart.
    """
    groups: dict[str, list[Answered]] = {}
    for suffix, answers in (("", served), (", source and lab left out", left_out)):
        threads = [answer for answer in answers if not answer.of_our_own]
        groups[f"all{suffix}"] = threads
        groups[f"fine-tuning{suffix}"] = [answer for answer in threads if answer.fine_tuning]
        groups[f"run by this project{suffix}"] = [answer for answer in answers if answer.of_our_own]
    return {name: _figures(members) for name, members in groups.items() if members}


def _figures(answers: Sequence[Answered]) -> PeopleRow:
    off = np.exp(np.abs(np.log([answer.factor for answer in answers])))
    return {
        "rows": len(answers),
        "inside": sum(answer.inside for answer in answers),
        "median_factor": round(float(np.median(off)), 3),
        "p90_factor": round(float(np.quantile(off, 0.9)), 3),
        "range_width": round(float(np.median([answer.width for answer in answers])), 3),
    }


def _answered(thread: ThreadRun) -> Answered | None:
    try:
        estimate = estimate_of(resolve(_request(thread.arguments)))
    except EstimatorError:
        return None
    measured = thread.measured
    if isinstance(measured.value, bool | str):
        return None
    predicted = _predicted(estimate, measured.unit)
    if predicted is None:
        return None
    # A speed is the inverse of a time, and its range turns round with it.
    factor = predicted / measured.value if measured.unit in {"h", "s/step"} else measured.value / predicted
    low = factor * estimate.training_low_s / estimate.training_s
    high = factor * estimate.training_high_s / estimate.training_s
    return Answered(
        thread=thread,
        factor=factor,
        inside=low <= 1.0 <= high,
        width=high / low,
        reach_log=math.log(high / factor if factor < 1.0 else factor / low),
    )


def _request(arguments: Mapping[str, object]) -> Request:
    return Request(**{name: value for name, value in arguments.items() if name != "detail"})  # type: ignore[arg-type]


def _predicted(estimate: Estimate, unit: str) -> float | None:
    """Return what is predicted in the unit that a thread measured in; None for what is no time and no speed."""
    match unit:
        case "h":
            return estimate.training_s / HOUR_S
        case "s/step":
            return estimate.step_s
        case "tokens/s":
            return estimate.tokens_per_second
        case "tokens/s/GPU":
            return estimate.tokens_per_second / estimate.run.n_gpus
        case "MFU":
            return estimate.model_flops_utilization
        case _:
            return None
