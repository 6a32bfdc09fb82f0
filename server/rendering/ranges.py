"""The plot of a comparison: what its options take and cost, by number of GPUs."""

from collections.abc import Mapping, Sequence
from typing import Any

from estimator.base.units import format_count
from server.rendering.blocks import RangedOption, Ranges, Spread

__all__ = ["ranges_of"]

_Option = Mapping[str, Any]
_VARIED = ("model", "method", "gpu", "precision", "tokens")
"""What tells one series from another, in the order it is named."""


def ranges_of(rows: Sequence[_Option]) -> Ranges:
    """Return the rows of a comparison that can be run as series over their GPUs, named by what tells them apart."""
    possible = [row for row in rows if row["rank"] is not None]
    telling = [key for key in _VARIED if len({row[key] for row in possible}) > 1]
    series: dict[str, list[RangedOption]] = {}
    for row in sorted(possible, key=lambda row: row["n_gpus"]):
        series.setdefault(_name(row, telling or ["gpu"]), []).append(
            RangedOption(
                n_gpus=row["n_gpus"],
                days=_spread(row, "training_days"),
                usd=None if row["cost_usd"] is None else _spread(row, "cost_usd"),
                pareto=row["pareto"],
            )
        )
    return Ranges(series=dict(sorted(series.items())))


def _name(row: _Option, telling: Sequence[str]) -> str:
    words = (f"{format_count(row[key])} tokens" if key == "tokens" else str(row[key]) for key in telling)
    return ", ".join(words)


def _spread(row: _Option, key: str) -> Spread:
    return Spread(low=row[f"{key}_low"], value=row[key], high=row[f"{key}_high"])
