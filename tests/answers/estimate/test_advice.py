"""What is advised first to a run that does not fit is possible, and helps when it is given back as it is written.

Authority: the program's contract, that an argument which is named can be given; what each stack's own code has:
Transformers' trainers, torchtune and Unsloth load a base in 4 bits, Megatron and torchtitan none; Unsloth and nanoGPT
copy the model to each device; DeepSpeed's offload steps with DeepSpeedCPUAdam, and refuses bitsandbytes' optimizers.
"""

import json
import re
from functools import cache
from itertools import product
from typing import Any

import pytest

from estimator.answers.estimate.predict import prediction
from estimator.catalogue import catalogue
from estimator.physics.abilities import EIGHT_BIT_OPTIMIZERS, LACKING, shards_states, trains_method
from estimator.physics.stacks import STACKS
from estimator.question.request import Request
from estimator.resolve.framework.named import named_framework
from estimator.resolve.run import resolve
from tools.estimate_training_time import TrainingTime, estimate_training_time

ON_ONE: tuple[dict[str, Any], ...] = tuple(
    {"model": model, "gpu": gpu, "n_gpus": 1, "method": method, "framework": framework}
    for (model, gpu, method), framework in product(
        (
            ("llama-3.1-8b", "rtx 4080", "lora"),
            ("llama-3.1-8b", "rtx 4090", "full"),
            ("qwen2.5-32b", "rtx 4080", "qlora"),
        ),
        ("auto", "Unsloth", "TRL", "LLaMA-Factory", "HF Trainer", "axolotl", "torchtune"),
    )
)
ON_SEVERAL: tuple[dict[str, Any], ...] = tuple(
    {"model": "llama-3.1-70b", "gpu": gpu, "n_gpus": n_gpus, "method": method, "framework": framework}
    for (gpu, n_gpus, method), framework in product(
        (("rtx 4090", 2, "qlora"), ("a100-40gb", 2, "lora"), ("h100", 4, "full"), ("mi300x", 2, "full")),
        ("Unsloth", "TRL, FSDP", "LLaMA-Factory, DeepSpeed ZeRO-3", "HF Trainer", "nanogpt"),
    )
)
ALIKE: tuple[dict[str, Any], ...] = (
    {"model": "llama-3.1-8b", "gpu": "rtx 4090", "n_gpus": 1, "framework": "HF Trainer, adamw_8bit"},
    {"model": "llama-3.1-8b", "gpu": "rtx 4090", "n_gpus": 1, "framework": "LLaMA-Factory, pure bf16"},
    {"model": "llama-3.1-8b", "gpu": "rtx 4090", "n_gpus": 2, "framework": "torchtitan"},
    {"model": "qwen2.5-14b", "gpu": "m2 max", "n_gpus": 1, "framework": "mlx"},
    {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 4, "framework": "megatron"},
)
ASKED = tuple({**one, "samples": "1000", "tokens_per_sample": "1024"} for one in (*ON_ONE, *ON_SEVERAL, *ALIKE))
CANNOT = {"stack_not_for_method", "stack_not_for_gpu", "framework_contradicted", "framework_not_understood"} | {
    "devices_left_idle"
}
"""Warnings that what was said cannot be, is not understood, or is of no use."""
SAID = re.compile(r'(?P<name>\w+) (?:"(?P<text>[^"]*)"|(?P<number>[\d,]+)|(?P<word>zero3|full))')


@cache
def _answer(asked: str) -> TrainingTime:
    return estimate_training_time(**json.loads(asked), detail="detailed")


def _asked(arguments: dict[str, Any]) -> TrainingTime:
    return _answer(json.dumps(arguments))


def _given_back(arguments: dict[str, Any], words: str) -> dict[str, Any]:
    """Return the arguments of who does what `words` say, read as they are written."""
    said = words.partition(" (")[0].partition(' or "')[0]
    changed = {**arguments}
    for one in SAID.finditer(said):
        value = one["text"] or one["word"] or one["number"].replace(",", "")
        changed[one["name"]] = value.replace("…", str(arguments.get("framework", "")))
    return changed


def _ways(answer: TrainingTime) -> list[str]:
    """Return the ways to fit, the likeliest to suit first."""
    told = next(warning.message for warning in answer.warnings if warning.code == "does_not_fit")
    _, found, ways = told.partition("the likeliest to suit first: ")
    return ways.split("; or ") if found else []


def _first(answer: TrainingTime) -> list[str]:
    """Return the first of the ways to fit, and what the summary says would do."""
    opening, found, _ = answer.summary.partition(" would do. ")
    return [*_ways(answer)[:1], *([opening.rpartition("can fill ")[2].partition("; ")[2]] if found else [])]


@pytest.mark.parametrize("arguments", ASKED, ids=json.dumps)
def test_what_is_advised_first_fits_when_it_is_given_back(arguments: dict[str, Any]) -> None:
    """On a stack that can do it, by the method that was asked for, or told to be another."""
    asked = _asked(arguments)
    assert asked.memory is not None
    assert not asked.memory.fits
    for words in _first(asked):
        changed = _given_back(arguments, words)
        assert changed != arguments, words
        again = _asked(changed)
        assert again.memory is not None
        assert again.memory.fits, words
        new = {warning.code for warning in again.warnings} - {warning.code for warning in asked.warnings}
        assert not new & CANNOT, (words, new & CANNOT)
        method = changed.get("method", "full")
        kept = method == arguments.get("method", "full")
        assert kept or "another training" in words or "in 4 bits" in words
        asked_stack, stack = (named_framework(str(one["framework"])).name for one in (arguments, changed))
        assert stack == asked_stack or trains_method(stack, method)
        assert kept or trains_method(stack, method)


