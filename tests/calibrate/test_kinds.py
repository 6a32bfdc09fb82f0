"""What runs of other kinds than decoders teach: levels by how they are set up and by kind, and ranges, labs left out.

Authority: arithmetic (a mean of labs' medians, drawn to its prior); the published rows themselves.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from estimator.calibrate.kinds import KindErrors, fitted_kinds, kind_errors, kind_tables
from estimator.calibrate.runs_of_kinds import MeasuredRun
from estimator.catalogue.kind_runs import kind_rows
from estimator.evidence.calibration import Calibration, KindLevel, committed_calibration
from estimator.models.kinds import KIND_NAMES, Kind
from estimator.physics.stacks import stack_named
from tests.backtests import of_other_kinds

TIERS = frozenset({"tuned", "research", "untuned"})


@cache
def _runs() -> dict[str, MeasuredRun]:
    return {run.id: run for run in of_other_kinds()}


@cache
def _errors() -> KindErrors:
    return kind_errors(committed_calibration())


def _made(rows: Sequence[tuple[Kind, str, float]], manners: Sequence[str] | None = None) -> KindErrors:
    """Return errors of invented runs: kind, lab, log of measured over predicted time, and how they are set up."""
    any_run = next(iter(_runs().values()))
    runs = tuple(replace(any_run, id=str(place), kind=kind, lab=lab) for place, (kind, lab, _) in enumerate(rows))
    logs = np.array([log for *_, log in rows])
    return KindErrors(
        runs=runs, manners=tuple(manners or ["tuned"] * len(rows)), logs=logs, spreads=np.zeros(len(rows)), left_out={}
    )


def _rows(kind: Kind, labs: Sequence[str], log: float) -> list[tuple[Kind, str, float]]:
    return [(kind, lab, log) for lab in labs]


def test_kinds_lie_to_both_sides_of_what_is_set_up_as_they_are() -> None:
    fitted = fitted_kinds(_made([*_rows("vision", "abc", 0.6), *_rows("encoder", "defg", 0.0)]))
    assert 0.0 < fitted.manners["tuned"] < 0.6
    adds = {name: row["level_log"] for name, row in fitted.kinds.items()}
    assert -0.3 < adds["encoder"] < 0.0 < adds["vision"] < 0.3


def test_kinds_share_the_level_of_how_they_are_set_up() -> None:
    """One kind measured by people alone, one by benchmarks alone: the difference is of how, not of kind."""
    rows = [*_rows("vision", "abcdefgh", 0.6), *_rows("encoder", "ijklmnop", 0.0)]
    fitted = fitted_kinds(_made(rows, [*["people"] * 8, *["tuned"] * 8]))
    apart = fitted.manners["people"] - fitted.manners["tuned"]
    assert apart > 0.4
    assert fitted.kinds["vision"]["level_log"] - fitted.kinds["encoder"]["level_log"] < 0.3 * apart


def test_many_labs_outweigh_what_their_kind_is_drawn_to() -> None:
    few, many = (
        fitted_kinds(_made([*_rows("vision", [f"lab{i}" for i in range(n)], 0.6), *_rows("encoder", "zyxwv", -0.5)]))
        for n in (2, 60)
    )
    levels = [fitted.manners["tuned"] + fitted.kinds["vision"]["level_log"] for fitted in (few, many)]
    assert levels[0] < levels[1] < 0.65
    assert levels[1] == pytest.approx(0.6, abs=0.05)


def test_a_lab_that_was_held_up_does_not_set_the_level() -> None:
    """It is drawn to about as far as by one that is somewhat slower."""
    somewhat, far = (
        fitted_kinds(_made([*_rows("vision", "abcdef", 0.0), ("vision", "g", log)])).manners["tuned"]
        for log in (0.5, 3.0)
    )
    assert 0.0 < somewhat == pytest.approx(far, rel=0.1)


def test_a_lab_of_many_runs_counts_as_one() -> None:
    once = _made([*_rows("vision", "a", 1.0), *_rows("vision", "bc", 0.0)])
    often = _made([*_rows("vision", "a" * 50, 1.0), *_rows("vision", "bc", 0.0)])
    assert 0.0 < fitted_kinds(once).manners["tuned"] < 0.5
    assert fitted_kinds(often).manners["tuned"] < 0.5


def test_a_lab_does_not_vouch_for_itself() -> None:
    """A lab that is far off is as far off in the table, however many rows it has: they are left out with it."""
    for count in (1, 30):
        far = _rows("vision", "z" * count, 1.0)
        table = {row["name"]: row for row in kind_tables(_made([*_rows("vision", "abcdef", 0.0), *far]))}
        assert table["vision models, 7 labs"].get("covered") == pytest.approx(6 / (6 + count), abs=1e-4)


def test_most_published_rows_are_priced_and_every_other_one_says_why_not() -> None:
    rows = {row["id"] for row in kind_rows()}
    kept = {run.id for run in _errors().runs}
    assert kept | set(_errors().left_out) == rows
    assert not kept & set(_errors().left_out)
    assert all(_errors().left_out.values())
    usable = {row["id"] for row in kind_rows() if row["usable"] == "yes"}
    assert kept <= usable
    assert len(kept) >= 0.95 * len(usable)


def test_what_a_person_reports_of_an_own_machine_is_as_people_have_it() -> None:
    reports = [row["id"] for row in kind_rows() if "a person's report" in row["flags"] and row["usable"] == "yes"]
    assert len(reports) >= 5
    by_tier: dict[str, set[str]] = {}
    for run, manner in zip(_errors().runs, _errors().manners, strict=True):
        if run.id in reports:
            by_tier.setdefault(stack_named(run.question.framework).tier, set()).add(manner)
    assert by_tier["untuned"] == {"people"}


@pytest.mark.parametrize(
    ("run", "most"),
    [
        # A projector's training: towers read one picture a sample, whatever text is padded beside it.
        ("llava-001", 1.4),
        ("palo-002", 1.7),
        # No workers: pages of documents are decoded between steps.
        ("optimumhabana-025", 1.6),
        ("optimumhabana-026", 1.8),
        ("xtunerllava-001", 1.3),
        ("xtunerllava-003", 1.5),
        # 400 samples a second: its workers set the pace.
        ("nanovlm-001", 1.8),
    ],
)
def test_pictures_that_set_the_pace_or_are_padded_beside_are_priced_without_a_level(run: str, most: float) -> None:
    """Measured over predicted, before any level."""
    errors = _errors()
    place = [each.id for each in errors.runs].index(run)
    assert 1.0 / 1.3 < math.exp(errors.logs[place]) < most


def test_every_kind_has_a_level_and_a_width_and_ranges_hold_what_they_promise() -> None:
    """Nominal 90 % over all, whole labs left out; kinds of a few labs within what so few can say."""
    fitted = fitted_kinds(_errors())
    kinds = {*KIND_NAMES} - {"decoder"}
    alike = {f"{run.kind} {manner}" for run, manner in zip(_errors().runs, _errors().manners, strict=True)}
    assert set(fitted.kinds) == {"all", *kinds, *alike}
    assert set(fitted.manners) == {"people", *TIERS}
    assert all(row["half_log"] > 0.0 for row in fitted.kinds.values())
    table = kind_tables(_errors())
    overall = table[-1]
    assert 0.87 <= overall.get("covered", 0.0) <= 0.95
    assert overall["median"] <= 0.18
    assert overall.get("range_width", 0.0) <= 3.5
    assert all(row.get("covered", 0.0) >= 0.75 for row in table if row["rows"] >= 10)


def test_errors_are_those_of_answers_without_any_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels are not fitted on top of levels: calibrating twice gives the same, of every sixth run as of all."""
    calibration: Calibration = committed_calibration()
    level = KindLevel(level_log=1.0, half_log=1.0, runs=1, labs=1)
    shifted = replace(calibration, kinds=dict.fromkeys(("all", *KIND_NAMES), level), manners={"tuned": 1.0})
    some, logs = _errors().runs[::6], _errors().logs[::6]
    left_out: dict[str, str] = {}
    monkeypatch.setattr("estimator.calibrate.kinds.measured_runs", lambda: (some, left_out))
    assert np.array_equal(kind_errors(shifted).logs, logs)


