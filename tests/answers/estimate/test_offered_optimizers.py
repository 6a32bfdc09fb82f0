"""What is offered to a run that does not fit can be run by the stack in use.

Authority: torchtune's recipes, of which those of one device alone take bitsandbytes' optimizers; PyTorch's FSDP2, whose
weights are DTensors.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from estimator.answers.estimate.does_not_fit import remedies
from estimator.evidence.calibration import committed_calibration
from estimator.physics.choice import ranked_layouts, setting_of
from estimator.question.request import Request
from estimator.resolve.run import resolve


def _offered(asked: dict[str, Any]) -> list[Mapping[str, object]]:
    question = resolve(Request(tokens="1B", **asked)).question
    assert question is not None
    posed = setting_of(question)
    constants = committed_calibration().constants
    priced = ranked_layouts(posed, constants)
    return [remedy.change.arguments for remedy in remedies(posed, constants, float(priced.seconds[priced.order[0]]))]


@pytest.mark.parametrize("framework", ["torchtune", "PyTorch FSDP2"])
@pytest.mark.parametrize(("model", "gpu", "n_gpus"), [("llama-3.3-70b", "h100", 4), ("llama-3.1-8b", "3090", 2)])
def test_sharded_tensors_are_stepped_by_no_optimizer_of_bitsandbytes(
    framework: str, model: str, gpu: str, n_gpus: int
) -> None:
    """FSDP2's weights are DTensors; on one device torchtune's recipes have a paged Adam in 8 bits."""
    asked = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "method": "full", "framework": framework}
    assert not any("8bit" in str(offered) for offered in _offered(asked))


def test_on_one_device_a_paged_optimizer_is_offered_to_a_stack_that_shards_tensors() -> None:
    asked = {"model": "llama-3.1-8b", "gpu": "a100-40gb", "n_gpus": 1, "framework": "torchtune", "method": "full"}
    offered = _offered(asked)
    assert any("8bit" in str(one) and "n_gpus" not in one for one in offered)
    assert not any("8bit" in str(one) and "n_gpus" in one for one in offered)


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "llama-65b", "gpu": "rtx-a6000", "lora_rank": 64, "framework": "HF Trainer"},
        {"model": "llama-65b", "gpu": "rtx-a6000", "lora_rank": 64, "framework": "TRL, Liger"},
    ],
    ids=str,
)
def test_where_another_optimizer_suffices_for_adapters_it_comes_before_another_stack_or_gpu(
    asked: dict[str, Any],
) -> None:
    """Adapters of rank 64 beside 65B weights have 10 GB of states in FP32, of which 2 in 8 bits, or paged, are left."""
    few = {"n_gpus": 1, "method": "qlora", "sequence_length": 512, "micro_batch_size": 1}
    offered = [str(one.get("framework", one)) for one in _offered(asked | few)]
    others = [place for place, one in enumerate(offered) if "8bit" not in one and "paged" not in one]
    first = next(place for place, one in enumerate(offered) if "8bit" in one or "paged" in one)
    assert not [place for place in others if place < first and "Liger" not in offered[place]]
