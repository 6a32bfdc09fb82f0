"""What a call may cost is bounded before it is begun: no message of a megabyte buys seconds of work.

Authority: the program's security policy. Work is counted in what is looked at, or in processor time with a margin.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest

from estimator.answers.compare import compare
from estimator.base.errors import EstimatorError, InvalidValueError
from estimator.base.names import NameIndex
from server.protocol.errors import ArgumentError
from server.protocol.registry import TOOLS
from server.protocol.tool import Tool

LONG = 340_000
OPTIONS: dict[str, Any] = {"models": ["7B"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["1T"]}
SOON_S = 4.0
"""Of processor time, where ten seconds were spent: machines differ."""
ENORMOUS: list[tuple[str, dict[str, Any]]] = [
    ("compare_training_options", OPTIONS | {"n_gpus": [[] for _ in range(LONG)]}),
    ("compare_training_options", OPTIONS | {"n_gpus": "[" + "[]," * LONG + "[]]"}),
    ("compare_training_options", OPTIONS | {"models": [{"a": [1] * 50_000}] * 9}),
    ("compare_training_options", OPTIONS | {"precisions": [None] * LONG}),
    ("estimate_training_time", {"model": [[]] * LONG, "gpu": "h100", "n_gpus": 8, "tokens": "1T"}),
    ("estimate_training_time", {"model": "7B", "gpu": "h100", "n_gpus": 8, "hf_config": {"a": [[]] * LONG}}),
    ("list_gpus", {f"argument_{number}": number for number in range(60_000)}),
]


def _tool(name: str) -> Tool:
    tool = TOOLS.tool(name)
    assert tool is not None
    return tool


@pytest.mark.parametrize(
    ("name", "given"),
    ENORMOUS,
    ids=["lists", "lists as text", "objects", "nothing", "for text", "within an object", "unknown arguments"],
)
def test_an_argument_that_is_far_too_large_is_refused_before_it_is_read(name: str, given: dict[str, Any]) -> None:
    tool = _tool(name)
    tool.input_schema  # noqa: B018 - made once, and not what is measured
    begun_s = time.process_time()
    with pytest.raises(ArgumentError) as refused:
        tool.arguments(given)
    assert time.process_time() - begun_s < SOON_S
    assert len(str(refused.value)) < 600


def test_names_that_nobody_knows_are_compared_with_the_catalogue_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    nearest = NameIndex.nearest

    def counted(index: NameIndex, given: str, *, alike: Callable[[str], bool] | None = None) -> tuple[str, ...]:
        compared.append(given)
        return nearest(index, given, alike=alike)

    monkeypatch.setattr(NameIndex, "nearest", counted)
    with pytest.raises(InvalidValueError, match="mend those first"):
        _tool("compare_training_options").answer(OPTIONS | {"models": [f"lamma-{number}" for number in range(2_000)]})
    assert len(set(compared)) < 30


def test_a_few_misspelt_names_are_each_told_in_their_row() -> None:
    answer = _tool("compare_training_options").answer(OPTIONS | {"models": ["7B", "lamma-3", "mixtrall"]}).structured
    assert sum("unknown model" in (row["reason"] or "") for row in answer["rows"]) == 2


def test_the_largest_list_is_a_short_answer_and_says_how_to_see_more() -> None:
    answer = _tool("list_gpus").answer({"limit": 200, "detail": "detailed"})
    assert len(answer.text) < 130_000
    assert answer.structured["total"] > len(answer.structured["gpus"]) > 20
    assert "narrow the conditions" in answer.structured["summary"]
    # Most fit without their sources.
    assert len(_tool("list_gpus").answer({"limit": 200}).structured["gpus"]) > 0.8 * answer.structured["total"]


def test_a_quick_call_ends_where_it_would_look_for_a_name() -> None:
    """The event loop leaves that to a worker thread."""
    given = {"model": "lamma", "gpu": "h100", "n_gpus": 8, "tokens": "1T", "utilization": 0.4}
    tool = _tool("estimate_training_time")
    assert tool.quick_answer(given | {"model": "7B"}) is not None
    assert tool.quick_answer(given) is None
    with pytest.raises(EstimatorError, match="unknown model"):
        tool.answer(given)


@pytest.mark.parametrize("more", [{"hf_config": {}}, {"utilization": None}, {"observed_tokens_per_second": 1e5}])
def test_what_may_take_longer_is_no_quick_call(more: dict[str, Any]) -> None:
    given = {"model": "7B", "gpu": "h100", "n_gpus": 24, "tokens": "1T", "utilization": 0.4}
    assert _tool("estimate_training_time").quick_answer(given | more) is None


def test_a_comparison_may_still_be_as_wide_as_it_says() -> None:
    assert compare.MOST_OPTIONS == 2_000
    counts = [f"{number}" for number in range(1, 2_001)]
    assert len(_tool("compare_training_options").arguments(OPTIONS | {"n_gpus": counts})["n_gpus"]) == 2_000
