"""The stack that nobody named, or how it was started: other ways it may be, with how many run so.

On a small cluster it may be a general trainer; on a large one, its owner's.
"""

import math
from dataclasses import replace

import numpy as np

from estimator.evidence.mixture import HELD, TOLD_FROM, WORTH_SAYING, Doubt, Times, Ways, borne
from estimator.models.kinds import decoder_share, kind_of
from estimator.models.training import WITH_ADAPTERS
from estimator.physics.choice import Fastest, Setting, fastest
from estimator.physics.constants import Constants
from estimator.physics.held_base import held_bits
from estimator.physics.stacks import LARGE_CLUSTER, VENDORS
from estimator.question.question import LayoutRequest, Question, Sharding

__all__ = [
    "BEARABLE_STACK",
    "GENERAL_TRAINER",
    "GENERAL_TRAINER_SHARE",
    "LEFT_IDLE",
    "OWN_SCRIPTS",
    "stack_doubts",
    "with_own_stacks",
]

GENERAL_TRAINER = "huggingface"
LEFT_IDLE = "devices_left_idle"
"""Code of the warning that a stack uses one device unless it is started otherwise."""
OWN_SCRIPTS = frozenset({"huggingface", "trl", "fastchat", "open-instruct"})
"""Trainers that scripts of users' own call; front ends set a quantised base's compute type to the training's."""
BEARABLE_STACK = 4.0
"""Times as long for a trainer as people still run and ask about; beyond it shares fall with the square, for most change
it sooner than a network."""
GENERAL_TRAINER_SHARE = 0.5
"""Share of single devices, of those whose owners name no stack, that run a general trainer; it falls with the log of
their count."""
_GENERAL_TRAINER_SHARE_OF_SLOW = 0.6
"""The same of up to eight that a slow network joins, which who would run a vendor's stack does not train over."""
_BEARABLE_NETWORK = 8.0
"""Times as long as those bear it who have no other network."""
_SLOW_BYTES_PER_S = 6.25e9
"""A node's network below which it is slow: 50 Gb/s."""
_LIBRARIES = frozenset({"fsdp", "pytorch"})
"""What trainers are made of: who adds adapters and names no more has a script of few lines, or PEFT's under a general
trainer, in equal parts."""
_WITHOUT_GENERAL_TRAINERS = frozenset({"mlx"})
"""Stacks of chips on which hardly anybody runs a general trainer: its 4-bit bases and fused attention are CUDA's."""
_WRAPS_IN_ONE_PROCESS = frozenset({"axolotl", "fastchat", "huggingface", "trl"})
"""Stacks whose scripts run Transformers' Trainer in whatever process starts them. LLaMA-Factory refuses several devices
in one; scripts on Accelerate alone use one device."""
_OF_DATA_PARALLEL = frozenset({"NVIDIA", "AMD"})
"""Makers of devices that PyTorch counts by `torch.cuda.device_count`, as the Trainer does."""
_WRAPPED = "started by python alone, Transformers' Trainer is under nn.DataParallel, which"
_ON_ONE_DEVICE = frozenset({"unsloth"})
"""Stacks whose notebooks leave other devices idle; several are used only since 2025."""
_STARTED_PLAINLY = 1.0 / 3.0
"""Share of those with two devices who start their script as its notebooks and examples do, without a launcher: one of
them is left idle, or works in turn with the other where a quantised base is loaded with `device_map="auto"`. Of devices
in turn it falls with the square of their number, for whoever has many looks how to use them. Of those left idle it does
so from `BEARABLE_STACK` on: to use one is what the stack does by itself, and nothing in a log shows that a few others
have no work; but nobody takes a hundred for what one does and does not see it."""
_IN_TURN_WHERE_NONE_HOLDS_IT = 0.6
"""Of devices in turn, where none holds the base alone and nobody named FSDP or DeepSpeed; it falls with the devices."""
_OWN_STACK = 1.27
"""Times as long as on a vendor's own stack. Steps of ten other labs on 32 to 1,000 of NVIDIA's devices and more, asked
as if no stack were named, took 1.20 times as long as said of the vendor's, labs alike; seven of them 1.13 to 1.49."""
_OWN_SLOW, _OWN_SLOW_SHARE = 1.8, 0.25
"""The slowest of them, and how many of those who say that theirs is their own have one as slow."""
_OWN_STACK_SHARE = 0.6
"""Share of those with a cluster, of those who name no stack, that train with one of their own or of research."""
_ONE_PROCESS = ((1.1, 0.4), (1.7, 0.35), (3.5, 0.25))
"""Times as long as with a process for each device, and how many of those who copy the model in each step are so much
slower: a tenth in Transformers' documentation (GPT-2 on two cards over NVLink), 2.5 and 4.4 times in two reports of
small networks over PCIe, whose threads wait for one interpreter (NeuralCodeSum, issue 10)."""
_ONE_NODE = 8
"""Devices up to which nobody is thought to run a stack of their own; from there their share grows with the log."""


