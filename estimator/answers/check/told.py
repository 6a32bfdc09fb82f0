"""What a log tells of the run beside its speed: taken where the caller is silent, held against what the caller said."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from estimator.answers.check.candidate import said
from estimator.answers.check.flop_conventions import BEYOND, beyond_counts
from estimator.answers.check.log_rows import counted_length
from estimator.answers.check.logs import LogReading
from estimator.answers.check.observation import Observation
from estimator.base.units import TERA, format_rate
from estimator.models.kinds import kind_of
from estimator.models.training import WITH_ADAPTERS
from estimator.question.practice import Packing
from estimator.question.question import Assumption, Caution
from estimator.question.request import Request
from estimator.resolve.counted_steps import FROM_SCRATCH_TOO
from estimator.resolve.named_data import named_data
from estimator.resolve.packing import LARGEST_SET, SCORED_WHOLE, packs
from estimator.resolve.passes import amount_and_passes
from estimator.resolve.run import Run
from estimator.resolve.text_tokens import text_tokens

__all__ = [
    "SAME_COUNT",
    "Contradiction",
    "as_taken",
    "contradictions",
    "in_steps",
    "is_from_scratch",
    "open_length",
    "pads_by_its_steps",
    "taken_from_log",
    "with_log",
    "with_one_micro_batch",
]

_APART = 1.3
"""A log and the arguments that differ by more speak of two runs."""
SAME_COUNT = 0.03
"""Share by which a rounded last step, and what is held out for evaluation, change a count of samples or steps."""
_COUNTED_APART = 2.0
"""By which trainers' counts of FLOPs differ for one run: recomputation, attention in full, an adapter's base."""
_MOST_SEQUENCES, _LONGEST = 1_000_000, 1_000_000
"""Beyond which a log's figure is no batch and no sequence."""
_FRAMEWORKS: Mapping[str, str] = {
    "automodel": "automodel",
    "axolotl": "axolotl",
    "composer": "composer",
    "deepspeed": "deepspeed",
    "deepspeed-chat": "deepspeed-chat",
    "fairseq": "metaseq",
    "fastchat": "fastchat",
    "gpt-neox": "gpt-neox",
    "huggingface": "huggingface",
    "internevo": "internevo",
    "levanter": "levanter",
    "lightning": "lightning",
    "litgpt": "litgpt",
    "llama-factory": "llama-factory",
    "llm.c": "llm.c",
    "maxtext": "maxtext",
    "megatron": "megatron",
    "megatron-bridge": "megatron-bridge",
    "megatron-deepspeed": "megatron-deepspeed",
    "minimind": "minimind",
    "mlx-lm": "mlx-lm",
    "modded-nanogpt": "modded-nanogpt",
    "ms-swift": "ms-swift",
    "nanochat": "nanochat",
    "nanogpt": "nanogpt",
    "nanotron": "nanotron",
    "nemo": "nemo",
    "olmo": "olmo",
    "olmo-core": "olmo-core",
    "openrlhf": "openrlhf",
    "openrlhf-sft": "openrlhf, sft",
    "paddlenlp": "paddlenlp",
    "primus": "primus",
    "torchtitan": "torchtitan",
    "torchtune": "torchtune",
    "trainer_state.json": "huggingface",
    "trl": "trl",
    "unsloth": "unsloth",
    "verl": "verl",
    "verl-sft": "verl, sft",
    "xtuner": "xtuner",
}
"""A trainer by its lines, as a framework is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Something that log and caller say differently."""

    name: str
    what: str
    factor: float
    """On the expected speed, if the log is right."""


def in_steps(reading: LogReading, accumulation: int | None) -> LogReading:
    """Return a reading in optimizer steps, where the log counts micro-batches and the caller says how many make one."""
    if not reading.counts_micro or accumulation is None or accumulation <= 1:
        return reading

    def fewer(count: float | None) -> float | None:
        return None if count is None else count / accumulation

    return replace(
        reading,
        counts_micro=False,
        accumulation=float(accumulation),
        step_s=None if reading.step_s is None else reading.step_s * accumulation,
        steps_done=fewer(reading.steps_done),
        total_steps=fewer(reading.total_steps),
    )


