"""Causes beside the step: what the GPUs wait for, who else uses them, and what else the measured time holds.

How slow each makes a run differs from machine to machine, so each has a range of the speed that it leaves, and comes
after what is priced unless a log or a hint speaks for it.
"""

import math
from collections.abc import Iterator

from estimator.answers.check.candidate import Candidate, Gap, has_length, said, says_packed
from estimator.answers.check.logs import LogReading
from estimator.base.prior import Prior
from estimator.base.units import TERA, format_count
from estimator.resolve.run import Run

__all__ = ["surrounding_candidates"]

_SHOWN, _SUSPECTED, _POSSIBLE, _REMOTE = -0.3, 0.3, 0.6, 0.7
"""Log distance of a cause that a log shows, of one that the size of the gap suggests, of any other, and of one that
speaks of another question."""
_LOADING_SHOWN = 0.1
"""Share of a step in which its data is waited for, from which on that is a cause."""
_UNEVEN = 1.3
_LOADER = Prior(
    low=0.15,
    mode=0.5,
    high=0.85,
    why="Speed left by loaders of too few workers, text tokenised or pictures decoded on the fly, or a slow disk.",
)
_THROTTLED = Prior(
    low=0.6, mode=0.85, high=0.95, why="Clocks of hot or power-capped cards: half the power leaves about 0.7 of them."
)
_WAITING = Prior(low=0.002, mode=0.02, high=0.15, why="Of a job that is alone in waiting, or that shares the card.")
_RECOMPILED = Prior(low=0.1, mode=0.5, high=0.9, why="A graph compiled anew for every other shape, minutes each.")
_PAUSED = Prior(
    low=0.4, mode=0.7, high=0.95, why="Evaluation of whole sets and checkpoints that are waited for, now and then."
)
_LARGER_MODEL = Prior(
    low=0.1, mode=0.4, high=0.7, why="The next larger sizes of a family are 1.5 to 10 times as large."
)
_SIZE_OPEN = ("read as", "not said")
"""What a note says of a name that is of a family, and was taken for one of its sizes."""
_CPU_FLOP_PER_S = Prior(
    low=1e10,
    mode=3e11,
    high=2.5e12,
    why="A training step by PyTorch on a desktop's and on a server's cores: FP32 products of 0.1 to 5 TFLOPS.",
)
_FEW_GPUS = 8
_MOST_EPOCHS = 10
_MOST_REPEATED_TOKENS = 1e11
"""Of more, the tokens told are those of all epochs: sets so large are told by what is trained on."""
_NEARLY = 0.15
"""Log distance within which a count fits the gap."""


def surrounding_candidates(gap: Gap) -> Iterator[Candidate]:
    """Yield what slows a run beside its step; each is a factor on the expected speed, as far as it can go."""
    run, ratio = gap.run, gap.ratio
    yield from _loader(gap)
    yield from _of_few_devices(gap)
    yield from _of_one_device(gap)
    yield from _of_the_clock(gap)
    yield from _of_the_card(ratio, gap.reading)
    if run.question is not None and run.question.practice.launch == "compiled" and _lengths_vary(run):
        yield Candidate(
            code="recompilation",
            what="torch.compile compiles anew for changing shapes",
            factor=_within(ratio, _RECOMPILED),
            rarity=_SUSPECTED,
            check="TORCH_LOGS=recompiles says how often; pad to a few lengths, or compile with dynamic=True",
        )
    if _name_is_open(run):
        normal = run.subject.active_parameters / max(ratio, 1e-9)
        yield Candidate(
            code="larger_model",
            what=f"the model that is trained is larger than {run.subject.name}, which the name was taken for",
            factor=_within(ratio, _LARGER_MODEL),
            work=1.0 / _within(ratio, _LARGER_MODEL),
            rarity=_REMOTE,
            shared="machine",
            why=f"one of {format_count(normal)} active parameters would be normal",
            check="compare the parameters that the trainer prints with the model's",
        )


def _lengths_vary(run: Run) -> bool:
    """Return whether micro-batches may have several shapes: not where full sequences are trained on."""
    tuned = run.amount.tokens_per_sample is not None or run.stack.tunes
    return tuned and has_length(run) and not says_packed(run)


def _name_is_open(run: Run) -> bool:
    """Return whether the model was found by something else than its own name, size or configuration."""
    told = next((told for told in run.assumptions if told.name == "model"), None)
    known = run.subject.transformer is not None and not said(run, "hf_config")
    return known and told is not None and told.source == "user" and any(words in told.note for words in _SIZE_OPEN)


