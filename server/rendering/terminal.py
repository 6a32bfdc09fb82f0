"""What is told of an answer, in a terminal."""

import math

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from estimator.catalogue.calibration_shapes import AccuracyFile
from server.rendering.answers import Answer, told
from server.rendering.blocks import Block, Facts, Line, Ranges, Table
from server.rendering.plots import print_ranges
from server.rendering.tables import print_facts, print_table

__all__ = ["Terminal", "print_accuracy", "print_answer"]

_FIGURE = 6
"""Characters of the longest figure of accuracy, `-12.3%`."""


class Terminal(Console):
    """A console that leaves a closed pipe to its caller instead of ending the process with a fault."""

    def on_broken_pipe(self) -> None:
        """Say that nobody reads any more."""
        raise BrokenPipeError


def print_answer(tool: str, answer: Answer, console: Console | None = None) -> None:
    """Print the answer of `tool` readably."""
    console = console or Terminal(highlight=False)
    for block in told(tool, answer):
        _print_block(console, block)


def _print_block(console: Console, block: Block) -> None:
    match block:
        case Facts():
            print_facts(console, block)
        case Table():
            print_table(console, block)
        case Ranges():
            print_ranges(console, block)
        case Line():
            console.print(_line(block))


def _line(line: Line) -> Text:
    """Return a line as text: names and notes come from data, and a bracket in them is a bracket, not markup."""
    match line.kind:
        case "heading":
            return Text(line.text, "bold")
        case "item":
            return Text(f"- {line.text}")
        case "warning":
            return Text.assemble(("Warning  ", "yellow bold"), line.text)
        case "aside":
            return Text(line.text, "dim")
        case "plain":
            return Text(line.text)


def print_accuracy(figures: AccuracyFile, console: Console | None = None) -> None:
    """Print the backtest, a kind of run a row."""
    console = console or Terminal(highlight=False)
    console.print(
        Text(
            f"{figures['rows_fitted_on']:,} published runs ({figures['rows_left_out']:,} more cannot be used). "
            f"Error: {figures['error']}. Ranges aim at {figures['coverage_aimed_at']:.0%}. "
            f"With no lab left out, the median error is {figures['median_in_sample']:.1%}."
        )
    )
    table = Grid(box=box.SIMPLE_HEAD, padding=0)
    # In a narrow terminal the names are broken, never the figures.
    table.add_column("Runs", overflow="fold")
    for title in ("Rows", "Labs", "Median", "90%\nbelow", "Labs\nalike", "Bias", "In\nrange", "High\n÷ low"):
        table.add_column(title, justify="right", min_width=_FIGURE)
    for name, row in figures["regimes"].items():
        table.add_row(
            name,
            f"{row['rows']:,}",
            f"{row['labs']:,}",
            f"{row['median']:.1%}",
            f"{row['p90']:.1%}",
            f"{row['labs_alike']:.1%}",
            f"{math.expm1(row['bias']):+.1%}",
            f"{row['covered']:.0%}",
            f"{row['range_width']:.2f}",
        )
    console.print(table)
