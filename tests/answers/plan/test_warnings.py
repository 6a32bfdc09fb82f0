"""What an estimate of the planned run warns of, the plan warns of where it changes the choice.

Authority: the estimate of the same run, asked by itself; the limit of three.
"""

import re
from typing import Any

import pytest

from tools.estimate_training_time import estimate_training_time
from tools.plan_training import TrainingPlan, plan_training

LEVERS = {"mostly_waiting", "fewer_gpus_are_faster"}
SLOW: dict[str, Any] = {"model": "7B", "gpu": "h100", "network_gbps_per_gpu": 12.5, "framework": "FSDP"}
CARDS: dict[str, Any] = {"model": "7B", "gpu": "4090"}
BATCH = {"global_batch_sequences": 128}
PLANS = [
    {**SLOW, **BATCH, "solve_for": "tokens", "n_gpus": 64, "deadline": "18 days"},
    {**SLOW, **BATCH, "solve_for": "gpu", "n_gpus": 64, "tokens": "10B", "deadline": "60 days"},
    {**SLOW, "global_batch_sequences": 4096, "solve_for": "n_gpus", "tokens": "100B", "deadline": "3 days"},
    {**CARDS, **BATCH, "solve_for": "n_gpus", "tokens": "10B", "deadline": "10 days"},
    {**CARDS, "solve_for": "gpu", "gpu": "4090, l40s", "n_gpus": 32, "tokens": "10B"},
    {**CARDS, "gpu": "h100", "solve_for": "n_gpus", "tokens": "10B", "deadline": "10 days"},
    {"model": "whisper-small", "gpu": "a100", "n_gpus": 2, "samples": "1000 hours", "solve_for": "layout"},
]


def _of_the_solution(plan: TrainingPlan, asked: dict[str, Any]) -> dict[str, str]:
    """Return what an estimate of the planned run warns of, message by code."""
    left_out = {"solve_for", "deadline", "samples"} if "tokens" in asked else {"solve_for", "deadline"}
    run = {name: value for name, value in asked.items() if name not in left_out}
    option = plan.solution
    run |= {"gpu": option.gpu, "n_gpus": option.n_gpus}
    run |= {} if "samples" in run else {"tokens": option.tokens}
    answer = estimate_training_time(detail="detailed", **run)
    return {warning.code: warning.message for warning in answer.warnings}


@pytest.mark.parametrize("asked", PLANS)
def test_what_changes_the_choice_is_told_of_the_plan(asked: dict[str, Any]) -> None:
    plan = plan_training(detail="detailed", **asked)
    own = {warning.code: warning.message for warning in plan.warnings}
    there = _of_the_solution(plan, asked)
    for code in LEVERS & there.keys():
        assert own.get(code) == there[code]
    assert sum(code in own for code in there) <= 3
    if plan.sure_solution is not None:
        assert all(code in own for code, message in there.items() if "need not hold" in message)


@pytest.mark.parametrize("asked", [PLANS[0], PLANS[1], PLANS[3], {**PLANS[0], "n_gpus": 16}])
def test_a_summary_names_what_would_help_devices_that_mostly_wait(asked: dict[str, Any]) -> None:
    """In the words of the warning."""
    plan = plan_training(detail="detailed", **asked)
    told = next(warning.message for warning in plan.warnings if warning.code in LEVERS)
    lever = re.search(r"They mostly wait: (.+?)\. ", f"{plan.summary} ")
    assert lever is not None
    assert lever[1].removeprefix("say ") in told


def test_devices_that_are_busy_are_told_nothing_of_waiting() -> None:
    plan = plan_training(solve_for="n_gpus", model="7B", gpu="h100", tokens="100B", deadline="10 days")
    assert "mostly wait" not in plan.summary
    assert not LEVERS & {warning.code for warning in plan.warnings}
