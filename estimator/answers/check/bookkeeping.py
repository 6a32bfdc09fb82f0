"""Causes of bookkeeping: another peak, another count of FLOPs, another unit than was meant."""

import math
from collections.abc import Iterator
from dataclasses import replace

from estimator.answers.check.candidate import Candidate, Gap, has_length, length_unsaid, said, says_packed
from estimator.answers.check.dialect_rows import COUNTS_EACH
from estimator.answers.check.expected import attention_flop_per_token, dense_peak_flop_per_s
from estimator.answers.check.logs import ANYBODYS, LogReading
from estimator.answers.check.observation import SHORTEST_SEQUENCE
from estimator.answers.check.real_tokens import may_be_real
from estimator.answers.check.told import is_from_scratch
from estimator.answers.check.usual_batches import counted
from estimator.answers.estimate.wording import sample_words
from estimator.base.units import TERA, format_count
from estimator.resolve.objective import ROLLOUTS
from estimator.resolve.run import Run
from estimator.resolve.sample_lengths import PADDING

__all__ = ["bookkeeping_candidates"]

_SPARSE_FAMILIES = frozenset({"ampere", "ada", "hopper", "blackwell", "rubin", "cdna3", "cdna4"})
"""Whose datasheets print rates at 2:4 sparsity, twice the dense ones."""
_HALF = frozenset({"bf16", "fp16"})
_NEARLY_DENSE = 1.05
_LONGEST_SEQUENCE = 1 << 20
_MOST_TIMES_LARGER = 64.0
"""Of one picture's positions over another's: 28 pixels a side to 224."""
_FEW_GPUS = 8
"""Devices that are one machine, of which a run has all as a rule."""
_AS_SLOW_AGAIN = 2.0
"""By which a speed that is miscounted by the number of GPUs may be off beside: what common causes cost together, such
as recomputation in full on a stack without compilation, or what a compiled run gains on one that is not. Who miscounts
is no less likely to have those: within so much of the expected speed it comes first."""
_BETTER = 1.3
"""The same of a run that is faster than its like: what tuned stacks are ahead of others by."""
_PRINTED_SO = -0.5
"""Log distance by which the speed of one GPU stands before other causes where the trainer prints that one alone."""
_MOST_ACCUMULATED = 256
_UNCOMMON, _SUSPECTED = 0.25, 0.3
"""Log distance of what is less common where nothing says that samples are trained on, and of what the size of a gap
alone suggests."""
_LEAST_UPDATE, _MOST_UPDATE = 0.02, 0.6
"""Share of an RL step that its update takes: long answers from a slow engine, and short ones from a fast one."""


def bookkeeping_candidates(gap: Gap) -> Iterator[Candidate]:
    """Yield what may be wrong with the number rather than with the run; each is a factor on the expected speed.

    What the caller said of it, and what a trainer's own line settles, its unit and what it counts as a step, is none
    of these.
    """
    yield from _of_denominators(gap)
    yield from _of_counts(gap)
    yield from _of_lengths(gap)
    yield from _of_steps(gap)
    yield from _of_batches(gap)
    yield from _of_padding(gap)
    if not gap.faster and may_be_real(gap.run, gap.seen, gap.reading):
        yield Candidate(
            code="padding_not_counted",
            what="the tokens are the samples' own, and padding was not counted",
            factor=1.0 / gap.run.amount.padding,
            why=f"with padding, {gap.run.amount.padding:.2f} times as many are worked on",
            check="give observed_step_seconds with global_batch_sequences",
        )
    if gap.run.objective.samples_answers and not gap.faster:
        yield Candidate(
            code="rollouts",
            what="the time holds the sampling of answers, not the update alone",
            factor=min(max(gap.ratio, _LEAST_UPDATE), _MOST_UPDATE),
            why=ROLLOUTS,
            check="time sampling and update apart: verl prints timing_s/gen and timing_s/update_actor",
        )


