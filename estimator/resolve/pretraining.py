"""What an encoder of text is pre-trained by, where nobody says: as its family was."""

import re
from dataclasses import replace

from estimator.models.masked import predicts_masked
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.packing import is_from_scratch

__all__ = ["as_inferred", "as_pretrained"]

_NOT_SAID = frozenset({"", "auto", "default", "next_token", "pretrain", "pretraining", "pre_training"})
"""Objectives that say nothing of what an encoder learns."""
_PRETRAINS = re.compile(r"pre[-_ ]?train|from[-_ ]scratch")
_TUNES = re.compile(r"fine[-_ ]?tun|\bsft\b|instruct")
_OF_PERMUTATIONS = "relative_keys"
"""What XLNet alone has, which predicts tokens in orders that are drawn (Yang et al. 2019): neither of both."""
_INFERRED = frozenset({"generator", "objective"})


def as_pretrained(request: Request, network: Transformer | None) -> Request:
    """Return `request` with the objective of its encoder's family, where it is pre-training and none is said.

    That is masked tokens, or replaced ones where the family has a generator; the whole network learns. It is
    pre-training where words say so, or where the amount is more than any fine-tuning takes.
    """
    folded = re.sub(r"[\s-]+", "_", request.objective.strip().casefold())
    whole = request.method.strip().casefold() in {"", "full"} and request.trained_layers is None
    if network is None or not whole or folded not in _NOT_SAID or not predicts_masked(network):
        return request
    if _has(network, _OF_PERMUTATIONS) or not _pretrains(request):
        return request
    return replace(request, objective="replaced_token" if _tells_replaced(network) else "masked")


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
