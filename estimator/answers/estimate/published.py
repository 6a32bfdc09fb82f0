"""Why a forecast and the published run that is asked about part, where they do."""

from dataclasses import replace

from estimator.base.text import listed
from estimator.base.units import format_rate
from estimator.physics.effects import release
from estimator.question.question import Assumption, Prediction
from estimator.resolve.run import Run

__all__ = ["PUBLISHED_RUN", "with_parting"]

PUBLISHED_RUN = "published_run"
"""The assumption that names the run."""
_WORTH_SAYING = 1.15
"""Times as fast, one way or the other, from which on nobody would take the one speed for the other."""
_AS_NEW = 0.5
"""Years between releases of one make."""


def with_parting(assumptions: tuple[Assumption, ...], run: Run, prediction: Prediction) -> tuple[Assumption, ...]:
    """Return `assumptions`; that of the published run says why its speed is not the one predicted, where it is not."""
    told = _parting(run, prediction)
    if not told:
        return assumptions
    return tuple(
        replace(one, note=_after_first_clause(one.note, told)) if one.name == PUBLISHED_RUN else one
        for one in assumptions
    )


def _after_first_clause(note: str, told: str) -> str:
    first, separator, rest = note.partition("; ")
    return f"{first}, {told}{separator}{rest}"


def _parting(run: Run, prediction: Prediction) -> str:
    """Return by how much the predicted speed is another than the published one, and what is assumed otherwise."""
    question = run.question
    precedent = None if question is None else question.precedent
    if question is None or precedent is None or not precedent.agrees or precedent.tokens_per_second_per_gpu <= 0.0:
        return ""
    speed = prediction.tokens_per_step / prediction.step_s / run.n_gpus
    times = speed / precedent.tokens_per_second_per_gpu
    # A run without a speed has NaN, which is neither above nor below.
    if not (times > _WORTH_SAYING or times < 1.0 / _WORTH_SAYING):
        return ""
    there, here = _differences(run, prediction)
    forecast = f"where {format_rate(speed)} are predicted, {times:.2f} times as many"
    if not there:
        return f"{forecast}, as runs like it were"
    return f"{forecast}: it had {listed(there)}, and {listed(here)} is assumed"


def _differences(run: Run, prediction: Prediction) -> tuple[list[str], list[str]]:
    """Return what the run had that is assumed otherwise, and what is assumed."""
    question = run.question
    precedent = None if question is None else question.precedent
    if question is None or precedent is None:
        return [], []
    other, layout = precedent.as_published, prediction.layout
    now, then = release(question), release(other)
    stacks = (f"{other.framework} of {int(then)}", f"{run.stack.name} of {int(now)}")
    pairs: list[tuple[str, str]] = []
    if other.framework != run.stack.name or abs(now - then) > _AS_NEW:
        pairs.append(stacks)
    if other.layout.recompute is not None and other.layout.recompute != layout.recompute:
        pairs.append((_recomputing(other.layout.recompute), _recomputing(layout.recompute)))
    if other.global_batch_sequences is not None and other.global_batch_sequences != layout.global_batch_sequences:
        pairs.append((f"a batch of {other.global_batch_sequences:,}", f"a batch of {layout.global_batch_sequences:,}"))
    if other.precision != question.precision:
        pairs.append((other.precision, question.precision))
    return [there for there, _ in pairs], [here for _, here in pairs]


def _recomputing(recompute: str) -> str:
    return "no recomputation" if recompute == "none" else f"{recompute} recomputation"
