"""How a text names the stack, its release, and how it runs a step."""

import re
from collections.abc import Sequence
from dataclasses import replace

from estimator.base.errors import UnknownNameError, shown
from estimator.catalogue import catalogue
from estimator.models.training import MethodName, Projection
from estimator.physics.stacks import STACKS
from estimator.question.practice import Practice, Transport
from estimator.resolve.framework.fabrics import first_of
from estimator.resolve.framework.machines import SEVERAL_DEVICES
from estimator.resolve.framework.meaning import NO_FACTS, Facts, Meaning, folded
from estimator.resolve.framework.misspelling import nearest_name
from estimator.resolve.framework.offloads import ZERO_INFINITY
from estimator.resolve.framework.optimizers import LAYERWISE, low_rank_optimizer
from estimator.resolve.framework.reading import Phrase, Reading, apart, reading_of
from estimator.resolve.framework.software import AUTO, NamedFramework
from estimator.resolve.framework.starts import is_started_plainly

__all__ = ["framework_named_by"]

_UNKNOWN = "unknown"
_SDPA_SINCE = 2024.0
"""Without the flash-attn package trainers fall back to PyTorch's fused attention from Transformers 4.36 on; before, to
products whose scores are written to memory."""
_UNPADDED_SINCE = 2025.9
"""Unsloth leaves padding out by itself since December 2025."""
_LAUNCHER = "accelerate"
_MOST_COMPARED = 8
"""Parts that are held against every name: a name comes early."""
_FOUR_BITS, _EIGHT_BITS = 4, 8
_TF32 = "tf32"
_SETTING = re.compile(r"\b(?:batch|bsz?|seq(?:uence)?|max|context|epochs?|steps?)\b.*\d", re.IGNORECASE | re.DOTALL)
"""Words of arguments with a number, that begin no stack's name."""
_FEWEST_LETTERS = 3
"""Letters that a name has: `4090` and `x8` are none."""


def framework_named_by(given: str) -> NamedFramework:
    """Return what `given` says of the software. Never raises.

    The name that counts is the one nearest to what the user runs: a front end before the trainer under it, that before
    its engine and library. A text that begins with a word nobody here has heard of names a stack that is `unknown`.
    """
    reading = reading_of(given)
    names = [one for one in reading.phrases if one.meaning.stack and not one.denied]
    name, note = _UNKNOWN, ""
    misspelt, implied = "", False
    if names:
        chosen = _chosen(names)
        name, note = chosen.meaning.stack, _note(chosen)
    elif near := _nearest(reading):
        misspelt, meaning, called = near
        name, note = meaning.stack, f"{misspelt} is taken for {called}"
    elif not reading.begins_unknown or _is_no_name(reading.not_understood[0]):
        name, note = _implied(reading)
        implied = name != AUTO
    else:
        note = f"{shown(reading.not_understood[0])} is not known here: an untuned stack is assumed"
    reading = _word_by_word(reading, name)
    names = [one for one in reading.phrases if one.meaning.stack and not one.denied]
    facts = _facts(reading, name)
    released = _released(reading)
    return NamedFramework(
        name=name,
        released=released,
        practice=_started(_practice(_shared(facts.practice, name), reading, names, name, released), name, given),
        sharding=facts.sharding,
        recompute=facts.recompute,
        precision=_precision(facts, reading),
        method=_method(facts),
        adapters=facts.adapters,
        trained_layers=facts.trained_layers,
        degrees=facts.degrees,
        objective=facts.objective or "",
        usual_objective=facts.usual_objective or "",
        crops=facts.crops or "",
        schedule=facts.schedule,
        adapted=frozenset[Projection]().union(*(one.meaning.adapts for one in reading.phrases if not one.denied)),
        understood=(*((misspelt,) if misspelt else ()), *reading.understood),
        not_understood=tuple(one for one in reading.not_understood if one != misspelt and not _is_told_elsewhere(one)),
        implied=implied,
        note="; ".join(part for part in (note, _counted_with(name)) if part),
    )


def _word_by_word(reading: Reading, stack: str) -> Reading:
    """Return `reading` with names of other stacks than the one in use as what their words mean one by one.

    `FSDP QLoRA` is a script's name, and beside another trainer a technique: FSDP, and QLoRA. A name that tells of
    itself what it means there stays as it is.
    """
    phrases: list[Phrase] = []
    for one in reading.phrases:
        meaning = one.meaning
        is_other = bool(meaning.stack) and meaning.stack != stack and meaning.beside == NO_FACTS
        words = apart(one) if is_other and not one.denied else ()
        phrases += _word_by_word(replace(reading, phrases=words), stack).phrases if words else (one,)
    return replace(reading, phrases=tuple(phrases))


