"""What a caller left unsaid that one run has and another has not: each is priced, and the range holds both.

A conformal range holds what runs alike differ by. It cannot know that a cluster has plain Ethernet, or that a 4-bit
base is expanded to FP32; where such a thing is unsaid and likely on the stack, the step is priced each way, and each
way has a share: of those who leave it unsaid, how many run so. `estimator.evidence.mixture` joins them.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from estimator.evidence.micro_batches import micro_batch_doubt
from estimator.evidence.mixture import (
    TOLD_FROM,
    WORTH_SAYING,
    Doubt,
    Times,
    Ways,
    borne,
    if_held,
    read_beside,
    read_between,
)
from estimator.evidence.networks import network_doubts, transport_doubts
from estimator.evidence.recomputing import recompute_doubts
from estimator.evidence.releases import release_doubts
from estimator.evidence.stack_doubts import BEARABLE_STACK, GENERAL_TRAINER, GENERAL_TRAINER_SHARE, OWN_SCRIPTS
from estimator.models.diffusion.sample import CACHED, with_conditioners
from estimator.models.kinds import detects, kind_of
from estimator.models.workload import workload
from estimator.physics.case import Case
from estimator.physics.choice import Setting, fastest, posed_case
from estimator.physics.constants import Constants
from estimator.physics.execution import execution_of
from estimator.physics.habits import MICRO_BATCHES
from estimator.physics.layout import Layouts
from estimator.physics.loading import reading_s
from estimator.physics.matmul import Products
from estimator.physics.stacks import Stack
from estimator.physics.step import step_time
from estimator.question.question import LayoutRequest, Question

__all__ = ["doubts_of"]

_EXPANDED_BASE = 0.4
"""Share of scripts of one's own that leave bitsandbytes' compute type at FP32, or at a BF16 that the chip lacks: about
half of those of 2023, fewer since notebooks set it."""
_EXPANDED_BY_SCRIPT = 0.3
"""The same of a script whose own default that is: the first command of QLoRA's README has no precision, and all of its
commands for the models that it published set `bf16`, which is what most who name it copy."""
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
_FULL_PRECISION_OF_DETECTORS = 0.5
"""The same of detectors where no framework is named: theirs is nearly always one of these examples, and who trains on
a device with fast 16 bits often sets them."""
_STORED_IN_FP32 = frozenset({"encoder", "vision"})
_NO_WORKERS = 1.0 / 3.0
"""Share of those on Hugging Face's trainer who read pictures without workers, as it does unless it is told: of a dozen
published scripts two do, and whoever starts from its documentation or a notebook."""
_NO_WORKERS_FOR_SOUNDS = 0.6
"""The same of those who train on sounds whose features were stored: its own recipes for speech, which most copy, have
none, and who has several devices sees them wait."""
_NOTICED_READING = 0.5
"""Power of the factor by which fewer read without workers the longer it takes. A slow trainer is seen beside another; a
device that waits for samples shows in its utilization alone, and what makes its own work shorter, such as a larger
micro-batch or no recomputation, makes no sample wait longer."""
_DECODED_AS_READ = 0.7
"""Share of those who train an encoder of clips, and say nothing of it, whose clips are decoded from video files as they
are read: by decord in VideoMAE's code, PyAV in SlowFast's; some store frames, or decode on the device."""
_CORES_EACH = 6
"""Cores of a host for each of its devices: 40 of DGX-1 and 128 of DGX A100 for eight, less threads of other work."""
_PADDED = 1.8
"""Times as many positions as tokens where micro-batches of two to eight samples are padded to their longest."""
_USUAL_SAMPLE, _FEW_SAMPLES = 500.0, 2
"""Tokens of a sample of instructions, and samples of a micro-batch where a trainer has no habit."""
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


def doubts_of(
    setting: Setting,
    layouts: Layouts,
    physical_s: float,
    constants: Constants,
    products: Products,
    *,
    level_log: float = 0.0,
) -> tuple[Doubt, ...]:
    """Return what is unsaid of a setting and matters to its one layout, which takes `physical_s` a step.

    `level_log` is the level of runs of its kind, which is on all of a step and tells nothing of cores reading pictures.
    """

    def factor(case: Case) -> float:
        # Whatever else is doubted of a case with the setting's own matrices, nothing that they are timed by is.
        known = products if case.matrices is setting.case.matrices else None
        return float(step_time(case, layouts, constants, known).total_s[0]) / physical_s

    found: list[Doubt] = []
    for make, other in _other_ways(setting, level_log):
        ways = ((factor(other.case), other.share),)
        if abs(math.log(ways[0][0])) > WORTH_SAYING:
            asked = replace(other.question, global_batch_sequences=setting.global_batch)
            found.append(replace(make(ways), asked=(asked,)))
    found += network_doubts(setting, factor, physical_s, constants)
    found += transport_doubts(setting, factor, physical_s, constants)
    found += micro_batch_doubt(setting, layouts, physical_s, constants)
    found += recompute_doubts(setting, layouts, physical_s, constants)
    found += _padded_samples(setting, physical_s, constants)
    return (*found, *release_doubts(setting, physical_s, constants))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    """The other way that something unsaid may be."""

    case: Case
    question: Question
    """What asks for it."""
    share: float


def _other_ways(setting: Setting, level_log: float) -> Iterator[tuple[Callable[[Ways], Doubt], _Other]]:
    """Yield what is unsaid of a setting, as what makes a doubt of it, and the other way."""
    if other := _with_wide_base(setting):
        yield partial(_wide_base, setting.question), other
    if other := _in_full_precision(setting):
        yield partial(_full_precision, _who_computes_wide(setting), setting.question.precision), other
    if other := _without_workers(setting, level_log):
        yield partial(_read_between_steps, bool(setting.question.reads.numbers)), other
    if other := _decoding_clips(setting, level_log):
        yield _decoded_as_read, other
    if other := _encoding_in_each_step(setting):
        yield _encoded_in_each_step, other
    if other := _with_known_ends(setting):
        yield partial(_one_mask, setting.stack.name), other


def _with_wide_base(setting: Setting) -> _Other | None:
    question, stack = setting.question, setting.stack
    if "precision" not in question.unsaid or question.method.name != "qlora" or stack.name not in OWN_SCRIPTS:
        return None
    if _expands_to_tf32(question):
        return _in_precision("tf32", question, stack, _EXPANDED_BY_SCRIPT)
    has_bf16 = "bf16" in question.cluster.accelerator.peak_flop_per_s
    return None if has_bf16 else _in_precision("fp32", question, stack, _EXPANDED_BASE)


def _expands_to_tf32(question: Question) -> bool:
    """Return whether a script does so with a quantised base unless told, on a chip that has it."""
    return bool(question.practice.expands_base_wide) and "tf32" in question.cluster.accelerator.peak_flop_per_s


def _in_full_precision(setting: Setting) -> _Other | None:
    question, stack, chip = setting.question, setting.stack, setting.question.cluster.accelerator
    # Who trains a detector by nobody knows what has nearly always the code of an example.
    example = "framework" in question.unsaid and stack.name != GENERAL_TRAINER and detects(question.transformer)
    by_default = stack.name == GENERAL_TRAINER or bool(question.practice.full_precision) or example
    unsaid = "precision" in question.unsaid and by_default and not question.published
    # Whoever trains from scratch sets it, but in examples for pictures, which are of that; TPUs have no other units.
    kind = kind_of(question.transformer)
    left = question.small_set or (kind == "vision" and stack.name != GENERAL_TRAINER)
    if not (unsaid and left and kind in _STORED_IN_FP32) or question.precision == "fp32" or chip.family == "tpu":
        return None
    if question.practice.full_precision:
        share = _FULL_PRECISION_OF_EXAMPLES
    elif example:
        share = _FULL_PRECISION_OF_DETECTORS
    else:
        share = _FULL_PRECISION if question.sequences_each == 1 else _FULL_PRECISION_OF_PAIRS
    # PyTorch and TensorFlow let convolutions be multiplied as TF32, PyTorch no other products.
    convolved = not workload(question.transformer).attentions or stack.name == "jax"
    wide = "tf32" if convolved and "tf32" in chip.peak_flop_per_s else "fp32"
    return _in_precision(wide, question, stack, share)


def _who_computes_wide(setting: Setting) -> str:
    """Return whose code computes in FP32 unless told, in words."""
    if setting.question.practice.full_precision:
        return "the framework"
    return "Hugging Face's trainer" if setting.stack.name == GENERAL_TRAINER else "code of detectors"


def _in_precision(precision: str, question: Question, stack: Stack, share: float) -> _Other:
    asked = replace(question, precision=precision, unsaid=question.unsaid - {"precision"})
    return _Other(case=posed_case(asked, execution_of(question, stack)), question=asked, share=share)


def _without_workers(setting: Setting, level_log: float) -> _Other | None:
    question = setting.question
    unsaid = setting.stack.kin == GENERAL_TRAINER and question.practice.loader_workers is None
    # Who publishes a speed has seen to it that samples are there in time.
    if not unsaid or not np.any(setting.case.as_people_run):
        return None
    return _reading(setting, 0, level_log, _NO_WORKERS_FOR_SOUNDS if question.reads.numbers else _NO_WORKERS)


def _reading(setting: Setting, workers: int, level_log: float, share: float) -> _Other:
    """Return samples that are read by so many processes; pictures as long as cores take, without a level."""
    question = setting.question
    each_s = reading_s(question.reads) * (math.exp(-level_log) if question.reads.pictures else 1.0)
    return _Other(
        case=replace(setting.case, reading_s=each_s, loader_workers=float(workers)),
        question=replace(question, practice=replace(question.practice, loader_workers=workers)),
        share=share,
    )


def _decoding_clips(setting: Setting, level_log: float) -> _Other | None:
    """Return clips decoded from video files as they are read, where nobody says by how many; none of a denoiser's."""
    question = setting.question
    told = question.practice.loader_workers is not None or setting.stack.kin == GENERAL_TRAINER
    if told or not question.reads.passed or kind_of(question.transformer) != "vision":
        return None
    if not np.any(setting.case.as_people_run):
        return None
    return _reading(setting, _CORES_EACH, level_log, _DECODED_AS_READ)


