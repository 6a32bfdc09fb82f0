"""A batch that no layout divides is answered as trainers run it, in whole micro-batches of every device.

Authority: Transformers' trainer has per_device_train_batch_size × gradient_accumulation_steps × devices a step, and no
other batch; people state the one they meant.
"""

from typing import Any

import pytest

from estimator.base.errors import InfeasibleError
from tools.estimate_training_time import estimate_training_time

RUN: dict[str, Any] = {"model": "llama-2-7b", "gpu": "A100 80GB", "tokens": "1B", "sequence_length": 2048}


def _answer(**asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the tool's arguments
    run: dict[str, Any] = {**RUN, **asked}
    return estimate_training_time(**run).model_dump()


@pytest.mark.parametrize(
    ("n_gpus", "stated", "framework", "priced"),
    [
        (6, 128, "LLaMA-Factory", 126),
        (5, 64, "HF Trainer", 65),
        (3, 16, "TRL", 15),
        (12, 512, "nanoGPT", 480),  # 40 a device rather than 43, a prime
        (24, 64, "HF Trainer, ZeRO-3", 72),
        (96, 1024, "FSDP", 1056),
    ],
)
def test_a_batch_that_devices_cannot_share_gives_way_to_one_near_it_and_that_is_said(
    n_gpus: int, stated: int, framework: str, priced: int
) -> None:
    """It was refused."""
    answer = _answer(n_gpus=n_gpus, global_batch_sequences=stated, framework=framework)
    assert answer["layout"]["global_batch_sequences"] == priced
    (said,) = [warning["message"] for warning in answer["warnings"] if warning["code"] == "batch_rounded"]
    assert f"{priced:,} sequences was priced in place of {stated:,}" in said
    assert "cannot share evenly" in said
    exact = _answer(n_gpus=n_gpus, global_batch_sequences=priced, framework=framework)
    assert answer["training_seconds"] == exact["training_seconds"]


@pytest.mark.parametrize(("n_gpus", "stated"), [(24, 8), (64, 20), (1000, 1400)])
def test_a_batch_that_is_far_from_any_that_devices_share_is_refused_with_one(n_gpus: int, stated: int) -> None:
    with pytest.raises(InfeasibleError, match="a multiple of"):
        _answer(n_gpus=n_gpus, global_batch_sequences=stated, framework="FSDP")


def test_a_batch_that_some_layout_divides_stands() -> None:
    answer = _answer(n_gpus=24, global_batch_sequences=512, framework="megatron")
    assert answer["layout"]["global_batch_sequences"] == 512


@pytest.mark.parametrize(("n_gpus", "stated", "priced"), [(1472, 65536, 66240), (100, 512, 500), (24, 512, 512)])
def test_a_batch_that_only_an_absurd_split_shares_gives_way_to_one_a_few_percent_off(
    n_gpus: int, stated: int, priced: int
) -> None:
    """BERT's record on 1,472 GPUs (Megatron-LM 2019: batches of 65,536, 53 minutes) was answered with 23 stages."""
    answer = _answer(n_gpus=n_gpus, global_batch_sequences=stated, framework="megatron", tokens="100B")
    assert answer["layout"]["global_batch_sequences"] == priced
    assert ("batch_rounded" in {warning["code"] for warning in answer["warnings"]}) == (priced != stated)
    assert answer["layout"]["pipeline_parallel"] <= 4
