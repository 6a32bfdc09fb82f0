"""Whether samples are packed into full sequences: as the caller says, as a stack does, or as is usual."""

import math
from dataclasses import dataclass, replace

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import checked_choice
from estimator.base.units import parse_count
from estimator.models.objective import ObjectiveName
from estimator.models.training import WITH_ADAPTERS, MethodName
from estimator.physics.stacks import Stack, auto_stack, stack_named
from estimator.question.cluster import Accelerator
from estimator.question.practice import Practice
from estimator.question.question import Assumption, Caution, SourceKind
from estimator.question.request import PACKING_CHOICES, Request
from estimator.resolve.framework.software import AUTO

__all__ = [
    "FEW_GPUS",
    "LARGEST_SET",
    "SCORED_WHOLE",
    "Packing",
    "is_from_scratch",
    "is_small_set",
    "packs",
    "pretraining_share",
    "resolved_packing",
    "told_to_pack",
]

FEW_GPUS = 8
"""Who has one node fine-tunes with a script that pads, whichever stack would pre-train fastest on it."""
LARGEST_SET = 1e10
"""Tokens above which samples are no fine-tuning set: the largest, of 10M conversations, hold about as many."""
_SURELY = 10.0
"""Times fewer tokens than that are surely of tuning, and so many times more of pre-training."""
SCORED_WHOLE: frozenset[ObjectiveName] = frozenset({"dpo", "orpo", "kto", "reward", "classification", "contrastive"})
"""Objectives that score a sample as a whole: nobody fills sequences with them."""
_PACKS_PAIRS = frozenset({"openrlhf", "verl"})
"""Trainers that remove padding from pairs, too."""
_NOT_ALWAYS = {
    "axolotl": Caution(
        code="packing_assumed",
        message="samples are taken to be packed (sample_packing: true, as in two of three of Axolotl's examples); "
        'without, short ones take several times as long: say packing "padded" if so',
    ),
    "optimum-habana": Caution(
        code="packing_assumed",
        message="samples are taken to be padded, as run_lora_clm does unless told; commands of its README join them "
        '(--dataset_concatenation), by which short ones take a fraction of that: say packing "packed" if so',
    ),
}
"""Stacks of whose examples a good part does otherwise than most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """Whether samples are packed, and who says so."""

    padded: bool
    stack: Stack | None
    """Whose habits hold; None where none is named and scripts of many kinds are as likely."""
    assumption: Assumption
    cautions: tuple[Caution, ...] = ()
    """Where a habit is of most runs on the stack, and far from all."""


def resolved_packing(
    request: Request,
    framework: str,
    accelerator: Accelerator | None,
    method: MethodName,
    n_gpus: int,
    *,
    encodes: bool = False,
    pictured: bool = False,
    objective: ObjectiveName = "next_token",
) -> Packing:
    """Return whether samples are packed: as the caller says, as the named stack does, or as is usual.

    A stack's habit is of samples whose tokens are predicted: pairs and classes are scored as wholes, and only trainers
    of reinforcement learning pack them; those that are `pictured` no trainer for fine-tuning packs. Where no stack is
    named, a small set on few GPUs is padded, as Hugging Face's scripts do; all else is packed.
    """
    told = checked_choice("packing", request.packing, PACKING_CHOICES)
    stack = stack_named(framework) if framework != AUTO else None
    if stack is None and accelerator is not None and (usual := auto_stack(accelerator, method)).tunes:
        stack = usual
    if told != AUTO:
        return _packing(told, stack, "user", "")
    apart = ""
    if encodes:
        apart = "as collators of encoders do; "
    elif not packs(objective, framework):
        apart = "as samples that are scored as wholes are; "
    elif pictured and stack is not None and stack.tunes:
        apart = "as samples with pictures are; "
    if apart and request.samples is not None:
        return _packing("padded", stack, "default", apart)
    if stack is not None:
        habit = stack.tuning_habit if method in WITH_ADAPTERS or is_small_set(request) else stack.habit
        found = _packing(habit.packing or "padded", stack, "default", f"as {stack.name} does unless told; ")
        return replace(found, cautions=(_NOT_ALWAYS[stack.name],)) if stack.name in _NOT_ALWAYS else found
    if n_gpus <= FEW_GPUS and is_small_set(request):
        return _packing("padded", None, "default", "as fine-tuning scripts do unless told; ")
    return _packing("packed", None, "default", "as usual at this scale; ")


def told_to_pack(request: Request, practice: Practice) -> Practice:
    """Return `practice` with what the argument says of packing; raises InvalidValueError for what is none of it."""
    packing = checked_choice("packing", request.packing, PACKING_CHOICES)
    return practice if packing == AUTO else replace(practice, packing="packed" if packing == "packed" else "padded")


def packs(objective: ObjectiveName, stack: str) -> bool:
    """Return whether several samples of an objective share a sequence where a stack packs."""
    return objective not in SCORED_WHOLE or stack in _PACKS_PAIRS


def _packing(value: str, stack: Stack | None, source: SourceKind, how: str) -> Packing:
    if value == "packed":
        what = "samples share full sequences; padded, each would cost as much as the longest of its micro-batch"
    elif stack is not None and stack.tuning_habit.padding == "none":
        what = "samples share no full sequences; padded_length tells what their rows hold"
    else:
        what = "every sample costs as much as the longest of its micro-batch; packed, it would cost its own tokens"
    told = Assumption(name="packing", value=value, source=source, note=how + what)
    return Packing(padded=value == "padded", stack=stack, assumption=told)


def is_small_set(request: Request) -> bool:
    """Return whether `request` tells of samples, and of no more than fine-tuning takes."""
    if request.samples is None or request.tokens_per_sample is None:
        return False
    tokens = parse_count(request.samples, "samples") * parse_count(request.tokens_per_sample, "tokens_per_sample")
    return tokens <= LARGEST_SET


def is_from_scratch(request: Request) -> bool:
    """Return whether `request` tells of more than fine-tuning takes: of tokens, of samples, or by a size of text."""
    if request.tokens is not None:
        try:
            return parse_count(request.tokens, "tokens") > LARGEST_SET
        except InvalidValueError:
            # A size of text, such as "2 GB": nobody answers in it.
            return True
    return request.samples is not None and request.tokens_per_sample is not None and not is_small_set(request)


def pretraining_share(request: Request) -> float:
    """Return how likely tokens that are told alone are of pre-training: half at `LARGEST_SET`, linear in their log.

    0 or 1 where nothing is open: of samples, and of a size of text.
    """
    if request.tokens is None or request.samples is not None:
        return float(is_from_scratch(request))
    try:
        beyond = math.log(parse_count(request.tokens, "tokens") / LARGEST_SET)
    except InvalidValueError:
        return 1.0
    return min(1.0, max(0.0, 0.5 + 0.5 * beyond / math.log(_SURELY)))
