"""What a caller left unsaid that one run has and another has not: each is priced, and the range holds both.

A conformal range holds what runs alike differ by. It cannot know that a cluster has plain Ethernet, or that a 4-bit
base is expanded to FP32; where such a thing is unsaid and likely on the stack, the step is priced each way, and each
way has a share: of those who leave it unsaid, how many run so. `estimator.evidence.mixture` joins them.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from estimator.evidence.micro_batches import micro_batch_doubt
from estimator.evidence.mixture import HELD, WORTH_SAYING, Doubt, Ways, borne
from estimator.evidence.networks import network_doubt, other_networks
from estimator.evidence.releases import release_doubts
from estimator.models.diffusion.sample import CACHED, with_conditioners
from estimator.models.kinds import kind_of
from estimator.models.training import WITH_ADAPTERS
from estimator.models.workload import workload
from estimator.physics.case import Case
from estimator.physics.choice import Setting, fastest, posed_case
from estimator.physics.constants import Constants
from estimator.physics.execution import execution_of
from estimator.physics.layout import Layouts
from estimator.physics.loading import reading_s
from estimator.physics.matmul import Products
from estimator.physics.stacks import LARGE_CLUSTER, Stack
from estimator.physics.step import step_time
from estimator.question.question import Caution, LayoutRequest, Question, Sharding

__all__ = ["doubts_of", "stack_doubts", "with_own_stacks"]

_GENERAL_TRAINER = "huggingface"
_OWN_SCRIPTS = frozenset({"huggingface", "trl", "fastchat", "open-instruct"})
"""Trainers that scripts of users' own call; front ends set a quantised base's compute type to the training's."""
_BEARABLE_STACK = 4.0
"""Times as long for a trainer as people still run and ask about; beyond it shares fall with the square, for most change
it sooner than a network."""
_EXPANDED_BASE = 0.4
"""Share of scripts of one's own that leave bitsandbytes' compute type at FP32, or at a BF16 that the chip lacks: about
half of those of 2023, fewer since notebooks set it."""
_EXPANDED_BY_SCRIPT = 0.5
"""The same of a script whose own default that is: QLoRA's first command has no precision, its examples set `bf16`."""
_FULL_PRECISION = 0.4
"""Share of those who train an encoder of text or pictures on Hugging Face's trainer, and say nothing of precision, that
leave it at FP32, as the trainer does unless told and its guides for classification do; notebooks and scripts that
people copy to save time set `fp16`. Guides for translation and speech set it, too, and checkpoints of decoders are
loaded in the 16 bits that they are stored in."""
_FULL_PRECISION_OF_PAIRS = 0.25
"""The same of pairs of texts: its trainer leaves it at FP32 as well, and sentence-transformers' own examples set `fp16`
or `bf16` since its version 3."""
_FULL_PRECISION_OF_EXAMPLES = 0.6
"""The same where examples of the framework itself set nothing (Keras, detectron2, DETR, torchvision's references)."""
_STORED_IN_FP32 = frozenset({"encoder", "vision"})
_GENERAL_TRAINER_SHARE = 0.5
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
_ON_ONE_DEVICE = frozenset({"unsloth"})
"""Stacks whose notebooks leave other devices idle; several are used only since 2025."""
_STARTED_PLAINLY = 1.0 / 3.0
"""Share of those with two devices who start their script as its notebooks and examples do, without a launcher: one of
them is left idle, or works in turn with the other where a quantised base is loaded with `device_map="auto"`. It falls
with the square of the devices, for whoever has many looks how to use them."""
_IN_TURN_WHERE_NONE_HOLDS_IT = 0.6
"""Of devices in turn, where none holds the base alone and nobody named FSDP or DeepSpeed; it falls with the devices."""
_NO_WORKERS = 1.0 / 3.0
"""Share of those on Hugging Face's trainer who read pictures without workers, as it does unless it is told: of a dozen
published scripts two do, and whoever starts from its documentation or a notebook."""
_NO_WORKERS_FOR_SOUNDS = 0.4
"""The same of those who train on sounds whose features were stored: its own recipes for speech, which most copy, have
none, and who has several devices sees them wait."""
_PADDED = 1.8
"""Times as many positions as tokens where micro-batches of two to eight samples are padded to their longest."""
_PADS = 0.4
"""Share of those who fine-tune on a trainer that pads unless told, and tell tokens alone, whose tokens are real ones in
samples of unlike length that it pads."""
_TRAINED_ANEW = 256
"""Pictures of a step from which on a denoiser is trained anew: DiT has 256, Stable Diffusion 2,048; tuning a few."""
_ENCODES = 0.5
"""Share of those who train one anew, and say nothing of it, that encode in each step: the code of latent diffusion and
of DiT does, and billions of latents fill tens of terabytes; MosaicML's, PixArt and Stable Diffusion 3 keep them."""
_KNOWS_ENDS = 0.5
"""Share of those who pack on a trainer that needs FlashAttention to know where samples end, and say nothing of
attention, that have it: TRL's documentation and a warning ask for it; it is a package apart, and all runs without."""
_FEW = 0.01
"""Share that a range of nine tenths need not hold."""
_OWN_STACK = 1.27
"""Times as long as on a vendor's own stack. Steps of ten other labs on 32 to 1,000 of NVIDIA's devices and more, asked
as if no stack were named, took 1.20 times as long as said of the vendor's, labs alike; seven of them 1.13 to 1.49."""
_OWN_SLOW, _OWN_SLOW_SHARE = 1.8, 0.25
"""The slowest of them, and how many of those who say that theirs is their own have one as slow."""
_OWN_STACK_SHARE = 0.6
"""Share of those with a cluster, of those who name no stack, that train with one of their own or of research."""
_VENDORS = frozenset({"nemo", "megatron", "primus", "mindspeed"})
"""Stacks that are assumed where none is named, of those that others than a chip's vendor seldom run as tuned."""
_ONE_NODE = 8
"""Devices up to which nobody is thought to run a stack of their own; from there their share grows with the log."""


