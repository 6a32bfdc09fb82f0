"""Unlike GPUs in one run.

Authority: arithmetic. A synchronous step ends when its slowest rank does, so equal shares are as fast as so many of the
slowest; shares by speed are at most the sum of the speeds.
"""

import re
from dataclasses import replace

import pytest

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.answers.plan.plan import plan_for
from estimator.answers.plan.types import PlanRequest
from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.question.request import Request
from estimator.resolve.pools import named_pools
from estimator.resolve.run import resolve

ASKED = Request(model="7B", gpu="8 A100 + 16 H100", n_gpus=24, tokens="100B", framework="torchtitan")
A100, H100 = "a100-sxm-80gb", "h100-sxm"


def _estimate(**changes: str | int) -> Estimate:
    return estimate_of(resolve(replace(ASKED, **changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "8 A100 and 16 H100",
        "8xA100 + 16xH100",
        "8 x A100, 16 x H100",
        "8× A100 & 16× H100",
        "A100 x 8 + H100 x 16",
        "8 A100 plus 8 H100 plus 8 H100",
    ],
)
def test_pools_are_read_in_the_words_people_use(text: str) -> None:
    assert {pool.accelerator.id: pool.count for pool in named_pools(text)} == {A100: 8, H100: 16}


def test_a_count_goes_with_the_name_that_it_makes_one_with() -> None:
    """A name that is a number may have its count on either side."""
    named = {pool.accelerator.id: pool.count for pool in named_pools("4090 x 4 + 2 x 3090")}
    assert named == {"rtx-4090": 4, "rtx-3090": 2}


def test_kinds_without_counts_are_one_of_each() -> None:
    named = {pool.accelerator.id: pool.count for pool in named_pools("3090 + 4090")}
    assert named == {"rtx-3090": 1, "rtx-4090": 1}


@pytest.mark.parametrize("text", ["h100", "8xH100", "A100 80GB", "h100-smx", "8 A100 and 16 unicorns", ""])
def test_what_names_no_two_kinds_is_no_pool(text: str) -> None:
    assert named_pools(text) == ()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (replace(ASKED, gpu="A100 + H100"), "how many of each"),
        (replace(ASKED, n_gpus=32), "not the 24 that gpu names"),
        (replace(ASKED, precision="fp8"), "not a rate that all"),
        (replace(ASKED, peak_tflops=312.0), "is one GPU's"),
    ],
)
def test_what_pools_cannot_be_is_refused_with_what_would_do(asked: Request, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        resolve(asked)


def test_an_unknown_kind_among_them_is_unknown() -> None:
    with pytest.raises(UnknownNameError):
        resolve(replace(ASKED, gpu="8 A100 and 16 unicorns"))


def test_equal_shares_are_as_fast_as_so_many_of_the_slowest() -> None:
    assert _estimate().training_s == pytest.approx(_estimate(gpu=A100).training_s, rel=1e-6)


def test_what_the_caution_offers_is_between_its_bounds_and_is_what_the_tool_answers() -> None:
    """Shares by speed: above the slowest, below so many of the fastest; the fastest alone: their own estimate."""
    message = next(warning.message for warning in _estimate().warnings if warning.code == "unlike_gpus")
    assert "A100" in message
    by_speed_days, equal_days, alone_days = (float(days) for days in re.findall(r"([\d.]+) days", message))
    whole_s, alone_s = (100e9 / _estimate(gpu=H100, n_gpus=n).tokens_per_second for n in (24, 16))
    assert whole_s / 86_400 < by_speed_days < equal_days
    assert by_speed_days < alone_days
    assert alone_days == pytest.approx(alone_s / 86_400, rel=0.03)


def test_money_and_power_are_the_mean_of_all() -> None:
    pooled, slow, fast = _estimate(), _estimate(gpu=A100), _estimate(gpu=H100)
    hourly = [one.cost_usd.value / one.gpu_hours[0] for one in (pooled, slow, fast) if one.cost_usd.value]
    assert hourly[0] == pytest.approx((8 * hourly[1] + 16 * hourly[2]) / 24)
    power = [one.energy_kwh.value / one.gpu_hours[0] for one in (pooled, slow, fast) if one.energy_kwh.value]
    assert power[0] == pytest.approx((8 * power[1] + 16 * power[2]) / 24)


def test_a_rank_holds_no_more_than_the_smallest_memory() -> None:
    question = resolve(replace(ASKED, gpu="4 RTX 4090 + 4 H100", n_gpus=8, method="lora")).question
    assert question is not None
    assert question.cluster.accelerator.memory_bytes == min(
        pool.accelerator.memory_bytes for pool in named_pools("4 RTX 4090 + 4 H100")
    )


def test_a_plan_for_unlike_gpus_finds_their_layout_alone() -> None:
    request = PlanRequest(
        solve_for="n_gpus",
        deadline="30 days",
        budget=None,
        tokens_per_parameter=None,
        model="7B",
        gpu=str(ASKED.gpu),
        n_gpus=None,
        common=replace(ASKED, model="", gpu="", n_gpus=1),
    )
    with pytest.raises(InvalidValueError, match="estimate_training_time"):
        plan_for(request)
    layout = plan_for(replace(request, solve_for="layout", n_gpus=24)).solution.estimate
    # The trainer's own micro-batch is searched, too: it may be no slower.
    assert 0.9 <= layout.training_s / _estimate().training_s <= 1.0 + 1e-6
