"""The errors that are stated of tables of measurements are those of the constants that are committed.

Authorities: Narayanan et al. 2021 and Korthikanti et al. 2022, the papers' tables; vTrain's measured steps (Bang et al.
2024); the catalogue's runs.csv. Its tables.json is what is claimed of them.
"""

import math

import numpy as np
import pytest

from estimator.calibrate.backtest import table
from estimator.calibrate.benchmarks import CLASSICS, SWEEP, calibrated_tables, layout_loss, published
from estimator.catalogue import catalogue
from estimator.catalogue.measured_steps import measured_steps
from estimator.evidence.calibration import committed_calibration
from estimator.physics.constants import prior_constants
from tests.backtests import from_end_to_end

STATED = catalogue.tables()["tables"]


def test_the_errors_stated_are_those_of_the_committed_constants() -> None:
    """Whatever needs no fit of its own is worked out again; what does is by scripts/calibrate."""
    stated = {(row["name"], row["left_out"]): row for row in STATED}
    for row in calibrated_tables(committed_calibration(), from_end_to_end()):
        assert stated[row["name"], row["left_out"]] == pytest.approx(row, abs=2e-4), row["name"]


def test_each_table_is_stated_once_for_each_thing_left_out() -> None:
    assert len({(row["name"], row["left_out"]) for row in STATED}) == len(STATED)
    assert {*CLASSICS, SWEEP} <= {row["name"] for row in STATED}
    assert all(0 <= row["median"] <= row["p90"] for row in STATED)
    # A share of wrong verdicts is a mean of noughts and ones.
    assert all(row["mean"] <= row["p90"] * 2 for row in STATED if row["of"] != "wrong verdicts")


@pytest.mark.parametrize(("name", "rows"), [*zip(CLASSICS, (10, 8), strict=True)])
def test_a_papers_table_is_whole(name: str, rows: int) -> None:
    """Narayanan et al. 2021 print ten models; Korthikanti et al. 2022 four, each with both kinds of recomputation."""
    assert len(published(CLASSICS[name])) == rows


def test_a_step_time_of_a_paper_is_the_one_it_prints() -> None:
    """Korthikanti et al. 2022, table 5: 175B takes 18.13 s with full recomputation, 13.75 s with theirs."""
    seconds = {
        run.recompute: (run.global_batch_sequences or 0)
        * run.sequence_length
        / ((run.tokens_per_second_per_gpu or math.nan) * run.n_gpus)
        for run in published(CLASSICS["Korthikanti et al. 2022, table 5"])
        if run.transformer.name == "GPT-175B"
    }
    assert seconds == {"full": pytest.approx(18.13, rel=2e-3), "selective": pytest.approx(13.75, rel=2e-3)}


def test_the_measured_steps_are_all_there() -> None:
    """Bang et al. 2024, section 5: 1,440 points on one node."""
    assert {name: len(runs) for name, runs in measured_steps().items()} == {"vtrain-single": 1440}
    assert len({run.id for runs in measured_steps().values() for run in runs}) == 1440


def test_nothing_is_lost_by_a_prediction_that_is_right() -> None:
    """Nor by one that is wrong by the same factor everywhere."""
    rows = table(prior_constants(), measured_steps()["vtrain-single"])
    right = np.zeros(len(rows.runs))
    assert layout_loss(rows, right).max() == 0.0
    assert layout_loss(rows, right + 0.3).max() == 0.0
    backwards = -2.0 * rows.log_measured
    assert layout_loss(rows, backwards).min() > 0.0
