"""A report of a finished sweep, from its Parquet files: a comparison of what is left once it is thinned."""

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from estimator.answers.sweep.points import Sweep
from estimator.answers.sweep.shown import shown_points, sweep_summary
from estimator.answers.sweep.thinned import Slice, Thinned, Thinning
from estimator.base.errors import InfeasibleError, InvalidValueError
from server.protocol.registry import TOOLS
from server.protocol.tool import Answer, Tool, answer_of
from server.sweep.part import Plan, sweep_of
from server.sweep.store import part_name
from tools.compare_training_options import TrainingOptions, training_options

__all__ = ["asked_of", "report_tool", "sweep_answer"]

_COLUMNS = ("point", "possible", "training_seconds", "cost_usd")


def report_tool() -> Tool:
    """Return the tool whose answers have the form of a sweep's report."""
    tool = TOOLS.tool("compare_training_options")
    if tool is None:
        raise TypeError("a sweep is reported as a comparison, and no tool makes one")
    return tool


def asked_of(plan: Plan) -> Mapping[str, Any]:
    """Return what was asked, as a report repeats it: the fixed values, and those that were varied."""
    spec: dict[str, dict[str, Any]] = json.loads(plan.spec)
    return {**spec.get("fixed", {}), **spec.get("vary", {})}


def sweep_answer(plan: Plan, folder: Path) -> Answer:
    """Return a comparison of the points of a finished sweep that are on its Pareto front or show it over the GPUs.

    `n_options` and `n_possible` count all points, and ranks are among all of them.
    Raises InfeasibleError where no point can be run, and InvalidValueError where a file cannot be read.
    """
    described = sweep_of(plan.spec)
    thinning = Thinning(described)
    for several in _slices(plan, folder):
        thinning.add(several)
    thinned = thinning.thinned()
    if not thinned.points:
        raise InfeasibleError("no point of the sweep can be run, so that there is nothing to report; its rows say why")
    return answer_of(_options(described, thinned, _ranks(plan, folder, thinned)))


def _options(described: Sweep, thinned: Thinned, ranks: Mapping[int, int]) -> TrainingOptions:
    shown = shown_points(described, thinned, ranks)
    rows = [one.row for one in shown]
    options = training_options(rows, "time", len(rows), detailed=False)
    told = [
        option.model_copy(update={"layout": "; ".join(filter(None, (option.layout, one.varied))) or None})
        for option, one in zip(options.rows, shown, strict=True)
    ]
    return options.model_copy(
        update={
            "summary": sweep_summary(described, thinned, rows),
            "rows": told,
            "n_options": len(described),
            "n_possible": thinned.n_possible,
            "n_left_out": len(described) - len(rows),
            # Of hundreds of rows, each with figures of its own: one of a kind, the fastest row's.
            "warnings": list({warning.code: warning for warning in reversed(options.warnings)}.values())[::-1],
        }
    )


def _ranks(plan: Plan, folder: Path, thinned: Thinned) -> Mapping[int, int]:
    """Return the rank by time of each point that is left, among all that can be run; equals share theirs."""
    ahead = np.zeros(len(thinned.points), dtype=np.int64)
    for several in _slices(plan, folder):
        ahead += np.searchsorted(np.sort(several.training_s[several.possible]), thinned.training_s)
    return dict(zip(thinned.points, (ahead + 1).tolist(), strict=True))


def _slices(plan: Plan, folder: Path) -> Iterator[Slice]:
    """Yield the points of every part, as far as thinning asks for them."""
    # Imported by name, because it has no types.
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    for part in range(plan.parts):
        path = folder / part_name(part)
        try:
            table = parquet.read_table(path, columns=list(_COLUMNS))
            # Of null, NumPy has NaN.
            point, possible, training_s, cost_usd = (table[name].to_numpy() for name in _COLUMNS)
        except (OSError, KeyError, arrow.ArrowException) as error:
            raise InvalidValueError("out", str(path), "cannot be read; run the sweep again") from error
        yield Slice(point=point, possible=possible, training_s=training_s, cost_usd=cost_usd)