def _of_denominators(gap: Gap) -> Iterator[Candidate]:
    """Yield what a reported utilization may have been divided by, or multiplied with."""
    run, flop_per_token = gap.run, gap.flop_per_token
    if gap.seen.kind not in {"mfu", "tflops_per_gpu"}:
        return
    if gap.seen.kind == "mfu" and gap.request.peak_tflops is None:
        yield from _of_peaks(run)
    recompute = run.question.layout.recompute if run.question is not None else None
    if recompute in {None, "full"}:
        yield Candidate(
            code="recomputed_flops_counted",
            what="recomputed FLOPs were counted (hardware, not model FLOPs utilization)",
            factor=4 / 3,
            why="full recomputation runs the forward pass again: 8 FLOPs per parameter and token in place of 6",
            check="look whether the trainer multiplies by 4/3 with activation checkpointing",
        )
    plain = run.model_coefficient * run.subject.active_parameters
    yield Candidate(
        code="other_flop_count",
        what="the FLOPs counted leave attention out, or count the embedding",
        factor=plain / flop_per_token,
        why=f"{run.model_coefficient:g} × parameters is {format_count(plain)} FLOPs per token, the model's own count "
        f"{format_count(flop_per_token)}",
        check="compare the FLOPs per token that the trainer prints with explain_coefficient's",
    )
    if run.question is not None:
        yield Candidate(
            code="full_attention_counted",
            what="attention was counted in full, the masked half too",
            factor=1.0 + attention_flop_per_token(run.question) / flop_per_token,
            why="torchtitan, llm-foundry and NeMo until 25.07 count the whole score matrix, this tool what a causal "
            "mask leaves",
            check="compare the FLOPs per token that the trainer prints with explain_coefficient's",
        )
    if run.subject.total_parameters > _NEARLY_DENSE * run.subject.active_parameters:
        yield Candidate(
            code="all_experts_counted",
            what="all experts' parameters were counted, not the active ones",
            factor=run.subject.total_parameters / run.subject.active_parameters,
            why=f"{format_count(run.subject.total_parameters)} in all, of which one token meets "
            f"{format_count(run.subject.active_parameters)}",
            check="look which parameter count the trainer multiplies by 6",
        )


def _of_peaks(run: Run) -> Iterator[Candidate]:
    """Yield other peaks than the dense one of the precision, where nobody says which was divided by."""
    peak, chip = dense_peak_flop_per_s(run), run.device.accelerator
    if chip is not None:
        if chip.family in _SPARSE_FAMILIES:
            yield Candidate(
                code="sparse_peak",
                what="the utilization was worked out against the sparse peak",
                factor=0.5,
                why=f"the headline {2 * peak / TERA:,.4g} TFLOPS assumes 2:4 sparsity, the dense peak is "
                f"{peak / TERA:,.4g}",
                check=f"look which peak the trainer divides by: it should be {peak / TERA:,.4g} TFLOPS",
            )
        half = run.device.precision in _HALF
        if not half and chip.training_peak_flop_per_s < peak:
            rate = chip.training_peak_flop_per_s / TERA
            yield Candidate(
                code="half_precision_peak",
                what=f"the utilization was worked out against the {chip.training_precision.upper()} peak",
                factor=peak / chip.training_peak_flop_per_s,
                why=f"{rate:,.4g} TFLOPS is the {chip.training_precision.upper()} peak, {peak / TERA:,.4g} that of "
                f"{run.device.precision.upper()}; trainers divide by the former whatever the products run in",
                check="look which peak the trainer divides by",
            )
        others = {
            "accumulate_peak": (chip.fp16_accumulate_flop_per_s, "rate with FP16 accumulation"),
            "shader_peak": (chip.shader_fp16_flop_per_s, "shader rate, without tensor cores"),
        }
        for code, (other, what) in others.items():
            if half and other is not None:
                yield Candidate(
                    code=code,
                    what=f"the utilization was worked out against the {what}",
                    factor=peak / other,
                    why=f"{other / TERA:,.4g} TFLOPS is the {what}; training gets {peak / TERA:,.4g}",
                    check="look which peak the trainer divides by",
                )


def _is_known_of_how_many(reading: LogReading | None) -> bool:
    """Return whether a log settles of how many GPUs its speed is: it says so, or its trainer is known for it."""
    if reading is None:
        return False
    each = reading.tokens_per_second_per_gpu or reading.sequences_per_second_per_gpu
    return each is not None or reading.dialect not in ANYBODYS


