"""The lines that trainers print: one pattern a kind of line, and what its numbers mean."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

__all__ = ["LogPoint", "LogSetup", "line_point", "line_setup"]

_LONGEST_LINE = 2_000
"""Characters of a line that are looked at: no trainer prints longer ones about its speed."""
_LARGEST = 1e18
_MILLI, _PERCENT = 1e-3, 1e-2
_SOME = r"\s{0,9}"
_N = r"(\d[\d,]{0,20}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,3})?)"
_CLOCK = r"((?:\d{1,4} days?, )?\d{1,6}(?::\d\d){1,2})"
"""Every repetition is bounded, so that no line takes long to refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPoint:
    """What one line says about speed; None for what it does not say."""

    dialect: str
    step: float | None = None
    total_steps: float | None = None
    step_s: float | None = None
    elapsed_s: float | None = None
    """Since the start: only differences between points mean a speed."""
    tokens_per_second: float | None = None
    """All devices together."""
    tokens_per_second_per_gpu: float | None = None
    sequences_per_second: float | None = None
    sequences_per_step: float | None = None
    tokens_seen: float | None = None
    consumed_sequences: float | None = None
    flop_per_s_per_gpu: float | None = None
    utilization: float | None = None
    """As the trainer computes it, against the peak it assumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSetup:
    """What a log says once about the run."""

    sequences_per_step: float | None = None
    tokens_per_step: float | None = None
    total_steps: float | None = None

    def with_setup(self, other: "LogSetup") -> "LogSetup":
        """Return both, what was said last being kept."""
        said = {name: value for name in self.__slots__ if (value := getattr(other, name)) is not None}
        return replace(self, **said)


def line_point(line: str) -> LogPoint | None:
    """Return what `line` says about speed; None where it says nothing."""
    text = line[:_LONGEST_LINE]
    for dialect in _DIALECTS:
        if dialect.key in text:
            said = {name: match[1] for name, pattern in dialect.patterns if (match := pattern.search(text))}
            if all(name in said for name in dialect.needs) and (point := _point(dialect.name, said)) is not None:
                return point
    return None


def line_setup(line: str) -> LogSetup | None:
    """Return what `line` says about batch and length of the run; None where it says nothing."""
    text = line[:_LONGEST_LINE]
    for key, field, pattern in _SETUPS:
        if key in text and (match := pattern.search(text)):
            return LogSetup(**{field: _number(match[1])})
    return None


def _point(dialect: str, said: Mapping[str, str]) -> LogPoint | None:
    """Return the point that a line's fields amount to, in SI units; None where no speed follows from it."""
    values: dict[str, float] = {}
    for name, text in said.items():
        if name == "clock":
            values["elapsed_s"] = _clock_s(text)
        elif name == "it_per_s":
            values["step_s"] = 1.0 / _number(text) if _number(text) else 0.0
        else:
            field, factor = _FIELDS[name]
            values[field] = _number(text) * factor
    values = {name: value for name, value in values.items() if 0 <= value < _LARGEST}
    return LogPoint(dialect=dialect, **values) if any(values.get(name) for name in _SPEEDS) else None


def _clock_s(text: str) -> float:
    """Return seconds from `1:02:03`, `05:00` or `1 day, 2:03:04`."""
    days, _, rest = text.rpartition(", ")
    seconds = 86_400.0 * float(days.split()[0]) if days else 0.0
    clock = 0.0
    for part in rest.split(":"):
        clock = 60.0 * clock + float(part)
    return seconds + clock


def _number(text: str) -> float:
    return float(text.replace(",", ""))


