"""Where devices mostly wait, the answer says so, over what, and what would help.

Authority: the answer to the same question with what is said to help.
"""

import math
import re
from typing import Any

import pytest

from tools.estimate_training_time import TrainingTime, estimate_training_time

CODE = "mostly_waiting"
TELLS_WHY = {"fewer_gpus_are_faster", "other_batch_is_faster", "devices_in_turn", "devices_left_idle", "network_slow"}
ASKED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"model": "qwen2.5-7b", "gpu": "4090", "n_gpus": 8, "framework": "huggingface, zero3, liger"}, "over PCIe"),
    (
        {
            "model": "llama-3.1-70b",
            "gpu": "h100",
            "n_gpus": 64,
            "pipeline_parallel": 16,
            "global_batch_sequences": 8,
            "framework": "megatron",
        },
        "16 pipeline stages",
    ),
    (
        {
            "model": "llama-3.1-8b",
            "gpu": "l40s",
            "n_gpus": 32,
            "framework": "deepspeed",
            "network_gbps_per_gpu": 3,
            "sequence_length": 8192,
        },
        "a network of 3 Gb/s",
    ),
)
SHORT_OF_MEMORY: tuple[tuple[dict[str, Any], str], ...] = (
    ({"model": "7B", "gpu": "4090", "n_gpus": 8, "tokens": "30B"}, "over PCIe"),
    ({"model": "9B", "gpu": "4090", "n_gpus": 8, "tokens": "30B"}, "over PCIe"),
    ({"model": "4B", "gpu": "4090", "n_gpus": 8, "framework": "deepspeed"}, "over PCIe"),
    ({"model": "llama-3.1-8b", "gpu": "3090", "n_gpus": 8, "framework": "fsdp, zero3"}, "over PCIe"),
    (
        {
            "model": "7B",
            "gpu": "4090",
            "n_gpus": 8,
            "method": "lora",
            "framework": "huggingface",
            "samples": 200_000,
            "tokens_per_sample": 1500,
            "sequence_length": 8192,
        },
        "over PCIe",
    ),
)
"""What barely fits in micro-batches of one and weights that are gathered for each."""
PADDED: tuple[tuple[dict[str, Any], str], ...] = (
    (
        {
            "model": "deberta-v3-base",
            "gpu": "a100",
            "n_gpus": 1,
            "samples": 1_000_000,
            "tokens_per_sample": 40,
            "global_batch_sequences": 8,
            "framework": "huggingface",
        },
        "each kernel",
    ),
    (
        {
            "model": "qwen2.5-0.5b",
            "gpu": "h100",
            "n_gpus": 8,
            "samples": 1_000_000,
            "tokens_per_sample": 300,
            "framework": "trl",
            "micro_batch_size": 1,
        },
        "each kernel",
    ),
    (
        {
            "model": "llama-3.1-8b",
            "gpu": "h100",
            "n_gpus": 8,
            "method": "lora",
            "samples": 200_000,
            "tokens_per_sample": 300,
            "framework": "trl, fsdp",
            "micro_batch_size": 1,
        },
        "15 parts of",
    ),
)
"""Samples that are padded to the longest of their micro-batch: the more are in it, the longer they all are."""
_PRETRAINING: dict[str, Any] = {"gpu": "h100", "tokens": "100B", "global_batch_sequences": 512}
GATHERED_ACROSS: tuple[tuple[dict[str, Any], str], ...] = (
    (
        {**_PRETRAINING, "model": "7B", "n_gpus": 64, "framework": "FSDP", "network_gbps_per_gpu": 12.5},
        "a network of 12.5 Gb/s",
    ),
    (
        {**_PRETRAINING, "model": "7B", "n_gpus": 64, "framework": "torchtitan", "network_gbps_per_gpu": 3}
        | {"global_batch_sequences": None},
        "a network of 3 Gb/s",
    ),
    (
        {
            **_PRETRAINING,
            "model": "llama-3.1-70b",
            "n_gpus": 128,
            "framework": "DeepSpeed ZeRO-3",
            "network_gbps_per_gpu": 12.5,
        },
        "a network of 12.5 Gb/s",
    ),
)
BY_HOST: tuple[tuple[dict[str, Any], str], ...] = (
    ({"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "method": "lora", "framework": "trl, fsdp"}, "15 parts of"),
    (
        {"model": "bert-base", "gpu": "h100", "n_gpus": 1, "framework": "huggingface", "micro_batch_size": 8},
        "each kernel",
    ),
    ({"model": "qwen2.5-0.5b", "gpu": "h100", "n_gpus": 8, "framework": "trl", "micro_batch_size": 1}, "kernel"),
)


def _ask(**asked: Any) -> TrainingTime:  # noqa: ANN401 - the tool's arguments
    amount: dict[str, Any] = {} if "samples" in asked else {"tokens": "100M"}
    return estimate_training_time(**amount | asked, detail="detailed")


def _message(answer: TrainingTime) -> str:
    return next((warning.message for warning in answer.warnings if warning.code == CODE), "")


def _step_s_of_a_sequence(answer: TrainingTime) -> float:
    """Return what the run's time is in proportion to, but for what comes beside its steps."""
    assert answer.step_seconds is not None
    assert answer.layout is not None
    return answer.step_seconds / answer.layout.global_batch_sequences


def _waits(answer: TrainingTime) -> float:
    parts = answer.time_breakdown
    assert parts is not None
    return parts.communication + parts.bubble


@pytest.mark.parametrize(("asked", "over"), [*ASKED, *SHORT_OF_MEMORY, *GATHERED_ACROSS])
def test_what_devices_wait_for_is_told_and_in_the_summary(asked: dict[str, Any], over: str) -> None:
    answer = _ask(**asked)
    message = _message(answer)
    assert f"{_waits(answer):.0%} of a step is" in message
    assert over in message
    assert f"({_waits(answer):.0%} of a step is communication" in answer.summary


@pytest.mark.parametrize(("asked", "over"), [*BY_HOST, *PADDED])
def test_what_the_host_makes_devices_wait_for_is_told(asked: dict[str, Any], over: str) -> None:
    answer = _ask(**asked)
    assert answer.time_breakdown is not None
    assert f"{answer.time_breakdown.other:.0%} of a step is waiting for the host" in _message(answer)
    assert over in _message(answer)


@pytest.mark.parametrize(("asked", "_over"), [*ASKED, *SHORT_OF_MEMORY, *BY_HOST, *PADDED, *GATHERED_ACROSS])
def test_what_would_help_does(asked: dict[str, Any], _over: str) -> None:
    """Each as an argument of the same tool, and of the run's time as much as is told."""
    answer = _ask(**asked)
    ways = _message(answer).partition("say ")[2].split("; or ")
    for way in ways if ways != [""] else []:
        found = re.fullmatch(
            r'(\w+) (?:"([^"]+)"|([\w,]+))(?: with (\w+) ([\d,]+))?(?: \([^)]*\))?, ([\d.e-]+) times as long',
            way,
        )
        assert found, way
        name, words, value, beside, its, times = found.groups()
        said = {name: value if name == "data_sharding" else int(value.replace(",", ""))} if value else {name: words}
        if name == "framework":
            said = {name: words.replace("…", asked.get("framework", "…"))}
        said |= {beside: int(its.replace(",", ""))} if beside else {}
        batch = answer.layout.global_batch_sequences if answer.layout else 1
        kept: dict[str, Any] = {"global_batch_sequences": batch}
        # Of samples it is where they are cut that is said.
        if "samples" not in asked:
            kept["sequence_length"] = next(told.value for told in answer.assumptions if told.name == "sequence_length")
        changed = _ask(**(asked | kept | said))
        assert _step_s_of_a_sequence(changed) / _step_s_of_a_sequence(answer) == pytest.approx(float(times), rel=0.1), (
            way
        )
        assert changed.training_seconds < answer.training_seconds


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8},
        {"model": "gpt2", "gpu": "h100", "n_gpus": 16, "network_gbps_per_gpu": 1},
        {"model": "llama-3.1-8b", "gpu": "4090", "n_gpus": 1, "method": "qlora"},
        # It does not fit, and how long it would wait does not matter.
        {"model": "llama-3.1-8b", "gpu": "3090", "n_gpus": 2, "framework": "fsdp"},
    ],
)
def test_devices_that_work_or_whose_waiting_another_warning_tells_of_are_not_warned_of(asked: dict[str, Any]) -> None:
    answer = _ask(**asked)
    assert answer.memory is not None
    told = {warning.code for warning in answer.warnings}
    assert _waits(answer) <= 0.5 or told & TELLS_WHY or not answer.memory.fits
    assert CODE not in told


