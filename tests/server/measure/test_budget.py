"""Samples keep to their time, whatever the work takes.

Authority: arithmetic on a clock that only the work moves.
"""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.measure.budget import Budget, Quartiles, quartiles, repetitions, samples


class Clock:
    """A clock that stands still but for the work."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s

    def work(self, once_s: float, first_s: float | None = None) -> Callable[[int], None]:
        """Return work that takes `once_s` a run, and at first `first_s`."""
        left = [once_s if first_s is None else first_s]

        def run(times: int) -> None:
            self.now_s += sum(left.pop() if left else once_s for _ in range(times))

        return run


@given(once_s=st.floats(1e-6, 10.0), slice_s=st.floats(0.1, 20.0), slow=st.floats(1.0, 20.0))
def test_samples_end_with_their_time(once_s: float, slice_s: float, slow: float) -> None:
    """Three at least are taken where they fit twice the time; a sample that is begun is ended."""
    clock = Clock()
    taken = samples(clock.work(once_s, slow * once_s), slice_s, clock)
    spent_s = clock.now_s - 100.0
    assert taken
    assert spent_s <= max(2.0 * slice_s, slow * once_s) + 2.0 * once_s * repetitions(once_s)


@given(once_s=st.floats(1e-4, 0.1))
def test_a_sample_is_of_one_run(once_s: float) -> None:
    """The warm-up is not among them."""
    clock = Clock()
    taken = samples(clock.work(once_s, 50 * once_s), 60 * once_s + 1.0, clock)
    assert taken == pytest.approx([once_s] * len(taken))


def test_work_that_takes_all_the_time_at_once_is_its_own_sample() -> None:
    clock = Clock()
    assert samples(clock.work(3.0, 7.0), 5.0, clock) == pytest.approx([7.0])


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30))
def test_quartiles_lie_around_the_median(values: list[float]) -> None:
    found = quartiles(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)
    assert found.n == len(values)


def test_the_quartiles_of_a_rate_are_turned_round() -> None:
    rate = Quartiles(median=2.0, low=1.0, high=4.0, n=3).map(lambda seconds: 8.0 / seconds)
    assert (rate.low, rate.median, rate.high, rate.n) == (2.0, 4.0, 8.0, 3)


@given(weights=st.lists(st.floats(0.1, 5.0), min_size=1, max_size=8))
def test_shares_of_what_is_left_use_it_up(weights: list[float]) -> None:
    clock = Clock()
    budget = Budget(seconds=60.0, clock=clock, started_s=clock())
    for place, weight in enumerate(weights):
        clock.now_s += budget.slice_s(weight, sum(weights[place:]))
    assert budget.left_s == pytest.approx(0.0, abs=1e-6)


def test_what_is_overdrawn_leaves_nothing() -> None:
    clock = Clock()
    budget = Budget(seconds=1.0, clock=clock, started_s=clock())
    clock.now_s += 5.0
    assert budget.slice_s(1.0, 2.0) == 0.0