def _encoding_in_each_step(setting: Setting) -> _Other | None:
    """Return the frozen encoders of a denoiser in each step, where it is trained anew and nobody said either."""
    question = setting.question
    anew = question.method.name == "full" and not question.published and setting.global_batch >= _TRAINED_ANEW
    if not anew or not question.transformer.conditioners:
        return None
    running = replace(question, transformer=with_conditioners(question.transformer, CACHED))
    case = posed_case(running, execution_of(question, setting.stack))
    return _Other(case=case, question=running, share=_ENCODES)


def _with_known_ends(setting: Setting) -> _Other | None:
    """Return FlashAttention in place of one mask over the packed samples of a micro-batch, where neither is said."""
    question, stack = setting.question, setting.stack
    if question.practice.attention is not None or not execution_of(question, stack).masked_batches:
        return None
    asked = replace(question, practice=replace(question.practice, attention="flash_2"))
    flash = execution_of(asked, stack)
    if not flash.attention.startswith("flash"):
        return None
    return _Other(case=posed_case(question, flash), question=asked, share=_KNOWS_ENDS)


def _wide_base(question: Question, ways: Ways) -> Doubt:
    """Return the doubt; of a script most start it as its own commands do."""
    by_script = _expands_to_tf32(question)
    if by_script:
        assumed, unless, others = ", as the script's own commands set it", "bf16 or fp16 is set", "tf32 or bf16"
    else:
        chip = question.cluster.accelerator.name
        assumed, others = "", "fp16 or fp32"
        unless = f"bnb_4bit_compute_dtype is float16, for {chip} has no BF16"

    def words(times: Times) -> str:
        return (
            f"{question.precision} is assumed{assumed}; unless {unless}, 4-bit layers are computed in FP32, "
            f"{times.told('', assumed=f'in {question.precision}')}, and the range holds both: say precision {others}"
        )

    return Doubt(argument="precision", ways=ways, code="base_expanded_to_fp32", words=words)


