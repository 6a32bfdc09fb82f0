"""Degrees of parallelism are read in the words that people write them in, and are the layout's.

Authority: options of Megatron-LM, DeepSpeed and torchtitan, and how papers abbreviate them.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
from estimator.question.request import Request
from estimator.resolve.framework.named import named_framework
from estimator.resolve.run import Run, resolve

_SHORT = {"tp": "tensor", "pp": "pipeline", "cp": "context", "ep": "expert", "dp": "data"}
SAID = {
    "Megatron TP 4, PP 4": "tp4 pp4",
    "Megatron, TP=4, PP=4, CP 2, DP 8": "tp4 pp4 cp2 dp8",
    "TP4 PP4": "tp4 pp4",
    "TP8PP4EP64": "tp8 pp4 ep64",
    "TP8-PP4-DP16": "tp8 pp4 dp16",
    "NeMo TP8/PP4/CP2": "tp8 pp4 cp2",
    "Megatron (TP: 8, PP: 2)": "tp8 pp2",
    "EP8": "ep8",
    "EP=8": "ep8",
    "expert parallelism 8": "ep8",
    "expert parallelism (EP=8)": "ep8",
    "64-way expert parallelism": "ep64",
    "tensor parallelism of 4 and pipeline parallelism of 8": "tp4 pp8",
    "--tensor-model-parallel-size 8 --pipeline-model-parallel-size 4": "tp8 pp4",
    "pipeline 16": "pp16",
    "16-way pipeline": "pp16",
    "2-stage pipeline parallelism, 4-way TP": "pp2 tp4",
    "data parallelism 128": "dp128",
    "no tensor parallelism, EP 64": "tp1 ep64",
    "without expert parallelism": "ep1",
    "Megatron-LM, t=8, p=4, d=16": "tp8 pp4 dp16",
    "Megatron, t = 8 and p = 4": "tp8 pp4",
    "Megatron-LM mp 8 pp 4": "tp8 pp4",
    "MP8 PP4": "tp8 pp4",
    "--model-parallel-size 8": "tp8",
    "8-way model parallelism": "tp8",
    "Megatron-LM, 4 pipeline stages": "pp4",
    "Megatron, pipeline of 4 stages": "pp4",
    "Megatron-LM (8,4,16) (TP, PP, DP)": "tp8 pp4 dp16",
    "(TP, PP, DP) = (8, 4, 16)": "tp8 pp4 dp16",
    "8x4x16 (TP x PP x DP)": "tp8 pp4 dp16",
    "TP/PP 8/4": "tp8 pp4",
}


@pytest.mark.parametrize("text", SAID)
def test_degrees_are_read(text: str) -> None:
    named = named_framework(text)
    told = {f"{_SHORT[part[:2]]}_parallel": int(part[2:]) for part in SAID[text].split()}
    assert dict(named.degrees) == told
    assert not named.not_understood
    assert named.practice.spreads_experts is (True if told.get("expert_parallel", 1) > 1 else None)


@pytest.mark.parametrize(
    "text",
    [
        "3 epochs",
        "3 ep",
        "context parallel 8k",
        "pipeline",
        "8 experts per GPU",
        "step 16",
        "t=8",
        "model 8",
        "p=0.9, t=1",
    ],
)
def test_other_numbers_are_no_degrees(text: str) -> None:
    assert named_framework(text).degrees == ()


def test_three_numbers_without_names_are_neither_degrees_nor_machines() -> None:
    """Which of them is which is not said; the reader is told where they belong."""
    run = _run("Megatron-LM 3D parallelism 4x4x16")
    assert not _contradictions(run)
    (message,) = (warning.message for warning in run.warnings if warning.code == "framework_not_understood")
    assert "4x4x16" in message
    assert "tensor_parallel and pipeline_parallel" in message


@pytest.mark.parametrize(
    "text", ["expert parallelism", "DeepSpeed-MoE, expert parallelism", "FSDP with expert parallelism", "tutel"]
)
def test_experts_are_spread_without_a_degree(text: str) -> None:
    named = named_framework(text)
    assert named.practice.spreads_experts is True
    assert not named.not_understood


def _run(framework: str, **said: Any) -> Run:  # noqa: ANN401 - a request's arguments
    asked: dict[str, Any] = {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 512, "tokens": "1T"}
    asked |= {"framework": framework, **said}
    return resolve(Request(**asked))


def _contradictions(run: Run) -> list[str]:
    return [warning.message for warning in run.warnings if warning.code == "framework_contradicted"]


@pytest.mark.parametrize(
    ("framework", "said", "expected"),
    [
        ("Megatron TP 4, PP 4", {}, (4, 4)),
        ("Megatron TP 4, PP 4", {"tensor_parallel": 4}, (4, 4)),
        ("Megatron TP 8, DP 16", {}, (8, 4)),
        ("Megatron, PP 8, DP 64", {}, (1, 8)),
        ("Megatron, DP 512", {}, (1, 1)),
    ],
)
def test_degrees_are_the_layouts(framework: str, said: dict[str, int], expected: tuple[int, int]) -> None:
    run = _run(framework, **said)
    assert run.question is not None
    layout = run.question.layout
    assert (layout.tensor_parallel, layout.pipeline_parallel) == expected
    assert not _contradictions(run)


@pytest.mark.parametrize(
    ("framework", "said", "says"),
    [
        ("Megatron TP 4, PP 4", {"tensor_parallel": 8}, "tensor_parallel 4, but the argument's 8 is taken"),
        ("Megatron TP 4, PP 4, DP 8", {}, "data_parallel 8, but the 512 GPUs make 32 replicas"),
        ("Megatron DP 8", {}, "tensor_parallel and pipeline_parallel share the other 64"),
        ("Megatron EP 8", {}, "expert_parallel 8, but Llama 3.1 70B has no experts"),
    ],
)
def test_what_does_not_agree_is_said(framework: str, said: dict[str, int], says: str) -> None:
    (message,) = _contradictions(_run(framework, **said))
    assert says in message


def test_a_degree_that_does_not_divide_is_refused_with_those_that_do() -> None:
    with pytest.raises(InvalidValueError, match="4 or 8 would do"):
        _run("Megatron, TP 6")
