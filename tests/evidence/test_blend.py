"""The second opinion helps where it is near, and is silent where kinds of runs say nothing.

Authority: reason, as `estimator/evidence/share.py` states it; arithmetic.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.calibrate.opinions import fitted_shares
from estimator.evidence.blend import blended_log
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.share import FALLING, RISING, share_log


def _added(parting_log: float) -> float:
    return float(blended_log(np.array(parting_log)))


@given(st.floats(-5.0, 5.0))
def test_a_blend_lies_between_the_two_opinions_and_nearer_to_the_physics(parting_log: float) -> None:
    added = _added(parting_log)
    assert abs(added) <= 0.5 * abs(parting_log)
    assert added * parting_log >= 0.0
    assert _added(-parting_log) == -added


def test_a_blend_fades_where_the_opinions_part_far() -> None:
    """A tenfold difference is a question of physics, such as a very slow network."""
    shares = [_added(parting) / parting for parting in (0.1, 0.5, 1.0, 2.0, 5.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.02 < shares[0]
    assert _added(0.0) == 0.0
    assert _added(np.log(10.0)) < _added(0.5)


@pytest.mark.parametrize("turned", [False, True])
def test_a_coefficient_has_the_sign_that_reason_gives_it_or_is_0(turned: bool) -> None:
    """Invented runs of four labs, once as reason has it and once the other way round."""
    random = np.random.default_rng(0)
    features = [
        {"one": 1.0, **{name: float(random.normal()) for name in sorted({*RISING, *FALLING, "size"})}}
        for _ in range(80)
    ]
    slopes = dict.fromkeys(RISING, 0.2) | dict.fromkeys(FALLING, -0.2)
    sign = -1.0 if turned else 1.0
    log_share = np.array([sign * (share_log(row, slopes) + 0.2 * row["size"]) - 1.0 for row in features])
    found = fitted_shares(features, log_share, np.arange(80) % 4)
    # The slope of a feature that reason says nothing of may go either way, and the level is the labs' common one.
    if turned:
        assert [found[name] for name in slopes] == [0.0] * len(slopes)
        assert found["size"] < 0.0
    else:
        assert found == pytest.approx({"one": -1.0, "size": 0.2, **slopes}, abs=0.05)


def test_the_committed_coefficients_have_the_signs_that_reason_gives_them() -> None:
    shares = committed_calibration().shares
    assert all(shares[name] >= 0.0 for name in RISING)
    assert all(shares[name] <= 0.0 for name in FALLING)
