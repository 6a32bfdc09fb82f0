"""Whole runs of days and weeks, and of minutes: the overhead closes what steps alone leave open.

Authority: days and GPU-hours as published, in model cards, papers and logbooks; the lab of each run is left out.
"""

from collections import defaultdict
from dataclasses import replace
from statistics import mean, median

import pytest

from estimator.calibrate.whole_runs import Kind, WholeRun, published_s, whole_runs
from estimator.catalogue import catalogue
from estimator.catalogue.published import Duration
from estimator.evidence.calibration import committed_calibration
from tests.backtests import from_end_to_end

KINDS: tuple[Kind, ...] = ("MLPerf, minutes", "days and weeks")


def _runs(kind: Kind) -> tuple[WholeRun, ...]:
    return tuple(one for one in from_end_to_end() if one.kind == kind)


def test_weeks_are_judged_on_weeks_of_many_labs() -> None:
    """Most run-level rows are MLPerf's, minutes long; those that are not are of other labs."""
    runs = _runs("days and weeks")
    assert len(runs) >= 20
    assert len({one.run.lab for one in runs}) >= 10
    assert all(one.published_s > 0.9 * 86400 for one in runs)
    assert all(one.published_s < 86400 for one in _runs("MLPerf, minutes"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_range_of_a_whole_run_holds_what_was_published(kind: Kind) -> None:
    assert mean(one.inside for one in _runs(kind)) >= 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_whole_runs_are_off_to_neither_side(kind: Kind) -> None:
    """They were 15 to 22 % too short while only steps and a few failures were counted."""
    assert abs(median(one.error for one in _runs(kind))) < 0.1
    assert median(abs(one.error) for one in _runs(kind)) < 0.16


@pytest.mark.parametrize("counted", ["steps", "release"])
def test_what_a_published_number_counts_is_what_is_predicted(
    counted: Duration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A speed times the tokens has no overhead in it; GPU-hours of a release hold longer contexts and post-training."""
    known = [one for one in _runs("days and weeks") if one.run.duration_of == counted]
    assert known
    as_runs = tuple(replace(one.run, duration_of="run") for one in known)
    monkeypatch.setattr(catalogue, "runs", lambda: as_runs)
    for one, run in zip(known, whole_runs(committed_calibration()), strict=True):
        longer, shorter = (one, run) if counted == "release" else (run, one)
        assert shorter.predicted_s < longer.predicted_s
        assert shorter.high_s < longer.high_s


def test_hours_of_a_trillion_tokens_are_those_of_steps() -> None:
    """What a source works out from its own speed agrees with it to the rounding, and is marked so."""
    for run in catalogue.runs():
        seconds, speed = published_s(run), run.tokens_per_second_per_gpu
        if run.duration_of == "steps" and seconds and speed and run.total_tokens:
            assert run.total_tokens / (speed * run.n_gpus) == pytest.approx(seconds, rel=5e-3)


def test_a_lab_that_is_left_out_is_in_the_range_more_often_than_not() -> None:
    """Labs alike: one with a model that is priced wrongly is one lab, however many of its runs are known."""
    inside: dict[str, list[bool]] = defaultdict(list)
    for one in _runs("days and weeks"):
        inside[one.run.lab].append(one.inside)
    assert mean(mean(several) for several in inside.values()) >= 0.75
