"""CSV reads back equal to the JSON, whatever text is in it, and no spreadsheet runs any of it.

Authority: the description in `server.reports.comma_separated`, which the reader here follows and nothing else; RFC 4180
and Python's own reader for where cells end.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.reports.comma_separated import comma_separated
from tests.server.reports.reported import REPORTED, answered, tool_of

_CELL = re.compile(r'"((?:[^"]|"")*)"|([^",\n]*)')
_NOT_LISTED: dict[str, dict[str, Any]] = {
    "compare_training_options": {"rows": []},
    "plan_training": {"sure_solution": None, "alternatives": []},
}
"""What an answer has where no row tells of it."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the beginning of a formula; the wide signs as well."""
_ODD = (
    *(
        "",
        "'",
        "''x",
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",
        "'=1",
        "5",
        "1e5",
        "null",
        "true",
    ),
    *("[]", '["a"]', '"', '""', "a,b", "a\nb", "a\r\nb", '","', " ", "x;=1", "\u2028", "|", "`<b>`"),
)
HOSTILE = st.one_of(st.text(max_size=20), st.sampled_from(_ODD))


def _rows(text: str) -> Iterator[list[tuple[bool, str]]]:
    """Yield the rows of a file: for each cell whether it is quoted, and its text."""
    row: list[tuple[bool, str]] = []
    at = 0
    while at < len(text):
        found = _CELL.match(text, at)
        assert found is not None
        quoted, bare = found.groups()
        row.append((False, bare) if quoted is None else (True, quoted.replace('""', '"')))
        at = found.end() + 1
        if text[at - 1] == "\n":
            yield row
            row = []


def _value(column: str, quoted: bool, text: str) -> Any:  # noqa: ANN401 - as the file has it
    if not quoted:
        return json.loads(text) if text else None
    return json.loads(text) if column.endswith("[]") else text.removeprefix("'")


def _nested(cells: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Return the object whose values have these dotted paths; null where all of it is."""
    if "" in cells:
        return cells[""]
    if all(value is None for value in cells.values()):
        return None
    inner: dict[str, dict[str, Any]] = {}
    for path, value in cells.items():
        name, _, rest = path.removesuffix("[]").partition(".")
        inner.setdefault(name, {})[rest] = value
    return {name: _nested(below) for name, below in inner.items()}


def _read(tool: str, text: str) -> Any:  # noqa: ANN401 - any JSON
    header, *rows = _rows(text)
    columns = [name for _, name in header]
    cells = [{column: _value(column, *cell) for column, cell in zip(columns, row, strict=True)} for row in rows]
    if "option" not in columns:
        (only,) = cells
        return _nested(only)
    wholes = [
        {name.removeprefix("answer."): value for name, value in row.items() if name.startswith("answer.")}
        for row in cells
    ]
    assert all(whole == wholes[0] for whole in wholes)
    answer: dict[str, Any] = {**json.loads(json.dumps(_NOT_LISTED[tool])), **_nested(wholes[0])}
    for row in cells:
        option = _nested(
            {name: value for name, value in row.items() if name != "option" and not name.startswith("answer.")}
        )
        key, _, place = str(row["option"]).partition(".")
        if place:
            assert len(answer[key]) == int(place)
            answer[key].append(option)
        else:
            answer[key] = option
    return answer


def _exactly(answer: Any) -> str:  # noqa: ANN401 - any JSON
    """Return what tells 1 from 1.0 and from true; what an option leaves out and what is null read back as one."""
    return json.dumps(_told(answer), sort_keys=True)


def _told(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        told = {key: _told(inner) for key, inner in cast("dict[str, Any]", value).items()}
        return {key: inner for key, inner in told.items() if inner is not None}
    return [_told(inner) for inner in cast("list[object]", value)] if isinstance(value, list) else value


def _filled(value: Any, text: Callable[[], str], number: Callable[[], float]) -> Any:  # noqa: ANN401 - any JSON
    """Return `value` with other texts and numbers in the same places."""
    if isinstance(value, dict):
        return {key: _filled(inner, text, number) for key, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_filled(inner, text, number) for inner in cast("list[object]", value)]
    if isinstance(value, str):
        return text()
    return number() if isinstance(value, float) else value


@pytest.mark.parametrize("kind", REPORTED)
def test_an_answer_reads_back_equal(kind: str) -> None:
    tool, answer = tool_of(kind), answered(kind)
    written = comma_separated(tool.name, answer.structured, tool.output_schema)
    assert _exactly(_read(tool.name, written)) == _exactly(answer.structured)


@settings(max_examples=40)
@given(
    kind=st.sampled_from(sorted(REPORTED)),
    texts=st.lists(HOSTILE, min_size=1, max_size=12),
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=12),
)
def test_whatever_an_answer_says_reads_back_equal_and_is_no_formula(
    kind: str, texts: list[str], numbers: list[float]
) -> None:
    tool = tool_of(kind)
    more_texts, more_numbers = cycle(texts), cycle(numbers)
    answer = _filled(answered(kind).structured, lambda: next(more_texts), lambda: next(more_numbers))
    written = comma_separated(tool.name, answer, tool.output_schema)
    assert _exactly(_read(tool.name, written)) == _exactly(answer)
    header, *rows = _rows(written)
    cells = [cell for row in rows for cell in row]
    assert not [text for quoted, text in cells if quoted and text.startswith(FORMULAS)]
    assert all(isinstance(json.loads(text), int | float) for quoted, text in cells if not quoted and text)
    ordinary = list(csv.reader(io.StringIO(written, newline="")))
    assert ordinary == [[text for _, text in row] for row in (header, *rows)]


@pytest.mark.parametrize("sign", FORMULAS)
def test_a_sign_that_begins_a_formula_is_not_the_first(sign: str) -> None:
    tool = tool_of("estimate")
    answer = _filled(answered("estimate").structured, lambda: f"{sign}1", lambda: -1.0)
    written = comma_separated(tool.name, answer, tool.output_schema)
    assert _exactly(_read(tool.name, written)) == _exactly(answer)
    _, row = _rows(written)
    assert {text[:2] for quoted, text in row if quoted and text[:1] not in "[{"} == {f"'{sign}"}


@pytest.mark.parametrize("tool", sorted({tool for tool, _ in REPORTED.values()}))
def test_all_answers_of_a_tool_have_the_same_columns(tool: str) -> None:
    """So that files can be put under one another."""
    kinds = [kind for kind, (asked, _) in REPORTED.items() if asked == tool]
    schema = tool_of(kinds[0]).output_schema
    headers = {comma_separated(tool, answered(kind).structured, schema).partition("\n")[0] for kind in kinds}
    assert len(headers) == 1


def test_a_comparison_and_a_plan_have_a_row_an_option() -> None:
    compared, planned = answered("comparison").structured, answered("plan").structured
    for kind, options in (
        ("comparison", len(compared["rows"])),
        ("plan", 1 + (planned["sure_solution"] is not None) + len(planned["alternatives"])),
    ):
        tool = tool_of(kind)
        rows = list(_rows(comma_separated(tool.name, answered(kind).structured, tool.output_schema)))
        assert len(rows) == 1 + options
