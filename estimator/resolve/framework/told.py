"""What a framework's text tells of arguments that were left open, and what the reader must know of that."""

import re
from dataclasses import replace
from typing import Any

from estimator.base.inputs import MOST_GPUS, checked_whole_count
from estimator.models.training import WITH_ADAPTERS
from estimator.question.question import Assumption, Caution, SourceKind
from estimator.question.request import SHARDING_NAMES, Request
from estimator.resolve.device import resolved_device
from estimator.resolve.framework.beside import with_said_beside
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.own import own_on_cluster
from estimator.resolve.framework.software import AUTO, NamedFramework
from estimator.resolve.objective import asked_objective
from estimator.resolve.packing import packs
from estimator.resolve.told_degrees import with_told_degrees
from estimator.resolve.told_machines import told_machine
from estimator.resolve.told_network import network_contradicted, told_network_share
from estimator.resolve.training_method import asked_method

__all__ = ["framework_assumptions", "left_open", "told_request", "told_software"]

_MOST_PARTS = 12
"""Parts of a text that are repeated to the reader."""
_LONGEST_PART = 60
_BLANKS = " \t\n'\"`-.,;_"
"""What stands in a text that was left empty."""
_ARGUMENTS = tuple(
    (re.compile(words, re.IGNORECASE), argument)
    for words, argument in (
        (r"batch|\bbs\b", "micro_batch_size or global_batch_sequences"),
        (r"seq|cutoff|max[ _]?length|context|block[ _]?size", "sequence_length"),
        (
            r"gbe\b|gbps|gb/s|infiniband|ethernet|roce|\bib\b|\bnetwork\b(?! (?:dim|alpha|module|args)\b)",
            "network_gbps_per_gpu",
        ),
        (r"^r$|rank|\balpha\b", "lora_rank"),
        (r"epoch", "epochs"),
        # Whichever comes first is not said.
        (r"^\d+(?: ?[x×] ?\d+){2,}$", "tensor_parallel and pipeline_parallel"),
    )
)
"""Words that tell of an argument of their own."""


def told_software(request: Request, software: str) -> NamedFramework:
    """Return what `software` says, with what is said of the network beside the device, as far as it is of `request`.

    Raises InvalidValueError for a count of GPUs that is none.
    """
    named = own_on_cluster(named_framework(software), request)
    named = replace(named, practice=with_said_beside(named.practice, request.gpu))
    return _told_of_samples(request, _on_told_steps(request, named))


def _on_told_steps(request: Request, named: NamedFramework) -> NamedFramework:
    """Return `named` with nothing held out where steps are told: a run has as many, whatever is left to train on."""
    if request.steps is None:
        return named
    return replace(named, schedule=named.schedule.with_nothing_held())


def _told_of_samples(request: Request, named: NamedFramework) -> NamedFramework:
    """Return `named` without packing where what is trained on is not packed: its script packs other samples."""
    packed = named.practice.packing == "packed"
    if not packed or packs(asked_objective(request, named.name).objective.name, named.name):
        return named
    return replace(named, practice=replace(named.practice, packing=None))


def told_request(request: Request, named: NamedFramework) -> tuple[Request, tuple[Caution, ...]]:
    """Return `request` with arguments left open as its framework's text tells them, and what to beware of.

    Arguments win over the text. A precision that the device does not have is not taken from it.
    """
    hints = {
        "packing": named.practice.packing,
        "data_sharding": named.sharding,
        "activation_recompute": named.recompute,
        "precision": named.precision,
    }
    alone = _on_stages_alone(request, named)
    request = request if alone is None else replace(request, pipeline_parallel=alone)
    request, unlike = with_told_degrees(request, named)
    taken: dict[str, Any] = {}
    cautions: list[Caution] = [*unlike] if alone is None else [_one_at_a_time(alone), *unlike]
    for argument, hint in hints.items():
        given = _choice(argument, getattr(request, argument))
        if hint is None or (argument == "precision" and hint == "tf32" and _is_flag(request, given)):
            continue
        if given == AUTO and (argument != "precision" or _has(request, hint)):
            taken[argument] = hint
        elif given != hint:
            why = "the GPU has no such rate" if given == AUTO else f"the argument's {given} is taken"
            cautions.append(
                Caution(code="framework_contradicted", message=f"framework says {argument} {hint}, but {why}")
            )
    learns, doubted = _trained(request, named)
    taken |= learns
    cautions += doubted
    padded, doubted_length = _padded_length(request, named)
    taken |= padded
    cautions += doubted_length
    if named.adapters is not None:
        taken["adapters"] = named.adapters
    if named.adapted:
        taken["adapted"] = named.adapted
    node, contradicted = told_machine(request, named.practice)
    cautions += contradicted
    if node is not None:
        request = replace(request, gpus_per_node=node)
    if request.network_gbps_per_gpu is not None:
        cautions += network_contradicted(request, named.practice)
    elif (network := told_network_share(request, named.practice)) is not None:
        taken["network_gbps_per_gpu"] = network.gbps_per_device
        cautions.append(network.caution)
    told = replace(request, **taken) if taken else request
    return told, (*cautions, *_doubts(request.framework, named))


