"""`my_runs` in the tools: four take them, all answers say that they did, and the same question has the same answer.

Authority: the program's contract for names and meanings; arithmetic for the rest.
"""

import json
from typing import Any

import pytest

from server.protocol.registry import TOOLS

RUN: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100",
    "n_gpus": 8,
    "framework": "torchtitan",
    "sequence_length": 8192,
}
TOLD: dict[str, Any] = {"framework": "torchtitan", "sequence_length": 8192}
ESTIMATE: dict[str, Any] = {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": 64, "tokens": "1B", **TOLD}
CALLS: dict[str, dict[str, Any]] = {
    "estimate_training_time": ESTIMATE,
    "plan_training": {
        "solve_for": "n_gpus",
        "deadline": "3 days",
        **{k: v for k, v in ESTIMATE.items() if k != "n_gpus"},
    },
    "compare_training_options": {
        "models": ["llama-3.1-70b"],
        "gpus": ["h100"],
        "n_gpus": [64],
        "tokens": ["1B"],
        **TOLD,
    },
    "check_training_speed": {**ESTIMATE, "observed_tokens_per_second": 50_000},
}


def _answer(name: str, **changes: object) -> dict[str, Any]:
    tool = TOOLS.tool(name)
    assert tool is not None
    return tool.answer(CALLS[name] | changes).structured


def _speed(name: str, answer: dict[str, Any]) -> float:
    """Return tokens per second and device that an answer predicts."""
    found = {
        "estimate_training_time": lambda: answer["tokens_per_second_per_gpu"],
        "plan_training": lambda: answer["estimate"]["tokens_per_second_per_gpu"],
        "compare_training_options": lambda: answer["rows"][0]["tokens_per_second_per_gpu"],
        "check_training_speed": lambda: answer["expected"] / 64,
    }[name]()
    return float(found)


def _predicted(**run: object) -> float:
    """Return the speed of all devices that is predicted of a run."""
    answer = _answer("estimate_training_time", **(RUN | run))
    return float(answer["tokens_per_second_per_gpu"]) * int(str(run.get("n_gpus", RUN["n_gpus"])))


OWN = RUN | {"tokens_per_second": 0.8 * _predicted()}
"""A quarter more time than predicted."""


@pytest.mark.parametrize("name", CALLS)
def test_a_slow_run_of_ones_own_slows_every_prediction(name: str) -> None:
    plain, corrected = _answer(name), _answer(name, my_runs=[OWN])
    if name == "plan_training":
        # Another count may be planned; the same count is slower.
        assert corrected["solution"]["n_gpus"] >= plain["solution"]["n_gpus"]
        return
    assert 0.8 * _speed(name, plain) < _speed(name, corrected) < 0.95 * _speed(name, plain)


@pytest.mark.parametrize("name", CALLS)
def test_the_same_question_has_the_same_answer_and_another_an_id_of_its_own(name: str) -> None:
    told = json.dumps(_answer(name, my_runs=[OWN]))
    other = dict(reversed(OWN.items()))
    assert json.dumps(_answer(name, my_runs=[other])) == told
    ids = [
        answer.get("estimate_id") or answer.get("plan_id")
        for answer in (_answer(name), _answer(name, my_runs=[OWN]), _answer(name, my_runs=[OWN, OWN]))
    ]
    assert len(set(ids)) == len(ids) or name == "compare_training_options"


@pytest.mark.parametrize("name", CALLS)
def test_an_answer_says_that_it_was_corrected(name: str) -> None:
    answer = _answer(name, my_runs=[OWN, OWN | {"n_gpus": 16, "tokens_per_second": 0.8 * _predicted(n_gpus=16)}])
    assumptions = answer["estimate"]["assumptions"] if name == "plan_training" else answer["assumptions"]
    said = {assumption["name"]: assumption for assumption in assumptions}
    assert said["my_runs"]["value"] == 2
    assert said["my_runs"]["source"] == "user"
    if name != "compare_training_options":
        evidence = answer["estimate"]["evidence"] if name == "plan_training" else answer["evidence"]
        assert "corrected by your 2 runs: +" in evidence["note"]
        assert evidence["correction"] > 0.0


def test_an_estimate_stays_a_prediction_with_a_narrower_range() -> None:
    plain, corrected = _answer("estimate_training_time"), _answer("estimate_training_time", my_runs=[OWN])
    width = {id(each): each["training_days_high"] / each["training_days_low"] for each in (plain, corrected)}
    assert corrected["basis"] == "predicted"
    assert width[id(corrected)] < width[id(plain)]
    assert corrected["training_days_low"] < corrected["training_days"] < corrected["training_days_high"]
    assert "corrected by your 1 run: +" in corrected["summary"]
    assert "corrected" not in plain["summary"]


def test_the_run_that_is_asked_about_is_answered_with_its_speed() -> None:
    answer = _answer("estimate_training_time", **RUN, my_runs=[OWN])
    assert answer["tokens_per_second_per_gpu"] * 8 == pytest.approx(OWN["tokens_per_second"], rel=0.02)


def test_a_run_as_predicted_changes_no_point() -> None:
    own = RUN | {"tokens_per_second": _predicted()}
    plain, corrected = _answer("estimate_training_time"), _answer("estimate_training_time", my_runs=[own])
    assert corrected["training_days"] == pytest.approx(plain["training_days"], rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({}, "near it"), ({"utilization": 0.4}, "utilization"), ({"observed_tokens_per_second": "40k"}, "observed")],
)
def test_every_estimate_says_what_it_rests_on(changes: dict[str, Any], said: str) -> None:
    evidence = _answer("estimate_training_time", **changes)["evidence"]
    assert evidence.keys() == {"runs", "labs", "nearest", "correction", "note"}
    assert said in evidence["note"]
    assert (evidence["runs"] > 0) == (evidence["labs"] > 0) == (evidence["nearest"] is not None)
    assert evidence["labs"] <= evidence["runs"]