def _of_counts(gap: Gap) -> Iterator[Candidate]:
    """Yield speeds that are of another number of GPUs than was meant, where the caller does not say of how many."""
    seen, n, faster = gap.seen, gap.run.n_gpus, gap.faster
    if seen.count_told:
        return
    if seen.kind == "tokens_per_second" and n > 1 and not _is_known_of_how_many(gap.reading):
        each = gap.run.stack.name if not faster and gap.run.stack.name in COUNTS_EACH else None
        # The run may be better than its like, too, unless no device does so much.
        possible = not faster and n * seen.tokens_per_second <= gap.most
        up = (_AS_SLOW_AGAIN if each is not None else _BETTER) if possible else 1.0
        yield Candidate(
            code="multiplied_twice" if faster else "speed_of_one_gpu",
            what="tokens per second of all GPUs were multiplied by their number once more"
            if faster
            else "the tokens per second are those of one GPU, not of all together",
            factor=float(n) if faster else 1.0 / n,
            work=1.0 / n if faster else float(n),
            rarity=_PRINTED_SO if each is not None else 0.0,
            stretch=(_AS_SLOW_AGAIN, up),
            nearly=_AS_SLOW_AGAIN if possible else 1.0,
            why="" if each is None else f"{each} prints the tokens per second of one GPU",
            check=f"observed_tokens_per_second is of all {n:,} GPUs together",
        )
    if seen.kind == "hours" and faster and n > _FEW_GPUS:
        split = min(n, max(2, math.ceil(gap.ratio)))
        yield Candidate(
            code="gpu_hours_divided",
            what="GPU-hours were divided by the size of the cluster, of which the run had a part",
            factor=float(split),
            why=f"on {n // split:,} of the {n:,} GPUs the same GPU-hours take {split} times as long",
            check="take hours and GPUs from the same sentence of the source: a run seldom has all of a cluster",
        )


def _of_lengths(gap: Gap) -> Iterator[Candidate]:
    """Yield sequences of another length than was assumed."""
    run, seen, ratio, faster = gap.run, gap.seen, gap.ratio, gap.faster
    if seen.length_open and faster and has_length(run):
        shorter = max(SHORTEST_SEQUENCE, run.sequence_length >> max(1, round(math.log2(ratio))))
        yield Candidate(
            code="shorter_sequence",
            what=f"sequences are shorter than the {run.sequence_length:,} tokens assumed",
            factor=run.sequence_length / shorter,
            work=shorter / run.sequence_length,
            why=f"at {shorter:,} tokens a sequence as many steps hold {run.sequence_length / shorter:g} times fewer",
            check="give tokens_per_sample or a data set, or sequence_length as trained",
        )
    if seen.length_open and not has_length(run) and not said(run, "image_size"):
        yield Candidate(
            code="smaller_pictures" if faster else "larger_pictures",
            what=f"samples are {'smaller' if faster else 'larger'} than the {_size_assumed(run)} assumed",
            factor=min(max(ratio, 1.0 / _MOST_TIMES_LARGER), _MOST_TIMES_LARGER),
            rarity=0.0 if faster else _SUSPECTED,
            check="give image_size as trained",
        )
    if seen.by_sequence and not faster and length_unsaid(run):
        longer = min(run.sequence_length << max(1, round(-math.log2(ratio))), _LONGEST_SEQUENCE)
        yield Candidate(
            code="longer_sequence",
            what=f"sequences are longer than the {run.sequence_length:,} tokens assumed",
            factor=run.sequence_length / longer,
            work=longer / run.sequence_length,
            why=f"at {longer:,} tokens a sequence as many steps hold {longer / run.sequence_length:g} times more",
            check="give sequence_length as trained",
        )


def _size_assumed(run: Run) -> str:
    return next((f"{told.value}" for told in run.assumptions if told.name == "image_size"), "size")


def _of_steps(gap: Gap) -> Iterator[Candidate]:
    """Yield steps that are no optimizer steps; a trainer whose log was read is known for what it counts."""
    reading, layout = gap.reading, gap.expected.layout
    if reading is not None and not reading.counts_micro and reading.dialect not in ANYBODYS:
        return
    if gap.seen.kind == "step_seconds" and gap.faster and layout is not None and layout.micro_batches > 1:
        yield Candidate(
            code="micro_step_timed",
            what="one micro-batch was timed, not a step with all that are accumulated",
            factor=float(layout.micro_batches),
            why=f"the layout accumulates {layout.micro_batches:,} micro-batches a step",
            check="look whether the trainer's step counts optimizer updates",
        )


