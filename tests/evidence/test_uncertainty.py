"""Ranges are wider on what no published run, or hardly any, was of, and hold what they say of errors.

Authority: which lengths and generations of devices have published runs; arithmetic on invented errors.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration, standing_in
from estimator.evidence.uncertainty import half_widths, holds, interval, left_out_half_widths, regime_quantiles
from estimator.physics.choice import setting_of
from estimator.question.question import Question
from tests.physics_cases import catalogued_cluster
from tools.estimate_training_time import estimate_training_time


def _answer(**asked: Any) -> dict[str, Any]:  # noqa: ANN401 - the tool's arguments
    return estimate_training_time(tokens="100M", **asked).model_dump()


def _codes(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["warnings"]}


def _width(answer: dict[str, Any]) -> float:
    return float(answer["training_days_high"] / answer["training_days_low"])


LONG = {
    "model": "qwen3-8b",
    "gpu": "h100",
    "n_gpus": 8,
    "framework": "trl",
    "context_parallel": 8,
    "global_batch_sequences": 1,
    "activation_recompute": "full",
    "data_sharding": "zero3",
}


def test_a_range_is_wider_where_sequences_are_longer_than_any_two_labs_measured() -> None:
    """At 131,072 tokens three labs have speeds that are comparable, at more one (data/runs.csv)."""
    known = [run for run in catalogue.runs() if run.id in committed_calibration().ratios]
    labs = {length: {run.lab for run in known if run.sequence_length >= length} for length in (2**17, 2**17 + 1)}
    assert len(labs[2**17]) >= 2 > len(labs[2**17 + 1])
    answers = [_answer(**LONG, sequence_length=length) for length in (2**17, 2**18, 2**20)]
    assert ["unseen_length" in _codes(answer) for answer in answers] == [False, True, True]
    assert _width(answers[0]) < _width(answers[1]) < _width(answers[2])
    (told,) = (each["message"] for each in answers[1]["warnings"] if each["code"] == "unseen_length")
    assert "131,072 tokens" in told


@pytest.mark.parametrize("hidden", ["hopper", ""])
def test_a_family_between_measured_generations_is_less_unknown_than_one_beyond_them(hidden: str) -> None:
    """Hopper lies between Ampere and Blackwell; with every device hidden no generation is measured on either side."""
    known = committed_calibration()
    effects = {key: effect for key, effect in known.effects.items() if not key.startswith(f"device:{hidden}")}
    run = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "framework": "torchtitan"}
    widths: list[float] = []
    for calibration in (known, replace(known, effects=effects)):
        with standing_in(calibration):
            widths.append(math.log(_width(_answer(**run))))
    assert widths[1] == pytest.approx((1.2 if hidden else 1.4) * widths[0], rel=0.06)


PARTINGS = np.linspace(-3.0, 3.0, 241)


@pytest.mark.parametrize("framework", ["nemo", "torchtitan", "huggingface"])
def test_a_range_reaches_for_the_second_opinion_gradually_and_as_far_as_it_says(framework: str) -> None:
    """Whichever side it lies on; where the two are near it changes nothing."""
    question = Question(
        transformer=catalogue.transformer("llama-3.1-8b").value,
        cluster=catalogued_cluster("h100-sxm", 64),
        precision="bf16",
        sequence_length=4096,
        global_batch_sequences=512,
        framework=framework,
    )
    setting, known = setting_of(question), committed_calibration()
    spans = [interval(setting, known, parting_log=float(parting)) for parting in PARTINGS]
    ends = np.log([(span.low, span.high) for span in spans])
    assert np.abs(np.diff(ends, axis=0)).max() < 3.1 * (PARTINGS[1] - PARTINGS[0])
    near = np.abs(PARTINGS) < 0.1
    assert np.ptp(ends[near], axis=0).max() < 0.005
    said = np.array(["opinions_part" in {caution.code for caution in span.warnings} for span in spans])
    assert said[[0, -1]].all()
    assert not said[near].any()
    reach = 0.1 * np.abs(PARTINGS) + 0.05
    assert np.all((ends[said, 0] <= PARTINGS[said] + reach[said]) & (PARTINGS[said] - reach[said] <= ends[said, 1]))


def _errors(labs: int, rows: int, seed: int) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Return errors of invented labs, whose they are, and the spreads that are known of each."""
    random = np.random.default_rng(seed)
    known = random.choice([0.0, 0.1, 0.4], labs * rows)
    levels = np.repeat(random.normal(0.0, 0.15, labs), rows)
    return (
        levels + random.normal(0.0, np.hypot(0.1, known)),
        [f"lab {place}" for place in range(labs) for _ in range(rows)],
        known,
    )


@given(st.integers(0, 2**31), st.integers(20, 40), st.integers(2, 12))
def test_ranges_hold_about_nine_of_ten_runs_of_labs_that_were_left_out(seed: int, labs: int, rows: int) -> None:
    """Whatever is known of a row, more or less: a spread that is known is no reason to be wrong more often."""
    errors, whose, known = _errors(labs, rows, seed)
    halves = left_out_half_widths(errors, known, [("all",)] * len(whose), whose, np.zeros(len(whose)))
    inside = holds(errors, halves)
    assert inside.mean() > 0.8
    # The middle of these labs lies where it likes, and a lab's runs stand and fall together.
    assert inside[known == known.max()].mean() > inside.mean() - 0.2
    assert np.all(halves[known == 0.4] > halves[known == 0.0].min())


@given(st.integers(0, 2**31), st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_the_more_is_known_to_vary_the_wider_a_range_and_never_narrower(seed: int, less: float, more: float) -> None:
    errors, whose, known = _errors(20, 3, seed)
    quantiles = regime_quantiles(errors, known, [("all",)] * len(whose), whose)
    less, more = sorted((less, more))
    narrow, wide = half_widths(quantiles, [("all",)] * 2, np.array([less, more]))
    assert quantiles["all"] <= narrow <= wide


@given(st.floats(0.01, 1.0), st.floats(0.0, 2.0))
def test_a_range_reaches_further_up_than_down(half: float, share: float) -> None:
    """Measured may be longer than predicted by more than it may be shorter, and both ends lie `2 · half` apart."""
    slower, faster = (bool(holds(np.array([sign * share * half]), np.array([half]))[0]) for sign in (-1.0, 1.0))
    assert slower or not faster
    assert slower == (share <= 1.2) or share == pytest.approx(1.2)
    assert faster == (share <= 0.8) or share == pytest.approx(0.8)


def test_a_regime_of_few_labs_has_nearly_the_range_of_all() -> None:
    """Nine tenths of three labs is chance; of as many as the rest it is its own."""
    errors = np.concatenate([np.full(60, 0.1), np.full(3, 0.6), np.full(30, 0.6)])
    labs = [f"lab {place}" for place in range(len(errors))]
    regimes = [("usual", "all")] * 60 + [("rare", "all")] * 3 + [("odd", "all")] * 30
    found = regime_quantiles(errors, np.zeros(len(errors)), regimes, labs)
    few = regime_quantiles(errors[:63], np.zeros(63), regimes[:63], labs[:63])
    assert list(found) == ["all", "odd", "rare", "usual"], "the widest first, and always alike"
    assert found["odd"] == pytest.approx(0.6 / 0.8)
    assert found["usual"] == pytest.approx(0.1 / 0.8)
    assert few["usual"] == pytest.approx(0.1 / 0.8)
    assert few["all"] < few["rare"] < (few["all"] + 0.6 / 0.8) / 2.0
