"""A plan in words: its summary, and the formula it inverts."""

from estimator.answers.estimate.estimate import Estimate
from estimator.answers.estimate.wording import amount_words, time_range
from estimator.answers.plan.limits import USUAL_DEADLINE_S, spoken_budget, within
from estimator.answers.plan.types import Option, Plan
from estimator.answers.plan.warnings import LEVERS
from estimator.base.units import DAY_S, format_count, format_counted, format_duration, format_usd
from estimator.resolve.run import Run

__all__ = ["plan_formula", "plan_summary"]


def plan_summary(plan: Plan) -> str:
    """Return the answer in two or three sentences, with the range and the surer answer in it."""
    estimate = plan.solution.estimate
    solved = _solved(plan, estimate)
    if plan.sure is not None:
        probability = f"{plan.sure.estimate.coverage:.0%}" if plan.sure.estimate.coverage else ""
        sureness = f"at least {probability} sure" if probability else "by the slow end of the rule's range"
        odds = "even odds" if probability else "at its usual value"
        surely = _solved(plan, plan.sure.estimate)
        solved = f"{solved}, {sureness}" if surely == solved else f"{sureness}: {surely}; {odds}: {solved}"
    if plan.request.solve_for == "n_gpus" and plan.limits.deadline_s is None and plan.limits.budget is None:
        solved = f"{solved}, the fewest that hold it: a deadline or a budget would say how many it is worth"
    first = f"{_goal(plan)}{within(plan.limits)}: {solved}."
    took = format_duration(estimate.training_s)
    ends = time_range(estimate.training_low_s, estimate.training_high_s)
    range_of = f" ({ends})" if estimate.training_high_s > estimate.training_low_s else ""
    two_told = plan.sure is not None and _solved(plan, plan.sure.estimate) != _solved(plan, estimate)
    which = "The latter" if two_told else "That"
    second = f" {which} takes about {took}{range_of}, {format_count(estimate.gpu_hours[0])} GPU-hours{_cost(estimate)}."
    best = _next_best(plan)
    third = f" Next best: {_described(plan, best)}." if best is not None and not best.usual else ""
    if (beside := _beside(plan)) != "":
        third = beside
    third = f"{third}{_unless_told(plan)}"
    return first + second + _lever(plan) + _at_most(plan) + third + _priced_at(plan)


def _lever(plan: Plan) -> str:
    """Return what would help most where the planned devices mostly wait, in a sentence."""
    told = next((caution.would for caution in plan.warnings if caution.code in LEVERS and caution.would), "")
    if not told:
        return ""
    return f" They mostly wait: {told}."


def _next_best(plan: Plan) -> Option | None:
    """Return the alternative to name: none of another count where one was told, nor the most that a budget pays for."""
    if plan.request.solve_for == "tokens" and plan.request.n_gpus is not None:
        return None
    return next((option for option in plan.alternatives if option.meets and option is not plan.at_most), None)


def _beside(plan: Plan) -> str:
    """Return what is named beside a recommended device, a sentence each: the cheapest or fastest, the usual choice."""
    named = [option for option in plan.alternatives if option.meets and option.why.startswith("the ")]
    if plan.request.solve_for != "gpu":
        return ""
    return "".join(f" {option.why[0].upper()}{option.why[1:]}: {_described(plan, option)}." for option in named)


def _unless_told(plan: Plan) -> str:
    """Return what the stack does unless it is told, in a sentence, where that is not the layout planned."""
    usual = next((option for option in plan.alternatives if option.usual), None)
    if usual is None:
        return ""
    return f" Unless told, {usual.estimate.run.stack.name} runs {_described(plan, usual)}."


def _priced_at(plan: Plan) -> str:
    """Return at which price dollars are counted, in a sentence, where a budget is of them and nobody told it."""
    run = plan.solution.estimate.run
    price = next((one for one in run.assumptions if one.name == "price_per_gpu_hour"), None)
    if price is None or price.source == "user" or run.usd_per_gpu_hour is None:
        return ""
    each = format_usd(run.usd_per_gpu_hour)
    return f" Dollars are at the median price, {each} per GPU-hour: say price_per_gpu_hour for yours."


def _at_most(plan: Plan) -> str:
    """Return how many devices the budget pays for at most, in a sentence; empty where they are no more than taken."""
    if plan.at_most is None:
        return ""
    most = plan.at_most.estimate
    return f" At most it pays for {most.run.n_gpus:,}, which take {format_duration(most.training_s)}{_cost(most)}."


