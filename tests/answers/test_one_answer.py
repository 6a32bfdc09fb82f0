"""One question has one answer, whichever tool is asked; and what a plan answers takes that long when it is asked back.

Authority: `estimate_training_time` of the same arguments.
"""

from typing import Any

import pytest

from tools.check_training_speed import check_training_speed
from tools.compare_training_options import compare_training_options
from tools.estimate_training_time import TrainingTime, estimate_training_time
from tools.plan_training import PlanOption, TrainingPlan, plan_training

SAME = 0.01
SPLIT: dict[str, Any] = {"tensor_parallel": 8, "pipeline_parallel": 4, "micro_batch_size": 1}
SHARDED: dict[str, Any] = {
    "data_sharding": "zero3",
    "micro_batch_size": 2,
    "activation_recompute": "full",
    "global_batch_sequences": 64,
}
QUESTIONS: dict[str, dict[str, Any]] = {
    "a decoder": {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "1B"},
    "of a size": {"model": "7B", "gpu": "a100", "n_gpus": 64, "tokens": "100B"},
    "split": {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 64, "tokens": "10B", **SPLIT},
    "split in a batch": {
        "model": "llama-3.1-8b",
        "gpu": "mi300x",
        "n_gpus": 16,
        "tokens": "10B",
        "tensor_parallel": 4,
        "pipeline_parallel": 1,
        "global_batch_sequences": 512,
    },
    "sharded": {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 8, "tokens": "1B", "framework": "fsdp", **SHARDED},
    "sharded by words": {
        "model": "llama-3.1-8b",
        "gpu": "a100",
        "n_gpus": 8,
        "tokens": "100M",
        "framework": "axolotl, deepspeed zero-3",
        "activation_recompute": "full",
    },
    "as published, split otherwise": {"model": "llama-2-70b", "gpu": "a100", "n_gpus": 2048, "tokens": "2T", **SPLIT},
    "as published": {"model": "llama-3.1-405b", "gpu": "h100", "n_gpus": 16384, "tokens": "15.6T"},
    "experts": {"model": "mixtral-8x7b", "gpu": "h100", "n_gpus": 64, "tokens": "10B", "framework": "megatron"},
    "experts, split": {
        "model": "qwen3-30b-a3b",
        "gpu": "h100",
        "n_gpus": 32,
        "tokens": "10B",
        "tensor_parallel": 2,
        "pipeline_parallel": 1,
        "expert_parallel": 8,
    },
    "adapters": {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 8, "tokens": "alpaca", "method": "lora"},
    "adapters on a quantised base": {
        "model": "llama-3.1-8b",
        "gpu": "4090",
        "n_gpus": 2,
        "tokens": "alpaca",
        "method": "qlora",
        "framework": "trl, torchrun",
        "activation_recompute": "full",
    },
    "left idle or not": {
        "model": "llama-3.1-8b",
        "gpu": "a100",
        "n_gpus": 8,
        "tokens": "100M",
        "method": "lora",
        "framework": "unsloth, DDP",
    },
    "left idle or not, by words": {
        "model": "llama-3.1-8b",
        "gpu": "a100",
        "n_gpus": 4,
        "tokens": "100M",
        "method": "lora",
        "framework": "unsloth",
    },
    "over a slow network": {
        "model": "llama-3.1-8b",
        "gpu": "a100",
        "n_gpus": 24,
        "tokens": "100M",
        "framework": "trl",
        "network_gbps_per_gpu": 1.25,
    },
    "experts as published": {
        "model": "deepseek-v3",
        "gpu": "h800",
        "n_gpus": 2048,
        "tokens": "14.8T",
        "activation_recompute": "selective",
    },
    "unlike cards": {"model": "llama-3.1-8b", "gpu": "8 A100 + 16 H100", "n_gpus": 24, "tokens": "1B"},
    "on TPUs": {"model": "llama-3.1-8b", "gpu": "tpu-v5p", "n_gpus": 64, "tokens": "10B", "framework": "maxtext"},
    "an encoder": {"model": "bert-large", "gpu": "a100", "n_gpus": 8, "tokens": "10B", "data_sharding": "ddp"},
    "pictures": {"model": "vit-l/16", "gpu": "a100", "n_gpus": 8, "tokens": "1B", "global_batch_sequences": 1024},
    "a rack": {"model": "llama-3.1-70b", "gpu": "GB200 NVL72", "n_gpus": 1, "tokens": "10B"},
    "half a rack": {"model": "llama-3.1-8b", "gpu": "GB200 NVL36", "n_gpus": 1, "tokens": "10B"},
    "trays": {"model": "llama-3.1-8b", "gpu": "GB200 NVL72", "n_gpus": 8, "tokens": "1B"},
    "a slice": {"model": "llama-3.2-1b", "gpu": "v5e-16", "n_gpus": 1, "tokens": "1B"},
    "a counted node": {"model": "llama-3.1-8b", "gpu": "8x H100", "n_gpus": 1, "tokens": "1B"},
    "machines of four": {"model": "llama-3.2-1b", "gpu": "a2-highgpu-4g", "n_gpus": 16, "tokens": "1B"},
    "nodes of four": {"model": "llama-3.1-8b", "gpu": "4 nodes of 4 H100", "n_gpus": 16, "tokens": "1B"},
    "a network beside": {"model": "llama-3.1-8b", "gpu": "A100 80GB, InfiniBand HDR", "n_gpus": 32, "tokens": "1B"},
    "a network in words": {
        "model": "llama-3.1-8b",
        "gpu": "h100",
        "n_gpus": 32,
        "tokens": "10B",
        "framework": "megatron, 100 Gb/s Ethernet",
        "tensor_parallel": 2,
        "pipeline_parallel": 2,
    },
    "a network told": {
        "model": "llama-3.1-8b",
        "gpu": "a100",
        "n_gpus": 16,
        "tokens": "1B",
        "network_gbps_per_gpu": 100,
    },
}
LISTED = {"model": "models", "gpu": "gpus", "method": "methods", "precision": "precisions"}
"""Arguments of an estimate by their names in a comparison."""
UNCOMPARED = {
    *("tensor_parallel", "pipeline_parallel", "expert_parallel", "data_sharding", "micro_batch_size"),
    "activation_recompute",
}
"""What a comparison has no argument for, or none that is told with a layout."""
ELSEWHERE = {"gpus": "h100", "n_gpus": 4}
"""What else is compared, which must not change how the first is read."""


