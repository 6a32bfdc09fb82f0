"""What is left of a run: of the tokens told, of a log's steps, or of an epoch where nobody tells how many follow."""

from dataclasses import dataclass, replace

from estimator.answers.check.logs import LogReading
from estimator.answers.check.observation import Observation, Observed
from estimator.answers.check.told import SAME_COUNT
from estimator.answers.estimate.speeds import OBSERVED_DRIFT
from estimator.base.errors import InvalidValueError
from estimator.base.inputs import checked_number
from estimator.base.units import parse_count
from estimator.question.request import Request
from estimator.resolve.data import MOST_EPOCHS
from estimator.resolve.run import Run

__all__ = ["Remaining", "in_run", "remaining"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """Time left at the observed speed."""

    seconds: float
    low_s: float
    high_s: float
    tokens: float
    of_epoch: bool = False
    """Whether of the epoch alone: nobody tells how many there are."""


def in_run(reading: LogReading | None, request: Request, run: Run, *, amount_known: bool) -> LogReading | None:
    """Return the reading of a log in steps of the run, as far as log and caller place it there."""
    if reading is None:
        return None
    return _placed(_as_epochs(reading, run), _epochs(request, run, reading, amount_known=amount_known))


def _placed(reading: LogReading, epochs: float | None) -> LogReading:
    """Return a reading in steps of the run, where log or caller tell of how many `epochs` it consists.

        steps of an epoch · epochs through + steps done,   steps of an epoch · epochs

    Unchanged where its steps are the run's already, or where nobody tells which epoch of how many they are of. What a
    log says to be through has nothing left.
    """
    if reading.ended:
        return replace(reading, seconds_left=0.0, left_of_epoch=False)
    of_each, before, epochs = reading.total_steps, reading.epochs_before, reading.epochs or epochs
    if not reading.of_epoch or of_each is None or before is None or epochs is None:
        return reading
    if before == epochs > 1:
        # Counted from 1, though nothing showed it: there is no epoch after the last.
        before -= 1
    if before >= epochs:
        return reading
    done, total = before * of_each + (reading.steps_done or 0.0), epochs * of_each
    left_s = reading.seconds_left
    if reading.left_of_epoch and reading.step_s is not None:
        left_s = max(0.0, total - done) * reading.step_s
    return replace(
        reading,
        of_epoch=False,
        left_of_epoch=False,
        steps_done=done,
        total_steps=total,
        seconds_left=left_s,
    )


def _as_epochs(reading: LogReading, run: Run) -> LogReading:
    """Return a reading marked as one epoch's, where its steps are as many as samples told make in one of several.

    Bars that name nothing are of either; one that begins anew in each epoch has a share of the run's steps.
    """
    amount, batch = run.amount, run.global_batch_sequences
    if reading.of_epoch or not reading.total_steps or batch is None or amount.tokens_per_sample is None:
        return reading
    once = amount.real_tokens / amount.tokens_per_sample / amount.epochs / batch
    if amount.epochs == 1.0 or abs(reading.total_steps - once) > max(1.0, SAME_COUNT * once):
        return reading
    return replace(reading, of_epoch=True, left_of_epoch=True)


def _epochs(request: Request, run: Run, reading: LogReading, *, amount_known: bool) -> float | None:
    """Return of how many epochs the run consists by what the caller told, None where by nothing."""
    if request.steps is not None:
        return parse_count(request.steps, "steps") / reading.total_steps if reading.total_steps else None
    if amount_known:
        return run.amount.epochs
    return None if request.epochs is None else checked_number("epochs", request.epochs, most=MOST_EPOCHS)


def remaining(
    run: Run, observed: Observed, reading: LogReading | None, seen: Observation, *, amount_known: bool
) -> Remaining | None:
    """Return the time left at steady state; None where nobody said how much is to be trained.

    tokens left / speed, or steps left · step time where only a log tells the length, or the place in it
    """
    done = None if observed.tokens_done is None else parse_count(observed.tokens_done, "tokens_done")
    if seen.kind == "hours" and done is None:
        # The hours are those of all tokens: the run has ended.
        return None
    told = amount_known and seen.batch_assumed is None
    if done is None and reading is not None and amount_known:
        done = _done_by_log(reading, run.amount.tokens)
    if told and (done is not None or reading is None or not reading.of_epoch):
        if done is not None and done > run.amount.tokens:
            remedy = f"is more than the {run.amount.tokens:,.0f} tokens in all"
            raise InvalidValueError("tokens_done", observed.tokens_done, remedy)
        return _time_left(run.amount.tokens - (done or 0.0), seen.tokens_per_second)
    if reading is None or reading.seconds_left is None:
        return None
    left = _time_left(reading.seconds_left * seen.tokens_per_second, seen.tokens_per_second)
    return replace(left, of_epoch=reading.left_of_epoch)


def _time_left(tokens: float, tokens_per_second: float) -> Remaining:
    seconds = tokens / tokens_per_second
    return Remaining(
        seconds=seconds, low_s=seconds * OBSERVED_DRIFT.low, high_s=seconds * OBSERVED_DRIFT.high, tokens=tokens
    )


def _done_by_log(reading: LogReading, total: float) -> float | None:
    if reading.ended:
        return total
    if reading.tokens_seen is not None:
        return min(reading.tokens_seen, total)
    if reading.steps_done is not None and reading.total_steps and not reading.of_epoch:
        return total * min(1.0, reading.steps_done / reading.total_steps)
    return None
