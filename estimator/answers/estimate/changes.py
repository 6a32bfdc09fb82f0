"""Changes of a run that may make it fit: layouts, kernels, optimizers, host memory, machines, lengths and methods.

None is looked at here; see `does_not_fit`.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from estimator.answers.estimate.change import ANOTHER_PLACE, Change, Kind
from estimator.answers.estimate.levers import NARROW, levers_alone, levers_together, shards_tensors
from estimator.answers.estimate.selection import usd_per_gpu_hour
from estimator.catalogue import catalogue
from estimator.catalogue.forms import form_factor
from estimator.models.kinds import kind_of
from estimator.models.parameters import takes_adapters
from estimator.models.training import WITH_ADAPTERS, Method, MethodName
from estimator.physics.abilities import runs_triton, shards_states, trains_method
from estimator.physics.choice import Setting
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.practice import NOTHING_SAID, Practice
from estimator.question.question import LayoutRequest, Question
from estimator.resolve.framework.platforms import is_made_for

__all__ = ["changes_of_place", "changes_together", "on_splitting_stack", "single_changes"]

_LEAST_SEQUENCE = 512
_MOST_TIMES = 64
"""How many times the devices are looked at: whoever has one looks at a node, not at a thousand."""
_BUILT_IN = frozenset({"laptop", "SoC"})
"""Forms of a device that is part of a machine: nobody adds a second, or puts one in another's place."""
_FRUGAL = "unsloth"
"""The trainer that holds least for adapters on one device: its own kernels, and layers' inputs kept on the host."""
_LARGEST = 2
"""Devices with the most memory that are looked at in other counts."""
_HALVES = 2
_QUARTERS = (5, 6, 7)
"""Quarters of a count between it and its double."""
_OF_TEXT = frozenset({"decoder", "hybrid"})
"""Kinds of networks that stacks of pretraining split."""
_SPLITTERS: Mapping[MethodName, tuple[str, ...]] = MappingProxyType(
    {"full": ("torchtitan", "megatron"), "frozen": (), "lora": ("nemo",), "qlora": ()}
)
"""By method, stacks that split a decoder and are made to train it so. Adapters beside a base in 4 bits are trained by
none of them; they and LoRA by Transformers' trainers under FSDP."""
_SHARDED = "trl", "FSDP"
"""A trainer on several devices, with the engine that shards what none of them holds."""


def single_changes(setting: Setting) -> Iterator[Change]:
    """Yield every change to be tried alone, the smaller of a kind first."""
    yield from _layouts(setting)
    yield from levers_alone(setting)
    yield from (_with_length(change) for change in _elsewhere(setting))
    yield from _sequences(setting.question)


def _elsewhere(setting: Setting) -> Iterator[Change]:
    yield from _trainers(setting.question)
    if setting.question.cluster.n_gpus > 1:
        yield from _stacks(setting)
    yield from _counts(setting.question, finely=True)
    yield from _devices(setting.question)
    yield from _methods(setting.question)


def _with_length(change: Change) -> Change:
    """Return `change` with the length said that a published run gave: elsewhere that run is not asked about."""
    if change.question.precedent is None:
        return change
    return replace(change, arguments={**change.arguments, "sequence_length": change.question.sequence_length})


def _layouts(setting: Setting) -> Iterator[Change]:
    """Yield layouts that the caller ruled out: all that is open was tried."""
    question = setting.question
    asked, stated = question.layout, question.layout.by_argument()

    def change(layout: LayoutRequest, **arguments: str | int | None) -> Change:
        return Change(kinds=("layout",), question=replace(question, layout=layout), arguments=arguments)

    if asked.recompute not in {None, "full"}:
        yield change(replace(asked, recompute="full"), activation_recompute="full")
    each = question.sequences_each
    said = (asked.micro_batch_size or each) // each
    micro = said // _HALVES
    while micro:
        yield change(replace(asked, micro_batch_size=micro * each), micro_batch_size=micro)
        micro //= _HALVES
    if asked.recompute not in {None, "full"}:
        # Whatever else is stated: of ever smaller micro-batches the largest that fits is named.
        micro = said // _HALVES
        while micro:
            smaller = replace(asked, micro_batch_size=micro * each, recompute="full")
            yield change(smaller, micro_batch_size=micro, activation_recompute="full")
            micro //= _HALVES
    if asked.data_sharding not in {None, "zero3"} and question.cluster.n_gpus > 1:
        yield change(replace(asked, data_sharding="zero3"), data_sharding="zero3")
    degrees = ("tensor_parallel", "pipeline_parallel", "virtual_pipeline", "context_parallel", "expert_parallel")
    fixed = [name for name in degrees if stated[name] is not None]
    if fixed:
        free = LayoutRequest(
            data_sharding=asked.data_sharding, micro_batch_size=asked.micro_batch_size, recompute=asked.recompute
        )
        yield change(free, **dict.fromkeys(fixed))


