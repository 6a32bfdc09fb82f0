"""Beyond what two labs have measured a range widens, the further the wider.

Authority: published runs that lie beyond what others measured, which ranges held less often than the rest.
"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.answers.estimate.predict import prediction
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.outlook import neighbour_runs, neighbours_of
from estimator.evidence.reach import beyond_of, left_out_beyond
from estimator.physics.choice import setting_of
from estimator.question.question import Question
from tests.physics_cases import catalogued_cluster


def _question(model: str = "llama-3.1-8b", n_gpus: int = 64, length: int = 8192) -> Question:
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=catalogued_cluster("h100-sxm", n_gpus),
        precision="bf16",
        sequence_length=length,
        global_batch_sequences=None,
        framework="nemo",
    )


def _beyond(asked: Question) -> float:
    return beyond_of(setting_of(asked))


@pytest.mark.parametrize("model", ["llama-3.2-1b", "llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b"])
@pytest.mark.parametrize("length", [1024, 4096, 32_768, 131_072])
def test_what_two_labs_measured_is_not_beyond(model: str, length: int) -> None:
    assert _beyond(_question(model, 512, length)) == 0.0


@given(doublings=st.integers(0, 3), more=st.integers(1, 2))
@settings(deadline=None, max_examples=20)
def test_the_longer_a_sequence_and_the_larger_a_cluster_the_less_sure(doublings: int, more: int) -> None:
    near, far = 2**17 << doublings, 2**17 << doublings + more
    assert _beyond(_question(length=near)) < _beyond(_question(length=far))
    near, far = 2**13 << doublings, 2**13 << doublings + more
    assert _beyond(_question(n_gpus=near)) < _beyond(_question(n_gpus=far))


def test_a_million_tokens_are_answered_with_a_wider_range_than_a_hundred_thousand() -> None:
    """Runs of a million tokens are one lab's, and without it they were off by a quarter and more."""
    known, beyond = (prediction(_question(n_gpus=1024, length=each)) for each in (2**17, 2**20))
    widths = [math.log(found.high_factor / found.low_factor) for found in (known, beyond)]
    assert widths[1] > 1.2 * widths[0]


def test_a_lab_confirms_nothing_of_its_own() -> None:
    """What one lab alone reached counts as unreached for others, and its own runs never for itself."""
    runs = neighbour_runs(committed_calibration())
    traits = neighbours_of(committed_calibration()).traits
    labs = [run.lab for run in runs]
    before = left_out_beyond(traits, [run.n_gpus for run in runs], labs)
    furthest = int(np.argmax(traits.log_length))
    further = np.where(np.arange(len(labs)) == furthest, math.log(16.0), 0.0)
    stretched = replace(traits, log_length=traits.log_length + further)
    after = left_out_beyond(stretched, [run.n_gpus for run in runs], labs)
    assert after[furthest] > before[furthest]
    np.testing.assert_array_equal(np.delete(after, furthest), np.delete(before, furthest))


def test_few_published_runs_lie_beyond_others_and_are_off_by_more() -> None:
    """Whether ranges hold as many of them as is promised is told with the accuracy of all runs."""
    runs = neighbour_runs(committed_calibration())
    traits = neighbours_of(committed_calibration()).traits
    beyond = left_out_beyond(traits, [run.n_gpus for run in runs], [run.lab for run in runs])
    errors = np.abs(np.log([committed_calibration().ratios[run.id] for run in runs]))
    outside = beyond > 0.0
    assert 10 <= outside.sum() <= 0.05 * len(runs)
    assert np.sqrt(np.mean(errors[outside] ** 2)) > np.sqrt(np.mean(errors[~outside] ** 2))


def test_other_kinds_than_decoders_are_held_against_their_own_runs() -> None:
    vit = catalogue.transformer("vit-base-patch16-224").value
    assert _beyond(replace(_question(), transformer=vit, sequence_length=197)) == 0.0
