"""What people say of the machines of a run is counted as the argument would be.

Authority: torchrun's own terms: `nnodes` machines, each with `nproc_per_node` devices, are all there are.
"""

from typing import Any

import pytest

from estimator.resolve.framework.named import named_framework
from tools.estimate_training_time import estimate_training_time

TOLD = [
    ("FSDP, 4 nodes of 4 GPUs, 100 Gbit InfiniBand", 4, 4),
    ("FSDP on 4 nodes", 4, None),
    ("fsdp on a 4-node cluster", 4, None),
    ("FSDP on 2x8 A100, 200G IB", 2, 8),
    ("fsdp, 2 x 8 x H100 SXM", 2, 8),
    ("fsdp, 8 GPUs per node", None, 8),
    ("fsdp, nodes of 4 GPUs", None, 4),
    ("fsdp, 8 gpus/node", None, 8),
    ("fsdp, 4 nodes, 8 GPUs each", 4, 8),
    ("fsdp 4 nodes (8 per node), 10 GbE", 4, 8),
    ("fsdp, 4 nodes with 8x H100 each", 4, 8),
    ("fsdp, four 8-GPU nodes", 4, 8),
    ("fsdp, 8xA100-80GB nodes", None, 8),
    ("fsdp on 4 DGX H100", 4, None),
    ("deepspeed, 2 servers with 4 RTX 4090 each, 10 GbE", 2, 4),
    ("PyTorch 2.4, 16 machines × 8 × H200", 16, 8),
]
NOT_TOLD = ["fsdp, 4 x 100 Gbps IB", "fsdp, 8x400G NDR", "PyTorch 2.4", "fsdp on many nodes", "zero-3 on GPUs"]
ASKED: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 16, "tokens": "1B", "detail": "detailed"}
IN_FOURS = [
    "fsdp, 4 nodes of 4 GPUs",
    "fsdp on 4 nodes",
    "fsdp, 4 GPUs per node",
    "fsdp, --nnodes 4 --nproc_per_node 4",
    "fsdp, --nnodes=4",
    "fsdp, --nodes=4 --gpus-per-node=4",
    "num_nodes: 4\ngpus_per_node: 4\nstrategy: fsdp",
]


def _asked(framework: str, **given: object) -> Any:  # noqa: ANN401 - the tool's own answer
    asked: dict[str, Any] = {**ASKED, "framework": framework, **given}
    return estimate_training_time(**asked)


def _codes(answer: Any) -> set[str]:  # noqa: ANN401 - the tool's own answer
    return {warning.code for warning in answer.warnings}


@pytest.mark.parametrize(("text", "nodes", "devices"), TOLD)
def test_words_for_machines_are_understood(text: str, nodes: int | None, devices: int | None) -> None:
    found = named_framework(text)
    assert (found.practice.nodes, found.practice.node_devices) == (nodes, devices)
    assert not found.not_understood


@pytest.mark.parametrize("text", NOT_TOLD)
def test_other_numbers_are_no_machines(text: str) -> None:
    practice = named_framework(text).practice
    assert practice.nodes is practice.node_devices is None


@pytest.mark.parametrize("text", IN_FOURS)
def test_machines_that_are_told_are_those_of_the_argument(text: str) -> None:
    told, given = _asked(text), _asked("fsdp", gpus_per_node=4)
    assert told.training_days == pytest.approx(given.training_days)
    assert not _codes(told) & {"framework_contradicted", "framework_not_understood"}


def test_a_port_of_the_network_is_shared_by_the_node_that_is_told() -> None:
    told = _asked("fsdp, 4 nodes of 4 GPUs, 100 Gbit InfiniBand")
    network = next(one for one in told.warnings if one.code == "network_from_framework")
    assert "for a node of 4, so 25 Gb/s a GPU" in network.message


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("fsdp, 4 nodes of 4 GPUs", {"n_gpus": 32}),
        ("fsdp, 3 nodes", {}),
        ("fsdp, 1 node", {"n_gpus": 64}),
        ("fsdp, 4 GPUs per node", {"gpus_per_node": 8}),
        ("fsdp, 4 nodes", {"gpus_per_node": 8}),
        ("fsdp, --nnodes 4 --nproc_per_node 8", {}),
        ("fsdp, --nproc_per_node 8", {"n_gpus": 4}),
    ],
)
def test_machines_that_are_not_as_many_gpus_as_the_arguments_say_are_a_warning(text: str, given: Any) -> None:  # noqa: ANN401
    assert "framework_contradicted" in _codes(_asked(text, **given))


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("2 GPUs with accelerate", 2),
        ("TRL, 8 GPUs", 8),
        ("two cards, DDP", 2),
        ("HF Trainer on RTX 4090 GPUs", None),
        ("TRL, 7 GPU hours", None),
    ],
)
def test_devices_in_all_are_read_and_held_to_the_argument(text: str, devices: int | None) -> None:
    assert named_framework(text).practice.devices == devices
    alike, other = (_codes(_asked(text, n_gpus=n_gpus)) for n_gpus in (devices or 16, 16))
    assert "framework_contradicted" not in alike
    assert ("framework_contradicted" in other) == (devices is not None)


@pytest.mark.parametrize(
    "text",
    ["Kaggle 2xT4", "Kaggle T4 x2", "2x RTX 3090, TRL", "2 x A100 80GB", "RTX 4090 x 2, TRL", "2× L4", "A100 x2"],
)
@pytest.mark.parametrize("n_gpus", [1, 2, 8])
def test_a_number_of_cards_is_held_against_the_argument(text: str, n_gpus: int) -> None:
    answer = _asked(text, n_gpus=n_gpus)
    assert named_framework(text).practice.devices == 2
    assert "framework_not_understood" not in _codes(answer)
    assert ("framework_contradicted" in _codes(answer)) is (n_gpus != 2)


@pytest.mark.parametrize("text", ["RTX 3090, PCIe 3.0 x4", "TRL, RTX 3090 x4 riser", "TRL, RTX 4090 PCIe 4.0 x16"])
def test_lanes_are_no_cards(text: str) -> None:
    assert named_framework(text).practice.devices is None