def _chosen(names: Sequence[Phrase]) -> Phrase:
    """Return the name that counts; Megatron does the work under any front end that can use it."""
    stacks = {one.meaning.stack for one in names}
    if {"megatron", "deepspeed"} <= stacks <= {"megatron", "deepspeed", "pytorch"}:
        one = next(one for one in names if one.meaning.stack == "deepspeed")
        return replace(one, meaning=replace(one.meaning, stack="megatron-deepspeed"))
    if "megatron" in stacks and stacks & {"ms-swift", "verl", "huggingface", "trl"}:
        return next(one for one in names if one.meaning.stack == "megatron")
    return max(names, key=lambda one: one.meaning.rank)


def _note(chosen: Phrase) -> str:
    if chosen.meaning.note:
        return f"{chosen.text}: {chosen.meaning.note}"
    return "" if folded(chosen.text) == folded(chosen.meaning.stack) else f"given as {chosen.text}"


def _implied(reading: Reading) -> tuple[str, str]:
    """Return the stack of nearly all who say what was said, and why; auto where it may be any."""
    said = next((one for one in reading.phrases if one.meaning.implies and not one.denied), None)
    if said is None:
        return AUTO, ""
    return said.meaning.implies, f"no stack is named, and {said.text} is run with this one"


def _counted_with(name: str) -> str:
    """Return whose published runs tell a stack's efficiency with its own."""
    kin = STACKS[name].kin if name in STACKS else name
    return "" if kin == name else f"{name} is counted with {kin}, whose published runs and its own tell its efficiency"


def _nearest(reading: Reading) -> tuple[str, Meaning, str] | None:
    for text in reading.not_understood[:_MOST_COMPARED]:
        if not _is_told_elsewhere(text) and (found := nearest_name(text)):
            return text, *found
    return None


def _is_told_elsewhere(text: str) -> bool:
    """Return whether `text` names what is trained, or on what: beside the software that says nothing."""
    return catalogue.found_dataset(text) is not None or catalogue.is_named(text)


def _is_no_name(text: str) -> bool:
    """Return whether `text` is a setting, a device, a model or a data set, or too short to be anyone's name."""
    longest = max((len(part) for part in "".join(c if c.isalpha() else " " for c in text).split()), default=0)
    if longest < _FEWEST_LETTERS or _SETTING.search(text) or _is_told_elsewhere(text):
        return True
    try:
        catalogue.accelerator(text)
    except UnknownNameError:
        return False
    return True


def _facts(reading: Reading, name: str) -> Facts:
    """Return what the phrases tell, later ones over earlier ones and over what names tell, denials over all."""
    said = denied = NO_FACTS
    # `prompt tuning with PEFT` is no LoRA, though that is what PEFT alone would mean.
    for one in sorted(reading.phrases, key=lambda phrase: not phrase.meaning.stack):
        meaning = one.meaning
        if one.denied:
            denied = meaning.denies.over(denied)
        elif meaning.stack and meaning.stack != name:
            said = meaning.beside.over(said)
        else:
            said = meaning.says.over(said)
    return _paged(_of_low_rank(_stored(denied.yielding(said).over(said), reading), reading), reading)


def _stored(facts: Facts, reading: Reading) -> Facts:
    """Return `facts` with FP8 as what weights are stored in, where a trainer is named that multiplies in 16 bits."""
    bare = facts.precision == "fp8" and facts.practice.fp8_recipe is None
    if not bare or not any(one.meaning.stores_8_bits and not one.denied for one in reading.phrases):
        return facts
    stored = Practice(base_bits=_EIGHT_BITS, dequantization="cast")
    return replace(facts, precision=None, practice=facts.practice.over(stored))


def _of_low_rank(facts: Facts, reading: Reading) -> Facts:
    """Return `facts` with an optimizer of low rank as the one, where one is named beside that which steps within."""
    affirmed = [one for one in reading.phrases if not one.denied]
    # A bare `8-bit` beside it is of its moments, where no base is frozen.
    bare = facts.method is None and facts.practice.base_bits == _EIGHT_BITS
    named = low_rank_optimizer(frozenset(one.meaning.says.practice.optimizer for one in affirmed), eight_bits=bare)
    if named is None:
        return facts
    practice = replace(facts.practice, optimizer=named, base_bits=None if bare else facts.practice.base_bits)
    if practice.releases_gradients is None and any(one.meaning is LAYERWISE for one in affirmed):
        practice = replace(practice, releases_gradients=True)
    return replace(facts, practice=practice)


def _paged(facts: Facts, reading: Reading) -> Facts:
    """Return `facts` with moments of 8 bits as pages where a `paged optimizer` is said beside them, and no host's."""
    paged = any("paged" in one.text.casefold() for one in reading.phrases if not one.denied)
    if not paged or facts.practice.optimizer != "adamw_8bit":
        return facts
    return replace(facts, practice=replace(facts.practice, optimizer="paged_adamw_8bit", offload_optimizer=None))


