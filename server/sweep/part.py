"""One part of a sweep, from its description to the bytes of a Parquet file; what every engine runs."""

import io
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from estimator.answers.sweep.points import Sweep, sweep
from estimator.answers.sweep.rows import WHOLE, columns
from estimator.base.errors import InfeasibleError
from estimator.base.version import VERSION
from estimator.catalogue.catalogue import data_version

__all__ = ["Plan", "part_bytes", "part_of", "sweep_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A sweep cut into parts: plain values only, so that any engine can send it anywhere."""

    spec: str
    """The specification as JSON."""
    points: int
    rows_per_part: int
    version: str
    data_version: str

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return -(-self.points // self.rows_per_part)

    def rows(self, part: int) -> int:
        """Return how many rows `part` has."""
        return min(self.rows_per_part, self.points - part * self.rows_per_part)


def part_of(plan: dict[str, Any], part: int) -> bytes:
    """Return the file of `part` of the plan with these fields."""
    return part_bytes(Plan(**plan), part)


def part_bytes(plan: Plan, part: int) -> bytes:
    """Return `part` as a Parquet file. Equal plans give equal bytes, wherever they are worked out.

    Raises InfeasibleError where this machine has another version of the program or its data than the plan.
    """
    ours = (VERSION, data_version())
    if ours != (plan.version, plan.data_version):
        raise InfeasibleError(
            f"this sweep is of traintime {plan.version} (data {plan.data_version}), and a worker has {ours[0]} (data "
            f"{ours[1]}); install the same everywhere"
        )
    # Imported by name, because it has no types.
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    start = part * plan.rows_per_part
    rows = columns(sweep_of(plan.spec), start, start + plan.rows(part))
    arrays = {
        # NaN says that there is no number; to Parquet that is null.
        name: arrow.array(column, from_pandas=True, type=arrow.int64() if name in WHOLE else None)
        if isinstance(column, np.ndarray)
        else arrow.array(column, type=arrow.string())
        for name, column in rows.items()
    }
    file = io.BytesIO()
    parquet.write_table(arrow.table(arrays), file, compression="zstd")
    return file.getvalue()


@lru_cache(maxsize=4)
def sweep_of(spec: str) -> Sweep:
    """Return the sweep that a plan's `spec` describes."""
    return sweep(json.loads(spec))
