"""Degrees of parallelism that a framework's text tells: the layout's, where its arguments are left open."""

from dataclasses import replace

from estimator.base.inputs import MOST_GPUS, checked_whole, checked_whole_count
from estimator.models.transformer import Transformer
from estimator.physics.stacks import NOT_UNDER_ZERO3
from estimator.question.question import Caution
from estimator.question.request import SHARDING_NAMES, Request
from estimator.resolve.framework.software import AUTO, NamedFramework

__all__ = ["of_its_network", "with_spread_experts", "with_told_degrees"]

_SPLITS = ("tensor_parallel", "pipeline_parallel", "context_parallel")
"""What together with data parallelism makes up all devices."""


def with_told_degrees(request: Request, named: NamedFramework) -> tuple[Request, tuple[Caution, ...]]:
    """Return `request` with the degrees that its framework's text tells, and what of them was not taken.

    Arguments win. Data parallelism has none: it is what the splits of a model leave of the devices, and tells the one
    split that is open. Raises InvalidValueError for a count of GPUs, or a degree given as an argument, that is none.
    """
    told = dict(named.degrees)
    replicas = told.pop("data_parallel", None)
    cautions: list[Caution] = []
    taken: dict[str, int] = {}
    for argument, degree in told.items():
        given = getattr(request, argument)
        if given is None:
            taken[argument] = degree
        elif checked_whole(argument, given, most=MOST_GPUS) != degree:
            cautions.append(_contradicted(f"{argument} {degree:,}", f"the argument's {given:,} is taken"))
    request = replace(request, **taken)  # type: ignore[arg-type]
    if replicas is None:
        return request, tuple(cautions)
    request, doubt = _with_replicas(request, replicas)
    return request, (*cautions, *doubt)


def of_its_network(
    told: Request, request: Request, transformer: Transformer | None
) -> tuple[Request, tuple[Caution, ...]]:
    """Return `told` without the spreading of experts that a text tells of a network that has none.

    One text goes with many networks where they are compared; an argument is refused where it is checked.
    """
    dense = transformer is not None and transformer.experts is None
    degree = told.expert_parallel
    if not dense or degree is None or request.expert_parallel is not None:
        return told, ()
    model = "" if transformer is None else transformer.name
    idle = _contradicted(f"expert_parallel {degree:,}", f"{model} has no experts to spread")
    return replace(told, expert_parallel=None), (idle,) if degree > 1 else ()


def with_spread_experts(
    request: Request, named: NamedFramework, transformer: Transformer | None
) -> tuple[Request, tuple[Caution, ...]]:
    """Return `request` with its ZeRO stage open where experts are told to be spread, and ZeRO-3 that forbids it.

    Both cannot have been run; who tells of experts tells more of a run than who tells of the usual stage.
    """
    dense = transformer is None or transformer.experts is None
    degree = request.expert_parallel
    spread = bool(named.practice.spreads_experts) if degree is None else degree > 1
    folded = request.data_sharding.strip().casefold()
    sharding = SHARDING_NAMES.get(folded, folded)
    if dense or not spread or named.name not in NOT_UNDER_ZERO3 or sharding != "zero3":
        return request, ()
    message = (
        f"{named.name} spreads no experts under ZeRO-3: a lower stage is taken, under which it does; to keep ZeRO-3, "
        "say expert_parallel 1"
    )
    return replace(request, data_sharding=AUTO), (Caution(code="framework_contradicted", message=message),)


def _with_replicas(request: Request, replicas: int) -> tuple[Request, tuple[Caution, ...]]:
    """Return `request` with the split that `replicas` leave to the one that is open, and why nothing does so."""
    n_gpus = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    degrees: dict[str, int | None] = {}
    for name in _SPLITS:
        given = getattr(request, name)
        degrees[name] = None if given is None else checked_whole(name, given, most=MOST_GPUS)
    split = 1
    for degree in degrees.values():
        split *= degree or 1
    each = replicas * split
    still = [name for name, degree in degrees.items() if degree is None]
    if n_gpus % each == 0:
        left = n_gpus // each
        if left == 1:
            return replace(request, **dict.fromkeys(still, 1)), ()  # type: ignore[arg-type]
        # Whoever shares sequences says so.
        likely = [name for name in still if name != "context_parallel"]
        if len(likely) == 1:
            return replace(request, **{likely[0]: left}), ()  # type: ignore[arg-type]
        if likely:
            open_ones = " and ".join(likely)
            why = f"which of {open_ones} share the other {left:,} is not said: give them"
            return request, (_contradicted(f"data_parallel {replicas:,}", why),)
    why = f"the {n_gpus:,} GPUs make {n_gpus / split:,.4g} replicas: give the splits that yours have"
    return request, (_contradicted(f"data_parallel {replicas:,}", why),)


def _contradicted(what: str, why: str) -> Caution:
    return Caution(code="framework_contradicted", message=f"framework says {what}, but {why}")