def _full_precision(whose: str, precision: str, ways: Ways) -> Doubt:
    ways = tuple((factor, borne(share, factor, BEARABLE_STACK)) for factor, share in ways)

    def words(times: Times) -> str:
        return (
            f"{whose} computes in FP32 unless fp16 or bf16 is set: a step would take "
            f"{times.told('', assumed=f'in {precision}')}{if_held(ways)}: say precision"
        )

    return Doubt(argument="precision", ways=ways, code="trained_in_fp32", words=words)


def _read_between_steps(sounds: bool, ways: Ways) -> Doubt:
    ways = tuple((factor, borne(share, factor, BEARABLE_STACK, noticed=_NOTICED_READING)) for factor, share in ways)
    what, read = ("sounds", "by workers") if sounds else ("pictures", "in time")

    def words(times: Times) -> str:
        return (
            "Hugging Face's trainer reads without workers unless told: a step would take "
            f"{times.told('', assumed=f'read {read}')}, which about {ways[0][1]:.0%} are thought to bear"
            f'{if_held(ways)}; {what} are taken to be read {read}: say "4 dataloader workers" or "no dataloader '
            'workers" in framework'
        )

    return Doubt(argument="framework", ways=ways, code="loader_unsaid", words=words, joined=read_between)


def _decoded_as_read(ways: Ways) -> Doubt:
    def words(times: Times) -> str:
        return (
            f"clips are taken to be decoded in time; from video files, on {_CORES_EACH} cores of a host for each "
            f"device, a step would take {times.told('', assumed='decoded in time')}{if_held(ways)}: say how many "
            "dataloader workers in framework"
        )

    return Doubt(argument="framework", ways=ways, code="loader_unsaid", words=words, joined=read_beside)


