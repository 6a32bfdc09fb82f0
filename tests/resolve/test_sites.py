"""Sites that train by themselves and average now and then.

Authority: the ring's arithmetic; the papers named beside each way for its steps and widths. The INTELLECT-1 report
(Jaghouar et al. 2024) has 400 times less to send than data parallelism: a hundred steps between, in 8 bit for 32.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.check.check import speed_check
from estimator.answers.check.observation import Observed
from estimator.answers.estimate.estimate import estimate_of
from estimator.answers.plan.plan import plan_for
from estimator.answers.plan.types import PlanRequest
from estimator.base.errors import InvalidValueError
from estimator.question.local_updates import LocalUpdates
from estimator.question.request import Request
from estimator.resolve.framework.local_updates import asked_local_updates
from estimator.resolve.run import resolve

ASKED = Request(
    model="llama-3.1-8b",
    gpu="h100-sxm",
    n_gpus=64,
    tokens="1T",
    network_gbps_per_gpu=0.125,
    framework="DiLoCo, every 100 steps, torchtitan",
    global_batch_sequences=512,
    sequence_length=4096,
)


@pytest.mark.parametrize(
    ("text", "steps", "width", "sites", "rest"),
    [
        ("DiLoCo", 500, 4.0, None, "auto"),
        ("OpenDiLoCo", 500, 2.0, None, "auto"),
        ("Streaming DiLoCo", 100, 0.5, None, "auto"),
        ("INTELLECT-1", 100, 1.0, None, "torchtitan"),
        ("prime, 14 nodes", 100, 1.0, None, "14 nodes"),
        ("torchtitan with DiLoCo H=30 on 4 workers", 30, 4.0, 4, "torchtitan with"),
        ("OpenDiLoCo, sync every 50 steps, 8 workers, int8 all-reduce", 50, 1.0, 8, "auto"),
        ("local SGD, every 16 steps", 16, 4.0, None, "auto"),
        ("local SGD with 1,000 local steps over 3 data centers", 1000, 4.0, 3, "with"),
        ("megatron, DiLoCo, 200 steps between syncs", 200, 4.0, None, "megatron"),
    ],
)
def test_local_sgd_is_read_in_the_words_people_use(
    text: str, steps: int, width: float, sites: int | None, rest: str
) -> None:
    asked, left = asked_local_updates(text)
    assert asked is not None
    assert (asked.steps, asked.bytes_per_parameter, asked.sites) == (steps, width, sites)
    assert left == rest


@pytest.mark.parametrize("text", ["auto", "megatron", "prime-rl", "Prime Intellect's stack", "nemo 25.09, 8 nodes"])
def test_what_is_no_local_sgd_is_left_as_it_is(text: str) -> None:
    assert asked_local_updates(text) == (None, text)


def test_local_sgd_without_its_period_is_refused_with_what_would_do() -> None:
    with pytest.raises(InvalidValueError, match="every 100 steps"):
        asked_local_updates("local SGD")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (replace(ASKED, n_gpus=8), "number of sites"),
        (replace(ASKED, framework="DiLoCo, 5 workers"), "n_gpus"),
        (replace(ASKED, global_batch_sequences=500), "496 would do"),
    ],
)
def test_what_cannot_be_divided_among_sites_is_refused_with_what_would_do(asked: Request, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        resolve(asked)


def test_a_step_is_a_sites_own_and_its_share_of_averaging() -> None:
    """Eight sites of eight GPUs, 8 Gbit/8 = 1 Gbit/s each; alone, a site takes an eighth of the batch."""
    run = resolve(ASKED)
    whole = estimate_of(run, advised=False)
    assert run.question is not None
    assert run.question.local is not None
    local = run.question.local
    parameters = 8_030_261_248
    assert local.synchronisation_s == pytest.approx(2 * 7 / 8 * 4 * parameters / (8 * 0.125e9 / 8), rel=1e-6)
    site = replace(
        ASKED, n_gpus=8, framework="torchtitan", global_batch_sequences=64, tokens="125B", network_gbps_per_gpu=None
    )
    alone = estimate_of(resolve(site), advised=False)
    assert whole.step_s is not None
    assert alone.step_s is not None
    assert whole.step_s == pytest.approx(alone.step_s + local.synchronisation_s / 100, rel=0.02)


@given(
    steps=st.integers(1, 10_000),
    synchronisation_s=st.floats(0.01, 1e5),
    step_s=st.floats(1e-3, 1e3),
    overlapped=st.booleans(),
)
def test_what_is_waited_for_is_never_more_than_what_is_sent(
    steps: int, synchronisation_s: float, step_s: float, *, overlapped: bool
) -> None:
    """And never less the more seldom sites average; overlapped, only what the steps between cannot hide."""
    local = LocalUpdates(sites=4, steps=steps, synchronisation_s=synchronisation_s, overlapped=overlapped)
    waited = local.waited_s(step_s)
    assert 0.0 <= waited <= synchronisation_s / steps
    assert waited >= replace(local, steps=steps + 1).waited_s(step_s)
    assert waited >= replace(local, overlapped=True).waited_s(step_s)


def test_intellect_1_sends_400_times_less_than_data_parallelism() -> None:
    prime, _ = asked_local_updates("INTELLECT-1")
    assert prime is not None
    assert 4.0 / (prime.bytes_per_parameter / prime.steps) == 400


@pytest.mark.parametrize(
    ("said", "share"),
    [
        ({}, 1.0),
        ({"trained_layers": "last 2"}, 2 * 218_112_000 / 8_030_261_248),
        ({"method": "frozen", "trainable_params": 1e6}, 1e6 / 8_030_261_248),
        ({"method": "lora"}, 41_943_040 / 8_030_261_248),
    ],
    ids=["all", "two layers", "a million", "adapters"],
)
def test_what_learns_is_averaged_and_nothing_else(said: dict[str, Any], share: float) -> None:
    """Llama 3.1 8B has 8,030,261,248 parameters, 218,112,000 in each layer; rank-16 adapters have 41,943,040."""
    whole, part = (resolve(replace(ASKED, **more)).question for more in ({}, said))
    assert whole is not None
    assert part is not None
    assert whole.local is not None
    assert part.local is not None
    assert part.local.synchronisation_s == pytest.approx(share * whole.local.synchronisation_s, rel=1e-4)


def test_a_check_counts_all_sites() -> None:
    """The verdict at the speed that is expected of all of them, and the ceiling of all their devices."""
    expected = estimate_of(resolve(ASKED), advised=False)
    check = speed_check(ASKED, Observed(tokens_per_second=expected.tokens_per_second))
    assert check.verdict == "normal"
    assert check.expected.tokens_per_second == pytest.approx(expected.tokens_per_second, rel=1e-6)
    alone = speed_check(replace(ASKED, framework="torchtitan"), Observed(tokens_per_second=1e5))
    assert check.bound.tokens_per_second == pytest.approx(alone.bound.tokens_per_second, rel=1e-6)


def test_planned_counts_are_divided_among_the_sites() -> None:
    plan = plan_for(
        PlanRequest(
            solve_for="n_gpus",
            deadline="200 days",
            budget=None,
            tokens_per_parameter=None,
            model="llama-3.1-8b",
            gpu="h100-sxm",
            n_gpus=None,
            common=replace(
                ASKED,
                model="",
                gpu="",
                n_gpus=1,
                framework="DiLoCo every 100 steps, 4 workers",
                global_batch_sequences=None,
            ),
        )
    )
    assert plan.solution.estimate.run.n_gpus % 4 == 0
