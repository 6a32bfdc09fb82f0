"""What a step waits for pictures to be read.

Authority: arithmetic; PyTorch's documentation of DataLoader (num_workers 0 loads in the main process).
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.physics.choice import setting_of
from estimator.physics.constants import prior_constants
from estimator.physics.layout import layouts_of
from estimator.physics.loading import reading_s
from estimator.physics.step import step_time
from estimator.question.question import Layout
from estimator.question.reads import NO_READS, Reads
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tests.physics_cases import PLAIN, any_layout, small_case

CASE = small_case(8)
CONSTANTS = prior_constants()
reading = st.floats(1e-5, 10.0)
workers = st.integers(0, 64)


def _step_s(layout: Layout, each_s: float, count: int) -> float:
    case = replace(CASE, reading_s=each_s, loader_workers=float(count))
    return float(step_time(case, layouts_of(layout), CONSTANTS).total_s[0])


@given(layout=any_layout, each_s=reading, few=workers, more=workers)
def test_more_workers_never_make_a_step_longer(layout: Layout, each_s: float, few: int, more: int) -> None:
    few, more = sorted((few, more))
    assert _step_s(layout, each_s, more) <= _step_s(layout, each_s, few) * (1.0 + 1e-12)


@given(layout=any_layout, each_s=reading, times=st.floats(1.0, 100.0), count=workers)
def test_slower_reading_never_makes_a_step_shorter(layout: Layout, each_s: float, times: float, count: int) -> None:
    assert _step_s(layout, each_s * times, count) >= _step_s(layout, each_s, count) * (1.0 - 1e-12)


@given(layout=any_layout, each_s=reading, count=st.integers(1, 64))
def test_a_step_takes_at_least_as_long_as_the_device_and_as_its_workers(
    layout: Layout, each_s: float, count: int
) -> None:
    """And at most a tenth more than the longer of the two."""
    read_s = layout.micro_batches * layout.micro_batch_size * each_s / count
    longer = max(read_s, _step_s(layout, 0.0, 0))
    assert longer * (1.0 - 1e-12) <= _step_s(layout, each_s, count) <= 1.1 * longer


@given(layout=any_layout, each_s=reading)
def test_without_workers_reading_adds_to_the_step(layout: Layout, each_s: float) -> None:
    samples = layout.micro_batches * layout.micro_batch_size
    assert _step_s(layout, each_s, 0) == pytest.approx(_step_s(layout, 0.0, 0) + samples * each_s)


@given(
    one=st.builds(Reads, pictures=st.floats(0, 64), megapixels=st.floats(0, 100), numbers=st.floats(0, 1e7)),
    more=st.builds(Reads, pictures=st.floats(0, 64), megapixels=st.floats(0, 100), numbers=st.floats(0, 1e7)),
)
def test_reading_both_takes_as_long_as_reading_each(one: Reads, more: Reads) -> None:
    both = Reads(
        pictures=one.pictures + more.pictures,
        megapixels=one.megapixels + more.megapixels,
        numbers=one.numbers + more.numbers,
    )
    assert reading_s(both) == pytest.approx(reading_s(one) + reading_s(more))
    assert reading_s(NO_READS) == 0.0


def test_a_faster_layout_is_still_the_faster_where_its_samples_set_the_pace() -> None:
    """Else which of many layouts is taken would hang on rounding."""
    lay = replace(PLAIN, data_parallel=8, micro_batch_size=8)
    slow, fast = (
        step_time(replace(case, reading_s=0.05, loader_workers=1.0), layouts_of(lay), CONSTANTS).total_s
        for case in (CASE, replace(CASE, gemm_flop_per_s=2.0 * np.asarray(CASE.gemm_flop_per_s)))
    )
    assert fast[0] < slow[0]
    assert slow[0] == pytest.approx(0.4, rel=0.1)


def _sound_s(framework: str, objective: str = "auto") -> float:
    asked = Request(
        model="whisper-small",
        gpu="a100-sxm-80gb",
        n_gpus=1,
        samples="1000 hours of audio",
        micro_batch_size=16,
        framework=framework,
        objective=objective,
    )
    question = resolve(asked).question
    assert question is not None
    return float(setting_of(question).case.reading_s)


def test_stored_sounds_are_waited_for_where_scripts_keep_them_as_lists() -> None:
    """Transformers' scripts and Optimum Habana's, with or without workers; others read arrays."""
    read_s = reading_s(Reads(numbers=80.0 * 3000.0))
    for words in ("HF Trainer", "HF Trainer, 8 dataloader workers"):
        assert _sound_s(words) == pytest.approx(read_s)
    for words in ("HF Trainer, synthetic data", "fairseq", "jax"):
        assert _sound_s(words) == 0.0
    assert _sound_s("HF Trainer", "classification") == 0.0


def test_a_stored_sound_takes_a_core_about_as_long_as_one_that_is_decoded() -> None:
    """30 s of FLAC or MP3 decoded, resampled and turned to log-mel take 0.05 to 0.15 s, and so do published runs."""
    assert 0.05 < reading_s(Reads(numbers=80.0 * 3000.0)) < 0.15
