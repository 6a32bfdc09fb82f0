"""Batches and lengths where nobody tells them, and whether a verdict holds whichever of them are usual."""

from estimator.answers.check.expected import Bound, Expected, Verdict, verdict
from estimator.answers.check.observation import Observation
from estimator.base.prior import Prior
from estimator.physics.batch import ENOUGH_AT_A_TIME
from estimator.resolve.run import Run

__all__ = [
    "BATCH",
    "counted",
    "expected_batch",
    "normal_batches",
    "open_arguments",
    "usual_shares",
]

_USUAL = Prior(
    low=0.25,
    mode=1.0,
    high=4.0,
    why="Of the batch that is expected, since memory, habit and accumulation differ: detectors are trained in 4 to 64 "
    "pictures about a default of 16, language models are fine-tuned in 8 to 128 sequences about 32.",
)
BATCH = "global_batch_sequences"
"""The argument that tells how many sequences a step takes."""


def expected_batch(run: Run, expected: Expected) -> int:
    """Return the sequences of a step, of all sites, that the expected speed is for."""
    if expected.layout is None or run.question is None:
        return ENOUGH_AT_A_TIME * run.n_gpus
    return expected.layout.global_batch_sequences * run.question.sites


def usual_shares(batch: int) -> tuple[float, float]:
    """Return the fewest and the most sequences that are usual where `batch` is expected, over it; one is the least."""
    return max(_USUAL.low, 1.0 / batch), _USUAL.high


def open_arguments(
    judged: Verdict,
    seen: Observation,
    expected: Expected,
    bound: Bound,
    *,
    lengths: tuple[float, float],
) -> tuple[str, ...]:
    """Return the arguments that nobody told and without which another verdict is as likely; none where it holds.

    A verdict holds where it is the same with any usual batch and length. Where those assumed come to more than the
    devices can do, and others do not, they are proven false, and no verdict rests on them. `lengths` are the shortest
    and the longest usual one over the one assumed.
    """
    batches = (1.0, 1.0) if seen.batch_assumed is None else usual_shares(seen.batch_assumed)
    if judged == "implausible":
        return ()
    beyond = seen.tokens_per_second > bound.tokens_per_second

    def moves(low: float, high: float) -> bool:
        ends = (verdict(end * seen.tokens_per_second, expected, bound, least_share=0.0) for end in (low, high))
        return any(other != judged for other in ends)

    if not beyond and not moves(batches[0] * lengths[0], batches[1] * lengths[1]):
        return ()
    ranges = {
        BATCH: batches if seen.batch_assumed is not None else None,
        seen.open_length or "": lengths if seen.length_open else None,
    }
    open_ones = {name: ends for name, ends in ranges.items() if ends is not None}
    alone = [name for name, ends in open_ones.items() if beyond or moves(*ends)]
    return tuple(alone or open_ones)


def normal_batches(batch: int, seen: Observation, expected: Expected) -> tuple[float, float]:
    """Return between how many sequences a step is normal that is seen at `batch`: its speed is proportional to them."""
    return batch * expected.low / seen.tokens_per_second, batch * expected.high / seen.tokens_per_second


def counted(run: Run, sequences: float) -> int:
    """Return sequences as trainers count a batch of them, whole: pairs are one."""
    each = 1 if run.question is None else run.question.sequences_each
    return max(1, round(sequences / each))
