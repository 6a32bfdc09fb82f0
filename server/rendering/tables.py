"""Facts and tables in a terminal, however narrow it is."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from server.rendering.blocks import Column, Facts, Table

__all__ = ["print_facts", "print_table"]

_SHORT = 12
"""Characters of a cell that is not broken over lines; more are, at words, into lines no shorter than that."""
_GAP = 2


def print_facts(console: Console, facts: Facts) -> None:
    """Print names with their values."""
    grid = Grid(box=None, show_header=False, padding=(0, _GAP, 0, 0))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts.told():
        grid.add_row(Text(name), Text(value))
    if grid.row_count:
        console.print(grid)


def print_table(console: Console, table: Table) -> None:
    """Print a table, as paragraphs where its columns do not fit side by side."""
    if not table.rows:
        return
    columns = table.columns()
    longest = [max(map(len, column.cells)) for column in columns]
    heads = [max(map(len, column.title.split()), default=0) for column in columns]
    needed = sum(max(min(width, _SHORT), head) + _GAP for width, head in zip(longest, heads, strict=True))
    if needed > console.width:
        _print_paragraphs(console, table.title, columns)
        return
    grid = Grid(
        title=table.title or None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, _GAP, 0, 0),
    )
    for column, width, head in zip(columns, longest, heads, strict=True):
        grid.add_column(
            column.title,
            overflow="fold",
            justify="right" if column.numeric else "left",
            min_width=max(min(width, _SHORT), head),
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        grid.add_row(*map(Text, row))
    console.print(grid)


def _print_paragraphs(console: Console, title: str, columns: Sequence[Column]) -> None:
    """Print each row as its first cell, and the others with their titles below."""
    if title:
        console.print(Text(title, "bold"))
    for first, *others in zip(*(column.cells for column in columns), strict=True):
        told = "; ".join(
            f"{column.title.lower() if column.key.islower() else column.key} {cell}"
            for column, cell in zip(columns[1:], others, strict=True)
            if cell
        )
        if len(first) <= _SHORT:
            console.print(Text(f"- {first}: {told}" if told else f"- {first}"))
            continue
        console.print(Text(f"- {first}"))
        if told:
            console.print(Padding(Text(told), (0, 0, 0, _GAP)))
    console.print()
