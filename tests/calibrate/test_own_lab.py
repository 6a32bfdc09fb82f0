"""What one run of the same lab is worth, with the rest of the lab left out.

Authority: the catalogue's runs.csv, the published measurements; its tables.json is what is claimed of them.
"""

from functools import cache

import numpy as np
import pytest

from estimator.calibrate.own_lab import LeftIn, LeftOutErrors, errors_left_in, left_out_errors, own_lab_tables
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.uncertainty import holds
from tests.backtests import rows

STATED = {row["name"]: row for row in catalogue.tables()["tables"]}
WAYS = pytest.mark.parametrize(("most", "alike"), [(1, False), (1, True), (2, False), (5, False), (5, True)])


@cache
def _errors() -> LeftOutErrors:
    return left_out_errors(committed_calibration(), rows())


@cache
def _left_in(*, most: int = 1, alike: bool = False) -> LeftIn:
    return errors_left_in(_errors(), most=most, alike=alike)


def test_the_figures_stated_are_those_of_the_committed_calibration() -> None:
    for row in own_lab_tables(_errors()):
        assert STATED[row["name"]] == pytest.approx(row, abs=1e-3), row["name"]


def test_the_run_most_alike_brings_the_median_error_to_six_per_cent() -> None:
    left = _left_in(most=1, alike=True)
    assert np.median(np.abs(np.expm1(-left.logs))) <= 0.06


@WAYS
def test_whatever_is_left_in_lowers_the_error_and_the_width_of_ranges(most: int, alike: bool) -> None:
    left = _left_in(most=most, alike=alike)
    before = _errors().logs[left.rows]
    assert np.median(np.abs(left.logs)) < 0.9 * np.median(np.abs(before))
    # One run at random may be of quite another kind than the one that is asked about.
    assert np.quantile(np.abs(left.logs), 0.9) < 1.02 * np.quantile(np.abs(before), 0.9)
    assert np.all(left.halves <= _errors().halves[left.rows])


@WAYS
def test_ranges_hold_nine_of_ten_whatever_is_left_in(most: int, alike: bool) -> None:
    left = _left_in(most=most, alike=alike)
    assert 0.87 <= np.mean(holds(-left.logs, left.halves)) <= 0.93


def test_a_row_is_never_left_in_for_itself() -> None:
    assert all(place not in peers for place, peers in enumerate(_errors().peers))
