"""Relations between answers: what one more word, sequence or GPU may change, whatever the right answer is.

Authority: each relation's own reason, stated at its test; none needs a measurement.
"""

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from estimator.base.errors import EstimatorError
from tools.estimate_training_time import TrainingTime, estimate_training_time
from tools.plan_training import plan_training

TEXT: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 8, "tokens": "10B"}
PICTURES: dict[str, Any] = {"model": "vit-base-patch16-224", "gpu": "a100-sxm-80gb", "n_gpus": 8, "samples": "12.8M"}
PAIRS: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100-sxm",
    "n_gpus": 8,
    "samples": "60k",
    "tokens_per_sample": "600",
    "objective": "dpo",
}
ASKED: Mapping[str, dict[str, Any]] = {
    "text": TEXT | {"framework": "megatron"},
    "a mixture of experts": {"model": "mixtral-8x7b", "gpu": "h100", "n_gpus": 64, "tokens": "200B"},
    "padded samples": {
        "model": "llama-2-7b",
        "gpu": "rtx-3090",
        "n_gpus": 1,
        "samples": "52k",
        "tokens_per_sample": "1500",
        "method": "qlora",
    },
    "pairs": PAIRS,
    "contrasted texts": {
        "model": "e5-large-v2",
        "gpu": "a100",
        "n_gpus": 8,
        "tokens": "10B",
        "objective": "contrastive",
    },
    "pictures": PICTURES,
    "sounds": {"model": "whisper-large-v3", "gpu": "a100", "n_gpus": 8, "samples": "1M"},
    "pictures and text": {
        "model": "qwen2.5-vl-7b",
        "gpu": "a100",
        "n_gpus": 8,
        "samples": "100k",
        "tokens_per_sample": "300",
        "framework": "llama-factory",
    },
    "a denoiser": {"model": "sdxl", "gpu": "a100", "n_gpus": 8, "samples": "1M", "image_size": "1024"},
    "a model that predicts ahead": {"model": "qwen3.5-9b", "gpu": "rtx-5090", "n_gpus": 1, "tokens": "20B"},
    "a hybrid": {"model": "falcon-h1-7b", "gpu": "h100", "n_gpus": 8, "tokens": "10B", "framework": "megatron"},
}
REPEATED = (
    "framework",
    "packing",
    "gpus_per_node",
    "method",
    "lora_rank",
    "objective",
    "precision",
    "activation_recompute",
    "sequence_length",
    "global_batch_sequences",
    "micro_batch_size",
    "image_size",
    "images_per_sample",
)
"""Arguments of which no other value is as likely; of a network that is not said the point is a mean over several, and
so it is of a stack where the answer says so."""
STACK_DOUBTED = frozenset({"framework_unsaid", "trained_as_published", "tuned_stack_assumed"})
EXPLAINED = frozenset({"other_batch_is_faster", "fewer_gpus_are_faster", "batch_rounded"})


def _asked(**said: object) -> TrainingTime:
    return estimate_training_time(**{"detail": "detailed"} | said)  # type: ignore[arg-type]


def _codes(answer: TrainingTime) -> set[str]:
    return {warning.code for warning in answer.warnings}


def _width(answer: TrainingTime) -> float:
    return answer.training_days_high / answer.training_days_low


@pytest.mark.parametrize("question", ASKED)
def test_who_repeats_an_assumption_is_told_the_same_time_and_no_wider_range(question: str) -> None:
    answer = _asked(**ASKED[question])
    assumed = {told.name: told.value for told in answer.assumptions if told.name in REPEATED and told.source != "user"}
    assert "global_batch_sequences" in assumed
    if _codes(answer) & STACK_DOUBTED:
        del assumed["framework"]
    if question == "sounds":
        # Whoever says how many clips a device takes at a time says that these are its batch.
        del assumed["micro_batch_size"]
    for name, value in assumed.items():
        again = _asked(**ASKED[question], **{name: value})
        assert again.training_seconds == pytest.approx(answer.training_seconds, rel=0.005), name
        assert _width(again) <= _width(answer) * 1.01, name


