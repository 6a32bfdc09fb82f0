"""Markdown says what the terminal says, as tables that are parsed back cell by cell; nothing in a cell is markup.

Authority: CommonMark and the tables of GitHub Flavored Markdown, as markdown-it reads them; Mermaid's own page on XY
charts for their syntax.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from estimator.base.text import visible
from server.rendering.answers import told
from server.rendering.blocks import Block, Column, Facts, Line, RangedOption, Ranges, Spread, Table
from server.reports.markdown import markdown
from tests.server.reports.reported import REPORTED, answered

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_OF_TABLES = frozenset({"thead", "tbody", "tr", "th", "td"})
ODD = (
    *("a|b", "\\|", "`code`", "*a* **b** _c_ __d__", "snake_case_name", "<img src=x onerror=alert(1)>", "&lt;"),
    *("[a](javascript:alert(1))", "![a](b)", "# a", "- a", "+ a", "1. a", "1) a", "> a", "===", "---", "~~a~~"),
    *("a\nb", "a\n\n# b", "```\na", "<!-- a", "</td>", "https://example.org/a_b*c|d", "<https://example.org>"),
    *("$a$", "\\", "a\\", "[^1]", "[x]: y", "|", "||", ":---", "    code", "\ttab", "https://a.b/&amp;c"),
)
HOSTILE = st.one_of(
    st.text(max_size=30),
    st.text("|\\`*_[]()<>&~#!-+=.:1a \n$\"'{}@/", max_size=30),
    st.sampled_from(ODD),
).map(visible)
"""As it may reach a report: with what a terminal obeys spelt out."""


def _text(inline: Token) -> str:
    """Return the text that a reader sees, and fail where something in it is markup."""
    text = ""
    for token in inline.children or []:
        match token.type:
            case "text" | "text_special":
                text += token.content
            case "softbreak":
                text += "\n"
            case "html_inline":
                assert token.content == "<br>"
                text += "\n"
            case "link_open":
                assert token.markup == "autolink"
                assert str(token.attrs["href"]).startswith(("http://", "https://"))
            case other:
                assert other == "link_close"
    return text


def _tables(written: str) -> list[list[list[str]]]:
    """Return the tables of a document, row by row, as the text of their cells."""
    tables: list[list[list[str]]] = []
    tokens = _PARSER.parse(written)
    for before, token in pairwise(tokens):
        match token.type:
            case "table_open":
                tables.append([])
            case "tr_open":
                tables[-1].append([])
            case "inline" if before.type in {"th_open", "td_open"}:
                tables[-1][-1].append(_plain(_text(token)))
            case _:
                pass
    return tables


def _expected(blocks: Iterable[Block]) -> list[list[list[str]]]:
    """Return the tables that a document of `blocks` must have."""
    tables: list[list[list[str]]] = []
    for block in blocks:
        match block:
            case Facts() if block.told():
                tables.append([["What", "Answer"], *map(list, block.told())])
            case Table() if block.columns():
                columns = block.columns()
                tables.append([[column.title for column in columns], *_rows(columns)])
            case _:
                pass
    return [[[_plain(cell) for cell in row] for row in table] for table in tables]


def _rows(columns: Sequence[Column]) -> list[list[str]]:
    return [list(row) for row in zip(*(column.cells for column in columns), strict=True)]


def _plain(cell: str) -> str:
    """Return a cell as Markdown keeps it: without the space around it and around its lines."""
    return "\n".join(line.strip() for line in cell.strip().split("\n"))


@pytest.mark.parametrize("kind", REPORTED)
def test_every_cell_that_a_terminal_shows_is_parsed_back(kind: str) -> None:
    blocks = list(told(REPORTED[kind][0], answered(kind).structured))
    written = markdown("A title", blocks)
    assert _tables(written) == _expected(blocks)
    assert _tables(written)
    read = "\n".join(_text(token) for token in _PARSER.parse(written) if token.type == "inline")
    for block in blocks:
        if isinstance(block, Line):
            assert _plain(block.text) in read


@given(cells=st.lists(st.tuples(HOSTILE, HOSTILE), max_size=4), line=HOSTILE.filter(str.strip))
def test_whatever_a_name_holds_is_text(cells: list[tuple[str, str]], line: str) -> None:
    _check_text([("a name", "a note"), *cells], line)


@pytest.mark.parametrize("text", ODD)
def test_markup_of_every_kind_is_text(text: str) -> None:
    _check_text([("a name", "a note"), (text, "a note"), ("a name", text)], visible(text))


def _check_text(cells: list[tuple[str, str]], line: str) -> None:
    kinds: tuple[Literal["plain", "aside", "warning", "item", "heading"], ...]
    kinds = ("plain", "aside", "warning", "item", "item", "heading")
    table = Table(line, [{"name": name, "note": note} for name, note in cells])
    blocks: list[Block] = [Facts(cells), table, *(Line(line, kind) for kind in kinds)]
    written = markdown(line, blocks)
    assert _tables(written) == _expected(blocks)
    tokens = _PARSER.parse(written)
    laid_out = [token.tag for token in tokens if token.nesting == 1 and token.tag not in _OF_TABLES]
    assert laid_out == ["h1", "table", "h2", "table", "p", "p", "blockquote", "p", "ul", "li", "p", "li", "p", "h2"]
    texts = [
        _plain(_text(token))
        for before, token in pairwise(tokens)
        if before.tag in {"h1", "h2", "p"} and token.type == "inline"
    ]
    told_line = _plain(line)
    assert texts == [*[told_line] * 4, f"[!WARNING]\n{told_line}", *[told_line] * 3]


@pytest.mark.parametrize("kind", [kind for kind, (tool, _) in REPORTED.items() if tool == "compare_training_options"])
def test_a_comparison_is_plotted_over_its_gpus_with_its_range(kind: str) -> None:
    blocks = list(told(REPORTED[kind][0], answered(kind).structured))
    charts = _charts(blocks)
    (ranges,) = (block for block in blocks if isinstance(block, Ranges))
    assert ranges.series
    for name, options in ranges.series.items():
        (chart,) = (chart for chart in charts if f'"{name}: days over GPUs"' in chart)
        low, high, value = ([float(day) for day in line.split(",")] for line in re.findall(r"line \[(.*)\]", chart))
        assert value == pytest.approx([option.days.value for option in options], rel=1e-5)
        assert all(least < days < most for least, days, most in zip(low, value, high, strict=True))
        assert re.search(r"x-axis \[(.*)\]", chart)


def test_the_pareto_front_is_plotted_from_the_cheapest_to_the_fastest() -> None:
    answer = answered("comparison").structured
    (chart,) = (chart for chart in _charts(told("compare_training_options", answer)) if "bar [" in chart)
    front = sorted((row["cost_usd"], row["training_days"]) for row in answer["rows"] if row["pareto"])
    (days,) = re.findall(r"bar \[(.*)\]", chart)
    assert [float(day) for day in days.split(",")] == pytest.approx([day for _, day in front], rel=1e-5)


@given(name=HOSTILE)
def test_no_name_speaks_the_language_of_a_plot(name: str) -> None:
    spread = Spread(low=1.0, value=2.0, high=3.0)
    options = [RangedOption(n_gpus=n_gpus, days=spread, usd=None, pareto=False) for n_gpus in (1, 2)]
    (chart,) = _charts([Ranges(series={name: options})])
    title, *others = chart.partition("xychart-beta\n")[2].splitlines()
    assert re.fullmatch(r'    title "[\w .,:()/+×·-]*"', title)
    assert [line.split()[0] for line in others] == ["x-axis", "y-axis", "line", "line", "line"]


def test_a_plot_has_no_more_points_than_labels_have_room() -> None:
    spread = Spread(low=1.0, value=2.0, high=3.0)
    options = [RangedOption(n_gpus=n_gpus, days=spread, usd=None, pareto=False) for n_gpus in range(1, 1000)]
    (chart,) = _charts([Ranges(series={"many": options})])
    (labels,) = re.findall(r"x-axis \[(.*)\]", chart)
    assert labels.startswith('"1",')
    assert labels.endswith('"999"')
    assert labels.count(", ") < 20


def _charts(blocks: Iterable[Block]) -> list[str]:
    """Return the plots of a document of `blocks`."""
    fences = [token for token in _PARSER.parse(markdown("A title", blocks)) if token.type == "fence"]
    assert all(token.info == "mermaid" for token in fences)
    return [token.content for token in fences]
