"""What a run loses by how it is set up, which is in the expected speed already: waiting, padding, what was stated."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from estimator.answers.check.expected import Expected, Verdict
from estimator.answers.check.stated import Alternative, alternatives
from estimator.answers.estimate.best_step import best_step
from estimator.answers.estimate.fewer import fewer_would_do
from estimator.answers.estimate.runnable import runnable
from estimator.answers.estimate.token_time import predicted_token_s
from estimator.answers.estimate.waiting import mostly_waiting, waiting_words
from estimator.answers.estimate.waits import MOSTLY, waiting_share
from estimator.base.errors import InfeasibleError
from estimator.evidence.calibration import committed_calibration
from estimator.physics.choice import setting_of
from estimator.question.question import Caution
from estimator.resolve.run import Run

__all__ = ["Loss", "cautions_of", "losses_of_set_up", "told_in_summary"]

_LOOKED_INTO = 0.25
"""Share of a step that devices wait for one another from which on fewer of them are tried, which takes as long as the
check itself: below it they gain a quarter at most."""
_WORTH_SAYING = 1.3
"""Times as long as with the usual way from which on what was stated is told: the range is no narrower."""
_FASTER_ON_FEWER = 1.1
"""The same of a smaller cluster, which costs less, too."""
_MOST_TOLD = 2
"""Losses in the summary of a slow run; of a normal one, the first is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Something that takes time in the expected speed, and that another set-up would not."""

    clause: str
    """A main clause, without a full stop."""
    cautions: tuple[Caution, ...]
    stated: bool = False
    """Whether the caller said that it is so."""
    times: float = math.inf
    """How many times as fast the run would be without."""


def losses_of_set_up(run: Run, expected: Expected) -> tuple[Loss, ...]:
    """Return what is lost, what the whole step shows first, then what was stated, the dearest first.

    Nothing of a run that was not predicted, does not fit, or averages over sites now and then.
    """
    question = run.question
    if question is None or question.local is not None or expected.layout is None or not expected.fits:
        return ()
    stated = sorted(_of_what_was_stated(run), key=lambda loss: -loss.times)
    return (*_of_waiting(run, expected), *_of_padding(run), *stated)


def told_in_summary(losses: tuple[Loss, ...], judged: Verdict, depends_on: tuple[str, ...]) -> tuple[Loss, ...]:
    """Return those of `losses` that the summary tells."""
    if depends_on:
        return ()
    return losses[:1] if judged == "normal" else losses[:_MOST_TOLD]


def cautions_of(losses: tuple[Loss, ...], told: tuple[Loss, ...]) -> Iterator[Caution]:
    """Yield what to warn of in `losses`: what was stated no more than once, where the summary has not `told` it."""
    for loss in losses:
        if not (loss.stated and loss in told):
            yield from loss.cautions


def _of_waiting(run: Run, expected: Expected) -> Iterator[Loss]:
    """Yield that devices wait for one another, with what an estimate of the same run warns of."""
    waits, question = waiting_share(expected.shares), run.question
    if waits < _LOOKED_INTO or question is None:
        return
    fitted = committed_calibration()
    try:
        setting = setting_of(runnable(question, fitted.constants))
    except InfeasibleError:
        return
    step = best_step(setting, fitted).prediction
    fewer = fewer_would_do(setting, fitted, step.layout, step.breakdown, step.step_s)
    known = {caution.code for caution in (*run.warnings, *step.warnings)}
    if fewer is not None and (waits > MOSTLY or fewer.times >= _FASTER_ON_FEWER):
        what = f"{waits:.0%} of a step is {waiting_words(setting, step)}"
        yield Loss(clause=f"{what}, and {fewer.would}", cautions=(fewer.caution,))
    elif waits > MOSTLY:
        yield Loss(
            clause=f"{waits:.0%} of a step is {waiting_words(setting, step)}",
            cautions=mostly_waiting(setting, fitted, step, known),
        )


def _of_padding(run: Run) -> Iterator[Loss]:
    """Yield that most of what is computed is padding."""
    padding = 1.0 - 1.0 / run.amount.padding
    if padding <= MOSTLY:
        return
    each = run.amount.tokens_per_sample
    samples = "samples" if each is None else f"samples of {each:,.0f} tokens"
    clause = f"{padding:.0%} of what is computed is padding"
    message = (
        f"{clause}: {samples} are rows of {run.sequence_length:,}; packed, or grouped by length, as much time would do "
        f'for up to {run.amount.padding:.2g} times as many: say packing "packed" to have that priced'
    )
    yield Loss(clause=clause, cautions=(Caution(code="mostly_padding", message=message),))


def _of_what_was_stated(run: Run) -> Iterator[Loss]:
    """Yield what was stated and costs much against the usual way, each held against the same question without it."""
    others = [*alternatives(run)]
    if not others or run.question is None:
        return
    fitted = committed_calibration()
    now_s = predicted_token_s(replace(run.question, precedent=None), fitted)
    for other in others:
        times = now_s / predicted_token_s(other.question, fitted)
        if math.isfinite(times) and times >= _WORTH_SAYING:
            yield _of_one(other, times)


def _of_one(other: Alternative, times: float) -> Loss:
    clause = f"with {other.stated}, as stated, it takes {times:.2g} times as long as with {other.usual}"
    message = f"{clause}; the expected speed has that already, so that it explains no slower one"
    return Loss(clause=clause, cautions=(Caution(code="stated_is_slow", message=message),), stated=True, times=times)
