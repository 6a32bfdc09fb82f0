"""A library that shards any layers does not tell whose they are: the amount of data and what is said do.

Authority: DeepSpeed's and FSDP's own documentation, whose interface is a `torch.nn.Module`; arithmetic on answers.
"""

import math
from itertools import pairwise
from typing import Any

import pytest

from estimator.physics.choice import fastest, setting_of
from estimator.physics.constants import prior_constants
from estimator.physics.own_experts import LIBRARIES
from estimator.question.question import Question
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tests.evidence.unsaid import answer, codes
from tools.compare_training_options import compare_training_options

CLUSTER: dict[str, Any] = {"model": "mixtral-8x7b", "gpu": "h100", "n_gpus": 64, "tokens": "2T"}
_NAMES = {"deepspeed": "DeepSpeed", "fsdp": "PyTorch FSDP", "lightning": "Lightning Fabric", "pytorch": "PyTorch"}


def _question(framework: str, **said: Any) -> Question:  # noqa: ANN401 - a request's arguments
    asked: dict[str, Any] = {**CLUSTER, "framework": framework, **said}
    question = resolve(Request(**asked)).question
    assert question is not None
    return question


def _spreads(question: Question) -> bool:
    setting = setting_of(question)
    return max(float(degree) for degree in setting.layouts.knob("expert")) > 1.0


def _loops(question: Question) -> bool:
    return float(setting_of(question).case.operations_per_expert) > 0.0


def test_every_library_has_a_name_here() -> None:
    assert _NAMES.keys() == LIBRARIES


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_who_pretrains_on_a_library_has_layers_that_spread_experts(library: str) -> None:
    question = _question(_NAMES[library])
    assert _spreads(question)
    assert not _loops(question)
    assert setting_of(question).stack.tier == setting_of(_question("auto")).stack.tier


@pytest.mark.parametrize("library", sorted(LIBRARIES))
@pytest.mark.parametrize(
    "said", [{"tokens": "1B"}, {"tokens": None, "samples": 10_000, "tokens_per_sample": 600}, {"method": "lora"}]
)
def test_who_tunes_on_it_has_transformers(library: str, said: dict[str, Any]) -> None:
    question = _question(_NAMES[library], **said)
    assert not _spreads(question)
    assert _loops(question)


@pytest.mark.parametrize("tokens", ["1B", "2T"])
@pytest.mark.parametrize(
    "framework", ["{} with expert parallelism", "{}, EP=8", "{} MoE, EP8", "our own code on {}, expert parallelism 8"]
)
@pytest.mark.parametrize("library", ["DeepSpeed", "PyTorch", "PyTorch FSDP"])
def test_words_of_expert_parallelism_tell_of_ones_own(library: str, framework: str, tokens: str) -> None:
    text = framework.format(library)
    question = _question(text, tokens=tokens)
    assert _spreads(question)
    assert not _loops(question)
    told = codes(answer(**{**CLUSTER, "tokens": tokens, "framework": text}))
    assert not {"experts_one_by_one", "own_experts_assumed", "framework_not_understood"} & told


@pytest.mark.parametrize(
    "framework", ["HF Trainer + {}", "Transformers, {}", "TRL, {}", "{}, AutoModelForCausalLM.from_pretrained"]
)
@pytest.mark.parametrize("library", ["DeepSpeed", "FSDP"])
def test_words_of_transformers_tell_of_its_layers(library: str, framework: str) -> None:
    assert not _spreads(_question(framework.format(library)))
    assert "own_experts_assumed" not in codes(answer(**{**CLUSTER, "framework": framework.format(library)}))


@pytest.mark.parametrize("framework", ["DeepSpeed", "PyTorch FSDP"])
def test_a_dense_model_is_run_as_before(framework: str) -> None:
    question = _question(framework, model="llama-3.1-8b")
    assert question.practice.own_experts is None
    assert question.other_layers is None


@pytest.mark.parametrize(
    ("framework", "said"),
    [
        ("DeepSpeed ZeRO-3, expert parallelism", {}),
        ("DeepSpeed ZeRO-3, EP 8", {}),
        ("DeepSpeed", {"data_sharding": "zero3", "expert_parallel": 8}),
    ],
)
def test_of_zero_3_and_spread_experts_on_deepspeed_the_stage_gives_way(framework: str, said: dict[str, Any]) -> None:
    told = answer(**{**CLUSTER, "framework": framework, **said})
    assert told["layout"]["expert_parallel"] > 1
    assert told["layout"]["data_sharding"] != "zero3"
    assert "framework_contradicted" in codes(told)
    kept = answer(**{**CLUSTER, "framework": "DeepSpeed ZeRO-3", "expert_parallel": 1})
    assert kept["layout"]["data_sharding"] == "zero3"


def test_a_dense_model_keeps_its_stage_whatever_is_said_of_experts() -> None:
    dense = answer(**{**CLUSTER, "model": "llama-3.1-8b", "framework": "DeepSpeed ZeRO-3, expert parallelism"})
    assert dense["layout"]["data_sharding"] == "zero3"
    assert "framework_contradicted" not in codes(dense)


_COUNTS = {"qwen3-30b-a3b": (16, 32, 64, 112, 120, 128, 192), "deepseek-v3": (192, 256, 384, 512, 768, 1024)}