@pytest.mark.parametrize("name", ["pairs", "contrasted texts"])
def test_a_layout_of_pairs_is_told_as_its_trainers_count_it(name: str) -> None:
    """A trainer's batch of 64 is of 64 pairs: who repeats the layout that was printed means that one."""
    answer = _asked(**ASKED[name], global_batch_sequences=64)
    layout = answer.layout
    assert layout is not None
    assert layout.global_batch_sequences == 64
    assert layout.data_parallel * layout.micro_batch_size * layout.micro_batches == 64
    again = _asked(**ASKED[name], global_batch_sequences=64, micro_batch_size=layout.micro_batch_size)
    assert again.layout == layout
    planned = plan_training(solve_for="layout", **ASKED[name], global_batch_sequences=64)
    assert planned.solution.layout is not None
    assert planned.solution.layout.global_batch_sequences == 64


def _said(answer: TrainingTime, code: str) -> str:
    return next(warning.message for warning in answer.warnings if warning.code == code)


def test_advice_about_a_batch_of_pairs_is_told_as_its_trainers_count_it() -> None:
    slow = PAIRS | {"n_gpus": 16, "network_gbps_per_gpu": 0.5, "framework": "trl, zero3"}
    answer = _asked(**slow, global_batch_sequences=64)
    assert "a batch of 64 samples of 2 sequences" in _said(answer, "fewer_gpus_are_faster")
    few = PAIRS | {"samples": "300"}
    batch, steps = map(
        int, re.findall(r"global_batch_sequences (\d+).* would make (\d+)", _said(_asked(**few), "few_steps"))[0]
    )
    assert steps == pytest.approx(300 / batch, abs=1.0)


@pytest.mark.parametrize(
    ("asked", "batches"),
    [
        (PICTURES, (968, 976, 984, 1000, 1016, 1024)),
        (TEXT | {"framework": "fsdp", "sequence_length": 1024}, (120, 128, 136, 248, 256, 264)),
        (TEXT | {"method": "lora", "sequence_length": 512}, (504, 512, 520, 984, 1000, 1024)),
    ],
    ids=["pictures", "sharded", "adapters"],
)
def test_a_few_sequences_more_in_a_batch_cost_little_or_a_better_batch_is_named(
    asked: dict[str, Any], batches: tuple[int, ...]
) -> None:
    """Nobody runs 125 pictures one by one because 125 is odd."""
    answers = [_asked(**asked, global_batch_sequences=batch) for batch in batches]
    fastest_s = min(answer.training_seconds for answer in answers)
    slow = {
        batch
        for batch, answer in zip(batches, answers, strict=True)
        if answer.training_seconds > 1.15 * fastest_s and not _codes(answer) & EXPLAINED
    }
    assert not slow


def test_the_better_batch_that_is_named_is_better() -> None:
    asked = TEXT | {"framework": "fsdp", "sequence_length": 1024}
    answer = _asked(**asked, global_batch_sequences=248)
    message = _said(answer, "other_batch_is_faster")
    named = int(message.split()[3].replace(",", ""))
    assert abs(named / 248 - 1) < 0.07
    assert _asked(**asked, global_batch_sequences=named).training_seconds < 0.95 * answer.training_seconds


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "all-minilm-l6-v2", "gpu": "rtx-4070-laptop", "tokens": "300M", "sequence_length": 128},
        {"model": "bart-large", "gpu": "titan-v", "tokens": "1B"},
        # Stack and batch are named where those that are assumed depend on how many devices there are.
        {
            "model": "llama-3.1-8b",
            "gpu": "h100-sxm",
            "tokens": "1B",
            "network_gbps_per_gpu": 1,
            "framework": "nemo",
            "global_batch_sequences": 256,
        },
        {"model": "llama-2-7b", "gpu": "rtx-4090", "tokens": "1B", "framework": "deepspeed zero3"},
    ],
    ids=["laptops", "old cards", "a slow network", "PCIe"],
)
def test_twice_the_gpus_take_no_longer_or_the_answer_says_that_fewer_are_faster(asked: dict[str, Any]) -> None:
    last_s = math.inf
    for n_gpus in (1, 2, 4, 8, 16, 32):
        answer = _asked(**asked, n_gpus=n_gpus)
        if "does_not_fit" in _codes(answer):
            continue
        # What is faster by less than a hundredth is not named.
        assert answer.training_seconds <= 1.011 * last_s or "fewer_gpus_are_faster" in _codes(answer), n_gpus
        last_s = min(last_s, answer.training_seconds)


