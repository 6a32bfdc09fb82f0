"""What a lab counts for in a fit.

Authority: Kish 1965, section 8.2: n observations of a cluster, correlated by r, count as n / (1 + r (n - 1)).
"""

import numpy as np
import pytest

from estimator.calibrate.fit import lab_weights

_COUNTS = (1, 2, 10, 100, 1_000, 100_000)


def _counted(counts: tuple[int, ...]) -> list[float]:
    """Return what labs of so many rows count for, each all of its rows together."""
    labs = np.repeat(np.arange(len(counts)), counts)
    weights = lab_weights(labs)
    return [float(weights[labs == lab].sum()) for lab in range(len(counts))]


def test_a_lab_of_one_run_counts_as_one() -> None:
    assert _counted((1, 1, 1)) == pytest.approx([1.0] * 3)


def test_more_runs_of_a_lab_always_count_for_more_and_never_without_bound() -> None:
    counted = _counted(_COUNTS)
    assert counted == sorted(counted)
    assert len(set(counted)) == len(counted)
    assert all(lab <= rows for lab, rows in zip(counted, _COUNTS, strict=True))
    assert counted[-1] == pytest.approx(counted[-2], rel=0.01)


def test_a_run_weighs_what_it_does_whatever_other_labs_hold() -> None:
    alone, among = _counted((10,)), _counted((10, 1_000, 1))
    assert among[0] == pytest.approx(alone[0])
