"""Warnings come in a stated order: what stands in the way of a run first, what was merely not understood last."""

import re
from itertools import pairwise

import pytest

from estimator.answers.estimate.importance import BY_IMPORTANCE, most_important_first
from estimator.question.question import Caution
from server.protocol.registry import TOOLS
from tests.places import ROOT
from tests.tools.varied_questions import ESTIMATES

PLACES = {code: place for place, code in enumerate(code for group in BY_IMPORTANCE for code in group)}
ROOMS = ("resolve", "evidence", "answers/estimate", "answers/compare")
RAISED = re.compile(
    r'Caution\(\s*code="([a-z_]+)"|^(?:_?CODE|[A-Z_]+) = "([a-z]+(?:_[a-z]+)+)"$|code, \w+ = "([a-z_]+)"', re.MULTILINE
)


def test_every_warning_of_an_estimate_has_a_place() -> None:
    raised = {
        code
        for room in ROOMS
        for path in (ROOT / "estimator" / room).rglob("*.py")
        for found in RAISED.finditer(path.read_text(encoding="utf-8"))
        for code in found.groups()
        if code and "Caution(" in path.read_text(encoding="utf-8")
    }
    raised -= {"n_gpus", "micro_batch_size"}
    assert len(raised) > 40
    assert raised <= PLACES.keys()
    assert len(PLACES) == sum(len(group) for group in BY_IMPORTANCE)


@pytest.mark.parametrize("kind", ESTIMATES)
def test_an_answer_warns_of_what_matters_most_first(kind: str) -> None:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    codes = [warning["code"] for warning in tool.answer(ESTIMATES[kind]).structured["warnings"]]
    assert all(PLACES[one] <= PLACES[other] for one, other in pairwise(codes))
    assert "does_not_fit" not in codes[1:]


def test_equals_stay_in_the_order_they_came() -> None:
    codes = ("framework_not_understood", "network_unsaid", "does_not_fit", "network_unsaid")
    told = [Caution(code=code, message=str(place)) for place, code in enumerate(codes)]
    assert [caution.message for caution in most_important_first(told)] == ["2", "1", "3", "0"]
