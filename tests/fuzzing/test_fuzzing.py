"""Questions at random are answered soundly or refused in words: a short run; `scripts/fuzz` asks for as long as wanted.

Authority: `tests/fuzzing/invariants.py`, which is what the program promises of every answer.
"""

import pytest

from estimator.base.errors import EstimatorError
from server.protocol.registry import TOOLS
from tests.fuzzing.invariants import faults, of_answer
from tests.fuzzing.questions import asked

_CALLS = 160
_GROUPS = 8


@pytest.mark.parametrize("group", range(_GROUPS))
def test_no_question_at_random_breaks_what_every_answer_keeps(group: int) -> None:
    """To ask one again: scripts/fuzz --only SEED."""
    wrong = {seed: found for seed in range(group, _CALLS, _GROUPS) if (found := faults(asked(seed)))}
    assert not wrong, "to see one: scripts/fuzz --only SEED"


def test_the_same_seed_is_the_same_question() -> None:
    assert [asked(seed) for seed in range(50)] == [asked(seed) for seed in range(50)]


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
