"""A check of a speed in words."""

from collections.abc import Mapping

from estimator.answers.check.candidate import says_packed
from estimator.answers.check.check import SpeedCheck
from estimator.answers.check.expected import Expected, Verdict, dense_peak_flop_per_s
from estimator.answers.check.observation import Kind
from estimator.answers.check.real_tokens import COUNT
from estimator.answers.check.unsaid import range_were_said
from estimator.answers.check.usual_batches import BATCH, counted, normal_batches, usual_shares
from estimator.answers.check.usual_lengths import SAMPLE_LENGTH, Lengths
from estimator.answers.estimate.wording import rate_words, sample_words
from estimator.base.text import listed
from estimator.base.units import TERA, format_count, format_duration, format_rate
from estimator.evidence.reached import reached

__all__ = ["UTILIZATION_CONVENTION", "check_summary"]

_UNITS = frozenset({"speed_of_one_gpu", "sparse_peak", "accumulate_peak", "shader_peak"})
"""Mistakes of the number: no slowness of a run that others could add to."""
_NOT_COUNTED = "padding_not_counted"
"""The cause that a verdict tells of already where it hangs on what was counted."""
_OF_ALL = "the speed of all GPUs multiplied by their number once more"
_OF_MORE = "the speed of several GPUs held against one"
_LEAST_OF_TWO_PLACES = 0.1
_LENGTHS = {"tokens_per_sample": "samples", "sequence_length": "sequences", "image_size": "pictures"}
"""What has a length or a size, by the argument that tells it."""
_ANOTHER_AMOUNT = 1.3
"""Ratio of times left from which on a log's bar is of another amount than was told."""

UTILIZATION_CONVENTION = (
    "MFU: FLOPs the model needs (matrix products and attention, forward and backward; causal halves skipped, "
    "recomputation and embedding lookups not counted) over the dense peak; HFU adds recomputation"
)


def check_summary(check: SpeedCheck) -> str:
    """Return the verdict in two to five sentences, with the range and the likeliest causes."""
    parts = (_verdict, _assumed, _in_it_already, _causes, _causes_if_counted, _left)
    return " ".join(told for part in parts if (told := part(check)))


def _verdict(check: SpeedCheck) -> str:
    """Return the verdict with what was seen and what was expected, or what it cannot be given without."""
    run, seen, expected = check.run, check.seen.tokens_per_second, check.expected
    sure = f"{expected.coverage:.0%} range" if expected.coverage else "rule-of-thumb range"
    ends = f"({sure} {format_rate(expected.low)} to {format_rate(expected.high)})"
    against = f"{_times(check.ratio)} the {format_rate(expected.tokens_per_second)} expected {ends}"
    devices = run.device.counted(run.n_gpus)
    observed = f"{rate_words(run, seen)} over {devices} ({check.model_flops_utilization:.1%} MFU)"
    if COUNT in check.depends_on:
        padding = run.amount.padding
        return (
            f"Cannot be judged without what its tokens are: if padding is counted, as taken, {observed} is {against}; "
            f"if they are the samples' own, {format_rate(seen * padding)} with padding are worked on, "
            f"{_times(check.ratio * padding)} it. Give {COUNT} with global_batch_sequences."
        )
    if check.by_length is not None:
        return _at_either_length(check.by_length, observed, run.sequence_length)
    if (wide := range_were_said(check.depends_on, expected)) is not None:
        lacking, low, high = listed(list(check.depends_on)), *(format_rate(end) for end in wide)
        return (
            f"Cannot be judged without {lacking}: {observed} is {against}, and in that range only because it holds "
            f"several ways of {lacking}; about any one of them it is no wider than {low} to {high}. Give {lacking}, "
            "as the warnings say."
        )
    if check.depends_on:
        beyond = seen > check.bound.tokens_per_second
        judged = f", more than the {check.bound.name} allows" if beyond else ""
        return f"Cannot be judged without {_open(check)}, as assumed, {observed} is {against}{judged}."
    if check.as_assumed != "implausible":
        return f"{_opening(check)}: {observed} is {against}."
    reach = f"The run should reach {format_rate(expected.tokens_per_second)} {ends}."
    return f"Implausible: {_beyond(check, observed)} {reach}"


_JUDGED: Mapping[Verdict, str] = {
    "faster": "faster than",
    "normal": "normal for",
    "slow": "slow for",
    "implausible": "more than",
}


