"""What is told of an answer, piece by piece, whoever lays it out: a terminal, or a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from server.rendering.words import is_plain, shown_title, shown_value

__all__ = ["Block", "Column", "Facts", "Line", "RangedOption", "Ranges", "Spread", "Table"]


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph, or the heading of what follows it."""

    text: str
    kind: Literal["plain", "heading", "item", "warning", "aside"] = "plain"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values; those that have none are not told."""

    rows: Sequence[tuple[str, str]]

    def told(self) -> list[tuple[str, str]]:
        """Return the facts that have a value."""
        return [(name, value) for name, value in self.rows if value]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, as text."""

    key: str
    cells: Sequence[str]
    numeric: bool

    @property
    def title(self) -> str:
        """Its key as people write it."""
        return shown_title(self.key)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of equal keys. The columns in `joined` become one, and one that is empty all down is left out."""

    title: str
    rows: Sequence[Mapping[str, Any]]
    joined: tuple[str, ...] = ()

    def columns(self) -> list[Column]:
        """Return the columns that are told."""
        kept = [key for key in self.rows[0] if any(_says_something(row[key]) for row in self.rows)] if self.rows else []
        return [
            Column(
                key=key,
                cells=[self._cell(row, key) for row in self.rows],
                numeric=all(isinstance(row[key], int | float) or row[key] is None for row in self.rows),
            )
            for key in kept
            if key not in self.joined[1:]
        ]

    def _cell(self, row: Mapping[str, Any], key: str) -> str:
        parts = self.joined if key in self.joined else (key,)
        return " ".join(text for part in parts if (text := shown_value(row[part])))


def _says_something(value: object) -> bool:
    return is_plain(value) and value not in {None, ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A value between the ends of its range."""

    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RangedOption:
    """One option of a plot."""

    n_gpus: int
    days: Spread
    usd: Spread | None
    """None where no price is known."""
    pareto: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """A plot: what each option takes and costs, with its range, by number of GPUs.

    Options of one series differ in nothing that a comparison varies but their number of GPUs; they stand together,
    the fewest first.
    """

    series: Mapping[str, Sequence[RangedOption]]


Block = Line | Facts | Table | Ranges
