"""A verdict that a doubt alone makes names it.

Authority: the same question once what is doubted is said.
"""

from dataclasses import replace
from typing import Any

import pytest

from estimator.answers.check.check import SpeedCheck, speed_check
from estimator.answers.check.observation import Observed
from estimator.question.request import Request
from server.protocol.tool import Tool
from tools.check_training_speed import check_training_speed

TOOL = Tool(check_training_speed, title="Check training speed")
SCRIPT = Request(model="gpt2", gpu="a100", n_gpus=8, framework="own PyTorch script")
KERAS = Request(
    model="bert-base",
    gpu="t4",
    n_gpus=1,
    framework="keras",
    samples=100_000,
    tokens_per_sample=128,
    global_batch_sequences=32,
)
FSDP = Request(model="7B", gpu="h100", n_gpus=64, framework="fsdp")
CLIPS = Request(model="videomae-base", gpu="a100", n_gpus=8, framework="videomae", global_batch_sequences=256)
ROWS: dict[str, tuple[Request, float, str, dict[str, Any]]] = {
    "padding, slower": (SCRIPT, 0.5, "packing", {"packing": "packed"}),
    "sharded, slower": (FSDP, 0.3, "packing", {"packing": "packed"}),
    "32 bits, faster": (KERAS, 2.7, "precision", {"precision": "fp32"}),
    "32 bits, slower": (KERAS, 0.4, "precision", {"precision": "fp16"}),
    "clips, faster": (CLIPS, 5.4, "framework", {"framework": "videomae, 2 dataloader workers"}),
}
"""A question, its speed over the one expected, what that hangs on, and what said makes it another verdict."""


def _at(asked: Request, times: float) -> SpeedCheck:
    """Return the check of `times` the speed that is expected of `asked`."""
    usual = speed_check(asked, Observed(tokens_per_second=1e4)).expected.tokens_per_second
    return speed_check(asked, Observed(tokens_per_second=times * usual))


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_alone_makes_a_verdict_is_named(row: tuple[Request, float, str, dict[str, Any]]) -> None:
    asked, times, argument, said = row
    seen = _at(asked, times)
    assert (seen.as_assumed, seen.verdict) == ("normal", "normal")
    assert argument in seen.depends_on
    once_said = speed_check(replace(asked, **said), Observed(tokens_per_second=seen.seen.tokens_per_second))
    assert once_said.verdict != "normal"


@pytest.mark.parametrize("asked", [SCRIPT, KERAS, FSDP, CLIPS], ids=lambda asked: asked.model)
def test_the_speed_that_is_expected_hangs_on_nothing(asked: Request) -> None:
    assert (_at(asked, 1.0).verdict, _at(asked, 1.0).depends_on) == ("normal", ())


@pytest.mark.parametrize("asked", [SCRIPT, KERAS, FSDP, CLIPS], ids=lambda asked: asked.model)
@pytest.mark.parametrize("times", [0.25, 0.5, 0.8, 1.3, 2.0, 4.0])
def test_a_speed_that_hangs_on_nothing_is_no_further_off_than_runs_alike_are(asked: Request, times: float) -> None:
    """Where nothing is named, the range without any doubt holds a normal speed."""
    seen = _at(asked, times)
    if seen.verdict == "normal" and not seen.depends_on and seen.expected.settled:
        narrow = seen.expected.settled[-1]
        assert narrow.low <= seen.ratio <= narrow.high
    # And what is slow or fast is so whatever is said.
    assert seen.as_assumed == "normal" or not set(seen.depends_on) & {"packing", "precision", "framework"}


@pytest.mark.parametrize("gpu", ["b200", "gb200", "mi355x", "trainium2"])
@pytest.mark.parametrize("times", [0.5, 0.65, 0.8])
def test_no_verdict_hangs_on_the_speed_that_was_observed(gpu: str, times: float) -> None:
    """Though the range of devices with their vendor's runs alone holds what others may reach."""
    asked = Request(model="llama-3.1-8b", gpu=gpu, n_gpus=8, sequence_length=8192)
    assert "observed_tokens_per_second" not in _at(asked, times).depends_on


def test_the_summary_names_it_and_the_range_without() -> None:
    asked = {"model": "gpt2", "gpu": "a100", "n_gpus": 8, "framework": "own PyTorch script"}
    answer = TOOL.answer(asked | {"observed_tokens_per_second": 437_000}).structured
    assert (answer["verdict"], answer["verdict_depends_on"], answer["likely_causes"]) == ("normal", "packing", [])
    assert answer["summary"].startswith("Cannot be judged without packing")
