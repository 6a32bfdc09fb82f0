"""Ranges are drawn to scale in a terminal of any width and any encoding.

Authority: a logarithmic scale, from the least to the most of what is drawn.
"""

import io
import math

import pytest
from rich.console import Console

from server.rendering.blocks import RangedOption, Ranges, Spread
from server.rendering.plots import print_ranges


def _option(n_gpus: int, days: float, usd: float | None) -> RangedOption:
    return RangedOption(
        n_gpus=n_gpus,
        days=Spread(low=days / 2, value=days, high=days * 2),
        usd=None if usd is None else Spread(low=usd / 4, value=usd, high=usd * 4),
        pareto=False,
    )


RANGES = Ranges(
    series={
        "one": [_option(8, 64.0, 1000.0), _option(16, 32.0, 1000.0), _option(1024, 1.0, 4000.0)],
        "a series with a name that is longer than there is room for": [_option(8, 8.0, None)],
    }
)


def _printed(width: int, ranges: Ranges = RANGES, encoding: str = "utf-8") -> list[str]:
    written = io.BytesIO()
    file = io.TextIOWrapper(written, encoding=encoding, write_through=True)
    print_ranges(Console(file=file, width=width, color_system=None), ranges)
    return written.getvalue().decode(encoding).splitlines()


@pytest.mark.parametrize("width", [70, 80, 120, 200])
def test_bars_are_to_scale_and_nothing_is_cut(width: int) -> None:
    head, *rows = _printed(width)[1:]
    assert head.split() == ["GPUs", "Days", "USD"]
    assert len(rows) == 4
    assert max(map(len, rows)) <= width
    days = [row[head.index("Days") + len("Days") : head.index("USD")] for row in rows]
    points = [bar.index("●") for bar in days]
    # As far apart as the logarithms of 64, 32 and 1 day, but for the rounding to characters.
    scale = (points[0] - points[2]) / math.log(64)
    assert points[0] - points[1] == pytest.approx(scale * math.log(2), abs=1)
    assert points[0] - points[3] == pytest.approx(scale * math.log(8), abs=1)
    for bar in days:
        assert bar.count("━") + 1 == pytest.approx(scale * math.log(4) + 1, abs=1.5)
    for figure, row in zip(("64", "32", "1", "8"), rows, strict=True):
        assert figure in row.split()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_any_encoding_has_bars(encoding: str) -> None:
    ranges = Ranges(series={"one": RANGES.series["one"]})
    assert sum("-o-" in row for row in _printed(80, ranges, encoding)) == 3


def test_what_cannot_be_drawn_is_left_out() -> None:
    """A terminal too narrow for bars, and a single option, which has nothing beside it."""
    assert _printed(30) == []
    assert _printed(80, Ranges(series={"one": RANGES.series["one"][:1]})) == []
    assert _printed(80, Ranges(series={})) == []


def test_costs_are_drawn_where_any_is_known() -> None:
    unpriced = Ranges(series={"one": [_option(8, 64.0, None), _option(16, 32.0, None)]})
    assert "USD" not in _printed(80, unpriced)[1]
