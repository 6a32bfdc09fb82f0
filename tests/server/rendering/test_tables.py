"""Tables read well in a terminal of any width."""

from io import StringIO

import pytest
from rich.console import Console

from server.rendering.blocks import Table
from server.rendering.tables import print_table

ROWS = [
    {
        "name": "a run of some model on some stack, sequence 8,192",
        "GPUs": "128 × h100-sxm",
        "days": 1.5,
        "none": "",
    },
    {"name": "another", "GPUs": "8 × a100-sxm-80gb", "days": 12345.678, "none": None},
]


def _printed(width: int) -> str:
    out = StringIO()
    print_table(Console(file=out, width=width, color_system=None), Table("Runs", ROWS))
    return out.getvalue()


@pytest.mark.parametrize("width", [20, 40, 80, 160])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(width: int) -> None:
    printed = _printed(width)
    assert max(map(len, printed.splitlines())) <= width
    told = "".join(printed.split())
    for cell in ("another", "128×", "12,350", "8,192"):
        assert cell in told
    assert "None" not in printed


def test_what_does_not_fit_side_by_side_is_told_row_by_row() -> None:
    narrow, wide = _printed(30), _printed(120)
    assert "- another: GPUs 8" in narrow
    assert "Runs" in narrow
    assert any("another" in line and "12,350" in line for line in wide.splitlines())
