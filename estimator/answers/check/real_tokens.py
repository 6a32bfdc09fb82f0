"""A speed in tokens of padded samples: whether padding was counted, which nobody says, and what hangs on it."""

from dataclasses import replace

from estimator.answers.check.expected import Bound, Expected, Verdict, verdict
from estimator.answers.check.left import Remaining
from estimator.answers.check.logs import ANYBODYS, LogReading
from estimator.answers.check.observation import Observation
from estimator.resolve.run import Run

__all__ = ["COUNT", "may_be_real", "open_count", "with_real_tokens"]

COUNT = "observed_step_seconds"
"""The argument that would tell a speed without counting tokens."""
_HARDLY_PADDED = 1.05
"""Tokens processed over real ones up to which both are one speed."""
_MUCH = 1.0 / 3.0
"""Share of padding from which on how it was counted is half of the speed or more, as much as most causes of a slow run:
with less of it, that is one of them."""


def may_be_real(run: Run, seen: Observation, reading: LogReading | None) -> bool:
    """Return whether tokens of padded samples were counted, and nobody says whether padding was.

    A speed by sequences counts no tokens, and trainers whose log was read are known for what they count.
    """
    if run.amount.padding <= _HARDLY_PADDED or seen.by_sequence or seen.kind != "tokens_per_second":
        return False
    return reading is None or reading.dialect in ANYBODYS


def open_count(
    judged: Verdict, run: Run, seen: Observation, reading: LogReading | None, *, expected: Expected, bound: Bound
) -> tuple[str, ...]:
    """Return the argument without which a slow run is as likely none, since its tokens may be without padding.

        rows a second · tokens of a row = real tokens a second · padding

    Where little is padding, the verdict is that of padded tokens, and that they may be real ones is a cause; so it is
    of a run that is slow either way.
    """
    much = 1.0 - 1.0 / run.amount.padding >= _MUCH
    if judged != "slow" or not much or not may_be_real(run, seen, reading):
        return ()
    of_real = verdict(seen.tokens_per_second * run.amount.padding, expected, bound)
    return (COUNT,) if of_real in {"normal", "faster"} else ()


def with_real_tokens(left: Remaining | None, run: Run, depends_on: tuple[str, ...]) -> Remaining | None:
    """Return what is left, where that is open as little as it is if the tokens that were observed are real ones."""
    if left is None or COUNT not in depends_on:
        return left
    return replace(left, low_s=left.low_s / run.amount.padding)
