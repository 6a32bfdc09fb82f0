"""Each option is what an estimate of it alone would be, and what differs beside what is compared is told.

Authority: the estimate of the same arguments; the same comparison with it said.
"""

import re
from typing import Any

import pytest

from estimator.answers.compare.compare import Outcome, outcomes
from estimator.answers.compare.names import short_names
from estimator.answers.compare.rank import ranked
from estimator.answers.compare.wording import comparison_summary
from estimator.question.request import Request
from tools.compare_training_options import TrainingOptions, compare_training_options
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import plan_training


def _compared(asked: dict[str, Any], **others: Any) -> TrainingOptions:  # noqa: ANN401 - arguments of any type
    return compare_training_options(detail="detailed", **(asked | others))


def _precision(name: str) -> Any:  # noqa: ANN401 - one of the tool's choices
    return name


@pytest.mark.parametrize(
    ("asked", "stacks"),
    [
        # LoRA is trained with PEFT, and weights in full with what the chip's maker publishes with.
        ({"gpus": ["h100"], "methods": ["full", "lora"]}, {"nemo", "huggingface"}),
        ({"gpus": ["h100", "mi300x"], "methods": ["full", "qlora"]}, {"nemo", "primus", "huggingface"}),
        # Cards for desktops have no stack of their maker's.
        ({"gpus": ["h100", "4090"], "models": ["llama-3.2-1b"]}, {"nemo", "huggingface"}),
        ({"gpus": ["h100", "mi300x"]}, {"nemo", "primus"}),
        ({"gpus": ["h100", "tpu-v5p"]}, {"nemo", "maxtext"}),
        ({"gpus": ["h100"], "n_gpus": [8, 64]}, {"nemo"}),
        ({"gpus": ["h100"], "methods": ["full", "lora"], "framework": "torchtitan"}, {"torchtitan"}),
        ({"gpus": ["h100"], "methods": ["full", "lora"], "framework": "flash attention 2"}, {"nemo", "huggingface"}),
    ],
)
def test_options_are_on_their_usual_stacks_and_that_they_differ_is_said(
    asked: dict[str, Any], stacks: set[str]
) -> None:
    """Else a method or a device is told to be faster by what its software is."""
    answer = _compared({"models": ["llama-3.1-8b"], "n_gpus": [8], "tokens": ["1B"]} | asked)
    assert {row.framework for row in answer.rows if row.rank is not None} == stacks
    codes = [warning.code for warning in answer.warnings]
    assert ("several_frameworks_assumed" in codes) is (len(stacks) > 1)
    assert ("usual software" in answer.summary) is (len(stacks) > 1)


@pytest.mark.parametrize(
    ("model", "beside"),
    [
        ("llama-3.1-8b", {"methods": ["full", "lora"]}),
        ("llama-3.1-8b", {"gpus": ["h100", "b200", "4090"]}),
        ("qwen3-30b-a3b", {"gpus": ["h100", "tpu-v5p"], "methods": ["full", "lora"]}),
        ("deepseek-v3", {"gpus": ["h100", "h800", "b200"], "n_gpus": [512, 2048], "tokens": ["100B", "14.8T"]}),
    ],
)
def test_a_row_is_the_same_whatever_is_compared_beside_it(model: str, beside: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"models": [model], "gpus": ["h100"], "n_gpus": [64], "tokens": ["10B"]} | beside
    for row in _compared(asked).rows:
        if row.rank is None:
            continue
        alone = estimate_training_time(
            model=model, gpu=row.gpu, n_gpus=row.n_gpus, tokens=row.tokens, method=_precision(row.method)
        )
        assert (row.training_days, row.training_days_low) == pytest.approx(
            (alone.training_days, alone.training_days_low), rel=1e-3
        )


def test_each_warning_comes_once_and_names_the_options_that_it_is_of() -> None:
    asked: dict[str, Any] = {"models": ["qwen3-30b-a3b"], "gpus": ["H100", "TPU v5p"], "n_gpus": [64, 128]}
    answer = _compared(asked, tokens=["10B"], methods=["full", "lora"])
    # Of one code there are as many as there are things to say: options may differ in what is recomputed.
    said = [(warning.code, warning.message.partition(": ")[2]) for warning in answer.warnings]
    assert len(set(said)) == len(said)
    assert not any("options:" in warning.message for warning in answer.warnings)
    (experts,) = (warning for warning in answer.warnings if warning.code == "experts_one_by_one")
    assert experts.message.startswith("lora")
    assert "H100" in experts.message.partition(": ")[0]
    assert "TPU" not in experts.message.partition(": ")[0]


