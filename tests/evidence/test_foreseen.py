"""The second opinion is drawn to the physics as far as its kind of run cannot know why a step is long.

Authority: reason, as `estimator/evidence/foreseen.py` states it.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.foreseen import foreseen_log
from estimator.physics.choice import Setting, ranked_layouts, setting_of
from estimator.physics.matmul import products_s
from estimator.physics.step import step_time
from estimator.question.question import Question
from tests.physics_cases import catalogued_cluster

CONSTANTS = committed_calibration().constants


def _setting(length: int, gbps: float) -> Setting:
    return setting_of(
        Question(
            transformer=catalogue.transformer("llama-3.1-8b").value,
            cluster=catalogued_cluster("h100-sxm", 64, network=gbps / 400.0),
            precision="bf16",
            sequence_length=length,
            global_batch_sequences=64,
            framework="torchtitan",
        )
    )


def _foreseen(parting: float, length: int = 8192, gbps: float = 400.0) -> float:
    setting = _setting(length, gbps)
    best = ranked_layouts(setting, CONSTANTS).order[:1]
    layouts = setting.layouts.taken(best)
    products = products_s(setting.case, CONSTANTS, layouts)
    times = step_time(setting.case, layouts, CONSTANTS, products)
    return foreseen_log(parting, setting, layouts, CONSTANTS, times=times, products=products)


@given(st.floats(-4.0, 4.0), st.sampled_from([256, 1024, 4096]), st.sampled_from([2.0, 25.0, 400.0]))
@settings(deadline=None, max_examples=25)
def test_it_is_never_drawn_beyond_the_physics_nor_pushed_away(parting: float, length: int, gbps: float) -> None:
    drawn = _foreseen(parting, length, gbps)
    assert min(parting, 0.0) <= drawn <= max(parting, 0.0)
    if parting > 0.0:
        assert drawn == parting


@given(st.floats(-4.0, -0.01))
@settings(deadline=None, max_examples=10)
def test_the_more_a_step_waits_the_less_its_kind_has_foreseen(parting: float) -> None:
    """By few tokens a micro-batch, and by a slow network."""
    for worse in ([(8192, 400.0), (1024, 400.0), (256, 400.0)], [(8192, 400.0), (8192, 25.0), (8192, 2.0)]):
        drawn = [_foreseen(parting, length, gbps) for length, gbps in worse]
        assert drawn == sorted(drawn)
        assert drawn[0] < 0.7 * parting < 0.4 * parting < drawn[-1]


def test_what_is_half_foreseen_is_half_as_far() -> None:
    """At 1,024 tokens of a micro-batch, were nothing else in the way; what is in the way draws it further."""
    assert _foreseen(-1.0, 1024) > -0.5
    assert _foreseen(-1.0, 1024) == pytest.approx(_foreseen(-2.0, 1024) / 2.0)
