"""What samples of unequal length become: packed sequences, or rows padded to the longest of their micro-batch."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from estimator.base.errors import InfeasibleError
from estimator.base.inputs import checked_whole
from estimator.base.prior import Prior
from estimator.base.units import parse_count
from estimator.models.kinds import kind_of
from estimator.physics.stacks import Stack
from estimator.question.practice import NOTHING_SAID, Padding, Practice
from estimator.question.question import Assumption, Question, SourceKind
from estimator.question.request import Quantity, Request
from estimator.resolve.cuts import trainers_limit
from estimator.resolve.layout_request import MOST_SEQUENCES
from estimator.resolve.packing import FEW_GPUS
from estimator.resolve.sample_lengths import ENCODED_VARIATION, LENGTH_VARIATION, SampleLengths

__all__ = ["Padded", "micro_batch_that_fits", "padded_samples", "padding_assumptions", "with_rows"]

_TO_A_MULTIPLE = 8
"""Collators pad on to such a multiple, for the sake of tensor cores."""
_USUAL_MICRO_BATCH = 2
"""Where no stack is named, or one that packs by habit: what most examples of fine-tuning have."""
_USUAL_OF_ENCODERS = 32
"""Where an encoder of text is trained: what examples of sentence-transformers and of BERT's have, 16 to 64."""
_MOST_TOKENS = 8192.0
"""Tokens of samples from which on nobody has one more in a micro-batch unless told: the largest of the examples, four
of 2,048, hold as many, any device is busy with fewer, and padding and memory grow with each."""
_RAISED = 2.0
"""Times the length that a trainer pads all samples to unless told, up to which its users raise it."""
_USUAL_LIMIT = Prior(
    low=512.0,
    mode=2048.0,
    high=4096.0,
    why="Tokens that scripts pad all samples to unless told: `model_max_length` is 2,048 in FastChat's and 512 in "
    "Stanford Alpaca's; recipes for Llama 2 and later have 4,096",
)
_ENCODERS_LEAST = 128.0
"""The least of encoders' scripts: `max_seq_length` in Transformers' `run_glue.py`."""
_WORTH_SAYING = 0.05
"""Share of a row below which nobody is told of it."""
_MOST_EXTREME = 10_000
"""Samples whose longest is looked for at most: what is still longer was cut, or left out, by whoever ran out of memory
for its sake; a spread says little of the one in a million."""
_FEW_AT_A_TIME = frozenset({"decoder", "hybrid", "vision_language"})
"""Kinds of models whose trainers' examples have a few samples in a micro-batch, whatever would fit."""
_LARGER = 8
"""Times as large a micro-batch that others are tried up to."""
_GUESS = 2
"""A micro-batch that was not said may be half or twice the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Padded:
    """Samples as padded rows."""

    mean: float
    """Real tokens of a sample, cut at the limit."""
    longest: float
    """Expected tokens of a row, which is as long as `padding` makes it."""
    low: float
    """The true length is at least so much of `longest` …"""
    high: float
    """… and at most so much."""
    micro_batch: int
    micro_batch_source: SourceKind
    unless_told: bool
    """Whether it is that of a general trainer, which accumulates none, or as much of that as fits."""
    sequences: int
    """Of a sample, that are padded together: the longest of all of them is padded to."""
    waits: float
    """By what share the longest micro-batch of all replicas is expected to be longer than any one …"""
    unevenness: float
    """… and that with each e-fold of their number, about eight where there is one."""
    lengthening: float
    """By what share a row becomes longer with each e-fold of the samples that it is padded to the longest of."""
    longest_row: float
    """Tokens of the longest row of the run over those of the usual one …"""
    longest_told: bool
    """… and whether it was told how long they are at most, and not only likely."""
    padding: Padding
    lengths: SampleLengths
    limit: float | None
    """Tokens at which samples are cut; None where nothing tells."""
    limits: tuple[float, float] | None = None
    """Between what that lies, where every sample is padded to it and nobody told it."""
    padded_as_said: bool = False
    """Whether it was said that every sample is padded to it."""

    @property
    def has_padding(self) -> bool:
        """Whether there is padding within a micro-batch: not beside a sample alone, nor where none is padded.

        Who says that all are padded to a length has shorter ones, however long they are told to be.
        """
        alone = self.padding == "none" or self.micro_batch * self.sequences == 1
        return self.padded_as_said or (not alone and self.longest > self.mean)

    @property
    def sequence_length(self) -> int:
        """Tokens of a row, up to a multiple that collators pad to."""
        return math.ceil(self.longest / _TO_A_MULTIPLE - 1e-9) * _TO_A_MULTIPLE


def padded_samples(
    request: Request,
    stack: Stack | None = None,
    practice: Practice = NOTHING_SAID,
    *,
    lengths: SampleLengths | None = None,
    window: int | None = None,
    encodes: bool = False,
    fits: Sequence[Callable[["Padded"], bool]] = (),
    per_replica: int | None = None,
    n_replicas: int = 1,
    sequences: int = 1,
    whole: bool = False,
    unless_told: int | None = None,
) -> Padded | None:
    """Return the samples of `request` as rows padded micro-batch by micro-batch; None where it tells of no samples.

    Samples have the `lengths` told, or usual ones. Rows end at the sequence length given, else at the model's `window`
    where a mean sample fits into that, or the model knows no position beyond as one that `encodes`, whose texts are
    less unlike than those of instruction sets; and at the trainer's own limit, unless the longest sample is told. The
    micro-batch that was not said is the stack's usual one, or fewer of long samples; or the largest below it that
    divides `per_replica` and fits, by the first of `fits` that any does by; of a `whole` batch, as much of
    `per_replica` as does. What `encodes` has more of them, or what a general trainer has `unless_told`, where nothing
    tells the batch either. Samples of several `sequences` are padded to the longest of all. Each of `n_replicas` pads
    its own. What rows are padded to is said in `practice`, else the stack's habit.
    """
    if request.samples is None or request.tokens_per_sample is None:
        return None
    lengths = _read_lengths(request.tokens_per_sample, lengths, encodes=encodes)
    samples = max(1, round(parse_count(request.samples, "samples")))
    limit = _limit(request, stack, lengths, window, encodes=encodes, answers=sequences > 1 and not whole)
    padding = _padding(practice if stack is None else practice.over(stack.tuning_habit), lengths, sequences)
    guessed = padding == "limit" and request.sequence_length is None and lengths.longest is None
    if padding == "limit" and request.sequence_length is None:
        limit = _padded_to(lengths, limit)
    left = unless_told is not None and per_replica is None
    own = stack if practice.padding is None else None

    def rows_of(micro: int, source: SourceKind) -> Padded:
        rows = _padded(
            lengths,
            limit,
            micro,
            source,
            cut=request.sequence_length is not None,
            padding=padding,
            samples=samples,
            n_replicas=n_replicas,
            sequences=sequences,
            limits=_guessed_limits(limit, lengths, window, own, encodes=encodes) if guessed and limit else None,
        )
        return replace(rows, padded_as_said=practice.padding == "limit", unless_told=left and source == "default")

    if request.micro_batch_size is not None:
        return rows_of(checked_whole("micro_batch_size", request.micro_batch_size, most=MOST_SEQUENCES), "user")
    usual = _USUAL_MICRO_BATCH if stack is None or stack.tuning_habit.packing == "packed" else stack.micro_batch
    usual = practice.samples_each or usual
    if encodes:
        usual = unless_told if left and unless_told else _USUAL_OF_ENCODERS
    if whole and per_replica is not None:
        usual = per_replica
    most = usual
    if not (encodes or whole or practice.samples_each):
        most = max(1, min(usual, math.floor(_MOST_TOKENS / (rows_of(1, "default").longest * sequences))))
    micros = [m for m in range(most, 0, -1) if m == 1 or _divides(m, usual, per_replica)]
    fitting = (m for fit in fits for m in micros if fit(rows_of(m, "default")))
    return rows_of(next(fitting, micros[-1] if fits else micros[0]), "default")


def _limit(
    request: Request, stack: Stack | None, lengths: SampleLengths, window: int | None, *, encodes: bool, answers: bool
) -> float | None:
    """Return the tokens at which a sample is cut; None where nothing tells. `answers`: to one prompt, in a pair.

    Who tells how long samples are at most has set the trainer so, or seen to it that they stay whole.
    """
    if request.sequence_length is not None:
        return parse_count(request.sequence_length, "sequence_length")
    own = None if window is None or (window < lengths.mean and not encodes) else float(window)
    trainers = None
    if stack is not None and not encodes and lengths.longest is None:
        trainers = trainers_limit(stack, lengths.mean, answers=answers)
    return min((most for most in (own, trainers) if most is not None), default=None)


def _padded_to(lengths: SampleLengths, limit: float | None) -> float | None:
    """Return the tokens to which every sample is padded: of the longest, where that is told, else as scripts do."""
    if lengths.longest is not None:
        longest = lengths.longest + lengths.fixed
        return longest if limit is None else min(limit, longest)
    return None if limit is None else min(limit, max(_USUAL_LIMIT.mode, lengths.mean))


def _guessed_limits(
    limit: float, lengths: SampleLengths, window: int | None, own: Stack | None, *, encodes: bool
) -> tuple[float, float]:
    """Return between which lengths that `limit` may lie that nobody told; few raise that of an `own` stack far."""
    least = _ENCODERS_LEAST if encodes else _USUAL_LIMIT.low
    most = _USUAL_LIMIT.high if window is None else min(_USUAL_LIMIT.high, float(window))
    if own is not None and (trainers := trainers_limit(own, lengths.mean, answers=False)):
        most = min(most, _RAISED * trainers)
    return min(limit, max(least, lengths.mean)), max(limit, most)


def _read_lengths(tokens_per_sample: Quantity, told: SampleLengths | None, *, encodes: bool) -> SampleLengths:
    """Return how long samples are: as told, or as usual for what reads them."""
    lengths = told or SampleLengths(mean=parse_count(tokens_per_sample, "tokens_per_sample"))
    if encodes and lengths.variation is LENGTH_VARIATION:
        return replace(lengths, variation=ENCODED_VARIATION)
    return lengths


def _padding(practice: Practice, lengths: SampleLengths, sequences: int) -> Padding:
    """Return what rows are padded to; with pictures or as pairs, collators of their own pad them to the longest."""
    padding = practice.padding or "longest"
    return "longest" if padding == "none" and (lengths.fixed or sequences > 1) else padding


def _divides(micro: int, usual: int, per_replica: int | None) -> bool:
    """Return whether a micro-batch is one to try: a part of the usual one, or what the batch of a replica allows."""
    return usual % micro == 0 if per_replica is None else per_replica % micro == 0


def _padded(
    lengths: SampleLengths,
    limit: float | None,
    micro: int,
    source: SourceKind,
    *,
    cut: bool,
    padding: Padding,
    samples: int,
    n_replicas: int,
    sequences: int,
    limits: tuple[float, float] | None = None,
) -> Padded:
    most = samples if padding in {"longest", "limit"} else 1

    def longest(draws: int, end: Literal["low", "mode", "high"] = "mode") -> float:
        if padding == "limit" and limit is not None:
            return limit
        return lengths.expected_longest(min(draws, most) * sequences, limit, end)

    usual, waited_for = longest(micro), longest(micro * n_replicas)
    several = n_replicas if n_replicas > 1 else FEW_GPUS
    fewer, more = (micro, micro) if source == "user" else (max(1, micro // _GUESS), micro * _GUESS)
    # How lengths are spread and what the micro-batch is are unknown apart: both are rarely at their ends at once.
    # The longest of all replicas is what takes the time, and is the less sure, the more there are.
    shorter = math.log(longest(micro * n_replicas, "low") / waited_for)
    longer = math.log(longest(micro * n_replicas, "high") / waited_for)
    low = math.hypot(shorter, math.log(longest(fewer * n_replicas) / waited_for))
    high = math.hypot(longer, math.log(longest(more * n_replicas) / waited_for))
    most_of_usual = math.exp(high)
    if padding == "none":
        # Such a trainer padded to the longest in earlier releases, one of which may be what runs.
        most_of_usual = max(most_of_usual, lengths.expected_longest(micro * sequences, limit) / usual)
    least_of_usual = math.exp(-low)
    if lengths.may_be_limit:
        # The row lies as far above the one way as below the other.
        either = math.log(usual / lengths.expected_longest(1, limit))
        least_of_usual, most_of_usual = math.exp(-math.hypot(low, either)), math.exp(math.hypot(high, either))
    if limits is not None:
        least_of_usual, most_of_usual = (end / usual for end in limits)
    return Padded(
        mean=lengths.expected_longest(1, limit),
        longest=usual,
        low=least_of_usual,
        high=most_of_usual,
        micro_batch=micro,
        micro_batch_source=source,
        unless_told=False,
        sequences=sequences,
        waits=_waits(lengths, limit, micro * sequences, n_replicas, padding),
        unevenness=_waits(lengths, limit, micro * sequences, several, padding) / math.log(several),
        lengthening=(longest(micro * _LARGER) / usual - 1.0) / math.log(_LARGER),
        longest_row=_longest_row(lengths, limit, micro * sequences, samples * sequences, padding) / usual,
        longest_told=_is_longest_told(lengths, limit, cut=cut),
        padding=padding,
        lengths=lengths,
        limit=limit,
        limits=limits,
    )


def _is_longest_told(lengths: SampleLengths, limit: float | None, *, cut: bool) -> bool:
    """Return whether a caller told how long samples are at most, or a limit that is a part of what they are."""
    return cut or lengths.longest is not None or (limit is not None and lengths.mean >= limit)


def _longest_row(lengths: SampleLengths, limit: float | None, draws: int, of: int, padding: Padding) -> float:
    """Return the expected tokens of a row that holds the longest `of` all samples, and is made of `draws` of them.

    Rows that hold all of their samples have it beside others that are as long as most.
    """
    if padding == "limit" and limit is not None:
        return limit
    longest = lengths.expected_longest(max(draws, min(of, _MOST_EXTREME)), limit)
    if padding != "none":
        return longest
    return (longest + (draws - 1) * lengths.expected_longest(1, limit)) / draws


def _waiting(padded: Padded) -> str:
    """Return what unlike rows cost several GPUs, in words; empty where it is next to nothing."""
    if padded.waits < _WORTH_SAYING:
        return ""
    return f", and {padded.waits:+.0%} where GPUs wait for the longest of all"


def _at_most(padded: Padded) -> str:
    """Return what row memory must hold, in words; empty where all are about as long."""
    if not padded.longest_told or padded.longest_row < 1.0 + _WORTH_SAYING:
        return ""
    return f"; memory must hold the longest of the run, {padded.longest * padded.longest_row:,.0f}"


def _waits(lengths: SampleLengths, limit: float | None, draws: int, n_replicas: int, padding: Padding) -> float:
    """Return by what share the longest of `n_replicas` rows of `draws` samples each is longer than a usual one.

    Rows of the longest differ as the longest of all does from the longest of few; rows that hold all of their samples,
    by one over the root of their number. Samples that are sorted by length lie alike on all replicas.
    """
    if padding == "longest":
        return lengths.expected_longest(draws * n_replicas, limit) / lengths.expected_longest(draws, limit) - 1.0
    if padding == "none":
        longest = lengths.expected_longest(n_replicas, limit) / lengths.expected_longest(1, limit)
        return (longest - 1.0) / math.sqrt(draws)
    return 0.0


def padding_assumptions(padded: Padded, stack: Stack | None) -> tuple[Assumption, ...]:
    """Return what padding was taken to be: the length of a row, how much of it is real, and the micro-batch."""
    real = padded.mean / padded.longest
    of_what = {
        "longest": f"longest of {padded.micro_batch * padded.sequences}",
        "alike": "samples of like length share a micro-batch",
        "none": "a micro-batch is one row without padding; before December 2025 padded to the longest of it",
        "limit": "every sample is padded to the length at which they are cut",
    }[padded.padding]
    out = [
        Assumption(
            name="padded_length",
            value=padded.sequence_length,
            unit="tokens",
            source="inferred",
            note=f"{of_what}: {padded.longest:,.0f} tokens expected, {real:.0%} of them real"
            f"{_waiting(padded)}{_at_most(padded)}; {padded.lengths.words}",
        )
    ]
    if padded.micro_batch_source != "user":
        whose = stack.name if stack else "fine-tuning scripts"
        grows = "padding grows with it, so state yours" if padded.padding == "longest" else "state yours"
        note = f"usual with {whose}, or as much of that as fits; {grows}"
        out.append(
            Assumption(name="micro_batch_size", value=padded.micro_batch, unit="sequences", source="default", note=note)
        )
    return tuple(out)


def with_rows(question: Question | None, padded: Padded | None) -> Question | None:
    """Return `question` with how unlike in length the rows are that its devices pad, and how long one is at most."""
    if question is None or padded is None:
        return question
    # Encoders have as large a micro-batch as fits, unless their trainer was left as it is.
    longest_row = max(1.0, padded.longest_row)
    guessed = padded.micro_batch_source != "user" and kind_of(question.transformer) in _FEW_AT_A_TIME
    guessed = guessed or padded.unless_told
    return replace(
        question,
        unevenness=padded.unevenness,
        lengthening=padded.lengthening,
        masks_padding=padded.has_padding,
        longest_row=longest_row if padded.longest_told else 1.0,
        likely_longest_row=longest_row,
        unsaid=question.unsaid | ({"micro_batch_size"} if guessed else frozenset()),
    )


def micro_batch_that_fits(question: Question | None) -> bool:
    """Return whether `question` has a layout that fits in memory; True where that cannot be told."""
    if question is None:
        return True
    # NumPy comes with it, and a closed-form answer does without.
    from estimator.physics.choice import setting_of

    try:
        return setting_of(question).fits
    except InfeasibleError:
        return False