def test_what_is_not_predicted_says_that_ones_own_runs_play_no_part() -> None:
    plain = _answer("estimate_training_time", utilization=0.4)
    told = _answer("estimate_training_time", utilization=0.4, my_runs=[OWN])
    assert told["training_days"] == plain["training_days"]
    assert "my_runs correct predictions alone" in told["evidence"]["note"]


@pytest.mark.parametrize("name", CALLS)
def test_a_run_that_does_not_fit_is_refused_whichever_tool_is_asked(name: str) -> None:
    with pytest.raises(Exception, match=r"my_runs\[0\].gpu 'h100-smx'.*h100-sxm"):
        _answer(name, my_runs=[OWN | {"gpu": "h100-smx"}])


NO_RUNS: list[tuple[object, str]] = [("fast", "list"), ([3], "object"), ([OWN] * 51, "50")]


@pytest.mark.parametrize(("given", "said"), NO_RUNS)
def test_what_is_no_list_of_runs_is_refused(given: object, said: str) -> None:
    with pytest.raises(Exception, match=said) as refused:
        _answer("estimate_training_time", my_runs=given)
    assert "my_runs" in str(refused.value)


def test_runs_may_be_sent_as_json_text() -> None:
    """Some hosts send lists so."""
    assert _answer("estimate_training_time", my_runs=json.dumps([OWN])) == _answer(
        "estimate_training_time", my_runs=[OWN]
    )


def test_fifty_runs_make_an_answer_hardly_longer() -> None:
    runs = [OWN | {"global_batch_sequences": 8 * n, "tokens_per_second": 40_000 + n} for n in range(1, 51)]
    plain, told = (
        len(json.dumps(_answer("estimate_training_time", **changes), ensure_ascii=False))
        for changes in ({}, {"my_runs": runs})
    )
    assert told <= plain + 700
