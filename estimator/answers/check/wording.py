"""A check of a speed in words."""

from estimator.answers.check.check import SpeedCheck
from estimator.answers.estimate.wording import rate_words
from estimator.base.units import TERA, format_duration, format_rate

__all__ = ["UTILIZATION_CONVENTION", "check_summary"]

_UNITS = frozenset({"speed_of_one_gpu", "sparse_peak", "accumulate_peak", "shader_peak"})
"""Mistakes of the number: no slowness of a run that others could add to."""

_ANOTHER_AMOUNT = 1.3
"""Ratio of times left from which on a log's bar is of another amount than was told."""

UTILIZATION_CONVENTION = (
    "MFU: FLOPs the model needs (matrix products and attention, forward and backward; causal halves skipped, "
    "recomputation and embedding lookups not counted) over the dense peak; HFU adds recomputation"
)


def check_summary(check: SpeedCheck) -> str:
    """Return the verdict in two to four sentences, with the range and the likeliest causes."""
    run, seen, expected = check.run, check.seen.tokens_per_second, check.expected
    sure = f"{expected.coverage:.0%} range" if expected.coverage else "rule-of-thumb range"
    ends = f"({sure} {format_rate(expected.low)} to {format_rate(expected.high)})"
    range_text = f"{format_rate(expected.tokens_per_second)} expected {ends}"
    devices = run.device.counted(run.n_gpus)
    observed = f"{rate_words(run, seen)} over {devices} ({check.model_flops_utilization:.1%} MFU)"
    match check.verdict:
        case "normal":
            first = f"Normal: {observed} is {check.ratio:.2f} of the {range_text}."
        case "implausible":
            bound = check.bound
            executed = format_rate(seen * bound.flop_per_token / run.n_gpus / TERA)
            first = (
                f"Implausible: {observed} would execute {executed} TFLOPS per GPU, above the {bound.name} of "
                f"{bound.flop_per_s_per_gpu / TERA:,.4g} ({bound.note}). The run should reach "
                f"{format_rate(expected.tokens_per_second)} {ends}."
            )
        case "slow":
            first = f"Slow: {observed} is {check.ratio:.2f} of the {range_text}."
        case _:
            first = f"Faster than expected: {observed} is {check.ratio:.2f} of the {range_text}."
    return " ".join(part for part in (first, _assumed(check), _causes(check), _left(check)) if part)


def _assumed(check: SpeedCheck) -> str:
    """Return on what the verdict stands, where a log tells steps and nobody what a step takes; else nothing."""
    batch, expected = check.seen.batch_assumed, check.expected
    if batch is None:
        return ""
    fewest, most = (max(1, round(batch * end / expected.tokens_per_second)) for end in (expected.low, expected.high))
    return (
        f"That stands on a batch that nobody told: a step of this time is normal where it takes {fewest:,} to {most:,} "
        f"sequences of {check.run.sequence_length:,} tokens, slow with fewer; give global_batch_sequences."
    )


def _causes(check: SpeedCheck) -> str:
    if check.verdict == "normal":
        return ""
    explaining = [cause for cause in check.causes if cause.explains][:3]
    together = "" if any(cause.usual for cause in explaining) else _together(check)
    if explaining:
        ways = [cause.what for cause in explaining] + ([f"or {together}"] if together else [])
        return f"What would explain it, likeliest first: {'; '.join(ways)}."
    if together:
        return f"No single usual cause explains it, but {together}."
    if not check.causes:
        return "None of the usual causes explains it; check the number and its unit first."
    nearest = check.causes[0]
    share = nearest.tokens_per_second / check.expected.tokens_per_second
    return f"No single usual cause explains it; nearest comes: {nearest.what} ({share:.2f} of the expected speed)."


def _together(check: SpeedCheck) -> str:
    """Return the usual causes that explain a slow run only together; empty where they do not either."""
    expected = check.expected
    share = 1.0
    taken: list[str] = []
    for cause in check.causes if check.verdict == "slow" else ():
        if cause.usual and cause.code not in _UNITS:
            share *= cause.tokens_per_second / expected.tokens_per_second
            taken.append(cause.what)
            if share * expected.low <= check.seen.tokens_per_second <= share * expected.high:
                named = f"{'; '.join(taken[:-1])}; and {taken[-1]}"
                return f"these together do: {named} ({share:.2f} of the expected speed)" if len(taken) > 1 else ""
    return ""


def _left(check: SpeedCheck) -> str:
    left = check.remaining
    if left is None:
        return ""
    if left.of_epoch:
        return _left_in_epoch(check, left.seconds)
    if left.seconds == 0:
        ended = check.reading is not None and check.reading.ended
        return "Nothing is left to train" + (": the log says that its run has ended." if ended else ".")
    return f"{format_duration(left.seconds)} left at this speed{_by_bar(check, left.seconds)}."


def _left_in_epoch(check: SpeedCheck, left_s: float) -> str:
    """Return what is left of an epoch, where nobody tells how many follow, and what would tell."""
    left = f"{format_duration(left_s)} left in this epoch" if left_s else "Nothing is left in this epoch"
    if check.reading is not None and check.reading.epochs_before is not None:
        return f"{left}; how many follow is not told: give epochs."
    return f"{left}; which epoch that is, the log does not say: a line that names it would tell what is left in all."


def _by_bar(check: SpeedCheck, left_s: float) -> str:
    """Return what the log itself says is left, where its steps are of another amount than was told."""
    reading = check.reading
    if reading is None or reading.seconds_left is None or not reading.total_steps:
        return ""
    if max(reading.seconds_left, left_s) < _ANOTHER_AMOUNT * max(min(reading.seconds_left, left_s), 1.0):
        return ""
    own = format_duration(reading.seconds_left)
    return f" for all that was told; of the log's own {reading.total_steps:,.0f} steps {own}"
