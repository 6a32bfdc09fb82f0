"""Verdicts on the published runs: normal as they were, slow at a third of their speed, implausible beyond the device.

Authority: the measured speed of each run in the catalogue, held against its own stated layout and stack; the shares
asked for are the project's targets.
"""

from dataclasses import dataclass
from functools import cache

from estimator import catalogue
from estimator.backtest import published_setting
from estimator.case import matmul_ceiling_flop_per_s
from estimator.check_expected import Bound, Expected, Verdict, expected_of, question_bound, verdict
from estimator.errors import InfeasibleError
from estimator.hardware import Accelerator

NORMAL, SLOW_AT_A_THIRD = 0.90, 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One published run with what would be expected of it."""

    name: str
    speed: float
    expected: Expected
    bound: Bound
    chip: Accelerator
    precision: str


@cache
def _rows() -> tuple[Row, ...]:
    rows: list[Row] = []
    for run in catalogue.runs():
        if run.tokens_per_second_per_gpu is None or run.offloaded:
            continue
        try:
            found = published_setting(run)
        except InfeasibleError:
            continue
        rows.append(
            Row(
                name=run.id,
                speed=run.tokens_per_second_per_gpu * run.n_gpus,
                expected=expected_of(found),
                bound=question_bound(found.question, packed_short=run.packed_short),
                chip=found.question.cluster.accelerator,
                precision=run.precision,
            )
        )
    return tuple(rows)


def _share(wanted: Verdict, factor: float) -> float:
    verdicts = [verdict(row.speed * factor, row.expected, row.bound) for row in _rows()]
    return verdicts.count(wanted) / len(verdicts)


def test_most_published_runs_are_normal() -> None:
    assert len(_rows()) > 1000
    assert _share("normal", 1.0) >= NORMAL


def test_nearly_all_of_the_same_runs_are_slow_at_a_third_of_their_speed() -> None:
    assert _share("slow", 1 / 3) >= SLOW_AT_A_THIRD


def test_every_run_is_implausible_above_its_device() -> None:
    """Above the peak of the datasheet, and above what was measured where that is less."""
    for row in _rows():
        peak = row.chip.peak_flop_per_s.get(row.precision, row.chip.training_peak_flop_per_s)
        ceiling = max(peak, matmul_ceiling_flop_per_s(row.chip, row.precision), row.bound.flop_per_s_per_gpu)
        above = 1.001 * row.bound.tokens_per_second * ceiling / row.bound.flop_per_s_per_gpu
        assert verdict(above, row.expected, row.bound) == "implausible", row.name


def test_hardly_any_published_run_is_called_implausible() -> None:
    """Those that are state 16 bit, or full sequences, where the submission's own code used less."""
    assert _share("implausible", 1.0) <= 0.01
