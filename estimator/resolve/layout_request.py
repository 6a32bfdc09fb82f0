"""The part of a layout that a caller fixed, checked against the model and the cluster."""

import math

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import MOST_GPUS, checked_choice, checked_whole, divisors_near, divisors_of
from estimator.models.training import Recompute
from estimator.models.transformer import Transformer
from estimator.question.question import Assumption, LayoutRequest, Sharding
from estimator.question.request import RECOMPUTE_CHOICES, SHARDING_CHOICES, SHARDING_NAMES, Request

__all__ = ["MOST_SEQUENCES", "OF_THE_RULE", "layout_assumptions", "layout_request"]

MOST_SEQUENCES = 100_000_000
"""Sequences a step: above every batch ever used by orders of magnitude."""
OF_THE_RULE = "rule_of_thumb_recompute"
"""The recomputation that the rule of thumb counts where none is said: no layout's, which has its own."""
_DEGREES = ("tensor_parallel", "pipeline_parallel", "virtual_pipeline", "context_parallel", "expert_parallel")


def layout_request(
    request: Request,
    transformer: Transformer | None,
    n_gpus: int,
    *,
    sequence_length: int,
    batch: int | None,
    end_layers: int,
) -> LayoutRequest:
    """Return what `request` says about the layout; stages may be as many as the layers and `end_layers` together.

    Raises InvalidValueError where a degree does not divide what it splits, whichever the other degrees are.
    """
    degree = {
        name: None if (given := getattr(request, name)) is None else checked_whole(name, given, most=MOST_GPUS)
        for name in _DEGREES
    }
    micro = (
        None
        if request.micro_batch_size is None
        else checked_whole("micro_batch_size", request.micro_batch_size, most=MOST_SEQUENCES)
    )
    gpus = (n_gpus, "GPUs")
    _divides("tensor_parallel", degree["tensor_parallel"], *_heads(transformer), gpus)
    _divides("pipeline_parallel", degree["pipeline_parallel"], gpus)
    context = degree["context_parallel"]
    _divides("context_parallel", context, gpus)
    _fits_sequence(context, sequence_length)
    if transformer is not None:
        _fits_layers(degree, transformer, end_layers, n_gpus)
        _fits_experts(degree, transformer, n_gpus)
    _fits_cluster(degree, n_gpus)
    _fits_batch(degree, n_gpus, micro, batch)
    asked = request.data_sharding.strip().casefold()
    sharding = checked_choice("data_sharding", SHARDING_NAMES.get(asked, asked), SHARDING_CHOICES)
    recompute = checked_choice("activation_recompute", request.activation_recompute, RECOMPUTE_CHOICES)
    return LayoutRequest(
        tensor_parallel=degree["tensor_parallel"],
        pipeline_parallel=degree["pipeline_parallel"],
        virtual_pipeline=degree["virtual_pipeline"],
        context_parallel=context,
        expert_parallel=degree["expert_parallel"],
        data_sharding=_sharding(sharding),
        micro_batch_size=micro,
        recompute=_recompute(recompute),
    )


def layout_assumptions(layout: LayoutRequest) -> tuple[Assumption, ...]:
    """Return the assumptions that a caller's own layout amounts to, and what the rule takes in its stead."""
    assumptions = [
        Assumption(name=name, value=value, source="user")
        for name, value in layout.by_argument().items()
        if value is not None
    ]
    if layout.recompute is None:
        note = "counted by the rule of thumb alone; the layout has its own activation_recompute"
        assumptions.append(Assumption(name=OF_THE_RULE, value="none", source="default", note=note))
    return tuple(assumptions)


def _heads(transformer: Transformer | None) -> tuple[tuple[int, str], ...]:
    return () if transformer is None else ((transformer.n_heads, "attention heads of the model"),)


def _divides(argument: str, degree: int | None, *wholes: tuple[int, str]) -> None:
    """Raise where `degree` does not divide every one of `wholes`, with degrees that do."""
    if degree is None or all(whole % degree == 0 for whole, _ in wholes):
        return
    told = " and ".join(f"the {whole:,} {of_what}" for whole, of_what in wholes)
    near = divisors_near(math.gcd(*(whole for whole, _ in wholes)), degree)
    raise InvalidValueError(argument, degree, f"must divide {told}; {near} would do")


