"""What an answer takes from runs of its kind: nothing for decoders, a level and a width for all others.

Authority: reason, as `estimator/evidence/kinds.py` states it.
"""

import math
from dataclasses import replace

import pytest

from estimator.answers.estimate.best_step import best_step
from estimator.calibrate.runs_of_kinds import MeasuredRun, measured_runs
from estimator.catalogue import catalogue
from estimator.evidence.calibration import Calibration, KindLevel, committed_calibration, standing_in
from estimator.evidence.kinds import kind_outlook
from estimator.models.kinds import KIND_NAMES, kind_of
from estimator.physics.choice import nearest_setting
from estimator.question.question import Question
from estimator.resolve.published import published_question

RUNS: dict[str, MeasuredRun] = {run.kind: run for run in measured_runs()[0]}
KINDS = sorted(set(KIND_NAMES) - {"decoder"})


def _with_levels(**levels: float) -> Calibration:
    """Return the committed calibration with these levels, and one of 0.2 for all kinds together."""
    every = {"all": 0.2, **levels}
    rows = {name: KindLevel(level_log=log, half_log=0.8, runs=9, labs=4) for name, log in every.items()}
    return replace(committed_calibration(), kinds=rows)


def _answer(question: Question, calibration: Calibration) -> tuple[float, float]:
    """Return seconds of the best step, and the width of its range as a factor."""
    with standing_in(calibration):
        best = best_step(nearest_setting(question), calibration)
    return best.prediction.step_s, best.span.high / best.span.low


@pytest.mark.parametrize("kind", KINDS)
def test_a_level_moves_its_own_kind_by_as_much(kind: str) -> None:
    """But for the second opinion, which is weighed against it."""
    question = RUNS[kind].question
    plain, _ = _answer(question, _with_levels(**{kind: 0.0}))
    moved, _ = _answer(question, _with_levels(**{kind: 0.3}))
    assert moved / plain == pytest.approx(math.exp(0.3), rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_called_with_the_article_that_it_is_spoken_with(kind: str) -> None:
    name = KIND_NAMES[kind]
    article = "an" if name in {"encoder", "encoder–decoder"} else "a"
    for levels in ({kind: 0.2}, {}):
        caution = kind_outlook(RUNS[kind].question.transformer, _with_levels(**levels)).caution
        assert caution is not None
        assert f" {article} {name}" in f" {caution.message}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_was_not_measured_is_wider_and_says_so(kind: str) -> None:
    question = RUNS[kind].question
    known = kind_outlook(question.transformer, _with_levels(**{kind: 0.2}))
    unseen = kind_outlook(question.transformer, _with_levels())
    assert unseen.half_log > known.half_log
    assert unseen.level_log == known.level_log
    assert unseen.caution is not None
    assert unseen.caution.code == "kind_not_measured"
    assert known.caution is not None
    assert known.caution.code == "few_runs_of_its_kind"
    assert _answer(question, _with_levels())[1] > _answer(question, _with_levels(**{kind: 0.2}))[1]


def test_a_decoder_is_not_touched_by_levels_of_other_kinds() -> None:
    decoders = [published_question(run) for run in catalogue.runs()[::250]]
    assert len(decoders) >= 5
    far = _with_levels(**dict.fromkeys(KINDS, 2.0))
    none = replace(committed_calibration(), kinds={})
    for question in decoders:
        assert kind_of(question.transformer) == "decoder"
        assert kind_outlook(question.transformer, far).half_log == 0.0
        assert _answer(question, far) == _answer(question, none)