def plan_formula(plan: Plan) -> str:
    """Return how the solution follows, with its numbers; the time itself is the estimate's formula."""
    estimate = plan.solution.estimate
    n, time_s, limits = estimate.run.n_gpus, estimate.training_s, plan.limits
    days = f"{time_s / DAY_S:.4g} days"
    match plan.request.solve_for:
        case "n_gpus" if limits.deadline_s is not None:
            return f"the fewest n with T(n) ≤ {limits.deadline_s / DAY_S:.4g} days: T({n:,}) = {days}"
        case "n_gpus" if limits.budget is None:
            return f"the fewest n whose memory holds it: {n:,}, in {days}"
        case "n_gpus":
            which = "n of least cost" if time_s <= USUAL_DEADLINE_S else "most n"
            return (
                f"the {which} with cost(n) ≤ {spoken_budget(limits.budget or 0.0, limits.budget_unit)}: "
                f"cost({n:,}) = {_spent(plan, estimate)}"
            )
        case "tokens":
            per_second = f"{estimate.run.amount.tokens / time_s:,.4g} tokens/s, overhead in it"
            return f"{format_counted(estimate.run.amount.tokens, 'tokens')} ÷ ({per_second}) = {days}"
        case "model_size":
            size, tokens = estimate.run.subject.total_parameters, estimate.run.amount.real_tokens
            ratio = f"{tokens / size:.4g} tokens a parameter"
            return f"{format_count(size)} parameters × {ratio} = {format_counted(tokens, 'tokens')}, trained in {days}"
        case _:
            return ""


def _goal(plan: Plan) -> str:
    estimate = plan.solution.estimate
    match plan.request.solve_for:
        case "n_gpus" | "layout":
            return f"To train {estimate.run.subject.name} on {amount_words(estimate.run)}"
        case "tokens":
            return f"Training {estimate.run.subject.name} on {estimate.run.device.name}"
        case "model_size":
            return f"Training on {estimate.run.n_gpus:,} × {estimate.run.device.name}"
        case _:
            return f"To train {estimate.run.subject.name} on {amount_words(estimate.run)}"


def _solved(plan: Plan, estimate: Estimate) -> str:
    run = estimate.run
    match plan.request.solve_for:
        case "tokens":
            gpus = "1 GPU" if run.n_gpus == 1 else f"{run.n_gpus:,} GPUs"
            return f"{amount_words(run)} on {gpus}"
        case "model_size":
            return _sized(run)
        case "layout":
            return f"{layout_words(estimate)} on {run.device.counted(run.n_gpus)}"
        case _:
            return run.device.counted(run.n_gpus)


def _sized(run: Run) -> str:
    """Return a model by its size, and the tokens it is trained on."""
    tokens = format_counted(run.amount.real_tokens, "tokens")
    return f"{format_count(run.subject.total_parameters)} parameters on {tokens}"


def layout_words(estimate: Estimate) -> str:
    """Return a layout in a phrase: `data 64 × tensor 8, zero1`."""
    layout = estimate.layout
    if layout is None:
        return "no layout"
    degrees = (
        ("data", layout.data_parallel),
        ("tensor", layout.tensor_parallel),
        ("pipeline", layout.pipeline_parallel),
        ("context", layout.context_parallel),
        ("expert", layout.expert_parallel),
    )
    split = " × ".join(f"{name} {degree}" for name, degree in degrees if degree > 1) or "one GPU"
    return f"{split}, {layout.data_sharding}, micro-batch {layout.counted_micro_batch}, recompute {layout.recompute}"


def _described(plan: Plan, option: Option) -> str:
    """Return an alternative by what tells it from the solution."""
    estimate = option.estimate
    run = estimate.run
    devices = run.device.counted(run.n_gpus)
    why = f" ({option.why})"
    match plan.request.solve_for:
        case "layout":
            solved = layout_words(estimate)
        case "tokens":
            solved, why = f"{amount_words(run)} on {devices}", ""
        case "model_size":
            solved = _sized(run)
        case "gpu":
            solved, why = devices, ""
        case _:
            solved = devices
    return f"{solved} in {format_duration(estimate.training_s)}{_cost(estimate)}{why}"


def _cost(estimate: Estimate) -> str:
    cost = estimate.cost_usd
    if cost.value is None or cost.low is None or cost.high is None:
        return ""
    return f", about {format_usd(cost.value)} ({format_usd(cost.low)} to {format_usd(cost.high)})"


def _spent(plan: Plan, estimate: Estimate) -> str:
    if plan.limits.budget_unit == "GPU-hours":
        return spoken_budget(estimate.gpu_hours[0], "GPU-hours")
    return "unknown" if estimate.cost_usd.value is None else format_usd(estimate.cost_usd.value)
