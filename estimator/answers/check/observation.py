"""What was seen of a run, in whatever form it was written down, as tokens per second of all its devices."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from estimator.answers.check.logs import LogReading, log_reading
from estimator.answers.check.monitor import is_of_a_monitor
from estimator.base.errors import InvalidValueError, MissingValueError
from estimator.base.inputs import checked_fraction, checked_number
from estimator.base.speeds import parse_step_s, parse_tokens_per_second
from estimator.base.units import (
    HOUR_S,
    TERA,
    format_count,
    parse_count,
    parse_duration_s,
    parse_gpu_hours,
)
from estimator.question.question import Assumption, Caution
from estimator.question.request import Quantity
from estimator.resolve.run import Run

__all__ = [
    "SHORTEST_SEQUENCE",
    "Kind",
    "Observation",
    "Observed",
    "observation",
    "observed_reading",
    "without_idle_log",
]

Kind = Literal["tokens_per_second", "step_seconds", "hours", "mfu", "tflops_per_gpu"]
_MOST_SECONDS, _MOST_HOURS, _MOST_TFLOPS, _MOST_SPEED = 1e7, 1e6, 1e6, 1e15
_ANY = (
    "give one of observed_tokens_per_second, observed_step_seconds, observed_hours, observed_gpu_hours, observed_mfu, "
    "observed_tflops_per_gpu or observed_log"
)
_MOST_GPU_HOURS = 1e11
_MONITORED = (
    "nvidia-smi and its like tell memory, power and whether any kernel was running (100 % utilization of a slow run, "
    "too), not how many tokens a second are trained on"
)
SHORTEST_SEQUENCE = 64
"""Tokens of the shortest sequences that anyone trains on by the batch."""
_OF_ALL = re.compile(r"total|all gpus|overall|aggregate|together", re.IGNORECASE)
"""What people write beside a speed of all devices: `120k tok/s total`."""
_LEAST_SPEED = 1e-6
"""Tokens per second: below, no run would ever end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a caller saw; exactly one of the first seven is needed."""

    tokens_per_second: Quantity | None = None
    step_seconds: Quantity | None = None
    hours: Quantity | None = None
    gpu_hours: Quantity | None = None
    mfu: float | None = None
    tflops_per_gpu: float | None = None
    log: str | None = None
    tokens_done: Quantity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The speed that follows from it."""

    tokens_per_second: float
    kind: Kind
    how: str
    """The conversion, with its numbers."""
    batch_assumed: int | None = None
    """Sequences of a step where neither log nor caller tells them: as many as the expected speed is for."""
    accumulation_open: bool = False
    """Whether the speed goes with a batch of one micro-batch a replica, where more may be accumulated."""
    count_told: bool = False
    """Whether the caller says of how many devices it is: of each, or of all together."""
    by_sequence: bool = False
    """Whether sequences were counted, so that the speed is proportional to their length."""
    open_length: str | None = None
    """The argument that would tell their length, where nobody told it, or only what they are cut at."""
    assumptions: tuple[Assumption, ...] = ()

    @property
    def length_open(self) -> bool:
        """Whether sequences were counted whose length was not told."""
        return self.open_length is not None


def without_idle_log(observed: Observed) -> tuple[Observed, tuple[Caution, ...]]:
    """Return `observed` without a log that tells no speed beside one that is told, and that it was left out."""
    told = (observed.tokens_per_second, observed.step_seconds, observed.hours, observed.gpu_hours, observed.mfu)
    if observed.log is None or all(value is None for value in (*told, observed.tflops_per_gpu)):
        return observed, ()
    try:
        log_reading(observed.log)
    except InvalidValueError as error:
        message = (
            f"observed_log tells no speed, and the one that is told beside it was judged: {_MONITORED}"
            if is_of_a_monitor(observed.log)
            else f"observed_log was left out, for the speed beside it is judged, and it tells none: it {error.remedy}"
        )
        return replace(observed, log=None), (Caution(code="log_without_speed", message=message),)
    return observed, ()


def observed_reading(observed: Observed) -> LogReading | None:
    """Return the reading of the log, if one was given.

    Raises InvalidValueError where two observations are given, MissingValueError where none is.
    """
    given = {
        "observed_tokens_per_second": observed.tokens_per_second,
        "observed_step_seconds": observed.step_seconds,
        "observed_hours": observed.hours,
        "observed_gpu_hours": observed.gpu_hours,
        "observed_mfu": observed.mfu,
        "observed_tflops_per_gpu": observed.tflops_per_gpu,
        "observed_log": observed.log,
    }
    said = [name for name, value in given.items() if value is not None]
    if not said:
        raise MissingValueError("observed_tokens_per_second", f"what was observed? {_ANY}")
    if len(said) > 1:
        raise InvalidValueError(
            said[1], given[said[1]], f"and {said[0]} say the same thing twice: keep the one that was measured"
        )
    if observed.log is None:
        return None
    try:
        return log_reading(observed.log)
    except InvalidValueError:
        if not is_of_a_monitor(observed.log):
            raise
        remedy = f"tells no speed: {_MONITORED}; give the trainer's own log, or observed_step_seconds with the batch"
        raise InvalidValueError("observed_log", observed.log, remedy) from None


