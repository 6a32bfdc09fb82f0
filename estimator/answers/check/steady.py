"""The steady speed of one run's points: each step once, no warm-up, clocks read over long spans."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from estimator.answers.check.epochs import epochs_before
from estimator.answers.check.log_point import BAR, LogPoint
from estimator.answers.check.one_run import Group

__all__ = ["Steady", "steady"]

_WARM_UP_SHARE = 0.1
_WARM_UP_STEPS = 10.0
"""Compilation, allocation and autotuning are done with by then in every stack."""
_MOST_KEPT = 3
_WINDOWS = 20
_TICK_S = 1.0
_LONG_TICKS = 20.0
"""Clocks tick in seconds: a window must be long against one."""
_RESUMED_PER_S, _RESUMED_S, _RESUMED_STEPS = 10.0, 60.0, 100.0
"""A single bar faster than that, and so soon: as likely the steps that a resumed run skipped."""
_SAME = 0.1
_HALF = 0.5
"""Of the growth of the steps that a clock's must have: the first of them took longer."""
_AGREED = 1.1
_SAME_COUNT = 1e-3
"""Share by which times and rates of as many tokens come to others, for their digits."""
_FEWEST_RATES = 3
"""Of which a median leaves an odd one out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """What a group says of speed, medians after warm-up; None for what it does not say."""

    dialect: str
    points: int
    warm_up_points: int
    warm_up_only: bool
    quoted: str
    spread: float | None
    counts_micro: bool
    step_s: float | None
    batch: float | None
    micro_batch: float | None
    data_share: float | None
    """Of a step's time, in waiting for its data."""
    step_tokens: float | None
    sequence_length: float | None
    tokens_per_second: float | None
    tokens_per_second_per_gpu: float | None
    samples: float | None
    samples_per_gpu: float | None
    flop_per_s_per_gpu: float | None
    utilization: float | None
    steps_done: float | None
    total_steps: float | None
    of_epoch: bool
    """Whether steps are counted anew in each epoch."""
    epochs_before: float | None
    epochs: float | None
    tokens_seen: float | None
    epochs_passed: float | None
    even_tokens: float | None
    """Of a step, where several lines have the same by time and rate."""
    left_s: float | None
    left_printed: bool
    """Whether a trainer's own line tells it, which may have the whole run in view; a bar has no more than itself."""
    run_s: float | None
    """The time of the whole run, where its closing line tells it."""
    doubt: str | None
    resumed: bool
    """Whether its one bar may count the steps that a resumed run skipped."""


def steady(group: Group) -> Steady:
    """Return the steady speed of a group.

    the median over the steps after the first tenth (at least ten steps), so that evaluation and checkpoints,
    which few steps pay for, do not count
    """
    points = _with_times(_of_last_batch(group.points))
    warm = _warm(points)
    kept = points[warm:]
    # One rank's word for each step: those that print beside it say the same a moment later.
    timed = _one_each(kept if len(kept) > 1 else points)
    steps = [point.step_s for point in kept if point.step_s]
    micro = [point.micro_s for point in kept if point.micro_s]
    printed = median(steps) if steps else None
    counts_micro = points[-1].counts_micro
    if printed is None and micro:
        ratio = _micro_steps(kept) or _micro_steps(points)
        printed = median(micro) * (ratio or 1.0)
    by_clock = _clock_s(timed, printed, agreed=_agreed(timed))
    step_s = by_clock or printed
    left_s = _last(points, "left_s")
    if step_s is None:
        step_s = _mean_s(points[-1]) or _by_end_s(points[-1])
    batch = (
        _middle(kept, "sequences_per_step")
        or _grown(kept, "consumed_sequences")
        or _grown(points, "consumed_sequences")
        or _even_share(points[-1])
    )
    early = (points[0].step or 0.0) <= 1.0 + _WARM_UP_STEPS
    seen_rate = _seen_rate(timed)
    return Steady(
        dialect=points[-1].dialect.removesuffix("-end"),
        points=len(points),
        warm_up_points=warm,
        warm_up_only=early and all(p.step is not None and p.step < _WARM_UP_STEPS for p in kept),
        quoted=_quoted(kept),
        spread=_spread(steps),
        counts_micro=counts_micro,
        step_s=step_s,
        batch=batch,
        micro_batch=_middle(kept, "micro_batch"),
        data_share=_data_share(kept),
        step_tokens=_middle(kept, "tokens_per_step"),
        sequence_length=_middle(kept, "sequence_length"),
        tokens_per_second=seen_rate or _middle(kept, "tokens_per_second"),
        tokens_per_second_per_gpu=_middle(kept, "tokens_per_second_per_gpu"),
        samples=_middle(kept, "sequences_per_second"),
        samples_per_gpu=_middle(kept, "sequences_per_second_per_gpu"),
        flop_per_s_per_gpu=_middle(kept, "flop_per_s_per_gpu"),
        utilization=_middle(kept, "utilization"),
        steps_done=_last(points, "step"),
        total_steps=_last(points, "total_steps"),
        of_epoch=points[-1].of_epoch,
        epochs_before=epochs_before(points),
        epochs=_last(points, "epochs"),
        tokens_seen=_last(points, "tokens_seen"),
        epochs_passed=_last(points, "epochs_passed"),
        even_tokens=_even_tokens(points),
        left_s=left_s,
        left_printed=points[-1].rank != BAR,
        run_s=_last(points, "elapsed_s") if points[-1].dialect.endswith("-end") else None,
        doubt=group.doubt,
        resumed=_resumed(points),
    )


