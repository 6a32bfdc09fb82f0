"""Checked inputs: what numbers divide, and which of several names is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import UnknownNameError
from estimator.base.inputs import checked_choice, divisors_of


@given(number=st.integers(1, 5_000))
def test_divisors_are_all_that_divide_smallest_first(number: int) -> None:
    assert divisors_of(number) == [d for d in range(1, number + 1) if number % d == 0]


def test_divisors_of_many_devices_are_found_by_their_roots() -> None:
    """10,000,000 = 2^7 · 5^7: 64 of them."""
    found = divisors_of(10_000_000)
    assert (len(found), found[0], found[-1]) == (64, 1, 10_000_000)


def test_a_choice_that_there_is_not_is_answered_with_all_where_they_are_few_and_else_with_the_nearest() -> None:
    few, many = ("auto", "none", "full"), tuple(f"choice_{place}" for place in range(20))
    with pytest.raises(UnknownNameError) as caught:
        checked_choice("recompute", "ful", few)
    assert caught.value.nearest == few
    with pytest.raises(UnknownNameError) as caught:
        checked_choice("recompute", "choice_7x", many)
    assert 0 < len(caught.value.nearest) < len(many)
    assert "choice_7" in caught.value.nearest
