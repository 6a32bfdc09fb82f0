"""Facts and tables in a terminal, however narrow it is."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from estimator.base.units import format_count

__all__ = ["is_plain", "print_facts", "print_table", "shown_number", "shown_title", "shown_value"]

_DIGITS = 4
_SHORT = 12
"""Characters of a cell that is not broken over lines; more are, at words, into lines no shorter than that."""
_GAP = 2


def print_facts(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    """Print names with their values, leaving out those that have none."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        if value:
            table.add_row(Text(name), Text(value))
    if table.row_count:
        console.print(table)


def print_table(
    console: Console, title: str, rows: Sequence[Mapping[str, Any]], *, joined: tuple[str, ...] = ()
) -> None:
    """Print rows of equal keys, as paragraphs where they do not fit side by side.

    The columns in `joined` become one, and a column that is empty all down is left out.
    """
    if not rows:
        return
    kept = [key for key in rows[0] if any(row[key] not in {None, ""} for row in rows if is_plain(row[key]))]
    columns = [key for key in kept if key not in joined[1:]]
    cells = [
        [
            " ".join(text for part in (joined if key in joined else (key,)) if (text := shown_value(row[part])))
            for key in columns
        ]
        for row in rows
    ]
    longest = [max(map(len, column)) for column in zip(*cells, strict=True)]
    heads = [max(map(len, shown_title(key).split()), default=0) for key in columns]
    needed = sum(max(min(width, _SHORT), head) + _GAP for width, head in zip(longest, heads, strict=True))
    if needed > console.width:
        _print_paragraphs(console, title, columns, cells)
        return
    table = Table(
        title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, _GAP, 0, 0)
    )
    for key, width, head in zip(columns, longest, heads, strict=True):
        numbers = all(isinstance(row[key], int | float) or row[key] is None for row in rows)
        table.add_column(
            shown_title(key),
            overflow="fold",
            justify="right" if numbers else "left",
            min_width=max(min(width, _SHORT), head),
        )
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)


def _print_paragraphs(console: Console, title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """Print each row as its first cell, and the others with their titles below."""
    if title:
        console.print(Text(title, "bold"))
    for first, *others in cells:
        told = "; ".join(
            f"{shown_title(key).lower() if key.islower() else key} {cell}"
            for key, cell in zip(columns[1:], others, strict=True)
            if cell
        )
        if len(first) <= _SHORT:
            console.print(Text(f"- {first}: {told}" if told else f"- {first}"))
            continue
        console.print(Text(f"- {first}"))
        if told:
            console.print(Padding(Text(told), (0, 0, 0, _GAP)))
    console.print()


def is_plain(value: object) -> bool:
    """Return whether a value is shown in one cell."""
    return value is None or isinstance(value, str | int | float | bool)


def shown_value(value: object) -> str:
    """Return a value as a cell shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return shown_number(value)
    if isinstance(value, dict):
        facts = cast("dict[str, object]", value)
        return ", ".join(f"{shown_title(key).lower()} {shown_value(item)}" for key, item in facts.items())
    if isinstance(value, list):
        return ", ".join(shown_value(item) for item in cast("list[object]", value))
    return str(value)


def shown_number(value: float) -> str:
    """Return a number with four significant digits and thousands apart; whole ones in full."""
    if value == int(value):
        return f"{value:,.0f}" if abs(value) < 1e9 else format_count(value)  # noqa: PLR2004 - readable in full
    rounded = float(f"{value:.{_DIGITS}g}")
    if 1e3 <= abs(rounded) < 1e9:  # noqa: PLR2004 - readable in full
        return f"{rounded:,.0f}"
    return f"{rounded:g}"


def shown_title(name: str) -> str:
    """Return a key as people write it."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]