def _is_flag(request: Request, precision: str) -> bool:
    """Return whether a bare `tf32` tells of the FP32 that is left beside 16 bits: those given, or adapters' base."""
    adapters = asked_method(request) in WITH_ADAPTERS
    return adapters if precision == AUTO else precision not in {"tf32", "fp32"}


def _on_stages_alone(request: Request, named: NamedFramework) -> int | None:
    """Return over how many GPUs layers are split of which one is at work at a time; None where they are not."""
    degrees = (request.pipeline_parallel, request.tensor_parallel, request.context_parallel)
    laid_out = any(degree is not None for degree in degrees) or _choice("data_sharding", request.data_sharding) != AUTO
    if not named.practice.stages_alone or laid_out:
        return None
    n_gpus = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    return n_gpus if n_gpus > 1 else None


def _one_at_a_time(n_gpus: int) -> Caution:
    message = (
        f"device_map splits the layers over the {n_gpus:,} GPUs, and one is at work at a time: together they are about "
        "as fast as one; torchrun or accelerate launch gives each samples of its own, if the model fits on one"
    )
    return Caution(code="one_gpu_at_a_time", message=message)


def _padded_length(request: Request, named: NamedFramework) -> tuple[dict[str, int], list[Caution]]:
    """Return the length that all samples are padded to as the argument that tells it, as far as words tell it."""
    said, given = named.practice.padded_to, request.sequence_length
    if said is None or (given is None and _choice("packing", request.packing) == "packed"):
        return {}, []
    if given is None:
        return {"sequence_length": said}, []
    if str(given).strip() == str(said):
        return {}, []
    message = f"samples are said to be padded to {said:,} tokens, but sequence_length is taken"
    return {}, [Caution(code="framework_contradicted", message=message)]


def _trained(request: Request, named: NamedFramework) -> tuple[dict[str, str], list[Caution]]:
    """Return what is trained, by argument, as far as the text tells it."""
    if named.trained_layers is not None:
        return _of_parts(request, named.trained_layers)
    method, doubted = _method(request, named)
    return {} if method == request.method else {"method": method}, doubted


def _method(request: Request, named: NamedFramework) -> tuple[str, list[Caution]]:
    """Return what is trained: as the text says where the argument is at its default."""
    asked, said = asked_method(request), named.method
    if said is None or asked in {said, "frozen"} or request.method_chosen:
        return request.method, []
    if asked == "full":
        message = f"framework says {said}: that is what is taken to be trained; say otherwise with method"
        return said, [Caution(code="method_from_framework", message=message)]
    if said == "full":
        message = f"framework says that all is trained, but the argument's {asked} is taken"
        return request.method, [Caution(code="framework_contradicted", message=message)]
    return request.method, []


def _of_parts(request: Request, trained_layers: str) -> tuple[dict[str, str], list[Caution]]:
    """Return the arguments of a run that trains a few layers at a time, or one part alone, and what to know of it.

    What the arguments say of what is trained wins, save `full`: of layers all learn, some after others.
    """
    learns = "a few layers learn at a time" if "at a time" in trained_layers else f"the {trained_layers} alone learns"
    if asked_method(request) in {"full", "frozen"} and request.trained_layers == trained_layers:
        return {}, []
    said = f'method "frozen" with trained_layers "{trained_layers}"'
    if asked_method(request) != "full" or request.trained_layers is not None:
        message = f"framework says that {learns} ({said}), but what the arguments say is taken"
        return {}, [Caution(code="framework_contradicted", message=message)]
    told = f"framework says that {learns}: that is counted as {said}; say otherwise with them"
    taken = {"method": "frozen", "trained_layers": trained_layers}
    return taken, [Caution(code="method_from_framework", message=told)]


