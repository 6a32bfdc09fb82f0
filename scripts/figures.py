"""The figures of the committed backtest as tables of Markdown, for the documents in each of their languages.

Nothing is worked out here: what is told was measured by scripts/calibrate, and is in the catalogue's accuracy.json and
tables.json.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypedDict

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.calibrate.benchmarks import PEERS  # noqa: E402 - the checkout's own packages come first
from estimator.catalogue import catalogue  # noqa: E402
from estimator.catalogue.calibration_shapes import TableRow  # noqa: E402

__all__ = ["BLOCKS", "KINDS_TOLD", "Language", "judged_kinds"]

Language = Literal["en", "zh"]
_VERDICTS = "what ran, or ran out of memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """How far answers to one kind of question are off."""

    rows: int
    median: float
    """Of the relative error, by which the kinds are ordered."""
    half: str
    most: str
    covered: float | None
    width: float | None


class _Words(TypedDict):
    """figures.json: what is said around the figures."""

    kinds: dict[str, dict[Language, str]]
    """Kinds of question that are told of, by their names among the figures."""
    texts: dict[str, dict[Language, str]]
    peers: dict[str, str]
    """What the tables that other estimators are judged by say, in Chinese; the longer comes first."""


_WORDS: _Words = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
KINDS_TOLD = frozenset(_WORDS["kinds"])
"""Kinds of question that the README tells of, by their names among the figures."""


def judged_kinds() -> frozenset[str]:
    """Return the names of all kinds of question, and tables, that there are figures of."""
    return frozenset(_measured())


def _accuracy(language: Language) -> str:
    """Return how far answers are off by kind of question, best first, and how often a verdict on memory is right."""
    measured = _measured()
    table = _table(
        _WORDS["texts"]["accuracy"][language],
        (
            f"| {_WORDS['kinds'][name][language]} | {figures.rows:,} | {figures.half} | {figures.most} "
            f"| {_share(figures.covered)} | {_factor(figures.width)} |"
            for name, figures in sorted(measured.items(), key=lambda judged: judged[1].median)
            if name in _WORDS["kinds"]
        ),
    )
    (verdicts,) = (row for row in catalogue.tables()["tables"] if row["name"] == _VERDICTS)
    told = _WORDS["texts"]["verdicts"][language]
    verdict = told.format(right=format(1.0 - verdicts["mean"], ".1%"), rows=format(verdicts["rows"], ","))
    return f"{table}\n{verdict}\n"


def _measured() -> dict[str, _Figures]:
    """Return the figures of everything that was judged, by its name."""
    figures = {
        name: _relative(row["rows"], row["median"], row["p90"], row["covered"], row["range_width"])
        for name, row in catalogue.accuracy()["regimes"].items()
    }
    for table in catalogue.tables()["tables"]:
        name = re.sub(r", \d+ labs$", "", table["name"])
        figures[name] = _relative(
            table["rows"], table["median"], table["p90"], table.get("covered"), table.get("range_width")
        )
    for who, people in catalogue.tables()["people"].items():
        figures[f"people: {who}"] = _Figures(
            rows=people["rows"],
            median=people["median_factor"] - 1.0,
            half=f"{people['median_factor']:.2f}×",
            most=f"{people['p90_factor']:.2f}×",
            covered=people["inside"] / people["rows"],
            width=people["range_width"],
        )
    return figures


def _relative(rows: int, median: float, p90: float, covered: float | None, width: float | None) -> _Figures:
    return _Figures(rows=rows, median=median, half=f"{median:.1%}", most=f"{p90:.1%}", covered=covered, width=width)


def _peers(language: Language) -> str:
    """Return the mean errors on the tables that other estimators are judged by too, ours beside theirs."""
    rows: dict[str, list[TableRow]] = {name: [] for name in PEERS}
    for row in catalogue.tables()["tables"]:
        if row["name"] in rows:
            rows[row["name"]].append(row)
    table = _table(
        _WORDS["texts"]["peers"][language],
        (
            f"| {_named(whole)} | {whole['rows']:,} | {whole['mean']:.1%} | {in_turn['mean']:.1%} | {PEERS[name]} |"
            for name, (whole, in_turn) in rows.items()
        ),
        last="---",
    )
    if language == "zh":
        for english, chinese in _WORDS["peers"].items():
            table = table.replace(english, chinese)
    return table


def _regimes(_: Language) -> str:
    """Return the backtest's figures, a regime a row."""
    return _table(
        "| runs | rows | labs | median error | 90% below | labs alike | bias | in range | range, high ÷ low |",
        (
            f"| {name} | {row['rows']:,} | {row['labs']} | {row['median']:.1%} | {row['p90']:.1%} "
            f"| {row['labs_alike']:.1%} | {math.expm1(row['bias']):+.1%} "
            f"| {_share(row['covered'])} | {_factor(row['range_width'])} |"
            for name, row in catalogue.accuracy()["regimes"].items()
        ),
    )


def _tables(_: Language) -> str:
    """Return the errors on tables of measurements, a table a row."""
    return _table(
        "| measurements, and what is left out | rows | mean | median | 90% below | in range | range, high ÷ low |",
        (
            f"| {_named(row)}: {row['left_out']} | {row['rows']:,} | {row['mean']:.1%} | {row['median']:.1%} "
            f"| {row['p90']:.1%} | {_share(row.get('covered'))} | {_factor(row.get('range_width'))} |"
            for row in catalogue.tables()["tables"]
        ),
    )


def _people(_: Language) -> str:
    """Return how far answers are from what people report, a group a row."""
    return _table(
        "| reports | rows | off by, median | 90% below | in range | range, high ÷ low |",
        (
            f"| {who} | {row['rows']} | {row['median_factor']:.2f}× | {row['p90_factor']:.2f}× "
            f"| {_share(row['inside'] / row['rows'])} | {_factor(row['range_width'])} |"
            for who, row in catalogue.tables()["people"].items()
        ),
    )


def _named(row: TableRow) -> str:
    """Return the name of a table, with what its error is of where that is no time."""
    return row["name"] if row["of"] in {"step time", "run time"} else f"{row['name']} ({row['of']})"


def _share(covered: float | None) -> str:
    return "" if covered is None else f"{covered:.0%}"


def _factor(width: float | None) -> str:
    return "" if width is None else f"{width:.1f}×"


def _table(heading: str, rows: Iterable[str], *, last: str = "---:") -> str:
    """Return a table of Markdown: text in its first column, numbers in all others but the `last` where that is text."""
    numbers = heading.count("|") - 3
    return "\n".join([heading, "| --- |" + " ---: |" * numbers + f" {last} |", *rows]) + "\n"


BLOCKS: Mapping[str, Callable[[Language], str]] = MappingProxyType(
    {"accuracy": _accuracy, "peers": _peers, "regimes": _regimes, "tables": _tables, "people": _people}
)
"""What stands between the comments `<!-- NAME:begin -->` and `<!-- NAME:end -->` of a document."""
