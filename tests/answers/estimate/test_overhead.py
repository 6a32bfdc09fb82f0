"""What a run takes beyond its steps, against what was published of real runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.estimate.overhead import (
    BENCHMARK_EVALUATION,
    CHECKPOINT_STALL_S,
    EVALUATION,
    FAILURES_PER_GPU_HOUR,
    MOST_RESTARTING,
    RESTART_S,
    TROUBLE,
    TROUBLE_DAYS,
    run_overhead,
)
from estimator.base.units import DAY_S, HOUR_S
from estimator.calibrate.whole_runs import published_s
from estimator.catalogue import catalogue
from estimator.physics.stacks import STACKS, Tier

LLAMA_3_GPUS = 16_384
STACK_OF: dict[Tier, str] = {"tuned": "megatron", "research": "metaseq", "untuned": "huggingface"}
TIERS = st.sampled_from(sorted(STACK_OF))
AN_HOUR, TWO_MONTHS = HOUR_S, 60 * DAY_S


@dataclass(frozen=True)
class Account:
    """What a weeks-long run was said to take over the time of its steps."""

    name: str
    lab: str
    tier: Tier
    n_gpus: int
    days: float
    over_steps: float
    source: str


ACCOUNTS = (
    Account(
        "Llama-3.1-405B",
        "Meta",
        "tuned",
        16_384,
        78,
        30.84e6 / (3.8e25 / 400e12 / HOUR_S),
        "model card's GPU-hours; Grattafiori et al. 2024, table 4 (400 TFLOPS) and section 3.2.1 (3.8e25 FLOPs)",
    ),
    Account("Llama 3, 54 days", "Meta", "tuned", 16_384, 54, 1 / 0.9, "Grattafiori et al. 2024, section 3.3.4"),
    Account(
        "OPT-175B",
        "Meta",
        "research",
        992,
        56,
        56 / (33 * 1024 / 992),
        "metaseq, projects/OPT/chronicles/final_update.md: 33 days of continuous training on 1,024",
    ),
    Account(
        "BLOOM-176B",
        "BigScience",
        "research",
        384,
        117,
        1_082_990 / 384 / (366e9 / (2048 * 2048) * 105 / HOUR_S),
        "Le Scao et al. 2022; bigscience, train/tr11-176B-ml/README.md: 105 s a step",
    ),
    Account(
        "GLM-130B",
        "Zhipu",
        "research",
        768,
        54.4,
        54.4 / ((48_100 - 0.025 * 46_200) * 88.5 / DAY_S),
        "THUDM/GLM-130B, logs/main-log-en.md: from 6 May to step 48,100 on 29 June at 88.5 s, the batch ramped up",
    ),
    Account(
        "SmolLM3", "Hugging Face", "research", 384, 30, 30 / 24, "24 days of steps in nearly 30; Smol Training Playbook"
    ),
    Account("Gemini Ultra", "Google", "tuned", 8192, 60, 1 / 0.97, "Gemini Team 2023, section 3; count assumed"),
    Account("Gemini's predecessor", "Google", "tuned", 8192, 60, 1 / 0.85, "the same"),
    Account("HLAT, restarts by hand", "AWS", "research", 4096, 20, 1 / 0.7783, "Fan et al. 2024 (arXiv:2404.10630)"),
    Account("HLAT", "AWS", "research", 4096, 20, 1 / 0.9881, "the same"),
    Account("MegaScale", "ByteDance", "tuned", 10_000, 30, 1 / 0.9, "Jiang et al. 2024 (NSDI), section 6.3"),
    Account("ByteRobust", "ByteDance", "tuned", 9600, 90, 1 / 0.97, "Wan et al. 2025 (SOSP), abstract"),
    Account("C4, before", "Alibaba", "tuned", 2400, 30, 1 / (1 - 0.3119), "Dong et al. 2024 (arXiv:2406.04594)"),
    Account("C4, after", "Alibaba", "tuned", 2400, 30, 1 / (1 - 0.0116), "the same"),
)
"""Published accounts; what a source calls effective training time or goodput has evaluation in it."""


def _overhead(tier: Tier, n_gpus: int, days: float) -> float:
    """Return what is beside the steps; accounts are of steps as they were."""
    overhead = run_overhead(n_gpus, days * DAY_S, STACKS[STACK_OF[tier]])
    return overhead.fraction - overhead.slower


def _trouble(account: Account) -> float:
    """Return the share of trouble that would make the overhead what it was."""
    rest = _overhead(account.tier, account.n_gpus, 0.0)
    met = account.days / (account.days + TROUBLE_DAYS.mode)
    return (account.over_steps - 1.0 - rest) / met


def _of_labs(accounts: Sequence[Account]) -> float:
    """Return the mean of labs' median share, labs alike."""
    labs = {one.lab for one in accounts}
    return mean(max(0.0, median(_trouble(one) for one in accounts if one.lab == lab)) for lab in labs)


def test_failures_come_as_often_as_llama_3_counted_them() -> None:
    """Grattafiori et al. 2024, section 3.3.4: 419 unexpected interruptions in 54 days on 16,384 GPUs."""
    assert FAILURES_PER_GPU_HOUR.mode * LLAMA_3_GPUS * 24 * 54 == pytest.approx(419)


def test_llama_3_keeps_about_nine_tenths_of_its_time_for_training() -> None:
    """Grattafiori et al. 2024, section 3.3.4: effective training time above 90 %; evaluation comes on top."""
    lost = _overhead("tuned", LLAMA_3_GPUS, 0.0) - EVALUATION.mode
    assert 1 / (1 + lost) == pytest.approx(0.9, abs=0.02)


