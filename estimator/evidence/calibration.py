"""Fitted constants, effects, conformal quantiles and residuals, as `scripts/calibrate` wrote them."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from itertools import count

from estimator.catalogue import catalogue
from estimator.catalogue.calibration_shapes import CalibrationFile
from estimator.physics.constants import PRIORS, Constants

__all__ = [
    "Calibration",
    "KindLevel",
    "KindRun",
    "calibration_as_written",
    "committed_calibration",
    "generation",
    "standing_in",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindLevel:
    """What published runs of one kind of model that is no decoder say of its steps."""

    level_log: float
    """Log of measured over predicted time in the middle of its labs, over what runs set up alike are off by; of all
    kinds together: as decoders' runs would have it."""
    half_log: float
    """Half the log width of the range that holds 90 % of them."""
    runs: int
    labs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRun:
    """A published run of a model that is no decoder, as far as other questions are held against it."""

    kind: str
    parameters: float
    ratio: float
    """Predicted over measured time with the run's own lab left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The fitted parameters, and the left-out errors that corrections and ranges follow from."""

    constants: Constants
    effects: Mapping[str, float]
    """Random effects on log step time by key, such as `stack:nemo`; a key without one counts as 0."""
    quantiles: Mapping[str, float]
    """Conformal quantiles by regime: half the log width of a range beside known spreads; `all` is always there."""
    ratios: Mapping[str, float]
    """Predicted over measured time with the run's own lab left out, by run id."""
    residuals: Mapping[str, tuple[float, float, float]]
    """Log of measured over predicted time, effects included and not kriged, tokens a step, and the residual's kriging
    weight, by run id."""
    shares: Mapping[str, float]
    """Coefficients of the second opinion, by feature: what share of the matmul ceiling runs of a kind reach."""
    coverage: float
    kinds: Mapping[str, KindLevel]
    """Models that are no decoders, by kind, and by kind and manner for the width; `all` is all of them together."""
    manners: Mapping[str, float]
    """Log of measured over predicted time of models that are no decoders, by how runs are set up: see `manner_of`."""
    kind_runs: Mapping[str, KindRun]
    """Their published runs, by id."""


_STAND_IN: ContextVar[tuple[int, Calibration] | None] = ContextVar("stand_in", default=None)
_GENERATIONS = count(1)


def committed_calibration() -> Calibration:
    """Return the committed calibration, or the one that stands in for it."""
    stand_in = _STAND_IN.get()
    return _committed() if stand_in is None else stand_in[1]


def generation() -> int:
    """Return the number of the calibration that is in use, for caches of what follows from it; 0: the committed one."""
    stand_in = _STAND_IN.get()
    return 0 if stand_in is None else stand_in[0]


@contextmanager
def standing_in(calibration: Calibration) -> Generator[None]:
    """Answer with `calibration` within: how answers are judged that some of the fit is left out of."""
    token = _STAND_IN.set((next(_GENERATIONS), calibration))
    try:
        yield
    finally:
        _STAND_IN.reset(token)


@cache
def _committed() -> Calibration:
    return calibration_as_written(catalogue.calibration_file())


def calibration_as_written(raw: CalibrationFile) -> Calibration:
    """Return the calibration that a file holds; a constant that it lacks keeps its prior's mode."""
    return Calibration(
        constants=Constants({name: raw["constants"].get(name, prior.mode) for name, prior in PRIORS.items()}),
        effects=raw["effects"],
        quantiles=raw["quantiles"],
        ratios=raw["ratios"],
        residuals={name: (residual, tokens, weight) for name, (residual, tokens, weight) in raw["residuals"].items()},
        shares=raw["shares"],
        coverage=raw["coverage"],
        kinds={name: KindLevel(**row) for name, row in raw.get("kinds", {}).items()},
        manners=raw.get("manners", {}),
        kind_runs={name: KindRun(**row) for name, row in raw.get("kind_runs", {}).items()},
    )
