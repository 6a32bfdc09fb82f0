"""A caller's own runs correct what is predicted of others as runs of one lab do, and narrow the range.

Authority: kriging's own properties (Rasmussen and Williams 2006, section 2.2): it interpolates, fades with distance,
does not depend on the order of what it knows, and never knows less by knowing more.
"""

import math
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from estimator.evidence.likeness import Traits, joined_traits, setting_traits
from estimator.evidence.outlook import neighbours
from estimator.evidence.own_lab import (
    NO_OWN_RUNS,
    OwnOutlook,
    held_to_own_runs,
    outlook_of_own,
    own_outlook,
    within_lab_correlation,
)
from estimator.evidence.uncertainty import Interval
from estimator.physics.choice import setting_of
from estimator.question.request import Request
from estimator.resolve.run import resolve

BASE: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100",
    "n_gpus": 8,
    "framework": "torchtitan",
    "sequence_length": 8192,
    "global_batch_sequences": 64,
    "tokens": "1B",
}
FURTHER: tuple[tuple[dict[str, Any], ...], ...] = (
    ({}, {"model": "llama-3.1-70b"}, {"model": "mixtral-8x7b"}),
    ({}, {"gpu": "h200"}, {"gpu": "mi300x"}),
    ({}, {"sequence_length": 16384}, {"sequence_length": 131072}),
    ({}, {"framework": "megatron"}, {"framework": "huggingface", "method": "lora", "model": "llama-3.1-70b"}),
)
"""Runs ever less like the first."""


def _traits(**changes: Any) -> Traits:  # noqa: ANN401 - arguments of a question
    question = resolve(Request(**(BASE | changes))).question
    assert question is not None
    return setting_traits(setting_of(question))


def _outlook(*residuals: float, runs: tuple[dict[str, Any], ...] = ({},)) -> OwnOutlook:
    return own_outlook(_traits(), joined_traits([_traits(**run) for run in runs]), np.array(residuals))


def test_without_runs_nothing_changes() -> None:
    assert own_outlook(_traits(), _traits().taken(np.array([], dtype=np.intp)), np.array([])) == NO_OWN_RUNS


def test_the_same_run_measured_carries_over_nearly_whole() -> None:
    """Half as fast again or at half the speed: what was measured is what is to be expected of it."""
    for residual in (math.log(2.0), -math.log(1.3), 0.1):
        assert _outlook(residual).correction_log == pytest.approx(residual, rel=0.06)


def test_a_run_as_predicted_moves_nothing_and_narrows() -> None:
    own = _outlook(0.0)
    assert own.correction_log == 0.0
    assert own.narrowing < 0.7


@pytest.mark.parametrize("chain", FURTHER)
def test_a_run_says_less_the_less_alike_it_is(chain: tuple[dict[str, Any], ...]) -> None:
    seen = [_outlook(0.15, runs=(run,)) for run in chain]
    corrections = [own.correction_log for own in seen]
    assert corrections == sorted(corrections, reverse=True)
    assert all(0.0 < correction < 0.15 for correction in corrections)
    assert [own.narrowing for own in seen] == sorted(own.narrowing for own in seen)
    assert all(own.narrowing < 1.0 for own in seen)


def test_a_large_residual_of_an_unlike_run_is_not_believed_whole() -> None:
    unlike = ({"model": "mixtral-8x7b", "framework": "megatron"},)
    assert _outlook(1.5, runs=unlike).correction_log == _outlook(3.0, runs=unlike).correction_log
    assert _outlook(3.0).correction_log > 2.0 * _outlook(1.0).correction_log


def test_a_run_of_which_nothing_can_be_predicted_is_named_and_corrects_nothing() -> None:
    question = resolve(Request(**BASE)).question
    assert question is not None
    unused = outlook_of_own(setting_of(question), [None])
    span = Interval(low=0.8, high=1.3, coverage=0.9, regime="all", warnings=())
    factor, held = held_to_own_runs(1.5, span, unused)
    assert factor == 1.5
    assert (held.low, held.high) == (0.8, 1.3)
    assert [warning.code for warning in held.warnings] == ["own_run_unused"]


def test_the_order_of_runs_plays_no_part() -> None:
    runs: tuple[dict[str, Any], ...] = ({}, {"gpu": "h200"}, {"model": "llama-3.1-70b"})
    told = list(zip((0.2, -0.1, 0.05), runs, strict=True))
    seen: list[tuple[float, float]] = []
    for order in permutations(told):
        residuals, ordered = zip(*order, strict=True)
        own = _outlook(*residuals, runs=ordered)
        seen.append((own.correction_log, own.narrowing))
    assert np.allclose(seen, seen[0], rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_more_runs_never_widen_the_range(seed: int) -> None:
    """Whatever published runs stand for a caller's."""
    rng = np.random.default_rng(seed)
    traits = neighbours().traits
    places = rng.permutation(len(traits.stack))[:13]
    question, measured = traits.taken(places[:1]), traits.taken(places[1:])
    residuals = rng.normal(0.0, 0.2, len(places) - 1)
    narrowings = [
        own_outlook(question, measured.taken(np.arange(count)), residuals[:count]).narrowing for count in range(13)
    ]
    assert narrowings == sorted(narrowings, reverse=True)
    assert narrowings[0] == 1.0


def test_correlations_are_those_of_a_gaussian_process() -> None:
    """Symmetric, at most 1, and of no negative variance, over a sample of all published runs."""
    traits = neighbours().traits
    some = traits.taken(np.arange(0, len(traits.stack), 7))
    correlation = within_lab_correlation(some, some)
    assert np.array_equal(correlation, correlation.T)
    assert correlation.max() < 1.0
    assert np.linalg.eigvalsh(correlation).min() > -1e-9
