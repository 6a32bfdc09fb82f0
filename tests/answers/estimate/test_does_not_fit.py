"""An answer that does not fit says so first, and what it says would do does.

Authority: the program's contract: `fits` and the warning are one verdict, and an argument that is named can be given.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.answers.estimate.change import Change
from estimator.answers.estimate.does_not_fit import Remedy, remedies
from estimator.answers.estimate.selection import usd_per_gpu_hour
from estimator.base.errors import EstimatorError
from estimator.evidence.calibration import committed_calibration
from estimator.physics.choice import ranked_layouts, setting_of
from estimator.question.request import FRAMEWORK_CHOICES, Request
from estimator.resolve.run import resolve
from tools.estimate_training_time import TrainingTime, estimate_training_time
from tools.plan_training import plan_training

TOO_LARGE: tuple[dict[str, Any], ...] = (
    {"model": "llama-2-13b", "gpu": "h100", "n_gpus": 1},
    {"model": "llama-3.1-8b", "gpu": "rtx 4090", "n_gpus": 1, "framework": "HF Trainer"},
    {"model": "llama-3.1-8b", "gpu": "rtx 4090", "n_gpus": 1, "framework": "unsloth"},
    {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 1, "framework": "HF Trainer"},
    {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 8, "framework": "HF Trainer", "sequence_length": 131_072},
    {"model": "llama-3.1-8b", "gpu": "rtx 3060", "n_gpus": 1, "method": "qlora", "sequence_length": 2048},
    {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 8, "framework": "torchtitan"},
    {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 8, "framework": "LLaMA-Factory, DeepSpeed ZeRO-3"},
    {"model": "llama-3.1-70b", "gpu": "rtx 3090", "n_gpus": 1, "method": "qlora"},
    {"model": "qwen2.5-32b", "gpu": "rtx 3090", "n_gpus": 1, "method": "qlora"},
    {"model": "llama-3.1-8b", "gpu": "rtx 4070 laptop", "n_gpus": 1, "method": "qlora"},
    {"model": "llama-3.1-8b", "gpu": "rtx 4070 laptop", "n_gpus": 1},
    {"model": "llama-2-13b", "gpu": "dgx spark", "n_gpus": 1},
    {"model": "llama-3.1-405b", "gpu": "h100", "n_gpus": 64, "framework": "nemo"},
    {"model": "deepseek-v3", "gpu": "h100", "n_gpus": 64},
    {"model": "flux.1-dev", "gpu": "rtx 4090", "n_gpus": 1, "method": "lora"},
    {"model": "flux.1-dev", "gpu": "rtx 4090", "n_gpus": 1, "method": "lora", "framework": "diffusers"},
    {"model": "flux.1-dev", "gpu": "rtx 4090", "n_gpus": 1, "framework": "kohya"},
    {"model": "qwen-image", "gpu": "rtx 4090", "n_gpus": 1, "method": "lora", "framework": "ai-toolkit"},
    {"model": "wan-2.1-14b", "gpu": "rtx 5090", "n_gpus": 1, "method": "lora", "framework": "musubi-tuner, fp8_base"},
    # No matrix of it is adapted, and a picture has a size and no length.
    {"model": "convnextv2-huge", "gpu": "rtx 4070 ti super", "n_gpus": 1000, "image_size": "1280x720x81"},
    {
        "model": "llama-3.1-8b",
        "gpu": "h100",
        "n_gpus": 8,
        "framework": "megatron",
        "tensor_parallel": 1,
        "micro_batch_size": 16,
        "activation_recompute": "none",
        "global_batch_sequences": 128,
    },
    {
        "model": "llama-3.1-70b",
        "gpu": "h100",
        "n_gpus": 64,
        "framework": "megatron",
        "tensor_parallel": 1,
        "pipeline_parallel": 1,
        "data_sharding": "zero1",
    },
)


def _ask(arguments: Mapping[str, Any]) -> TrainingTime:
    return estimate_training_time(tokens="1B", **arguments)


def _warned(answer: TrainingTime) -> bool:
    return any(warning.code == "does_not_fit" for warning in answer.warnings)


def _takes(answer: TrainingTime) -> str:
    """Return the time that an answer begins with, as its summary has it."""
    return answer.summary.partition(" takes about ")[2].partition(" (")[0]


def _remedies(arguments: Mapping[str, Any]) -> tuple[Remedy, ...]:
    return _found({**arguments, "tokens": "1B"})


def _found(arguments: Mapping[str, Any]) -> tuple[Remedy, ...]:
    return _found_once(json.dumps(arguments))


@cache
def _found_once(asked: str) -> tuple[Remedy, ...]:
    """Return what would do; several tests look at the same."""
    question = resolve(Request(**json.loads(asked))).question
    assert question is not None
    posed = setting_of(question)
    constants = committed_calibration().constants
    priced = ranked_layouts(posed, constants)
    return remedies(posed, constants, float(priced.seconds[priced.order[0]]))


def _changed(arguments: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """Return the arguments that a caller would give who does what is said."""
    changed = {**arguments}
    for name, value in change.arguments.items():
        if value is None:
            changed.pop(name, None)
        elif name == "framework" and isinstance(value, str):
            changed[name] = value.replace("…", str(arguments.get("framework", "")))
        else:
            changed[name] = value
    return changed


@given(
    model=st.sampled_from(("gpt-2-124m", "llama-3.1-8b", "qwen3-30b-a3b", "llama-3.1-70b", "llama-3.1-405b")),
    gpu=st.sampled_from(("h100", "a100", "4090", "t4", "mi300x", "tpu-v5e", "b200")),
    n_gpus=st.sampled_from([1, 2, 8, 64, 511]),
    framework=st.one_of(st.just("auto"), st.sampled_from(FRAMEWORK_CHOICES)),
    method=st.sampled_from(["full", "full", "lora", "qlora"]),
    length=st.sampled_from([None, 512, 4096, 131_072]),
)
@settings(deadline=None, max_examples=60)
def test_the_memory_and_the_warning_are_of_one_mind(  # noqa: PLR0917 - Hypothesis gives them
    model: str, gpu: str, n_gpus: int, framework: str, method: str, length: int | None
) -> None:
    run: dict[str, Any] = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "framework": framework, "method": method}
    try:
        answer = _ask(run | ({} if length is None else {"sequence_length": length}))
    except EstimatorError:
        return
    memory = answer.memory
    assert memory is not None
    assert memory.fits != _warned(answer)
    assert memory.fits != answer.summary.startswith("Does not fit: ")
    assert memory.fits == ("It fits: " in answer.summary)
    if memory.fits:
        assert memory.per_gpu_gb <= memory.capacity_gb


@pytest.mark.parametrize("arguments", TOO_LARGE, ids=json.dumps)
def test_what_is_said_to_do_does(arguments: dict[str, Any]) -> None:
    """Each change is given as arguments, through the same tool, and fits."""
    found = _remedies(arguments)
    assert found
    for remedy in found:
        answer = _ask(_changed(arguments, remedy.change))
        assert answer.memory is not None
        assert answer.memory.fits, remedy.words
        assert not _warned(answer)


@pytest.mark.parametrize("arguments", TOO_LARGE, ids=json.dumps)
def test_the_answer_opens_with_what_is_likeliest_to_suit(arguments: dict[str, Any]) -> None:
    first = _remedies(arguments)[0]
    answer = _ask({**arguments, "detail": "detailed"})
    opening = answer.summary.partition(". Training ")[0]
    assert opening.startswith("Does not fit: it takes ")
    assert f"; {first.words} would do, in about " in opening
    assert opening.endswith(_takes(_ask({**_changed(arguments, first.change), "detail": "detailed"})))
    message = next(warning.message for warning in answer.warnings if warning.code == "does_not_fit")
    assert f"the likeliest to suit first: {first.words}" in message


@pytest.mark.parametrize("arguments", TOO_LARGE, ids=json.dumps)
def test_what_costs_less_and_changes_less_comes_first(arguments: dict[str, Any]) -> None:
    found = _remedies(arguments)
    ranks = [remedy.rank for remedy in found]
    assert ranks == sorted(ranks)
    kinds = [remedy.change.kinds[0] for remedy in found]
    assert len(kinds) == len(set(kinds)) <= 4
    assert all(remedy.cost >= 1.0 for remedy in found)


@pytest.mark.parametrize("arguments", [*TOO_LARGE, {"model": "deepseek-v3", "gpu": "h100", "n_gpus": 8}])
def test_no_change_more_is_asked_beside_as_many_devices(arguments: dict[str, Any]) -> None:
    """Where a count alone does, a shorter sequence on a larger one is no remedy."""
    changes = [remedy.change.arguments for remedy in _remedies(arguments)]
    counts = [int(str(one["n_gpus"])) for one in changes if set(one) == {"n_gpus"}]
    with_more = [int(str(one["n_gpus"])) for one in changes if {"n_gpus"} < set(one) and "gpu" not in one]
    assert not counts or all(count < min(counts) for count in with_more)


def test_another_optimizer_comes_before_more_devices_and_these_before_another_training() -> None:
    """On one A100, 8B parameters in mixed precision are 130 GB; a paged 8-bit optimizer makes them fit."""
    kinds = [remedy.change.kinds[0] for remedy in _remedies(TOO_LARGE[3])]
    assert kinds[0] == "optimizer"
    assert "method" not in kinds[: kinds.index("count")]


@pytest.mark.parametrize("amount", [{"tokens": "alpaca"}, {"samples": "50k", "tokens_per_sample": "400"}])
@pytest.mark.parametrize(
    ("model", "gpu", "n_gpus"),
    [("llama-2-70b", "A100 80GB", 8), ("llama-2-13b", "h100", 1), ("mixtral-8x7b", "a100", 4), ("1.3B", "3060", 1)],
)
def test_adapters_are_offered_for_a_small_set_and_told_to_be_another_training(
    model: str, gpu: str, n_gpus: int, amount: dict[str, str]
) -> None:
    asked: dict[str, Any] = {"model": model, "gpu": gpu, "n_gpus": n_gpus, **amount}
    answer = estimate_training_time(**asked, detail="detailed")
    message = next(warning.message for warning in answer.warnings if warning.code == "does_not_fit")
    assert 'method "lora" or "qlora" (another training' in message
    adapted = estimate_training_time(**asked, method="lora").memory
    assert adapted is not None
    assert adapted.fits


@pytest.mark.parametrize("model", ["llama-2-70b", "llama-3.1-70b", "70B"])
@pytest.mark.parametrize("gpu", ["a100", "h100"])
def test_the_count_that_would_do_is_no_larger_than_the_planned_one(model: str, gpu: str) -> None:
    asked: dict[str, Any] = {"model": model, "gpu": gpu, "tokens": "alpaca"}
    planned = plan_training(solve_for="n_gpus", **asked).solution.n_gpus
    counts = [r.change.arguments.get("n_gpus") for r in _found({**asked, "n_gpus": 8})]
    assert all(count is None or count == planned for count in counts)


def test_a_device_without_a_price_is_not_ranked_among_those_that_have_one() -> None:
    """An H200 NVL has no price in the catalogue, and more memory than an A100."""
    for arguments in TOO_LARGE:
        chip = resolve(Request(tokens="1B", **arguments)).device.accelerator
        assert chip is not None
        for remedy in _remedies(arguments):
            device = remedy.change.question.cluster.accelerator.id
            known = all(usd_per_gpu_hour(each) is not None for each in (device, chip.id))
            assert remedy.priced == (device == chip.id or known)
            assert remedy.priced or "no prices to compare" in remedy.words
    devices = [r.change.arguments.get("gpu") for r in _remedies({"model": "13B", "gpu": "h100", "n_gpus": 1})]
    assert "h200-nvl" not in devices


def test_no_framework_is_said_to_stay_where_none_was_named() -> None:
    for remedy in _found({"model": "llama-2-70b", "gpu": "a100", "n_gpus": 8, "tokens": "alpaca"}):
        assert "…" not in remedy.words


def test_where_the_logits_are_what_is_too_much_the_loss_is_chunked() -> None:
    """16,384 tokens of a vocabulary of 128,256 are 27 GB of logits in an eager loss."""
    run = {"model": "llama-3.1-8b", "gpu": "a6000", "n_gpus": 1, "framework": "HF Trainer", "method": "lora"}
    first = _remedies(run | {"sequence_length": 16_384})[0]
    assert first.change.kinds == ("kernels",)
    assert "Liger" in first.words


def test_offloading_has_its_price_told() -> None:
    """Rajbhandari et al. 2021: the host updates what the device computes, over PCIe."""
    offload = next(remedy for remedy in _remedies(TOO_LARGE[0]) if "offload" in remedy.change.kinds)
    assert offload.cost > 1.1
    assert "times the cost per token" in offload.words


def test_nothing_is_offloaded_that_no_host_holds() -> None:
    """405B on eight GPUs would keep 600 GB of optimizer states for each."""
    run = {"model": "llama-3.1-405b", "gpu": "h200", "n_gpus": 8, "framework": "nemo"}
    assert all("offload" not in remedy.change.kinds for remedy in _remedies(run))


def test_a_knob_that_a_caller_fixed_is_named() -> None:
    """A micro-batch that is too large; a split too narrow for its sharding, of which either may give way."""
    first = _remedies(TOO_LARGE[-2])[0].change
    assert first.kinds == ("layout",)
    assert set(first.arguments) <= {"micro_batch_size", "activation_recompute"}
    layouts = ("data_sharding zero3", "tensor_parallel and pipeline_parallel left out")
    assert _remedies(TOO_LARGE[-1])[0].change.words in layouts


@pytest.mark.parametrize(
    ("asked", "frugal"),
    [
        ({"model": "llama-3.1-8b", "gpu": "rtx 4070 laptop", "n_gpus": 1, "method": "qlora"}, True),
        ({"model": "qwen2.5-32b", "gpu": "rtx 3090", "n_gpus": 1, "method": "qlora"}, True),
        # It leaves a second device idle, trains weights in full with no less, and has no kernels for others' chips.
        ({"model": "llama-3.1-70b", "gpu": "rtx 3090", "n_gpus": 2, "method": "lora"}, False),
        ({"model": "llama-3.1-8b", "gpu": "rx 7900 xtx", "n_gpus": 1, "method": "lora"}, False),
        ({"model": "qwen2.5-32b", "gpu": "rtx 3090", "n_gpus": 1, "method": "qlora", "framework": "unsloth"}, False),
        ({"model": "flux.1-dev", "gpu": "rtx 4090", "n_gpus": 1, "method": "lora"}, False),
    ],
    ids=json.dumps,
)
def test_the_trainer_that_needs_least_is_offered_for_adapters_where_it_runs(
    asked: dict[str, Any], *, frugal: bool
) -> None:
    """Unsloth's own documentation: adapters of 8B in 4 bits on a card of 8 GB."""
    said = [remedy.change.arguments.get("framework") for remedy in _remedies(asked)]
    assert said
    assert ("unsloth" in said) is frugal


