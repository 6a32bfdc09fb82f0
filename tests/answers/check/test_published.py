"""Verdicts on the published runs: normal as they were, slow at a third of their speed, implausible beyond the device.

Authority: the measured speed of each run in the catalogue, held against its own stated layout and stack; the shares
asked for are the project's targets.
"""

from estimator.answers.check.expected import verdict
from tests.published_checks import left_out, rows, share

NORMAL, SLOW_AT_A_THIRD = 0.90, 0.95
CHANCE = 0.02
"""What a 90 % range may fall short of 90 % on a thousand runs of some seventy sources."""


def test_most_published_runs_are_normal() -> None:
    assert len(rows()) > 1000
    assert share(rows(), "normal") >= NORMAL


def test_most_are_normal_to_constants_fitted_without_their_source() -> None:
    """As it will be with runs that nobody has published yet."""
    unseen = left_out(rows())
    assert len(unseen) > 0.9 * len(rows())
    assert share(unseen, "normal") >= NORMAL - CHANCE


def test_nearly_all_of_the_same_runs_are_slow_at_a_third_of_their_speed() -> None:
    assert share(rows(), "slow", 1 / 3) >= SLOW_AT_A_THIRD
    assert share(left_out(rows()), "slow", 1 / 3) >= SLOW_AT_A_THIRD


def test_every_run_is_implausible_above_its_device() -> None:
    """Above the peak of the datasheet, and above what was measured where that is less."""
    for row in rows():
        assert verdict(row.above, row.expected, row.bound) == "implausible", row.name


def test_hardly_any_published_run_is_called_implausible() -> None:
    """Those that are state 16 bit, or full sequences, where the submission's own code used less."""
    assert share(rows(), "implausible") <= 0.01
