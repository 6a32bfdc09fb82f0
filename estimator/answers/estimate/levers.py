"""What a stack's users can say of kernels, optimizer and host memory to save memory, as far as the stack has it."""

from collections.abc import Iterator
from dataclasses import fields, replace

from estimator.answers.estimate.change import BY_DEGREES, Change, Kind
from estimator.answers.estimate.denoiser_levers import denoiser_levers
from estimator.answers.estimate.host_memory import host_memory
from estimator.answers.estimate.liger import has_liger_kernels
from estimator.answers.estimate.trainer_words import bf16_weights_said
from estimator.models.diffusion.sample import without_conditioners
from estimator.models.kinds import kind_of
from estimator.models.training import WITH_ADAPTERS
from estimator.models.workload import workload
from estimator.physics.abilities import EIGHT_BIT_OPTIMIZERS, offloads_states, runs_triton
from estimator.physics.choice import Setting
from estimator.physics.effects import release
from estimator.question.practice import OptimizerName, Practice

__all__ = ["NARROW", "levers_alone", "levers_together", "shards_tensors"]

_ON_TRANSFORMERS = "huggingface"
_ANY_SHARDED = 2
"""Devices from which on anything is sharded."""
_KEPT = {"text_encoder": "caches_text", "vae": "caches_latents"}
"""By kind of what prepares a denoiser's inputs, the practice of keeping what it makes."""
_HOST_STATE_BYTES = 16.0
"""What Adam keeps for each trained weight in host memory: the weight, two moments and a gradient in FP32."""
NARROW: tuple[OptimizerName, ...] = ("adamw_8bit", "paged_adamw_8bit")
"""bitsandbytes' optimizers, the one that keeps its moments on the device first."""
_OF_DTENSORS = frozenset({"automodel", "olmo-core", "torchtitan", "torchtune", "xtuner"})
"""Stacks that shard with FSDP2 (`fully_shard`), whose weights are DTensors: bitsandbytes' kernels take none of these
(bitsandbytes' `Optimizer8bit` updates plain CUDA tensors; torchtune has its 8-bit optimizers in recipes of one device
alone)."""


def levers_alone(setting: Setting) -> Iterator[Change]:
    """Yield each lever of the software in use alone, the smaller of a kind first."""
    for kind, practice, said in _levers(setting):
        change = _pulled(setting, (kind,), practice, said)
        yield replace(change, note=bf16_weights_said(setting)) if practice.master_weights is False else change


def levers_together(setting: Setting) -> Iterator[Change]:
    """Yield two levers of the software in use together."""
    levers = [*_levers(setting)]
    for place, (kind, practice, said) in enumerate(levers):
        for other_kind, other, words in levers[place + 1 :]:
            if (other_kind != kind or kind not in BY_DEGREES) and not _excludes(practice, other):
                both = f"{said}, {words}"
                beside = said if other_kind in BY_DEGREES else ""
                yield _pulled(setting, (kind, other_kind), other.over(practice), both, beside)


def _levers(setting: Setting) -> Iterator[tuple[Kind, Practice, str]]:
    """Yield what the stack's users can say of kernels, optimizer and host memory to save memory, in its words."""
    question, stack = setting.question, setting.stack
    habit = question.practice.over(stack.habit_at(release(question)))
    for kind, practice, said in _sayings(setting):
        named = {f.name: getattr(practice, f.name) for f in fields(practice)}
        if any(value is not None and getattr(habit, name) != value for name, value in named.items()):
            yield kind, practice, said


def _sayings(setting: Setting) -> Iterator[tuple[Kind, Practice, str]]:
    question, stack = setting.question, setting.stack
    if kind_of(question.transformer) == "diffusion" and stack.tier == "untuned":
        yield from denoiser_levers(setting)
        return
    is_open = stack.tunes or stack.tier == "untuned"
    if is_open and runs_triton(stack.name, question.cluster.accelerator):
        if has_liger_kernels(question.transformer):
            yield "kernels", Practice(fused_kernels=True, fused_loss=True), "Liger"
        adapters = question.method.name in WITH_ADAPTERS
        learns = adapters or question.method.name == "full"
        # Nor does a host step it, if states are offloaded already.
        on_device = not (question.practice.offload_optimizer or shards_tensors(setting, question.cluster.n_gpus))
        for optimizer in NARROW if learns and on_device else ():
            yield "optimizer", Practice(optimizer=optimizer), optimizer
        if adapters and not shards_tensors(setting, _ANY_SHARDED):
            # Moments of few weights are paged in next to no time.
            yield "optimizer", Practice(optimizer="adamw", offload_optimizer=True), "paged_adamw_32bit"
    # DeepSpeed keeps weights and moments in FP32, whatever is loaded.
    keeps_wide = question.practice.zero_engine == "deepspeed" or "deepspeed" in stack.kin
    if is_open and question.method.name == "full" and not keeps_wide:
        yield "optimizer", Practice(master_weights=False), "pure bf16"
    yield from _offloads(setting)


