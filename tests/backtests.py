"""What the committed calibration says of published runs, worked out once for all tests of one process."""

from functools import cache

from estimator.calibrate.backtest import Table, table
from estimator.calibrate.runs_of_kinds import MeasuredRun, measured_runs
from estimator.calibrate.whole_runs import WholeRun, whole_runs
from estimator.evidence.calibration import committed_calibration

__all__ = ["from_end_to_end", "of_other_kinds", "rows"]


@cache
def rows() -> Table:
    """Return every published run that has a speed, priced in its own layout or the best."""
    return table(committed_calibration().constants)


@cache
def of_other_kinds() -> tuple[MeasuredRun, ...]:
    """Return every published run of a model that is no decoder, as a question."""
    return measured_runs()[0]


@cache
def from_end_to_end() -> tuple[WholeRun, ...]:
    """Return every published run of known length and amount, predicted with its lab left out."""
    return whole_runs(committed_calibration())
