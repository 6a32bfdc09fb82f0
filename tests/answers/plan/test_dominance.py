"""No alternative is worse than the plan in all that counts.

Authority: Pareto dominance: nobody chooses what takes longer and costs more, unless it is the surer.
"""

from typing import Any

import pytest

from tools.plan_training import PlanOption, TrainingPlan, plan_training

SLOW_NETWORK: dict[str, Any] = {"model": "7B", "gpu": "h100", "network_gbps_per_gpu": 12.5, "framework": "FSDP"}
CARDS: dict[str, Any] = {"model": "7B", "gpu": "4090", "tokens": "10B"}
BATCH = {"global_batch_sequences": 128}


def _plan(**asked: Any) -> TrainingPlan:  # noqa: ANN401 - any argument
    return plan_training(detail="detailed", **asked)


def _is_worse(option: PlanOption, other: PlanOption) -> bool:
    """Return whether an option takes at least about as long and as many GPU-hours as another, for no more tokens."""
    return (
        option.training_days >= 0.99 * other.training_days
        and option.gpu_hours >= 0.99 * other.gpu_hours
        and option.tokens <= 1.01 * other.tokens
    )


@pytest.mark.parametrize(
    "asked",
    [
        {**SLOW_NETWORK, **BATCH, "tokens": "100B", "deadline": "18 days"},
        {**SLOW_NETWORK, **BATCH, "tokens": "10B", "deadline": "3 days"},
        {**SLOW_NETWORK, "tokens": "10B", "deadline": "18 days"},
        {**CARDS, **BATCH, "deadline": "10 days"},
        {**CARDS, "deadline": "30 days"},
        {"model": "gpt2", "gpu": "h100", "tokens": "10B", "deadline": "2 days"},
    ],
)
def test_no_alternative_is_slower_and_dearer_than_the_plan_unless_it_alone_is_sure(asked: dict[str, Any]) -> None:
    plan = _plan(solve_for="n_gpus", **asked)
    days = plan.deadline_days or 0.0
    for option in plan.alternatives:
        if option.fits and _is_worse(option, plan.solution):
            assert option.training_days_high <= days < plan.solution.training_days_high
            assert "sure" in option.why
    for option in plan.alternatives:
        if option.fits and plan.sure_solution is not None:
            assert not _is_worse(option, plan.sure_solution)


@pytest.mark.parametrize("n_gpus", [4, 64])
def test_no_other_count_is_called_best_where_one_was_told(n_gpus: int) -> None:
    """Whoever has so many has them; what others would do is among the alternatives, where it is better in something."""
    plan = _plan(solve_for="tokens", model="7B", gpu="h100", n_gpus=n_gpus, deadline="9 days")
    assert "Next best" not in plan.summary
    assert plan.alternatives
    assert not any(_is_worse(option, plan.solution) for option in plan.alternatives)