def framework_assumptions(named: NamedFramework, usual: str = AUTO) -> tuple[Assumption, ...]:
    """Return the stack, its release and what else was understood of the text; the `usual` one where that is another.

    None where nothing was said, and nothing else is usual for what is trained.
    """
    out: list[Assumption] = []
    if named.name != AUTO:
        read = _listed("understood", named.understood if len(named.understood) > 1 else ())
        unread = _listed("not understood", named.not_understood)
        note = "; ".join(part for part in (named.note, read, unread) if part)
        source: SourceKind = "inferred" if named.implied else "user"
        out.append(Assumption(name="framework", value=named.name, source=source, note=note))
    elif named.says_something and named.understood != (AUTO,):
        note = _listed("not understood", named.not_understood)
        value = _parts(named.understood)
        out.append(Assumption(name="practice", value=value, source="user", note=note))
    if named.released is not None:
        out.append(Assumption(name="software_release", value=round(named.released, 2), unit="year", source="user"))
    if usual not in {named.name, AUTO}:
        note = "what is nearly always used for it; say yours"
        out.append(Assumption(name="framework", value=usual, source="default", note=note))
    return tuple(out)


def left_open(request: Request) -> frozenset[str]:
    """Return what was left open of the arguments whose default may be far from the truth."""
    by_name = {
        "precision": _choice("precision", request.precision) == AUTO,
        "network_gbps_per_gpu": request.network_gbps_per_gpu is None,
        "framework": _names_no_software(request.framework),
    }
    return frozenset(name for name, is_open in by_name.items() if is_open)


def _names_no_software(given: str) -> bool:
    """Return whether `given` tells of machines and their network alone, or of nothing."""
    if _choice("framework", given).strip(_BLANKS) in {AUTO, ""}:
        return True
    named = named_framework(given)
    nothing = not named.of_software.says_something
    return named.name == AUTO and not named.not_understood and bool(named.understood) and nothing


def _choice(argument: str, given: str) -> str:
    """Return what was given as `argument`; trainers have names of their own for shardings, and `none` is one."""
    folded = given.strip().casefold()
    return SHARDING_NAMES.get(folded, folded) if argument == "data_sharding" else folded


def _has(request: Request, precision: str) -> bool:
    accelerator = resolved_device(request).accelerator
    return accelerator is None or precision in accelerator.peak_flop_per_s


def _doubts(given: str, named: NamedFramework) -> tuple[Caution, ...]:
    # Words that say nothing of their own, such as `from scratch`, leave nothing to be understood.
    says = named.understood or named.name != AUTO or any(map(str.isalpha, given)) or not given.strip(_BLANKS)
    if not named.not_understood and says:
        return ()
    what = _parts(named.not_understood) if named.not_understood else repr(given[:_LONGEST_PART])
    belongs = sorted(
        {argument for words, argument in _ARGUMENTS for part in named.not_understood if words.search(part)}
    )
    if named.name == AUTO:
        instead = "no stack is named, and the usual one for such hardware is assumed"
    elif named.name == "unknown":
        instead = "an untuned stack is assumed, with a wide range"
    else:
        instead = f"the rest is taken as {named.name}"
    better = f"; what it tells belongs in {', '.join(belongs)}" if belongs else ""
    message = f"framework: {what} is not understood; {instead}{better}"
    return (Caution(code="framework_not_understood", message=message),)


def _listed(what: str, parts: tuple[str, ...]) -> str:
    return f"{what}: {_parts(parts)}" if parts else ""


def _parts(parts: tuple[str, ...]) -> str:
    """Return `parts` in one line of bounded length."""
    shown = [" ".join(part.split())[:_LONGEST_PART] for part in parts[:_MOST_PARTS]]
    return ", ".join(shown) + (" …" if len(parts) > _MOST_PARTS else "")
