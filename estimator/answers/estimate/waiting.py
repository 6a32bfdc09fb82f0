"""Devices that mostly wait, for one another or for their host: over what, and what would help, found by trying."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from estimator.answers.estimate.token_time import predicted_token_s
from estimator.answers.estimate.waits import MOSTLY, host_share, waiting_share
from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.evidence.calibration import Calibration
from estimator.models.parameters import takes_adapters
from estimator.models.training import Method
from estimator.physics.choice import Setting
from estimator.question.question import Caution, Prediction, Question, Sharding

__all__ = ["mostly_waiting", "waiting_words"]

_CODE = "mostly_waiting"
_SAID_ALREADY = frozenset(
    {"fewer_gpus_are_faster", "other_batch_is_faster", "devices_in_turn", "devices_left_idle", "network_slow"}
)
"""Warnings that tell why devices wait, or that they may not."""
_HELPS = 0.85
"""Of the time a token takes now, from which on a change is worth making."""
_MOST_NAMED = 3
_NOTHING_HELPS = "no larger batch or micro-batch and no other sharding changes that"
_TIMES_THE_BATCH = 4
_TIMES_THE_MICRO_BATCH = (2, 4, 8)
_A_LAYER_AS_ONE = 1.0
"""Units that are gathered of a layer which a sharded stack takes as a whole."""
_LINKS = {"pcie": "PCIe", "nvlink": "NVLink", "xgmi": "xGMI", "ici": "ICI", "neuronlink": "NeuronLink"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """A change of a run, and what says so."""

    words: str
    question: Question


def mostly_waiting(
    setting: Setting, fitted: Calibration, step: Prediction, said: Collection[str]
) -> tuple[Caution, ...]:
    """Return a warning where most of a step is waiting and none of the warnings `said` tells so, with what would help.

    Tried are adapters (unless the amount is one of pre-training), other sharding, larger micro-batches, a batch four
    times as large, a network as fast as the reference system's; what takes a token at least 15 % less time is named,
    with how much it takes. That devices wait for their host to launch kernels is told where that can be helped, for
    small steps are so.
    """
    question = setting.question
    waits, launches = waiting_share(step.breakdown), host_share(step.breakdown)
    for_host = launches > MOSTLY and question.transformer.media is None
    if not (waits > MOSTLY or for_host) or _SAID_ALREADY & {*said} or question.local is not None:
        return ()
    now_s = step.step_s / step.tokens_per_step
    if question.precedent is not None:
        now_s = predicted_token_s(replace(question, precedent=None), fitted)
    helped = sorted(
        (round(share, 2), way.words)
        for way in _ways(setting, step)
        # What leaves the micro-batch open has said what another would do.
        if not (way.words.startswith("micro_batch_size") and "micro_batch_unsaid" in said)
        if (share := predicted_token_s(replace(way.question, precedent=None), fitted) / now_s) <= _HELPS
    )
    # Of each argument the best alone.
    named = {words.split()[0]: (share, words) for share, words in reversed(helped)}
    best = sorted(named.values())[:_MOST_NAMED]
    told = "; or ".join(f"{words}, {share:.2g} times as long per token" for share, words in best)
    first = ", the most first" if len(best) > 1 else ""
    would = f"what would help{first}: say {told}" if told else _NOTHING_HELPS
    if not for_host:
        return (Caution(code=_CODE, message=f"{waits:.0%} of a step is {waiting_words(setting, step)}: {would}"),)
    if not told:
        return ()
    return (Caution(code=_CODE, message=f"{launches:.0%} of a step is {_host_words(setting, step)}: {would}"),)


def waiting_words(setting: Setting, step: Prediction) -> str:
    """Return for what devices wait for one another most, in words that follow `is`."""
    cluster = setting.question.cluster
    bubble, communication = step.breakdown.get("bubble", 0.0), step.breakdown.get("communication", 0.0)
    if bubble > communication:
        return f"waiting of {step.layout.pipeline_parallel} pipeline stages for one another"
    if cluster.n_gpus > max(cluster.gpus_per_node, cluster.scale_up_domain):
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
            words='method "lora" (another training: adapters on frozen weights; of the same batch and length)',
            question=replace(kept, method=Method(name="lora")),
        )
    # Engines keep in host memory what each device fetches its share of.
    shardings = () if question.practice.offload_parameters else get_args(Sharding)
    for sharding in shardings:
        if sharding != step.layout.data_sharding:
            layout = replace(question.layout, data_sharding=sharding)
            yield _Way(words=f"data_sharding {sharding}", question=replace(kept, layout=layout))
    for times in _TIMES_THE_MICRO_BATCH:
        micro = times * step.layout.micro_batch_size
        at_once, layout = micro * step.layout.data_parallel, replace(question.layout, micro_batch_size=micro)
        words = f"micro_batch_size {micro // each:,}"
        if batch % at_once == 0:
            yield _Way(words=words, question=replace(kept, layout=layout))
        elif at_once > batch:
            # A batch of one micro-batch grows with it.
            words += f" with global_batch_sequences {at_once // each:,}{assumed}"
            yield _Way(words=words, question=replace(question, layout=layout, global_batch_sequences=at_once))
    larger = _TIMES_THE_BATCH * batch
    yield _Way(
        words=f"global_batch_sequences {larger // each:,}{assumed}",
        question=replace(question, global_batch_sequences=larger),
    )
    cluster = question.cluster
    reference = cluster.accelerator.scale_out_bytes_per_s
    if cluster.n_gpus > cluster.gpus_per_node and reference > cluster.scale_out_bytes_per_s:
        gbps = math.floor(reference * BITS_PER_BYTE / GIGA)
        faster = replace(cluster, scale_out_bytes_per_s=reference)
        yield _Way(words=f"network_gbps_per_gpu {gbps:,}", question=replace(kept, cluster=faster))
