"""The published runs that a question may itself be about: the same model, device and method.

Knows no NumPy: whether there is such a run is asked of every question, and nearly always there is none.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

from estimator.base.prior import Prior
from estimator.base.units import DAY_S, HOUR_S
from estimator.catalogue import catalogue
from estimator.catalogue.published import Duration, PublishedRun
from estimator.models.transformer import Transformer
from estimator.question.cluster import Accelerator

__all__ = [
    "BESIDE_RUN",
    "MOST_DOUBLINGS",
    "doublings_apart",
    "is_whole",
    "narrow_format",
    "precedent_runs",
    "published_speed",
    "trained_length",
    "trained_runs",
]

MOST_DOUBLINGS = 2.0
"""Up to four times as many or as few devices are asked about with a run in mind: what its speed says fades to nothing
on the way there."""
_BENCHMARK = "mlperf"
"""Minutes of training, tuned for months: nobody else's run, unless they say that it is one."""
_RUN_OVER_STEPS = 0.1
"""Log of a weeks-long run over its steps: evaluation, checkpoints and failures, between 0.05 and 0.2."""
_NOTHING = Prior(low=0.0, mode=0.0, high=0.0, why="Nothing beside the steps, or the run, is counted")
BESIDE_RUN: Mapping[Duration, Prior] = MappingProxyType(
    {
        "steps": _NOTHING,
        "run": _NOTHING,
        "release": Prior(
            low=0.03,
            mode=0.1,
            high=0.25,
            why="What a release takes beside its pre-training, of it: DeepSeek-V3 5 % for longer contexts and what "
            "followed; OLMo 3 nine days after 47; Llama 3.1 took 12 and 9 % more GPU-hours than Llama 3, whose "
            "contexts were short.",
        ),
    }
)
"""What a published duration counts beside its run, as a share of it."""
_SAME = 0.01
_NARROW = frozenset({"fp8", "mxfp8", "nvfp4"})


def precedent_runs(
    transformer: Transformer, accelerator: Accelerator, method: str, n_gpus: int, *, benchmark: bool
) -> tuple[PublishedRun, ...]:
    """Return the runs of `transformer` by `method` on a quarter to four times as many of a device's chip.

    In the catalogue's order. Those that kept states in host memory, packed short documents, or whose sources disclaim
    their speed, are left out, and MLPerf's unless a `benchmark` is asked for.
    """
    return tuple(
        run
        for run in _runs_on(transformer, _same_chips(accelerator.chip), method)
        if abs(doublings_apart(run, n_gpus)) <= MOST_DOUBLINGS
        and _same_shape(run.transformer, transformer)
        and (run.stack != _BENCHMARK or benchmark)
    )


def trained_runs(transformer: Transformer, accelerator: Accelerator, method: str) -> tuple[PublishedRun, ...]:
    """Return the whole trainings of `transformer` by `method` on the silicon of `accelerator`.

    An H800 is an H100 with other links and an H200 one with more memory: the precision and software that suit a
    training on the one suit it on the other.
    """
    return tuple(
        run
        for run in _runs_on(transformer, _same_silicon(accelerator.architecture), method)
        if _is_training(run) and _same_shape(run.transformer, transformer)
    )


def trained_length(transformer: Transformer) -> PublishedRun | None:
    """Return the largest whole training of `transformer` in full, on whatever device; None where there is none."""
    runs = [
        run
        for run in _trained().get(_network(transformer), ())
        if _same_shape(run.transformer, transformer) and run.sequence_length <= transformer.native_sequence_length
    ]
    return max(runs, key=lambda run: run.total_tokens or 0.0, default=None)


def narrow_format(transformer: Transformer, accelerator: Accelerator, method: str) -> str | None:
    """Return the format of 8 or 4 bits that most published runs on such silicon have which are in any; None: none is.

    Formats are the silicon's, whatever memory and links it is sold with.
    """
    formats = Counter(
        run.precision
        for run in _runs_on(transformer, _same_silicon(accelerator.architecture), method)
        if run.precision in _NARROW and run.precision in accelerator.peak_flop_per_s
    )
    return max(formats, key=lambda name: (formats[name], name), default=None)