@pytest.mark.parametrize(("asked", "_over"), SHORT_OF_MEMORY)
def test_memory_that_is_saved_is_named_where_it_makes_room(asked: dict[str, Any], _over: str) -> None:
    """Weights are gathered for each micro-batch, and twice as large a one gathers half as often."""
    message = _message(_ask(**asked))
    shares = [float(share) for share in re.findall(r'framework "[^"]+"[^;]*?, ([\d.]+) times as long', message)]
    assert shares
    assert min(shares) < 0.4


@pytest.mark.parametrize(("asked", "_over"), PADDED)
def test_a_larger_micro_batch_is_said_to_help_a_padded_run_as_much_as_it_does(
    asked: dict[str, Any], _over: str
) -> None:
    """A token gains more than a sample, whose row is longer."""
    answer = _ask(**asked)
    found = re.search(
        r"micro_batch_size (\d+)(?: with global_batch_sequences (\d+))?, ([\d.]+) times", _message(answer)
    )
    assert found
    micro, batch, times = found.groups()
    assert answer.layout is not None
    said = {
        "micro_batch_size": int(micro),
        "global_batch_sequences": int(batch or answer.layout.global_batch_sequences),
    }
    changed = _ask(**asked | said)
    assert changed.training_seconds / answer.training_seconds == pytest.approx(float(times), rel=0.1)
    assert changed.tokens_per_second_per_gpu / answer.tokens_per_second_per_gpu > 1.1 / float(times)


