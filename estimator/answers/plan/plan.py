"""The inverse of an estimate: devices, tokens, model size, layout or device for a deadline and a budget."""

from dataclasses import dataclass, replace

from estimator.answers.plan.devices import candidates, planned_device, precisions_differ
from estimator.answers.plan.layouts import planned_layout
from estimator.answers.plan.limits import limit_assumptions, requested_limits
from estimator.answers.plan.needed import counts_considered, most_affordable, planned_count
from estimator.answers.plan.neighbours import count_alternatives, diminishing
from estimator.answers.plan.scaling import TOKENS_PER_PARAMETER, optimal_tokens
from estimator.answers.plan.sizes import planned_size
from estimator.answers.plan.tokens import planned_tokens, token_alternatives
from estimator.answers.plan.trials import Trials, in_full, left_idle
from estimator.answers.plan.types import Option, Plan, PlanRequest
from estimator.answers.plan.warnings import that_change_the_choice
from estimator.base.errors import InfeasibleError, InvalidValueError, MissingValueError
from estimator.base.inputs import MOST_GPUS, checked_choice, checked_number, checked_whole_count
from estimator.catalogue.network_words import listed_devices
from estimator.question.question import Assumption, Caution
from estimator.question.request import Quantity, Request
from estimator.resolve.amount import resolved_amount
from estimator.resolve.candidates import means_all
from estimator.resolve.device import resolved_device
from estimator.resolve.pools import named_pools
from estimator.resolve.run import checked_own_runs
from estimator.resolve.settings import with_settings
from estimator.resolve.slices import uncounted, with_whole_counted
from estimator.resolve.subject import resolved_subject

__all__ = ["SOLVE_FOR", "plan_for"]

SOLVE_FOR = ("n_gpus", "tokens", "model_size", "layout", "gpu")
_MOST_TOKENS_PER_PARAMETER = 1e9
_ANY_SIZE = 7e9
"""Parameters of a stand-in: what steps come to depends on batch and sequence."""