def changes_together(setting: Setting, alone: Sequence[Change]) -> Iterator[Change]:
    """Yield two of the software's levers together, and a lever, adapters or a shorter sequence on more devices.

    Where less recomputation was stated than there may be, it is given up beside each of these.
    """
    yield from levers_together(setting)
    yield from _stacks_on_more(setting)
    for first in alone:
        if "activation_recompute" in first.arguments:
            yield from _recomputed(setting, first)
        if first.kinds[0] in ANOTHER_PLACE or first.kinds[0] == "layout":
            continue
        # On further devices it leaves them idle, or cannot be had.
        narrow = first.question.practice.optimizer in NARROW and shards_tensors(setting, _HALVES)
        more = [] if first.kinds[0] == "trainer" or narrow else [*_counts(first.question)]
        if first.kinds[0] != "sequence":
            more += _sequences(first.question)
        if "method" in first.arguments:
            more += _trainers(first.question)
        for second in more:
            yield _both(first, second)


def _recomputed(setting: Setting, first: Change) -> Iterator[Change]:
    """Yield a layout that recomputes all with each lever, another trainer, adapters or a shorter sequence."""
    recomputed = replace(setting, question=first.question)
    for second in (*levers_alone(recomputed), *_trainers(first.question), *_methods(first.question)):
        both = _both(first, second)
        # Named as what else it changes: a layout is the least of it.
        yield replace(both, kinds=(*second.kinds, *first.kinds))
    for second in _sequences(first.question):
        yield _both(first, second)


def _both(first: Change, second: Change) -> Change:
    return Change(
        kinds=(*first.kinds, *second.kinds),
        question=second.question,
        arguments={**first.arguments, **second.arguments},
        times=first.times * second.times,
        note=second.note,
        beside=first.words,
    )


def changes_of_place(setting: Setting) -> Iterator[Change]:
    """Yield more of the largest devices and the smallest micro-batches, for a run that nothing else makes fit."""
    layout, said = _smallest(setting.question)
    smallest = replace(setting.question, layout=layout)
    largest = [*_devices(smallest, segment="datacenter")]
    rented = [first for first in largest if usd_per_gpu_hour(str(first.arguments["gpu"])) is not None]
    places = (rented or largest)[-_LARGEST:]
    if not shards_states(setting.stack.name):
        # More of them hold no more under it.
        stacks = ((place, stack) for place in places for stack in _stacks(replace(setting, question=place.question)))
        places = [_both(place, stack) for place, stack in stacks]
    for first in places:
        for second in _counts(first.question):
            if second.question.cluster.n_gpus > smallest.cluster.n_gpus:
                yield Change(
                    kinds=(*first.kinds, *second.kinds),
                    question=second.question,
                    arguments={**first.arguments, **second.arguments, **said},
                    times=second.times,
                    note=second.note,
                    beside=first.words,
                )


def _smallest(question: Question) -> tuple[LayoutRequest, dict[str, str | int | None]]:
    """Return the stated layout with micro-batches of one and all recomputed, and the arguments that it states anew."""
    asked, each = question.layout, question.sequences_each
    layout, said = asked, dict[str, str | int | None]()
    if (asked.micro_batch_size or each) > each:
        layout, said["micro_batch_size"] = replace(layout, micro_batch_size=each), 1
    if asked.recompute not in {None, "full"}:
        layout, said["activation_recompute"] = replace(layout, recompute="full"), "full"
    return layout, said