def _estimated(asked: dict[str, Any]) -> TrainingTime:
    return estimate_training_time(detail="detailed", **asked)


def _days(answer: Any) -> tuple[float, float, float]:  # noqa: ANN401 - an answer of any of the tools
    return answer.training_days, answer.training_days_low, answer.training_days_high


def _planned_layout(asked: dict[str, Any]) -> TrainingPlan:
    return plan_training(solve_for="layout", detail="detailed", **asked)


def _layout(option: PlanOption) -> dict[str, Any]:
    """Return the layout of an option as an estimate takes it."""
    assert option.layout is not None
    return option.layout.model_dump(exclude={"data_parallel", "micro_batches"})


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
def test_a_check_expects_what_an_estimate_says(asked: dict[str, Any]) -> None:
    estimated = _estimated(asked)
    n_gpus = next(told.value for told in estimated.assumptions if told.name == "n_gpus")
    assert isinstance(n_gpus, int)
    speed = n_gpus * estimated.tokens_per_second_per_gpu
    checked = check_training_speed(observed_tokens_per_second=speed, detail="detailed", **asked)
    assert checked.expected == pytest.approx(speed, rel=SAME)
    assert checked.verdict == "normal"


@pytest.mark.parametrize(
    "asked", [asked for asked in QUESTIONS.values() if not UNCOMPARED & {*asked}], ids=lambda asked: str(asked["gpu"])
)
def test_a_row_of_a_comparison_is_what_an_estimate_says_whatever_stands_beside_it(asked: dict[str, Any]) -> None:
    listed: dict[str, Any] = {LISTED.get(name, name): value for name, value in asked.items()}
    for name in ("models", "gpus", "n_gpus", "tokens", "methods"):
        if name in listed:
            beside = [ELSEWHERE[name]] if name in ELSEWHERE else []
            listed[name] = [listed[name], *beside]
    compared = compare_training_options(detail="detailed", **listed)
    expected = _days(_estimated(asked))
    assert any(
        _days(row) == pytest.approx(expected, rel=SAME) for row in compared.rows if row.training_days is not None
    )


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=QUESTIONS)
def test_a_planned_layout_is_priced_as_it_is_estimated(asked: dict[str, Any]) -> None:
    """As the question is where that has the layout, the range with it; and as long as where it is stated in full."""
    estimated, plan = _estimated(asked), _planned_layout(asked)
    assert plan.solution.training_days <= estimated.training_days * (1.0 + SAME)
    in_doubt = {"devices_in_turn", "devices_left_idle"} & {warning.code for warning in estimated.warnings}
    # Whoever says how a script shards says that its devices work at once, which is in doubt where nobody does.
    if plan.estimate.layout == estimated.layout and not in_doubt:
        assert _days(plan.solution) == pytest.approx(_days(estimated), rel=SAME)
    named = {"model": asked["model"], "gpu": plan.solution.gpu, "n_gpus": plan.solution.n_gpus}
    node = {told.name: told.value for told in plan.estimate.assumptions if told.source == "user"}.get("gpus_per_node")
    for option in (plan.solution, *plan.alternatives):
        back = _estimated({**asked, **named, **_layout(option), "gpus_per_node": node})
        assert back.training_days == pytest.approx(option.training_days, rel=SAME)