def _at_either_length(ways: Lengths, observed: str, full_tokens: int) -> str:
    """Return what a speed is at either length that samples may have, where nothing tells how long they are."""

    def judged(seen: Verdict, expected: Expected, things: str) -> str:
        ends = f"{format_rate(expected.low)} to {format_rate(expected.high)}"
        return f"{_JUDGED[seen]} {things} ({ends})"

    full = judged(ways.full_verdict, ways.full, f"full sequences of {full_tokens:,} tokens")
    short = judged(ways.short_verdict, ways.short, f"samples of {ways.short_tokens:,}")
    return (
        f"Cannot be judged without the length of samples, which nothing tells: {observed} is {full}, and {short}. "
        f'Give {SAMPLE_LENGTH}, a data set in samples, or packing "packed".'
    )


def _opening(check: SpeedCheck) -> str:
    """Return the verdict in words; of a normal speed, what the run loses most by how it is set up."""
    if check.as_assumed == "faster":
        return "Faster than expected"
    if check.losses and check.as_assumed == "normal":
        return f"Normal for this set-up, but {check.losses[0].clause}"
    return check.as_assumed.capitalize()


def _in_it_already(check: SpeedCheck) -> str:
    """Return what makes a slow run slow that the expected speed has already: no cause of what it is slower by."""
    lost = [loss.clause for loss in check.losses_told] if check.as_assumed == "slow" else []
    return f"In the expected speed already: {'; '.join(lost)}." if lost else ""


def _open(check: SpeedCheck) -> str:
    """Return what a verdict is open without, and what was assumed of it."""
    run, batch = check.run, check.seen.batch_assumed
    size = next((f"{told.value}" for told in run.assumptions if told.name == "image_size"), None)
    each = f"{run.sequence_length:,} tokens" if size is None else size
    lacking: list[str] = []
    unknown: list[str] = []
    taken: list[str] = []
    if batch is not None:
        taken.append(f"{counted(run, batch):,}")
        if BATCH in check.depends_on:
            lacking.append("the batch")
            unknown.append(f"how many {sample_words(run)} a step takes")
    if argument := _length_argument(check):
        things = _LENGTHS[argument]
        lacking.append(f"the size of {things}" if argument == "image_size" else f"the length of {things}")
        unknown.append(f"how {'large' if argument == 'image_size' else 'long'} {things} are")
        taken.append(f"{each} each")
    return f"{' and '.join(lacking)}: nothing tells {', nor '.join(unknown)}. At {' of '.join(taken)}"


def _beyond(check: SpeedCheck, observed: str) -> str:
    """Return what a speed would execute, against what its devices do; beyond their peak, what else it may count."""
    run, bound = check.run, check.bound
    each = check.seen.tokens_per_second / run.n_gpus
    rate = each * bound.flop_per_token
    peak = dense_peak_flop_per_s(run)
    limit = f"the {bound.name} of {bound.flop_per_s_per_gpu / TERA:,.4g} ({bound.note})"
    if check.seen.tokens_per_second <= bound.tokens_per_second:
        best, share = reached(), rate / bound.flop_per_s_per_gpu
        reach = f"none of {best.runs:,} published runs came to more than {best.share:.0%} of its device's"
        return f"{observed} would execute {format_rate(rate / TERA)} TFLOPS per GPU, {share:.0%} of {limit}; {reach}."
    if rate <= peak:
        return f"{observed} would execute {format_rate(rate / TERA)} TFLOPS per GPU, above {limit}."
    work = f"{format_rate(each)} tokens/s per GPU × {format_count(bound.flop_per_token)} FLOPs each"
    return (
        f"{observed} is impossible: {work} is {format_rate(rate / TERA)} TFLOPS, {rate / peak:.0%} of the dense peak "
        f"of {peak / TERA:,.4g}, and above {limit}. So the number counts something else: {_otherwise_counted(check)}."
    )


