"""Checked inputs: what numbers divide."""

from hypothesis import given
from hypothesis import strategies as st

from estimator.base.inputs import divisors_of


@given(number=st.integers(1, 5_000))
def test_divisors_are_all_that_divide_smallest_first(number: int) -> None:
    assert divisors_of(number) == [d for d in range(1, number + 1) if number % d == 0]


def test_divisors_of_many_devices_are_found_by_their_roots() -> None:
    """10,000,000 = 2^7 · 5^7: 64 of them."""
    found = divisors_of(10_000_000)
    assert (len(found), found[0], found[-1]) == (64, 1, 10_000_000)
