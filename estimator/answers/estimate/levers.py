"""Levers of a run's software: what its users can say of kernels, optimizer and host memory to save memory."""

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
from estimator.physics.choice import Setting
from estimator.physics.effects import release
from estimator.question.practice import OptimizerName, Practice

__all__ = ["NARROW", "levers_alone", "levers_together", "shards_tensors"]

_HALVES = 2
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
            if other_kind != kind or kind not in BY_DEGREES:
                both = f"{said}, {words}"
                beside = said if other_kind in BY_DEGREES else ""
                yield _pulled(setting, (kind, other_kind), other.over(practice), both, beside)


def shards_tensors(setting: Setting, n_gpus: int) -> bool:
    """Return whether weights are DTensors on so many devices, which bitsandbytes' optimizers do not step."""
    fsdp2 = setting.question.practice.zero_engine == "fsdp2"
    return n_gpus > 1 and (fsdp2 or setting.stack.name in _OF_DTENSORS)


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
    if stack.tunes or stack.tier == "untuned":
        if has_liger_kernels(question.transformer):
            yield "kernels", Practice(fused_kernels=True, fused_loss=True), "Liger"
        adapters = question.method.name in WITH_ADAPTERS
        learns = adapters or question.method.name == "full"
        for optimizer in NARROW if learns and not shards_tensors(setting, question.cluster.n_gpus) else ():
            yield "optimizer", Practice(optimizer=optimizer), optimizer
        if adapters and not shards_tensors(setting, _HALVES):
            # Moments of few weights are paged in next to no time.
            yield "optimizer", Practice(optimizer="adamw", offload_optimizer=True), "paged_adamw_32bit"
        if question.method.name == "full":
            yield "optimizer", Practice(master_weights=False), "pure bf16"
    yield from _offloads(setting)


def _offloads(setting: Setting) -> Iterator[tuple[Kind, Practice, str]]:
    question, stack = setting.question, setting.stack
    trained = float(setting.case.trained_share) * workload(question.transformer).parameters
    cluster = question.cluster
    on_node = _HOST_STATE_BYTES * trained / cluster.n_gpus * min(cluster.gpus_per_node, cluster.n_gpus)
    if stack.offloads or not host_memory(question).takes(on_node, 0.0):
        return
    if question.method.name == "full":
        yield "offload", Practice(offload_optimizer=True), "optimizer offload"
        if stack.tier == "untuned" or stack.kin == "deepspeed":
            both = Practice(offload_optimizer=True, offload_parameters=True)
            yield "offload", both, "offload optimizer and params"
    elif question.method.name in WITH_ADAPTERS and (stack.tier == "untuned" or stack.kin in {"fsdp", "deepspeed"}):
        yield "offload", Practice(offload_parameters=True), "param offload"


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
