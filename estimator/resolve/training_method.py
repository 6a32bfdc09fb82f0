"""What is trained: the whole model, adapters on a frozen base, or a part of the weights."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import get_args

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import checked_choice, checked_whole
from estimator.base.units import parse_count
from estimator.models.diffusion.sample import is_placed
from estimator.models.parameters import attention_adapters, lora_parameters, projection_adapters, takes_adapters
from estimator.models.training import WITH_ADAPTERS, AdapterKind, Method, MethodName, Projection
from estimator.models.transformer import Transformer
from estimator.question.question import Assumption
from estimator.question.request import METHOD_CHOICES, Request
from estimator.resolve.framework.adapters import no_method as no_method_but_adapters
from estimator.resolve.objective import no_method as no_method_but_an_objective
from estimator.resolve.subject import Subject
from estimator.resolve.trained_parts import TrainedParts

__all__ = ["asked_method", "checked_rank", "no_method", "resolved_method"]

_USUAL_LORA_RANK = 16
_HIGHEST_LORA_RANK = 65_536
_FEW_PARAMETERS, _FEW_OF_ALL = 5e5, 1e-3
"""What learns of prompts of 20 tokens (80,000 in a 7B), IA3's vectors (600,000) and the like: too few to cost time."""
_ADAPTERS: Mapping[AdapterKind, str] = MappingProxyType(
    {
        "pairs": "cost what LoRA of their rank does, however they are set up, scaled or shared",
        "decomposed": "DoRA works out the norm of each adapted matrix in every forward pass; no dropout, as is PEFT's "
        "default: with it the base is multiplied twice",
        "vectors": "next to nothing learns, and gradients pass through all of the frozen base; virtual tokens lengthen "
        "a sequence by as many",
    }
)


def asked_method(request: Request) -> MethodName:
    """Return the method that `request` names. Raises InvalidValueError for one that there is not."""
    match _named(request.method):
        case "lora" | "qlora" | "frozen" as name:
            return name
        case _:
            return "full"


def no_method(given: str) -> str | None:
    """Return where `given` belongs, an objective or a kind of adapters that stands as the method; None for others."""
    if given.strip().casefold() in METHOD_CHOICES:
        return None
    return no_method_but_an_objective(given) or no_method_but_adapters(given)


def _named(given: str) -> str:
    """Return the choice of METHOD_CHOICES that `given` names; what is none is told where it belongs."""
    if remedy := no_method(given):
        raise InvalidValueError("method", given, remedy)
    return checked_choice("method", given, METHOD_CHOICES)


def resolved_method(
    request: Request, subject: Subject, parts: TrainedParts | None = None
) -> tuple[Method, tuple[Assumption, ...]]:
    """Return what `request` trains of the model, and what was assumed; `parts` of it where it names any.

    Raises InvalidValueError where a rank is given without adapters, or more is trained than there is.
    """
    name = asked_method(request)
    assumptions = [Assumption(name="method", value=name, source="default" if name == "full" else "user")]
    adapters = name in WITH_ADAPTERS
    rank = checked_rank(request)
    trained = None
    if request.trainable_params is not None:
        if name == "full":
            remedy = 'has no meaning with method "full"; use "frozen" or "lora"'
            raise InvalidValueError("trainable_params", request.trainable_params, remedy)
        trained = parse_count(request.trainable_params, "trainable_params")
        if trained > subject.total_parameters:
            raise InvalidValueError(
                "trainable_params",
                request.trainable_params,
                f"is more than the model's {subject.total_parameters:,.0f}",
            )
        assumptions.append(Assumption(name="trainable_params", value=trained, unit="parameters", source="user"))
    if adapters:
        if subject.transformer is not None and not takes_adapters(subject.transformer):
            remedy = f"has nothing to lie beside: {subject.name} has no attention; use full or frozen"
            raise InvalidValueError("method", name, remedy)
        told, trained = _beside(request, subject, rank, trained)
        assumptions += told
    kind: AdapterKind = request.adapters or "pairs"
    if adapters and kind == "vectors" and trained is None:
        trained = min(_FEW_PARAMETERS, _FEW_OF_ALL * subject.total_parameters)
    method = Method(name=name, lora_rank=rank, adapters=kind, trainable_parameters=trained)
    if parts is None:
        return method, tuple(assumptions)
    return _of_parts(method, parts, request, subject), (*assumptions, parts.assumption)


