"""The largest amount that keeps to a limit is found however use rises with it.

Authority: the definition: what is found keeps to the limit, and a little more does not.
"""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.plan.amounts import NEARLY, Used, largest_within

MOST = 10**18
START = 10**12


def _found(share: Callable[[int], float], start: int = START) -> tuple[int | None, int]:
    """Return what is found, and how many amounts were tried."""
    tried = 0

    def used(amount: int) -> Used:
        nonlocal tried
        tried += 1
        taken = share(amount)
        return Used(share=taken, proposal=amount / taken if taken < math.inf else 0.0, keeps=taken <= 1.0)

    return largest_within(used, start, MOST), tried


@given(power=st.floats(0.05, 1.5), limit=st.floats(1e4, 1e17))
def test_use_that_rises_with_any_power_of_the_amount(power: float, limit: float) -> None:
    """Proportional scaling alone converges ever slower as the power falls."""
    found, tried = _found(lambda amount: (amount / limit) ** power)
    assert found is not None
    assert found <= limit * (1 + 1e-12)
    assert (found / limit) ** power >= NEARLY
    assert tried < 30


@given(jump=st.floats(1.01, 50.0), at=st.floats(1e6, 1e14), limit=st.floats(1e6, 1e14))
def test_use_that_jumps(jump: float, at: float, limit: float) -> None:
    """From some amount on each one takes several times as much, so that no amount takes all of the limit."""

    def share(amount: int) -> float:
        return amount / limit * (jump if amount > at else 1.0)

    found, _ = _found(share)
    assert found is not None
    assert share(found) <= 1.0
    assert share(math.ceil(found * (1 + 1e-4)) + 1) > 1.0


@pytest.mark.parametrize("start", [100, START])
def test_amounts_that_cannot_be_had_are_passed_over(start: int) -> None:
    found, _ = _found(lambda amount: math.inf if amount > 5e9 else amount / 1e10, start)
    assert found == pytest.approx(5e9, rel=1e-4)


@given(least=st.floats(1.001, 1e6))
def test_none_is_found_where_the_first_step_takes_more_than_there_is(least: float) -> None:
    found, tried = _found(lambda amount: least * max(1.0, amount / 1e6))
    assert found is None
    assert tried < 30


def test_use_in_proportion_is_settled_in_two_tries() -> None:
    found, tried = _found(lambda amount: amount / 3.3e11)
    assert found == pytest.approx(3.3e11, rel=1e-6)
    assert tried == 2


def test_no_more_is_found_than_may_be_had() -> None:
    assert _found(lambda amount: amount / 1e20)[0] == MOST
