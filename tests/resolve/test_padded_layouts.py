"""Unlike samples on several devices: a smaller micro-batch before sharding, and memory for the longest of the run.

Authority: DDP is what Transformers' trainers start with, and shard nothing unless told; a run that holds its usual rows
and not its longest one runs out of memory when that comes.
"""

import itertools
from typing import Any

import pytest

from tools.estimate_training_time import estimate_training_time

RUN: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "rtx-4090",
    "method": "lora",
    "samples": "20k",
    "tokens_per_sample": 500,
    "framework": "HF Trainer, PEFT",
    "detail": "detailed",
}


def _answer(**changes: object) -> dict[str, Any]:
    asked: dict[str, Any] = RUN | changes
    return estimate_training_time(**asked).model_dump()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gpu": "rtx-3090", "framework": "auto"},
        {"gpu": "a10g", "framework": "TRL SFTTrainer"},
        {"gpu": "rtx-a6000", "model": "qwen2.5-32b", "method": "qlora", "framework": "TRL with accelerate launch"},
        {"gpu": "t4", "model": "llama-3.2-3b", "method": "qlora"},
        {"gpu": "rtx-4090", "model": "mistral-7b", "objective": "kto", "framework": "TRL"},
    ],
    ids=str,
)
def test_more_devices_are_faster_where_adapters_need_no_sharding(changes: dict[str, object]) -> None:
    """As on one, each device has the largest micro-batch that fits without sharding."""
    hours = [_answer(**changes, n_gpus=n)["training_seconds"] / 3600.0 for n in (1, 2, 4, 8)]
    for fewer, more in itertools.pairwise(hours):
        assert more < 0.85 * fewer


@pytest.mark.parametrize("told", ["DeepSpeed ZeRO-3", "FSDP"])
def test_who_names_an_engine_that_shards_keeps_the_trainers_micro_batch(told: str) -> None:
    answer = _answer(n_gpus=2, framework=f"HF Trainer, PEFT, {told}")
    assert answer["layout"]["data_sharding"] == "zero3"
    assert answer["layout"]["micro_batch_size"] > _answer(n_gpus=2)["layout"]["micro_batch_size"]


LONG: dict[str, Any] = {
    "gpu": "rtx-3090",
    "n_gpus": 1,
    "method": "qlora",
    "micro_batch_size": 1,
    "sequence_length": 16384,
}


def test_memory_holds_the_longest_row_and_time_the_usual_one() -> None:
    """A micro-batch of one has no padding, and still has to hold the longest sample."""
    unlike = _answer(**LONG, tokens_per_sample="mean 2000, max 16384")
    alike = _answer(**LONG, tokens_per_sample="mean 2000, max 2001")
    longest = _answer(**LONG, samples=None, tokens_per_sample=None, tokens="40M", packing="packed")
    assert alike["memory"]["fits"]
    assert not unlike["memory"]["fits"]
    assert unlike["memory"]["per_gpu_gb"] == pytest.approx(longest["memory"]["per_gpu_gb"], rel=0.02)
    assert unlike["training_seconds"] < 1.3 * alike["training_seconds"]
    padded = next(one for one in unlike["assumptions"] if one["name"] == "padded_length")
    assert "memory must hold the longest of the run" in padded["note"]


def test_a_shorter_cut_is_what_makes_long_samples_fit() -> None:
    """What is offered holds when it is asked."""
    unlike = _answer(**LONG, tokens_per_sample="mean 2000, max 16384")
    message = next(one["message"] for one in unlike["warnings"] if one["code"] == "does_not_fit")
    assert "sequence_length 4,096" in message
    cut = _answer(**LONG | {"sequence_length": 4096}, tokens_per_sample="mean 2000, max 16384")
    assert cut["memory"]["fits"]


def test_a_guessed_micro_batch_of_samples_is_doubted_where_a_larger_one_is_faster() -> None:
    """ZeRO-3 gathers all weights for each micro-batch, however small."""
    run = {"gpu": "h100", "n_gpus": 8, "method": "full", "framework": "ms-swift, ZeRO-3", "samples": "100k"}
    guessed, told = _answer(**run), _answer(**run, micro_batch_size=8)
    assert "micro_batch_unsaid" in {one["code"] for one in guessed["warnings"]}
    assert guessed["training_days_low"] < told["training_days"] < guessed["training_days"]
    assert "micro_batch_unsaid" not in {one["code"] for one in told["warnings"]}


