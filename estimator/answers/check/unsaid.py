"""Arguments that a range holds several ways of, and without which a speed would lie outside it."""

from estimator.answers.check.expected import Expected, Settled, Verdict
from estimator.answers.check.observation import Observation
from estimator.answers.check.usual_lengths import SAMPLE_LENGTH, Lengths

__all__ = ["open_ways", "range_were_said"]


def open_ways(
    judged: Verdict, seen: Observation, expected: Expected, by_length: Lengths | None, *, least: float
) -> tuple[str, ...]:
    """Return the arguments for whose sake alone a speed is normal; none where it is in the range without them.

    Each of which it takes, where one said would leave the speed outside; else as few as do together, of those that
    widen the range most. `least` is the low end of the range were samples of a known length: below it, they are what a
    speed is normal for.
    """
    if by_length is not None:
        return (SAMPLE_LENGTH,)
    if judged != "normal" or seen.tokens_per_second < least:
        return ()
    ratio = seen.tokens_per_second / expected.tokens_per_second
    outside = [settled for settled in expected.settled if not _holds(settled, ratio)]
    alone = [settled.arguments[0] for settled in outside if len(settled.arguments) == 1]
    return tuple(alone) if alone else next((settled.arguments for settled in outside), ())


def range_were_said(arguments: tuple[str, ...], expected: Expected) -> tuple[float, float] | None:
    """Return the narrowest range about the speed expected were any of `arguments` said, in tokens per second."""
    ends = [
        (settled.low * expected.tokens_per_second, settled.high * expected.tokens_per_second)
        for settled in expected.settled
        if set(settled.arguments) <= set(arguments)
    ]
    return min(ends, key=lambda end: end[1] / end[0]) if ends else None


def _holds(settled: Settled, ratio: float) -> bool:
    return settled.low <= ratio <= settled.high
