"""Whose chips software is made for, and who is told.

Authority: published runs, none of which may be said to be run where its software does not; the projects' own pages of
installation for what they do not run on.
"""

from typing import Any

import pytest

from estimator.catalogue import catalogue
from estimator.physics.stacks import STACKS
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.platforms import MADE_FOR, NOT_FOR_GPU
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import plan_training


def _doubts(**asked: Any) -> list[str]:  # noqa: ANN401 - any argument
    answer = estimate_training_time(model="llama-3.1-8b", n_gpus=4, tokens="10M", detail="detailed", **asked)
    return [warning.message for warning in answer.warnings if warning.code == NOT_FOR_GPU]


def test_what_a_stack_is_made_for_is_said_of_stacks_and_makers_there_are() -> None:
    makers = {entry.accelerator.vendor for entry in catalogue.accelerators()} | {"Intel Gaudi"}
    assert set(MADE_FOR) <= set(STACKS)
    assert {maker for listed in MADE_FOR.values() for maker in listed} <= makers


def test_no_published_run_is_said_to_be_where_its_software_does_not_run() -> None:
    for run in catalogue.runs():
        chip = catalogue.accelerator(run.accelerator_id).value.accelerator
        maker = "Intel Gaudi" if chip.family == "gaudi" else chip.vendor
        name = named_framework(run.framework).name
        assert maker in MADE_FOR.get(name, (maker,)), (run.id, name, maker)


@pytest.mark.parametrize(
    ("gpu", "framework", "method", "word"),
    [
        ("tpu-v5p", "bitsandbytes, TRL", "qlora", "bitsandbytes"),
        ("tpu-v6e", "auto", "qlora", "bitsandbytes"),
        ("trainium1", "auto", "qlora", "bitsandbytes"),
        ("tpu-v5p", "HF Trainer, bnb 4bit", "full", "bitsandbytes"),
        ("tpu-v5p", "unsloth", "lora", "unsloth"),
        ("h100", "MLX", "lora", "mlx"),
        ("mi300x", "NeMo 25.09", "full", "nemo"),
        ("tpu-v5p", "Megatron-LM", "full", "megatron"),
        ("gaudi2", "unsloth", "lora", "unsloth"),
        ("h100", "optimum-habana", "full", "optimum-habana"),
    ],
)
def test_software_on_a_chip_that_it_is_not_made_for_is_warned_of(
    gpu: str, framework: str, method: str, word: str
) -> None:
    assert any(word in message for message in _doubts(gpu=gpu, framework=framework, method=method))


@pytest.mark.parametrize(
    ("gpu", "framework", "method"),
    [
        ("h100", "auto", "qlora"),
        ("mi300x", "unsloth", "qlora"),
        ("gaudi2", "optimum-habana", "lora"),
        ("tpu-v5p", "auto", "lora"),
        ("tpu-v5p", "HF Trainer", "full"),
        ("trainium1", "neuronx-distributed", "full"),
        ("m3-max-40", "mlx", "qlora"),
        ("910b", "megatron", "full"),
    ],
)
def test_software_where_it_runs_is_not(gpu: str, framework: str, method: str) -> None:
    assert not _doubts(gpu=gpu, framework=framework, method=method)


@pytest.mark.parametrize("limits", [{"n_gpus": 1}, {"n_gpus": 4, "deadline": "1 day"}, {"deadline": "2 days"}])
def test_no_device_is_advised_on_which_the_method_is_not_run(limits: dict[str, Any]) -> None:
    plan = plan_training(
        solve_for="gpu",
        model="llama-3.1-8b",
        tokens="alpaca",
        method="qlora",
        detail="detailed",
        **limits,
    )
    options = (plan.solution, plan.sure_solution, *plan.alternatives)
    for option in options:
        assert option is None or not option.gpu.startswith(("tpu", "trainium"))


def test_a_device_that_is_named_is_answered_with_a_warning() -> None:
    plan = plan_training(
        solve_for="gpu", model="llama-3.1-8b", tokens="alpaca", method="qlora", gpu="tpu-v5p", n_gpus=1
    )
    assert plan.solution.gpu == "tpu-v5p"
    assert NOT_FOR_GPU in {warning.code for warning in plan.estimate.warnings}