def _adapts_attention(transformer: Transformer) -> bool:
    """Return whether adapters lie beside queries and values alone by habit: of encoders, with or without a decoder."""
    return not transformer.causal and not is_placed(transformer) and attention_adapters(transformer, 1) > 0


def _beside(
    request: Request, subject: Subject, rank: int, trained: float | None
) -> tuple[tuple[Assumption, ...], float | None]:
    """Return the kind of adapters where it was named, their rank where they have one, and how much they train."""
    kind, network = request.adapters, subject.transformer
    told = () if kind is None else (Assumption(name="adapters", value=kind, source="user", note=_ADAPTERS[kind]),)
    if kind == "vectors":
        return told, trained
    given, where = request.lora_rank is not None, "on every linear layer"
    if network is not None and network.experts is not None:
        where += " but routed experts; say trainable_params where they have adapters too"
    if network is not None and request.adapted:
        named = ", ".join(name for name in get_args(Projection) if name in request.adapted)
        beside = projection_adapters(network, rank, request.adapted)
        if beside is None:
            where += f"; the network has other layers than {named}: say trainable_params"
        elif trained is None:
            trained, where = float(beside), f"beside {named} alone, as framework says"
    if trained is None and network is not None and _adapts_attention(network):
        trained = float(attention_adapters(network, rank))
        where = "beside queries and values, as PEFT adapts such models unless told; say trainable_params for more"
    if network is not None and is_placed(network):
        where = "beside attention's projections alone, as diffusers' scripts have it; say trainable_params for more"
    note = where if given else f"a usual rank, {where}"
    of_rank = Assumption(name="lora_rank", value=rank, source="user" if given else "default", note=note)
    return (of_rank, *told), trained


def _of_parts(method: Method, parts: TrainedParts, request: Request, subject: Subject) -> Method:
    """Return `method` on the parts of the model that learn; adapters lie in the layers that are named."""
    if request.trainable_params is not None:
        raise InvalidValueError(
            "trained_layers", request.trained_layers, "and trainable_params say the same thing twice; give one of them"
        )
    chosen = replace(
        method,
        trained_layers=parts.layers,
        reached_layers=parts.reached,
        trains_embeddings=parts.embeddings,
        trains_output=parts.output,
    )
    if method.name not in WITH_ADAPTERS:
        # Of a frozen model, what is named learns; of a whole one, nothing else does.
        return replace(chosen, name="full" if parts.layers is None else "frozen")
    transformer = subject.transformer
    if transformer is None or parts.layers is None:
        return chosen
    if parts.layers == 0:
        remedy = f"leaves no layer to {method.name}'s adapters; say layers, such as 8, or method frozen for it alone"
        raise InvalidValueError("trained_layers", request.trained_layers, remedy)
    share, beside = parts.layers / transformer.n_layers, method.trainable_parameters if request.adapted else None
    return replace(chosen, trainable_parameters=share * (beside or lora_parameters(transformer, method.lora_rank)))


def checked_rank(request: Request) -> int:
    """Return the rank of the adapters, the usual one where none is given.

    Raises InvalidValueError where one is given without adapters.
    """
    if request.lora_rank is None:
        return _USUAL_LORA_RANK
    name = _named(request.method)
    if name not in WITH_ADAPTERS:
        raise InvalidValueError("lora_rank", request.lora_rank, f'has no meaning with method {name!r}; use "lora"')
    return checked_whole("lora_rank", request.lora_rank, most=_HIGHEST_LORA_RANK)
