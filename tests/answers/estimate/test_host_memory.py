"""What is offloaded has to lie somewhere: the host memory that it takes is told, and warned of where it is unusual.

Authority: DeepSpeed's estimate_zero3_model_states_mem_needs (16 to 18 bytes a parameter in host memory); vendors'
and clouds' machines.
"""

from typing import Any

import pytest

from estimator.answers.estimate.host_memory import usual_host_memory
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tools.estimate_training_time import TrainingTime, estimate_training_time

_CODE = "host_memory_needed"
_SHORT: dict[str, Any] = {"tokens": "1M", "sequence_length": 2048}
BOTH = "DeepSpeed ZeRO-3, offload optimizer and params"


def _ask(model: str, gpu: str, n_gpus: int, framework: str, **given: object) -> TrainingTime:
    run: dict[str, Any] = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "framework": framework, **_SHORT, **given}
    return estimate_training_time(**run)


def _host_gb(answer: TrainingTime) -> float:
    assert answer.memory is not None
    return answer.memory.host_gb_per_node


def _warning(answer: TrainingTime) -> str:
    return next((warning.message for warning in answer.warnings if warning.code == _CODE), "")


def test_a_70b_on_two_cards_is_said_to_take_more_than_such_machines_have() -> None:
    answer = _ask("llama-3.1-70b", "rtx 3090", 2, BOTH)
    assert 1_100 < _host_gb(answer) < 1_300
    assert "1.27 TB of host memory" in _warning(answer)
    assert "It fits: " in answer.summary
    assert "with 1.27 TB of host memory, where such machines usually have 64 to 128 GB" in answer.summary


@pytest.mark.parametrize(
    ("model", "gpu", "n_gpus", "framework", "warned"),
    [
        ("llama-3.1-8b", "rtx 3090", 2, BOTH, True),
        ("llama-3.2-1b", "rtx 3090", 2, BOTH, False),
        ("llama-3.1-8b", "rtx 3090", 8, BOTH, False),
        ("llama-3.1-8b", "a6000", 2, BOTH, True),
        ("llama-3.2-3b", "a6000", 2, BOTH, False),
        ("llama-3.1-8b", "h100", 8, BOTH, False),
        ("llama-3.1-70b", "h100", 8, BOTH, True),
        ("llama-3.1-70b", "h100", 16, BOTH, False),
        ("llama-3.1-70b", "rtx 3090", 2, "ZeRO-Infinity nvme", False),
        ("llama-3.1-8b", "rtx 3090", 2, "DeepSpeed ZeRO-3", False),
        ("llama-3.1-8b", "dgx spark", 1, "HF Trainer, cpu offload", True),
    ],
)
def test_it_is_warned_of_where_the_class_of_machine_may_lack_it(
    model: str, gpu: str, n_gpus: int, framework: str, *, warned: bool
) -> None:
    answer = _ask(model, gpu, n_gpus, framework)
    assert bool(_warning(answer)) is warned
    if not answer.summary.startswith("Does not fit"):
        assert (" of host memory" in answer.summary) is warned


def test_only_what_is_offloaded_takes_host_memory() -> None:
    assert _host_gb(_ask("llama-3.1-8b", "h100", 8, "DeepSpeed ZeRO-3")) == 0.0
    assert _host_gb(_ask("llama-3.1-8b", "h100", 8, "ZeRO-Infinity nvme")) == 0.0
    assert 0.0 < _host_gb(_ask("llama-3.1-8b", "rtx 3090", 1, "unsloth", method="lora")) < 2.0


def test_more_nodes_need_no_more_each() -> None:
    needs = [_host_gb(_ask("llama-3.1-70b", "h100", 8 * nodes, BOTH)) for nodes in (1, 2, 4)]
    assert needs == sorted(needs, reverse=True)
    assert needs[0] == pytest.approx(4 * needs[2], rel=0.01)


@pytest.mark.parametrize("n_gpus", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("gpu", ["rtx 4090", "a6000", "t4", "l40s", "a100", "h100", "gh200", "mi300x", "tpu-v5e"])
def test_machines_of_more_devices_have_no_less(gpu: str, n_gpus: int) -> None:
    sizes: list[float] = []
    for count in (n_gpus, 2 * n_gpus):
        question = resolve(Request(model="llama-3.1-8b", gpu=gpu, n_gpus=count, tokens="1M")).question
        assert question is not None
        usual = usual_host_memory(question.cluster)
        assert 16e9 <= usual.low_bytes <= usual.high_bytes <= 4e12
        sizes.append(usual.high_bytes)
    assert sizes == sorted(sizes)


def test_what_is_said_to_fit_by_offloading_says_what_the_host_needs() -> None:
    answer = _ask("llama-3.1-8b", "rtx 4090", 2, "HF Trainer")
    remedies = next(warning.message for warning in answer.warnings if warning.code == "does_not_fit").split("; or ")
    offload = next(remedy for remedy in remedies if "offload" in remedy)
    assert "GB of host memory" in offload


def test_no_host_of_twice_the_usual_size_is_asked_for() -> None:
    answer = _ask("llama-3.1-70b", "rtx 4090", 2, "DeepSpeed ZeRO-3", detail="detailed")
    assert "offload" not in next(warning.message for warning in answer.warnings if warning.code == "does_not_fit")


def test_an_observed_speed_has_the_memory_that_it_needs() -> None:
    answer = _ask("llama-3.1-70b", "rtx 3090", 2, BOTH, observed_tokens_per_second=70)
    assert not _warning(answer)


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ("64 GB of RAM", False),
        ("128 GB system memory", False),
        ("256 GB RAM", True),
        ("RAM: 1 TB", True),
        ("64 GB RAM per GPU", False),
        ("128 GB RAM per GPU", True),
    ],
)
def test_what_the_caller_tells_of_host_memory_decides(told: str, *, holds: bool) -> None:
    answer = _ask("llama-3.1-8b", "rtx 3090", 2, f"{BOTH}, {told}")
    assert not any(warning.code == "framework_not_understood" for warning in answer.warnings)
    assert bool(_warning(answer)) is not holds
    assert ("does not fit in the host's" in answer.summary) is not holds
    assert "usually have" not in f"{_warning(answer)} {answer.summary}"
    assert "see that yours" not in _warning(answer)
    assert answer.training_days == _ask("llama-3.1-8b", "rtx 3090", 2, BOTH).training_days


@pytest.mark.parametrize(("told", "offered"), [("", True), (", 1 TB of RAM", True), (", 32 GB of RAM", False)])
def test_a_host_that_is_told_to_be_too_small_is_not_offloaded_to(told: str, *, offered: bool) -> None:
    answer = _ask("llama-3.1-8b", "rtx 4090", 2, f"HF Trainer{told}", detail="detailed")
    told_ways = next(warning.message for warning in answer.warnings if warning.code == "does_not_fit")
    assert ("offload" in told_ways) is offered
