"""Sequences of a step where nobody tells them, and whether a verdict holds whichever batch is usual."""

from estimator.answers.check.expected import Bound, Expected, Verdict, verdict
from estimator.answers.check.observation import Observation
from estimator.base.prior import Prior
from estimator.physics.batch import ENOUGH_AT_A_TIME
from estimator.resolve.run import Run

__all__ = ["counted", "expected_batch", "holds_for_usual_batches", "normal_batches", "usual_shares"]

_USUAL = Prior(
    low=0.25,
    mode=1.0,
    high=4.0,
    why="Of the batch that is expected, since memory, habit and accumulation differ: detectors are trained in 4 to 64 "
    "pictures about a default of 16, language models are fine-tuned in 8 to 128 sequences about 32.",
)


def expected_batch(run: Run, expected: Expected) -> int:
    """Return the sequences of a step, of all sites, that the expected speed is for."""
    if expected.layout is None or run.question is None:
        return ENOUGH_AT_A_TIME * run.n_gpus
    return expected.layout.global_batch_sequences * run.question.sites


def usual_shares(batch: int) -> tuple[float, float]:
    """Return the fewest and the most sequences that are usual where `batch` is expected, over it; one is the least."""
    return max(_USUAL.low, 1.0 / batch), _USUAL.high


def holds_for_usual_batches(
    judged: Verdict, seen: Observation, expected: Expected, bound: Bound, *, least_share: float
) -> bool:
    """Return whether a verdict would be the same with any usual batch; so it is where the batch is known.

    `least_share`: of the speed, what is sure by the batch alone.
    """
    if seen.batch_assumed is None:
        return True
    fewest, most = usual_shares(seen.batch_assumed)
    verdicts = {
        verdict(share * seen.tokens_per_second, expected, bound, least_share=least_share * fewest / share)
        for share in (fewest, most)
    }
    return verdicts == {judged}


def normal_batches(batch: int, seen: Observation, expected: Expected) -> tuple[float, float]:
    """Return between how many sequences a step is normal that is seen at `batch`: its speed is proportional to them."""
    return batch * expected.low / seen.tokens_per_second, batch * expected.high / seen.tokens_per_second


def counted(run: Run, sequences: float) -> int:
    """Return sequences as trainers count a batch of them, whole: pairs are one."""
    each = 1 if run.question is None else run.question.sequences_each
    return max(1, round(sequences / each))
