"""What the published runs say about one question: the correction of its time, and how far off to expect it."""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from estimator.catalogue import catalogue
from estimator.evidence.calibration import Calibration, committed_calibration
from estimator.evidence.correction import Neighbours, correction_log, error_scale, numbered
from estimator.evidence.likeness import Traits, setting_traits, traits_of
from estimator.physics.choice import Setting
from estimator.physics.stacks import stack_named

__all__ = ["Outlook", "neighbours", "neighbours_of", "outlook_of"]

_KEPT = 4096
"""Questions remembered: those of one plan or comparison differ in what corrections do not depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What runs like a question teach about it."""

    correction_log: float
    """To be added to the log of predicted time."""
    error_scale: float
    """Typical absolute log error of predictions like it."""


@cache
def neighbours() -> Neighbours:
    """Return the published runs of the committed calibration, with what it left of each."""
    return neighbours_of(committed_calibration())


def neighbours_of(calibration: Calibration) -> Neighbours:
    """Return the published runs of the `calibration`, with what it left of each."""
    runs = [run for run in catalogue.runs() if run.id in calibration.residuals]
    return Neighbours(
        traits=traits_of(
            [stack_named(run.stack) for run in runs],
            [catalogue.accelerator(run.accelerator_id).value.accelerator for run in runs],
            [run.precision for run in runs],
            [run.transformer for run in runs],
            [run.method for run in runs],
            lengths=[run.sequence_length for run in runs],
            tokens_per_step=[calibration.residuals[run.id][1] for run in runs],
            released=[run.released for run in runs],
        ),
        residuals=np.array([calibration.residuals[run.id][0] for run in runs]),
        errors=np.abs(np.log([calibration.ratios[run.id] for run in runs])),
        groups=numbered([run.group for run in runs]),
    )


def outlook_of(setting: Setting) -> Outlook:
    """Return what published runs say about a question, before any layout is chosen."""
    return _outlook(setting_traits(setting).values)


@lru_cache(maxsize=_KEPT)
def _outlook(values: tuple[float, ...]) -> Outlook:
    traits, runs = Traits.of_values(values), neighbours()
    return Outlook(
        correction_log=float(correction_log(traits, runs)[0]), error_scale=float(error_scale(traits, runs)[0])
    )