@pytest.mark.parametrize("gpu", ["rtx 4070 laptop", "rtx 3060 laptop", "dgx spark", "m2", "jetson thor", "rtx 4070"])
@pytest.mark.parametrize("method", ["full", "qlora"])
def test_nobody_is_told_to_add_a_second_chip_to_a_laptop(gpu: str, method: str) -> None:
    asked = {"model": "32B", "gpu": gpu, "n_gpus": 1, "method": method, "tokens": "alpaca"}
    changes = [remedy.change.arguments for remedy in _found(asked)]
    assert gpu == "rtx 4070" or not any("n_gpus" in change and "gpu" not in change for change in changes)


@pytest.mark.parametrize("arguments", TOO_LARGE, ids=json.dumps)
def test_words_name_arguments_that_there_are(arguments: dict[str, Any]) -> None:
    for remedy in _remedies(arguments):
        assert set(remedy.change.arguments) <= set(Request.__dataclass_fields__)
        assert all(name in remedy.words for name in remedy.change.arguments)


def test_a_run_that_fits_says_so_last() -> None:
    summary = _ask({"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 64}).summary
    assert summary.startswith("Training ")
    assert summary.endswith(" per GPU.")
    assert "It fits: " in summary


@pytest.mark.parametrize(
    ("model", "framework", "method", "named"),
    [
        ("flux.1-dev", "diffusers", "lora", {"8-bit base", "blocks_to_swap"}),
        ("flux.1-dev", "kohya", "full", {"fused backward pass, blocks_to_swap"}),
        ("sd3.5-large", "diffusers, cached latents", "lora", {"cached text embeddings"}),
        ("qwen-image", "diffusers", "lora", {"8-bit base, blocks_to_swap"}),
    ],
)
def test_what_would_do_for_a_denoiser_is_said_in_words_of_its_trainers(
    model: str, framework: str, method: str, named: set[str]
) -> None:
    """Kept encodings, fewer bits, swapped blocks, and no kernels for language models."""
    asked = {"model": model, "gpu": "rtx 4090", "n_gpus": 1, "method": method, "framework": framework}
    found = " or ".join(remedy.words for remedy in _remedies({**asked, "image_size": "1024"}))
    assert all(words in found for words in named), found
    assert "Liger" not in found


@pytest.mark.parametrize("framework", ["huggingface", "pytorch", "trl"])
def test_what_does_not_fit_is_told_as_sharded_where_its_users_start_unsharded(framework: str) -> None:
    """70B with Adam are 16 bytes a weight: 1.13 TB on each GPU unsharded, and an eighth of that and more sharded."""
    answer = estimate_training_time(
        model="llama-3.1-70b", gpu="h100", n_gpus=8, tokens="10M", sequence_length=1024, framework=framework
    )
    assert answer.memory is not None
    assert not answer.memory.fits
    assert answer.layout is not None
    assert answer.layout.data_sharding == "zero3"
    small = estimate_training_time(model="llama-3.2-1b", gpu="h100", n_gpus=8, tokens="10M", framework=framework)
    assert small.layout is not None
    assert small.layout.data_sharding == "ddp"


UNCHECKPOINTED: dict[str, Any] = {
    "n_gpus": 1,
    "method": "lora",
    "micro_batch_size": 4,
    "sequence_length": 4096,
    "framework": "huggingface, no gradient checkpointing",
}


@pytest.mark.parametrize("gpu", ["rtx 4090", "rtx 5090", "a100 40gb"])
@pytest.mark.parametrize("model", ["qwen2.5-3b", "qwen2.5-7b", "qwen2.5-vl-7b", "llama-3.1-8b"])
def test_checkpointing_that_was_ruled_out_is_named_first_for_adapters(model: str, gpu: str) -> None:
    """Alone or beside what it needs: nothing saves as much, and no trainer keeps all activations for free."""
    first = _remedies({**UNCHECKPOINTED, "model": model, "gpu": gpu})[0]
    assert first.change.arguments["activation_recompute"] == "full"


def test_activations_that_nobody_recomputes_stay_on_the_device_of_a_trainer_that_offloads_checkpoints() -> None:
    asked = {**UNCHECKPOINTED, "model": "qwen2.5-7b", "gpu": "rtx 4090", "framework": "unsloth"}
    whole, checkpointed = (_ask({**asked, "activation_recompute": how}).memory for how in ("none", "full"))
    assert whole is not None
    assert checkpointed is not None
    assert not whole.fits
    assert checkpointed.fits


def test_a_base_in_fewer_bits_comes_before_one_that_is_fetched_from_the_host_for_each_pass() -> None:
    asked = {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 2, "method": "lora", "sequence_length": 2048}
    words = [remedy.words for remedy in _remedies({**asked, "framework": "huggingface"})]
    quantised = next(place for place, said in enumerate(words) if said.startswith('method "qlora"'))
    # No more than a few are named.
    fetched = next((place for place, said in enumerate(words) if "param offload" in said), len(words))
    assert quantised < fetched
    assert "another training" not in words[quantised]


def test_the_time_of_a_run_that_does_not_fit_is_told_as_one_that_it_would_take() -> None:
    for arguments in TOO_LARGE[:4]:
        summary = _ask(arguments).summary
        assert " would, if it fitted, take about " in summary
        assert "That would be " in summary
    assert " takes about " in _ask({"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8}).summary
