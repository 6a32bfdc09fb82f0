"""What the tokens that a log counts tell of its rows: how long they are, whether they are full, or may be padded."""

import math
from dataclasses import replace

from estimator.answers.check.logs import LogReading
from estimator.base.errors import InvalidValueError
from estimator.base.units import parse_count
from estimator.question.request import Request
from estimator.resolve.run import Run

__all__ = ["counted_length", "has_full_rows", "with_open_padding"]

_SHORTEST, _LONGEST = 16.0, 1_000_000.0
"""Tokens of a sequence, beyond which a quotient of two counts is none."""
_ROUND_PARTS = 16
"""Parts of the way from one power of two to the next at which a number of tokens is round: 3 · 2¹⁴, 25 · 2¹²."""
_SAME = 1e-3
"""Share by which the tokens of two steps differ that are the same: digits of a time and a rate. Those of padded samples
differ by several per cent."""
_AS_TOLD = 5e-3
"""The same of batch times length as they were told, for what a loop has beside the time that it prints."""


def counted_length(request: Request, reading: LogReading) -> float | None:
    """Return the tokens of a sequence by what a log counts, where the caller tells nothing of them; None elsewhere.

    tokens a second / sequences a second,   tokens a step / sequences of a batch that was told
    """
    told = (request.sequence_length, request.samples, request.tokens_per_sample)
    if reading.tokens_seen is None or any(one is not None for one in told):
        return None
    each, batch = reading.tokens_each, _batch_told(request)
    if batch is not None:
        step_s, rate = reading.step_s, reading.tokens_per_second
        tokens = step_s * rate if step_s and rate else reading.tokens_per_step
        each = tokens / batch if tokens else each
    return each if each is not None and _SHORTEST <= each <= _LONGEST else None


def _batch_told(request: Request) -> float | None:
    """Return the sequences of a step as a caller tells them; None where that is no count of sequences."""
    if request.global_batch_sequences is None:
        return None
    try:
        return parse_count(request.global_batch_sequences, "global_batch_sequences")
    except InvalidValueError:
        return None


def has_full_rows(request: Request, run: Run, reading: LogReading | None) -> bool:
    """Return whether every step takes the same, round number of tokens, or batch times length as told: none is padding.

    Not where the caller says how long samples are, or how they are put into rows.
    """
    sampled = request.samples is not None or request.tokens_per_sample is not None
    if reading is None or sampled or request.packing.strip().casefold() != "auto":
        return False
    if run.question is not None and run.question.practice.packing is not None:
        return False
    if reading.even_tokens is not None and _is_round(reading.even_tokens):
        return True
    told, batch = request.sequence_length or reading.sequence_length, run.global_batch_sequences
    if told is None or batch is None or not reading.step_s:
        return False
    rate = reading.tokens_per_second or (reading.tokens_per_second_per_gpu or 0.0) * run.n_gpus
    apart = rate * reading.step_s / (batch * run.sequence_length) - 1.0
    return abs(apart) <= _AS_TOLD


def _is_round(tokens: float) -> bool:
    """Return whether a number is a power of two, or divides the way from one to the next into few parts."""
    parts = _ROUND_PARTS * math.ldexp(tokens, -math.floor(math.log2(tokens)))
    return abs(parts / round(parts) - 1.0) <= _SAME


def with_open_padding(run: Run, reading: LogReading | None) -> Run:
    """Return `run`, packing left open where a log counts tokens without padding and its trainer may pad them."""
    question = run.question
    if reading is None or question is None or not reading.real_tokens:
        return run
    pads = run.stack.tuning_habit.packing == "padded" and question.practice.packing is None
    if not pads or run.amount.tokens_per_sample is not None:
        return run
    return replace(run, question=replace(question, unsaid=question.unsaid | {"packing"}))
