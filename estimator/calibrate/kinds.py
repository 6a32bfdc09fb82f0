"""Levels and ranges of models that are no decoders, and how far they are off with whole labs left out.

The physics and all that is fitted to decoders stay as they are: what runs of another kind take beyond that is one
level a kind, the same for all that is of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from estimator.answers.estimate.best_step import best_step
from estimator.answers.estimate.overhead import run_overhead
from estimator.base.errors import EstimatorError
from estimator.calibrate.runs_of_kinds import MeasuredRun, measured_runs
from estimator.catalogue.shapes import KindRow, TableRow
from estimator.evidence.calibration import Calibration, standing_in
from estimator.evidence.uncertainty import left_out_inside, regime_quantiles
from estimator.models.kinds import KIND_NAMES
from estimator.physics.choice import nearest_setting
from estimator.physics.layout import Floats

__all__ = ["KindErrors", "fitted_kinds", "kind_errors", "kind_tables"]

_ALL = "all"
_LAB_SPREAD = 0.35
"""Log time by which labs of one kind differ, standard deviation: about what decoders' do."""
_RUN_SPREAD = 0.3
"""The same of the runs of one lab."""
_KIND_SPREAD = 0.15
"""How far one kind's level lies from that of all kinds together: of the errors of 23 labs, 0.15 to 0.2 is
likeliest."""
_POOLED_SPREAD = 0.3
"""How far the level of all of them lies from decoders'."""
_FULL_TRUST_LABS = 8
"""Labs at which a kind's own quantile replaces that of all kinds: with 12, as for decoders' regimes, the range of one
with 8 labs held every run of each lab left out."""
_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KindErrors:
    """By what the answers to published runs are off before their kind's level is known, shape (R,)."""

    runs: tuple[MeasuredRun, ...]
    logs: Floats
    """Of measured over predicted time."""
    left_out: dict[str, str]
    """Why rows are not among them, by id."""


def kind_errors(calibration: Calibration) -> KindErrors:
    """Return the errors of every usable row, answered with `calibration` and no level of any kind."""
    measured, left_out = measured_runs()
    kept: list[MeasuredRun] = []
    logs: list[float] = []
    plain = replace(calibration, kinds={})
    with standing_in(plain):
        for run in measured:
            try:
                setting = nearest_setting(run.question)
            except EstimatorError as error:
                left_out[run.id] = str(error)
                continue
            asked = run.question.global_batch_sequences or setting.global_batch
            predicted_s = best_step(setting, plain).prediction.step_s * asked / setting.global_batch
            if run.whole_s is not None:
                beside = run_overhead(run.question.cluster.n_gpus, run.whole_s, setting.stack)
                predicted_s *= 1.0 + beside.fraction
            kept.append(run)
            logs.append(math.log(run.measured_s / predicted_s))
    return KindErrors(runs=tuple(kept), logs=np.array(logs), left_out=left_out)


def fitted_kinds(errors: KindErrors) -> dict[str, KindRow]:
    """Return the level and the half width of each kind, and of all together."""
    kinds, labs = [run.kind for run in errors.runs], [run.lab for run in errors.runs]
    off = errors.logs - _left_out_levels(errors)
    regimes = [(kind, _ALL) for kind in kinds]
    quantiles = regime_quantiles(off, np.ones(len(off)), regimes, labs, full_trust=_FULL_TRUST_LABS)
    levels = _levels(kinds, labs, errors.logs)
    return {
        name: {
            "level_log": round(levels[name], _DIGITS),
            "half_log": round(quantiles[name], _DIGITS),
            "runs": sum(name in {kind, _ALL} for kind in kinds),
            "labs": len({lab for kind, lab in zip(kinds, labs, strict=True) if name in {kind, _ALL}}),
        }
        for name in sorted({*kinds, _ALL})
    }


def kind_tables(errors: KindErrors) -> list[TableRow]:
    """Return how far answers are off by kind, the whole lab of each row left out of levels and ranges."""
    kinds, labs = [run.kind for run in errors.runs], [run.lab for run in errors.runs]
    off = errors.logs - _left_out_levels(errors)
    regimes = [(kind, _ALL) for kind in kinds]
    inside, widths = left_out_inside(off, np.ones(len(off)), regimes, labs, full_trust=_FULL_TRUST_LABS)
    relative = np.abs(np.expm1(-off))
    rows: list[TableRow] = []
    for name in (*sorted(set(kinds)), _ALL):
        chosen = np.array([name in {kind, _ALL} for kind in kinds])
        count = len({lab for lab, here in zip(labs, chosen, strict=True) if here})
        rows.append(
            {
                "name": f"{KIND_NAMES.get(name, 'all kinds but decoder')}s, {count} labs",
                "of": "step time",
                "left_out": "each lab, of levels and ranges",
                "rows": int(chosen.sum()),
                "mean": round(float(relative[chosen].mean()), _DIGITS),
                "median": round(float(np.median(relative[chosen])), _DIGITS),
                "p90": round(float(np.quantile(relative[chosen], 0.9)), _DIGITS),
                "covered": round(float(inside[chosen].mean()), _DIGITS),
                "range_width": round(float(np.median(widths[chosen])), 2),
            }
        )
    return rows


def _left_out_levels(errors: KindErrors) -> Floats:
    """Return the level of each row's kind, its own lab left out, shape (R,)."""
    kinds, labs = [run.kind for run in errors.runs], [run.lab for run in errors.runs]
    out = np.empty(len(labs))
    for lab in set(labs):
        kept = [place for place, other in enumerate(labs) if other != lab]
        levels = _levels([kinds[i] for i in kept], [labs[i] for i in kept], errors.logs[kept])
        for place, (kind, own) in enumerate(zip(kinds, labs, strict=True)):
            if own == lab:
                out[place] = levels.get(kind, levels[_ALL])
    return out


def _levels(kinds: Sequence[str], labs: Sequence[str], logs: Floats) -> dict[str, float]:
    """Return the level of each kind: a mean of its labs' medians, drawn towards that of all kinds together.

    (Σ w m + m0 / κ²) / (Σ w + 1 / κ²),   w = 1 / (lab spread² + run spread² / runs)
    """
    pooled = _mean(kinds, labs, logs, None, (0.0, _POOLED_SPREAD))
    return {_ALL: pooled} | {kind: _mean(kinds, labs, logs, kind, (pooled, _KIND_SPREAD)) for kind in set(kinds)}


def _mean(
    kinds: Sequence[str], labs: Sequence[str], logs: Floats, only: str | None, prior: tuple[float, float]
) -> float:
    by_lab: dict[tuple[str, str], list[float]] = {}
    for kind, lab, log in zip(kinds, labs, logs.tolist(), strict=True):
        if only in {None, kind}:
            by_lab.setdefault((kind, lab), []).append(log)
    weights = np.array([1.0 / (_LAB_SPREAD**2 + _RUN_SPREAD**2 / len(found)) for found in by_lab.values()])
    medians = np.array([float(np.median(found)) for found in by_lab.values()])
    level, spread = prior
    return float((weights @ medians + level / spread**2) / (weights.sum() + 1.0 / spread**2))