def doubts_of(
    setting: Setting, layouts: Layouts, physical_s: float, constants: Constants, products: Products
) -> tuple[Doubt, ...]:
    """Return what is unsaid of a setting and matters to its one layout, which takes `physical_s` a step."""

    def factor(case: Case) -> float:
        # Whatever else is doubted of a case with the setting's own matrices, nothing that they are timed by is.
        known = products if case.matrices is setting.case.matrices else None
        return float(step_time(case, layouts, constants, known).total_s[0]) / physical_s

    found: list[Doubt] = []
    for make, others in _other_ways(setting):
        ways = tuple((factor(case), share) for case, share in others)
        if max(abs(math.log(factor)) for factor, _ in ways) > WORTH_SAYING:
            found.append(make(ways))
    found += micro_batch_doubt(setting, layouts, physical_s, constants)
    found += _padded_samples(setting)
    return (*found, *release_doubts(setting, physical_s, constants))


_Others = tuple[tuple[Case, float], ...]
"""The case and the share of each other way; empty where there is none."""


def _other_ways(setting: Setting) -> Iterator[tuple[Callable[[Ways], Doubt], _Others]]:
    """Yield what is unsaid of a setting, as what makes a doubt of it, and the other ways."""
    if others := _with_wide_base(setting):
        yield partial(_wide_base, setting.question), others
    if others := _in_full_precision(setting):
        whose = "the framework" if setting.question.practice.full_precision else "Hugging Face's trainer"
        yield partial(_full_precision, whose), others
    if others := _on_other_networks(setting):
        yield partial(network_doubt, setting.question.cluster), others
    if others := _without_workers(setting):
        yield partial(_read_between_steps, bool(setting.question.reads.numbers)), others
    if others := _encoding_in_each_step(setting):
        yield _encoded_in_each_step, others
    if others := _with_known_ends(setting):
        yield partial(_one_mask, setting.stack.name), others


