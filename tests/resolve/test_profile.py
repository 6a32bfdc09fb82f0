"""What a profile tells need not be said, what it measured is counted with, and the answer names it.

Authority: the contract's section on `--profile`; the same question asked without one.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.estimate.estimate import Estimate, estimate_id, estimate_of
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.physics.constants import PRIORS
from estimator.question.profile import Goodput, Profile, Rates
from estimator.question.request import Request
from estimator.resolve.measured import COPY_SHARE, with_rates
from estimator.resolve.run import resolve
from tests.profiles import MEASURED, TOLD, profile, with_change

H100 = catalogue.accelerator("h100-sxm").value.accelerator
ASKED = Request(
    model="llama-3.1-8b",
    gpu="h100",
    n_gpus=8,
    tokens="10B",
    framework="pytorch",
    precision="bf16",
    sequence_length=4096,
    global_batch_sequences=64,
)
BARE = Profile(name="bare", date="", digest="0", gpu="NVIDIA H100 80GB HBM3")
AS_CATALOGUED = Rates(
    matmul_flop_per_s=tuple(H100.measured_matmul_flop_per_s.items()),
    copy_bytes_per_s=COPY_SHARE.mode * H100.memory_bandwidth_bytes_per_s,
    all_reduce_bytes_per_s=committed_calibration().constants["scale_up_fraction"] * H100.scale_up_bytes_per_s,
)


def _answered(request: Request, given_profile: Profile | None = None) -> Estimate:
    return estimate_of(resolve(replace(request, profile=given_profile)))


def _assumed(estimate: Estimate) -> dict[str, Any]:
    return {assumption.name: assumption for assumption in estimate.assumptions}


def test_what_a_profile_tells_answers_as_if_it_were_said() -> None:
    said = replace(
        ASKED,
        framework="nemo 25.09",
        gpus_per_node=4,
        network_gbps_per_gpu=200.0,
        price_per_gpu_hour="$2.20",
    )
    by_profile = _answered(replace(ASKED, framework="auto"), profile(TOLD))
    by_words = _answered(said)
    assert by_profile.training_s == by_words.training_s
    assert by_profile.cost_usd == by_words.cost_usd


def test_what_is_said_stands_before_what_the_profile_tells() -> None:
    said = replace(ASKED, gpus_per_node=8, network_gbps_per_gpu=400.0, price_per_gpu_hour=9.0)
    assert _answered(said, profile(TOLD)).training_s == _answered(said).training_s


def test_node_network_and_price_are_not_those_of_another_device() -> None:
    other = replace(ASKED, gpu="a100-sxm-80gb", n_gpus=16)
    assert (
        _answered(other, profile(with_change(TOLD, "machine.framework", ...))).training_s == _answered(other).training_s
    )


def test_the_rates_of_the_catalogue_change_nothing_but_what_they_are_called() -> None:
    """The conversions lead back to where they came from."""
    measured = _answered(ASKED, replace(BARE, rates=AS_CATALOGUED))
    assert measured.training_s == pytest.approx(_answered(ASKED).training_s, rel=1e-9)


def test_rates_of_another_device_are_not_used_and_the_answer_says_so() -> None:
    other = replace(ASKED, gpu="a100-sxm-80gb")
    answered = _answered(other, profile(with_change(MEASURED, "goodput", None)))
    assert "are not used" in _assumed(answered)["profile"].note


@given(capped=st.floats(0.3, 0.95))
def test_a_capped_card_takes_longer_the_more_it_is_capped(capped: float) -> None:
    slower = tuple((name, rate * capped) for name, rate in H100.measured_matmul_flop_per_s.items())
    # Another layout would have other doubts.
    pinned = replace(ASKED, data_sharding="zero3", micro_batch_size=1, activation_recompute="none")
    answered = _answered(pinned, replace(BARE, rates=Rates(matmul_flop_per_s=slower)))
    longer = _answered(pinned).tokens_per_second / answered.tokens_per_second
    # All of a step at most is matrix products, and most of a large model's at least; what kinds of runs say of the
    # other shares moves it by a per cent.
    assert 1.0 + 0.6 * (1.0 / capped - 1.0) < longer <= 1.02 / capped


def test_the_datasheet_peak_stays_so_that_utilization_is_still_of_it() -> None:
    measured = with_rates(H100, Rates(matmul_flop_per_s=(("bf16", 1e14),)))
    assert measured.peak_flop_per_s == H100.peak_flop_per_s
    assert measured.measured_matmul_flop_per_s["bf16"] == 1e14


@pytest.mark.parametrize(
    ("gpu", "share"), [("h100-sxm", "scale_up_fraction"), ("rtx-4090", "pcie_host_fraction"), ("l40s", "pcie_fraction")]
)
def test_a_measured_all_reduce_stands_for_the_share_that_collectives_reach(gpu: str, share: str) -> None:
    chip = catalogue.accelerator(gpu).value.accelerator
    measured = with_rates(chip, Rates(all_reduce_bytes_per_s=1e10))
    assert measured.scale_up_bytes_per_s * committed_calibration().constants[share] == pytest.approx(1e10)


def test_the_share_of_a_copy_lies_among_those_of_kernels() -> None:
    assert PRIORS["stream_bandwidth"].mode <= COPY_SHARE.mode <= PRIORS["stream_bandwidth"].high


def test_a_card_that_no_catalogue_has_is_counted_with_its_measured_rate() -> None:
    odd = replace(BARE, gpu="Zorblax 9", rates=Rates(matmul_flop_per_s=(("bf16", 5e13), ("fp32", 9e13))))
    answered = _answered(replace(ASKED, gpu="Zorblax 9"), odd)
    assert answered.basis == "assumed_utilization"
    assert answered.run.device.peak_flop_per_s == 5e13


def test_a_profile_with_the_step_that_is_asked_gives_the_answer_of_its_observed_speed() -> None:
    """Within 5 % of `observed_tokens_per_second`, overhead aside: an observed speed has none.

    The one is half of what is predicted without it, the other nearly that.
    """
    for speed in (30_000.0, 60_000.0):
        step = {
            **{name: getattr(ASKED, name) for name in ("model", "gpu", "n_gpus", "framework", "precision")},
            "sequence_length": ASKED.sequence_length,
            "global_batch_sequences": ASKED.global_batch_sequences,
            "tokens_per_second": speed,
        }
        answered = _answered(ASKED, replace(BARE, digest=f"{speed}", runs=(step,), rates=AS_CATALOGUED))
        assert answered.tokens_per_second == pytest.approx(speed, rel=0.05)


def test_rates_and_a_step_do_not_count_the_same_slowness_twice() -> None:
    """A capped card and a step measured on it: the speed is the step's, not that capped once more."""
    capped = tuple((name, 0.7 * rate) for name, rate in H100.measured_matmul_flop_per_s.items())
    step = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "framework": "pytorch", "precision": "bf16"}
    step |= {"sequence_length": 4096, "global_batch_sequences": 64, "tokens_per_second": 45_000.0}
    answered = _answered(ASKED, replace(BARE, runs=(step,), rates=Rates(matmul_flop_per_s=capped)))
    assert answered.tokens_per_second == pytest.approx(45_000.0, rel=0.03)


def test_the_profile_is_named_with_its_day_and_its_hash() -> None:
    told = profile(MEASURED)
    named = _assumed(_answered(ASKED, told))["profile"]
    assert (named.source, named.value) == ("user", told.digest)
    assert "one server of 2026-11-26" in named.note
    assert "power limit 500 of 700 W" in named.note


def test_the_hash_of_the_profile_is_part_of_the_estimate_id() -> None:
    """Two profiles that differ in a single figure, even one that no answer uses, are told apart."""
    one, other = profile(MEASURED), profile(with_change(MEASURED, "measured.seconds", 119.0))
    ids = {estimate_id(resolve(replace(ASKED, profile=given_profile))) for given_profile in (None, one, other)}
    assert len(ids) == 3


def test_interruptions_are_told_and_cost_time() -> None:
    often = replace(BARE, goodput=Goodput(interval_s=6 * 3600.0, restart_s=600.0, checkpoint_s=30.0))
    spot = _answered(ASKED, often)
    assert spot.training_s > 1.05 * _answered(ASKED).training_s
    assert "one interruption in 6 h" in _assumed(spot)["run_level_overhead"].note
