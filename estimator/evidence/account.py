"""What an answer rests on beside physics: how many published runs are near it, and what runs change of it."""

import math
from collections.abc import Sequence

import numpy as np

from estimator.evidence.calibration import committed_calibration
from estimator.evidence.kinds import kind_outlook
from estimator.evidence.likeness import error_kernel, setting_traits
from estimator.evidence.outlook import neighbours, outlook_of
from estimator.evidence.own_lab import OwnOutlook
from estimator.models.kinds import measured_as
from estimator.physics.choice import Setting
from estimator.question.question import Comparable, Evidence

__all__ = ["evidence_of"]

_NEAR = 0.1
"""Likeness from which a run is near: two differences among device, stack and kind, or one and a size e-folds off."""


def evidence_of(setting: Setting, comparables: Sequence[Comparable], own: OwnOutlook) -> Evidence:
    """Return what the prediction of a setting rests on: published runs, and both corrections.

    Runs of decoders are near it by `error_kernel`, or further off; those of other kinds are of its kind, or not.
    `comparables` are the runs shown beside it, the nearest first; `own`: what the caller's runs say.
    """
    kind = kind_outlook(setting, committed_calibration())
    # Each as far as its runs tell of the model: of all but large encoders one of them is nothing.
    published_log = outlook_of(setting).correction_log + kind.level_log
    if measured_as(setting.question.transformer) == "decoder":
        runs, where = neighbours(), "near it"
        near = error_kernel(setting_traits(setting), runs.traits)[0] >= _NEAR
        count, labs = int(near.sum()), len(np.unique(runs.labs[near]))
    else:
        where, count, labs = "of its kind", kind.runs, kind.labs
    nearest = comparables[0].name if count and comparables else ""
    much = f"{_percent(published_log)} of time"
    if count:
        found = f"{_counted(count, 'published run')} of {_counted(labs, 'lab')} {where}: {much}"
    else:
        found = f"physics and its calibrated constants: no published run is {where}, those further off make it {much}"
    corrected = f"corrected by your {_counted(own.used, 'run')}: {_percent(own.correction_log)}" if own.used else ""
    return Evidence(
        runs=count,
        labs=labs,
        nearest=nearest,
        correction=round(100.0 * math.expm1(published_log + own.correction_log), 2),
        note=f"{found}; {corrected}" if corrected else found,
        own=corrected,
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _percent(log: float) -> str:
    """Return a change in per cent, with its sign."""
    return f"{100.0 * math.expm1(log):+.0f} %".replace("-", "−")
