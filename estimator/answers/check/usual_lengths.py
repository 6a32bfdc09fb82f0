"""Lengths of samples where nobody tells them: what they leave of a speed, and which would make one normal."""

from dataclasses import dataclass, replace

from estimator.answers.check.candidate import said
from estimator.answers.check.expected import Bound, Expected, Verdict, expected_of, verdict
from estimator.answers.check.observation import Observation
from estimator.answers.check.told import is_from_scratch, open_length
from estimator.answers.estimate.runnable import runnable
from estimator.base.errors import InfeasibleError
from estimator.base.prior import Prior
from estimator.evidence.calibration import committed_calibration
from estimator.models.kinds import kind_of
from estimator.physics.choice import setting_of
from estimator.question.question import Caution
from estimator.question.request import Request
from estimator.resolve.run import Run

__all__ = [
    "SAMPLE_LENGTH",
    "USUAL_ROW",
    "Lengths",
    "are_samples_of_any_length",
    "normal_lengths",
    "open_lengths",
    "short_samples",
    "usual_length_shares",
    "with_short_samples",
]

SAMPLE_LENGTH = "tokens_per_sample"
"""The argument that tells how long samples are."""
USUAL_ROW = Prior(
    low=200.0,
    mode=600.0,
    high=2048.0,
    why="Tokens of a row of samples to be tuned on: their mean is 136 to 1,680 over the catalogue's sets, the longest "
    "of a micro-batch half as long again, and trainers cut at about 2,048.",
)
_PADDED = "packing_unsaid"
"""The code of what is said where padding alone is open."""
_EMPTY = 4.0
"""Ratio of the ends of a range from which on hardly any speed lies outside: it spans a fourfold or more where those of
runs of known length span a doubling, and that a speed lies in it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """What is expected at either end of the lengths that samples may have, where the verdict is another at each."""

    full: Expected
    full_verdict: Verdict
    short: Expected
    short_verdict: Verdict
    short_tokens: int


def are_samples_of_any_length(request: Request, run: Run) -> bool:
    """Return whether a run is fine-tuned on samples that a trainer does not pack, and nothing tells how long they are.

    Not where the length is told at which they are cut: whoever tells it chose it for them.
    """
    if run.question is None or kind_of(run.question.transformer) != "decoder" or is_from_scratch(request, run):
        return False
    return not said(run, "sequence_length") and open_length(request, run) == SAMPLE_LENGTH


def with_short_samples(expected: Expected, run: Run, *, whole: bool) -> Expected:
    """Return `expected`, its range reaching down to what the shortest usual samples give, padded or not.

    In micro-batches as the trainer's examples have them: those gather, fetch or expand all weights for few tokens. Of
    an observation of `whole` rows, FLOPs of padding among them, padding takes nothing.
    """
    short = _at_length(expected, run, round(USUAL_ROW.low), padding_open=not whole)
    if short is None or short.low >= expected.low:
        return expected
    kept = tuple(warning for warning in expected.warnings if warning.code != _PADDED)
    return replace(expected, low=short.low, warnings=kept)


def open_lengths(
    run: Run, seen: Observation, full: Expected, widened: Expected, bound: Bound, *, whole: bool
) -> Lengths | None:
    """Return what samples of either length would be, where a speed in `widened` tells nothing and their length would.

    None where the range says something and the speed is not in it for the sake of short samples alone, where the
    verdict holds at either length, of a speed by sequences, which goes with their length itself, and of hours.
    """
    says = widened.high < _EMPTY * widened.low and seen.tokens_per_second >= full.low
    if seen.by_sequence or seen.kind == "hours" or says:
        return None
    length = round(USUAL_ROW.low)
    short = _at_length(full, run, length, padding_open=not whole)
    if short is None:
        return None
    at_full = verdict(seen.tokens_per_second, full, bound)
    at_short = verdict(seen.tokens_per_second, short, bound)
    if at_full == at_short:
        return None
    return Lengths(full=full, full_verdict=at_full, short=short, short_verdict=at_short, short_tokens=length)


def short_samples(run: Run) -> Caution:
    """Return what an expectation rests on where nobody tells how long samples are."""
    message = (
        f"nothing tells how long samples are: the expected speed is that of full sequences of {run.sequence_length:,} "
        f"tokens, and the range reaches down to samples of {USUAL_ROW.low:.0f}, or padded ones: give "
        'tokens_per_sample, a data set in samples, or packing "packed" if sequences are full'
    )
    return Caution(code="sample_length_unsaid", message=message)


def usual_length_shares(run: Run, *, any_length: bool) -> tuple[float, float]:
    """Return the shortest and the longest usual row over the length assumed; one where no other is usual."""
    if not any_length:
        return 1.0, 1.0
    return min(1.0, USUAL_ROW.low / run.sequence_length), max(1.0, USUAL_ROW.high / run.sequence_length)


def normal_lengths(run: Run, seen: Observation, expected: Expected) -> tuple[float, float]:
    """Return between how many tokens a sequence a step is normal: its speed is proportional to them.

    Priced at the length that comes nearest, for what is expected goes with the length too.
    """
    each = seen.tokens_per_second / run.sequence_length
    likely = expected.tokens_per_second / each
    if seen.open_length != "image_size" and 1.0 <= likely < run.sequence_length:
        expected = _at_length(expected, run, round(likely)) or expected
    return expected.low / each, expected.high / each


def _at_length(expected: Expected, run: Run, length: int, *, padding_open: bool = False) -> Expected | None:
    """Return what to expect of sequences of `length`, with as many a step; None where no layout has them."""
    question, layout = run.question, expected.layout
    if question is None or layout is None:
        return None
    unsaid = question.unsaid | {"packing"} if padding_open else question.unsaid
    other = replace(
        question, sequence_length=length, global_batch_sequences=layout.global_batch_sequences, unsaid=unsaid
    )
    try:
        return expected_of(setting_of(runnable(other, committed_calibration().constants)))
    except InfeasibleError:
        return None
