"""More devices never slow the training of a batch, unless the answer says so and why.

Authority: strong scaling (Amdahl 1967): a batch of fixed size runs out of work for more devices.
"""

from typing import Any

import pytest

from estimator.answers.estimate.predict import prediction
from estimator.base.errors import InfeasibleError
from estimator.catalogue import catalogue
from estimator.question.cluster import Cluster
from estimator.question.question import Prediction, Question
from tools.estimate_training_time import estimate_training_time

COUNTS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096)
CODE = "fewer_gpus_are_faster"


def _predicted(model: str, n_gpus: int, batch: int, framework: str) -> Prediction | None:
    """Return what is predicted; None where the batch does not divide or does not fit."""
    chip = catalogue.accelerator("h100-sxm").value.accelerator
    cluster = Cluster(
        accelerator=chip, n_gpus=n_gpus, gpus_per_node=8, scale_out_bytes_per_s=chip.scale_out_bytes_per_s
    )
    question = Question(
        transformer=catalogue.transformer(model).value,
        cluster=cluster,
        precision="bf16",
        sequence_length=4096,
        global_batch_sequences=batch,
        framework=framework,
    )
    try:
        found = prediction(question)
    except InfeasibleError:
        return None
    return found if found.memory.fits else None


@pytest.mark.parametrize("framework", ["megatron", "nemo", "fsdp"])
@pytest.mark.parametrize(
    ("model", "batch"),
    [("llama-3.1-8b", 64), ("llama-3.1-8b", 512), ("llama-3.1-70b", 1536), ("mixtral-8x7b", 256)],
)
def test_more_devices_take_a_batch_no_slower_or_the_answer_says_why(model: str, batch: int, framework: str) -> None:
    fastest_s = float("inf")
    seen = 0
    for n_gpus in COUNTS:
        found = _predicted(model, n_gpus, batch, framework)
        if found is None:
            continue
        seen += 1
        codes = {warning.code for warning in found.warnings}
        # Of a token: where devices cannot share the batch, one near it is priced.
        token_s = found.step_s / found.tokens_per_step
        assert token_s <= fastest_s * (1 + 1e-9) or CODE in codes, n_gpus
        fastest_s = min(fastest_s, token_s)
    assert seen > 2


def test_the_warning_names_a_count_that_is_faster() -> None:
    batch, framework = 64, "megatron"
    by_count = {n_gpus: _predicted("llama-3.1-8b", n_gpus, batch, framework) for n_gpus in COUNTS}
    told = 0
    for n_gpus, found in by_count.items():
        for warning in found.warnings if found else ():
            if warning.code == CODE and found is not None:
                told += 1
                named = int(warning.message.split()[0].replace(",", ""))
                smaller = by_count.get(named) or _predicted("llama-3.1-8b", named, batch, framework)
                assert smaller is not None
                assert named < n_gpus
                assert smaller.step_s < found.step_s
                assert "global_batch_sequences" in warning.message
    assert told, "64 sequences cannot keep thousands of devices busy"


def test_a_batch_that_keeps_its_devices_busy_is_not_warned_of() -> None:
    found = _predicted("llama-3.1-8b", 64, 1024, "megatron")
    assert found is not None
    assert CODE not in {warning.code for warning in found.warnings}


def test_a_single_device_has_no_fewer() -> None:
    found = _predicted("gpt2", 1, 8, "pytorch")
    assert found is not None
    assert CODE not in {warning.code for warning in found.warnings}


@pytest.mark.parametrize("gbps", [0.0001, 1.0])
def test_many_times_as_fast_is_not_told_as_a_percentage(gbps: float) -> None:
    run: dict[str, Any] = {"model": "gpt2", "gpu": "h100", "n_gpus": 16, "tokens": "1B", "network_gbps_per_gpu": gbps}
    answer = estimate_training_time(**run, detail="detailed")
    message = next(warning.message for warning in answer.warnings if warning.code == "fewer_gpus_are_faster")
    assert "times as fast as 16" in message
    assert "% faster" not in message


ON_A_SLOW_NETWORK = (
    {"model": "7B", "gpu": "4090", "framework": "FSDP", "global_batch_sequences": 256},
    {"model": "1.3B", "gpu": "4090", "framework": "FSDP", "global_batch_sequences": 64},
    {"model": "1.3B", "gpu": "4090", "framework": "FSDP", "global_batch_sequences": 256},
)


@pytest.mark.parametrize("run", ON_A_SLOW_NETWORK)
def test_that_half_as_many_take_hardly_longer_is_told_once(run: dict[str, Any]) -> None:
    """The other half would be paid for, and wait."""
    counts = [n for n in (16, 32, 64, 128) if n <= run["global_batch_sequences"]]
    by_count = {n: estimate_training_time(**run, n_gpus=n, tokens="10B", detail="detailed") for n in counts}
    told = 0
    for n_gpus, answer in by_count.items():
        codes = [warning.code for warning in answer.warnings]
        longer = by_count[n_gpus // 2].training_days / answer.training_days if n_gpus > 16 else 2.0
        said = [code for code in codes if code in {CODE, "fewer_gpus_as_fast"}]
        assert len(said) <= 1
        # Half as many are answered with doubts of their own.
        if longer <= 1.03:
            assert said, n_gpus
        if "fewer_gpus_as_fast" in said and n_gpus > 16:
            told += 1
            assert longer <= 1.07
            message = next(warning.message for warning in answer.warnings if warning.code == "fewer_gpus_as_fast")
            assert message.startswith(f"{n_gpus // 2} GPUs take ")
    assert told
