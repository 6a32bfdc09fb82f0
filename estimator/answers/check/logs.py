"""The speed a trainer's log shows: read from its lines, taken in the middle, warm-up left out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from estimator.answers.check.dialects import line_point, line_setup
from estimator.answers.check.epochs import Heads, is_end
from estimator.answers.check.log_point import CLOSING, OWN, LogPoint, LogSetup
from estimator.answers.check.log_text import log_lines
from estimator.answers.check.losses import is_loss, named_by_losses
from estimator.answers.check.one_run import chosen_groups
from estimator.answers.check.steady import Steady, steady
from estimator.answers.check.trainer_state import state_points
from estimator.base.errors import InvalidValueError

__all__ = ["ANYBODYS", "MOST_LOG_BYTES", "LogReading", "log_reading"]

MOST_LOG_BYTES = 4_000_000
ANYBODYS = frozenset({"keras", "lightning", "mlflow", "tensorboard", "tqdm", "unknown", "wandb"})
"""Lines that any loop may print or write, which do not settle what their numbers count."""
_HEAD_CHARACTERS, _TAIL_CHARACTERS = 64_000, 256_000
"""Of a longer text: where the run's set-up is printed, and where it is now."""
_ENOUGH_STEPS = 10.0
_FAR_MORE = 1.5
"""Time left by a trainer's own word over that of an epoch's steps: it has all epochs in view."""
_SHORTEST_LINE = 9
"""Characters without which a line names no speed: `tps: 5000`."""
_LONGEST_QUOTE = 300
_LONGEST_PATH = 400
_PATH = re.compile(
    r"(?:[/~.]|[a-z]:\\|\w+://)?[^\s{}|]*\.(?:jsonl?|log|txt|out|csv)|[/~][^\s{}|]*|[a-z]:\\\S*", re.IGNORECASE
)
_NANOGPT_PEAK_FLOP_PER_S = 312e12
"""nanoGPT prints utilization against an A100, whatever the device: `estimate_mfu` in its model.py."""
_INSTEAD = (
    "observed_step_seconds with global_batch_sequences, or observed_tokens_per_second, would do, or a few lines as the "
    "trainer prints them at each step"
)
_FORMATS = "Hugging Face, Megatron, NeMo, torchtitan, DeepSpeed, LLaMA-Factory and some thirty other trainers"
_OF_A_TRAINER = (
    r"Total train batch size|\*{5} Running training|'(?:train_runtime|eval_loss)'|\bEpoch [\d.]+/\d+\]|"
    # Others print a loss in a dict, too.
    r"'loss': [^{}\n]{1,400}'epoch': "
)
_NAMED_BY: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("unsloth", r"(?i)unsloth"),
        ("axolotl", r"(?i)axolotl"),
        ("llama-factory", r"(?i)llama-?factory|llamafactory"),
        ("ms-swift", r"\[INFO:swift\]|swift/trainers"),
        (
            "trl",
            r"'(?:rewards/chosen|mean_token_accuracy|completions/mean_length|num_tokens)'|\"mean_token_accuracy\"|\bnum_tokens=",
        ),
        ("openrlhf-sft", r"\bgpt_loss="),
        ("openrlhf", r"(?i)openrlhf|Train epoch \["),
        ("fastchat", r"(?i)fastchat"),
        ("lightning", r"\bv_num\b"),
        (
            "huggingface",
            _OF_A_TRAINER,
        ),
    )
)
"""Whose bar it is, by what else the log says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReading:
    """What a log says about speed; None for what it does not say. Rates are medians after warm-up."""

    dialect: str
    points: int
    warm_up_points: int
    """Left out at the start."""
    spread: float | None
    """Third over first quartile of the step times; None where there are too few."""
    warm_up_only: bool = False
    """Whether nothing but the first steps is there."""
    counts_micro: bool = False
    """Whether its steps are micro-batches: as many times shorter than an optimizer's as are accumulated."""
    doubt: str | None = None
    quoted: str = ""
    """The line the speed came from."""
    step_s: float | None = None
    data_share: float | None = None
    """Of a step's time, in waiting for its data."""
    sequences_per_step: float | None = None
    tokens_per_step: float | None = None
    tokens_per_second: float | None = None
    tokens_per_second_per_gpu: float | None = None
    sequences_per_second: float | None = None
    sequences_per_second_per_gpu: float | None = None
    flop_per_s_per_gpu: float | None = None
    utilization: float | None = None
    steps_done: float | None = None
    total_steps: float | None = None
    of_epoch: bool = False
    """Whether `steps_done` and `total_steps` are those of one epoch."""
    epochs_before: float | None = None
    """Epochs that are through before it; None where nothing tells."""
    epochs: float | None = None
    ended: bool = False
    """Whether the trainer says that the run is through."""
    tokens_seen: float | None = None
    epochs_passed: float | None = None
    """Passes over the data with those tokens."""
    even_tokens: float | None = None
    """Of a step, by its time and its rate, where several lines have the same."""
    tokens_each: float | None = None
    """Of a sequence, by the tokens and the sequences that are counted; padding among them unless `real_tokens`."""
    real_tokens: bool = False
    """Whether its tokens are counted since the start and leave padding out, by the trainer's source."""
    run_s: float | None = None
    """The time of the whole run, where its closing line tells it."""
    seconds_left: float | None = None
    """Of the run; of the epoch where `left_of_epoch`."""
    left_of_epoch: bool = False
    sequence_length: float | None = None
    micro_batch: float | None = None
    accumulation: float | None = None
    n_gpus: float | None = None


