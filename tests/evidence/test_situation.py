"""What differs from machine to machine moves some steps more than others.

Authority: reason; arithmetic on the shares of a step.
"""

import math

import pytest

from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.situation import SITUATIONAL, situation_spread
from estimator.physics.choice import Setting, ranked_layouts, setting_of
from estimator.physics.constants import Constants
from estimator.physics.matmul import products_s
from estimator.physics.step import step_time
from estimator.question.question import Question
from tests.physics_cases import catalogued_cluster

CONSTANTS = committed_calibration().constants


def _setting(model: str, framework: str, n_gpus: int, *, length: int, batch: int, network: float = 1.0) -> Setting:
    return setting_of(
        Question(
            transformer=catalogue.transformer(model).value,
            cluster=catalogued_cluster("h100-sxm", n_gpus, network=network),
            precision="bf16",
            sequence_length=length,
            global_batch_sequences=batch,
            framework=framework,
        )
    )


def _spread(setting: Setting) -> tuple[float, float]:
    """Return the spread of the best layout, and the share of its step in communication."""
    best = setting.layouts.taken(ranked_layouts(setting, CONSTANTS).order[:1])
    times = step_time(setting.case, best, CONSTANTS)
    products = products_s(setting.case, CONSTANTS, best)
    return situation_spread(setting, best, CONSTANTS, products), float(times.communication_s[0] / times.total_s[0])


def test_what_differs_between_machines_moves_short_steps_of_a_general_trainer_most() -> None:
    """Launches and hooks are the host's; a large step of matrix products hides them."""
    short, _ = _spread(_setting("llama-3.2-1b", "huggingface", 8, length=512, batch=8))
    large, _ = _spread(_setting("llama-3.1-70b", "megatron", 512, length=8192, batch=1024))
    assert 0.0 < 3 * large < short < math.log(2.0)


@pytest.mark.parametrize("model", ["llama-3.2-1b", "deepseek-v3"])
def test_what_differs_between_machines_moves_no_matrix_product(model: str) -> None:
    """Else a range would be made of products that are no longer true."""
    setting = _setting(model, "megatron", 64, length=4096, batch=256)
    best = setting.layouts.taken(ranked_layouts(setting, CONSTANTS).order[:1])
    products = products_s(setting.case, CONSTANTS, best)
    moved = Constants({name: value * (2.0 if name in SITUATIONAL else 1.0) for name, value in CONSTANTS.items()})
    assert products_s(setting.case, moved, best) == products
    assert products_s(setting.case, Constants({**CONSTANTS, "gemm_efficiency": 0.1}), best) != products


@pytest.mark.parametrize("framework", ["nemo", "torchtitan", "huggingface"])
def test_the_more_of_a_step_is_communication_the_less_sure_it_is(framework: str) -> None:
    """How much is hidden is not told; of little, or of nearly all, there is little that could be."""
    (near, few), (far, many) = (
        _spread(_setting("llama-3.1-8b", framework, 32, length=4096, batch=64, network=network))
        for network in (1.0, 0.1)
    )
    assert few < many
    assert near < far
    for spread, share in ((near, few), (far, many)):
        assert spread >= 0.8 * share * (1.0 - share)
        assert spread < 0.6
