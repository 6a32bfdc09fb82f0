"""A normal speed of a wasteful set-up says what is wasted, and what was stated is told as what it costs.

Authority: the estimate of the same run, whose warnings are the check's; and the check of the same run without what was
stated, whose expected speed is as many times as high as is told.
"""

import re
from typing import Any

import pytest

from server.protocol.tool import Tool
from tools.check_training_speed import check_training_speed
from tools.estimate_training_time import estimate_training_time

CHECK = Tool(check_training_speed, title="Check training speed")
ESTIMATE = Tool(estimate_training_time, title="Estimate training time")
WAITING: dict[str, dict[str, Any]] = {
    "over slow Ethernet": {
        "model": "llama-3.1-8b",
        "gpu": "a100-sxm-80gb",
        "n_gpus": 32,
        "network_gbps_per_gpu": 1.25,
        "framework": "fsdp",
        "sequence_length": 4096,
    },
    "in a pipeline": {
        "model": "llama-3.1-70b",
        "gpu": "h100",
        "n_gpus": 64,
        "pipeline_parallel": 16,
        "global_batch_sequences": 8,
        "framework": "megatron",
    },
    "over PCIe": {"model": "qwen2.5-7b", "gpu": "4090", "n_gpus": 8, "framework": "huggingface, zero3, liger"},
}
STATED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "eager attention": (
        {"model": "llama-3.1-8b", "gpu": "a100-sxm-80gb", "n_gpus": 8, "sequence_length": 4096},
        {"framework": "huggingface, eager attention"},
        "with eager attention, as stated",
    ),
    "fp32": (
        {"model": "bert-base", "gpu": "a100-sxm-80gb", "framework": "huggingface", "sequence_length": 512},
        {"precision": "fp32"},
        "with FP32, as stated",
    ),
    "no workers": (
        {"model": "resnet-50", "gpu": "a100-sxm-80gb", "global_batch_sequences": 256, "image_size": "224"},
        {"framework": "pytorch, num_workers=0"},
        "with no dataloader workers, as stated",
    ),
    "a slow network": (
        {"model": "llama-3.1-8b", "gpu": "a100-sxm-80gb", "n_gpus": 16, "framework": "fsdp", "sequence_length": 4096},
        {"network_gbps_per_gpu": 3.125},
        "with a network of 3.12 Gb/s a GPU, as stated",
    ),
    "a narrow slot": (
        {"model": "llama-3.2-1b", "gpu": "3090", "n_gpus": 4, "method": "lora", "sequence_length": 1024},
        {"framework": "huggingface, zero3, pcie 3.0 x1"},
        "between the GPUs of a node, as stated",
    ),
}
UNSTATED = {"framework": "huggingface", "precision": "bf16"}
PADDED: dict[str, Any] = {
    "model": "gemma-2-2b",
    "gpu": "a100-sxm-80gb",
    "samples": "alpaca",
    "sequence_length": 2048,
    "framework": "huggingface",
}
LIMIT = "huggingface, pad to max length"


def _check(asked: dict[str, Any], times: float) -> dict[str, Any]:
    """Return the check of a run that is so many times as fast as expected."""
    asked = {"n_gpus": 1} | asked
    expected = CHECK.answer(asked | {"observed_tokens_per_second": 1000.0}).structured["expected"]
    return CHECK.answer(asked | {"observed_tokens_per_second": times * expected}).structured


def _codes(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["warnings"]}


@pytest.mark.parametrize("asked", WAITING.values(), ids=WAITING)
def test_a_normal_speed_of_devices_that_mostly_wait_says_so_as_the_estimate_does(asked: dict[str, Any]) -> None:
    answer = _check(asked, 1.0)
    told = ESTIMATE.answer(asked | {"tokens": "1B"}).structured
    tells = _codes(told) & {"fewer_gpus_are_faster", "mostly_waiting"}
    assert answer["verdict"] == "normal"
    assert answer["likely_causes"] == []
    assert tells
    assert tells <= _codes(answer)
    assert re.match(r"Normal for this set-up, but \d+% of a step is ", answer["summary"])


def test_a_run_that_wastes_nothing_is_plainly_normal() -> None:
    asked = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "framework": "fsdp", "sequence_length": 4096}
    assert _check(asked, 1.0)["summary"].startswith("Normal: ")


@pytest.mark.parametrize(("asked", "stated", "words"), STATED.values(), ids=STATED)
def test_what_was_stated_and_costs_much_is_told_with_how_much(
    asked: dict[str, Any], stated: dict[str, Any], words: str
) -> None:
    normal, slow = (_check(asked | stated, times) for times in (1.0, 0.25))
    assert normal["verdict"] == "normal"
    assert words in normal["summary"] or "of a step is" in normal["summary"]
    for answer in (normal, slow):
        messages = [one["message"] for one in answer["warnings"] if one["code"] == "stated_is_slow"]
        # Said once: by the summary, or by a warning where that has dearer ones.
        assert [words in told for told in (answer["summary"], *messages)].count(True) == 1
    message = slow["summary"]
    assert "In the expected speed already: " in message
    without = UNSTATED if "precision" in stated else {"framework": "huggingface"}
    if "eager" in words:
        usual = CHECK.answer(asked | without | {"observed_tokens_per_second": 1000.0}).structured["expected"]
        told = re.search(r"it takes ([\d.]+) times as long", message)
        assert told is not None
        assert usual / normal["expected"] == pytest.approx(float(told[1]), rel=0.1)