def _token_s(framework: str, model: str, n_gpus: int, **said: Any) -> float:  # noqa: ANN401 - a request's arguments
    best = fastest(_question(framework, model=model, n_gpus=n_gpus, **said), prior_constants())
    return math.inf if best is None else best.token_s


@pytest.mark.parametrize("model", _COUNTS)
@pytest.mark.parametrize("framework", ["own PyTorch code", "DeepSpeed", "PyTorch FSDP", "Lightning Fabric"])
def test_more_devices_are_faster_and_no_stated_sharding_beats_the_search(framework: str, model: str) -> None:
    """Experts spread wide make unsharded states fit, by an exchange that takes most of a step."""
    times = [_token_s(framework, model, n_gpus) for n_gpus in _COUNTS[model]]
    assert all(more <= 1.01 * few for few, more in pairwise(times))
    shardings = ("zero3",) if "FSDP" in framework else ("ddp", "zero1", "zero2", "zero3")
    for n_gpus, found in zip(_COUNTS[model], times, strict=True):
        stated = [_token_s(framework, model, n_gpus, data_sharding=sharding) for sharding in shardings]
        assert found <= 1.001 * min(stated)


@pytest.mark.parametrize(("model", "n_gpus"), [("mixtral-8x7b", 128), ("qwen3-30b-a3b", 128), ("qwen3-235b-a22b", 512)])
def test_ones_own_layers_take_as_long_whatever_they_are_written_on(model: str, n_gpus: int) -> None:
    asked = {"model": model, "gpu": "h100", "n_gpus": n_gpus, "tokens": "1T"}
    own = answer(**asked, framework="in-house")["training_days"]
    for framework in ("own PyTorch code", "DeepSpeed", "PyTorch FSDP", "Lightning Fabric"):
        told = answer(**asked, framework=framework)
        assert 0.9 * own < told["training_days"] < 1.15 * own
        assert "own_stack" in codes(told)


def test_deepspeed_spreads_no_experts_under_zero_3() -> None:
    """deepspeed/runtime/engine.py: "MoE not supported with Stage 3"."""
    assert not _spreads(_question("DeepSpeed ZeRO-3"))
    assert all(_spreads(_question(f"DeepSpeed ZeRO-{stage}")) for stage in (1, 2))
    assert _spreads(_question("FSDP full shard"))


@pytest.mark.parametrize("framework", ["DeepSpeed", "PyTorch FSDP"])
@pytest.mark.parametrize("model", ["qwen3-30b-a3b", "olmoe-1b-7b", "gpt-oss-20b"])
def test_between_tuning_and_pretraining_the_range_holds_both(framework: str, model: str) -> None:
    asked = {**CLUSTER, "model": model, "framework": framework}
    for tokens in ("20B", "40B", "70B", "150B"):
        unsaid = answer(**{**asked, "tokens": tokens})
        own = answer(**{**asked, "tokens": tokens, "framework": f"{framework}, expert parallelism"})
        assert unsaid["training_days_low"] <= 1.001 * own["training_days"]
        assert own["training_days"] <= 1.001 * unsaid["training_days_high"]


@pytest.mark.parametrize("library", sorted(LIBRARIES))
def test_who_pretrains_is_answered_as_if_layers_of_their_own_were_said(library: str) -> None:
    asked = {**CLUSTER, "model": "qwen3-30b-a3b"}
    unsaid, said = (answer(**asked, framework=_NAMES[library] + told) for told in ("", ", expert parallelism"))
    assert unsaid["training_days"] == pytest.approx(said["training_days"], rel=1e-6)


@pytest.mark.parametrize("tokens", ["20B", "50B", "60B", "200B"])
def test_the_step_that_is_printed_takes_the_time_that_is_told(tokens: str) -> None:
    """A step of the printed batch and length, at the told speed; at 55B the other layers are printed."""
    told = answer(model="qwen3-30b-a3b", gpu="h100", n_gpus=64, tokens=tokens, framework="pytorch", detail="detailed")
    assumed = {one["name"]: one["value"] for one in told["assumptions"]}
    step_tokens = told["layout"]["global_batch_sequences"] * assumed["sequence_length"]
    assert step_tokens / (64 * told["tokens_per_second_per_gpu"]) == pytest.approx(told["step_seconds"], rel=0.01)
    assert (told["layout"]["expert_parallel"] > 1) == (tokens in {"60B", "200B"})


def test_rows_of_a_comparison_are_of_their_own_amount() -> None:
    asked: dict[str, Any] = {"models": ["qwen3-30b-a3b"], "gpus": ["h100"], "n_gpus": [64], "framework": "pytorch"}
    amounts: list[str | int | float] = [20_000_000_000, 40_000_000_000, 1_000_000_000_000]
    together = compare_training_options(**asked, tokens=amounts).rows
    alone = [compare_training_options(**asked, tokens=[amount]).rows[0] for amount in amounts]
    assert len(together) == len(amounts)
    assert {row.tokens: row.training_days for row in together} == {row.tokens: row.training_days for row in alone}


def test_the_words_fit_what_is_asked() -> None:
    told = answer(**{**CLUSTER, "model": "qwen3-30b-a3b", "framework": "DeepSpeed"}, detail="detailed")
    (message,) = (w["message"] for w in told["warnings"] if w["code"] == "own_experts_assumed")
    assert "Transformers 4" not in message
    assert 'say "expert parallelism" or "Transformers" in framework' in message
