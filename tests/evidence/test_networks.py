"""A slow network that nobody named is priced by what its owners would run on it.

Authority: the answers to whoever names that network.
"""

import re
from typing import Any

import pytest

from tests.evidence.unsaid import answer, codes

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
    alike = {**run, "global_batch_sequences": unsaid["layout"]["global_batch_sequences"]}
    for way in ways:
        assert way is not None
        slow = answer(**alike, network_gbps_per_gpu=float(way["gbps"]) / _node(unsaid))
        assert float(way["times"]) <= 1.15 * slow["step_seconds"] / unsaid["step_seconds"]


@pytest.mark.parametrize("n_gpus", [64, 512, 2048])
@pytest.mark.parametrize("gpu", ["h100", "h200", "b200"])
def test_nothing_is_told_of_a_network_that_hardly_any_cluster_of_the_size_has(gpu: str, n_gpus: int) -> None:
    """Whoever has many nodes bought them to train together, and nobody with 25 Gb/s for all eight devices of one."""
    run = {"model": "llama-3.1-70b", "gpu": gpu, "n_gpus": n_gpus, "framework": "DeepSpeed ZeRO-3", "tokens": "100B"}
    assert "network_unsaid" not in codes(answer(**run))


@pytest.mark.parametrize("n_gpus", [16, 24, 32, 48, 64])
def test_the_slowest_way_that_is_told_becomes_no_slower_with_more_nodes(n_gpus: int) -> None:
    told = [_slowest(n) for n in (n_gpus, 2 * n_gpus)]
    assert told[1] is None or (told[0] is not None and told[1] >= told[0])


def _slowest(n_gpus: int) -> float | None:
    """Return the fewest Gb/s a node that are told to so many devices; None where none are."""
    run = {"model": "llama-2-13b", "gpu": "a100", "n_gpus": n_gpus, "framework": "DeepSpeed"}
    messages = [warning["message"] for warning in answer(**run)["warnings"] if warning["code"] == "network_unsaid"]
    gbps = [float(found) for message in messages for found in re.findall(r"over ([\d.]+) Gb/s a node", message)]
    return min(gbps, default=None)


def _node(answered: dict[str, Any]) -> float:
    """Return the devices of a node of an answer."""
    nodes = [each["value"] for each in answered["assumptions"] if each["name"] == "gpus_per_node"]
    return float(nodes[0]) if nodes else 8.0