def _shared(practice: Practice, name: str) -> Practice:
    """Return `practice` as the stack means it: sequence parallelism of Megatron's kin is a part of its tensor's."""
    if practice.splits_sequences is None or name not in STACKS or not STACKS[name].model_parallel:
        return practice
    return replace(practice, splits_sequences=None)


def _precision(facts: Facts, reading: Reading) -> str | None:
    """Return what products are in: TF32 beside narrower ones is a flag for what FP32 is left, and of FP32 all of it.

    Where nothing is said of them they are in what the model is loaded in.
    """
    loaded = facts.practice.loaded_in
    if facts.precision is None and loaded != "checkpoint":
        return loaded
    said = [one.meaning.says.precision for one in reading.phrases if not one.denied and one.meaning.says.precision]
    if _TF32 not in said or facts.precision not in said:
        return facts.precision
    narrower = [precision for precision in said if precision not in {_TF32, "fp32"}]
    return narrower[-1] if narrower else _TF32


def _method(facts: Facts) -> MethodName | None:
    """Return what is trained: beside a base of four bits, adapters alone can be."""
    quantised = facts.practice.base_bits == _FOUR_BITS and facts.method in {None, "lora"}
    return "qlora" if quantised else facts.method


def _practice(
    practice: Practice, reading: Reading, names: Sequence[Phrase], name: str, released: float | None
) -> Practice:
    """Return `practice` with what follows from words that stand apart.

    FSDP steps weights where they are: it offloads them with the optimizer, and the optimizer with them. ZeRO-Infinity
    offloads both unless one is named. Whoever denies flash attention today still has SDPA's other kernels, unless the
    stack has attention code of its own.
    Who names Accelerate starts a process for each device with it, unless layers are said to be split across them; so
    does who says that Unsloth trains on several, which by itself uses one.
    """
    if practice.transport is not None:
        practice = replace(practice, transport=_carries(reading))
    if practice.stages_alone is None and any(one.meaning.project == _LAUNCHER for one in names):
        practice = replace(practice, stages_alone=False)
    stacks = {one.meaning.stack for one in names if one.meaning.stack}
    if practice.stages_alone is None and "unsloth" in stacks and _is_on_several(reading):
        practice = replace(practice, stages_alone=False)
    if practice.padding is None and "unsloth" in stacks and released is not None and released < _UNPADDED_SINCE:
        practice = replace(practice, padding="longest")
    if practice.zero_engine is None and (stacks & {"fsdp", "deepspeed", "megatron-deepspeed"}):
        practice = replace(practice, zero_engine="fsdp" if "fsdp" in stacks else "deepspeed")
    said = _offloaded(practice)
    if None in said and _is_zero_infinity(reading):
        optimizer, parameters = (one is not False for one in said)
        practice = replace(practice, offload_optimizer=optimizer, offload_parameters=parameters)
    elif True in said and None in said:
        whole = practice.zero_engine in {"fsdp", "fsdp2"} or any(one.meaning.stack == "fsdp" for one in names)
        practice = replace(practice, offload_optimizer=True, offload_parameters=True) if whole else practice
    denied = any(one.denied and one.meaning.denies.practice.attention for one in reading.phrases)
    sdpa = (name not in STACKS or STACKS[name].falls_back_to_sdpa) and (released is None or released >= _SDPA_SINCE)
    if denied and practice.attention == "unfused" and sdpa:
        practice = replace(practice, attention="memory_efficient")
    return practice


def _started(practice: Practice, name: str, given: str) -> Practice:
    """Return `practice` with a named trainer's script as started by Python alone, where a command tells so."""
    return replace(practice, started_plainly=True) if name != AUTO and is_started_plainly(given) else practice


def _is_on_several(reading: Reading) -> bool:
    return any(one.meaning is SEVERAL_DEVICES and not one.denied for one in reading.phrases)


def _carries(reading: Reading) -> Transport | None:
    """Return what carries bytes between nodes by all that was named; what is denied tells nothing beside it."""
    named = first_of(one.meaning.says.practice.transport for one in reading.phrases if not one.denied)
    return named or first_of(one.meaning.denies.practice.transport for one in reading.phrases if one.denied)


def _is_zero_infinity(reading: Reading) -> bool:
    """Return whether ZeRO-Infinity is named, and neither optimizer nor weights as what it offloads."""
    affirmed = [one for one in reading.phrases if not one.denied]
    offloads = [one.text.casefold() for one in affirmed if True in _offloaded(one.meaning.says.practice)]
    named = any(word in text for text in offloads for word in ("opt", "adam", "param", "weight", "model"))
    return any(one.meaning is ZERO_INFINITY for one in affirmed) and not named


def _offloaded(practice: Practice) -> tuple[bool | None, bool | None]:
    return practice.offload_optimizer, practice.offload_parameters


def _released(reading: Reading) -> float | None:
    """Return the newest date named, else that of the newest version known, else the platform's."""
    for dates in (reading.dates, reading.version_dates, reading.platform_dates):
        if dates:
            return max(dates)
    return None
