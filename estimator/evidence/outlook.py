"""Log correction of one question's time, kriged from published runs' residuals, and its expected absolute log error.

Both follow from the question's traits alone, before any layout is chosen, and are cached by them.
"""

from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np

from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.evidence.calibration import Calibration, committed_calibration, generation
from estimator.evidence.correction import Neighbours, correction_log, error_scale, numbered
from estimator.evidence.likeness import Traits, setting_traits, traits_of
from estimator.models.kinds import decoder_share
from estimator.models.prediction import with_prediction
from estimator.physics.choice import Setting
from estimator.physics.stacks import stack_named

__all__ = ["Outlook", "neighbour_runs", "neighbours", "neighbours_of", "outlook_of", "served_runs"]

_KEPT = 4096
"""Questions remembered: those of one plan or comparison differ in what corrections do not depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The kriged correction of one question and the expected size of its error, both in log time."""

    correction_log: float
    """Kriged residual, to be added to the log of predicted time on top of the effects."""
    error_scale: float
    """Geometric mean of the absolute log errors that left-out runs like it had."""


def served_runs() -> tuple[PublishedRun, ...]:
    """Return the published runs that have a residual in the calibration in use, in the catalogue's order."""
    return _neighbour_runs(generation())


@cache
def _neighbour_runs(_: int) -> tuple[PublishedRun, ...]:
    return neighbour_runs(committed_calibration())


def neighbours() -> Neighbours:
    """Return the residuals of the calibration in use, shape (R,), in the order of its runs."""
    return _neighbours(generation())


@cache
def _neighbours(_: int) -> Neighbours:
    return neighbours_of(committed_calibration())


def neighbour_runs(calibration: Calibration) -> tuple[PublishedRun, ...]:
    """Return the published runs that have a residual in `calibration`, in the catalogue's order."""
    return tuple(run for run in catalogue.runs() if run.id in calibration.residuals)


def neighbours_of(calibration: Calibration) -> Neighbours:
    """Return the residuals of `calibration`, shape (R,), in the order of its `neighbour_runs`."""
    runs = neighbour_runs(calibration)
    return Neighbours(
        traits=traits_of(
            [stack_named(run.stack) for run in runs],
            [catalogue.accelerator(run.accelerator_id).value.accelerator for run in runs],
            [run.precision for run in runs],
            [with_prediction(run.transformer) for run in runs],
            [run.method for run in runs],
            lengths=[run.sequence_length for run in runs],
            tokens_per_step=[calibration.residuals[run.id][1] for run in runs],
            released=[run.released for run in runs],
        ),
        weights=np.array([calibration.residuals[run.id][2] for run in runs]),
        errors=np.abs(np.log([calibration.ratios[run.id] for run in runs])),
        labs=numbered([run.lab for run in runs]),
    )


def outlook_of(setting: Setting) -> Outlook:
    """Return the kriged correction and error scale of a question; its layout plays no part.

    The residuals are decoders', and correct others as far as decoders' runs tell of them.
    """
    found = _outlook(setting_traits(setting).values, generation())
    share = decoder_share(setting.question.transformer)
    return found if share == 1.0 else replace(found, correction_log=share * found.correction_log)


@lru_cache(maxsize=_KEPT)
def _outlook(values: tuple[float, ...], _: int) -> Outlook:
    traits, runs = Traits.of_values(values), neighbours()
    return Outlook(
        correction_log=float(correction_log(traits, runs)[0]), error_scale=float(error_scale(traits, runs)[0])
    )
