"""What is left unsaid is priced both ways, and only where it is unsaid and matters.

Authority: bitsandbytes' default compute type, torch.float32 (BitsAndBytesConfig.bnb_4bit_compute_dtype); NVIDIA's T4
datasheet, which has no BF16; arithmetic on the ranges that answers give.
"""

import math
from typing import Any

import numpy as np
import pytest

from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.doubts import situation_spread
from estimator.physics.choice import ranked_layouts, setting_of
from estimator.question.cluster import Cluster
from estimator.question.question import Question
from tools.estimate_training_time import estimate_training_time

T4_QLORA = {
    "model": "llama-3.1-8b",
    "gpu": "t4",
    "n_gpus": 1,
    "method": "qlora",
    "framework": "huggingface",
    "sequence_length": 1024,
}
TWO_NODES = {
    "model": "llama-3.1-8b",
    "gpu": "a100",
    "n_gpus": 16,
    "framework": "huggingface",
    "global_batch_sequences": 64,
    "sequence_length": 2048,
}
SHORT_STEPS = {
    "model": "llama-3.2-1b",
    "gpu": "h100",
    "n_gpus": 8,
    "global_batch_sequences": 64,
    "sequence_length": 1024,
}


def _answer(**asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the tool's arguments
    run: dict[str, Any] = {"tokens": "100M", **asked}
    return estimate_training_time(**run).model_dump()


def _codes(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["warnings"]}


def test_a_4_bit_base_on_a_card_without_bf16_may_be_computed_in_fp32_and_the_range_holds_both() -> None:
    unsaid = _answer(**T4_QLORA)
    half, single = (_answer(**T4_QLORA, precision=precision) for precision in ("fp16", "fp32"))
    assert "base_expanded_to_fp32" in _codes(unsaid)
    assert unsaid["training_days_low"] < half["training_days"] < unsaid["training_days"]
    assert unsaid["training_days"] < single["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize("said", [{"precision": "fp16"}, {"precision": "fp32"}, {"gpu": "a100"}, {"method": "lora"}])
def test_a_base_is_not_doubted_where_its_width_is_told_or_plain(said: dict[str, Any]) -> None:
    assert "base_expanded_to_fp32" not in _codes(_answer(**{**T4_QLORA, **said}))


def test_an_untuned_trainer_on_two_nodes_may_have_plain_ethernet_and_the_range_holds_it() -> None:
    """25 Gb/s a node of eight is 3.125 Gb/s a device."""
    unsaid = _answer(**TWO_NODES)
    plain = _answer(**TWO_NODES, network_gbps_per_gpu=25 / 8)
    assert "network_unsaid" in _codes(unsaid)
    assert unsaid["training_days"] < plain["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize("said", [{"network_gbps_per_gpu": 25}, {"network_gbps_per_gpu": 200}, {"n_gpus": 8}])
def test_a_network_is_not_doubted_where_it_is_told_or_not_crossed(said: dict[str, Any]) -> None:
    assert "network_unsaid" not in _codes(_answer(**{**TWO_NODES, **said}))


def test_a_stack_that_nobody_named_may_be_a_general_trainer_and_the_range_holds_it() -> None:
    unsaid = _answer(**SHORT_STEPS)
    plain = _answer(**SHORT_STEPS, framework="huggingface")
    assert "framework_unsaid" in _codes(unsaid)
    assert unsaid["training_days"] < plain["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize("framework", ["megatron", "huggingface"])
def test_a_stack_is_not_doubted_where_it_is_named(framework: str) -> None:
    assert "framework_unsaid" not in _codes(_answer(**SHORT_STEPS, framework=framework))


def _spread(model: str, framework: str, n_gpus: int, *, length: int, batch: int) -> float:
    chip = catalogue.accelerator("h100-sxm").value.accelerator
    setting = setting_of(
        Question(
            transformer=catalogue.transformer(model).value,
            cluster=Cluster(
                accelerator=chip, n_gpus=n_gpus, gpus_per_node=8, scale_out_bytes_per_s=chip.scale_out_bytes_per_s
            ),
            precision="bf16",
            sequence_length=length,
            global_batch_sequences=batch,
            framework=framework,
        )
    )
    constants = committed_calibration().constants
    best = ranked_layouts(setting, constants).order[:1]
    return situation_spread(setting, setting.layouts.taken(np.asarray(best)), constants)


def test_what_differs_between_machines_moves_short_steps_of_a_general_trainer_most() -> None:
    """Launches and hooks are the host's; a large step of matrix products hides them."""
    short = _spread("llama-3.2-1b", "huggingface", 8, length=512, batch=8)
    large = _spread("llama-3.1-70b", "megatron", 512, length=8192, batch=1024)
    assert 0.0 < 3 * large < short < math.log(2.0)
