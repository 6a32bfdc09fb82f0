"""What people measured or asked in public threads, as questions that the tools can be asked.

Authority: the threads named in the rows of data/threads.json.
"""

import copy
import inspect
import json
from collections.abc import Mapping
from typing import Any

import pytest

from estimator.catalogue import catalogue
from estimator.catalogue.asked_faults import thread_faults
from estimator.catalogue.threads import THREAD_UNITS
from tests.places import ROOT
from tools.check_training_speed import check_training_speed
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import plan_training

FILE = ROOT / "estimator" / "catalogue" / "data" / "threads.json"
THREADS = catalogue.threads()
TOOLS: Mapping[str, frozenset[str]] = {
    tool.__name__: frozenset(inspect.signature(tool).parameters)
    for tool in (estimate_training_time, check_training_speed, plan_training)
}


def _file() -> Any:  # noqa: ANN401 - a test breaks it on purpose
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_there_are_enough_threads_of_enough_kinds_to_judge_a_prediction_by() -> None:
    assert len(THREADS) >= 65
    assert len({one.kind for one in THREADS}) >= 15
    assert sum(one.scored for one in THREADS) >= 35
    assert {one.measured.unit for one in THREADS} == set(THREAD_UNITS)


def test_a_question_is_asked_with_arguments_that_its_tool_has() -> None:
    for one in THREADS:
        assert set(one.arguments) <= TOOLS[one.tool], one.id
        assert set(one.over or {}) <= TOOLS[one.tool], one.id


def test_a_scored_question_is_of_a_device_that_is_catalogued() -> None:
    """A stand-in is another machine than the one that was measured."""
    for one in THREADS:
        if one.scored:
            assert not catalogue.accelerator(one.arguments["gpu"]).value.id.startswith("gtx"), one.id


def test_what_is_not_scored_says_why() -> None:
    for one in THREADS:
        assert one.scored != bool(one.unscored_because), one.id


@pytest.mark.parametrize(
    ("thread_id", "value", "unit"),
    [
        # 67 h of QLoRA on a free T4; 7,500 tokens/s/GPU in the README of fms-fsdp; 90 s a step over 10 Gb/s Ethernet.
        ("trl-572", 67, "h"),
        ("fms-fsdp-78", 7500, "tokens/s/GPU"),
        ("llamafactory-5014-2", 90, "s/step"),
    ],
)
def test_a_thread_is_held_to_what_it_reports(thread_id: str, value: float, unit: str) -> None:
    (one,) = (one for one in THREADS if one.id == thread_id)
    assert one.measured.value == value
    assert one.measured.unit == unit


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("thread", "trl", "thread 'trl'"),
        ("date", "July 2023", "date 'July 2023'"),
        ("measured", {"value": -3.0, "unit": "h"}, "measured -3.0 h"),
        ("measured", {"value": True, "unit": "h"}, "measured True h"),
        ("measured", {"value": 2.0, "unit": "ratio"}, "a ratio is over another run"),
        ("scored", False, "says why not"),
        ("arguments", {"model": "7B", "gpu": "t4", "n_gpu": 1}, "unknown argument n_gpu"),
        ("arguments", {"model": "7B"}, "lacks gpu"),
        ("arguments", {"model": "7B", "gpu": "t4", "tokens": None}, "tokens is left out by its absence"),
    ],
)
def test_a_slip_in_a_thread_is_named_with_the_thread(field: str, value: object, fault: str) -> None:
    file = _file()
    file["threads"][0][field] = value
    assert any(fault in found and file["threads"][0]["id"] in found for found in thread_faults(file))


def test_a_thread_that_is_listed_twice_is_named() -> None:
    file = _file()
    file["threads"].append(copy.deepcopy(file["threads"][0]))
    assert "threads.json: trl-572 is listed twice" in set(thread_faults(file))
