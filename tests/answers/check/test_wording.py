"""How a check is put: so many times what was expected, what is impossible by its arithmetic, no words of the rule.

Authority: datasheets for peaks; the program's contract for names.
"""

from typing import Any

import pytest

from server.protocol.tool import Tool
from tools.check_training_speed import check_training_speed

TOOL = Tool(check_training_speed, title="Check training speed")
RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 64}


def _answer(**changes: object) -> dict[str, Any]:
    return TOOL.answer(RUN | changes).structured


def _expected() -> float:
    return float(_answer(observed_tokens_per_second=1e5)["expected"])


@pytest.mark.parametrize("share", [3.0, 0.5, 0.003])
def test_a_speed_is_told_as_so_many_times_what_was_expected(share: float) -> None:
    expected = _expected()
    answer = _answer(observed_tokens_per_second=share * expected)
    told = f"{share:.2f} times the " if share > 0.1 else f"{share:.2g} times the "
    if answer["verdict"] == "implausible":
        assert "is impossible" in answer["summary"]
    else:
        assert told in answer["summary"]
        assert f"{share:.2f} of the" not in answer["summary"]


BEYOND: list[tuple[dict[str, Any], str]] = [
    ({"observed_tokens_per_second": 5e6}, "multiplied by their number once more"),
    ({"observed_tokens_per_second": 1e5, "n_gpus": 1}, "several GPUs held against one"),
    ({"observed_tokens_per_second": 1e5, "n_gpus": 1}, "padding counted as tokens"),
    ({"observed_step_seconds": 0.1, "global_batch_sequences": 512, "sequence_length": 8192}, "one micro-batch timed"),
    ({"observed_tflops_per_gpu": 1800}, "2:4 sparsity"),
    ({"observed_hours": 1, "tokens": "100B"}, "GPU-hours divided by more GPUs"),
]


@pytest.mark.parametrize(("seen", "meaning"), BEYOND, ids=str)
def test_more_than_the_peak_is_called_impossible_with_its_arithmetic_and_what_it_may_mean(
    seen: dict[str, Any], meaning: str
) -> None:
    """989.4 dense TFLOPS of an H100 SXM; tokens a second of one GPU times the FLOPs that each takes."""
    answer = _answer(framework="torchtitan", **seen)
    assert answer["verdict"] == "implausible"
    assert answer["model_flops_utilization"] > 1.0
    summary = answer["summary"]
    for part in ("is impossible", "tokens/s per GPU × 51.5B FLOPs each", "% of the dense peak of 989.4", meaning):
        assert part in summary


def test_padding_is_not_what_an_impossible_speed_of_packed_samples_counts() -> None:
    run = {"method": "lora", "framework": "trl", "n_gpus": 8, "observed_tokens_per_second": 1e6}
    assert "padding counted" in _answer(**run)["summary"]
    assert "padding counted" not in _answer(**run, packing="packed")["summary"]


def test_recomputation_of_the_rule_of_thumb_is_not_told_beside_a_layout_of_another() -> None:
    """The layout says what is recomputed; the rule is shown only where it stands in for a prediction."""
    told = _answer(observed_tokens_per_second=1e5, framework="trl", n_gpus=8, method="lora", detail="detailed")
    assert told["layout"]["activation_recompute"] == "full"
    names = {assumption["name"] for assumption in told["assumptions"]}
    assert not names & {"activation_recompute", "rule_of_thumb_recompute"}
    by_rule = _answer(observed_mfu=0.1, gpu="mystery", peak_tflops=500, detail="detailed")
    assert "rule_of_thumb_recompute" in {assumption["name"] for assumption in by_rule["assumptions"]}