def log_reading(text: str, argument: str = "observed_log") -> LogReading:
    """Return the speed in the text of a log, of a `trainer_state.json` or of an export's table.

    Of a long text, its head and its end are read. Raises InvalidValueError for text without a line that tells a
    speed, for a path, and beyond 4 MB.
    """
    size = len(text.encode(errors="surrogatepass"))
    if size > MOST_LOG_BYTES:
        remedy = f"is {size:,} bytes long; at most {MOST_LOG_BYTES:,} are read: the last few hundred lines would do"
        raise InvalidValueError(argument, text, remedy)
    if len(text) < _LONGEST_PATH and _PATH.fullmatch(text.strip()):
        raise InvalidValueError(argument, text, "is a path; give the text of the log itself: no file is opened here")
    points, setup, told, ended = _read(text)
    if '"log_history"' in text and told != "trainer_state.json":
        # A run's state before its end: its rates, if it holds any, are those of another run or of evaluation.
        points = [point for point in points if point.rank < CLOSING]
    groups = chosen_groups(points, setup.total_steps)
    if not groups:
        raise InvalidValueError(argument, text, _why_not(points, text))
    speeds = [steady(group) for group in groups]
    alone = speeds[0].points == 1 and speeds[0].dialect in {"tqdm", "huggingface"}
    if speeds[0].resumed or (alone and setup.resumed_at is not None):
        remedy = (
            "has one line of a bar that may count the steps a resumed run skipped: its rate is no speed. A second "
            "line, some steps later, would do, or observed_step_seconds"
        )
        raise InvalidValueError(argument, text, remedy)
    readings = [_reading(speed, setup) for speed in speeds]
    read = replace(_named(_complemented(readings[0], readings[1:]), told), ended=ended)
    read = _with_length(replace(read, real_tokens=read.tokens_seen is not None and read.dialect in _COUNT_REAL_TOKENS))
    if not _tells(read):
        raise InvalidValueError(argument, text, _why_not(points, text))
    return read


def _read(text: str) -> tuple[list[LogPoint], LogSetup, str, bool]:
    """Return points and set-up of a log, the text that names its trainer, and whether its run is through."""
    state = state_points(text)
    if state is not None:
        done, total = state[0].step, state[0].total_steps
        return state, LogSetup(), "trainer_state.json", done is None or total is None or done >= total
    if len(text) > _HEAD_CHARACTERS + _TAIL_CHARACTERS:
        head, tail = text[:_HEAD_CHARACTERS], text[-_TAIL_CHARACTERS:]
        text = f"{head.rpartition(chr(10))[0]}\n{tail.partition(chr(10))[2] or tail}"
    lines = log_lines(text)
    setup = LogSetup()
    points: list[LogPoint] = []
    losses: list[int] = []
    heads, ended = Heads(), False
    for line in lines:
        heads.take(line)
        if len(line) < _SHORTEST_LINE:
            continue
        if (said := line_setup(line)) is not None:
            setup = setup.with_setup(said)
        if (point := line_point(line)) is not None:
            points.append(heads.placed(point))
        if is_loss(line):
            losses.append(len(points))
        # What trains after an end is another run; a bar without a name may be that of its evaluation.
        ended = is_end(line) or (ended and not (point is not None and _surely_trains(point)))
    return named_by_losses(points, losses), setup, text, ended


