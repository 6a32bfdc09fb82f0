"""Errors on tables of measurements that others are judged by too, with the constants as calibrated.

What needs fits of its own is in estimator.calibrate.tables_fitted.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from estimator.calibrate.accuracy import in_sample_log_errors
from estimator.calibrate.backtest import Table, table
from estimator.calibrate.whole_runs import WholeRun, published_s
from estimator.catalogue import catalogue
from estimator.catalogue.calibration_shapes import ErrorOf, TableRow
from estimator.catalogue.measured_steps import measured_steps
from estimator.catalogue.published import PublishedRun
from estimator.evidence.calibration import Calibration
from estimator.evidence.correction import correction_log
from estimator.evidence.outlook import neighbours_of
from estimator.physics.layout import Floats

__all__ = ["CLASSICS", "PEERS", "SWEEP", "calibrated_tables", "entry", "layout_loss", "published"]

CLASSICS = {
    "Narayanan et al. 2021, table 1": r"narayanan21-0(0[1-9]|10)",
    "Korthikanti et al. 2022, table 5": r"korthikanti22-\d+",
}
"""Tables of Megatron's own papers, and the ids of their rows."""
SWEEP = "vTrain, one node"
_SETS = {SWEEP: "vtrain-single"}
PEERS = {
    "Narayanan et al. 2021, table 1": "Calculon 10.3%, SimuMax 14%, llm-analysis 46%",
    "Korthikanti et al. 2022, table 5": "Calculon 3.7% (what it was made on), SimuMax 9%, llm-analysis 26%",
    SWEEP: "vTrain's own profiler 8.4%, SimuMax 27%, Calculon 39%",
    "layouts of vTrain, one node": "SimuMax 6.1%, Calculon 10%",
}
"""Mean errors of other estimators, as measured for this comparison."""
_FEWEST_OBSERVED = 2
_THE_SAME = 1.5e-3
"""Relative difference that rounding makes."""


def entry(name: str, quantity: ErrorOf, left_out: str, errors: Floats) -> TableRow:
    """Return the figures of the relative `errors` of one table."""
    size = np.abs(errors)
    row: TableRow = {
        "name": name,
        "of": quantity,
        "left_out": left_out,
        "rows": len(size),
        "mean": round(float(np.mean(size)), 4),
        "median": round(float(np.median(size)), 4),
        "p90": round(float(np.quantile(size, 0.9)), 4),
    }
    if name in PEERS:
        row["peers"] = PEERS[name]
    return row


def published(pattern: str) -> tuple[PublishedRun, ...]:
    """Return the published runs whose ids match `pattern` whole."""
    return tuple(run for run in catalogue.runs() if re.fullmatch(pattern, run.id))


def calibrated_tables(calibration: Calibration, whole: Iterable[WholeRun]) -> list[TableRow]:
    """Return the figures that follow from `calibration` without another fit, and of the `whole` runs that it gives."""
    return [
        *_classics(calibration),
        *_sweeps(calibration),
        *_run_time(whole),
        *_observed_run_time(),
        _observed(calibration),
    ]


def _classics(calibration: Calibration) -> Iterator[TableRow]:
    for name, pattern in CLASSICS.items():
        ratios = [calibration.ratios[run.id] for run in published(pattern) if run.id in calibration.ratios]
        yield entry(name, "step time", "its whole lab", np.array(ratios) - 1.0)


def _sweeps(calibration: Calibration) -> Iterator[TableRow]:
    for name, measured in _SETS.items():
        rows = table(calibration.constants, _steps(measured))
        errors = in_sample_log_errors(rows, calibration) + _corrections(rows, calibration)
        yield entry(name, "step time", "all of it", np.expm1(errors))
        yield entry(f"layouts of {name}", "time lost", "all of it", layout_loss(rows, errors))


