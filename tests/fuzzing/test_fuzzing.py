"""Questions at random are answered soundly or refused in words: a short run; `scripts/fuzz` asks for as long as wanted.

Authority: `tests/fuzzing/invariants.py`, which is what the program promises of every answer.
"""

import asyncio
import copy
import random
from pathlib import Path
from typing import Any

import pytest

from estimator.base.errors import EstimatorError
from server.protocol.registry import TOOLS
from tests.fuzzing import configurations
from tests.fuzzing.asking import outcomes
from tests.fuzzing.invariants import faults, of_answer, reply_faults
from tests.fuzzing.messages import ERAS, sent
from tests.fuzzing.questions import Asked, asked
from tests.fuzzing.wires import WIRES, opened

_CALLS = 120
_MESSAGES = 60
_GROUPS = 8


@pytest.mark.parametrize("group", range(_GROUPS))
def test_no_question_at_random_breaks_what_every_answer_keeps(group: int) -> None:
    """To ask one again: scripts/fuzz --only SEED."""
    wrong = {seed: found for seed in range(group, _CALLS, _GROUPS) if (found := faults(asked(seed)))}
    assert not wrong, "to see one: scripts/fuzz --only SEED"


@pytest.mark.parametrize("wire", WIRES)
async def test_no_message_at_random_breaks_a_server(wire: str, tmp_path: Path) -> None:
    """Some are no messages at all. To send one again: scripts/fuzz --over stdio --only SEED."""
    log, wrong, answered = tmp_path / "log", dict[int, tuple[str, ...]](), 0
    async with opened(wire, log) as server:
        async for ended in outcomes(server, range(_MESSAGES), at_once=4):
            answered += ended.answered
            if ended.faults:
                wrong[ended.message.seed] = ended.faults
    assert not wrong, f"to see one: scripts/fuzz --over {wire} --only SEED"
    assert answered > _MESSAGES // 5
    assert "Traceback" not in await asyncio.to_thread(log.read_text)


def test_the_same_seed_is_the_same_question_and_the_same_message() -> None:
    first = [sent(seed).body for seed in range(200)]
    assert [sent(seed).body for seed in reversed(range(200))] == first[::-1]


def test_of_what_one_seed_bends_no_other_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    before = copy.deepcopy(configurations.BENT)
    monkeypatch.setattr(configurations, "_MOST_BENT", 500)
    for seed in range(20):
        configurations.configuration(random.Random(seed))  # noqa: S311 - dice, no secret
    assert before == configurations.BENT


def test_among_many_messages_some_are_none_and_most_are_calls() -> None:
    messages = [sent(seed) for seed in range(400)]
    assert 5 <= sum(message.question is None for message in messages) <= 80
    assert {message.era for message in messages} == set(ERAS)


@pytest.mark.parametrize(
    "reply",
    [
        {"error": {"code": -32603, "message": "Internal error"}},
        {"error": {"code": -32600, "message": "\x1b[2J"}},
        {"result": {"content": [{"text": "list_gpus failed on an internal fault, not on …"}], "isError": True}},
        {"result": {"content": [{"text": "{}"}], "structuredContent": {}}},
        {"result": {}, "error": {}},
        {},
    ],
    ids=["internal error", "control character", "internal fault", "not of the schema", "both", "neither"],
)
def test_what_is_wrong_with_a_reply_is_found(reply: dict[str, Any]) -> None:
    """The wire's invariants can fail."""
    assert reply_faults(Asked(seed=0, tool="list_gpus", arguments={}), reply)


def test_most_sound_questions_are_answered_and_not_refused() -> None:
    """Else the rest would prove nothing."""
    answered = 0
    for seed in range(100):
        question = asked(seed)
        tool = TOOLS.tool(question.tool)
        assert tool is not None
        try:
            tool.answer(question.arguments)
        except EstimatorError:
            continue
        answered += 1
    assert answered >= 25


@pytest.mark.parametrize(
    "spoilt",
    [
        {"training_days_low": 1e9},
        {"hardware_flops_utilization": 1.5},
        {"time_breakdown": {"compute": 1.5, "other": 0.0}},
        {"summary": "\x1b[2J"},
        {"gpu_hours": float("inf")},
    ],
    ids=lambda spoilt: next(iter(spoilt)),
)
def test_what_breaks_a_promise_is_found(spoilt: dict[str, object]) -> None:
    """The invariants can fail."""
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    sound = tool.answer({"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "1B"}).structured
    assert not list(of_answer("estimate_training_time", sound))
    assert list(of_answer("estimate_training_time", sound | spoilt))