def test_llama_3s_gpu_hours_are_a_sixth_above_its_steps() -> None:
    """The model card's 30.84M GPU-hours over 3.8e25 FLOPs at 400 TFLOPS: 17 %."""
    assert _overhead("tuned", LLAMA_3_GPUS, 68) == pytest.approx(0.17, abs=0.03)


def test_published_accounts_lie_in_the_range_as_often_as_promised() -> None:
    """Labs alike, 0.03 allowed for what an account does not count."""
    labs: dict[str, list[bool]] = {}
    for one in ACCOUNTS:
        expected = run_overhead(one.n_gpus, one.days * DAY_S, STACKS[STACK_OF[one.tier]])
        labs.setdefault(one.lab, []).append(expected.low - 0.03 <= one.over_steps - 1 <= expected.high)
    assert mean(mean(inside) for inside in labs.values()) >= 0.7


@pytest.mark.parametrize("left_out", sorted({one.lab for one in ACCOUNTS}))
def test_no_single_lab_sets_what_goes_wrong_in_weeks(left_out: str) -> None:
    """Labs left out one by one: what the others lost stays between what is taken for the best and for the rest."""
    share = _of_labs([one for one in ACCOUNTS if one.lab != left_out])
    assert 0.5 * TROUBLE["tuned"].mode < share < 2.0 * TROUBLE["research"].mode


@pytest.mark.parametrize("kind", ["full", "adapters"])
def test_a_benchmarks_run_evaluates_as_published_ones_did(kind: str) -> None:
    """MLPerf Training: time to target over steps times their median, of every submission with a log."""
    over_steps = [
        seconds * speed * run.n_gpus / run.total_tokens - 1.0
        for run in catalogue.runs()
        if run.group.startswith("mlperf") and (run.method == "full") == (kind == "full")
        if (seconds := published_s(run)) and (speed := run.tokens_per_second_per_gpu) and run.total_tokens
    ]
    rules = BENCHMARK_EVALUATION[kind]
    assert len(over_steps) > 50
    assert median(over_steps) == pytest.approx(rules.mode, abs=0.01)
    assert mean(rules.low - 1e-3 <= one <= rules.high for one in over_steps) >= 0.85
    given_back = run_overhead(512, AN_HOUR, STACKS["mlperf"], adapters=kind == "adapters")
    assert (given_back.fraction, given_back.low, given_back.high) == (rules.mode, rules.low, rules.high)


@given(n_gpus=st.integers(1, 1_000_000), tier=TIERS, days=st.floats(0, 1000))
def test_overhead_grows_with_gpus_and_with_days_and_lies_in_its_range(n_gpus: int, tier: Tier, days: float) -> None:
    """More devices fail more often, and in more days more goes wrong."""
    stack = STACKS[STACK_OF[tier]]
    here, more, longer = (
        run_overhead(count, many * DAY_S, stack)
        for count, many in ((n_gpus, days), (2 * n_gpus, days), (n_gpus, 2 * days + 1))
    )
    assert 0 < here.low < here.fraction < here.high
    assert here.fraction < more.fraction
    assert here.fraction < longer.fraction
    # The whole run takes no less for more steps.
    assert days * (1 + here.fraction) < (2 * days + 1) * (1 + longer.fraction)
    assert here.note


@pytest.mark.parametrize("n_gpus", [8, 512])
def test_an_hour_loses_little_and_two_months_by_hand_a_tenth(n_gpus: int) -> None:
    """GLM-130B and BLOOM-176B lost 11 to 13 % of two and four months on hundreds of GPUs."""
    stack = STACKS["megatron-deepspeed"]
    assert run_overhead(n_gpus, AN_HOUR, stack).fraction < 0.06
    assert 0.08 < _overhead("research", n_gpus, 60) < 0.15


@given(n_gpus=st.integers(1, 100_000), factor=st.floats(0.1, 10), tier=TIERS)
def test_no_other_checkpoint_interval_loses_less(n_gpus: int, factor: float, tier: Tier) -> None:
    """Young 1974: stall / interval + interval / (2 · mtbf) is least at √(2 · stall · mtbf)."""
    mtbf_s = HOUR_S / (FAILURES_PER_GPU_HOUR.mode * n_gpus)
    best_s = math.sqrt(2 * CHECKPOINT_STALL_S.mode * mtbf_s)

    def lost(interval_s: float) -> float:
        return CHECKPOINT_STALL_S.mode / interval_s + interval_s / (2 * mtbf_s)

    restarting = min(RESTART_S[tier].mode / mtbf_s, MOST_RESTARTING.mode)
    assert _overhead(tier, n_gpus, 0.0) == pytest.approx(EVALUATION.mode + lost(best_s) + restarting)
    assert lost(best_s) <= lost(factor * best_s) * (1 + 1e-12)


@given(low=st.floats(0.3, 1), high=st.floats(1, 3), n_gpus=st.integers(1, 100_000), days=st.floats(0.01, 300))
def test_a_whole_run_is_less_certain_than_its_steps(low: float, high: float, n_gpus: int, days: float) -> None:
    """Independent errors add in quadrature: wider than either, narrower than both together."""
    overhead = run_overhead(n_gpus, days * DAY_S, STACKS["fsdp"])
    whole_low, whole_high = overhead.widened(low, high)
    assert whole_low <= low * (1 + 1e-12)
    assert whole_high >= high * (1 - 1e-12)
    assert whole_high <= high * (1 + overhead.high) / (1 + overhead.fraction) * (1 + 1e-12)