def with_one_micro_batch(request: Request) -> tuple[Request, tuple[Caution, ...]]:
    """Return `request` with a batch of one micro-batch a replica where that is told and nothing that is accumulated.

    Trainers accumulate nothing unless told, however their speed is told. Not where steps and an amount tell the batch
    between them, nor of a pipeline, which one micro-batch would leave empty but for one stage.
    """
    batch = (request.global_batch_sequences, request.gradient_accumulation)
    by_amount = request.steps is not None and (request.tokens is not None or request.samples is not None)
    piped = (request.pipeline_parallel or 1) > 1
    if request.micro_batch_size is None or by_amount or piped or any(told is not None for told in batch):
        return request, ()
    message = (
        f"a step is taken to be one micro-batch of {request.micro_batch_size:,} a replica, for nothing says that "
        "several are accumulated; what is expected goes with it, and a speed that is told by steps is proportional to "
        "it: give gradient_accumulation"
    )
    return replace(request, gradient_accumulation=1), (Caution(code="nothing_accumulated", message=message),)


def pads_by_its_steps(run: Run, reading: LogReading | None) -> bool:
    """Return whether a log's steps take a sample for each sequence of theirs, where packed ones were taken for granted.

    steps in all · batch = samples · epochs, within a few per cent
    """
    amount, batch = run.amount, run.global_batch_sequences
    if reading is None or not reading.total_steps or batch is None:
        return False
    if amount.tokens_per_sample is None or amount.sequences is not None or said(run, "packing"):
        return False
    samples = amount.real_tokens / amount.tokens_per_sample
    return abs(reading.total_steps * batch / samples - 1.0) <= SAME_COUNT


def open_length(request: Request, run: Run) -> str | None:
    """Return the argument that would tell how long sequences are, where it was not told; None where it was.

    Where trainers only cut samples is no length of theirs: so it is open where padded samples are trained on and nobody
    told how long those are. Pictures and sounds that a model makes a fixed sequence of have no other.
    """
    unsaid = None if said(run, "sequence_length") else "sequence_length"
    if run.question is None:
        return unsaid
    media = run.question.transformer.media
    if media is not None and media.main:
        return None if media.policy == "fixed" or said(run, "image_size") else "image_size"
    if run.amount.sequences is not None and run.amount.tokens_per_sample is not None:
        # Rows are as long as the samples that were told, padded.
        return None
    return "tokens_per_sample" if _may_be_a_limit(request, run, run.question.practice.packing) else unsaid


def is_from_scratch(request: Request, run: Run) -> bool:
    """Return whether more was told than fine-tuning takes, or text, in which nobody answers; of no amount it is not.

    By what the amount comes to, however it was written: as a count, a data set, so many words a sample.
    """
    if request.tokens is None and request.samples is None:
        return False
    if run.amount.tokens_per_sample is None and _is_text(request.tokens):
        return True
    return run.amount.real_tokens / run.amount.epochs > LARGEST_SET


def _is_text(tokens: object) -> bool:
    """Return whether tokens were told as so much text: by its size ("2 GB"), or a data set of it."""
    counted = amount_and_passes(tokens, "tokens")
    told = tokens if counted is None else counted[0]
    return text_tokens(told, "tokens") is not None or named_data(told, "tokens") is not None


def _may_be_a_limit(request: Request, run: Run, told: Packing | None) -> bool:
    if run.amount.tokens_per_sample is not None or request.packing.strip().casefold() == "packed":
        return False
    stack, objective = run.stack, run.objective.objective.name
    samples = run.method.name in WITH_ADAPTERS or stack.name not in FROM_SCRATCH_TOO or objective in SCORED_WHOLE
    packed = (told or stack.habit.packing) == "packed" and packs(objective, stack.name)
    return samples and stack.tunes and not packed