def _with_wide_base(setting: Setting) -> _Others:
    question, stack = setting.question, setting.stack
    if "precision" not in question.unsaid or question.method.name != "qlora" or stack.name not in _OWN_SCRIPTS:
        return ()
    if _expands_to_tf32(question):
        return ((_in_precision("tf32", question, stack), _EXPANDED_BY_SCRIPT),)
    has_bf16 = "bf16" in question.cluster.accelerator.peak_flop_per_s
    return () if has_bf16 else ((_in_precision("fp32", question, stack), _EXPANDED_BASE),)


def _expands_to_tf32(question: Question) -> bool:
    """Return whether a script does so with a quantised base unless told, on a chip that has it."""
    return bool(question.practice.expands_base_wide) and "tf32" in question.cluster.accelerator.peak_flop_per_s


def _in_full_precision(setting: Setting) -> _Others:
    question, stack, chip = setting.question, setting.stack, setting.question.cluster.accelerator
    by_default = stack.name == _GENERAL_TRAINER or bool(question.practice.full_precision)
    unsaid = "precision" in question.unsaid and by_default and not question.published
    # Whoever trains from scratch sets it; TPUs have no other units.
    tuned = question.small_set and chip.family != "tpu"
    if not (unsaid and tuned and kind_of(question.transformer) in _STORED_IN_FP32) or question.precision == "fp32":
        return ()
    share = _FULL_PRECISION if question.sequences_each == 1 else _FULL_PRECISION_OF_PAIRS
    if question.practice.full_precision:
        share = _FULL_PRECISION_OF_EXAMPLES
    # PyTorch and TensorFlow let convolutions be multiplied as TF32, PyTorch no other products.
    convolved = not workload(question.transformer).attentions or stack.name == "jax"
    wide = "tf32" if convolved and "tf32" in chip.peak_flop_per_s else "fp32"
    return ((_in_precision(wide, question, stack), share),)


def _in_precision(precision: str, question: Question, stack: Stack) -> Case:
    return posed_case(replace(question, precision=precision), execution_of(question, stack))


def _on_other_networks(setting: Setting) -> _Others:
    if "network_gbps_per_gpu" not in setting.question.unsaid or setting.stack.tier != "untuned":
        return ()
    networks = other_networks(setting.question.cluster)
    return tuple((replace(setting.case, scale_out_bytes_per_s=speed), share) for speed, share in networks)


def _without_workers(setting: Setting) -> _Others:
    question = setting.question
    unsaid = setting.stack.kin == _GENERAL_TRAINER and question.practice.loader_workers is None
    # Who publishes a speed has seen to it that samples are there in time.
    if not unsaid or not np.any(setting.case.as_people_run):
        return ()
    share = _NO_WORKERS_FOR_SOUNDS if question.reads.numbers else _NO_WORKERS
    return ((replace(setting.case, reading_s=reading_s(question.reads), loader_workers=0.0), share),)


def _encoding_in_each_step(setting: Setting) -> _Others:
    """Return the frozen encoders of a denoiser in each step, where it is trained anew and nobody said either."""
    question = setting.question
    anew = question.method.name == "full" and not question.published and setting.global_batch >= _TRAINED_ANEW
    if not anew or not question.transformer.conditioners:
        return ()
    running = replace(question, transformer=with_conditioners(question.transformer, CACHED))
    return ((posed_case(running, execution_of(question, setting.stack)), _ENCODES),)


def _with_known_ends(setting: Setting) -> _Others:
    """Return FlashAttention in place of one mask over the packed samples of a micro-batch, where neither is said."""
    question, stack = setting.question, setting.stack
    if question.practice.attention is not None or not execution_of(question, stack).masked_batches:
        return ()
    flash = execution_of(replace(question, practice=replace(question.practice, attention="flash_2")), stack)
    if not flash.attention.startswith("flash"):
        return ()
    return ((posed_case(question, flash), _KNOWS_ENDS),)


