"""Where a verdict turns along a ladder of counts.

Authority: the definition of what is searched for (it will do, and one step before it will not), checked by trying
every rung.
"""

from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.plan.search import Ladder, boundary, nearest_rung

LADDER = Ladder(parts=(1, 2, 4), step=8, most=4096)
ALL = LADDER.rising(0, LADDER.most)


def test_a_ladder_holds_the_parts_of_a_node_and_whole_nodes() -> None:
    assert ALL[:6] == [1, 2, 4, 8, 16, 24]
    assert set(LADDER.coarse()) <= set(ALL)
    assert LADDER.falling(24, 2) == [16, 8, 4, 2]


def test_one_step_fewer_is_one_node_fewer_or_the_next_part_of_one() -> None:
    assert [LADDER.fewer(count) for count in (1, 2, 8, 16, 1000)] == [None, 1, 4, 8, 992]


@given(least=st.integers(1, 4096), near=st.floats(1, 4096))
def test_the_turn_of_a_monotone_verdict_is_found_wherever_the_search_starts(least: int, near: float) -> None:
    found = boundary(lambda count: count >= least, LADDER.coarse(), LADDER.rising, near)
    assert found == min(count for count in ALL if count >= least)


@given(most=st.integers(1, 4096), near=st.floats(1, 4096))
def test_the_largest_is_found_in_falling_order(most: int, near: float) -> None:
    found = boundary(lambda count: count <= most, LADDER.coarse()[::-1], LADDER.falling, near)
    assert found == max(count for count in ALL if count <= most)


@given(least=st.integers(1, 2000), awkward=st.sets(st.sampled_from(ALL[3:]), max_size=200), near=st.floats(1, 4096))
def test_rungs_that_cannot_be_judged_are_passed_over(least: int, awkward: set[int], near: float) -> None:
    """What is found can be judged and will do; the rung before it is unjudged or will not."""

    def verdict(count: int) -> bool | None:
        return None if count in awkward else count >= least

    found = boundary(verdict, LADDER.coarse(), LADDER.rising, near)
    assert found is not None
    assert verdict(found)
    fewer = LADDER.fewer(found)
    assert fewer is None or not verdict(fewer)


@given(least=st.integers(64, 2000), slow=st.sets(st.sampled_from(ALL[10:]), max_size=200), near=st.floats(1, 4096))
def test_a_count_slower_than_a_smaller_one_still_ends_in_a_turn(least: int, slow: set[int], near: float) -> None:
    def verdict(count: int) -> bool:
        return count >= least and count not in slow

    found = boundary(verdict, LADDER.coarse(), LADDER.rising, near)
    assert found is not None
    assert verdict(found)
    fewer = LADDER.fewer(found)
    assert fewer is None or not verdict(fewer)


def test_nothing_is_found_where_no_rung_will_do() -> None:
    assert boundary(lambda _: False, LADDER.coarse(), LADDER.rising, 64.0) is None
    assert boundary(lambda _: None, LADDER.coarse(), LADDER.rising, 64.0) is None


def test_few_rungs_are_tried() -> None:
    """A rung costs an estimate; a plan is promised within a second."""
    tried: set[int] = set()

    def verdict(count: int) -> bool:
        tried.add(count)
        return count >= 3000

    boundary(verdict, LADDER.coarse(), LADDER.rising, 2000.0)
    assert len(tried) <= 24


def test_the_nearest_rung_is_the_nearest_by_ratio() -> None:
    assert nearest_rung((1, 10, 100), 40.0) == 2
    assert nearest_rung((1, 10, 100), 30.0) == 1


@given(start=st.integers(0, 9_999), judged=st.sets(st.integers(0, 9_999), max_size=3))
def test_a_ladder_that_hardly_can_be_judged_is_priced_at_few_of_its_rungs(start: int, judged: set[int]) -> None:
    """Each rung is an estimate: ten thousand of them would be minutes."""
    rungs = range(1, 10_001)
    asked: set[int] = set()

    def verdict(rung: int) -> bool | None:
        asked.add(rung)
        return rung % 2 == 0 if rung - 1 in judged else None

    found = boundary(verdict, rungs, None, start + 1)
    assert found is None or verdict(found)
    assert len(asked) < 800
