"""An answer as Markdown, with the tables and plots that GitHub renders.

Tables are those of GitHub Flavored Markdown, plots are Mermaid's `xychart-beta`. What an answer says of names and notes
is text: nothing in it is taken for markup.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import TypeVar

from server.rendering.blocks import Block, Facts, Line, Ranges, Table

__all__ = ["inline", "markdown"]

_T = TypeVar("_T")

_URL = re.compile(r"https?://[^\s<>\"'`|\\;]*[\w/]")
_MARKUP = re.compile(r"[\\`*\[\]<>&|~$#]|(?<![^\W_])_|_(?![^\W_])")
"""What may begin markup within a line, or end a heading; an underscore only at the edge of a word, as GitHub has it."""
_OPENING = re.compile(r"^([>+=-]|\d+(?=[.)]))")
"""What may begin a list or a quotation at the start of a line, or underline one."""
_UNSAFE_LABEL = re.compile(r"[^\w .,:()/+×·-]")
_LOOK = """---
config:
  themeVariables:
    xyChart:
      plotColorPalette: "#7f8c99, #7f8c99, #3b82c4"
---"""
"""The ends of a range grey, the point over them blue; both are seen on white and on black."""
_ESTIMATE_ALONE = _LOOK.replace("#7f8c99, #7f8c99, ", "")
_MOST_CHARTS = 6
_FEWEST_POINTS, _MOST_POINTS = 2, 12


def markdown(title: str, blocks: Iterable[Block]) -> str:
    """Return `blocks` under the heading `title`."""
    parts = [f"# {inline(title)}"]
    # Items that follow one another are one list.
    for _, group in groupby(blocks, key=lambda block: isinstance(block, Line) and block.kind == "item"):
        parts += _joined(group)
    return "\n\n".join(part for part in parts if part) + "\n"


def _joined(group: Iterable[Block]) -> list[str]:
    parts: list[str] = []
    items: list[str] = []
    for block in group:
        match block:
            case Line(text, "item"):
                items.append(f"- {_paragraph(text)}")
            case Line():
                parts.append(_line(block))
            case Facts():
                parts.append(_facts(block))
            case Table():
                parts.append(_table(block))
            case Ranges():
                parts += _charts(block)
    return [*parts, "\n".join(items)]


def inline(text: str) -> str:
    """Return `text` as Markdown that reads as the same text, on one line; addresses stay links."""
    addresses = _URL.findall(text)
    between = [_MARKUP.sub(r"\\\g<0>", part) for part in _URL.split(text)]
    linked = [f"<{address}>" for address in addresses]
    whole = "".join(chain.from_iterable(zip(between, [*linked, ""], strict=True)))
    return whole.strip().replace("\n", "<br>")


def _paragraph(text: str) -> str:
    return _OPENING.sub(_escaped_opening, inline(text))


def _escaped_opening(found: re.Match[str]) -> str:
    opening = found[0]
    # Of `1.` the full stop makes the list.
    return f"{opening}\\" if opening.isdigit() else f"\\{opening}"


def _line(line: Line) -> str:
    match line.kind:
        case "heading":
            return f"## {inline(line.text)}"
        case "warning":
            return f"> [!WARNING]\n> {_paragraph(line.text)}"
        case _:
            return _paragraph(line.text)


def _facts(facts: Facts) -> str:
    told = facts.told()
    return _grid(("What", "Answer"), told, (False, False)) if told else ""


def _table(table: Table) -> str:
    columns = table.columns()
    if not columns:
        return ""
    rows = list(zip(*(column.cells for column in columns), strict=True))
    grid = _grid([column.title for column in columns], rows, [column.numeric for column in columns])
    return f"## {inline(table.title)}\n\n{grid}" if table.title else grid


def _grid(titles: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]) -> str:
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join(
        f"| {' | '.join(cells)} |" for cells in (map(inline, titles), rule, *(map(inline, row) for row in rows))
    )


def _charts(ranges: Ranges) -> Iterator[str]:
    """Yield the plots of a comparison: each series over its GPUs, and the Pareto front; no chart of a single point."""
    series = [(name, options) for name, options in ranges.series.items() if len(options) >= _FEWEST_POINTS]
    if series:
        yield "## Days by number of GPUs"
        yield "The middle line is the estimate, those beside it are the ends of its range."
    for name, options in series[:_MOST_CHARTS]:
        shown = _thinned(options)
        ends = [
            [option.days.low for option in shown],
            [option.days.high for option in shown],
            [option.days.value for option in shown],
        ]
        yield _chart(f"{name}: days over GPUs", [f"{option.n_gpus:,}" for option in shown], "line", ends)
    if len(series) > _MOST_CHARTS:
        yield f"{len(series) - _MOST_CHARTS:,} more series are in the table."
    front = sorted(
        (option.usd.value, option.days.value)
        for options in ranges.series.values()
        for option in options
        if option.pareto and option.usd is not None
    )
    if len(front) >= _FEWEST_POINTS:
        yield "## Days of what is on the Pareto front, from the cheapest to the fastest"
        shown_front = _thinned(front)
        yield _chart("", [f"{usd:,.0f} USD" for usd, _ in shown_front], "bar", [[days for _, days in shown_front]])


def _thinned(points: Sequence[_T]) -> Sequence[_T]:
    """Return as many points as have room for their labels, the first and the last among them."""
    last, most = len(points) - 1, _MOST_POINTS - 1
    return points if last <= most else [points[round(place * last / most)] for place in range(_MOST_POINTS)]


def _chart(title: str, labels: Sequence[str], mark: str, lines: Sequence[Sequence[float]]) -> str:
    """Return one Mermaid chart: days over `labels`, a mark for each of `lines`."""
    places = ", ".join(f'"{_label(label)}"' for label in labels)
    return "\n".join(
        (
            "```mermaid",
            _LOOK if len(lines) > 1 else _ESTIMATE_ALONE,
            "xychart-beta",
            *([f'    title "{_label(title)}"'] if title else ()),
            f"    x-axis [{places}]",
            f'    y-axis "days" 0 --> {max(map(max, lines)):.6g}',
            *(f"    {mark} [{', '.join(f'{value:.6g}' for value in values)}]" for values in lines),
            "```",
        )
    )


def _label(text: str) -> str:
    """Return `text` as a label: a chart's language has no way to escape what it reads."""
    return _UNSAFE_LABEL.sub(" ", text)