def _surely_trains(point: LogPoint) -> bool:
    return point.rank < CLOSING and point.training is not False and (point.rank == OWN or point.training is True)


def _why_not(points: Sequence[LogPoint], text: str) -> str:
    if points:
        return f"speaks of loading, evaluation or generation alone: no line tells the speed of training. {_INSTEAD}"
    if '"log_history"' in text:
        return (
            "has no train_runtime: a trainer_state.json tells times only when the run has ended; give the printed log, "
            "or observed_step_seconds"
        )
    return f"holds no line that tells a speed; lines of {_FORMATS} are read. {_INSTEAD}"


def _reading(of_steps: Steady, setup: LogSetup) -> LogReading:
    """Return a group's reading, with what the log said once about the run."""
    step_s, samples = of_steps.step_s, of_steps.samples
    done, total = of_steps.steps_done, of_steps.total_steps or setup.total_steps
    counts_micro = of_steps.counts_micro
    if step_s is None and of_steps.run_s and (done or total):
        step_s = of_steps.run_s / (done or total or 1.0)
    if counts_micro and setup.accumulation and step_s:
        step_s *= setup.accumulation
        done = done / setup.accumulation if done is not None else None
        total = total / setup.accumulation if total is not None else None
        counts_micro = False
    batch = of_steps.batch or setup.sequences_per_step
    if batch is None and setup.micro_batch and setup.n_gpus and setup.accumulation:
        batch = setup.micro_batch * setup.n_gpus * setup.accumulation
    if batch is None and samples and step_s and not counts_micro:
        batch = samples * step_s
    flop_per_s, utilization = of_steps.flop_per_s_per_gpu, of_steps.utilization
    if of_steps.dialect == "nanogpt" and utilization is not None:
        flop_per_s, utilization = utilization * _NANOGPT_PEAK_FLOP_PER_S, None
    left_s, left_of_epoch = of_steps.left_s, of_steps.of_epoch
    if step_s and total and done is not None:
        by_steps_s = max(0.0, total - done) * step_s
        left_of_epoch = of_steps.of_epoch and not (
            left_s is not None and of_steps.left_printed and left_s > _FAR_MORE * by_steps_s
        )
        if left_of_epoch or not of_steps.of_epoch:
            left_s = by_steps_s
    return LogReading(
        dialect=of_steps.dialect,
        points=of_steps.points,
        warm_up_points=of_steps.warm_up_points,
        warm_up_only=of_steps.warm_up_only,
        counts_micro=counts_micro,
        doubt=of_steps.doubt,
        quoted=" ".join(of_steps.quoted.split())[:_LONGEST_QUOTE],
        spread=of_steps.spread,
        step_s=step_s,
        data_share=of_steps.data_share,
        sequences_per_step=batch,
        tokens_per_step=of_steps.step_tokens or setup.tokens_per_step,
        tokens_per_second=of_steps.tokens_per_second,
        tokens_per_second_per_gpu=of_steps.tokens_per_second_per_gpu,
        sequences_per_second=samples,
        sequences_per_second_per_gpu=of_steps.samples_per_gpu,
        flop_per_s_per_gpu=flop_per_s,
        utilization=utilization,
        steps_done=done,
        total_steps=total,
        of_epoch=of_steps.of_epoch,
        epochs_before=of_steps.epochs_before,
        epochs=of_steps.epochs,
        tokens_seen=of_steps.tokens_seen,
        epochs_passed=of_steps.epochs_passed,
        even_tokens=of_steps.even_tokens,
        run_s=of_steps.run_s,
        seconds_left=left_s,
        left_of_epoch=left_of_epoch,
        sequence_length=of_steps.sequence_length or setup.sequence_length,
        micro_batch=of_steps.micro_batch or setup.micro_batch,
        accumulation=setup.accumulation,
        n_gpus=setup.n_gpus,
    )


