"""The one constant that is fitted to people's threads: a mean over sources, drawn to its prior.

Authority: DerSimonian and Laird 1986 (random effects, method of moments); arithmetic.
"""

import math

import pytest

from estimator.calibrate.people import answered_threads
from estimator.calibrate.people_left_out import LABS
from estimator.calibrate.people_level import PEOPLE_SLOWNESS, Miss, people_slowness, with_slowness
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration, standing_in
from estimator.physics.constants import PRIORS

PRIOR = PRIORS[PEOPLE_SLOWNESS]


def _miss(source: str, slowness: float, *, smallness: float = 1.0, spread: float = 0.3) -> Miss:
    return Miss(source=source, log=smallness * math.log(slowness), smallness=smallness, variance=spread**2)


def test_without_threads_the_prior_stands() -> None:
    assert people_slowness(()) == PRIOR.mode
    assert people_slowness((_miss("a/b", 3.0),), without={"a/b"}) == PRIOR.mode


def test_many_sources_that_agree_outweigh_the_prior() -> None:
    few, many = (people_slowness([_miss(f"lab/{i}", 3.0) for i in range(n)]) for n in (1, 200))
    assert PRIOR.mode < few < many
    assert many == pytest.approx(3.0, rel=0.02)


def test_a_source_of_many_threads_counts_as_one() -> None:
    alone = people_slowness([_miss("a/b", 3.0), _miss("c/d", 1.5)])
    again = people_slowness([*(_miss("a/b", 3.0) for _ in range(9)), _miss("c/d", 1.5)])
    assert again == pytest.approx(alone)


def test_a_source_left_out_plays_no_part() -> None:
    others = [_miss("a/b", 1.8), _miss("c/d", 2.2)]
    assert people_slowness([*others, _miss("e/f", 9.0)], without={"e/f"}) == people_slowness(others)


def test_sources_that_differ_more_than_their_ranges_are_weighed_more_alike() -> None:
    """The surer of two that contradict each other says less than its range alone would have it."""
    apart = [_miss("a/b", 6.0, spread=0.1), _miss("c/d", 1.0, spread=0.4)]
    logs = [1.0 / 0.1**2, 1.0 / 0.4**2, (3.29 / math.log(PRIOR.high / PRIOR.low)) ** 2]
    fixed = math.exp((logs[0] * math.log(6.0) + logs[2] * math.log(PRIOR.mode)) / sum(logs))
    assert people_slowness(apart) < fixed


def test_the_constant_moves_small_steps_of_a_general_trainer_and_no_others() -> None:
    """By the threads themselves: a slower constant makes none faster, and leaves tuned stacks and large steps alone."""
    plain: dict[str, float] = {}
    slower: dict[str, float] = {}
    for found, slowness in ((plain, 1.0), (slower, 3.0)):
        with standing_in(with_slowness(committed_calibration(), slowness)):
            found.update({answer.thread.id: answer.factor for answer in answered_threads()})
    moved = {name for name, factor in plain.items() if slower[name] / factor > 1.0 + 1e-9}
    assert all(slower[name] / factor > 1.0 - 1e-9 for name, factor in plain.items())
    assert {"llamafactory-5014-1", "alpaca-170"} <= moved
    # A device alone waits for nobody.
    assert not {"swiss-10-4", "pai-643-pp2", "academic-5", "fms-fsdp-78", "qlora-77", "own-h200-09"} & moved
    # The device's part of it, neither the host's nor the network's.
    assert 1.2 < slower["alpaca-170"] / plain["alpaca-170"] < 3.0


def test_an_answer_holds_what_lies_no_further_than_its_range_reaches_on_that_side() -> None:
    answers = answered_threads()
    assert [answer.inside for answer in answers] == [abs(math.log(a.factor)) <= a.reach_log for a in answers]
    assert all(answer.reach_log <= math.log(answer.width) for answer in answers)


def test_a_stand_in_is_forgotten_where_it_ends() -> None:
    served = committed_calibration()
    with standing_in(with_slowness(served, 1.0)):
        assert committed_calibration().constants[PEOPLE_SLOWNESS] == 1.0
    assert committed_calibration() is served


def test_threads_of_every_lab_that_has_runs_are_answered_without_it() -> None:
    """An owner's name that is a lab's, and is not among them, would be judged by its own runs."""
    labs = {run.lab for run in catalogue.runs()}
    assert set(LABS.values()) <= labs
    owners = {thread.thread.partition("/")[0] for thread in catalogue.threads() if thread.scored}
    assert owners >= set(LABS)
    assert not {owner for owner in owners - set(LABS) if owner in labs}