def observation(
    run: Run,
    observed: Observed,
    reading: LogReading | None,
    flop_per_token: float,
    *,
    tokens_known: bool,
    expected_batch: int,
) -> Observation:
    """Return the speed of all devices that was observed.

        batch · sequence / step,   tokens / time,   utilization · devices · peak / FLOPs per token of the model

    The speed of steps alone is that of `expected_batch` sequences a step, and said to be.
    Raises MissingValueError for what the conversion needs and was not told.
    """
    if reading is not None:
        return _possible(_from_log(run, reading, flop_per_token, expected_batch), "observed_log", reading.dialect)
    seen = _told(run, observed, flop_per_token, tokens_known=tokens_known, expected_batch=expected_batch)
    named = f"observed_{seen.kind}" if observed.gpu_hours is None else "observed_gpu_hours"
    given = observed.gpu_hours if observed.gpu_hours is not None else getattr(observed, seen.kind)
    return _possible(seen, named, given)


def _possible(seen: Observation, argument: str, given: object) -> Observation:
    """Return `seen`; raise InvalidValueError for a speed that no machine has, however it was told."""
    if not _LEAST_SPEED <= seen.tokens_per_second <= _MOST_SPEED:
        raise InvalidValueError(
            argument,
            given,
            f"tells {seen.tokens_per_second:.3g} tokens/s ({seen.how}), which no run has; is its unit as asked?",
        )
    return seen


def _told(
    run: Run, observed: Observed, flop_per_token: float, *, tokens_known: bool, expected_batch: int
) -> Observation:
    if observed.tokens_per_second is not None:
        named = "observed_tokens_per_second"
        speed, of_each = parse_tokens_per_second(observed.tokens_per_second, named, n_gpus=run.n_gpus, most=_MOST_SPEED)
        how = f"as given of each of {run.n_gpus:,} GPUs" if of_each else "as given, all GPUs together"
        told = of_each or _OF_ALL.search(str(observed.tokens_per_second)) is not None
        return Observation(tokens_per_second=speed, kind="tokens_per_second", how=how, count_told=told)
    if observed.step_seconds is not None:
        step_s = parse_step_s(observed.step_seconds, "observed_step_seconds", most=_MOST_SECONDS)
        return _from_step_alone(run, step_s, expected_batch)
    if observed.hours is not None or observed.gpu_hours is not None:
        return _from_hours(run, observed, tokens_known=tokens_known)
    peak, n = run.device.peak_flop_per_s, run.n_gpus
    if observed.mfu is not None:
        mfu = checked_fraction("observed_mfu", observed.mfu)
        return Observation(
            tokens_per_second=mfu * n * peak / flop_per_token,
            kind="mfu",
            how=f"{mfu:g} × {n:,} × {peak / TERA:,.4g} TFLOPS ÷ {format_count(flop_per_token)} FLOPs per token",
        )
    tflops = checked_number("observed_tflops_per_gpu", observed.tflops_per_gpu, most=_MOST_TFLOPS, unit="TFLOPS")
    return Observation(
        tokens_per_second=tflops * TERA * n / flop_per_token,
        kind="tflops_per_gpu",
        how=f"{tflops:g} TFLOPS × {n:,} ÷ {format_count(flop_per_token)} FLOPs per token",
    )


def _from_step(run: Run, step_s: float, batch: int | None) -> Observation:
    """Return the speed of steps of `batch` sequences; what was assumed of steps alone is said to be.

    Raises MissingValueError where nobody tells the batch.
    """
    if batch is None:
        raise MissingValueError(
            "global_batch_sequences",
            "a step's time tells a speed only with the sequences a step takes, over all GPUs and accumulated ones too",
        )
    usual = any(warning.code == "batch_assumed" for warning in run.warnings)
    return Observation(
        tokens_per_second=batch * run.sequence_length / step_s,
        kind="step_seconds",
        how=f"{batch:,.0f} sequence{'' if batch == 1 else 's'} × {run.sequence_length:,} tokens ÷ {step_s:.4g} s",
        by_sequence=True,
        batch_assumed=batch if usual else None,
    )


def _from_step_alone(run: Run, step_s: float, expected_batch: int) -> Observation:
    """Return the speed of steps, with as many sequences as the expected speed is for where nobody tells them."""
    if run.global_batch_sequences is not None:
        return _from_step(run, step_s, run.global_batch_sequences)
    return replace(_from_step(run, step_s, expected_batch), batch_assumed=expected_batch)


