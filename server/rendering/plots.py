"""Plots in a terminal: ranges as bars of text."""

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from server.rendering.blocks import Ranges, Spread
from server.rendering.words import shown_number

__all__ = ["print_ranges"]

_SHORTEST, _LONGEST = 8, 36
"""Characters of a bar: in fewer nothing is seen, in more nothing more."""
_SHARE_OF_NAMES = 3
"""One part of so many of a line is the most that a name takes."""
_FEWEST = 2
"""Options that are worth a plot."""
_GAP = 2


def print_ranges(console: Console, ranges: Ranges) -> None:
    """Print each option's time and cost, point and range, on a logarithmic scale each; nothing where no room is."""
    options = [option for several in ranges.series.values() for option in several]
    if len(options) < _FEWEST:
        return
    quantities: dict[str, list[Spread | None]] = {
        "Days": [option.days for option in options],
        "USD": [option.usd for option in options],
    }
    told = {title: spreads for title, spreads in quantities.items() if any(spreads)}
    texts = {
        "": _names(ranges, console.width // _SHARE_OF_NAMES),
        "GPUs": [f"{option.n_gpus:,}" for option in options],
        **{title: [shown_number(one.value) if one else "" for one in spreads] for title, spreads in told.items()},
    }
    taken = sum(max(map(len, (title, *cells))) + _GAP for title, cells in texts.items())
    room = min((console.width - taken) // len(told) - _GAP, _LONGEST)
    if room < _SHORTEST:
        return
    grid = Grid(
        title="Time and cost with their ranges, on logarithmic scales",
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, _GAP, 0, 0),
    )
    columns: list[list[str]] = []
    for title, cells in texts.items():
        grid.add_column(title, justify="right" if title else "left", no_wrap=True)
        columns.append(cells)
        if title in told:
            grid.add_column("", no_wrap=True)
            columns.append(_bars(told[title], room, ascii_only=console.options.ascii_only))
    for row in zip(*columns, strict=True):
        grid.add_row(*map(Text, row))
    console.print(grid)


def _names(ranges: Ranges, longest: int) -> list[str]:
    """Return what stands before each option: its series' name, once, clipped to `longest` characters."""
    names: list[str] = []
    for name, several in ranges.series.items():
        names.append(name if len(name) <= longest else f"{name[: longest - 1]}…")
        names += [""] * (len(several) - 1)
    return names


def _bars(spreads: Sequence[Spread | None], width: int, *, ascii_only: bool) -> list[str]:
    """Return each range as a bar with its point, from the least to the most of all of them."""
    line, point = "-o" if ascii_only else "━●"
    least = min(spread.low for spread in spreads if spread)
    most = max(spread.high for spread in spreads if spread)
    scale = math.log(most / least) or 1.0

    def place(value: float) -> int:
        return round(math.log(value / least) / scale * (width - 1))

    def bar(spread: Spread) -> str:
        low, middle, high = place(spread.low), place(spread.value), place(spread.high)
        return " " * low + line * (middle - low) + point + line * (high - middle)

    return [bar(spread) if spread else "" for spread in spreads]