def _trainers(question: Question) -> Iterator[Change]:
    """Yield the trainer that needs least memory for adapters, where it runs: on one of NVIDIA's devices."""
    cluster = question.cluster
    if cluster.n_gpus > 1 or cluster.accelerator.vendor != "NVIDIA" or question.method.name not in WITH_ADAPTERS:
        return
    if question.framework == _FRUGAL or not question.transformer.causal or kind_of(question.transformer) == "diffusion":
        return
    other = replace(question, framework=_FRUGAL, practice=NOTHING_SAID, released=None)
    yield Change(kinds=("trainer",), question=other, arguments={"framework": _FRUGAL})


def _stacks(setting: Setting) -> Iterator[Change]:
    """Yield stacks that split or shard a model where the one in use does not, and train decoders by its method."""
    question, stack, chip = setting.question, setting.stack, setting.question.cluster.accelerator
    is_foreign = not trains_method(stack.name, question.method.name)
    splits = bool(stack.model_parallel or stack.reserve)
    if (splits and not is_foreign) or kind_of(question.transformer) not in _OF_TEXT:
        return
    name, engine = _SHARDED
    copies = stack.tunes and not shards_states(stack.name)
    if (is_foreign or copies) and runs_triton(name, chip):
        layout, practice = replace(question.layout, data_sharding="zero3"), Practice(zero_engine="fsdp")
        other = replace(question, framework=name, practice=practice, released=None, layout=layout)
        yield Change(kinds=("stack",), question=other, arguments={"framework": f"{name}, {engine}"})
        # FSDP steps weights where they are.
        practice = replace(practice, offload_parameters=True, offload_optimizer=True)
        words = f"{name}, {engine}, param offload"
        fetched = replace(other, practice=practice)
        yield Change(kinds=("stack", "offload"), question=fetched, arguments={"framework": words})
    for name in _SPLITTERS[question.method.name]:
        split = on_splitting_stack(question, name)
        if split is not None:
            yield Change(kinds=("stack",), question=split, arguments={"framework": name})


def on_splitting_stack(question: Question, name: str) -> Question | None:
    """Return `question` on a stack that splits models of text; None where it is made for no such model, or device."""
    chip = question.cluster.accelerator
    made_for = kind_of(question.transformer) in _OF_TEXT and chip.segment == "datacenter" and is_made_for(name, chip)
    return replace(question, framework=name, practice=NOTHING_SAID, released=None) if made_for else None


def _stacks_on_more(setting: Setting) -> Iterator[Change]:
    """Yield another stack on more devices, where these hold no more under the one in use."""
    if shards_states(setting.stack.name):
        return
    for first in _stacks(setting):
        for second in _counts(first.question) if first.kinds == ("stack",) else ():
            yield _both(first, second)


