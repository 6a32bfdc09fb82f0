"""How many times as long another way takes is what whoever says it is answered, over what is answered here.

Authority: the answer to the same question with what a warning names.
"""

import re
from typing import Any

import pytest

from tools.estimate_training_time import TrainingTime, estimate_training_time

EXPERTS = {"model": "qwen3-30b-a3b", "gpu": "a100", "n_gpus": 4, "method": "lora", "samples": 50_000}
SWIFT = EXPERTS | {"tokens_per_sample": 1000, "framework": "ms-swift sft --train_type lora"}
TRL = EXPERTS | {"n_gpus": 8, "method": "full", "tokens_per_sample": 800, "framework": "trl"}
FACTORY = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 4, "samples": 50_000, "framework": "LLaMA-Factory"}
BERT = {"model": "bert-base", "gpu": "a100", "n_gpus": 1, "samples": 100_000, "tokens_per_sample": 128}
PICTURES = {"model": "vit-b-16", "gpu": "a100-sxm-80gb", "n_gpus": 1, "samples": "1M"}
TWO_NODES = {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 16, "framework": "huggingface", "tokens": "100M"}
ONE_NODE = {"model": "llama-3.2-1b", "gpu": "h100", "n_gpus": 8, "tokens": "100M", "sequence_length": 1024}
QUANTISED = {"model": "llama-2-7b", "gpu": "v100", "n_gpus": 1, "method": "qlora", "tokens": "100M"}
PACKED = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "100M", "framework": "trl, packing"}
DENOISER = {"model": "dit-xl-2", "gpu": "a100", "n_gpus": 8, "samples": "10M", "global_batch_sequences": 256}
ANY_CLUSTER = {"model": "13B", "gpu": "h100", "n_gpus": 64, "tokens": "1T"}
ADAPTERS = {
    "model": "llama-3.1-8b",
    "gpu": "h100",
    "n_gpus": 4,
    "method": "lora",
    "tokens": "100M",
    "packing": "packed",
}

_TIMES = r"([\d.,]+) times as long"
_REST = r" as here.*?, ([\d.]+)"
"""What is assumed, told where the answer is another's as well."""

