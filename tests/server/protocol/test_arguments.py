"""Arguments that do not fit are refused in a sentence that says what would do.

Authority: the program's public contract, section on errors.
"""

import math

import pytest

from server.protocol.errors import ArgumentError
from server.protocol.tool import Tool
from tests.fixture_server import TOOLS
from tests.fixture_server import echo as echo_function

LONGEST_ECHO = 80


@pytest.fixture
def echo() -> Tool:
    tool = TOOLS.tool("echo")
    assert tool is not None
    return tool


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "missing": ({}, "text is missing: anything, such as `hello`"),
    "unknown argument": ({"text": "", "colur": "red"}, "unknown argument 'colur'; did you mean colour"),
    "unknown argument like none": ({"text": "", "zzz": 1}, "unknown argument 'zzz'; choose from text, amount,"),
    "unknown choice": ({"text": "", "colour": "gren"}, "unknown colour 'gren'; did you mean green?"),
    "choice like none": ({"text": "", "colour": "zzz"}, "unknown colour 'zzz'; choose from red, green, blue"),
    "choice of another type": ({"text": "", "colour": {}}, "colour: {} must be one of red, green, blue"),
    "too small": ({"text": "", "count": 0}, "count: 0 must be at least 1"),
    "too large": ({"text": "", "count": 10}, "count: 10 must be at most 9"),
    "negative": ({"text": "", "share": -0.5}, "share: -0.5 must be greater than 0"),
    "per cent for a fraction": ({"text": "", "share": 45}, "share: 45 must be at most 1; 45 % is 0.45"),
    "fractional count": ({"text": "", "count": 1.5}, "count: 1.5 must be a whole number"),
    "text for a number": ({"text": "", "count": "many"}, "count: 'many' must be a whole number"),
    "true for a number": ({"text": "", "count": True}, "count: true must be a number"),
    "true for a quantity": ({"text": "", "amount": True}, "amount: true must be text or a number"),
    "text for a flag": ({"text": "", "loud": "perhaps"}, "loud: 'perhaps' must be true or false"),
    "list for a quantity": ({"text": "", "amount": [1]}, "amount: [1] must be a number or text"),
    "per cent as text": ({"text": "", "share": "45%"}, "share: '45%' must be a number; a percentage is a fraction"),
    "not Unicode": ({"text": "\ud800"}, "text: '\\ud800' must be valid Unicode"),
    "not Unicode within": (
        {"text": "", "config": {"a": ["\udfff"]}},
        "config: {'a': ['\\udfff']} must be valid Unicode",
    ),
    "nan": ({"text": "", "share": math.nan}, "share: nan must be finite"),
    "infinity": ({"text": "", "amount": -math.inf}, "amount: -inf must be finite"),
    "nan as text": ({"text": "", "share": " NaN"}, "share: ' NaN' must be a finite number"),
    "infinity as text": ({"text": "", "share": "-Infinity"}, "share: '-Infinity' must be a finite number"),
    "nan within": ({"text": "", "config": {"a": [1, math.nan]}}, "config: {'a': [1, nan]} must be finite"),
    "text for an object": ({"text": "", "config": "llama"}, "config: 'llama' must be a JSON object"),
    "broken JSON for an object": ({"text": "", "config": '{"a":'}, "config: '{\"a\":' must be a JSON object"),
    "too many": ({"text": "", "names": ["a"] * 4}, "names: ['a', 'a', 'a', 'a'] must have at most 3 entries"),
    "wrong entry": ({"text": "", "names": ["a", {}]}, "names[1]: {} must be text"),
    "several": ({"count": 0, "loud": 3}, "text is missing: anything, such as `hello`; count: 0 must be at least 1; "),
}


@pytest.mark.parametrize(("given", "sentence"), REFUSED.values(), ids=REFUSED)
def test_an_argument_that_does_not_fit_is_named_with_what_would_do(
    echo: Tool, given: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        echo.answer(given)
    assert str(caught.value).startswith(sentence)
    assert "pydantic" not in str(caught.value)
    assert "\n" not in str(caught.value)


def _nested(levels: int) -> object:
    return [] if levels == 0 else [_nested(levels - 1)]


FAR_TOO_MUCH: dict[str, dict[str, object]] = {
    "text": {"text": "x" * 100_000},
    "choice": {"text": "", "colour": "x" * 100_000},
    "argument": {"text": "", "x" * 100_000: 1},
    "brackets": {"text": "", "config": "[" * 100_000},
    "depth": {"text": "", "config": {"deep": _nested(100)}},
    "bottomless": {"text": "", "config": {"deep": _nested(900)}},
    "list": {"text": "", "names": ["x" * 100_000, {}, "y" * 100_000, ""]},
    "digits": {"text": "", "count": 10**400},
    "arguments": {"text": "", **{f"unknown_{index}": index for index in range(1000)}},
}


@pytest.mark.parametrize("given", FAR_TOO_MUCH.values(), ids=FAR_TOO_MUCH)
def test_what_is_far_too_much_is_refused_briefly(echo: Tool, given: dict[str, object]) -> None:
    with pytest.raises(ArgumentError) as caught:
        echo.answer(given)
    assert len(str(caught.value)) < 5 * LONGEST_ECHO + 100


def test_a_text_may_be_as_long_as_it_declares(echo: Tool) -> None:
    assert echo.answer({"text": "", "note": "x" * 5_000}).structured["summary"].endswith(" 5000")
    with pytest.raises(ArgumentError, match="must be at most 5000 characters long"):
        echo.answer({"text": "", "note": "x" * 5_001})


@pytest.mark.parametrize("amount", ["15T", 15e12, 15])
def test_a_quantity_may_be_text_or_a_number(echo: Tool, amount: object) -> None:
    assert echo.answer({"text": "", "amount": amount}).structured["amount"] == amount


def test_a_null_argument_is_one_left_out(echo: Tool) -> None:
    """Some hosts send null for whatever the model did not fill in."""
    sent = {"text": "hi", "amount": None, "count": None, "colour": None, "config": None, "note": None}
    assert echo.answer(sent) == echo.answer({"text": "hi"})
    with pytest.raises(ArgumentError, match="text is missing"):
        echo.answer({"text": None})


def test_an_object_or_list_may_come_as_json_text(echo: Tool) -> None:
    """Some hosts send nested arguments as text."""
    sent = {"text": "hi", "config": '{"b": 1, "a": 2}', "names": '["x"]'}
    assert echo.answer(sent) == echo.answer({"text": "hi", "config": {"b": 1, "a": 2}, "names": ["x"]})


def test_a_number_may_stand_for_text(echo: Tool) -> None:
    """`gpu: 4090` is clear enough."""
    assert echo.answer({"text": 4090}) == echo.answer({"text": "4090"})


def test_a_description_is_all_the_schema_says_of_the_progress_channel() -> None:
    slow = TOOLS.tool("slow")
    assert slow is not None
    assert list(slow.input_schema["properties"]) == ["steps"]
    with pytest.raises(ArgumentError, match="unknown argument 'progress'"):
        slow.answer({"progress": 1})


def test_a_kept_answer_is_that_of_the_very_question(echo: Tool) -> None:
    """1, 1.0, true and "1" are equal or alike in Python, and different questions."""
    for amount in (1, 1.0, "1", "1.0") * 2:
        given = {"text": "hi", "amount": amount}
        assert echo.answer(given) == Tool(echo_function, title="Echo").answer(given)
    with pytest.raises(ArgumentError):
        echo.answer({"text": "hi", "amount": True})