@pytest.mark.parametrize("micro_batch", [4, 8])
def test_a_larger_micro_batch_whose_padding_eats_most_of_its_gain_is_not_oversold(micro_batch: int) -> None:
    asked = {
        "model": "llama-3.1-8b",
        "gpu": "h100",
        "n_gpus": 4,
        "method": "lora",
        "samples": 50_000,
        "tokens_per_sample": 1000,
        "framework": "LLaMA-Factory",
    }
    answer = _ask(**asked)
    changed = _ask(**asked, micro_batch_size=micro_batch)
    assert changed.training_seconds > 0.75 * answer.training_seconds
    for times in re.findall(r"micro_batch_size \d+[^;]*?, ([\d.]+) times", _message(answer)):
        assert float(times) > 0.75


@pytest.mark.parametrize(("asked", "_over"), GATHERED_ACROSS)
def test_a_stack_that_splits_the_model_is_named_where_pretraining_gathers_it_over_a_slow_network(
    asked: dict[str, Any], _over: str
) -> None:
    """Activations between stages are a small part of the weights of a model; who fine-tunes is not sent to another."""
    named = 'framework "megatron"'
    assert named in _message(_ask(**asked))
    assert named not in _message(_ask(**asked | {"tokens": "10M"}))
    assert named not in _message(_ask(**asked | {"framework": "megatron"}))


def test_the_summary_says_what_would_help_a_run_that_might_take_half_as_long() -> None:
    """Who reads nothing else commits money on a layout that nobody would choose."""
    asked: dict[str, Any] = {"model": "7B", "gpu": "4090", "tokens": "30B"}
    waits = estimate_training_time(**asked, n_gpus=8)
    assert "88% of a step is communication" in waits.summary
    told = re.search(r'What would help: say framework "([^"]+)"', waits.summary)
    assert told, waits.summary
    helped = estimate_training_time(**asked, n_gpus=8, framework=told[1].replace("…", "huggingface"))
    assert (helped.training_seconds or math.inf) < 0.5 * (waits.training_seconds or 0.0)
    asked["model"] = "1B"
    assert "What would help" not in estimate_training_time(**asked, n_gpus=8).summary