GIVEN_BACK: tuple[tuple[dict[str, Any], str, str, dict[str, Any]], ...] = (
    (SWIFT, "experts_one_by_one", rf"{_TIMES} as here", {"framework": f"{SWIFT['framework']} transformers 5.0"}),
    (SWIFT, "experts_one_by_one", rf"{_REST} on T", {"framework": f"{SWIFT['framework']} transformers 4.57"}),
    (SWIFT, "micro_batch_unsaid", _TIMES, {"micro_batch_size": 8}),
    (TRL, "experts_one_by_one", rf"{_TIMES} as here", {"framework": "trl transformers 5.0"}),
    (TRL, "experts_one_by_one", rf"{_REST} on T", {"framework": "trl transformers 4.57"}),
    (FACTORY | {"tokens_per_sample": 1000, "method": "qlora"}, "micro_batch_unsaid", _TIMES, {"micro_batch_size": 8}),
    (FACTORY | {"tokens_per_sample": 1000, "method": "lora"}, "micro_batch_unsaid", _TIMES, {"micro_batch_size": 8}),
    (
        FACTORY | {"tokens_per_sample": 300, "method": "lora", "n_gpus": 1},
        "micro_batch_unsaid",
        _TIMES,
        {"micro_batch_size": 8},
    ),
    (BERT | {"framework": "huggingface"}, "trained_in_fp32", _TIMES, {"precision": "fp32"}),
    (BERT | {"framework": "huggingface"}, "trained_in_fp32", rf"{_REST} in bf16", {"precision": "bf16"}),
    (PICTURES | {"framework": "huggingface"}, "trained_in_fp32", _TIMES, {"precision": "fp32"}),
    (
        PICTURES | {"framework": "huggingface"},
        "loader_unsaid",
        _TIMES,
        {"framework": "huggingface, no dataloader workers"},
    ),
    (QUANTISED | {"framework": "huggingface"}, "base_expanded_to_fp32", _TIMES, {"precision": "fp32"}),
    (QUANTISED | {"framework": "huggingface"}, "base_expanded_to_fp32", rf"{_REST} in fp16", {"precision": "fp16"}),
    (
        QUANTISED | {"gpu": "4090", "n_gpus": 4, "framework": "trl"},
        "devices_in_turn",
        _TIMES,
        {"framework": "trl device_map auto"},
    ),
    (TWO_NODES, "network_unsaid", rf"{_TIMES} over 100 Gb/s", {"network_gbps_per_gpu": 12.5}),
    (TWO_NODES, "network_unsaid", r"over 25 Gb/s a node it takes ([\d.]+)", {"network_gbps_per_gpu": 25 / 8}),
    (ONE_NODE, "framework_unsaid", rf"{_TIMES} as here", {"framework": "huggingface"}),
    (ONE_NODE, "framework_unsaid", rf"{_REST} on nemo", {"framework": "nemo"}),
    (
        ADAPTERS | {"micro_batch_size": 4, "framework": "fsdp"},
        "framework_unsaid",
        _TIMES,
        {"framework": "HF Trainer FSDP"},
    ),
    (ANY_CLUSTER, "tuned_stack_assumed", rf"{_TIMES} as here", {"framework": "own stack"}),
    (ANY_CLUSTER, "tuned_stack_assumed", rf"{_REST} on nemo", {"framework": "nemo"}),
    (
        PACKED | {"micro_batch_size": 4},
        "packed_under_a_mask",
        _TIMES,
        {"framework": "trl, packing, flash attention 2"},
    ),
    (PACKED | {"micro_batch_size": 4}, "packed_under_a_mask", rf"{_REST} under", {"framework": "trl, packing, sdpa"}),
    (DENOISER, "encoded_before_training", _TIMES, {"framework": "encode on the fly"}),
    (DENOISER, "encoded_before_training", rf"{_REST} with those", {"framework": "cached latents"}),
    (
        ANY_CLUSTER | {"model": "llama-3.1-70b", "gpu": "a100", "framework": "fsdp"},
        "recompute_unsaid",
        _TIMES,
        {"activation_recompute": "full"},
    ),
)


def _ask(**asked: Any) -> TrainingTime:  # noqa: ANN401 - the tool's arguments
    return estimate_training_time(**asked, detail="detailed")


def _named(row: tuple[dict[str, Any], str, str, dict[str, Any]]) -> str:
    asked, code, _, said = row
    return f"{code} of {asked['model']}: {said}"


@pytest.mark.parametrize("row", GIVEN_BACK, ids=_named)
def test_what_a_warning_says_another_way_takes_is_what_it_is_answered_with(
    row: tuple[dict[str, Any], str, str, dict[str, Any]],
) -> None:
    """A batch that was assumed is kept, for another is usual with other software."""
    asked, code, told, said = row
    answer = _ask(**asked)
    (message,) = (warning.message for warning in answer.warnings if warning.code == code)
    times = re.search(told, message)
    assert times, message
    assert answer.layout is not None
    given = _ask(**({"global_batch_sequences": answer.layout.global_batch_sequences} | asked | said))
    assert given.training_seconds / answer.training_seconds == pytest.approx(float(times[1]), rel=0.1), message


def test_a_way_that_is_left_alone_of_several_devices_takes_what_one_takes() -> None:
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "method": "lora", "tokens": "100M"}
    unsaid = _ask(**asked, framework="unsloth")
    (message,) = (warning.message for warning in unsaid.warnings if warning.code == "devices_left_idle")
    found = re.search(_TIMES, message)
    assert found, message
    alone, together = _ask(**asked | {"n_gpus": 1}, framework="unsloth"), _ask(**asked, framework="unsloth, torchrun")
    assert alone.training_seconds / unsaid.training_seconds == pytest.approx(float(found[1]), rel=0.1)
    # So few leave seven of eight idle that the answer is that of all.
    assert together.training_seconds == pytest.approx(unsaid.training_seconds, rel=0.1)