def with_log(request: Request, reading: LogReading | None) -> Request:
    """Return `request` with batch, or what makes one, length and framework of the log, where the caller told none."""
    if reading is None:
        return request
    taken = taken_from_log(request, reading)
    batch, length = reading.sequences_per_step, _length_told(request, reading)
    if "global_batch_sequences" in taken and batch is not None:
        request = replace(request, global_batch_sequences=max(1, round(batch)))
    if "sequence_length" in taken and length is not None:
        request = replace(request, sequence_length=round(length))
    if "micro_batch_size" in taken and reading.micro_batch is not None:
        request = replace(request, micro_batch_size=max(1, round(reading.micro_batch)))
    if "gradient_accumulation" in taken and reading.accumulation is not None:
        request = replace(request, gradient_accumulation=max(1, round(reading.accumulation)))
    if "framework" in taken:
        request = replace(request, framework=_FRAMEWORKS[reading.dialect])
    return request


def taken_from_log(request: Request, reading: LogReading) -> frozenset[str]:
    """Return the arguments that the caller left open and the log tells."""
    out: set[str] = set()
    counted = request.global_batch_sequences is not None or request.gradient_accumulation is not None
    batch = reading.sequences_per_step
    if not counted and batch is not None and round(batch) <= _MOST_SEQUENCES:
        out.add("global_batch_sequences")
    elif not counted and reading.accumulation and (request.micro_batch_size is not None or reading.micro_batch):
        # A head cut short tells what each device takes at a time and how often: with its devices, that is the batch.
        out.add("gradient_accumulation")
        if request.micro_batch_size is None:
            out |= {"micro_batch_size", "global_batch_sequences"}
    length = _length_told(request, reading)
    if request.sequence_length is None and length is not None and 1.0 <= length <= _LONGEST:
        out.add("sequence_length")
    if request.framework == "auto" and reading.dialect in _FRAMEWORKS:
        out.add("framework")
    return frozenset(out)


def _length_told(request: Request, reading: LogReading) -> float | None:
    """Return how long sequences are by a log: as it counts their tokens, else as it is set up."""
    return counted_length(request, reading) or reading.sequence_length


def as_taken(assumptions: tuple[Assumption, ...], taken: frozenset[str]) -> tuple[Assumption, ...]:
    """Return assumptions, those that the log told marked as such."""
    return tuple(
        replace(assumption, source="inferred", note="as the log says") if assumption.name in taken else assumption
        for assumption in assumptions
    )


def contradictions(
    run: Run, reading: LogReading | None, taken: frozenset[str], seen: Observation, flop_per_token: float
) -> tuple[Contradiction, ...]:
    """Return what the log says otherwise than the caller, by more than a third; the farthest apart first.

    `taken` are the arguments that come from the log itself; `seen` its speed, by what the caller told beside it.
    """
    if reading is None:
        return ()
    found = [entry for entry in _differences(run, reading, taken) if not 1.0 / _APART <= entry.factor <= _APART]
    if not found:
        # One that is named explains this too.
        found = [*_work_apart(run, reading, seen, flop_per_token)]
    return tuple(sorted(found, key=lambda entry: -max(entry.factor, 1.0 / entry.factor)))