@pytest.mark.parametrize("asked", [{"n_gpus": [8]}, {"n_gpus": [4, 8, 16]}, {"n_gpus": [8], "rank_by": "cost"}])
def test_options_are_in_16_bits_where_nobody_said_and_what_fewer_would_do_is_told(asked: dict[str, Any]) -> None:
    """Speeds of 8B on eight B200 are published in fp8; like for like is what a buyer asks about."""
    run: dict[str, Any] = {"models": ["llama-3.1-8b"], "gpus": ["h100", "b200"], "tokens": ["1B"]} | asked
    open_, said = (_compared(run, precisions=precisions) for precisions in (["auto"], ["bf16"]))
    assert {row.precision for row in open_.rows} == {"bf16"}
    assert [row.training_days for row in open_.rows] == pytest.approx([row.training_days for row in said.rows])
    assert any("in fp8" in warning.message for warning in open_.warnings if warning.code == "precision_unsaid")
    assert not any(warning.code == "precision_unsaid" for warning in said.warnings)


def test_a_training_that_was_in_8_bits_is_said_to_differ_from_what_was_not() -> None:
    asked: dict[str, Any] = {"models": ["deepseek-v3"], "gpus": ["h800", "b200"], "n_gpus": [2048], "tokens": ["14.8T"]}
    answer = _compared(asked)
    first = answer.warnings[0]
    assert first.code == "several_precisions_assumed"
    assert "fp8 for H800" in first.message
    assert "bf16 for B200" in first.message


def test_devices_are_planned_as_they_are_estimated() -> None:
    run: dict[str, Any] = {"model": "llama-3.1-8b", "n_gpus": 8, "tokens": "1B"}
    planned = plan_training(solve_for="gpu", detail="detailed", gpu="h100,b200", **run)
    alone = estimate_training_time(gpu=planned.solution.gpu, detail="detailed", **run)
    assert planned.solution.training_days == pytest.approx(alone.training_days, rel=1e-3)
    assert {warning.code for warning in planned.warnings} <= {warning.code for warning in alone.warnings}


def _outcomes(*asked: dict[str, Any]) -> list[Outcome]:
    facts: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 32, "tokens": "1B"}
    return list(outcomes([Request(**facts | each) for each in asked]))


def test_options_that_differ_in_their_tokens_alone_are_told_apart_by_them() -> None:
    assert short_names(_outcomes({"tokens": "10T"}, {"tokens": "15T"})) == ["on 10T tokens", "on 15T tokens"]


DIFFERING: dict[str, tuple[object, object]] = {
    "model": ("llama-3.1-8b", "meta-llama/Llama-3.1-8B"),
    "gpu": ("h100", "H100 SXM"),
    "n_gpus": (32, 64),
    "tokens": ("1B", "2B"),
    "precision": ("auto", "bf16"),
    "method": ("full", "lora"),
    "price_per_gpu_hour": (2.0, 3.0),
    "network_gbps_per_gpu": (50.0, 100.0),
    "framework": ("megatron", "nemo"),
    "sequence_length": (2048, 4096),
}


@pytest.mark.parametrize("argument", DIFFERING)
def test_no_two_options_have_one_name_whichever_argument_they_differ_in(argument: str) -> None:
    first, second = _outcomes(*({argument: value} for value in DIFFERING[argument]))
    names = short_names([first, second])
    assert names[0] != names[1]
    summary = comparison_summary(ranked([first, second], "time"), "time")
    told = re.findall(r"(?:Fastest|Next|Cheapest): (.+?), [\d.]+ (?:minutes|hours|days)", summary)
    assert len(set(told)) == len(told) == 2


def test_options_that_differ_in_their_network_alone_are_named_by_it() -> None:
    """Their times differ by it, and a warning would name them all alike."""
    networks = ("InfiniBand HDR", "100 Gb/s Ethernet")
    answer = _compared(
        {"models": ["llama-3.1-8b"], "gpus": [f"A100 80GB, {network}" for network in networks], "n_gpus": [32]},
        tokens=["1B"],
    )
    assert {row.gpu for row in answer.rows} == {f"a100-sxm-80gb, {network}" for network in networks}
    assert all(network in answer.summary for network in networks)