def _offloads(setting: Setting) -> Iterator[tuple[Kind, Practice, str]]:
    question, stack = setting.question, setting.stack
    trained = float(setting.case.trained_share) * workload(question.transformer).parameters
    cluster = question.cluster
    on_node = _HOST_STATE_BYTES * trained / cluster.n_gpus * min(cluster.gpus_per_node, cluster.n_gpus)
    if stack.offloads or not offloads_states(stack.name) or not host_memory(question).takes(on_node, 0.0):
        return
    if question.method.name == "full":
        if _is_said_otherwise(setting):
            return
        # Transformers' Trainer has two engines that offload, and they keep other states there.
        said = question.practice
        named = stack.kin == _ON_TRANSFORMERS and said.zero_engine is None and not said.offload_optimizer
        engine, name = Practice(zero_engine="deepspeed" if named else None), "DeepSpeed, " if named else ""
        yield "offload", replace(engine, offload_optimizer=True), f"{name}optimizer offload"
        if stack.tier == "untuned" or stack.kin == "deepspeed":
            both = replace(engine, offload_optimizer=True, offload_parameters=True)
            yield "offload", both, f"{name}offload optimizer and params"
    elif question.method.name in WITH_ADAPTERS and (stack.tier == "untuned" or stack.kin in {"fsdp", "deepspeed"}):
        # FSDP steps weights where they are.
        steps_there = question.practice.zero_engine in {"fsdp", "fsdp2"} or stack.name == "fsdp"
        yield "offload", Practice(offload_parameters=True, offload_optimizer=steps_there or None), "param offload"


def _is_said_otherwise(setting: Setting) -> bool:
    """Return whether states are said to be as no host steps them: in 8 bits, or by DeepSpeed's Adam in 16."""
    said, of_transformers = setting.question.practice, setting.stack.kin == _ON_TRANSFORMERS
    deepspeeds = said.zero_engine == "deepspeed" or (said.zero_engine is None and of_transformers)
    return said.optimizer in EIGHT_BIT_OPTIMIZERS or (said.master_weights is False and deepspeeds)


def shards_tensors(setting: Setting, n_gpus: int) -> bool:
    """Return whether weights are DTensors on so many devices, which bitsandbytes' optimizers do not step."""
    fsdp2 = setting.question.practice.zero_engine == "fsdp2"
    return n_gpus > 1 and (fsdp2 or setting.stack.name in _OF_DTENSORS)


def _excludes(one: Practice, other: Practice) -> bool:
    """Return whether one of two levers leaves the other without effect: what a host steps is in FP32 there."""
    if one.optimizer is not None and other.optimizer is not None:
        return True
    pairs = ((one, other), (other, one))
    return any(
        offloading.offload_optimizer and (held.optimizer in EIGHT_BIT_OPTIMIZERS or held.master_weights is False)
        for offloading, held in pairs
    )


def _pulled(setting: Setting, kinds: tuple[Kind, ...], practice: Practice, said: str, beside: str = "") -> Change:
    """Return the change that says `practice` of the stack in use, which is named where nothing was said."""
    question = setting.question
    kept = frozenset(kind for kind, is_kept in _KEPT.items() if getattr(practice, is_kept))
    changed = replace(
        question,
        framework=setting.stack.name,
        unsaid=question.unsaid - {"framework"},
        practice=practice.over(question.practice),
        transformer=without_conditioners(question.transformer, kept) if kept else question.transformer,
    )
    unnamed = question.framework == "auto" or "framework" in question.unsaid
    named = setting.stack.name if unnamed else "…"
    return Change(kinds=kinds, question=changed, arguments={"framework": f"{named}, {said}"}, beside=beside)
