"""What evaluations and checkpoints take of a run, where it was told how often there are any, and on how much."""

import math
from dataclasses import dataclass

from estimator.base.prior import Prior
from estimator.base.units import format_bytes, format_count, format_duration
from estimator.models.coefficient import rule_passes
from estimator.physics.stacks import Stack
from estimator.question.question import Assumption, Layout
from estimator.question.schedule import Schedule, Times
from estimator.resolve.run import Run

__all__ = [
    "BACKGROUND_SHARE",
    "FORWARD_PACE",
    "SAVING_S",
    "UNSAID_BATCHES",
    "UNSAID_SHARE",
    "WRITING_BYTES_PER_S",
    "Recurring",
    "Scheduled",
    "scheduled_of",
]

FORWARD_PACE = Prior(
    low=0.7,
    mode=1.0,
    high=1.6,
    why="Time of an evaluation's forward pass over its share of a step's time, by FLOPs: it has no gradients to reduce "
    "and no optimizer, and is slower where its batch is smaller than that of training or its samples are not packed.",
)
UNSAID_SHARE = Prior(
    low=0.01,
    mode=0.05,
    high=0.1,
    why="Share of a data set that one evaluation is of where nobody says: 5 and 10 % are what is held out in most "
    "examples of trainers, of large sets less …",
)
UNSAID_BATCHES = Prior(
    low=10.0,
    mode=50.0,
    high=100.0,
    why="… and the batches that it is of at most: pre-training evaluates on some (100 in Megatron-LM and in LitGPT "
    "where nothing is said, 10 in Megatron-LM's examples).",
)
WRITING_BYTES_PER_S = Prior(
    low=0.5e9,
    mode=1.5e9,
    high=4.0e9,
    why="Bytes a second that a node writes of a checkpoint: a data centre's NVMe drive takes 1 to 4 GB/s, a disk over "
    "a network or of a cloud 0.1 to 1 (a gp3 volume of AWS 0.125 unless more is paid for), and a process that "
    "serialises tensors one by one makes 1 to 2 of them.",
)
SAVING_S = Prior(
    low=0.3,
    mode=1.0,
    high=5.0,
    why="Seconds that saving takes besides what is written: ranks wait for one another, files are opened, old "
    "checkpoints are removed.",
)
BACKGROUND_SHARE = Prior(
    low=0.02,
    mode=0.1,
    high=0.5,
    why="Share of the time to write a checkpoint that training waits where it is written beside it: states are copied "
    "to host memory first, over links of tens of GB/s, and the next waits for one that is not through.",
)
_PERCENT = 100.0
_EACH_EPOCH = Times(epochs=1.0)
"""How often is evaluated where it is told on what alone, as Axolotl does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """Something that a run stops its steps for, now and then."""

    times: Times
    each_s: Prior
    what: str
    """What each is of, in words."""
    note: str
    step_s: float
    epochs: float

    def count(self, steps_s: float) -> float:
        """Return how often it comes in a run of so many seconds of steps."""
        return self.times.occasions(steps=steps_s / self.step_s, epochs=self.epochs, seconds=steps_s)

    def share(self, steps_s: float) -> Prior:
        """Return the time that it takes, as a fraction of that in steps."""
        count, each = self.count(steps_s), self.each_s
        low, mode, high = (count * one_s / steps_s for one_s in each.ends)
        return Prior(low=low, mode=mode, high=high, why=self.note)

    def between_s(self, steps_s: float) -> float:
        """Return the seconds of steps from one to the next; those of the run where there is none."""
        return steps_s / max(self.count(steps_s), 1.0)

    def told(self, steps_s: float) -> str:
        """Return how often it comes, and of what each is, in words."""
        count = self.count(steps_s)
        return f"{count:,.0f} × {self.what}" if count else "none"

    def assumption(self, name: str, steps_s: float) -> Assumption:
        """Return what is counted of it."""
        count = self.count(steps_s)
        note = f"{format_duration(self.each_s.mode)} each: {self.note}" if count else "as told"
        return Assumption(name=name, value=self.told(steps_s), source="user", note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """Evaluations and checkpoints as they were told; None where they are as usual."""

    evaluation: Recurring | None
    saving: Recurring | None

    def assumptions(self, steps_s: float) -> tuple[Assumption, ...]:
        """Return what is counted of both in a run of so many seconds of steps."""
        named = (("evaluation", self.evaluation), ("checkpoints", self.saving))
        return tuple(one.assumption(name, steps_s) for name, one in named if one is not None)


def scheduled_of(run: Run, tokens_per_second: float, step_s: float, layout: Layout | None) -> Scheduled | None:
    """Return what `run` was told to do between its steps, at the speed of those; None where nothing was.

        evaluation: tokens · forward FLOPs / trained FLOPs / (tokens/s)        checkpoint: bytes / (bytes/s · nodes)

    A forward token is a third of a trained token's work with all weights, half with adapters, less with recomputation.
    Every node writes its part of what is sharded. A checkpoint is left out where its size is not known.
    """
    asked = run.schedule
    evaluation = saving = None
    if run.amount.sequences is not None and layout is not None:
        # Rows are of other lengths than the one that a step is priced at.
        steps = run.amount.sequences / layout.global_batch_sequences
        step_s = run.amount.tokens / tokens_per_second / steps
    if asked.evaluates:
        evaluation = _evaluation(run, asked, tokens_per_second, step_s, layout)
    elif asked.evaluated is not None:
        evaluation = _never(step_s, asked.evaluated)
    if asked.saves:
        saving = _saving(run, asked, step_s, layout)
    elif asked.saved is not None:
        saving = _never(step_s, asked.saved)
    return None if evaluation is None and saving is None else Scheduled(evaluation=evaluation, saving=saving)


def _never(step_s: float, times: Times) -> Recurring:
    nothing = Prior(low=0.0, mode=0.0, high=0.0, why="as told")
    return Recurring(times=times, each_s=nothing, what="", note="", step_s=step_s, epochs=1.0)


def _evaluation(run: Run, asked: Schedule, tokens_per_second: float, step_s: float, layout: Layout | None) -> Recurring:
    size, what = _evaluated_tokens(run, asked, step_s * tokens_per_second)
    recompute = "none" if layout is None else layout.recompute
    beside = run.objective.forwards_beside(run.subject.active_parameters)
    passes = rule_passes(run.method.name, recompute, forward_beside=beside)
    forward = (passes.forward + passes.beside) / passes.coefficient
    note = f"forward passes, {forward:.2f} of the work of training on as much"
    if not asked.sized:
        note += "; on how much was not said"
    if asked.evaluated is None:
        note += "; how often was not said"
    return Recurring(
        times=asked.evaluated or _EACH_EPOCH,
        each_s=_product(size, FORWARD_PACE, forward / tokens_per_second),
        what=what,
        note=note,
        step_s=step_s,
        epochs=run.amount.epochs,
    )


def _evaluated_tokens(run: Run, asked: Schedule, tokens_per_step: float) -> tuple[Prior, str]:
    """Return the tokens of one evaluation, padding among them, and what they are of in words."""
    pass_tokens = run.amount.tokens / run.amount.epochs
    if asked.evaluated_tokens is not None:
        return _exactly(asked.evaluated_tokens), f"{format_count(asked.evaluated_tokens)} tokens"
    if asked.evaluated_batches is not None:
        return _exactly(asked.evaluated_batches * tokens_per_step), f"{asked.evaluated_batches:,.0f} batches"
    samples = asked.held_samples if asked.evaluated_samples is None else asked.evaluated_samples
    if asked.evaluated_share is not None:
        return _exactly(asked.evaluated_share * pass_tokens), f"{_PERCENT * asked.evaluated_share:.3g}% of the data"
    if asked.evaluated_samples is None and asked.held_share is not None:
        # What is trained on is what the rest of them is.
        held = asked.held_share / (1.0 - asked.held_share)
        return _exactly(held * pass_tokens), f"{_PERCENT * asked.held_share:.3g}% of the data"
    if samples is not None:
        return _exactly(samples * _tokens_of_a_sample(run)), f"{samples:,.0f} samples"
    most = tokens_per_step
    low, mode, high = (
        min(share * pass_tokens, batches * most)
        for share, batches in zip(UNSAID_SHARE.ends, UNSAID_BATCHES.ends, strict=True)
    )
    size = Prior(low=low, mode=mode, high=high, why=UNSAID_SHARE.why)
    return size, f"{_PERCENT * mode / pass_tokens:.2g}% of the data (assumed)"


def _tokens_of_a_sample(run: Run) -> float:
    """Return the tokens that are processed of a sample, as long as those that are trained on."""
    amount = run.amount
    each = run.question.sequences_each if run.question else 1
    if amount.tokens_per_sample is None:
        return float(run.sequence_length * each)
    return amount.tokens_per_sample * each * amount.tokens / amount.real_tokens


def _saving(run: Run, asked: Schedule, step_s: float, layout: Layout | None) -> Recurring | None:
    """Return what checkpoints take; None where the network or the device is not known."""
    if run.question is None or asked.saved is None:
        return None
    written = _checkpoint_bytes(run, run.stack, weights_alone=bool(asked.saves_weights_alone))
    writers = _writers(run, layout)
    low, mode, high = (
        wait + written / (writers * speed)
        for wait, speed in zip(SAVING_S.ends, WRITING_BYTES_PER_S.ends[::-1], strict=True)
    )
    note = f"{format_bytes(WRITING_BYTES_PER_S.mode)}/s to disk"
    note += f" on each of {writers:,} nodes" if writers > 1 else ""
    each = Prior(low=low, mode=mode, high=high, why=WRITING_BYTES_PER_S.why)
    told = None if run.goodput is None else run.goodput.checkpoint_s
    if told is not None:
        each, note = _exactly(told), "as told"
    elif asked.saves_in_background:
        each, note = _product(each, BACKGROUND_SHARE, 1.0), f"{note}, most of it beside training"
    return Recurring(
        times=asked.saved,
        each_s=each,
        what=format_bytes(written),
        note=note,
        step_s=step_s,
        epochs=run.amount.epochs,
    )


def _checkpoint_bytes(run: Run, stack: Stack, *, weights_alone: bool) -> float:
    if run.question is None:
        return 0.0
    # Few runs tell of checkpoints, and NumPy comes with their sizes.
    from estimator.physics.checkpoint import checkpoint_bytes

    size = checkpoint_bytes(run.question, stack)
    return size.weights if weights_alone else size.states


def _writers(run: Run, layout: Layout | None) -> int:
    """Return how many nodes write a checkpoint: all of them what is sharded, one what all of them have."""
    if layout is None or run.question is None:
        return 1
    split = layout.tensor_parallel * layout.pipeline_parallel * layout.expert_parallel
    if layout.data_sharding == "ddp" and split == 1:
        return 1
    return max(1, math.ceil(run.n_gpus / run.question.cluster.gpus_per_node))


def _exactly(value: float) -> Prior:
    return Prior(low=value, mode=value, high=value, why="as told")


def _product(one: Prior, other: Prior, factor: float) -> Prior:
    """Return the product of independent quantities: distances of their ends, in logs, are added in quadrature."""
    mode = factor * one.mode * other.mode
    down = math.hypot(math.log(one.mode / one.low), math.log(other.mode / other.low))
    up = math.hypot(math.log(one.high / one.mode), math.log(other.high / other.mode))
    return Prior(low=mode * math.exp(-down), mode=mode, high=mode * math.exp(up), why=other.why)
