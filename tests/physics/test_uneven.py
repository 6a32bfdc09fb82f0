"""Devices wait for the one with the longest samples wherever they meet, and for the one whose experts have most to do.

Authority: the formula in the docstring of `physics.uneven`; when trainers meet: DDP's `no_sync` until a step's last
micro-batch, ZeRO-2's and ZeRO-3's reductions and gathers in every one (Rajbhandari et al. 2020, section 5).
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from estimator.models.feed_forward import Experts
from estimator.physics.execution import Execution
from estimator.physics.layout import layouts_of
from estimator.physics.step import step_time
from estimator.physics.uneven import busiest_share, longest_tokens
from estimator.question.question import Sharding
from tests.physics_cases import CONSTANTS, MODEL, PLAIN, small_case

_TOKENS = 2048.0
_UNEVEN = 0.8


def _tokens(n_gpus: int, replicas: int, sharding: Sharding, micro_batches: int = 1) -> float:
    case = replace(small_case(n_gpus), unevenness=_UNEVEN / math.log(n_gpus))
    row = replace(PLAIN, data_parallel=replicas, data_sharding=sharding, micro_batches=micro_batches)
    return float(np.asarray(longest_tokens(case, layouts_of(row)))[0])


@pytest.mark.parametrize(
    ("sharding", "micro_batches", "share"),
    [
        ("zero3", 1, 1.0),
        ("zero3", 16, 1.0),
        ("zero2", 16, 1.0),
        ("zero1", 16, 0.25),
        ("ddp", 16, 0.25),
        ("ddp", 4, 0.5),
        ("ddp", 1, 1.0),
    ],
)
def test_all_wait_for_the_longest_of_what_lies_between_two_meetings(
    sharding: Sharding, micro_batches: int, share: float
) -> None:
    assert _tokens(8, 8, sharding, micro_batches) == pytest.approx(_TOKENS * (1.0 + share * _UNEVEN))


@pytest.mark.parametrize("sharding", ["ddp", "zero3"])
def test_one_replica_waits_for_nobody_and_more_wait_longer(sharding: Sharding) -> None:
    tokens = [_tokens(64, replicas, sharding) for replicas in (1, 2, 4, 8, 64)]
    assert tokens[0] == _TOKENS
    assert tokens == sorted(set(tokens))
    assert tokens[-1] == pytest.approx(_TOKENS * (1.0 + _UNEVEN))


def test_a_step_takes_as_long_as_one_with_rows_that_long_on_every_device() -> None:
    """What is not of a micro-batch's tokens, such as the optimizer, waits for nobody."""
    row = layouts_of(replace(PLAIN, data_parallel=8, data_sharding="zero3"))
    even = small_case(8)
    uneven = step_time(replace(even, unevenness=1.0 / math.log(8)), row, CONSTANTS)
    longer = step_time(even, layouts_of(replace(row.row(0), micro_batch_size=2 * PLAIN.micro_batch_size)), CONSTANTS)
    assert uneven.compute_s == pytest.approx(longer.compute_s)
    assert uneven.optimizer_s == step_time(even, row, CONSTANTS).optimizer_s


def _experts_step_s(expert: int, *, free: bool) -> float:
    network = replace(MODEL, experts=Experts(n_experts=8, top_k=2, ffn_hidden=4096))
    case = small_case(8, transformer=network, execution=Execution(free_routing=free))
    row = layouts_of(replace(PLAIN, data_parallel=8, expert_parallel=expert))
    return float(step_time(case, row, CONSTANTS).total_s[0])


def test_where_routers_choose_freely_ranks_wait_for_the_one_with_most_tokens() -> None:
    """One rank has all of them whatever the routers choose, and waits for nobody."""
    more_s = [_experts_step_s(expert, free=True) - _experts_step_s(expert, free=False) for expert in (1, 2, 4, 8)]
    assert more_s[0] == 0.0
    assert more_s == sorted(set(more_s))


@pytest.mark.parametrize("expert", [1, 2, 8, 64])
def test_the_busiest_rank_has_more_than_the_mean_by_what_is_constant(expert: int) -> None:
    free, even = (replace(small_case(64), free_routing=flag) for flag in (1.0, 0.0))
    row = layouts_of(replace(PLAIN, data_parallel=64, expert_parallel=expert))
    share = 1.0 + CONSTANTS["routing_unevenness"] * (1.0 - 1.0 / expert)
    assert np.asarray(busiest_share(free, CONSTANTS, row)) == pytest.approx(share)
    assert np.asarray(busiest_share(even, CONSTANTS, row)) == 1.0