def plan_for(request: PlanRequest) -> Plan:
    """Return the plan that `request` asks for.

    Raises InvalidValueError, MissingValueError or UnknownNameError naming the argument that does not fit, and
    InfeasibleError where nothing keeps to the limits: which one to relax, and to what.
    """
    solve_for = checked_choice("solve_for", request.solve_for, SOLVE_FOR)
    limits = requested_limits(request)
    checked_own_runs(request.common)
    request = replace(request, common=with_settings(request.common, amount=solve_for != "tokens", count=False))
    _refuse_what_is_solved_for(request, solve_for)
    _refuse_several_gpus(request, solve_for)
    request, counted, cautions = _in_devices(request)
    data, data_assumptions = _data(request, solve_for)
    base = replace(
        data,
        model=request.model if request.model is not None else "",
        gpu=request.gpu if request.gpu is not None else "",
        n_gpus=request.n_gpus if request.n_gpus is not None else 1,
    )
    trials = Trials(base, limits)
    try:
        found = _solved(request, solve_for, trials)
    except InfeasibleError:
        trials.refuse_unusual_batches()
        raise
    solution, warnings = found.solution, (*cautions, *found.warnings)
    if found.sure is None and _has_range(solution) and (limits.deadline_s is not None or limits.budget is not None):
        warnings = (*warnings, _unsure())
    taken = (option.estimate for option in (solution, found.sure) if option is not None)
    warnings = (*warnings, *dict.fromkeys(caution for estimate in taken for caution in left_idle(estimate)))
    solution = solution if solve_for == "layout" else replace(solution, estimate=in_full(solution.estimate))
    return Plan(
        request=request,
        limits=limits,
        solution=solution,
        sure=found.sure,
        alternatives=found.alternatives,
        at_most=found.at_most,
        assumptions=(*limit_assumptions(limits), *data_assumptions, *counted, *found.assumptions),
        warnings=(*warnings, *that_change_the_choice(solution.estimate, warnings)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was solved for, and what is told beside it."""

    solution: Option
    sure: Option | None
    alternatives: tuple[Option, ...]
    at_most: Option | None = None
    warnings: tuple[Caution, ...] = ()
    assumptions: tuple[Assumption, ...] = ()


def _solved(request: PlanRequest, solve_for: str, trials: Trials) -> _Found:
    match solve_for:
        case "n_gpus":
            _needs(request, "model", "gpu")
            return _solved_count(trials)
        case "tokens":
            _needs(request, "model", "gpu")
            solution, sure = planned_tokens(trials, request.n_gpus)
            others = token_alternatives(trials, solution.estimate)
            return _Found(solution=solution, sure=sure, alternatives=others)
        case "model_size":
            _needs(request, "gpu")
            given = _told_tokens(trials)
            solution, sure, others = planned_size(trials, request.n_gpus, given, _ratio(request))
            return _Found(solution=solution, sure=sure, alternatives=others)
        case "layout":
            _needs(request, "model", "gpu", "n_gpus")
            solution, sure, others = planned_layout(trials)
            return _Found(solution=solution, sure=sure, alternatives=others)
        case _:
            _needs(request, "model")
            n_gpus = None if request.n_gpus is None else checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
            names, assumption = candidates(request.gpu, n_gpus)
            solution, sure, others = planned_device(trials, names, n_gpus)
            return _Found(
                solution=solution,
                sure=sure,
                alternatives=others,
                warnings=precisions_differ(
                    solution.estimate, (other.estimate for other in others), trials.base.precision
                ),
                assumptions=(assumption,),
            )


def _solved_count(trials: Trials) -> _Found:
    solution, sure = planned_count(trials)
    at_most = most_affordable(trials, solution.estimate)
    taken = [option.estimate for option in (solution, sure) if option is not None]
    return _Found(
        solution=solution,
        sure=sure,
        alternatives=count_alternatives(trials, taken, at_most),
        at_most=at_most,
        warnings=diminishing(trials, solution.estimate, at_most),
        assumptions=(counts_considered(trials),),
    )


def _in_devices(request: PlanRequest) -> tuple[PlanRequest, tuple[Assumption, ...], tuple[Caution, ...]]:
    """Return `request` with n_gpus in devices, as an estimate reads it, and gpu without a count: others are tried.

    Of several devices to choose among, each is counted by itself.
    """
    if request.gpu is None or means_all(request.gpu) or len(listed_devices(str(request.gpu))) > 1:
        return request, (), ()
    common = request.common
    node = resolved_device(replace(common, gpu=request.gpu)).node if common.gpus_per_node is None else None
    alone = uncounted(request.gpu)
    if node is not None and resolved_device(replace(common, gpu=alone)).node != node:
        # Of so many nodes with so many devices each, the number of nodes alone is free.
        common = replace(common, gpus_per_node=node)
    if request.n_gpus is None:
        return replace(request, gpu=alone, common=common), (), ()
    counted = with_whole_counted(Request(model="", gpu=request.gpu, n_gpus=request.n_gpus))
    n_gpus = counted.request.n_gpus
    read = Assumption(name="n_gpus", value=n_gpus, unit="GPUs", source="inferred", note=counted.how)
    as_counted = replace(request, gpu=alone, n_gpus=n_gpus, common=common)
    return as_counted, (read,) if counted.how else (), counted.cautions


def _told_tokens(trials: Trials) -> float | None:
    """Return the tokens that a model of whatever size is to be trained on; None where they follow from its size."""
    base = trials.base
    if base.steps is not None:
        return trials.resolved(trials.varied(model=_ANY_SIZE)).amount.tokens
    if base.tokens is None and base.samples is None:
        return None
    amount = resolved_amount(base)
    return amount.tokens if base.tokens_per_sample is None else amount.real_tokens


def _refuse_what_is_solved_for(request: PlanRequest, solve_for: str) -> None:
    """Raise InvalidValueError where an argument gives what is to be found."""
    given: dict[str, tuple[tuple[str, Quantity | None], ...]] = {
        "n_gpus": (("n_gpus", request.n_gpus),),
        "tokens": (
            ("tokens", request.common.tokens),
            ("samples", request.common.samples),
            ("epochs", request.common.epochs),
            ("steps", request.common.steps),
            ("tokens_per_parameter", request.tokens_per_parameter),
        ),
        "model_size": (("model", request.model),),
    }
    for name, value in given.get(solve_for, ()):
        if value is not None:
            raise InvalidValueError(name, value, f"is what solve_for {solve_for} finds; leave it out")
    if solve_for == "model_size" and request.common.hf_config is not None:
        raise InvalidValueError("hf_config", "{…}", "is a model, and solve_for model_size finds one; leave it out")


def _refuse_several_gpus(request: PlanRequest, solve_for: str) -> None:
    """Raise InvalidValueError where several devices are named and not one of them is to be chosen."""
    names = listed_devices(str(request.gpu or ""))
    if len(names) > 1 and solve_for != "gpu":
        remedy = f"names {len(names)}, which only solve_for gpu chooses among; give one of them"
        raise InvalidValueError("gpu", request.gpu, remedy)
    if solve_for not in {"gpu", "layout"} and named_pools(str(request.gpu or "")):
        remedy = "names unlike GPUs, of which a plan finds the layout alone; estimate_training_time takes them"
        raise InvalidValueError("gpu", request.gpu, remedy)


def _needs(request: PlanRequest, *arguments: str) -> None:
    """Raise MissingValueError for the first of `arguments` that was left out."""
    remedies = {
        "model": 'give a preset such as "llama-3.1-8b", or a size such as "7B"',
        "gpu": 'give one that list_gpus shows, such as "h100"',
        "n_gpus": "give how many GPUs there are",
    }
    for argument in arguments:
        value = getattr(request, argument)
        if value is None and not (argument == "model" and request.common.hf_config is not None):
            raise MissingValueError(argument, remedies[argument])


def _ratio(request: PlanRequest) -> float:
    if request.tokens_per_parameter is None:
        return TOKENS_PER_PARAMETER.mode
    return checked_number("tokens_per_parameter", request.tokens_per_parameter, most=_MOST_TOKENS_PER_PARAMETER)


def _data(request: PlanRequest, solve_for: str) -> tuple[Request, tuple[Assumption, ...]]:
    """Return the common request with its tokens settled where they follow from the model, and what was assumed."""
    common = request.common
    given = next((name for name in ("tokens", "samples", "steps") if getattr(common, name) is not None), None)
    ratio = _ratio(request)
    if given is not None and request.tokens_per_parameter is not None:
        remedy = f"and {given} say the same thing twice; give one of them"
        raise InvalidValueError("tokens_per_parameter", request.tokens_per_parameter, remedy)
    defaulted = solve_for in {"layout", "model_size"} or request.tokens_per_parameter is not None
    if given is not None or solve_for == "tokens" or not defaulted:
        return common, ()
    assumption = Assumption(
        name="tokens_per_parameter",
        value=ratio,
        unit="tokens per parameter",
        source="default" if request.tokens_per_parameter is None else "user",
        note=TOKENS_PER_PARAMETER.why if request.tokens_per_parameter is None else "",
    )
    if solve_for == "model_size":
        return common, (assumption,)
    _needs(request, "model")
    subject = resolved_subject(replace(common, model=request.model or ""))
    return replace(common, tokens=optimal_tokens(subject.total_parameters, ratio)), (assumption,)


def _has_range(option: Option) -> bool:
    return option.estimate.training_high_s > option.estimate.training_s


def _unsure() -> Caution:
    return Caution(
        code="not_sure",
        message="nothing keeps to the limits by the far end of its range: this plan has even odds and no surer one",
    )
