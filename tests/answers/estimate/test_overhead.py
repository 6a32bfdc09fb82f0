"""What a run takes beyond its steps, against what was published of real runs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.estimate.overhead import (
    CHECKPOINT_STALL_S,
    EVALUATION,
    FAILURES_PER_GPU_HOUR,
    RESTART_S,
    run_overhead,
)

LLAMA_3_GPUS = 16_384


def test_failures_come_as_often_as_llama_3_counted_them() -> None:
    """Grattafiori et al. 2024, section 3.3.4: 419 unexpected interruptions in 54 days on 16,384 GPUs."""
    assert FAILURES_PER_GPU_HOUR.mode * LLAMA_3_GPUS * 24 * 54 == pytest.approx(419)


def test_llama_3_keeps_about_nine_tenths_of_its_time_for_training() -> None:
    """Grattafiori et al. 2024, section 3.3.4: effective training time above 90 %; evaluation comes on top."""
    overhead = run_overhead(LLAMA_3_GPUS)
    lost = overhead.fraction - EVALUATION.mode
    assert 1 / (1 + lost) == pytest.approx(0.9, abs=0.02)


def test_an_mlperf_sized_run_loses_about_what_mlperf_runs_lose() -> None:
    """MLPerf Training, Llama-3.1-405B: about 4 % between step time and time of the run, at some 512 GPUs."""
    overhead = run_overhead(512)
    assert overhead.low < 0.04 < overhead.high


@given(n_gpus=st.integers(1, 1_000_000))
def test_overhead_grows_with_the_number_of_gpus_and_lies_in_its_range(n_gpus: int) -> None:
    """More devices fail more often."""
    here, more = run_overhead(n_gpus), run_overhead(2 * n_gpus)
    assert 0 < here.low < here.fraction < here.high
    assert here.fraction < more.fraction


@given(n_gpus=st.integers(1, 100_000), factor=st.floats(0.1, 10))
def test_no_other_checkpoint_interval_loses_less(n_gpus: int, factor: float) -> None:
    """Young 1974: stall / interval + interval / (2 · mtbf) is least at √(2 · stall · mtbf)."""
    mtbf_s = 3600 / (FAILURES_PER_GPU_HOUR.mode * n_gpus)
    best_s = math.sqrt(2 * CHECKPOINT_STALL_S.mode * mtbf_s)

    def lost(interval_s: float) -> float:
        return CHECKPOINT_STALL_S.mode / interval_s + interval_s / (2 * mtbf_s)

    assert run_overhead(n_gpus).fraction == pytest.approx(EVALUATION.mode + lost(best_s) + RESTART_S.mode / mtbf_s)
    assert lost(best_s) <= lost(factor * best_s) * (1 + 1e-12)