def _counts(question: Question, *, finely: bool = False) -> Iterator[Change]:
    """Yield counts of devices: the nearest that divide better, then ever more; whole nodes between them if `finely`."""
    cluster = question.cluster
    n, node = cluster.n_gpus, cluster.accelerator.gpus_per_node
    if n == 1 and form_factor(cluster.accelerator.id) in _BUILT_IN:
        return
    power = 1 << (n.bit_length() - 1)
    near = {n // node * node, -(-n // node) * node, power} if n > node else {power}
    counts = [*sorted(near - {n, 0}, key=lambda count: abs(math.log(count / n)))]
    while power * _HALVES <= _MOST_TIMES * n:
        if finely:
            between = (power * quarters // 4 for quarters in _QUARTERS)
            counts += [count for count in between if count > n and count % node == 0]
        power *= _HALVES
        counts.append(power)
    for count in counts:
        yield Change(
            kinds=("count",),
            question=replace(question, cluster=_resized(cluster, count)),
            arguments={"n_gpus": count},
            times=max(count / n, n / count),
            note="more GPUs" if count > n else "fewer GPUs",
        )


def _resized(cluster: Cluster, count: int) -> Cluster:
    """Return the cluster with `count` devices; nodes that were only as large as the cluster grow with it."""
    whole = cluster.gpus_per_node if cluster.gpus_per_node < cluster.n_gpus else cluster.accelerator.gpus_per_node
    return replace(cluster, n_gpus=count, gpus_per_node=min(whole, count))


def _devices(question: Question, segment: str | None = None) -> Iterator[Change]:
    """Yield the maker's devices of one segment with more memory, the cheapest of each size, the least first.

    The device's own segment where none is given. Those without a price come last.
    """
    chip = question.cluster.accelerator
    form = form_factor(chip.id)
    # Who has a card cannot put a laptop's chip in its place.
    sold = (
        entry.accelerator
        for entry in catalogue.accelerators()
        if entry.status != "announced" and (entry.form_factor not in _BUILT_IN or entry.form_factor == form)
    )
    larger = [
        other
        for other in sold
        if (other.vendor, other.segment) == (chip.vendor, segment or chip.segment)
        and other.memory_bytes > chip.memory_bytes
        and (other.scale_up_kind != "pcie" or not question.cluster.outgrows_slots)
        and other.year >= chip.year
        and (question.precision in other.peak_flop_per_s or question.precision not in chip.peak_flop_per_s)
    ]
    usd = {other.id: usd_per_gpu_hour(other.id) or math.inf for other in larger}
    larger.sort(key=lambda other: usd[other.id], reverse=True)
    sizes = {other.memory_bytes: other for other in larger}
    # Where one has no price nobody can tell what it costs, or whether it is for rent.
    for other in sorted(sizes.values(), key=lambda other: (math.isinf(usd[other.id]), other.memory_bytes)):
        yield Change(
            kinds=("device",),
            question=replace(question, cluster=_of(other, question.cluster)),
            arguments={"gpu": other.id},
        )


def _of(chip: Accelerator, cluster: Cluster) -> Cluster:
    return Cluster(
        accelerator=chip,
        n_gpus=cluster.n_gpus,
        gpus_per_node=min(chip.gpus_per_node, cluster.n_gpus),
        scale_out_bytes_per_s=chip.scale_out_bytes_per_s,
    )


def _sequences(question: Question) -> Iterator[Change]:
    """Yield shorter sequences, the longest first; a stated batch keeps its tokens. Unlike rows are cut at them."""
    if question.transformer.reads_media_itself:
        return
    longest = math.ceil(question.sequence_length * question.longest_row)
    length = 1 << max(0, (longest - 1).bit_length() - 1)
    while length >= _LEAST_SEQUENCE:
        arguments: dict[str, str | int | None] = {"sequence_length": length}
        batch, usual = question.global_batch_sequences, min(length, question.sequence_length)
        if batch is not None:
            batch *= max(1, question.sequence_length // length)
            arguments["global_batch_sequences"] = batch // question.sequences_each
        shorter = replace(question, sequence_length=usual, longest_row=length / usual, global_batch_sequences=batch)
        times = question.sequence_length / usual
        yield Change(kinds=("sequence",), question=shorter, arguments=arguments, times=times)
        length //= _HALVES


def _methods(question: Question) -> Iterator[Change]:
    """Yield adapters, on a base in 16 bit and in 4; of those that are trained already, the base alone changes.

    None where a whole model is trained on more than fine-tuning takes: nobody pre-trains adapters.
    """
    if not takes_adapters(question.transformer) or (question.pretrains and question.method.name == "full"):
        return
    kind: Kind = "method"
    note = "another training: adapters on frozen weights"
    names: tuple[Literal["lora", "qlora"], ...] = ("lora", "qlora")
    if question.method.name in names:
        # Few quantise a denoiser's base so: its trainers hold it in 8 bits, which are a lever of their own.
        kind = "method" if kind_of(question.transformer) == "diffusion" else "base"
        note = "the frozen base in 4 bits"
        names = names[names.index(question.method.name) + 1 :]
    for name in names:
        # Of those that name no stack, adapters are trained on another than all weights.
        if question.framework != "auto" and not trains_method(question.framework, name):
            continue
        method = replace(question.method, name=name) if question.method.name == "lora" else Method(name=name)
        yield Change(kinds=(kind,), question=replace(question, method=method), arguments={"method": name}, note=note)
