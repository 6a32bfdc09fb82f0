"""The shapes of what calibration writes: what was fitted, how wrong it is, and further tables."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

__all__ = [
    "AccuracyFile",
    "CalibrationFile",
    "ErrorOf",
    "FiguresRow",
    "FittedRow",
    "KindRow",
    "KindRunRow",
    "PeopleRow",
    "TableRow",
    "TablesFile",
]


class FittedRow(TypedDict):
    """What constants were fitted to: how many rows and labs, and the runs that were not, with the reason."""

    rows: int
    labs: int
    left_out: dict[str, str]


class KindRow(TypedDict):
    """What runs of one kind of model that is no decoder say; see calibration.KindLevel."""

    level_log: float
    half_log: float
    runs: int
    labs: int


class KindRunRow(TypedDict):
    """A published run of a model that is no decoder, as far as other questions are held against it."""

    kind: str
    parameters: float
    ratio: float
    """Predicted over measured time with the run's own lab left out."""


class CalibrationFile(TypedDict):
    """data/calibration.json; see calibration.Calibration."""

    fitted_on: FittedRow
    coverage: float
    constants: dict[str, float]
    effects: dict[str, float]
    quantiles: dict[str, float]
    ratios: dict[str, float]
    residuals: dict[str, tuple[float, float, float]]
    shares: dict[str, float]
    kinds: NotRequired[dict[str, KindRow]]
    manners: NotRequired[dict[str, float]]
    kind_runs: NotRequired[dict[str, KindRunRow]]


class FiguresRow(TypedDict):
    """How far the predictions of one regime were off; see accuracy.figures_by_regime."""

    rows: int
    labs: int
    median: float
    p90: float
    labs_alike: float
    """Mean over labs of each lab's median error."""
    bias: float
    covered: float
    labs_covered: float
    """Mean over labs of the share of each lab's rows that lie in their range."""
    range_width: float


class AccuracyFile(TypedDict):
    """data/accuracy.json: the backtest in figures, whole labs left out, and one figure with none left out."""

    error: str
    coverage_aimed_at: float
    rows_fitted_on: int
    rows_left_out: int
    fits_memory: float
    median_in_sample: float
    centred: tuple[float, float]
    """Median and 90 % quantile of the error once each lab's own mean log error is taken out."""
    opinions: dict[str, tuple[float, float]]
    """Median and 90 % quantile of the error of the physics alone, of the second opinion alone, and of their blend."""
    regimes: dict[str, FiguresRow]


ErrorOf = Literal["step time", "run time", "time lost", "memory", "wrong verdicts"]


class TableRow(TypedDict):
    """How far predictions were off on one table of measurements."""

    name: str
    of: ErrorOf
    """What the error is of; `time lost`: by taking the layout predicted to be the fastest instead of the one that was
    measured to be; `wrong verdicts`: a share, of what fits that was said not to, and the other way."""
    left_out: str
    """What was kept out of the fit of the constants that a prediction was made with."""
    rows: int
    mean: float
    median: float
    p90: float
    covered: NotRequired[float]
    """Share of the rows whose measured value lies in the range predicted."""
    range_width: NotRequired[float]
    """Median of high over low end of those ranges."""
    peers: NotRequired[str]
    """What others reach on the same table."""


class PeopleRow(TypedDict):
    """How far answers are from what people measured in public threads; see people.people_figures."""

    rows: int
    inside: int
    """How many ranges hold what was measured."""
    median_factor: float
    p90_factor: float
    """By what factor the point is off, in either direction."""
    range_width: float


class TablesFile(TypedDict):
    """data/tables.json: errors on tables of measurements that others are judged by too, and on people's threads."""

    error: str
    tables: list[TableRow]
    people: dict[str, PeopleRow]
