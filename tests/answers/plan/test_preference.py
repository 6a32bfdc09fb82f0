"""Which device a plan recommends of those that do about as well.

Authority: the rules in words, beside each test.
"""

from typing import Any

from tools.plan_training import plan_training


def test_of_those_that_cost_about_as_little_the_one_on_few_machines_of_many_sellers_is_recommended() -> None:
    """No cost holds that machines break, that one seller has no more, or that nobody is used to a device."""
    plan = plan_training(
        detail="detailed", solve_for="gpu", model="7B", tokens="100B", deadline="10 days", budget="$20k"
    )
    named = {option.why.partition(",")[0]: option for option in plan.alternatives}
    cheapest, usual = named["the cheapest"], named["the usual choice"]
    assert plan.solution.cost_usd.value is not None
    assert cheapest.cost_usd.value is not None
    assert cheapest.cost_usd.value <= plan.solution.cost_usd.value <= 1.25 * cheapest.cost_usd.value
    assert plan.solution.n_gpus <= 16 < cheapest.n_gpus
    assert usual.gpu == "h100-sxm"
    assert "The usual choice, of " in plan.summary


def test_money_that_buys_hardly_any_time_is_kept() -> None:
    asked: dict[str, Any] = {"model": "llama-3.3-70b", "tokens": "10M", "method": "qlora", "n_gpus": 1}
    plan = plan_training(detail="detailed", solve_for="gpu", budget="$50", **asked)
    days = min(option.training_days for option in (plan.solution, *plan.alternatives) if option.meets_limits)
    assert plan.solution.training_days <= 1.25 * days
    for option in plan.alternatives:
        if option.meets_limits and option.training_days <= 1.25 * days:
            assert (plan.solution.cost_usd.value or 0.0) <= (option.cost_usd.value or 0.0)