def test_most_of_these_have_an_advice() -> None:
    assert len(ASKED) >= 40
    assert sum(bool(_first(_asked(arguments))) for arguments in ASKED) >= 0.9 * len(ASKED)


@pytest.mark.parametrize("arguments", ASKED, ids=json.dumps)
def test_all_that_is_advised_is_what_its_stack_has(arguments: dict[str, Any]) -> None:
    asked_stack = named_framework(str(arguments["framework"])).name
    for words in _ways(_asked(arguments)):
        changed = _given_back(arguments, words)
        question = resolve(Request(**changed)).question
        assert question is not None
        practice, stack = question.practice, question.framework
        assert stack in {"auto", asked_stack} or trains_method(stack, question.method.name), words
        assert practice.optimizer not in EIGHT_BIT_OPTIMIZERS or not practice.offload_optimizer, words
        more = question.cluster.n_gpus > int(arguments["n_gpus"])
        # Of larger devices that hold all of it more are of use.
        assert stack == "auto" or shards_states(stack) or not more or "gpu" in words.split(), words


@pytest.mark.parametrize("framework", ["Unsloth", "nanogpt", "mlx"])
@pytest.mark.parametrize("n_gpus", [2, 8])
def test_more_devices_hold_no_more_under_a_stack_that_copies_the_model_to_each(framework: str, n_gpus: int) -> None:
    """DDP: what one does not hold, eight do not, unless sharding is asked for."""
    run = {"model": "llama-3.1-8b", "gpu": "rtx 4080", "method": "lora", "framework": framework, "tokens": "10M"}
    one, several = (_asked({**run, "n_gpus": n}) for n in (1, n_gpus))
    sharded = _asked({**run, "n_gpus": n_gpus, "data_sharding": "zero3"})
    for answer in (one, several, sharded):
        assert answer.memory is not None
        assert answer.layout is not None
    assert several.layout is not None
    assert several.layout.data_sharding == "ddp"
    assert several.memory is not None
    assert one.memory is not None
    assert several.memory.per_gpu_gb >= 0.99 * one.memory.per_gpu_gb
    assert sharded.memory is not None
    assert sharded.memory.per_gpu_gb < several.memory.per_gpu_gb


@pytest.mark.parametrize(
    ("framework", "method", "is_told"),
    [
        ("megatron", "qlora", True),
        ("torchtitan", "qlora", True),
        ("gpt-neox", "qlora", True),
        ("nanogpt", "lora", True),
        ("llm.c", "lora", True),
        ("megatron", "lora", False),
        ("nemo", "qlora", False),
        ("megatron", "full", False),
        *((name, "qlora", False) for name in ("TRL", "Unsloth", "axolotl", "LLaMA-Factory", "torchtune", "litgpt")),
        *((name, "qlora", False) for name in ("ms-swift", "HF Trainer", "mlx", "lightning", "auto")),
    ],
)
def test_a_stack_that_does_not_train_so_is_told(framework: str, method: str, *, is_told: bool) -> None:
    answer = _asked(
        {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 2, "method": method, "framework": framework, "tokens": "10M"}
    )
    assert ("stack_not_for_method" in {warning.code for warning in answer.warnings}) is is_told


@pytest.mark.parametrize("optimizer", ["adamw_8bit", "paged_adamw_8bit", "pure bf16"])
@pytest.mark.parametrize("framework", ["HF Trainer", "LLaMA-Factory", "TRL, DeepSpeed ZeRO-3"])
def test_offloaded_states_are_in_fp32_whatever_is_said_beside_them(framework: str, optimizer: str) -> None:
    """18 bytes a weight of 8.03 billion (DeepSpeed, `estimate_zero3_model_states_mem_needs`), and a word on it."""
    run = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 1, "method": "full", "tokens": "10M"}
    offloaded: dict[str, Any] = {**run, "framework": f"{framework}, {optimizer}, offload optimizer and params"}
    question = resolve(Request(**offloaded)).question
    assert question is not None
    codes = [warning.code for warning in _asked(offloaded).warnings]
    assert "framework_contradicted" in codes
    plain = _asked({**run, "framework": f"{framework}, offload optimizer and params"})
    assert "framework_contradicted" not in [warning.code for warning in plain.warnings]
    assert _host_bytes(offloaded) == pytest.approx(18.0 * 8.03e9, rel=0.02)


def _host_bytes(arguments: dict[str, Any]) -> float:
    question = resolve(Request(**arguments)).question
    assert question is not None
    return prediction(question, advised=False, told=False).memory.host_node_bytes


@pytest.mark.parametrize("framework", ["HF Trainer, adamw_8bit, paged optimizer", "HF Trainer, paged_adamw_8bit"])
def test_pages_are_no_offload_to_a_host_that_steps(framework: str) -> None:
    practice = named_framework(framework).practice
    assert (practice.optimizer, practice.offload_optimizer) == ("paged_adamw_8bit", None)


def test_what_stacks_lack_is_said_of_stacks_there_are_and_of_no_published_run() -> None:
    assert set(STACKS) >= LACKING
    for run in catalogue.runs():
        assert trains_method(named_framework(run.framework).name, run.method), run.id
