"""What an encoder learns where nobody says: as its family was pre-trained, or for use; and where either may be."""

import math
import re
from dataclasses import dataclass, replace

from estimator.base.units import parse_count
from estimator.models.autoencoders import is_autoencoder
from estimator.models.masked import predicts_masked
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer
from estimator.question.cluster import Accelerator
from estimator.question.other_training import OtherTraining
from estimator.question.question import Assumption, Question
from estimator.question.request import Request
from estimator.resolve.autoencoders import is_training_open
from estimator.resolve.framework.software import AUTO
from estimator.resolve.media import GENERAL, stack_for_encoders
from estimator.resolve.objective import OF_MASKED, asked_objective
from estimator.resolve.packing import is_from_scratch, pretraining_share

__all__ = ["OtherWay", "as_inferred", "as_pretrained", "other_way"]

_NOT_SAID = frozenset({"", "auto", "default", "next_token", "pretrain", "pretraining", "pre_training"})
"""Objectives that say nothing of what an encoder learns."""
_PRETRAINS = re.compile(r"pre[-_ ]?train|from[-_ ]scratch")
_TUNES = re.compile(r"fine[-_ ]?tun|\bsft\b|instruct")
_OF_PERMUTATIONS = "relative_keys"
"""What XLNet alone has, which predicts tokens in orders that are drawn (Yang et al. 2019): neither of both."""
_INFERRED = frozenset({"generator", "objective"})
_LABELLED = 0.3
"""Share of those who name a masked autoencoder alone that tune it on labels: its weights are published for that, and
most who do so say it."""
_FEW_PICTURES, _MANY_PICTURES = 1.3e8, 1.3e9
"""Pictures that are seen in all up to which labels may be learnt from them, as in a hundred passes over ImageNet, and
from which on none are: a thousand passes are pre-training's (He et al. 2022, table 9 and section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherWay:
    """Another training that a request may mean, by its objective and stack, and how many mean it."""

    objective: str
    framework: str
    share: float
    assumed: str
    """What is assumed, in words …"""
    words: str
    """… and what it is itself."""
    argument: str
    """The one that tells most …"""
    say: str
    """… and all that tell which it is."""

    def beside(self, question: Question, amount: float) -> OtherTraining:
        """Return it as it was resolved: a `question`, of `amount` tokens for each of the training that is assumed."""
        return OtherTraining(
            transformer=question.transformer,
            framework=question.framework,
            sequence_length=question.sequence_length,
            reads=question.reads,
            tokens=amount,
            share=self.share,
            assumed=self.assumed,
            words=self.words,
            argument=self.argument,
            say=self.say,
        )


def as_pretrained(request: Request, network: Transformer | None) -> Request:
    """Return `request` with the objective of its encoder's family, where it is pre-training and none is said.

    That is masked tokens, or replaced ones where the family has a generator; the whole network learns. It is
    pre-training where words say so, or where the amount is more than any fine-tuning takes.
    """
    if network is None or not _is_open(request, network) or not _pretrains(request):
        return request
    return replace(request, objective=_of_family(network))


def _is_open(request: Request, network: Transformer) -> bool:
    """Return whether an encoder of text learns as a whole, and nobody said by what."""
    whole = request.method.strip().casefold() in {"", "full"} and request.trained_layers is None
    trainable = predicts_masked(network) and not _has(network, _OF_PERMUTATIONS)
    return whole and trainable and _folded(request.objective) in _NOT_SAID


def _folded(objective: str) -> str:
    return re.sub(r"[\s-]+", "_", objective.strip().casefold())


def _of_family(network: Transformer) -> str:
    return "replaced_token" if _tells_replaced(network) else "masked"


def other_way(
    request: Request, told: Request, network: Transformer | None, stack: str, chip: Accelerator | None
) -> OtherWay | None:
    """Return the other training that `request` may mean beside `told`, its objective filled in; None where none is.

    An encoder of text may be tuned or pre-trained, by its amount; a masked autoencoder learn labels, if they are few.
    """
    if network is None:
        return None
    if is_autoencoder(network):
        return _with_labels(request, stack)
    return _of_text(request, told, network, stack, chip)


def _with_labels(request: Request, stack: str) -> OtherWay | None:
    """Return that a masked autoencoder is tuned on labels, where nothing tells and the pictures are few enough."""
    if not is_training_open(request):
        return None
    once = 1.0 if request.samples is None else parse_count(request.samples, "samples")
    seen = once * (1.0 if request.epochs is None else parse_count(request.epochs, "epochs"))
    fewer = math.log(_MANY_PICTURES / seen) / math.log(_MANY_PICTURES / _FEW_PICTURES)
    return OtherWay(
        objective="classification",
        framework=stack,
        share=_LABELLED * min(1.0, max(0.0, fewer)),
        assumed="pre-training on masked pictures",
        words="learning labels from whole ones",
        argument="objective",
        say='objective "classification" or "mae"',
    )


def _of_text(
    request: Request, told: Request, network: Transformer, stack: str, chip: Accelerator | None
) -> OtherWay | None:
    """Return that an encoder of text is pre-trained where it is thought to be tuned, or the other way round."""
    share, scratch = pretraining_share(request), is_from_scratch(request)
    of_masked = asked_objective(told, AUTO).objective.name in OF_MASKED
    said = f"{request.objective} {request.framework}".casefold()
    is_open = _is_open(request, network) and not (_TUNES.search(said) or _PRETRAINS.search(said))
    if share in {0.0, 1.0} or not (is_open or of_masked):
        return None
    tuned = request.objective if is_open else told.objective
    pretrained = _of_family(network) if is_open else told.objective
    made = stack_for_encoders(chip)
    stacks = (GENERAL, made) if stack == AUTO else (stack, stack)
    on = [f" on {each}" if stacks[0] != stacks[1] else "" for each in stacks]
    ways = (f"tuning{on[0]}", f"pre-training{on[1]}")
    return OtherWay(
        objective=tuned if scratch else pretrained,
        framework=stacks[0] if scratch else stacks[1],
        share=1.0 - share if scratch else share,
        assumed=ways[scratch],
        words=f"as {ways[not scratch]}",
        argument="framework" if stack == AUTO else "objective",
        say=" and ".join(
            argument for argument, unsaid in (("objective", is_open), ("framework", stack == AUTO)) if unsaid
        ),
    )


def as_inferred(assumptions: tuple[Assumption, ...]) -> tuple[Assumption, ...]:
    """Return `assumptions` with an objective, and its generator, that follow from the model."""
    how = "as its family is pre-trained; say objective for another"
    return tuple(
        replace(one, source="inferred", note=f"{how}; {one.note}" if one.name == "objective" and one.note else one.note)
        if one.name in _INFERRED
        else one
        for one in assumptions
    )


def _tells_replaced(network: Transformer) -> bool:
    """Return whether a network was pre-trained beside its generator: DeBERTa v2, which has convolutions, was not."""
    return network.generator is not None and not _has(network, "convolution")


def _has(network: Transformer, name: str) -> bool:
    return any(isinstance(mixer, Projection) and mixer.name == name for mixer in network.mixers)


def _pretrains(request: Request) -> bool:
    """Return whether words say that it is pre-training, or the amount is more than any fine-tuning takes."""
    said = f"{request.objective} {request.framework}".casefold()
    if _TUNES.search(said):
        return False
    return bool(_PRETRAINS.search(said)) or is_from_scratch(request)
