"""What interruptions cost, against runs that are interrupted on purpose."""

import math
import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.estimate.interruptions import interrupted_share, interruptions_told
from estimator.answers.estimate.overhead import run_overhead
from estimator.base.units import DAY_S, HOUR_S
from estimator.physics.stacks import STACKS
from estimator.question.profile import Goodput

RESEARCH = STACKS["fsdp"]


def _simulated_share(interval_s: float, stall_s: float, restart_s: float, steps_s: float, rng: random.Random) -> float:
    """Return the share of its steps that a run loses which saves every √(2 · stall · interval) − stall seconds."""
    between_s = math.sqrt(2.0 * stall_s * interval_s) - stall_s
    now_s, done_s, next_s = 0.0, 0.0, rng.expovariate(1.0 / interval_s)
    while done_s < steps_s:
        if now_s + between_s + stall_s <= next_s:
            now_s += between_s + stall_s
            done_s += between_s
            continue
        now_s = next_s
        while True:
            next_s = now_s + rng.expovariate(1.0 / interval_s)
            if now_s + restart_s <= next_s:
                now_s += restart_s
                break
            now_s = next_s
    return now_s / done_s - 1.0


@pytest.mark.parametrize(
    ("interval_h", "stall_s", "restart_s"), [(6.0, 30.0, 600.0), (1.0, 60.0, 300.0), (24.0, 120.0, 3600.0)]
)
def test_the_share_is_what_interrupted_runs_lose(interval_h: float, stall_s: float, restart_s: float) -> None:
    """Exponential interruptions, played through: 40 runs of a month each."""
    rng = random.Random(7)  # noqa: S311 - a simulation
    played = mean(_simulated_share(interval_h * HOUR_S, stall_s, restart_s, 30 * DAY_S, rng) for _ in range(40))
    assert interrupted_share(interval_h * HOUR_S, stall_s, restart_s) == pytest.approx(played, rel=0.05)


@given(hours=st.floats(500.0, 1e5), stall_s=st.floats(5.0, 120.0), restart_s=st.floats(60.0, 1200.0))
def test_rare_interruptions_cost_what_young_and_daly_say(hours: float, stall_s: float, restart_s: float) -> None:
    """√(2 · δ / M) + R / M, the first-order form (Young 1974)."""
    interval_s = hours * HOUR_S
    first_order = math.sqrt(2.0 * stall_s / interval_s) + restart_s / interval_s
    assert interrupted_share(interval_s, stall_s, restart_s) == pytest.approx(first_order, rel=0.05)


@given(hours=st.floats(0.2, 100.0), more=st.floats(1.1, 10.0))
def test_a_run_that_is_interrupted_less_loses_less(hours: float, more: float) -> None:
    often, seldom = (
        run_overhead(8, DAY_S, RESEARCH, goodput=Goodput(interval_s=interval_h * HOUR_S)).fraction
        for interval_h in (hours, hours * more)
    )
    assert seldom < often


def test_what_is_not_told_stays_as_usual() -> None:
    assert run_overhead(64, DAY_S, RESEARCH, goodput=Goodput()).fraction == run_overhead(64, DAY_S, RESEARCH).fraction


def test_what_was_told_is_named() -> None:
    told = Goodput(interval_s=6 * HOUR_S, restart_s=600.0, checkpoint_s=30.0)
    assert interruptions_told(told) == "one interruption in 6 h, 10 min to restart, 30 s for a checkpoint as told"
    assert interruptions_told(told) in run_overhead(8, DAY_S, RESEARCH, goodput=told).note