_SPEEDS = (
    "step_s",
    "elapsed_s",
    "tokens_per_second",
    "tokens_per_second_per_gpu",
    "sequences_per_second",
    "flop_per_s_per_gpu",
    "utilization",
    "tokens_seen",
)
_FIELDS: Mapping[str, tuple[str, float]] = {
    "step": ("step", 1.0),
    "total": ("total_steps", 1.0),
    "ms": ("step_s", _MILLI),
    "s": ("step_s", 1.0),
    "tps": ("tokens_per_second", 1.0),
    "gpu_tps": ("tokens_per_second_per_gpu", 1.0),
    "samples": ("sequences_per_second", 1.0),
    "batch": ("sequences_per_step", 1.0),
    "consumed": ("consumed_sequences", 1.0),
    "seen": ("tokens_seen", 1.0),
    "tflops": ("flop_per_s_per_gpu", 1e12),
    "percent": ("utilization", _PERCENT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """One kind of line."""

    name: str
    key: str
    """Text that such a line has."""
    needs: tuple[str, ...]
    """Fields without which it is not one."""
    patterns: tuple[tuple[str, re.Pattern[str]], ...]


def _dialect(name: str, key: str, needs: str, **patterns: str) -> _Dialect:
    compiled = tuple((field, re.compile(pattern)) for field, pattern in patterns.items())
    return _Dialect(name=name, key=key, needs=tuple(needs.split()), patterns=compiled)


_TOTAL_OF_BAR = rf"\d/{_N} \["
_HEAD = r"\|" + _SOME + _N + r"/\d"
_DIALECTS = (
    # Megatron-LM and Megatron-DeepSpeed: fields between bars, in an order that has changed over the years.
    _dialect(
        "megatron",
        "elapsed time per iteration",
        "step",
        step=rf"iteration\s{{1,20}}{_N}",
        total=rf"iteration\s{{1,20}}[\d,]{{1,20}}{_SOME}/{_SOME}{_N}",
        ms=rf"elapsed time per iteration \(ms\):{_SOME}{_N}",
        s=rf"elapsed time per iteration \(s\):{_SOME}{_N}",
        batch=rf"global batch size:{_SOME}{_N}",
        consumed=rf"consumed samples:{_SOME}{_N}",
        tflops=rf"(?:throughput per GPU \(TFLOP/s/GPU\)|TFLOPs):{_SOME}{_N}",
    ),
    _dialect("nemo", "train_step_timing in s", "s", step=rf"global_step: {_N}", s=rf"train_step_timing in s: {_N}"),
    # torchtitan's tps counts the tokens of one device.
    _dialect(
        "torchtitan",
        "tps:",
        "step gpu_tps",
        step=rf"step:{_SOME}{_N}",
        gpu_tps=rf"tps:{_SOME}{_N}",
        tflops=rf"tflops:{_SOME}{_N}",
        percent=rf"mfu:{_SOME}{_N}%",
    ),
    _dialect(
        "nanochat",
        "tok/sec:",
        "step tps",
        step=rf"step{_SOME}{_N}",
        total=rf"step{_SOME}\d{{1,12}}/{_N}",
        ms=rf"dt:{_SOME}{_N}{_SOME}ms",
        tps=rf"tok/sec:{_SOME}{_N}",
        percent=rf"mfu:{_SOME}{_N}",
    ),
    _dialect(
        "llm.c",
        " tok/s",
        "step tps",
        step=rf"step{_SOME}{_N}/",
        total=rf"step{_SOME}\d{{1,12}}/{_N}",
        ms=rf"{_N} ms\b",
        tps=rf"{_N} tok/s",
        percent=rf"{_N}% (?:bf16|fp32|fp16) MFU",
    ),
    _dialect(
        "nanogpt",
        "iter ",
        "step ms",
        step=rf"iter {_SOME}{_N}:",
        ms=rf"time {_SOME}{_N}{_SOME}ms",
        percent=rf"mfu {_SOME}{_N}%",
    ),
    # LLaMA-Factory's trainer_log.jsonl: throughput is the mean since the start, so the clock goes before it.
    _dialect(
        "llama-factory",
        '"current_steps"',
        "step clock",
        step=rf'"current_steps":{_SOME}{_N}',
        total=rf'"total_steps":{_SOME}{_N}',
        clock=rf'"elapsed_time":{_SOME}"{_CLOCK}"',
        seen=rf'"total_tokens":{_SOME}{_N}',
        tps=rf'"throughput":{_SOME}"?{_N}',
    ),
    _dialect(
        "deepspeed",
        "CurrSamplesPerSec=",
        "samples",
        step=rf"global_step={_N}",
        samples=rf"CurrSamplesPerSec={_N}",
    ),
    # The closing line of a Hugging Face Trainer.
    _dialect(
        "huggingface-end",
        "train_steps_per_second",
        "it_per_s",
        it_per_s=rf"train_steps_per_second['\"]?{_SOME}[:=]{_SOME}['\"]?{_N}",
        samples=rf"train_samples_per_second['\"]?{_SOME}[:=]{_SOME}['\"]?{_N}",
        tps=rf"train_tokens_per_second['\"]?{_SOME}[:=]{_SOME}['\"]?{_N}",
    ),
    # The progress bar of a Hugging Face Trainer and of others, slow or fast: | 100/1000 [05:00<45:00, 3.00s/it].
    _dialect(
        "huggingface", "s/it", "step clock s", step=_HEAD, total=_TOTAL_OF_BAR, clock=rf"\[{_CLOCK}<", s=rf"{_N}s/it"
    ),
    _dialect(
        "huggingface",
        "it/s",
        "step clock it_per_s",
        step=_HEAD,
        total=_TOTAL_OF_BAR,
        clock=rf"\[{_CLOCK}<",
        it_per_s=rf"{_N}it/s",
    ),
)
_SETUPS = tuple(
    (key, field, re.compile(pattern))
    for key, field, pattern in (
        ("Total train batch size", "sequences_per_step", rf"Total train batch size[^=]{{0,80}}=\s{{0,9}}{_N}"),
        ("Total optimization steps", "total_steps", rf"Total optimization steps ?=\s{{0,9}}{_N}"),
        ("tokens per iteration will be", "tokens_per_step", rf"tokens per iteration will be:?\s*{_N}"),
        ("Total batch size", "tokens_per_step", rf"Total batch size {_SOME}{_N} =>"),
        ("total_desired_batch_size", "tokens_per_step", rf"total_desired_batch_size[:=]?{_SOME}{_N}"),
        ("global batch size", "sequences_per_step", rf"global batch size[ :=]{{1,9}}{_N}"),
        ("global_batch_size", "sequences_per_step", rf"global_batch_size[ .:=]{{1,40}}{_N}"),
    )
)
