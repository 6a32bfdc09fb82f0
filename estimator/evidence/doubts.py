"""What a caller left unsaid that one run has and another has not: each is priced, and the range holds both.

A conformal range holds what runs alike differ by. It cannot know that a cluster has plain Ethernet, or that a 4-bit
base is expanded to FP32; where such a thing is unsaid and likely on the stack, the step is priced both ways.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.physics.case import Case
from estimator.physics.choice import Setting, fastest
from estimator.physics.constants import PRIORS, Constants
from estimator.physics.execution import execution_of
from estimator.physics.layout import Layouts
from estimator.physics.numbers import case_of
from estimator.physics.step import step_time
from estimator.question.question import Caution, LayoutRequest

__all__ = ["Doubt", "doubts_of", "situation_spread", "stack_doubts", "waits_most"]

_SITUATIONAL = (
    "launch_s",
    "hook_s",
    "module_hook_s",
    "micro_step_s",
    "dequantize_passes",
    "gptq_passes",
    "pcie_fraction",
    "pcie_host_fraction",
    "scale_out_fraction",
    "host_link_fraction",
    "host_bytes_per_s",
    "expert_floor_s",
    "expert_start_s",
)
"""Constants that differ from machine to machine and release to release: the host's speed, its kernels, its links."""
_GENERAL_TRAINER = "huggingface"
_CENTRAL = 3.29
_FITTED_SHARE = 0.7
"""Of a prior's spread: what is left of it between machines, once its middle is fitted."""
_PLAIN_ETHERNET_GBPS = 25.0
"""A node's network where nobody says that it is for training: 10 to 50 Gb/s, without RDMA."""
_NETWORK_BOUND = 1.5
"""Times as long as without waiting for the network."""
_MOST = 0.5
"""Share of a step in communication and bubble."""
_SMALL_CLUSTER = 64
"""Devices up to which people who name no framework may well run an untuned one."""
_WORTH_SAYING = 0.15
"""Log time below which a doubt changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One thing unsaid, and by what factor the step is longer the other way."""

    argument: str
    factor: float
    even: bool
    """Whether both ways are as likely, so that the point lies between them; else the other way is the exception."""
    caution: Caution


def situation_spread(setting: Setting, layouts: Layouts, constants: Constants) -> float:
    """Return the standard deviation of log step time from constants that differ between machines, one layout.

    sqrt(Σ (∂ log t / ∂ log c · spread of c)²)      by finite differences, one call for all
    """
    places = np.zeros(len(_SITUATIONAL) + 1, dtype=np.intp)
    spreads = np.array([_FITTED_SHARE * math.log(PRIORS[c].high / PRIORS[c].low) / _CENTRAL for c in _SITUATIONAL])
    moved: dict[str, object] = dict(constants)
    for place, name in enumerate(_SITUATIONAL):
        values = np.full(len(places), constants[name])
        values[place + 1] *= math.exp(spreads[place])
        moved[name] = values
    times = step_time(setting.case, layouts.taken(places), Constants(moved)).total_s  # type: ignore[arg-type]
    shifts = np.log(times[1:] / times[0])
    return float(np.sqrt(np.sum(shifts**2)))


def waits_most(setting: Setting, layouts: Layouts, constants: Constants) -> bool:
    """Return whether a step mostly waits, or is much longer by the network: kinds of runs say nothing of that."""
    quick = replace(setting.case, scale_out_bytes_per_s=np.inf)
    slow, quickest = (step_time(case, layouts, constants) for case in (setting.case, quick))
    total_s = float(slow.total_s[0])
    waiting_s = float(slow.communication_s[0] + slow.bubble_s[0])
    return total_s > _NETWORK_BOUND * float(quickest.total_s[0]) or waiting_s > _MOST * total_s


def doubts_of(setting: Setting, layouts: Layouts, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return what is unsaid of a setting and matters to its one layout, which takes `physical_s` a step."""
    found: list[Doubt] = []
    for make, other in _other_ways(setting):
        log_factor = math.log(float(step_time(other, layouts, constants).total_s[0]) / physical_s)
        if abs(log_factor) > _WORTH_SAYING:
            found.append(make(math.exp(log_factor)))
    return tuple(found)


def _other_ways(setting: Setting) -> Iterator[tuple[Callable[[float], Doubt], Case]]:
    question, stack = setting.question, setting.stack
    chip, cluster = question.cluster.accelerator, question.cluster
    quantised = question.method.name == "qlora" and stack.kin == "huggingface"
    if "precision" in question.unsaid and quantised and "bf16" not in chip.peak_flop_per_s:
        wide = case_of(
            question.transformer,
            cluster,
            "fp32",
            question.method,
            sequence_length=question.sequence_length,
            execution=execution_of(question, stack),
        )
        yield partial(_wide_base, chip.name), wide
    spans = cluster.n_gpus > max(cluster.gpus_per_node, cluster.scale_up_domain)
    if "network_gbps_per_gpu" in question.unsaid and spans and stack.tier == "untuned":
        plain = _PLAIN_ETHERNET_GBPS * GIGA / BITS_PER_BYTE / cluster.gpus_per_node
        if plain < cluster.scale_out_bytes_per_s:
            yield _plain_ethernet, replace(setting.case, scale_out_bytes_per_s=plain)


def stack_doubts(setting: Setting, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt about a stack that nobody named: on a small cluster it may be a general trainer.

    Never an even one, so that it moves no point; and dear, for the other stack's layouts are searched.
    """
    question = setting.question
    small = question.cluster.n_gpus <= _SMALL_CLUSTER
    if "framework" not in question.unsaid or setting.stack.tier == "untuned" or not small:
        return ()
    factor = _general_trainer_s(setting, constants) / physical_s
    if not _WORTH_SAYING < math.log(factor) < math.inf:
        return ()
    message = (
        f"{setting.stack.name} is assumed; Hugging Face's trainer would take {factor:.1f} times as long here, so the "
        "range holds both: name yours with framework"
    )
    caution = Caution(code="framework_unsaid", message=message)
    return (Doubt(argument="framework", factor=factor, even=False, caution=caution),)


def _general_trainer_s(setting: Setting, constants: Constants) -> float:
    """Return physical seconds of the step on a general trainer, sharded if it must be, or infinity: none fits."""
    question = setting.question
    for sharding in (None, "zero3") if question.cluster.n_gpus > 1 else (None,):
        plain = replace(
            question,
            framework=_GENERAL_TRAINER,
            global_batch_sequences=setting.global_batch,
            layout=LayoutRequest(data_sharding=sharding),
        )
        if (best := fastest(plain, constants)) is not None:
            return best.step_s
    return math.inf


def _wide_base(chip: str, factor: float) -> Doubt:
    return Doubt(
        argument="precision",
        factor=factor,
        even=True,
        caution=Caution(
            code="base_expanded_to_fp32",
            message=f"{chip} has no BF16: unless bnb_4bit_compute_dtype is float16, bitsandbytes computes the 4-bit "
            f"layers in FP32, {factor:.1f} times as long; the answer lies between: say precision fp16 or fp32",
        ),
    )


def _plain_ethernet(factor: float) -> Doubt:
    return Doubt(
        argument="network_gbps_per_gpu",
        factor=factor,
        even=False,
        caution=Caution(
            code="network_unsaid",
            message=f"a network made for training is assumed between the nodes; over plain Ethernet "
            f"({_PLAIN_ETHERNET_GBPS:g} Gb/s a node) a step would take {factor:.1f} times as long, so the range holds "
            "both: say network_gbps_per_gpu",
        ),
    )
