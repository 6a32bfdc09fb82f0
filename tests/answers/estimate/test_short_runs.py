"""Runs of less than a step or of a handful: no absurd numbers, and the question whether they were meant.

Authority: the definitions in the program's contract; a step is the least that a run takes.
"""

import re
from typing import Any

import pytest

from estimator.answers.estimate.overhead import START_UP_S
from estimator.base.units import DAY_S
from server.protocol.registry import TOOLS

RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 8}


def _answer(**changes: object) -> dict[str, Any]:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    return tool.answer({"detail": "detailed"} | RUN | changes).structured


def _warning(answer: dict[str, Any], code: str) -> str:
    (message,) = [warning["message"] for warning in answer["warnings"] if warning["code"] == code]
    return str(message)


@pytest.mark.parametrize("tokens", [1, 15, 70, 999])
def test_a_bare_number_of_tokens_asks_whether_trillions_or_billions_were_meant(tokens: int) -> None:
    message = _warning(_answer(tokens=tokens), "shorter_than_one_step")
    assert f"{tokens}T" in message
    assert f"{tokens}B" in message


@pytest.mark.parametrize("basis", [{"utilization": 0.4}, {"observed_tokens_per_second": 1e5}])
def test_it_is_asked_whatever_the_speed_comes_from(basis: dict[str, Any]) -> None:
    assert "15T" in _warning(_answer(tokens=15, **basis), "shorter_than_one_step")


@pytest.mark.parametrize("amount", [{"tokens": 15}, {"tokens": "2k"}, {"samples": 20, "tokens_per_sample": 300}])
def test_less_than_a_step_takes_a_step_and_the_start_up(amount: dict[str, Any]) -> None:
    answer = _answer(**amount)
    least = answer["step_seconds"] + START_UP_S.mode
    assert answer["training_seconds"] == pytest.approx(least)
    assert answer["training_days_low"] * DAY_S > START_UP_S.low
    assert answer["training_days_low"] < answer["training_days"] < answer["training_days_high"]
    assert answer["gpu_hours"] == pytest.approx(8 * least / 3600)
    assert _warning(answer, "shorter_than_one_step")


def test_a_run_never_takes_less_time_for_more_tokens() -> None:
    runs = [_answer(tokens=10.0**exponent) for exponent in range(1, 14)]
    for end in ("training_days", "training_days_low", "training_days_high"):
        times = [run[end] for run in runs]
        assert times == sorted(times)


def test_the_batch_that_would_make_sense_does() -> None:
    """Stated as advised, the warning goes."""
    said: dict[str, Any] = {"samples": 1000, "tokens_per_sample": 300, "method": "lora", "framework": "trl"}
    message = _warning(_answer(**said), "few_steps")
    batch = int(message.partition("global_batch_sequences ")[2].partition(" ")[0].replace(",", ""))
    advised = _answer(**said, global_batch_sequences=batch, micro_batch_size=1)
    assert not {warning["code"] for warning in advised["warnings"]} & {"few_steps", "shorter_than_one_step"}


@pytest.mark.parametrize(
    "amount", [{"tokens": "15T"}, {"tokens": "1B"}, {"samples": "50k", "tokens_per_sample": 400, "epochs": 3}]
)
def test_ordinary_amounts_are_not_asked_about(amount: dict[str, Any]) -> None:
    codes = {warning["code"] for warning in _answer(**amount)["warnings"]}
    assert not codes & {"few_steps", "shorter_than_one_step"}


@pytest.mark.parametrize(
    "amount", [{"tokens": 1}, {"samples": 1, "tokens_per_sample": 400}, {"samples": 40, "tokens_per_sample": 400}]
)
def test_one_of_anything_is_told_in_the_singular(amount: dict[str, Any]) -> None:
    answer = _answer(**amount)
    for text in (answer["summary"], *(warning["message"] for warning in answer["warnings"])):
        assert not re.search(r"\b1 (tokens|sequences|samples|GPUs|steps|providers)\b|1 GPU or fewer", text), text