@pytest.mark.parametrize(
    ("model", "gpu", "mean"), [("qwen2.5-0.5b", "rtx-4090", 300), ("llama-3.2-3b", "a100-40gb", 256)]
)
def test_a_longest_row_that_nobody_told_is_warned_of_and_makes_nothing_unfit(model: str, gpu: str, mean: int) -> None:
    """What fits is told by usual rows; the tail of a usual spread is no fact of somebody's set."""
    run = {"model": model, "gpu": gpu, "n_gpus": 1, "micro_batch_size": 16 if gpu != "rtx-4090" else 8}
    unknown = _answer(**run, tokens_per_sample=mean)
    assert unknown["memory"]["fits"]
    assert "long_rows_may_not_fit" in {one["code"] for one in unknown["warnings"]}
    alike = _answer(**run, tokens_per_sample=f"{mean}-{mean}")
    assert "long_rows_may_not_fit" not in {one["code"] for one in alike["warnings"]}


def test_states_that_no_device_holds_are_said_to_be_sharded() -> None:
    run = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "method": "full", "samples": "10k"}
    assert "sharding_assumed" in {one["code"] for one in _answer(**run, framework="HF Trainer")["warnings"]}
    named = _answer(**run, framework="HF Trainer, DeepSpeed ZeRO-3")
    assert "sharding_assumed" not in {one["code"] for one in named["warnings"]}


def test_a_small_model_is_trained_on_fewer_at_a_time_before_it_recomputes() -> None:
    """Transformers' trainer checkpoints nothing unless told."""
    answer = _answer(model="smollm2-135m", gpu="rtx-3060-12gb", n_gpus=1, method="full", framework="HF Trainer")
    assert answer["layout"]["activation_recompute"] == "none"


def test_samples_with_pictures_are_not_packed_by_who_tunes() -> None:
    run = {"model": "qwen2.5-vl-7b", "gpu": "a100", "n_gpus": 4, "tokens_per_sample": 150, "image_size": "448x448"}
    for framework in ("axolotl", "llama-cookbook FSDP"):
        packing = next(one for one in _answer(**run, framework=framework)["assumptions"] if one["name"] == "packing")
        assert packing["value"] == "padded"


def test_a_longer_sample_shards_no_more_than_it_must() -> None:
    """One pair at a time under ZeRO-1 is faster than two under ZeRO-3, which gathers all weights for each pass."""
    asked: dict[str, Any] = {"model": "qwen2.5-3b", "gpu": "a100-80gb", "n_gpus": 2, "objective": "dpo"}
    asked |= {"method": "full", "tokens_per_sample": "mean 400, max 3000", "framework": "TRL DPOTrainer"}
    unsaid, told = _answer(**asked), _answer(**asked, micro_batch_size=1)
    assert unsaid["layout"] == told["layout"]
    assert unsaid["layout"]["data_sharding"] == "zero1"


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "3B", "gpu": "a100-80gb", "n_gpus": 4, "samples": 52_000, "framework": "auto"},
        {"model": "tinyllama-1.1b", "gpu": "a100-40gb", "n_gpus": 2, "framework": "auto"},
        {"model": "1B", "gpu": "l40s", "n_gpus": 1, "method": "full", "framework": "auto"},
        {"model": "qwen2.5-7b", "gpu": "mi300x", "n_gpus": 1, "framework": "huggingface, deepspeed zero3"},
        {"model": "qwen2.5-14b", "gpu": "h200", "n_gpus": 1},
        {"model": "llama-3.1-8b", "gpu": "b200", "n_gpus": 1, "method": "qlora", "framework": "trl, fsdp"},
        {"model": "llama-3.2-1b", "gpu": "a100", "n_gpus": 1, "method": "qlora", "framework": "pytorch"},
    ],
    ids=str,
)
@pytest.mark.parametrize("mean", [3000, 5000, 8000])
def test_long_samples_are_taken_as_few_at_a_time_as_who_has_them_would(changes: dict[str, object], mean: int) -> None:
    """One more of some thousand tokens keeps no device busier: it adds padding, and recomputation to hold it."""
    run = changes | {"tokens_per_sample": mean}
    told = [_answer(**run, micro_batch_size=micro) for micro in (1, 2, 4)]
    fastest = min(answer["training_seconds"] for answer in told if answer["memory"]["fits"])
    assert _answer(**run)["training_seconds"] < 1.7 * fastest


def test_short_samples_are_taken_as_many_at_a_time_as_examples_have() -> None:
    micros = {}
    for mean in (100, 500, 1000, 2000, 4000, 9000):
        layout = _answer(gpu="b200", n_gpus=1, tokens_per_sample=f"{mean}-{mean}")["layout"]
        micros[mean] = layout["micro_batch_size"]
    assert micros == {100: 8, 500: 8, 1000: 8, 2000: 4, 4000: 2, 9000: 1}