def doublings_apart(run: PublishedRun, n_gpus: int) -> float:
    """Return the binary logarithm of `n_gpus` over the devices of `run`."""
    return math.log2(n_gpus / run.n_gpus)


def is_whole(run: PublishedRun) -> bool:
    """Return whether a model was trained to its end, and not only a speed measured."""
    return run.total_tokens is not None and (run.gpu_hours is not None or run.wallclock_days is not None)


def _is_training(run: PublishedRun) -> bool:
    """Return whether a run is a whole training that was no benchmark's."""
    return is_whole(run) and run.stack != _BENCHMARK


def _runs_on(transformer: Transformer, devices: Iterable[str], method: str) -> Iterator[PublishedRun]:
    """Yield the runs of a network by `method` on devices with these ids, in the catalogue's order on each."""
    network = _network(transformer)
    for device in devices:
        yield from _runs().get((network, device, method), ())


def published_speed(run: PublishedRun) -> float | None:
    """Return steady tokens per second and device as published; None where nothing tells.

    Where only the whole run is told, or what is printed is its mean, that is what its steps must have been.
    """
    steps, whole = run.tokens_per_second_per_gpu, _whole_speed(run)
    if whole is None or (steps is not None and abs(steps / whole - 1.0) > _SAME):
        return steps
    over_run = 1.0 + BESIDE_RUN[run.duration_of].mode
    return whole * over_run * (1.0 if run.duration_of == "steps" else math.exp(_RUN_OVER_STEPS))


def _whole_speed(run: PublishedRun) -> float | None:
    if run.total_tokens is None:
        return None
    if run.gpu_hours is not None:
        return run.total_tokens / (run.gpu_hours * HOUR_S)
    return None if run.wallclock_days is None else run.total_tokens / (run.wallclock_days * DAY_S * run.n_gpus)


def _network(t: Transformer) -> tuple[object, ...]:
    """Return what makes a configuration that of a catalogued model, under whatever name."""
    experts = t.experts
    routed = (experts.n_experts, experts.top_k, experts.ffn_hidden) if experts else None
    return t.n_layers, t.hidden, t.ffn_hidden, t.n_heads, t.n_kv_heads, t.vocab, routed


def _same_shape(a: Transformer, b: Transformer) -> bool:
    """Return whether two are one network: sources also measure parts of a model under its name."""
    return (a.n_layers, a.hidden, a.ffn_hidden, a.n_heads) == (b.n_layers, b.hidden, b.ffn_hidden, b.n_heads)


@cache
def _same_chips(chip: str) -> tuple[str, ...]:
    """Return the ids of all devices that are one chip, whatever joins them."""
    return tuple(entry.accelerator.id for entry in catalogue.accelerators() if entry.accelerator.chip == chip)


@cache
def _same_silicon(architecture: str) -> tuple[str, ...]:
    """Return the ids of all devices of one architecture, `Hopper GH100`, whatever memory and links they have."""
    return tuple(
        entry.accelerator.id for entry in catalogue.accelerators() if entry.accelerator.architecture == architecture
    )


@cache
def _trained() -> Mapping[object, tuple[PublishedRun, ...]]:
    found: dict[object, list[PublishedRun]] = {}
    for (network, _, method), runs in _runs().items():
        found.setdefault(network, []).extend(run for run in runs if method == "full" and _is_training(run))
    return {network: tuple(runs) for network, runs in found.items()}


@cache
def _runs() -> Mapping[tuple[object, str, str], tuple[PublishedRun, ...]]:
    found: dict[tuple[object, str, str], list[PublishedRun]] = {}
    ids = {name: catalogue.model_id(name) for name in {run.transformer.name for run in catalogue.runs()}}
    for run in catalogue.runs():
        model_id = ids[run.transformer.name]
        own = run.offloaded or run.packed_short or bool(run.details.disclaimed)
        if model_id is not None and published_speed(run) is not None and not own:
            network = _network(catalogue.model(model_id).transformer)
            found.setdefault((network, run.accelerator_id, run.method), []).append(run)
    return {key: tuple(members) for key, members in found.items()}
