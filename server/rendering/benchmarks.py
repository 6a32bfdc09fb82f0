"""Errors on tables of measurements, for people: a table in a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from estimator.catalogue.calibration_shapes import TablesFile
from server.rendering.terminal import Terminal

__all__ = ["print_tables"]


def print_tables(figures: TablesFile, console: Console | None = None) -> None:
    """Print how far predictions were off, a table of measurements a row."""
    console = console or Terminal(highlight=False)
    console.print(Text(f"Tables that others are judged by too. Error: {figures['error']}."))
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    for title in ("Table", "Left out of the fit", "Error of"):
        table.add_column(title)
    for title in ("Rows", "Mean", "Median", "90% below"):
        table.add_column(title, justify="right")
    for row in figures["tables"]:
        covered = f" ({row['covered']:.0%} in their range)" if "covered" in row else ""
        table.add_row(
            row["name"] + covered,
            row["left_out"],
            row["of"],
            f"{row['rows']:,}",
            *(f"{row[figure]:.1%}" for figure in ("mean", "median", "p90")),
        )
    console.print(table)
    for who, people in figures["people"].items():
        console.print(
            Text(
                f"People's threads, {who}: {people['inside']} of {people['rows']} ranges hold what was measured, at a "
                f"median width of {people['range_width']:.2f}; off by {people['median_factor']:.2f} times in the "
                f"median, {people['p90_factor']:.2f} at 90%."
            )
        )