def stack_doubts(setting: Setting, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt about a stack that nobody named: on a small cluster it may be a general trainer.

    Or on any where a library alone is named beside adapters. Dear, for the other stack's layouts are searched. None
    where a published run's stack was taken over. Of a stack that leaves all but one device idle unless it is started
    otherwise, the doubt whether it was.
    """
    question = setting.question
    n = question.cluster.n_gpus
    if n > 1 and (question.practice.one_process or _is_wrapped(setting)):
        return (_one_process(n, "nn.DataParallel" if question.practice.one_process else _WRAPPED),)
    if n > 1 and _is_start_unsaid(question):
        if question.framework in _ON_ONE_DEVICE:
            return (_idle_devices(setting, physical_s, constants),)
        if _may_work_in_turn(setting):
            return _in_turn(setting, physical_s, constants)
    alone = setting.stack.tier == "untuned" or setting.stack.name in _WITHOUT_GENERAL_TRAINERS
    library = question.framework in _LIBRARIES and question.method.name in WITH_ADAPTERS
    if not (_is_stack_unsaid(question) or library) or alone or n >= LARGE_CLUSTER:
        return ()
    found = _general_trainer(setting, constants, ("zero3",) if question.framework == "fsdp" else (None, "zero3"))
    factors = [best.step_s / physical_s for best in found]
    if not factors or math.log(max(factors)) < WORTH_SAYING:
        return ()
    share = GENERAL_TRAINER_SHARE * (1.0 if library else 1.0 - math.log(n) / math.log(LARGE_CLUSTER))
    bearable = BEARABLE_STACK
    if _is_network_slow(question):
        beyond_a_node = max(0.0, math.log(n / _ONE_NODE)) / math.log(LARGE_CLUSTER / _ONE_NODE)
        share, bearable = max(share, _GENERAL_TRAINER_SHARE_OF_SLOW * (1.0 - beyond_a_node)), _BEARABLE_NETWORK
    ways = tuple((factor, borne(share / len(factors), factor, bearable)) for factor in factors)
    share = sum(one for _, one in ways)
    whose = "name no trainer" if library else "name none"
    runs = f"of those who {whose} about {share:.0%} run it" if share > TOLD_FROM else "few would bear that"
    assumed = f"a lean script on {setting.stack.name}" if library else setting.stack.name
    where = ("", "with ZeRO-3 or FSDP")[: len(factors)]

    def words(times: Times) -> str:
        told = times.told(*where, assumed=f"on {setting.stack.name}")
        return f"{assumed} is assumed; Hugging Face's trainer would take {told}, and {runs}: name yours with framework"

    asked = tuple(replace(best.setting.question, unsaid=question.unsaid - {"framework"}) for best in found)
    return (
        Doubt(argument="framework", ways=ways, code="framework_unsaid", words=words, moves=not library, asked=asked),
    )


def with_own_stacks(setting: Setting, doubts: tuple[Doubt, ...]) -> tuple[Doubt, ...]:
    """Return `doubts` about the stack with one's own as a further way, where a vendor's is assumed on a cluster.

    Not on one node, where it may be a general trainer, nor where the stack is a published run's. Only decoders' steps
    tell of it, so that it is as likely as they tell of the network.
    """
    question, n = setting.question, setting.question.cluster.n_gpus
    told = decoder_share(question.transformer)
    if question.practice.own_experts and told > HELD:
        return (*doubts, _own_experts(setting, told))
    vendors = _is_stack_unsaid(question) and setting.stack.name in VENDORS
    if not vendors or n <= _ONE_NODE or told <= HELD:
        return doubts
    if question.practice.own_stack:
        return (_own_stack(setting.stack.name, told),)
    share = told * _OWN_STACK_SHARE * min(1.0, math.log(n / _ONE_NODE) / math.log(LARGE_CLUSTER / _ONE_NODE))
    own = (_OWN_STACK, share)
    if doubts:
        (general,) = doubts
        return (replace(general, ways=(*general.ways, own)),)

    def words(times: Times) -> str:
        return (
            f"{setting.stack.name} is assumed; stacks of one's own and of research take about "
            f"{times.told('', assumed=f'on {setting.stack.name}')}, and of those who name none about {share:.0%} run "
            "one: name yours with framework"
        )

    asked = replace(
        question,
        practice=replace(question.practice, own_stack=True),
        global_batch_sequences=setting.global_batch,
    )
    return (Doubt(argument="framework", ways=(own,), code="tuned_stack_assumed", words=words, asked=(asked,)),)


def _own_ways(told: float) -> Ways:
    """Return how much longer steps take in code of one's own, on whatever it is written."""
    return ((_OWN_STACK, told * (1.0 - _OWN_SLOW_SHARE)), (_OWN_SLOW, told * _OWN_SLOW_SHARE))


def _own_stack(vendors: str, told: float) -> Doubt:
    def words(times: Times) -> str:
        return (
            f"a stack of one's own on a cluster is priced as {vendors}, {1.0 / times.assumed:.2f} times as long, as "
            "those of ten labs were in the middle: name what it is built on, or observed_tokens_per_second"
        )

    return Doubt(argument="framework", ways=_own_ways(told), code="own_stack", words=words)


def _own_experts(setting: Setting, told: float) -> Doubt:
    stack = setting.stack

    def words(times: Times) -> str:
        return (
            f"layers of one's own on {stack.name} are priced with the kernels of {stack.kin}, "
            f"{1.0 / times.assumed:.2f} times as long, as stacks of ten labs were in the middle: say "
            "observed_tokens_per_second"
        )

    return Doubt(argument="framework", ways=_own_ways(told), code="own_stack", words=words)


def _is_stack_unsaid(question: Question) -> bool:
    """Return whether the stack was neither said nor taken from a published run, or is one that nobody else has."""
    adopted = question.precedent is not None and question.precedent.stack_adopted
    return ("framework" in question.unsaid or bool(question.practice.own_stack)) and not adopted


def _is_start_unsaid(question: Question) -> bool:
    """Return whether nothing tells how devices come to share the work: no launcher, engine or layout."""
    practice, layout = question.practice, question.layout
    told = (practice.stages_alone, practice.zero_engine, layout.data_sharding, layout.pipeline_parallel)
    shared = (layout.tensor_parallel, layout.context_parallel, layout.expert_parallel)
    return all(one is None for one in (*told, *shared))


def _started_in_turn(n: int) -> float:
    return _STARTED_PLAINLY * (2.0 / n) ** 2


def _idle_devices(setting: Setting, physical_s: float, constants: Constants) -> Doubt:
    """Return the doubt whether one device does all of the batch: what n of them tell one another it is spared."""
    question = setting.question
    alone = fastest(_on_one_device(question, setting.global_batch), constants)
    # Where one does not hold it as it was asked, no more is known than that it does the work of n.
    factor = question.cluster.n_gpus if alone is None else alone.step_s / physical_s
    # However few they are: each of them still has to start it so.
    share = max(TOLD_FROM, borne(_STARTED_PLAINLY, factor, BEARABLE_STACK))

    def words(times: Times) -> str:
        return (
            f"{setting.stack.name} trains on one GPU unless it is started with torchrun or accelerate: started "
            f"plainly, it takes {times.told('', assumed='started with either')}; say n_gpus 1 if so, or how it is "
            "started in framework"
        )

    return Doubt(argument="n_gpus", ways=((factor, share),), code=LEFT_IDLE, words=words)


def _on_one_device(question: Question, batch: int) -> Question:
    """Return `question` on one of its devices, all else alike; a micro-batch that nobody told is what its share was."""
    micro = None if "micro_batch_size" in question.unsaid else question.layout.micro_batch_size
    return replace(
        question,
        cluster=replace(question.cluster, n_gpus=1),
        global_batch_sequences=batch,
        layout=LayoutRequest(micro_batch_size=micro, recompute=question.layout.recompute),
    )


def _is_wrapped(setting: Setting) -> bool:
    """Return whether Transformers' Trainer copies its model to all devices that one process sees.

    It does in a node, of models that one device holds, unless these are quantised (`Trainer._wrap_model`).
    """
    question, practice, n = setting.question, setting.question.practice, setting.question.cluster.n_gpus
    trainer = setting.stack.name in _WRAPS_IN_ONE_PROCESS and kind_of(question.transformer) != "diffusion"
    if not (practice.started_plainly and trainer and _is_start_unsaid(question)) or n > question.cluster.gpus_per_node:
        return False
    is_copied = not np.any(setting.layouts.knob("shard_stage")) and held_bits(question, practice) is None
    return is_copied and question.cluster.accelerator.vendor in _OF_DATA_PARALLEL


def _one_process(n: int, who: str) -> Doubt:
    """Return how much longer a step takes whose one process copies weights, launches kernels and gathers in turn."""

    def words(times: Times) -> str:
        return (
            f"{who} copies the model to {n:,} GPUs in every step and launches for them in turn: "
            f"{1.0 / times.assumed:.2g} times as long as with a process for each, 1.1 to 3.5, the longer the smaller "
            "the step; start the script with torchrun or accelerate launch (DDP)"
        )

    return Doubt(argument="framework", ways=_ONE_PROCESS, code="one_process", words=words)


def _may_work_in_turn(setting: Setting) -> bool:
    """Return whether a script of one's own may have split a quantised base over devices that work in turn.

    Trainers of denoisers load theirs onto one device.
    """
    question = setting.question
    quantised = question.method.name == "qlora" or question.practice.base_bits is not None
    return quantised and setting.stack.name in OWN_SCRIPTS and kind_of(question.transformer) != "diffusion"


def _in_turn(setting: Setting, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt whether devices work in turn; none where that makes no difference."""
    question, n = setting.question, setting.question.cluster.n_gpus
    asked = replace(question, global_batch_sequences=setting.global_batch)
    in_turn = replace(
        asked,
        practice=replace(question.practice, stages_alone=True),
        layout=replace(question.layout, pipeline_parallel=n),
    )
    best = fastest(in_turn, constants)
    if best is None or math.log(best.step_s / physical_s) < WORTH_SAYING:
        return ()
    alone = fastest(replace(asked, layout=replace(question.layout, data_sharding="ddp")), constants)
    factor = best.step_s / physical_s
    share = _started_in_turn(n)
    if alone is None:
        share = borne(_IN_TURN_WHERE_NONE_HOLDS_IT * 2.0 / n, factor, BEARABLE_STACK)

    def words(times: Times) -> str:
        return (
            f"{n:,} GPUs work in turn, {times.told('', assumed='each with its share')}, under a script that loads its "
            'base with device_map="auto" and is started without torchrun or accelerate: say device_map auto, torchrun, '
            "accelerate, DDP, FSDP or ZeRO-3 in framework"
        )

    ways = ((factor, share),)
    return (Doubt(argument="framework", ways=ways, code="devices_in_turn", words=words, asked=(in_turn,)),)


def _is_network_slow(question: Question) -> bool:
    """Return whether nodes are told to be joined by a network that hardly anybody's cluster for training has."""
    cluster = question.cluster
    told = "network_gbps_per_gpu" not in question.unsaid and cluster.n_gpus > cluster.gpus_per_node
    return told and cluster.scale_out_bytes_per_s * cluster.gpus_per_node < _SLOW_BYTES_PER_S


def _general_trainer(
    setting: Setting, constants: Constants, shardings: tuple[Sharding | None, ...]
) -> tuple[Fastest, ...]:
    """Return the layout of the step on a general trainer by the first of `shardings` that fits; none: nothing.

    What was told of micro-batch and recomputation stays, unless it leaves nothing. Of nodes that a slow network joins
    by all of them: what is sharded takes several times as long there.
    """
    question = setting.question
    told = LayoutRequest(micro_batch_size=question.layout.micro_batch_size, recompute=question.layout.recompute)
    plain = replace(question, framework=GENERAL_TRAINER, global_batch_sequences=setting.global_batch)
    found: list[Fastest] = []
    for sharding in shardings if question.cluster.n_gpus > 1 else (None,):
        layouts = dict.fromkeys((replace(told, data_sharding=sharding), LayoutRequest(data_sharding=sharding)))
        tried = (fastest(replace(plain, layout=layout), constants) for layout in layouts)
        if (best := next((one for one in tried if one is not None), None)) is not None:
            found.append(best)
            if not _is_network_slow(question):
                break
    return tuple(found)