def _encoded_in_each_step(ways: Ways) -> Doubt:
    def words(times: Times) -> str:
        return (
            "latents and encoded texts are taken to be made before training; of so large sets as many runs make them "
            f"in each step, which would take {times.told('', assumed='with those made before')}, and the range holds "
            'both: say "cached latents" or "encode on the fly" in framework'
        )

    return Doubt(argument="framework", ways=ways, code="encoded_before_training", words=words)


def _padded_samples(setting: Setting, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt whether tokens of a set to be tuned on are of samples that a trainer pads.

    Where each micro-batch fetches or gathers weights, short rows cost more than their padding.
    """
    question = setting.question
    if "packing" not in question.unsaid:
        return ()
    share = _PADS if setting.stack.tuning_habit.packing == "padded" else _PADS * GENERAL_TRAINER_SHARE
    share *= question.sampled_share
    if share < TOLD_FROM:
        return ()
    factor = max(_PADDED, _rows_s(setting, constants) * setting.global_batch * question.sequence_length / physical_s)
    ways = ((factor, share),)

    def words(times: Times) -> str:
        return (
            "tokens are taken to fill sequences; samples of unlike length, padded as fine-tuning scripts do unless "
            f"told, would take about {times.told('', assumed='packed')}{if_held(ways)}: give samples with "
            'tokens_per_sample, or packing "packed"'
        )

    return (Doubt(argument="packing", ways=ways, code="packing_unsaid", words=words, moves=False),)


def _rows_s(setting: Setting, constants: Constants) -> float:
    """Return physical seconds of a token in samples of a usual length, as many at a time as are told; 0: none fit.

    Else as few as the trainer's examples have. Of the stack that is assumed where it pads itself, else of the general
    trainer, which is what would pad them.
    """
    question, trainer = setting.question, setting.stack.name
    if setting.stack.tuning_habit.packing != "padded":
        trainer = GENERAL_TRAINER
        free = LayoutRequest(micro_batch_size=question.layout.micro_batch_size)
        question = replace(question, framework=trainer, layout=free)
    usual = MICRO_BATCHES.get(trainer, _FEW_SAMPLES) * question.sequences_each
    micro = question.layout.micro_batch_size or usual
    while micro >= question.sequences_each:
        rows = replace(
            question,
            sequence_length=round(_USUAL_SAMPLE * _PADDED),
            layout=replace(question.layout, micro_batch_size=micro),
            global_batch_sequences=setting.global_batch,
        )
        if (best := fastest(rows, constants)) is not None:
            return best.step_s / (setting.global_batch * _USUAL_SAMPLE)
        micro //= 2
    return 0.0


def _one_mask(stack: str, ways: Ways) -> Doubt:
    def words(times: Times) -> str:
        return (
            f"{stack} joins packed samples into one row, and unless attn_implementation is flash_attention_2 each "
            "token is multiplied with all of the micro-batch under a mask; with it a step would take "
            f"{times.told('', assumed='under the mask')}, and the range holds both: say "
            '"flash attention 2" or "sdpa" in framework'
        )

    return Doubt(argument="framework", ways=ways, code="packed_under_a_mask", words=words)
