"""Speeds that no machine has are refused by the name they were told under.

Authority: the public contract: NaN and infinities never go in or out, and an error names the argument and the value.
"""

from typing import Any

import pytest

from estimator.answers.check.expected import attention_flop_per_token
from estimator.base.errors import EstimatorError
from estimator.models.flops import flop_counts
from estimator.question.request import Request
from estimator.resolve.run import resolve
from server.protocol.registry import TOOLS

RUN: dict[str, Any] = {"model": "7B", "gpu": "h100", "n_gpus": 8}
EXTREMES = (0, -1, 5e-324, 1e-300, 1e-12, 1e300, 1.7e308)


def _answer(tool: str, **arguments: object) -> dict[str, Any]:
    asked = TOOLS.tool(tool)
    assert asked is not None
    return asked.answer(arguments).structured


@pytest.mark.parametrize("value", EXTREMES)
@pytest.mark.parametrize(
    ("argument", "beside"),
    [
        ("observed_tokens_per_second", {}),
        ("observed_step_seconds", {"global_batch_sequences": 8}),
        ("observed_hours", {"tokens_done": "1B"}),
        ("observed_gpu_hours", {"tokens_done": "1B"}),
        ("observed_mfu", {}),
        ("observed_tflops_per_gpu", {}),
    ],
)
def test_an_observation_that_no_run_has_is_refused_by_its_name(
    argument: str, beside: dict[str, object], value: float
) -> None:
    with pytest.raises(EstimatorError, match=f"^{argument}: "):
        _answer("check_training_speed", **RUN, **beside, **{argument: value})


@pytest.mark.parametrize("value", EXTREMES)
@pytest.mark.parametrize(
    "argument",
    [
        "tokens", "epochs", "utilization", "peak_tflops", "observed_tokens_per_second", "price_per_gpu_hour",
        "network_gbps_per_gpu", "n_gpus", "sequence_length", "global_batch_sequences", "gpus_per_node",
    ],
)  # fmt: skip
def test_a_number_that_no_run_has_is_refused_by_its_name(argument: str, value: float) -> None:
    with pytest.raises(EstimatorError, match=f"^{argument}: "):
        _answer("estimate_training_time", **{**RUN, "tokens": "1B", argument: value})


@pytest.mark.parametrize("batch", ["1e30", "99999999999"])
def test_a_batch_that_no_run_has_is_not_believed_of_a_log(batch: str) -> None:
    line = f" iteration {{}}/ 5000 | elapsed time per iteration (ms): 812.5 | global batch size: {batch} |"
    log = "\n".join(line.format(number) for number in range(9))
    answer = _answer("check_training_speed", **RUN, observed_log=log)
    assert "batch_assumed" in {warning["code"] for warning in answer["warnings"]}


@pytest.mark.parametrize(
    ("argument", "value"),
    [("models", "1"), ("precisions", "nvfp4"), ("prices_per_gpu_hour", "x"), ("n_gpus", -8), ("tokens", "lots")],
)
def test_a_comparison_names_its_own_arguments(argument: str, value: object) -> None:
    asked = {"models": ["7B"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["1T"]}
    with pytest.raises(EstimatorError, match=f"^{argument}: "):
        _answer("compare_training_options", **(asked | {argument: [value]}))


@pytest.mark.parametrize("method", ["full", "lora", "frozen"])
@pytest.mark.parametrize("model", ["llama-3.1-8b", "smolvlm-500m", "gemma-3-4b"])
def test_attention_is_a_part_of_the_flops_whatever_is_trained(model: str, method: str) -> None:
    """Where gradients do not pass, attention runs forward alone: else more than all would be attention."""
    asked = Request(
        model=model, gpu="rtx-4090", n_gpus=2, tokens="1B", method=method, sequence_length=131_072, objective="dpo"
    )
    question = resolve(asked).question
    assert question is not None
    counts = flop_counts(question.transformer, sequence_length=131_072, method=question.method)
    assert 0 < attention_flop_per_token(question) < counts.model