@pytest.mark.parametrize(
    "told", [name for name, asked in QUESTIONS.items() if {"tensor_parallel", "data_sharding"} & {*asked}]
)
def test_a_plan_says_of_a_layout_that_is_told_what_an_estimate_says(told: str) -> None:
    asked = QUESTIONS[told]
    assert _days(_planned_layout(asked).solution) == pytest.approx(_days(_estimated(asked)), rel=SAME)


PLANS: dict[str, dict[str, Any]] = {
    "racks in time": {"solve_for": "n_gpus", "gpu": "GB200 NVL72", "tokens": "100B", "deadline": "3 days"},
    "half racks in time": {"solve_for": "n_gpus", "gpu": "GB200 NVL36", "tokens": "100B", "deadline": "3 days"},
    "trays within hours": {"solve_for": "n_gpus", "gpu": "GB300 NVL72", "tokens": "100M", "deadline": "5 hours"},
    "two racks for money": {"solve_for": "n_gpus", "gpu": "2x GB200 NVL72", "tokens": "100B", "budget": "$500k"},
    "tokens of a rack": {"solve_for": "tokens", "gpu": "GB200 NVL72", "n_gpus": 1, "deadline": "2 days"},
    "tokens of half a rack": {"solve_for": "tokens", "gpu": "GB200 NVL36", "n_gpus": 1, "deadline": "2 days"},
    "tokens of a slice": {"solve_for": "tokens", "gpu": "v5p-128", "n_gpus": 1, "deadline": "2 days"},
    "racks or cards": {"solve_for": "gpu", "gpu": "GB200 NVL36, H100", "tokens": "100B", "deadline": "3 days"},
    "a rack or a node": {"solve_for": "gpu", "gpu": "GB200 NVL72, 8x H100", "n_gpus": 1, "tokens": "1B"},
    "machines of four": {"solve_for": "n_gpus", "gpu": "a2-ultragpu-4g", "tokens": "1B", "deadline": "1 day"},
    "a network beside": {"solve_for": "n_gpus", "gpu": "A100, 25GbE", "tokens": "10B", "deadline": "3 days"},
    "nodes of four": {"solve_for": "n_gpus", "gpu": "2 nodes of 4 H100", "tokens": "10B", "deadline": "1 day"},
    "cards in time": {"solve_for": "n_gpus", "gpu": "h100", "tokens": "10B", "deadline": "1 day"},
}


@pytest.mark.parametrize("asked", PLANS.values(), ids=PLANS)
def test_what_a_plan_answers_takes_that_long_when_it_is_asked_back(asked: dict[str, Any]) -> None:
    plan = plan_training(model="llama-3.1-8b", detail="detailed", **asked)
    node = {told.name: told.value for told in plan.estimate.assumptions if told.source == "user"}.get("gpus_per_node")
    options = [plan.solution, *plan.alternatives, *([plan.sure_solution] if plan.sure_solution else [])]
    for option in options:
        if not option.fits:
            continue
        back = _estimated(
            {"model": "llama-3.1-8b", "gpu": option.gpu, "n_gpus": option.n_gpus, "tokens": option.tokens}
            | ({"gpus_per_node": node} if node is not None else {})
        )
        assert not any(told.name == "n_gpus" and told.source == "inferred" for told in back.assumptions)
        assert _days(back) == pytest.approx(_days(option), rel=SAME)


@pytest.mark.parametrize("gpu", ["GB200 NVL72", "GB200 NVL36", "GB300 NVL72"])
@pytest.mark.parametrize("deadline", ["1 hour", "1 day", "30 days"])
def test_racks_are_planned_in_whole_trays_up_to_one_and_whole_beyond(gpu: str, deadline: str) -> None:
    plan = plan_training(solve_for="n_gpus", model="llama-3.1-8b", gpu=gpu, tokens="20B", deadline=deadline)
    rack = int(gpu.rpartition("NVL")[2])
    for option in (plan.solution, *plan.alternatives):
        assert option.n_gpus % 4 == 0
        assert option.n_gpus % rack == 0 or rack % option.n_gpus == 0