def _differences(run: Run, reading: LogReading, taken: frozenset[str]) -> Iterator[Contradiction]:
    batch = run.global_batch_sequences
    counted = "global_batch_sequences" not in taken and (
        said(run, "global_batch_sequences") or said(run, "gradient_accumulation")
    )
    long = "sequence_length" not in taken and said(run, "sequence_length")
    if batch is not None and reading.sequences_per_step and counted:
        # Trainers and callers count a pair as one.
        samples = batch // run.objective.objective.sequences
        yield Contradiction(
            name="global_batch_sequences",
            what=f"a step takes {reading.sequences_per_step:,.4g} samples by the log, {samples:,} by what was told",
            factor=samples / reading.sequences_per_step,
        )
    if reading.sequence_length and long:
        yield Contradiction(
            name="sequence_length",
            what=f"sequences have {reading.sequence_length:,.0f} tokens by the log, {run.sequence_length:,} by "
            "what was told",
            factor=run.sequence_length / reading.sequence_length,
        )
    if reading.n_gpus:
        yield Contradiction(
            name="n_gpus",
            what=f"the log is of {reading.n_gpus:,.0f} GPUs, {run.n_gpus:,} were told",
            factor=reading.n_gpus / run.n_gpus,
        )
    each, total = reading.tokens_per_second_per_gpu, reading.tokens_per_second
    if each and total and run.n_gpus:
        yield Contradiction(
            name="n_gpus",
            what=f"the log's speed of all GPUs is {total / each:,.3g} times that of one, {run.n_gpus:,} GPUs were told",
            factor=total / each / run.n_gpus,
        )
    speed = total or (each * run.n_gpus if each else None)
    if speed and batch is not None and reading.step_s and (counted or long) and not reading.counts_micro:
        by_steps = batch * run.sequence_length / reading.step_s
        yield Contradiction(
            name="global_batch_sequences",
            what=f"the log's steps of {reading.step_s:.4g} s would be {by_steps:,.4g} tokens/s with batch and sequence "
            f"as told, and it says {speed:,.4g}",
            factor=by_steps / speed,
        )


def _work_apart(run: Run, reading: LogReading, seen: Observation, flop_per_token: float) -> Iterator[Contradiction]:
    """Yield that the log's own FLOPs of a GPU are not those of its speed, which no one argument settles.

    tokens/s · FLOPs of the model per token / GPUs   against   TFLOP/s per GPU in the log
    """
    logged = reading.flop_per_s_per_gpu
    if logged is None or seen.kind == "tflops_per_gpu" or seen.batch_assumed is not None:
        return
    by_told = seen.tokens_per_second * flop_per_token / run.n_gpus
    factor = by_told / logged
    if not _counts_another_run(run, factor, flop_per_token):
        return
    ways = _ways_to_agree(run, reading, factor)
    says, makes = (f"{format_rate(rate / TERA)} TFLOP/s per GPU" for rate in (logged, by_told))
    agree = _either(list(ways.values()))
    yield Contradiction(
        name=_either(list(ways)),
        what=f"the log says {says}, and its speed makes {makes} with what was told; {agree} would agree",
        factor=factor,
    )


def _counts_another_run(run: Run, factor: float, flop_per_token: float) -> bool:
    """Return whether FLOPs that a log has `factor` times too few of are none that a trainer counts of what was told.

    Of decoders it is known what trainers count; of others, by about what.
    """
    if run.question is not None and kind_of(run.question.transformer) == "decoder":
        return abs(math.log(beyond_counts(run, run.question, flop_per_token / factor))) > math.log(BEYOND)
    # Some count the experts that rest too.
    rest = run.subject.total_parameters / run.subject.active_parameters if factor < 1.0 else 1.0
    return not 1.0 / (_COUNTED_APART * rest) <= factor <= _COUNTED_APART


def _ways_to_agree(run: Run, reading: LogReading, factor: float) -> dict[str, str]:
    """Return which arguments the speed was worked out with, and what each would have to be."""
    times = f"{max(factor, 1.0 / factor):.2g} times {'smaller' if factor > 1.0 else 'larger'}"
    ways: dict[str, str] = {}
    each = reading.tokens_per_second_per_gpu is not None and reading.tokens_per_second is None
    if not each and run.n_gpus * factor >= 1.0:
        ways["n_gpus"] = f"about {float(f'{run.n_gpus * factor:.2g}'):,.0f} GPUs"
    ways["model"] = f"a model {times}"
    if reading.tokens_per_second is None and not each and reading.tokens_per_step is None:
        if reading.sequences_per_step is None:
            ways["global_batch_sequences"] = f"a batch {times}"
        if reading.sequence_length is None:
            ways["sequence_length"] = f"sequences {times.replace('smaller', 'shorter').replace('larger', 'longer')}"
    return ways


def _either(words: list[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