def _of_last_batch(points: Sequence[LogPoint]) -> list[LogPoint]:
    """Return the points at the batch that the run has reached: a batch that was ramped up tells of another speed."""
    last = _last(points, "sequences_per_step")
    if last is None:
        return list(points)
    return [point for point in points if point.sequences_per_step in {None, last}]


def _with_times(points: list[LogPoint]) -> list[LogPoint]:
    """Return points whose `time` is known for what it is: since the start if it goes up by the steps, else a step's."""
    timed = [(point.time_s, point.step) for point in points if point.time_s is not None and point.step is not None]
    if len(timed) < 2 or any(point.step_s or point.elapsed_s for point in points):  # noqa: PLR2004 - to compare
        return points
    goes_up = all(later[0] > earlier[0] for earlier, later in pairwise(timed))
    grown = timed[-1][0] / timed[0][0] if timed[0][0] else math.inf
    if goes_up and grown >= (timed[-1][1] / timed[0][1] if timed[0][1] else 1.0) * _HALF:
        return [replace(point, elapsed_s=point.time_s) for point in points]
    return [replace(point, step_s=point.time_s) for point in points]


def _warm(points: Sequence[LogPoint]) -> int:
    """Return how many points at the start are warm-up; a few are kept whatever they are."""
    first = points[0].step or 0.0
    # A log that starts in mid-run has no warm-up but its first point's.
    limit = max(_WARM_UP_STEPS, first)
    early = sum(1 for point in points if (point.step if point.step is not None else limit + 1) <= limit)
    fewest = min(_MOST_KEPT, max(1, len(points) // 2))
    return min(max(early, int(len(points) * _WARM_UP_SHARE)), max(0, len(points) - fewest))


def _one_each(points: Sequence[LogPoint]) -> list[LogPoint]:
    """Return the first point of each step that is beyond all before it."""
    out: list[LogPoint] = []
    for point in points:
        if point.step is not None and (not out or point.step > (out[-1].step or 0.0)):
            out.append(point)
    return out


def _clock_s(points: Sequence[LogPoint], printed: float | None, *, agreed: bool) -> float | None:
    """Return seconds a step between clock times; None where no clock ran for long enough to be believed.

    Over a few long windows, evaluation and checkpoints are in the clock: rates that were printed and agree go before.
    """
    field = "elapsed_s" if sum(point.elapsed_s is not None for point in points) > 1 else "stamp_s"
    if field == "stamp_s" and printed is not None:
        return None
    timed = [(getattr(p, field), p.step) for p in points if getattr(p, field) is not None and p.step is not None]
    if len(timed) < 2:  # noqa: PLR2004 - the ends of a span
        return None
    span, steps = timed[-1][0] - timed[0][0], timed[-1][1] - timed[0][1]
    if span <= 0:
        return None
    if span < _LONG_TICKS * _TICK_S and printed is not None and abs(printed * steps - span) <= _TICK_S:
        # The clock says nothing else than what was printed, which has more digits.
        return None
    rates = _rates(timed, max(_LONG_TICKS * _TICK_S, span / _WINDOWS))
    if len(rates) >= _FEWEST_RATES:
        return 1.0 / median(rates)
    return None if agreed else span / steps


def _agreed(points: Sequence[LogPoint]) -> bool:
    """Return whether points print the same step time, as no resumed bar does, whose mean comes down."""
    steps = [point.step_s for point in points if point.step_s]
    return len(steps) > 1 and max(steps) <= _AGREED * min(steps)


def _rates(timed: Sequence[tuple[float, float]], window_s: float) -> list[float]:
    """Return increments per second over windows of at least `window_s`, of (seconds, count) in order."""
    rates: list[float] = []
    start = timed[0]
    for moment in timed[1:]:
        if moment[0] - start[0] >= window_s:
            if moment[1] > start[1]:
                rates.append((moment[1] - start[1]) / (moment[0] - start[0]))
            start = moment
        elif moment[0] < start[0]:
            start = moment
    return rates


def _seen_rate(points: Sequence[LogPoint]) -> float | None:
    """Return tokens per second between clock times, where tokens are counted."""
    timed = [(p.elapsed_s, p.tokens_seen) for p in points if p.elapsed_s is not None and p.tokens_seen is not None]
    if len(timed) < 2 or timed[-1][0] <= timed[0][0] or timed[-1][1] <= timed[0][1]:  # noqa: PLR2004 - a span
        return None
    span = timed[-1][0] - timed[0][0]
    rates = _rates(timed, max(_LONG_TICKS * _TICK_S, span / _WINDOWS))
    return median(rates) if len(rates) >= _FEWEST_RATES else (timed[-1][1] - timed[0][1]) / span


def _mean_s(point: LogPoint) -> float | None:
    """Return the mean since the start, where one point has no more than a clock."""
    return (
        point.elapsed_s / point.step
        if point.elapsed_s and point.step and point.dialect not in {"wandb", "tensorboard"}
        else None
    )


def _by_end_s(point: LogPoint) -> float | None:
    """Return what the time to the end amounts to a step."""
    more = (point.total_steps or 0.0) - (point.step or 0.0)
    return point.left_s / more if point.left_s and more > 0 else None


def _micro_steps(points: Sequence[LogPoint]) -> float | None:
    """Return micro-batches a step, from two counters that run side by side."""
    both = [(p.micro_step, p.step) for p in points if p.micro_step and p.step]
    if not both:
        return None
    (first_micro, first), (last_micro, last) = both[0], both[-1]
    if last > first and last_micro > first_micro:
        return (last_micro - first_micro) / (last - first)
    return max(1.0, last_micro / last) if last else None


def _grown(points: Sequence[LogPoint], field: str) -> float | None:
    """Return by how much a counter grows a step."""
    grown = [
        (getattr(later, field) - getattr(earlier, field)) / (later.step - earlier.step)
        for earlier, later in pairwise(points)
        if getattr(later, field) is not None
        and getattr(earlier, field) is not None
        and later.step is not None
        and earlier.step is not None
        and later.step > earlier.step
    ]
    middle = median(grown) if grown else None
    return middle if middle and middle > 0 else None


def _even_share(point: LogPoint) -> float | None:
    """Return sequences a step of all consumed, where every step took as many by how it divides."""
    seen, steps = point.consumed_sequences, point.step
    even = seen and steps and steps > 1.0 and not seen % steps
    return seen / steps if even and seen and steps else None


def _even_tokens(points: Sequence[LogPoint]) -> float | None:
    """Return the tokens of a step, or of one device's, where several lines have the same: time times rate."""
    counted = [
        point.step_s * rate
        for point in points
        if point.step_s and (rate := point.tokens_per_second or point.tokens_per_second_per_gpu)
    ]
    even = len(counted) > 1 and max(counted) <= (1.0 + _SAME_COUNT) * min(counted)
    return median(counted) if even else None


def _middle(points: Sequence[LogPoint], field: str) -> float | None:
    values = [value for point in points if (value := getattr(point, field))]
    return median(values) if values else None


def _data_share(points: Sequence[LogPoint]) -> float | None:
    shares = [
        point.data_s / whole
        for point in points
        if point.data_s is not None and (whole := point.step_s or point.micro_s) and point.data_s <= whole
    ]
    return median(shares) if shares else None


def _last(points: Sequence[LogPoint], field: str) -> float | None:
    return next((value for point in reversed(points) if (value := getattr(point, field)) is not None), None)


def _quoted(points: Sequence[LogPoint]) -> str:
    lines = Counter(bool(point.line.strip()) for point in points)
    return next((point.line for point in reversed(points) if point.line.strip()), "") if lines[True] else ""


def _spread(steps: Sequence[float]) -> float | None:
    if len(steps) < 4:  # noqa: PLR2004 - quartiles of fewer say nothing
        return None
    ordered = sorted(steps)
    return ordered[3 * len(ordered) // 4] / ordered[len(ordered) // 4]


def _resumed(points: Sequence[LogPoint]) -> bool:
    """Return whether the only bar's rate is that of all its steps in a moment: a resumed run counts skipped ones in."""
    point = points[-1]
    if len(points) > 1 or point.rank != BAR or not point.step or not point.elapsed_s or point.step < _RESUMED_STEPS:
        return False
    rate = point.step / point.elapsed_s
    same = point.step_s is None or abs(point.step_s * rate - 1.0) < _SAME
    return same and rate > _RESUMED_PER_S and point.elapsed_s < _RESUMED_S