def stack_doubts(setting: Setting, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt about a stack that nobody named: on a small cluster it may be a general trainer.

    Or on any where a library alone is named beside adapters. Dear, for the other stack's layouts are searched. None
    where a published run's stack was taken over. Of a stack that leaves all but one device idle unless it is started
    otherwise, the doubt whether it was.
    """
    question = setting.question
    n = question.cluster.n_gpus
    if n > 1 and _is_start_unsaid(question):
        if question.framework in _ON_ONE_DEVICE:
            return (_idle_devices(setting.stack.name, n),)
        if _may_work_in_turn(setting):
            return _in_turn(setting, physical_s, constants)
    alone = setting.stack.tier == "untuned" or setting.stack.name in _WITHOUT_GENERAL_TRAINERS
    library = question.framework in _LIBRARIES and question.method.name in WITH_ADAPTERS
    if not (_is_stack_unsaid(question) or library) or alone or n >= LARGE_CLUSTER:
        return ()
    found = _general_trainer_s(setting, constants, ("zero3",) if question.framework == "fsdp" else (None, "zero3"))
    factors = [seconds / physical_s for seconds in found]
    if not factors or math.log(max(factors)) < WORTH_SAYING:
        return ()
    share = _GENERAL_TRAINER_SHARE * (1.0 if library else 1.0 - math.log(n) / math.log(LARGE_CLUSTER))
    bearable = _BEARABLE_STACK
    if _is_network_slow(question):
        beyond_a_node = max(0.0, math.log(n / _ONE_NODE)) / math.log(LARGE_CLUSTER / _ONE_NODE)
        share, bearable = max(share, _GENERAL_TRAINER_SHARE_OF_SLOW * (1.0 - beyond_a_node)), _BEARABLE_NETWORK
    ways = tuple((factor, borne(share / len(factors), factor, bearable)) for factor in factors)
    share = sum(one for _, one in ways)
    whose = "name no trainer" if library else "name none"
    runs = f"of those who {whose} about {share:.0%} run it" if share > _FEW else "few would bear that"
    assumed = f"a lean script on {setting.stack.name}" if library else setting.stack.name
    sharded = f", {max(factors):.1f} with ZeRO-3 or FSDP" if len(factors) > 1 else ""
    message = (
        f"{assumed} is assumed; Hugging Face's trainer would take {factors[0]:.1f} times as long here{sharded}, and "
        f"{runs}: name yours with framework"
    )
    caution = Caution(code="framework_unsaid", message=message)
    return (Doubt(argument="framework", ways=ways, caution=caution, moves=not library),)


def with_own_stacks(setting: Setting, doubts: tuple[Doubt, ...]) -> tuple[Doubt, ...]:
    """Return `doubts` about the stack with one's own as a further way, where a vendor's is assumed on a cluster.

    Not on one node, where it may be a general trainer, nor where the stack is a published run's. Only decoders' steps
    tell of it.
    """
    question, n = setting.question, setting.question.cluster.n_gpus
    vendors = _is_stack_unsaid(question) and setting.stack.name in _VENDORS
    if not vendors or n <= _ONE_NODE or kind_of(question.transformer) != "decoder":
        return doubts
    if question.practice.own_stack:
        return (_own_stack(setting.stack.name),)
    share = _OWN_STACK_SHARE * min(1.0, math.log(n / _ONE_NODE) / math.log(LARGE_CLUSTER / _ONE_NODE))
    own = (_OWN_STACK, share)
    if doubts:
        (general,) = doubts
        return (replace(general, ways=(*general.ways, own)),)
    message = (
        f"{setting.stack.name} is assumed; stacks of one's own and of research took about {_OWN_STACK:.1f} times as "
        f"long, and of those who name none about {share:.0%} run one: name yours with framework"
    )
    caution = Caution(code="tuned_stack_assumed", message=message)
    return (Doubt(argument="framework", ways=(own,), caution=caution),)


def _own_stack(vendors: str) -> Doubt:
    ways = ((_OWN_STACK, 1.0 - _OWN_SLOW_SHARE), (_OWN_SLOW, _OWN_SLOW_SHARE))
    message = (
        f"a stack of one's own on a cluster is priced as {vendors}, {_OWN_STACK:.2f} times as long, as those of ten "
        "labs were in the middle: name what it is built on, or observed_tokens_per_second"
    )
    return Doubt(argument="framework", ways=ways, caution=Caution(code="own_stack", message=message))


def _is_stack_unsaid(question: Question) -> bool:
    """Return whether the stack was neither said nor taken from a published run, or is one that nobody else has."""
    adopted = question.precedent is not None and question.precedent.stack_adopted
    return ("framework" in question.unsaid or bool(question.practice.own_stack)) and not adopted


def _is_start_unsaid(question: Question) -> bool:
    """Return whether nothing tells how devices come to share the work: no launcher, engine or layout."""
    practice, layout = question.practice, question.layout
    told = (practice.stages_alone, practice.zero_engine, layout.data_sharding, layout.pipeline_parallel)
    return all(one is None for one in told)


def _started_plainly(n: int) -> float:
    return _STARTED_PLAINLY * (2.0 / n) ** 2


def _idle_devices(stack: str, n: int) -> Doubt:
    ways = ((n, _started_plainly(n)),)
    message = (
        f"{stack} trains on one GPU unless it is started with torchrun or accelerate: started plainly, it takes {n:,} "
        "times as long; say n_gpus 1 if so, or how it is started in framework"
    )
    return Doubt(argument="n_gpus", ways=ways, caution=Caution(code="devices_left_idle", message=message))


def _may_work_in_turn(setting: Setting) -> bool:
    """Return whether a script of one's own may have split a quantised base over devices that work in turn.

    Trainers of denoisers load theirs onto one device.
    """
    question = setting.question
    quantised = question.method.name == "qlora" or question.practice.base_bits is not None
    return quantised and setting.stack.name in _OWN_SCRIPTS and kind_of(question.transformer) != "diffusion"


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
    share = _started_plainly(n) if alone is not None else _IN_TURN_WHERE_NONE_HOLDS_IT * 2.0 / n
    factor = best.step_s / physical_s
    message = (
        f"{n:,} GPUs work in turn, {factor:.1f} times as long, under a script that loads its base with "
        'device_map="auto" and is started without torchrun or accelerate: say device_map auto, torchrun, accelerate, '
        "DDP, FSDP or ZeRO-3 in framework"
    )
    caution = Caution(code="devices_in_turn", message=message)
    return (Doubt(argument="framework", ways=((factor, share),), caution=caution),)


def _is_network_slow(question: Question) -> bool:
    """Return whether nodes are told to be joined by a network that hardly anybody's cluster for training has."""
    cluster = question.cluster
    told = "network_gbps_per_gpu" not in question.unsaid and cluster.n_gpus > cluster.gpus_per_node
    return told and cluster.scale_out_bytes_per_s * cluster.gpus_per_node < _SLOW_BYTES_PER_S


def _general_trainer_s(
    setting: Setting, constants: Constants, shardings: tuple[Sharding | None, ...]
) -> tuple[float, ...]:
    """Return physical seconds of the step on a general trainer by the first of `shardings` that fits; none: nothing.

    Of nodes that a slow network joins by all of them: what is sharded takes several times as long there.
    """
    question = setting.question
    found: list[float] = []
    for sharding in shardings if question.cluster.n_gpus > 1 else (None,):
        plain = replace(
            question,
            framework=_GENERAL_TRAINER,
            global_batch_sequences=setting.global_batch,
            layout=LayoutRequest(data_sharding=sharding),
        )
        if (best := fastest(plain, constants)) is not None:
            found.append(best.step_s)
            if not _is_network_slow(question):
                break
    return tuple(found)


def _wide_base(question: Question, ways: Ways) -> Doubt:
    if _expands_to_tf32(question):
        unless, others = "the script is told bf16 or fp16", "tf32 or bf16"
    else:
        chip = question.cluster.accelerator.name
        unless, others = f"bnb_4bit_compute_dtype is float16, for {chip} has no BF16", "fp16 or fp32"
    message = (
        f"4-bit layers are computed in FP32, {ways[0][0]:.1f} times as long, unless {unless}; the range holds both: "
        f"say precision {others}"
    )
    return Doubt(argument="precision", ways=ways, caution=Caution(code="base_expanded_to_fp32", message=message))


def _full_precision(whose: str, ways: Ways) -> Doubt:
    ways = tuple((factor, borne(share, factor, _BEARABLE_STACK)) for factor, share in ways)
    message = (
        f"{whose} computes in FP32 unless fp16 or bf16 is set: a step would take "
        f"{ways[0][0]:.1f} times as long{_if_held(ways)}: say precision"
    )
    return Doubt(argument="precision", ways=ways, caution=Caution(code="trained_in_fp32", message=message))


def _if_held(ways: Ways) -> str:
    return ", and the range holds both" if sum(share for _, share in ways) > HELD else ""


def _read_between_steps(sounds: bool, ways: Ways) -> Doubt:
    ways = tuple((factor, borne(share, factor, _BEARABLE_STACK)) for factor, share in ways)
    message = (
        f"without dataloader workers, as about {ways[0][1]:.0%} run Hugging Face's trainer, a step would take "
        f"{ways[0][0]:.1f} times as long{_if_held(ways)}; {'sounds' if sounds else 'pictures'} are taken to be read "
        f'{"by workers" if sounds else "in time"}: say "4 dataloader workers" in framework'
    )
    return Doubt(argument="framework", ways=ways, caution=Caution(code="loader_unsaid", message=message))


def _encoded_in_each_step(ways: Ways) -> Doubt:
    message = (
        "latents and encoded texts are taken to be made before training; of so large sets as many runs make them in "
        f"each step, which would take {ways[0][0]:.1f} times as long, and the range holds both: say "
        '"cached latents" or "encode on the fly" in framework'
    )
    return Doubt(argument="framework", ways=ways, caution=Caution(code="encoded_before_training", message=message))


def _padded_samples(setting: Setting) -> tuple[Doubt, ...]:
    """Return the doubt whether tokens of a set to be tuned on are of samples that a trainer pads."""
    question = setting.question
    if "packing" not in question.unsaid:
        return ()
    share = _PADS if setting.stack.tuning_habit.packing == "padded" else _PADS * _GENERAL_TRAINER_SHARE
    message = (
        "tokens are taken to fill sequences; samples of unlike length, padded as fine-tuning scripts do unless told, "
        f"would take about {_PADDED:.1f} times as long, and the range holds both: give samples with tokens_per_sample, "
        'or packing "packed"'
    )
    caution = Caution(code="packing_unsaid", message=message)
    return (Doubt(argument="packing", ways=((_PADDED, share),), caution=caution, moves=False),)


def _one_mask(stack: str, ways: Ways) -> Doubt:
    message = (
        f"{stack} joins packed samples into one row, and unless attn_implementation is flash_attention_2 each token is "
        f"multiplied with all of the micro-batch under a mask; with it a step would take {ways[0][0]:.2f} times as "
        'long, and the range holds both: say "flash attention 2" or "sdpa" in framework'
    )
    return Doubt(argument="framework", ways=ways, caution=Caution(code="packed_under_a_mask", message=message))
