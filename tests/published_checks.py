"""Published runs as checks of their own speed: what was measured, what is expected, and what bounds it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from estimator.answers.check.expected import Bound, Expected, Verdict, expected_of, question_bound, verdict
from estimator.base.errors import InfeasibleError
from estimator.calibrate.backtest import published_setting
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.physics.ceilings import matmul_ceiling_flop_per_s
from estimator.physics.effects import regime_keys

__all__ = ["Row", "left_out", "rows", "share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One published run with what would be expected of it."""

    name: str
    regimes: tuple[str, ...]
    tokens_per_second: float
    """As measured, all devices."""
    expected: Expected
    bound: Bound
    above: float
    """Tokens per second just above what the device can do, by datasheet or measurement, whichever is more."""


@cache
def rows() -> tuple[Row, ...]:
    """Return every published run that has a speed and a layout."""
    return tuple(_rows())


def _rows() -> Iterator[Row]:
    for run in catalogue.runs():
        if run.tokens_per_second_per_gpu is None or run.offloaded:
            continue
        try:
            posed = published_setting(run)
        except InfeasibleError:
            continue
        bound = question_bound(posed.question, packed_short=run.packed_short)
        chip = posed.question.cluster.accelerator
        peak = chip.peak_flop_per_s.get(run.precision, chip.training_peak_flop_per_s)
        ceiling = max(peak, matmul_ceiling_flop_per_s(chip, run.precision), bound.flop_per_s_per_gpu)
        yield Row(
            name=run.id,
            regimes=regime_keys(posed.question, posed.stack),
            tokens_per_second=run.tokens_per_second_per_gpu * run.n_gpus,
            expected=expected_of(posed),
            bound=bound,
            above=1.001 * bound.tokens_per_second * ceiling / bound.flop_per_s_per_gpu,
        )


def left_out(several: Iterable[Row]) -> list[Row]:
    """Return `several` with what constants fitted without each row's own lab expect of it."""
    ratios = committed_calibration().ratios
    out: list[Row] = []
    for row in several:
        if row.name in ratios:
            speed = row.tokens_per_second / ratios[row.name]
            by = speed / row.expected.tokens_per_second
            expected = replace(
                row.expected, tokens_per_second=speed, low=row.expected.low * by, high=row.expected.high * by
            )
            out.append(replace(row, expected=expected))
    return out


def share(several: Iterable[Row], wanted: Verdict, factor: float = 1.0) -> float:
    """Return the share of `several` with that verdict, their speeds times `factor`."""
    verdicts = [verdict(row.tokens_per_second * factor, row.expected, row.bound) for row in several]
    return verdicts.count(wanted) / len(verdicts)