def _corrections(rows: Table, calibration: Calibration) -> Floats:
    """Return what published runs like each row correct its log time by: the same for all layouts of a question."""
    first: dict[tuple[object, ...], int] = {}
    question = [first.setdefault(_question(run), i) for i, run in enumerate(rows.runs)]
    asked, question_of_row = np.unique(question, return_inverse=True)
    return correction_log(rows.traits.taken(asked), neighbours_of(calibration))[question_of_row]


def _question(run: PublishedRun) -> tuple[object, ...]:
    """Return what is asked, whatever the layout."""
    return run.transformer.id, run.n_gpus, run.global_batch_sequences, run.sequence_length


@cache
def _steps(name: str) -> tuple[PublishedRun, ...]:
    return measured_steps()[name]


def layout_loss(rows: Table, log_errors: Floats) -> Floats:
    """Return, for each model, batch and count of devices, the share of time lost by trusting the prediction.

        measured time of the layout predicted to be the fastest / least measured time − 1

    What was measured in one layout only has nothing to lose and is left out.
    """
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, run in enumerate(rows.runs):
        alike[_question(run)].append(i)
    predicted = rows.log_measured + log_errors
    lost: list[float] = []
    for members in (np.array(places) for places in alike.values() if len(places) > 1):
        measured = rows.log_measured[members]
        lost.append(float(np.expm1(measured[np.argmin(predicted[members])] - measured.min())))
    return np.array(lost)


def _run_time(whole: Iterable[WholeRun]) -> Iterator[TableRow]:
    """Yield the figures of whole runs, by kind: steps with their lab left out, and the overhead of a run."""
    kinds: dict[str, list[WholeRun]] = defaultdict(list)
    for one in whole:
        kinds[one.kind].append(one)
    for kind, several in sorted(kinds.items()):
        row = entry(f"whole runs, {kind}", "run time", "their lab", np.array([one.error for one in several]))
        row["covered"] = round(float(np.mean([one.inside for one in several])), 4)
        row["range_width"] = round(float(np.median([one.high_s / one.low_s for one in several])), 3)
        yield row


def _observed_run_time() -> Iterator[TableRow]:
    """Yield the figures of whole runs as extrapolated from their own speed, in steady state.

    A duration that is itself worked out from the speed says nothing, and is left out.
    """
    errors: dict[str, list[float]] = {"all weights": [], "adapters": []}
    for run in catalogue.runs():
        seconds, speed = published_s(run), run.tokens_per_second_per_gpu
        if seconds is None or speed is None or run.total_tokens is None:
            continue
        error = run.total_tokens / (speed * run.n_gpus) / seconds - 1.0
        if abs(error) > _THE_SAME:
            errors["all weights" if run.method == "full" else "adapters"].append(error)
    for trained, several in errors.items():
        yield entry(f"whole runs from their own speed, {trained}", "run time", "nothing predicted", np.array(several))


def _observed(calibration: Calibration) -> TableRow:
    """Return the figures after one observed step.

    Every other run of the same source, device, model, precision and release in turn is the one that was observed, in
    another layout, batch or size of cluster; its measured over predicted time scales the prediction.
    """
    alike: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for run in catalogue.runs():
        if run.id in calibration.ratios:
            same = (run.group, run.accelerator_id, run.transformer.name, run.precision, run.framework)
            alike[same].append(float(np.log(calibration.ratios[run.id])))
    errors = [_scaled(np.array(logs)) for logs in alike.values() if len(logs) >= _FEWEST_OBSERVED]
    name = "after one observed step of the same model, device and software"
    return entry(name, "step time", "all of its lab but that step", np.concatenate(errors))


def _scaled(log_errors: Floats) -> NDArray[np.float64]:
    """Return the mean error of each prediction over the others that scale it."""
    between = np.abs(np.expm1(log_errors[:, None] - log_errors[None, :]))
    return np.asarray(between.sum(axis=1) / (len(log_errors) - 1), dtype=np.float64)
