"""Levels and ranges of models that are no decoders, and how far they are off with whole labs left out.

Constants of the physics stay those fitted to decoders. What runs of other kinds take beyond them differs by how they
are set up, more than by kind: as people have their machines, or on stacks more or less tuned, which were fitted to
decoders. So there is one level for each way, which all kinds share, and what each kind adds to it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from estimator.answers.estimate.best_step import best_step
from estimator.answers.estimate.overhead import run_overhead
from estimator.base.errors import EstimatorError
from estimator.calibrate.runs_of_kinds import MeasuredRun, measured_runs
from estimator.catalogue.calibration_shapes import KindRow, KindRunRow, TableRow
from estimator.evidence.calibration import Calibration, standing_in
from estimator.evidence.kinds import kind_regimes, manner_of
from estimator.evidence.uncertainty import holds, left_out_half_widths, regime_quantiles
from estimator.models.kinds import KIND_NAMES
from estimator.models.workload import workload
from estimator.physics.choice import nearest_setting
from estimator.physics.layout import Floats

__all__ = ["FittedKinds", "KindErrors", "fitted_kinds", "kind_errors", "kind_tables"]

_ALL = "all"
_LAB_SPREAD = 0.35
"""Log time by which labs of one kind differ, standard deviation: about what decoders' do."""
_RUN_SPREAD = 0.3
"""The same of the runs of one lab."""
_OVERALL_SPREAD = 0.3
"""How far the level of all of them lies from decoders'."""
_MANNER_SPREAD = 0.3
"""How far the level of runs set up alike lies from that of all: people's own take half as long again."""
_KIND_SPREAD = 0.1
"""How far one kind lies from others set up alike: with labs left out, 0.1 and 0.15 do equally well, 0.25 worse."""
_FAR_OFF = 0.2
"""Log time off beyond which a lab weighs less, in inverse proportion, so that a level is nearer to labs' median than to
their mean (Huber 1964): what is slower by several times was held up by something else than the step, of which other
labs say nothing. With labs left out, 0.15 to 0.25 do equally well, 0.4 worse."""
_FULL_TRUST = 40
"""Labs at which a kind is as narrow as its own quantile, where that is less than that of all kinds: their labs differ
more than decoders' do. With labs left out 20 hold 76 % of sounds, 40 82 %, and of all kinds 93 % of runs and labs."""
_ROUNDS = 40
"""Of reweighting, by which levels no longer move."""
_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KindErrors:
    """By what the answers to published runs are off before their kind's level is known, shape (R,)."""

    runs: tuple[MeasuredRun, ...]
    manners: tuple[str, ...]
    """How each was set up."""
    logs: Floats
    """Of measured over predicted time."""
    spreads: Floats
    """Standard deviation of the log time of each from what differs between machines; see `situation_spread`."""
    left_out: dict[str, str]
    """Why rows are not among them, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedKinds:
    """What goes into the calibration; see `Calibration.kinds`, `Calibration.manners` and `Calibration.kind_runs`."""

    kinds: dict[str, KindRow]
    manners: dict[str, float]
    runs: dict[str, KindRunRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Levels:
    """Log of measured over predicted time: of all, by how runs are set up, and what each kind adds."""

    overall: float
    manners: dict[str, float]
    kinds: dict[str, float]

    def of(self, kind: str, manner: str) -> float:
        """Return the level of one kind, set up in one way."""
        return self.manners.get(manner, self.overall) + self.kinds.get(kind, 0.0)


def kind_errors(calibration: Calibration) -> KindErrors:
    """Return the errors of every usable row, answered with `calibration` and no level of any kind."""
    measured, left_out = measured_runs()
    kept: list[MeasuredRun] = []
    manners: list[str] = []
    logs: list[float] = []
    spreads: list[float] = []
    plain = replace(calibration, kinds={}, manners={})
    with standing_in(plain):
        for run in measured:
            try:
                setting = nearest_setting(run.question)
            except EstimatorError as error:
                left_out[run.id] = str(error)
                continue
            asked = run.question.global_batch_sequences or setting.global_batch
            best = best_step(setting, plain)
            predicted_s = best.prediction.step_s * asked / setting.global_batch
            if run.whole_s is not None:
                beside = run_overhead(run.question.cluster.n_gpus, run.whole_s, setting.stack)
                predicted_s *= 1.0 + beside.fraction
            kept.append(run)
            manners.append(manner_of(setting))
            logs.append(math.log(run.measured_s / predicted_s))
            spreads.append(best.grounds.situation)
    return KindErrors(
        runs=tuple(kept), manners=tuple(manners), logs=np.array(logs), spreads=np.array(spreads), left_out=left_out
    )


def fitted_kinds(errors: KindErrors) -> FittedKinds:
    """Return the levels by how runs are set up, and of each kind what it adds and the half width of its range."""
    kinds, labs = [run.kind for run in errors.runs], [run.lab for run in errors.runs]
    off = errors.logs - _left_out_levels(errors)
    regimes = [kind_regimes(kind, manner) for kind, manner in zip(kinds, errors.manners, strict=True)]
    quantiles = regime_quantiles(-off, errors.spreads, regimes, labs, full_trust=_FULL_TRUST)
    levels = _levels(errors, range(len(labs)))
    # Those set up alike have their kind's level, and a width of their own.
    alike = {names[0]: levels.kinds[names[1]] for names in regimes}
    named = {_ALL: levels.overall, **levels.kinds, **alike}
    rows: dict[str, KindRow] = {
        name: {
            "level_log": round(level, _DIGITS),
            "half_log": round(quantiles[name], _DIGITS),
            "runs": sum(name in names for names in regimes),
            "labs": len({lab for names, lab in zip(regimes, labs, strict=True) if name in names}),
        }
        for name, level in sorted(named.items())
    }
    manners = {name: round(level, _DIGITS) for name, level in sorted(levels.manners.items())}
    runs: dict[str, KindRunRow] = {
        run.id: {
            "kind": run.kind,
            "parameters": float(workload(run.question.transformer).parameters),
            "ratio": round(math.exp(-float(error)), _DIGITS),
        }
        for run, error in zip(errors.runs, off, strict=True)
    }
    return FittedKinds(kinds=rows, manners=manners, runs=runs)


def kind_tables(errors: KindErrors) -> list[TableRow]:
    """Return how far answers are off by kind, the whole lab of each row left out of levels and ranges."""
    kinds, labs = [run.kind for run in errors.runs], [run.lab for run in errors.runs]
    off = errors.logs - _left_out_levels(errors)
    regimes = [kind_regimes(kind, manner) for kind, manner in zip(kinds, errors.manners, strict=True)]
    halves = left_out_half_widths(-off, errors.spreads, regimes, labs, np.zeros(len(off)), full_trust=_FULL_TRUST)
    inside, widths = holds(-off, halves), np.exp(2.0 * halves)
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
    """Return the level of each row, its own lab left out, shape (R,)."""
    labs = [run.lab for run in errors.runs]
    out = np.empty(len(labs))
    for lab in set(labs):
        levels = _levels(errors, [place for place, other in enumerate(labs) if other != lab])
        for place, other in enumerate(labs):
            if other == lab:
                out[place] = levels.of(errors.runs[place].kind, errors.manners[place])
    return out


def _levels(errors: KindErrors, places: Sequence[int]) -> _Levels:
    """Return the levels that the runs at `places` show.

    Of all and of runs set up alike, a mean of labs' medians by kind, those of one lab sharing its weight; of a kind,
    one of what its medians lie above the level of their way.
    """
    found: dict[tuple[str, str, str], list[float]] = {}
    for place in places:
        run = errors.runs[place]
        found.setdefault((run.lab, errors.manners[place], run.kind), []).append(float(errors.logs[place]))
    medians = {cell: float(np.median(logs)) for cell, logs in found.items()}
    weights = {cell: 1.0 / (_LAB_SPREAD**2 + _RUN_SPREAD**2 / len(logs)) for cell, logs in found.items()}
    ways = Counter((lab, manner) for lab, manner, _ in found)
    shared = {cell: weight / ways[cell[:2]] for cell, weight in weights.items()}
    overall = _mean(list(medians.values()), list(shared.values()), (0.0, _OVERALL_SPREAD))
    manners: dict[str, float] = {}
    for name in {manner for _, manner, _ in found}:
        alike = [cell for cell in found if cell[1] == name]
        chosen = [medians[cell] for cell in alike], [shared[cell] for cell in alike]
        manners[name] = _mean(*chosen, (overall, _MANNER_SPREAD))
    kinds: dict[str, float] = {}
    for kind in {kind for *_, kind in found}:
        alike = [cell for cell in found if cell[2] == kind]
        above = [medians[cell] - manners[cell[1]] for cell in alike]
        kinds[kind] = _mean(above, [weights[cell] for cell in alike], (0.0, _KIND_SPREAD))
    return _Levels(overall=overall, manners=manners, kinds=kinds)


def _mean(values: Sequence[float], weights: Sequence[float], prior: tuple[float, float]) -> float:
    """Return the mean of `values` m, drawn to a prior of mean m0 and spread κ, what lies far off it weighing less.

    (Σ w m + m0 / κ²) / (Σ w + 1 / κ²),   w = weight · min(1, far off / |m − mean|)
    """
    level, spread = prior
    at, own = np.array(values), np.array(weights)
    mean = level
    for _ in range(_ROUNDS):
        held = own * _FAR_OFF / np.maximum(np.abs(at - mean), _FAR_OFF)
        mean = float((held @ at + level / spread**2) / (held.sum() + 1.0 / spread**2))
    return mean