def test_padding_further_than_to_the_longest_is_a_cause_at_every_length_in_between() -> None:
    expected = _check(PADDED, 1.0)["expected"]
    for times in (0.08, 0.16, 0.3):
        answer = CHECK.answer({"n_gpus": 1} | PADDED | {"observed_tokens_per_second": times * expected}).structured
        cause = next(one for one in answer["likely_causes"] if one["code"] == "padding")
        assert cause["explains"]


def test_where_the_verdict_flips_with_how_padding_is_counted_there_is_none() -> None:
    """A speed in sequences counts no tokens, and is judged."""
    answer = _check(PADDED | {"framework": LIMIT}, 0.1)
    assert answer["verdict_depends_on"] == "observed_step_seconds"
    assert "if padding is counted, as taken" in answer["summary"]
    assert "If padding is counted, what would explain it" in answer["summary"]
    assert answer["remaining_days_low"] < answer["remaining_days"] / 10
    batch = {"framework": LIMIT, "global_batch_sequences": 16, "micro_batch_size": 4}
    by_steps = CHECK.answer({"n_gpus": 1} | PADDED | batch | {"observed_step_seconds": 60.0}).structured
    assert (by_steps["verdict"], by_steps["verdict_depends_on"]) == ("slow", None)
    assert "padding" not in {cause["code"] for cause in by_steps["likely_causes"]}


@pytest.mark.parametrize("micro_batch", [1, 2, 4, 16])
@pytest.mark.parametrize("times", [0.2, 0.4, 0.5, 0.6, 0.9])
def test_a_padded_run_is_slow_only_where_it_is_by_both_ways_to_count_its_tokens(micro_batch: int, times: float) -> None:
    """Unless so little is padding that it makes less of a difference than most causes; and the causes are told."""
    asked = {"model": "gemma-2-2b", "gpu": "a100", "method": "lora", "samples": 8000, "tokens_per_sample": 300}
    answer = _check(asked | {"micro_batch_size": micro_batch, "framework": "huggingface"}, times)
    rows = {told["name"]: told["value"] for told in answer["assumptions"]}
    padding = rows.get("processed_tokens", rows["tokens"]) / rows["tokens"]
    by_real = answer["observed"] * padding
    flips = answer["observed"] < answer["expected_low"] <= by_real
    assert (answer["verdict_depends_on"] is not None) is (flips and padding >= 1.5)
    assert bool(answer["likely_causes"]) is (answer["verdict"] != "normal")


def test_most_of_what_is_computed_being_padding_is_told_of_a_normal_run() -> None:
    answer = _check(PADDED | {"framework": LIMIT}, 1.0)
    assert answer["summary"].startswith("Normal for this set-up, but 94% of what is computed is padding")
    assert "mostly_padding" in _codes(answer)


@pytest.mark.parametrize(
    ("model", "gpu", "n_gpus", "times"),
    [("llama-3.2-1b", "rtx 4090", 2, 2.1), ("qwen2.5-1.5b", "rtx 3090", 1, 1.6)],
)
def test_a_faster_run_that_has_no_room_as_it_was_told_holds_its_weights_in_fewer_bits(
    model: str, gpu: str, n_gpus: int, times: float
) -> None:
    """No kernels of another stack give it room, and none is told to be slow that is not."""
    batch = {"micro_batch_size": 1, "gradient_accumulation": 4}
    run = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "sequence_length": 2048} | batch
    answer = _check(run | {"framework": "HF Trainer, DDP, bf16"}, times)
    causes = {cause["code"] for cause in answer["likely_causes"]}
    assert answer["verdict"] == "faster"
    assert "bf16_weights" in causes
    assert "tuned_stack" not in causes
    (message,) = (one["message"] for one in answer["warnings"] if one["code"] == "does_not_fit")
    assert "must keep states in host memory" not in message
    loaded = _check(run | {"framework": "HF Trainer, DDP, bf16, dtype=bfloat16"}, times)
    assert "bf16_weights" not in {cause["code"] for cause in loaded["likely_causes"]}


@pytest.mark.parametrize("model", ["resnet-50", "vit-base", "whisper-small", "bert-base", "sdxl"])
def test_a_faster_run_is_not_explained_by_a_stack_for_decoders(model: str) -> None:
    asked = {"model": model, "gpu": "a100-sxm-80gb", "framework": "pytorch"}
    answer = _check(asked, 3.0)
    assert "tuned_stack" not in {cause["code"] for cause in answer["likely_causes"]}


def test_samples_that_are_read_faster_or_settings_that_are_not_so_explain_a_faster_run() -> None:
    asked, stated, _ = STATED["no workers"]
    codes = {cause["code"] for cause in _check(asked | stated, 2.5)["likely_causes"]}
    assert "faster_loader" in codes
    asked, stated, _ = STATED["fp32"]
    assert "not_runs_in_fp32" in {cause["code"] for cause in _check(asked | stated, 4.0)["likely_causes"]}