def test_rows_that_hold_several_samples_are_asked_by_the_tokens_of_one() -> None:
    """Google's BERT packs, NVIDIA's leaves padding out: either way a sample is the 256 tokens that it has."""
    assert {_runs()[name].question.sequence_length for name in ("mlbert-034", "mlbert-002")} == {256}
    assert _runs()["dlebert-001"].question.sequence_length == 128
    assert _runs()["t5x-001"].question.sequence_length == 512


@pytest.mark.parametrize(("name", "towers"), [("dit-001", ["vae"]), ("fastdit-003", []), ("mosaicsd-001", [])], ids=str)
def test_encoders_run_in_the_step_where_the_row_says_so(name: str, towers: list[str]) -> None:
    there = {tower.name.rstrip("_0123456789") for tower in _runs()[name].question.transformer.towers if tower.rate > 0}
    assert there & {"vae", "text_encoder"} == set(towers)


@pytest.mark.parametrize(("name", "modules"), [("nemotronh-002", 2), ("nemotronh-003", 1), ("nemotronh-001", 0)])
def test_modules_that_predict_further_tokens_are_asked_about_as_they_were_trained(name: str, modules: int) -> None:
    """Lightning trains two depths, Nano none: their measured speeds are with all that was trained."""
    towers = _runs()[name].question.transformer.towers
    assert sum(tower.network.n_layers for tower in towers if tower.name == "prediction") == modules
