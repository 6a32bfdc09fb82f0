"""How far predictions are off once a lab's own runs are known: some of one lab left in, the rest of it left out.

What is left in is what a caller gives as runs of their own. It enters no fit: constants, effects and quantiles are
those without the whole lab.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.calibrate.backtest import Table
from estimator.catalogue.calibration_shapes import TableRow
from estimator.evidence.calibration import Calibration
from estimator.evidence.correction import numbered
from estimator.evidence.likeness import Traits
from estimator.evidence.own_lab import own_outlook, within_lab_correlation
from estimator.evidence.reach import left_out_beyond
from estimator.evidence.uncertainty import holds, left_out_half_widths
from estimator.physics.layout import Floats

__all__ = ["LeftIn", "LeftOutErrors", "errors_left_in", "left_out_errors", "own_lab_tables"]

_SEED = 0
_DIGITS = 4
_LEFT_OUT = "the rest of its lab"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutErrors:
    """What an unknown lab would see of every row, shape (R,)."""

    traits: Traits
    logs: Floats
    """Of measured over predicted time, the row's lab left out."""
    halves: Floats
    """Half the log width of its range, its lab left out."""
    peers: tuple[NDArray[np.intp], ...]
    """The other rows of the same lab, stack and device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftIn:
    """What is left of the errors of the rows that have a peer, once `own_outlook` has seen some of them."""

    logs: Floats
    halves: Floats
    rows: NDArray[np.intp]


def left_out_errors(calibration: Calibration, rows: Table) -> LeftOutErrors:
    """Return the errors that `calibration` holds of its `rows`, with the ranges of whole labs left out."""
    kept = np.flatnonzero([run.id in calibration.ratios for run in rows.runs])
    labs = [rows.labs[i] for i in kept]
    traits = rows.traits.taken(kept)
    logs = -np.log([calibration.ratios[rows.runs[i].id] for i in kept])
    regimes = [rows.regimes[i] for i in kept]
    beyond = left_out_beyond(traits, [rows.runs[i].n_gpus for i in kept], labs)
    halves = left_out_half_widths(-logs, rows.spreads[kept], regimes, labs, beyond)
    return LeftOutErrors(traits=traits, logs=logs, halves=halves, peers=tuple(_peers(rows, kept)))


def _peers(rows: Table, kept: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    places: list[int] = kept.tolist()
    runs = [rows.runs[i] for i in places]
    groups = numbered([f"{run.lab}\0{run.stack}\0{run.accelerator_id}" for run in runs])
    for place, group in enumerate(groups):
        same = np.flatnonzero(groups == group)
        yield same[same != place]


def errors_left_in(errors: LeftOutErrors, *, most: int = 1, alike: bool = False) -> LeftIn:
    """Return what is left where up to `most` peers of each row are left in: at random, or those most `alike`."""
    rng = np.random.default_rng(_SEED)
    logs: list[float] = []
    halves: list[float] = []
    places: list[int] = []
    for place, peers in enumerate(errors.peers):
        if not len(peers):
            continue
        row = errors.traits.taken(np.array([place]))
        if alike:
            near = within_lab_correlation(row, errors.traits.taken(peers))[0]
            # Rounded, so that equals stay in the catalogue's order on any processor.
            chosen = peers[np.argsort(-near.round(12), kind="stable")[:most]]
        else:
            chosen = rng.permutation(peers)[:most]
        own = own_outlook(row, errors.traits.taken(chosen), errors.logs[chosen])
        logs.append(float(errors.logs[place]) - own.correction_log)
        halves.append(float(errors.halves[place]) * own.narrowing)
        places.append(place)
    return LeftIn(logs=np.array(logs), halves=np.array(halves), rows=np.array(places))


def own_lab_tables(errors: LeftOutErrors) -> list[TableRow]:
    """Return the figures with none, one and several runs of the same lab, stack and device left in."""
    rows = errors_left_in(errors).rows
    none = LeftIn(logs=errors.logs[rows], halves=errors.halves[rows], rows=rows)
    return [
        _entry("runs whose lab has others of the stack and device", "its whole lab", none),
        _entry("the same, one of those left in, at random", _LEFT_OUT, errors_left_in(errors)),
        _entry("the same, the one most alike left in", _LEFT_OUT, errors_left_in(errors, alike=True)),
        _entry("the same, five left in, at random", _LEFT_OUT, errors_left_in(errors, most=5)),
        _entry("the same, the five most alike left in", _LEFT_OUT, errors_left_in(errors, most=5, alike=True)),
    ]


def _entry(name: str, left_out: str, seen: LeftIn) -> TableRow:
    off = np.abs(np.expm1(-seen.logs))
    return {
        "name": name,
        "of": "step time",
        "left_out": left_out,
        "rows": len(off),
        "mean": _rounded(np.mean(off)),
        "median": _rounded(np.median(off)),
        "p90": _rounded(np.quantile(off, 0.9)),
        "covered": _rounded(np.mean(holds(-seen.logs, seen.halves))),
        "range_width": _rounded(np.median(np.exp(2.0 * seen.halves))),
    }


def _rounded(value: float | np.floating) -> float:
    return round(float(value), _DIGITS)