_COUNT_REAL_TOKENS = frozenset({"trl"})
"""Trainers whose count is the sum of attention masks over all devices: TRL's `num_tokens`."""
_LINES_OF_THEIR_OWN = frozenset({"mlflow", "tensorboard", "wandb"})
"""Exports whose steps may be lines of theirs."""
_FROM_OTHERS = ("step_s", "sequences_per_step", "steps_done", "total_steps", "tokens_seen", "seconds_left")
_PLACED = ("of_epoch", "epochs_before", "epochs", "left_of_epoch")
"""What goes with steps or with the time left, whoever tells those."""


def _complemented(first: LogReading, others: Sequence[LogReading]) -> LogReading:
    """Return a reading with the steps that other lines of the log tell, a bar's say, where its own are silent."""
    for other in others:
        missing: dict[str, Any] = {
            name: value
            for name in _FROM_OTHERS
            if getattr(first, name) is None and (value := getattr(other, name)) is not None
        }
        if other.counts_micro and not first.counts_micro:
            missing.pop("step_s", None)
        if other.of_epoch and first.steps_done is not None and not _in_one_place(first, other):
            # Its counter goes on where theirs begins anew.
            missing = {name: value for name, value in missing.items() if name not in {"total_steps", "seconds_left"}}
        if {"total_steps", "seconds_left"} & missing.keys() and not first.of_epoch:
            missing |= {name: getattr(other, name) for name in _PLACED}
            if other.of_epoch and other.steps_done is not None:
                missing["steps_done"] = other.steps_done
        first = replace(first, **missing)
    seen, done = first.tokens_seen, first.steps_done
    counted = first.tokens_per_second or first.tokens_per_second_per_gpu or first.tokens_per_step
    if not seen or counted or first.dialect in _LINES_OF_THEIR_OWN:
        return first
    if first.run_s:
        return replace(first, tokens_per_second=seen * _passes_more(first, others) / first.run_s)
    if done and done >= _ENOUGH_STEPS:
        first = replace(first, tokens_per_step=seen / done)
    return first


def _passes_more(closing: LogReading, others: Sequence[LogReading]) -> float:
    """Return the passes of a run that has ended over those at the last line that counts its tokens."""
    at = next((other.epochs_passed for other in others if other.tokens_seen == closing.tokens_seen), None)
    return closing.epochs_passed / at if closing.epochs_passed and at else 1.0


def _with_length(read: LogReading) -> LogReading:
    """Return a reading with the tokens of a sequence, where its tokens since the start tell them beside sequences.

    tokens a second / sequences a second,   tokens a step / sequences a step
    """
    if read.tokens_seen is None:
        return read
    tokens, sequences = read.tokens_per_second, read.sequences_per_second
    if not tokens or not sequences:
        sequences = read.sequences_per_step
        tokens = tokens * read.step_s if tokens and read.step_s else read.tokens_per_step
    return replace(read, tokens_each=tokens / sequences) if tokens and sequences else read


def _in_one_place(first: LogReading, other: LogReading) -> bool:
    """Return whether a counter of all steps and one of an epoch's stand at the same step."""
    before, of_each, done = other.epochs_before, other.total_steps, other.steps_done
    if before is None or of_each is None or done is None or first.steps_done is None:
        return False
    return abs(before * of_each + done - first.steps_done) <= 1.0


def _named(read: LogReading, told: str) -> LogReading:
    """Return a reading under the name of the trainer whose bar or closing line it is, where something tells."""
    if read.dialect not in {"tqdm", "huggingface", "lightning"} or told == "trainer_state.json":
        return replace(read, dialect=told) if told == "trainer_state.json" else read
    name = next((name for name, pattern in _NAMED_BY if pattern.search(told)), read.dialect)
    return replace(read, dialect=name)


def _tells(read: LogReading) -> bool:
    return any(
        value is not None
        for value in (
            read.step_s,
            read.tokens_per_second,
            read.tokens_per_second_per_gpu,
            read.sequences_per_second,
            read.sequences_per_second_per_gpu,
            read.flop_per_s_per_gpu,
            read.utilization,
        )
    )
