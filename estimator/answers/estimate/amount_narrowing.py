"""What saying the amount of data would narrow a range by, where it was told roughly or not at all."""

import math
from dataclasses import replace

from estimator.answers.estimate.timing import Timing
from estimator.base.units import format_count
from estimator.question.question import Narrowing
from estimator.resolve.run import Run

__all__ = ["with_amount"]

_LEAST = 0.1
"""Share of a range's log width below which the amount is not worth saying more of."""


def with_amount(narrowings: tuple[Narrowing, ...], timing: Timing, run: Run) -> tuple[Narrowing, ...]:
    """Return `narrowings` of a step's range as those of the run's, among them that by what its amount is told with.

        1 − sqrt(((1 − n) · s)² + a²) / sqrt(s² + a²)      s, a: log widths of step and amount, independent

    As they are where the amount hardly widens the range. Most first. Of samples that are packed their mean alone
    counts, which was told or is the data set's: that is not asked for again.
    """
    argument = _told_with(run)
    step = math.log(timing.high_factor / timing.low_factor)
    amount = math.log(timing.amount_high / timing.amount_low)
    whole = math.hypot(step, amount)
    if argument is None or not whole or (share := 1.0 - step / whole) < _LEAST:
        return narrowings
    others = (
        replace(one, narrows_by=round(1.0 - math.hypot((1.0 - one.narrows_by) * step, amount) / whole, 3))
        for one in narrowings
    )
    packed = argument == "tokens_per_sample" and run.amount.sequences is None and not _lengths_assumed(run)
    own = () if packed else (Narrowing(argument=argument, narrows_by=round(share, 3), why=_why(argument, run)),)
    return tuple(sorted((*own, *others), key=lambda narrowing: -narrowing.narrows_by))


def _why(argument: str, run: Run) -> str:
    if argument != "tokens_per_sample" or run.amount.tokens_per_sample is None:
        return "time is proportional to it, and the range holds all that it may be"
    how = _by_how_lengths_differ(run)
    if not how:
        return "time is proportional to it, and the range holds all that it may be"
    # What the caller tells is text alone.
    mean = format_count(run.amount.tokens_per_sample - run.amount.fixed_per_sample)
    return f'time is proportional to it, and {how} how far lengths differ: "{mean}-{mean}" where they do not'


def _by_how_lengths_differ(run: Run) -> str:
    """Return what goes with how unlike samples are, in words before that; empty where nothing does."""
    if run.amount.padding > 1.0:
        return "padding grows with"
    question = run.question
    if question is None or run.amount.sequences is None:
        return ""
    if run.n_gpus > 1 and question.unevenness > 0.0:
        return "the wait for the GPU with the longest rows grows with"
    if run.stack.tuning_habit.padding == "none":
        return "releases that still pad take longer by"
    return ""


def _told_with(run: Run) -> str | None:
    """Return the argument that would tell the amount of `run` better; None where it was counted in tokens."""
    if _lengths_assumed(run):
        return "tokens_per_sample"
    if any(caution.code == "padded_length_assumed" for caution in run.warnings):
        return "sequence_length"
    if any(caution.code == "batch_assumed" for caution in run.warnings):
        return "global_batch_sequences"
    network = run.subject.transformer
    if network is not None and network.reads_media_itself:
        # A sample of it is as long as any other: how many there are is what is not known.
        return "samples"
    return None if run.amount.tokens_per_sample is None else "tokens_per_sample"


def _lengths_assumed(run: Run) -> bool:
    assumed = {"sample_lengths_assumed", "length_may_be_a_limit", "length_mean_or_limit"}
    return any(caution.code in assumed for caution in run.warnings)
