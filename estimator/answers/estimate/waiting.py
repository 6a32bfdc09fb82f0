"""Devices that mostly wait, for one another or for their host: over what, and what would help, found by trying."""

import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from estimator.answers.estimate.changes import on_splitting_stack
from estimator.answers.estimate.host_memory import host_memory
from estimator.answers.estimate.levers import levers_alone, levers_together
from estimator.answers.estimate.token_time import corrected_token_s, predicted_token_s
from estimator.answers.estimate.waits import MOSTLY, host_share, waiting_share
from estimator.base.units import BITS_PER_BYTE, GIGA, format_bytes
from estimator.evidence.calibration import Calibration
from estimator.evidence.mixture import told_times
from estimator.models.kinds import kind_of
from estimator.models.parameters import takes_adapters
from estimator.models.training import Method
from estimator.physics.choice import Fastest, Setting, fastest
from estimator.physics.memory import host_bytes_of, memory_of
from estimator.question.question import Caution, Prediction, Question, Sharding
from estimator.question.rows import with_more_rows

__all__ = ["mostly_waiting", "waiting_words"]

_CODE = "mostly_waiting"
_SAID_ALREADY = frozenset(
    {"fewer_gpus_are_faster", "other_batch_is_faster", "devices_in_turn", "devices_left_idle", "network_slow"}
)
"""Warnings that tell why devices wait, or that they may not."""
_HELPS = 0.85
"""Of the time that the run takes now, from which on a change is worth making."""
_MOST_NAMED = 3
_NOTHING_HELPS = "no larger batch or micro-batch, no other sharding and no memory saved changes that"
_MICRO_BATCH = "micro_batch_size"
_TIMES_THE_BATCH = 4
_TIMES_THE_MICRO_BATCH = (2, 4, 8)
_SPLITS = "megatron"
"""A stack that splits models over any network, on the devices it is made for."""
_A_LAYER_AS_ONE = 1.0
"""Units that are gathered of a layer which a sharded stack takes as a whole."""
_LINKS = {"pcie": "PCIe", "nvlink": "NVLink", "xgmi": "xGMI", "ici": "ICI", "neuronlink": "NeuronLink"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A change of a run, and what says so."""

    kinds: tuple[str, ...]
    """What it changes: of each the best alone is told."""
    words: str
    question: Question
    noted: str = ""
    """What else to know of it."""
    offloads: bool = False
    """Whether host memory must hold what it moves there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Help:
    """A way that helps."""

    share: float
    """Of the time that the run takes now."""
    words: str
    another_training: bool
    """Whether something else is trained by it."""

    @property
    def told(self) -> str:
        """What to say, and what the run takes then."""
        return f"{self.words}, {told_times(self.share)} as long"

    @property
    def rank(self) -> tuple[float, str]:
        """What ways are ordered by, the best first."""
        return round(self.share, 2), self.words


def mostly_waiting(
    setting: Setting, fitted: Calibration, step: Prediction, said: Collection[str]
) -> tuple[Caution, ...]:
    """Return a warning where most of a step is waiting and none of the warnings `said` tells so, with what would help.

    Tried are adapters (unless the amount is one of pre-training), other sharding, larger micro-batches, a batch four
    times as large, a network as fast as the reference system's, for pre-training over a network a stack that splits
    models, and what saves memory: room for a larger micro-batch, or for less sharding. What makes the run at least 15 %
    shorter is named, with how long it takes: padded rows are the longer the more there are in a micro-batch, so that
    one may gain a token much and a sample nothing. That devices wait for their host to launch kernels is told where
    that can be helped, for small steps are so.
    """
    question = setting.question
    waits, launches = waiting_share(step.breakdown), host_share(step.breakdown)
    for_host = launches > MOSTLY and question.transformer.media is None
    if not (waits > MOSTLY or for_host) or _SAID_ALREADY & {*said} or question.local is not None:
        return ()
    token_s = step.step_s / step.tokens_per_step
    if question.precedent is not None:
        token_s = predicted_token_s(replace(question, precedent=None), fitted)
    now_s = token_s * question.sequence_length
    ways = [*_ways(setting, step), *(() if for_host else (*_splitter(setting, step), *_savers(setting)))]
    # What leaves the micro-batch open has said what another would do.
    told_of = {_MICRO_BATCH} if "micro_batch_unsaid" in said else set[str]()
    best = _best((way for way in ways if told_of.isdisjoint(way.kinds)), fitted, now_s)
    told = "; or ".join(one.told for one in best)
    first = ", the most first" if len(best) > 1 else ""
    would = f"what would help{first}: say {told}" if told else _NOTHING_HELPS
    if for_host and not told:
        return ()
    what = _host_words(setting, step) if for_host else waiting_words(setting, step)
    share = launches if for_host else waits
    return (
        Caution(
            code=_CODE,
            message=f"{share:.0%} of a step is {what}: {would}",
            times=1.0 / best[0].share if best else 1.0,
            would=f"say {min(best, key=lambda one: one.another_training).told}" if best else "",
        ),
    )


def _best(ways: Iterable[_Way], fitted: Calibration, now_s: float) -> list[_Help]:
    """Return the most helpful of `ways`, of each kind one, over `now_s`, what a sequence takes now.

    Two changes together are worth it where they help as much more than either.
    """
    helps: dict[tuple[str, ...], _Help] = {}
    for way in ways:
        best = fastest(replace(way.question, precedent=None), fitted.constants)
        if best is None:
            continue
        share = corrected_token_s(best, fitted) * best.setting.question.sequence_length / now_s
        needed = _HELPS * min((helps[kind,].share for kind in way.kinds if (kind,) in helps), default=1.0)
        if share > (needed if len(way.kinds) > 1 else _HELPS):
            continue
        notes = [way.noted] if way.noted else []
        if way.offloads:
            host_bytes, device_bytes = _offloaded_bytes(best)
            if not host_memory(way.question).takes(host_bytes, device_bytes):
                continue
            notes.append(f"{format_bytes(host_bytes)} of host memory")
        words = f"{way.words} ({', '.join(notes)})" if notes else way.words
        found = _Help(share=share, words=words, another_training="method" in way.kinds)
        helps[way.kinds] = min(helps.get(way.kinds, found), found, key=lambda one: one.rank)
    return sorted(helps.values(), key=lambda one: one.rank)[:_MOST_NAMED]


def _offloaded_bytes(best: Fastest) -> tuple[float, float]:
    """Return what a node's own memory must hold of a layout's states, and what a device holds of them."""
    case, layout = best.setting.case, best.setting.layouts.taken(np.array([best.row]))
    return float(host_bytes_of(case, layout)[0]), float(memory_of(case, layout).total_bytes[0])


def waiting_words(setting: Setting, step: Prediction) -> str:
    """Return for what devices wait for one another most, in words that follow `is`."""
    cluster = setting.question.cluster
    bubble, communication = step.breakdown.get("bubble", 0.0), step.breakdown.get("communication", 0.0)
    if bubble > communication:
        return f"waiting of {step.layout.pipeline_parallel} pipeline stages for one another"
    if cluster.spans_network:
        gbps = cluster.scale_out_bytes_per_s * BITS_PER_BYTE / GIGA
        return f"communication, most of it over a network of {gbps:.3g} Gb/s a GPU"
    link = _LINKS.get(cluster.accelerator.scale_up_kind, cluster.accelerator.scale_up_kind)
    return f"communication between the GPUs of a node over {link}"


def _host_words(setting: Setting, step: Prediction) -> str:
    """Return for what devices wait for their host, in words that follow `is`."""
    units = float(np.max(setting.case.gathers))
    if step.layout.data_sharding != "zero3" or units <= _A_LAYER_AS_ONE:
        return "waiting for the host to launch each kernel of small micro-batches"
    return f"waiting for the host, which gathers {units:,.0f} parts of each layer one by one"


def _ways(setting: Setting, step: Prediction) -> Iterator[_Way]:
    """Yield changes to be tried, each with the batch as it is unless that is what changes."""
    question, batch, each = setting.question, setting.global_batch, setting.question.sequences_each
    kept = replace(question, global_batch_sequences=batch)
    assumed = f" ({batch // each:,} is assumed)" if question.global_batch_sequences is None else ""
    if question.method.name == "full" and takes_adapters(question.transformer) and not question.pretrains:
        yield _Way(
            kinds=("method",),
            words='method "lora"',
            question=replace(kept, method=Method(name="lora")),
            noted="another training: adapters on frozen weights; of the same batch and length",
        )
    # Engines keep in host memory what each device fetches its share of.
    shardings = () if question.practice.offload_parameters else get_args(Sharding)
    for sharding in shardings:
        if sharding != step.layout.data_sharding:
            layout = replace(question.layout, data_sharding=sharding)
            sharded = replace(kept, layout=layout)
            yield _Way(kinds=("data_sharding",), words=f"data_sharding {sharding}", question=sharded)
    as_laid_out = replace(question, layout=replace(question.layout, micro_batch_size=step.layout.micro_batch_size))
    for times in _TIMES_THE_MICRO_BATCH:
        micro, with_more = times * step.layout.micro_batch_size, with_more_rows(as_laid_out, times)
        at_once = micro * step.layout.data_parallel
        words = f"{_MICRO_BATCH} {micro // each:,}"
        if batch % at_once == 0:
            with_more = replace(with_more, global_batch_sequences=batch)
            yield _Way(kinds=(_MICRO_BATCH,), words=words, question=with_more)
        elif at_once > batch:
            # A batch of one micro-batch grows with it.
            words += f" with global_batch_sequences {at_once // each:,}{assumed}"
            grown = replace(with_more, global_batch_sequences=at_once)
            yield _Way(kinds=(_MICRO_BATCH,), words=words, question=grown)
    larger = _TIMES_THE_BATCH * batch
    words = f"global_batch_sequences {larger // each:,}{assumed}"
    if question.layout.micro_batch_size is not None:
        # Of padded rows another would be guessed in a larger batch.
        words = f"{_MICRO_BATCH} {question.layout.micro_batch_size // each:,} with {words}"
    yield _Way(
        kinds=("global_batch_sequences",),
        words=words,
        question=replace(question, global_batch_sequences=larger),
    )
    cluster = question.cluster
    reference = cluster.accelerator.scale_out_bytes_per_s
    if cluster.n_gpus > cluster.gpus_per_node and reference > cluster.scale_out_bytes_per_s:
        gbps = math.floor(reference * BITS_PER_BYTE / GIGA)
        faster = replace(cluster, scale_out_bytes_per_s=reference)
        with_it = replace(kept, cluster=faster)
        yield _Way(kinds=("network_gbps_per_gpu",), words=f"network_gbps_per_gpu {gbps:,}", question=with_it)


def _splitter(setting: Setting, step: Prediction) -> Iterator[_Way]:
    """Yield a stack that splits models, for pre-training over a network whose own stack gathers them across it.

    Stages pass activations on, which are a small part of the weights that sharding gathers for each micro-batch.
    """
    question, stack = setting.question, setting.stack
    splits = stack.model_parallel or step.layout.pipeline_parallel > 1
    if splits or not question.cluster.spans_network or question.method.name != "full" or not question.pretrains:
        return
    split = on_splitting_stack(question, _SPLITS)
    if split is None:
        return
    # How states are sharded was told with the engine that does it.
    sharding = None if question.practice.zero_engine is not None else question.layout.data_sharding
    yield _Way(
        kinds=("framework",),
        words=f'framework "{_SPLITS}"',
        question=replace(
            split,
            layout=replace(question.layout, data_sharding=sharding),
            global_batch_sequences=setting.global_batch,
        ),
        noted="another stack, which splits the model; of the same batch and length",
    )


def _savers(setting: Setting) -> Iterator[_Way]:
    """Yield what saves memory of the same batch, alone before together: kernels and optimizer, which need no host's.

    A micro-batch that was guessed for padded rows is said, for another would be guessed where there is more room.
    """
    question, each = setting.question, setting.question.sequences_each
    kept = replace(question, global_batch_sequences=setting.global_batch)
    micro, guessed = question.layout.micro_batch_size, _MICRO_BATCH in question.unsaid
    at_once = f" with {_MICRO_BATCH} {micro // each:,}" if guessed and micro is not None else ""
    if question.method.name == "lora" and kind_of(question.transformer) != "diffusion":
        quantised = replace(kept, method=replace(question.method, name="qlora"))
        words, note = f'method "qlora"{at_once}', "the frozen base in 4 bits"
        yield _Way(kinds=("method",), words=words, question=quantised, noted=note)
    so = replace(setting, question=kept)
    both = (change for change in levers_together(so) if change.kinds == ("kernels", "optimizer"))
    for change in (*levers_alone(so), *both):
        yield _Way(
            kinds=change.kinds,
            words=change.words + at_once,
            question=change.question,
            noted=change.note,
            offloads="offload" in change.kinds or "swap" in change.kinds,
        )