def _loader(gap: Gap) -> Iterator[Candidate]:
    """Yield a loader that is too slow; not where the log has next to no time in it, or no sample is read."""
    ratio, waits = gap.ratio, "the GPU waits" if gap.run.n_gpus == 1 else "the GPUs wait"
    waited = gap.reading.data_share if gap.reading is not None else None
    if gap.run.question is not None and gap.run.question.practice.made_up_samples:
        return
    if waited is not None and waited > _LOADING_SHOWN:
        yield Candidate(
            code="starved_loader",
            what=f"{waits} for data",
            factor=max(1.0 - waited, _WAITING.low),
            rarity=_SHOWN,
            why=f"the log has {waited:.0%} of a step in loading",
            check="raise the loader's workers and prefetching; tokenise and decode before training",
        )
    if waited is None:
        yield Candidate(
            code="starved_loader",
            what=f"{waits} for data (too few loader workers, tokenising or decoding on the fly)",
            factor=_within(ratio, _LOADER),
            rarity=_POSSIBLE,
            shared="machine",
            check="time the loader alone, or train on one cached batch: if that is as slow, it is not the data",
        )


def _of_few_devices(gap: Gap) -> Iterator[Candidate]:
    """Yield a run that is not where it should be: on the CPU, on one of several GPUs, beside another job."""
    run, ratio = gap.run, gap.ratio
    executed = gap.seen.tokens_per_second * gap.flop_per_token
    idle = "the GPU is idle" if run.n_gpus == 1 else "the GPUs are idle"
    vendor = run.device.accelerator.vendor if run.device.accelerator else "NVIDIA"
    if run.n_gpus <= _FEW_GPUS and _CPU_FLOP_PER_S.low <= executed <= _CPU_FLOP_PER_S.high and ratio < _LOADER.low:
        yield Candidate(
            code="runs_on_cpu",
            what="the training runs on the CPU",
            factor=ratio,
            rarity=_SUSPECTED,
            shared="machine",
            why=f"{executed / TERA:.2g} TFLOPS are what a CPU reaches",
            check="torch.cuda.is_available(), and nvidia-smi should show the process and its memory",
        )
    # Of a run that samples answers, that takes most of the time.
    if ratio < _WAITING.high and not run.objective.samples_answers:
        yield Candidate(
            code="device_waits",
            what=f"{idle} for most of the time, or another job has {'it' if run.n_gpus == 1 else 'them'}",
            factor=_within(ratio, _WAITING),
            rarity=_SUSPECTED,
            why=f"no usual setting makes a run {1.0 / ratio:,.0f} times slower",
            check="watch utilization and power in nvidia-smi dmon" if vendor == "NVIDIA" else "watch the device's load",
        )


def _of_one_device(gap: Gap) -> Iterator[Candidate]:
    """Yield that all but one GPU are idle; not where the log counts those that work, or the model is split over them.

    A speed in tokens of one GPU is told as such.
    """
    run, reading = gap.run, gap.reading
    if run.n_gpus == 1 or any(said(run, f"{split}_parallel") for split in ("tensor", "pipeline", "context", "expert")):
        return
    alone = 1.0 / run.n_gpus
    counted = reading is not None and (reading.n_gpus or 1.0) > 1.0
    near = abs(math.log(gap.ratio / alone)) < _NEARLY
    if near and (gap.seen.kind != "tokens_per_second" or gap.seen.count_told) and not counted:
        yield Candidate(
            code="one_gpu_works",
            what=f"one GPU of {run.n_gpus:,} does the work",
            factor=alone,
            rarity=_SUSPECTED,
            shared="links",
            check="nvidia-smi shows which are busy; start it by torchrun, accelerate launch or deepspeed",
        )


def _of_the_clock(gap: Gap) -> Iterator[Candidate]:
    """Yield what hours hold beside the steps that were counted."""
    run, ratio = gap.run, gap.ratio
    if gap.seen.kind != "hours":
        return
    epochs = round(1.0 / ratio)
    counted = run.amount.tokens_per_sample is not None or gap.request.epochs is not None
    few = run.amount.real_tokens <= _MOST_REPEATED_TOKENS
    if few and 1 < epochs <= _MOST_EPOCHS and not counted and abs(math.log(ratio * epochs)) < _NEARLY:
        yield Candidate(
            code="several_epochs",
            what=f"the hours hold {epochs} epochs, and the tokens one",
            factor=1.0 / epochs,
            rarity=_SUSPECTED,
            check="give epochs, or the tokens of all of them",
        )
    yield Candidate(
        code="evaluation_between",
        what="evaluation, or checkpoints that are waited for, take part of the hours",
        factor=_within(ratio, _PAUSED),
        rarity=_SUSPECTED,
        check="compare the hours with step time × steps; evaluate and save less often, or asynchronously",
    )


def _of_the_card(ratio: float, reading: LogReading | None) -> Iterator[Candidate]:
    uneven = reading is not None and reading.spread is not None and reading.spread > _UNEVEN
    yield Candidate(
        code="throttled",
        what="the card is hot, power-capped or clocked down",
        factor=_within(ratio, _THROTTLED),
        rarity=_POSSIBLE if uneven or ratio < _THROTTLED.low else _SUSPECTED,
        check="nvidia-smi -q -d PERFORMANCE,POWER,CLOCK under load; measure it with traintime measure",
    )


def _within(ratio: float, prior: Prior) -> float:
    return min(max(ratio, prior.low), prior.high)