def _otherwise_counted(check: SpeedCheck) -> str:
    """Return what a number that no device reaches most often counts instead, by the form that it was told in."""
    seen, run = check.seen, check.run
    several = run.n_gpus > 1
    padding = "padding counted as tokens" if not says_packed(run) else ""
    micro = "one micro-batch timed where a step accumulates several"
    ways: dict[Kind, tuple[str, ...]] = {
        "tokens_per_second": (
            "" if seen.count_told else _OF_ALL if several else _OF_MORE,
            padding,
            "tokens of a whole step over the time of a micro-step",
        ),
        "step_seconds": (micro, "a batch or sequences larger than were trained", padding),
        "hours": (
            "hours of a part of the run",
            "GPU-hours divided by more GPUs than had the run" if several else "",
            "tokens that were planned, not trained",
        ),
        "mfu": (
            "a peak with 2:4 sparsity, or of a lower precision, taken for the dense one",
            _OF_ALL if several else "",
        ),
        "tflops_per_gpu": (
            "FLOPs at 2:4 sparsity or of a lower precision",
            "those of all GPUs taken for one's" if several else "",
            "recomputed ones with them",
        ),
    }
    named = [way for way in ways[seen.kind] if way]
    return " or ".join(part for part in (", ".join(named[:-1]), named[-1]) if part)


def _times(ratio: float) -> str:
    """Return `3.32 times`, with two digits that tell something however small the ratio is."""
    return f"{ratio:.2f} times" if ratio >= _LEAST_OF_TWO_PLACES else f"{ratio:.2g} times"


def _assumed(check: SpeedCheck) -> str:
    """Return on what the verdict stands, where steps are told and not what a step takes; else nothing."""
    batch, run = check.seen.batch_assumed, check.run
    other = _other_length(check)
    if batch is None:
        return f"A step of this time is normal with {other}; give {_length_argument(check)}." if other else ""
    fewest, most = (counted(run, end) for end in normal_batches(batch, check.seen, check.expected))
    several = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    normal = f"A step of this time is normal with {several} {sample_words(run, most)}"
    remedy = "give global_batch_sequences, or micro_batch_size with gradient_accumulation"
    if check.depends_on:
        if other:
            normal = f"{normal}, or with {counted(run, batch):,} {other}"
            remedy = f"{remedy}, and {_length_argument(check)}"
        return f"{normal}; {remedy}."
    low, high = (counted(run, batch * share) for share in usual_shares(batch))
    return f"Nobody told the batch: so it is with any usual one, {low:,} to {high:,}. {normal}; {remedy}."


def _length_argument(check: SpeedCheck) -> str | None:
    """Return the argument that would tell how long sequences are, where the verdict is open without it."""
    return next((argument for argument in check.depends_on if argument in _LENGTHS), None)


def _other_length(check: SpeedCheck) -> str:
    """Return the length at which a step would be normal, in words; empty where the verdict is not open without it."""
    argument, ends = _length_argument(check), check.normal_lengths
    if argument is None or ends is None:
        return ""
    if argument == "image_size":
        low, high = (end / check.run.sequence_length for end in ends)
        return f"pictures of {low:.2g} to {high:.2g} times as many pixels"
    return f"{_LENGTHS[argument]} of {' to '.join(f'{max(1, round(end)):,}' for end in ends)} tokens"


def _causes(check: SpeedCheck) -> str:
    if check.as_assumed == "normal" or check.depends_on:
        return ""
    explaining = [cause for cause in check.causes if cause.explains][:3]
    if check.as_assumed == "implausible" and not explaining:
        # What else the number counts is told with the verdict, or else no setting makes a device faster than it is.
        return ""
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
    return f"No single usual cause explains it; nearest comes: {nearest.what} ({_times(share)} the expected speed)."


def _causes_if_counted(check: SpeedCheck) -> str:
    """Return what would explain a slow run if its tokens are padded ones, where nobody says whether they are."""
    if COUNT not in check.depends_on:
        return ""
    ways = [cause.what for cause in check.causes if cause.explains and cause.code != _NOT_COUNTED][:3]
    return f"If padding is counted, what would explain it, likeliest first: {'; '.join(ways)}." if ways else ""


def _together(check: SpeedCheck) -> str:
    """Return the usual causes that explain a slow run only together; empty where they do not either."""
    expected = check.expected
    share = 1.0
    taken: list[str] = []
    for cause in check.causes if check.as_assumed == "slow" else ():
        if cause.usual and cause.code not in _UNITS:
            share *= cause.tokens_per_second / expected.tokens_per_second
            taken.append(cause.what)
            if share * expected.low <= check.seen.tokens_per_second <= share * expected.high:
                named = f"{'; '.join(taken[:-1])}; and {taken[-1]}"
                return f"these together do: {named} ({_times(share)} the expected speed)" if len(taken) > 1 else ""
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
    if COUNT in check.depends_on:
        least = format_duration(left.seconds / check.run.amount.padding)
        return f"{format_duration(left.seconds)} left at this speed, or {least} if padding is not counted."
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
