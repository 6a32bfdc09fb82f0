"""An answer hears of the network and the node that are asked about.

Authority: arithmetic: bytes over the slowest link that they must cross, whatever the constants are.
"""

from typing import Any

import pytest

from tools.estimate_training_time import estimate_training_time


def _step_s(**asked: Any) -> float:  # noqa: ANN401 - the tool's arguments
    run: dict[str, Any] = {"tokens": "100B", **asked}
    answer = estimate_training_time(**run)
    assert answer.step_seconds is not None
    return answer.step_seconds


def test_a_network_of_ten_megabits_takes_at_least_its_bytes() -> None:
    """Eight nodes: each port takes an eighth of 7/8 of 8.03e9 gradients of 2 bytes, and gives them back."""
    asked = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 64, "global_batch_sequences": 512}
    slow_s = _step_s(**asked, network_gbps_per_gpu=0.01)
    assert slow_s > 2 * 2 * 8.03e9 * 7 / 8 / 8 / (0.01e9 / 8)
    assert slow_s > 100 * _step_s(**asked, network_gbps_per_gpu=12.5)


def test_stages_on_two_nodes_hand_their_activations_over_the_network() -> None:
    """Sixteen stages, 2 bytes an activation and token, forward and back: about 17 GB a step of 256 sequences."""
    asked = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 16, "pipeline_parallel": 16, "tensor_parallel": 1}
    asked |= {"global_batch_sequences": 256, "sequence_length": 4096, "micro_batch_size": 1}
    fast_s, slow_s = (_step_s(**asked, network_gbps_per_gpu=gigabits) for gigabits in (400, 0.01))
    moved_bytes = 2 * 2 * 256 * 4096 * 4096
    assert moved_bytes == pytest.approx(17.2e9, rel=0.01)
    assert slow_s > moved_bytes / (0.01e9 / 8)
    assert fast_s < 60


@pytest.mark.parametrize(
    "layout", [{}, {"tensor_parallel": 8}, {"data_sharding": "zero3", "framework": "fsdp"}, {"tensor_parallel": 2}]
)
def test_more_devices_in_a_node_take_less_time(layout: dict[str, Any]) -> None:
    asked = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 16, "global_batch_sequences": 128, **layout}
    times = [_step_s(**asked, gpus_per_node=node, network_gbps_per_gpu=50) for node in (1, 2, 4, 8)]
    assert times == sorted(times, reverse=True)
    assert times[0] > times[-1]


def test_two_nodes_of_two_wait_for_the_network_between_them() -> None:
    asked = {"model": "llama-3.2-1b", "gpu": "a10", "n_gpus": 4, "gpus_per_node": 2, "global_batch_sequences": 32}
    asked |= {"framework": "megatron", "tensor_parallel": 1, "pipeline_parallel": 1}
    fast_s, slow_s = (_step_s(**asked, network_gbps_per_gpu=gigabits) for gigabits in (50, 0.05))
    # The calibrated factor of such runs is all that may take anything off it.
    assert slow_s > 0.9 * 2 * 2 * 1.2e9 / 2 / 2 / (0.05e9 / 8)
    assert slow_s > 2 * fast_s