def _from_hours(run: Run, observed: Observed, *, tokens_known: bool) -> Observation:
    named = "observed_hours" if observed.gpu_hours is None else "observed_gpu_hours"
    if not tokens_known and observed.tokens_done is None:
        raise MissingValueError("tokens", f"{named} tells a speed only with the tokens trained in that time")
    if observed.gpu_hours is None:
        seconds = _seconds(observed.hours, named, HOUR_S, _MOST_HOURS)
        how = f"{seconds / HOUR_S:.4g} h"
    else:
        gpu_hours = parse_gpu_hours(observed.gpu_hours, named, most=_MOST_GPU_HOURS)
        seconds = gpu_hours * HOUR_S / run.n_gpus
        how = f"({gpu_hours:,.6g} GPU-hours ÷ {run.n_gpus:,} GPUs = {seconds / HOUR_S:.4g} h)"
    tokens = run.amount.tokens
    if observed.tokens_done is not None:
        tokens = parse_count(observed.tokens_done, "tokens_done")
    return Observation(
        tokens_per_second=tokens / seconds,
        kind="hours",
        how=f"{format_count(tokens)} tokens ÷ {how}",
        # Of GPU-hours, the speed of each device is sure.
        count_told=observed.gpu_hours is not None,
    )


def _from_log(run: Run, reading: LogReading, flop_per_token: float, expected_batch: int) -> Observation:
    """Return the speed a log shows: tokens where it counts them, else steps times batch, else its own FLOPs."""
    told = Assumption(name="observed_log", value=reading.dialect, source="inferred", note="; ".join(_notes(reading)))
    seen = _with_padding(run, reading, _log_speed(run, reading, flop_per_token, expected_batch))
    return replace(seen, assumptions=(*seen.assumptions, told))


def _with_padding(run: Run, reading: LogReading, seen: Observation) -> Observation:
    """Return a speed in the tokens of rows, where a log leaves their padding out and samples are known to be padded."""
    mean, padded = run.amount.tokens_per_sample, run.amount.sequences is not None
    if not reading.real_tokens or seen.by_sequence or seen.kind == "tflops_per_gpu" or mean is None or not padded:
        return seen
    padding = max(1.0, run.sequence_length / mean)
    how = f"{seen.how}, {seen.tokens_per_second:,.0f} tokens/s without padding × {padding:.2f}"
    return replace(seen, tokens_per_second=seen.tokens_per_second * padding, how=how)


def _notes(reading: LogReading) -> Iterator[str]:
    """Yield how a log was read, and what was assumed of its numbers."""
    if reading.warm_up_only:
        yield f"{reading.points} lines, all of the first steps: warm-up is in them"
    else:
        yield f"{reading.points} lines, the first {reading.warm_up_points} left out as warm-up; medians"
    if reading.tokens_per_second is not None:
        yield "its tokens per second are taken as all GPUs together"
    elif reading.tokens_per_second_per_gpu is not None:
        yield "its tokens per second are taken as one GPU's"
    elif reading.sequences_per_second_per_gpu is not None:
        yield "its samples per second are taken as one GPU's"
    if reading.counts_micro:
        yield "its steps may be micro-batches: give gradient_accumulation if several make a step"


def _log_speed(run: Run, reading: LogReading, flop_per_token: float, expected_batch: int) -> Observation:
    n, length = run.n_gpus, run.sequence_length
    kind: Kind = "tokens_per_second"
    batch = run.global_batch_sequences
    flop_per_s = reading.flop_per_s_per_gpu
    if flop_per_s is None and reading.utilization is not None:
        flop_per_s = reading.utilization * run.device.peak_flop_per_s
    match reading:
        case LogReading(tokens_per_second=float(speed)):
            how = "tokens per second in the log"
        case LogReading(tokens_per_second_per_gpu=float(each)):
            speed, how = each * n, f"{each:,.0f} tokens/s per GPU × {n:,} GPUs"
        case LogReading(tokens_per_step=float(tokens), step_s=float(step_s)):
            kind, speed, how = "step_seconds", tokens / step_s, f"{tokens:,.0f} tokens a step ÷ {step_s:.4g} s"
        case LogReading(sequences_per_second_per_gpu=float(rate)):
            how = f"{rate:.4g} sequences/s per GPU × {n:,} GPUs × {length:,} tokens"
            return Observation(tokens_per_second=rate * n * length, kind=kind, how=how, by_sequence=True)
        case LogReading(step_s=float(step_s)) if batch is not None:
            return _from_step(run, step_s, batch)
        case LogReading(sequences_per_second=float(rate)):
            how = f"{rate:.4g} sequences/s × {length:,} tokens"
            return Observation(tokens_per_second=rate * length, kind=kind, how=how, by_sequence=True)
        case _ if flop_per_s is not None:
            kind, speed = "tflops_per_gpu", flop_per_s * n / flop_per_token
            how = f"{flop_per_s / TERA:.4g} TFLOPS in the log × {n:,} ÷ {format_count(flop_per_token)} FLOPs per token"
        case LogReading(step_s=float(step_s)):
            return _from_step_alone(run, step_s, expected_batch)
        case _:
            return _from_step(run, 1.0, None)
    return Observation(tokens_per_second=speed, kind=kind, how=how)


def _seconds(given: object, argument: str, unit_s: float, most: float) -> float:
    """Return seconds from a number in the argument's unit, or from a duration with a unit of its own."""
    if isinstance(given, str) and (given.strip()[-1:].isalpha() or ":" in given):
        return parse_duration_s(given, argument, most=most * unit_s)
    return checked_number(argument, given, most=most) * unit_s
