"""A slow network that nobody named is priced by what its owners would run on it.

Authority: the answers to whoever names that network.
"""

import re
from typing import Any

import pytest

from tests.evidence.unsaid import answer

RUNS = [
    {"model": "llama-2-13b", "gpu": "a100", "n_gpus": 16, "framework": "DeepSpeed, HF Trainer"},
    {"model": "llama-13b", "gpu": "a100", "n_gpus": 24, "framework": "DeepSpeed, HF Trainer"},
    {"model": "llama-3.1-8b", "gpu": "l40s", "n_gpus": 16, "framework": "huggingface, FSDP"},
    {"model": "qwen2.5-1.5b", "gpu": "4090", "n_gpus": 16, "framework": "huggingface"},
]
TOLD = re.compile(r"takes (?P<times>[\d.]+) times as long over (?P<gbps>[\d.]+) Gb/s a node")


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run['model']} on {run['gpu']}")
def test_no_way_is_slower_than_for_whoever_names_the_network(run: dict[str, Any]) -> None:
    unsaid = answer(**run)
    messages = [warning["message"] for warning in unsaid["warnings"] if warning["code"] == "network_unsaid"]
    ways = [TOLD.search(message) for message in messages]
    assert ways
    (assumed,) = (each["value"] for each in unsaid["assumptions"] if each["name"] == "network_gbps_per_gpu")
    alike = {**run, "global_batch_sequences": unsaid["layout"]["global_batch_sequences"]}
    fast = answer(**alike, network_gbps_per_gpu=assumed)
    for way in ways:
        assert way is not None
        slow = answer(**alike, network_gbps_per_gpu=float(way["gbps"]) / _node(unsaid))
        assert float(way["times"]) <= 1.15 * slow["step_seconds"] / fast["step_seconds"]


def _node(answered: dict[str, Any]) -> float:
    """Return the devices of a node of an answer."""
    nodes = [each["value"] for each in answered["assumptions"] if each["name"] == "gpus_per_node"]
    return float(nodes[0]) if nodes else 8.0