def _of_batches(gap: Gap) -> Iterator[Candidate]:
    """Yield steps of another batch than was assumed, to which their speed is proportional."""
    seen, times = gap.seen, round(1.0 / gap.ratio)
    if seen.accumulation_open and 1 < times <= _MOST_ACCUMULATED:
        yield Candidate(
            code="accumulated",
            what=f"a step accumulates about {times:,} micro-batches, where one was taken",
            factor=1.0 / times,
            why="nothing says how many are accumulated",
            check="give gradient_accumulation",
        )
    if seen.batch_assumed is not None:
        batch = max(1, round(seen.batch_assumed / gap.ratio))
        steps_take = counted(gap.run, batch)
        yield Candidate(
            code="other_batch",
            what=f"a step takes about {steps_take:,} {sample_words(gap.run, steps_take)}, where "
            f"{counted(gap.run, seen.batch_assumed):,} were taken",
            factor=seen.batch_assumed / batch,
            why="nothing tells the batch",
            check="give global_batch_sequences",
        )


def _of_padding(gap: Gap) -> Iterator[Candidate]:
    """Yield padding that is or is not there, where the caller does not say which."""
    run, faster = gap.run, gap.faster
    amount = run.amount
    mean = amount.tokens_per_sample
    # Whoever trains all of a model on samples may pad them too, unless so much, or a trainer for that, is pre-training.
    trained_whole = run.method.name == "full" and mean is None
    if says_packed(run) or (trained_whole and (not run.stack.tunes or is_from_scratch(gap.request, run))):
        return
    padded = amount.sequences is not None
    if padded and faster and gap.request.packing.strip().casefold() == "padded":
        return
    if padded and not faster and run.question is not None and run.question.practice.padding == "limit":
        # Nothing is padded further.
        return
    longer, why = PADDING.mode, f"longest over mean length is usually {PADDING.low:g} to {PADDING.high:g}"
    if mean is not None:
        full = _cut_at(run)
        longer = max(1.0, full / mean)
        why = f"samples of {mean:,.0f} tokens in sequences of {full:,.0f}"
    what = "padding was counted as tokens"
    if padded and faster:
        # Padding is in what is expected: a run without is that much faster in samples.
        longer, what = amount.padding, "samples are packed or grouped by length, not padded"
        why = f"padded, a sample is expected to cost {longer:.2f} times its own tokens"
    elif not faster:
        to = "to the full sequence" if padded else "to the longest, not packed"
        what = f"samples are padded {to}"
    # Who tells a length trains at it more often than not.
    padded_by_habit = run.stack.habit.packing == "padded" and length_unsaid(run)
    told = Candidate(
        code="padding_counted" if faster else "padding",
        what=what,
        factor=longer if faster else 1.0 / longer,
        rarity=_UNCOMMON if trained_whole and not padded_by_habit else 0.0,
        why=why,
        check="turn packing on, or group samples by length, and count tokens without padding",
    )
    yield told
    if padded and not faster and mean is not None:
        yield from _padded_further(gap, told, mean)


def _padded_further(gap: Gap, told: Candidate, mean: float) -> Iterator[Candidate]:
    """Yield padding to a length between the longest of a micro-batch, as is expected, and the full sequence.

    Speeds by sequences count the tokens of rows as expected, others those of samples: rows of all lengths in between
    are met, since collators pad to a multiple, to buckets, or to the longest of a whole batch.
    """
    question, full = gap.run.question, _cut_at(gap.run)
    counted = float(gap.run.sequence_length) if gap.seen.by_sequence else mean
    if question is None or full <= gap.run.sequence_length:
        return
    yield replace(
        told,
        question=replace(question, sequence_length=round(full), longest_row=1.0, unevenness=0.0, lengthening=0.0),
        factor=counted / full,
    )
    row = min(counted / gap.ratio, full)
    if row > gap.run.sequence_length:
        yield replace(
            told,
            what=f"samples are padded further than to the {gap.run.sequence_length:,} tokens of a row that are "
            f"expected, to about {row:,.0f}",
            factor=counted / row,
            why=f"samples of {mean:,.0f} tokens, cut at {full:,.0f}: rows may be of any length in between",
            rarity=_SUSPECTED,
        )


def _cut_at(run: Run) -> float:
    """Return the tokens at which samples are cut."""
    told = next((one.value for one in run.assumptions if one.name == "sequence_length"), run.sequence_length)
    return float(told)