def _fits_sequence(context: int | None, sequence_length: int) -> None:
    """Raise where a sequence is too short for its ranks; one that they do not divide is padded."""
    if context is not None and context > 1 and sequence_length < 2 * context:
        remedy = f"leaves nothing of the {sequence_length:,} tokens of a sequence for some ranks; at most "
        raise InvalidValueError("context_parallel", context, f"{remedy}{max(1, sequence_length // 2):,} would do")


def _fits_layers(degree: dict[str, int | None], transformer: Transformer, end_layers: int, n_gpus: int) -> None:
    """Raise where there are more pipeline stages than layers, or virtual stages without a pipeline."""
    pipeline, virtual = degree["pipeline_parallel"] or 1, degree["virtual_pipeline"] or 1
    stages, most = pipeline * virtual, transformer.n_layers + end_layers
    if stages > most:
        ends = ", embedding and output" if end_layers else ""
        remedy = f"makes {stages} stages of {transformer.n_layers} layers{ends}; at most {most} stages would do"
        if virtual > 1 and pipeline <= most:
            raise InvalidValueError("virtual_pipeline", virtual, f"{remedy}, so at most {most // pipeline}")
        near = max(d for d in divisors_of(n_gpus) if d <= most // virtual or d == 1)
        raise InvalidValueError("pipeline_parallel", pipeline, f"{remedy}, so {near} on {n_gpus:,} GPUs")
    if degree["virtual_pipeline"] not in {None, 1} and degree["pipeline_parallel"] == 1:
        remedy = "needs pipeline_parallel of at least 2; leave it out, or use 1"
        raise InvalidValueError("virtual_pipeline", degree["virtual_pipeline"], remedy)


def _fits_experts(degree: dict[str, int | None], transformer: Transformer, n_gpus: int) -> None:
    """Raise where experts, or the GPUs of a pipeline stage that hold them, are not divided evenly."""
    experts, stages = degree["expert_parallel"], degree["pipeline_parallel"] or 1
    if experts is None or experts == 1:
        return
    if transformer.experts is None:
        remedy = f"needs a model with experts, and {transformer.name} is dense; leave it out, or use 1"
        raise InvalidValueError("expert_parallel", experts, remedy)
    gpus = (n_gpus // stages, "GPUs" if stages == 1 else "GPUs of a pipeline stage")
    _divides("expert_parallel", experts, (transformer.experts.n_experts, "experts of the model"), gpus)


def _fits_cluster(degree: dict[str, int | None], n_gpus: int) -> None:
    """Raise where tensor, pipeline and context parallelism together do not divide the GPUs."""
    names = [name for name in ("tensor_parallel", "pipeline_parallel", "context_parallel") if (degree[name] or 1) > 1]
    together = 1
    for name in names:
        together *= degree[name] or 1
        if n_gpus % together:
            product = " × ".join(f"{factor} {degree[factor]}" for factor in names[: names.index(name) + 1])
            left = n_gpus // (together // (degree[name] or 1))
            near = divisors_near(max(left, 1), degree[name] or 1)
            remedy = f"makes {product} = {together}, which must divide the {n_gpus:,} GPUs; {near} would do"
            raise InvalidValueError(name, degree[name], remedy)


def _fits_batch(degree: dict[str, int | None], n_gpus: int, micro: int | None, batch: int | None) -> None:
    """Raise where the global batch is not made of whole micro-batches on every replica."""
    if batch is None:
        return
    if micro is not None:
        _divides("micro_batch_size", micro, (batch, "sequences of the global batch"))
    splits = [degree[name] for name in ("tensor_parallel", "pipeline_parallel", "context_parallel")]
    if None in splits:
        return
    replicas = n_gpus
    for split in splits:
        replicas //= split or 1
    each = replicas * (micro or 1)
    if batch % each:
        below = batch // each * each
        near = " or ".join(f"{n:,}" for n in (below, below + each) if n)
        raise InvalidValueError(
            "global_batch_sequences",
            batch,
            f"must be a multiple of {each:,} ({replicas:,} data-parallel replicas × micro-batch {micro or 1}); "
            f"{near} would do",
        )


def _sharding(given: str) -> Sharding | None:
    match given:
        case "ddp" | "zero1" | "zero2" | "zero3":
            return given
        case _:
            return None


def _recompute(given: str) -> Recompute | None:
    match given:
        case "none" | "selective" | "full":
            return given
        case _:
            return None