@pytest.mark.parametrize(
    ("name", "fastest_first"),
    [
        ("gpu", ("b200-sxm", "h200-sxm", "h100-sxm", "a100-sxm-80gb", "v100-sxm2-32gb", "t4")),
        ("gpu", ("rtx-5090", "rtx-4090", "rtx-3090")),
        ("gpu", ("tpu-v5p", "tpu-v4")),
        ("gpu", ("mi325x", "mi300x", "mi250x-gcd")),
        ("network_gbps_per_gpu", (400, 100, 25, 5, 1)),
        ("gpus_per_node", (8, 4, 2, 1)),
        ("precision", ("fp8", "bf16", "fp32")),
        ("model", ("qwen2.5-0.5b", "qwen2.5-1.5b", "qwen2.5-3b", "qwen2.5-7b", "qwen2.5-14b", "qwen2.5-32b")),
        ("trained_layers", ("4", "8", "16", "all")),
    ],
)
def test_what_is_better_takes_no_longer(name: str, fastest_first: tuple[object, ...]) -> None:
    asked: dict[str, Any] = {"model": "qwen2.5-1.5b", "gpu": "h100-sxm", "n_gpus": 16, "tokens": "10B"}
    asked |= {"framework": "fsdp", "network_gbps_per_gpu": 100, "micro_batch_size": 2, "sequence_length": 2048}
    asked |= {"activation_recompute": "full"}
    values = [{name: value} if value != "all" else {} for value in fastest_first]
    method = {"method": "frozen"} if name == "trained_layers" else {}
    times = [_asked(**asked | said | (method if said else {})).training_seconds for said in values]
    for better_s, worse_s in pairwise(times):
        assert better_s <= 1.02 * worse_s


@pytest.mark.parametrize("question", ASKED)
def test_twice_the_work_takes_twice_as_long(question: str) -> None:
    asked = ASKED[question]
    once, twice = _asked(**asked, epochs=4), _asked(**asked, epochs=8)
    assert twice.training_seconds == pytest.approx(2 * once.training_seconds, rel=0.04)
    assert twice.step_seconds == pytest.approx(once.step_seconds)


def test_a_run_that_no_one_change_makes_fit_is_told_a_machine_that_holds_it() -> None:
    asked: dict[str, Any] = {"model": "deepseek-v3", "gpu": "rtx 3060", "n_gpus": 1, "tokens": "300B"}
    answer = _asked(**asked, framework="unsloth")
    message = _said(answer, "does_not_fit")
    gpu, n_gpus = message.split('gpu "')[1].split('"')[0], int(message.split("n_gpus ")[1].split()[0].replace(",", ""))
    # Unsloth copies the model to each, so that another stack is told as well.
    framework = message.split('framework "')[1].split('"')[0]
    held = _asked(**asked | {"gpu": gpu, "n_gpus": n_gpus}, framework=framework)
    assert held.memory is not None
    assert held.memory.fits
    assert held.cost_usd.value is not None, "one that nobody is known to rent out helps few"


@pytest.mark.parametrize("said", ["30 s", "30 seconds", "30 sec of audio", "12 s"])
def test_a_sound_that_is_padded_takes_as_long_however_long_it_is(said: str) -> None:
    asked = ASKED["sounds"]
    assert _asked(**asked, image_size=said).training_seconds == _asked(**asked).training_seconds


@pytest.mark.parametrize(
    ("degree", "wrong"),
    [
        ("tensor_parallel", 5),
        ("tensor_parallel", 64),
        ("pipeline_parallel", 7),
        ("pipeline_parallel", 64),
        ("context_parallel", 128),
    ],
)
def test_a_degree_that_a_refusal_names_would_do(degree: str, wrong: int) -> None:
    asked = TEXT | {"n_gpus": 64, "framework": "megatron"}
    with pytest.raises(EstimatorError) as refused:
        _asked(**asked, **{degree: wrong})
    advice = str(refused.value).rpartition(";")[2]
    named = [int(number) for number in re.findall(r"\d+", advice.split("stages would do, so")[-1].split(" on ")[0])]
    assert named
    for value in named:
        assert _asked(**asked, **{degree: value}).training_seconds > 0


def test_a_plan_takes_no_more_gpus_than_one_that_does_alone() -> None:
    """Two laptops wait for their network; one does not, and the counts that beat it lie far apart from it."""
    asked: dict[str, Any] = {"model": "all-minilm-l6-v2", "gpu": "rtx-4070-laptop", "tokens": "300M"}
    asked |= {"sequence_length": 128, "framework": "unknown"}
    hours = 48 * _asked(**asked, n_gpus=1).training_days
    planned = plan_training(solve_for="n_gpus", deadline=f"{hours} hours", **asked)
    assert planned.solution.n_gpus == 1
