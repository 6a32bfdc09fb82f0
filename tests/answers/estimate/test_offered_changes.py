"""What is offered to a run is what its owner could do: the same training, on machines of its kind.

Authority: what each change says of itself.
"""

from typing import Any

import pytest

from estimator.answers.estimate.changes import single_changes
from estimator.physics.choice import setting_of
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tools.estimate_training_time import estimate_training_time


@pytest.mark.parametrize(
    "run",
    [
        {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 4},
        {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 8},
        {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 4, "framework": "megatron"},
        {"model": "llama-3.1-8b", "gpu": "4090", "n_gpus": 16, "framework": "fsdp"},
    ],
    ids=str,
)
def test_adapters_are_offered_for_what_is_tuned_on_and_not_for_pretraining(run: dict[str, Any]) -> None:
    """Nobody trains a model from scratch by adapters on weights that are frozen."""

    def offers(tokens: str) -> bool:
        told = [one.message for one in estimate_training_time(tokens=tokens, detail="detailed", **run).warnings]
        return any('method "lora"' in message for message in told)

    assert offers("100M")
    assert not offers("1T")


@pytest.mark.parametrize(("gpu", "n_gpus"), [("l40s", 16), ("a100-40gb", 4), ("h100", 16)])
def test_no_card_for_a_slot_is_offered_in_place_of_a_cluster(gpu: str, n_gpus: int) -> None:
    asked = Request(model="llama-3.1-70b", gpu=gpu, n_gpus=n_gpus, tokens="1T", sequence_length=8192)
    question = resolve(asked).question
    assert question is not None
    offered = [change for change in single_changes(setting_of(question)) if change.kinds == ("device",)]
    assert offered
    assert all(change.question.cluster.accelerator.scale_up_kind != "pcie" for change in offered)
