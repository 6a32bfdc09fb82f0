"""Optimizers of low rank: where projections are decomposed from gradients, that is much of a small step.

Authority: ten minutes for all matrices of LLaMA 7B, every 200 steps (Zhang et al. 2024, Q-GaLore, section 1).
"""

import numpy as np
import pytest

from estimator.physics.execution import Execution
from estimator.physics.layout import layouts_of
from estimator.physics.sharing import optimizer_s
from estimator.resolve.framework.named import named_framework
from tests.physics_cases import CONSTANTS, PLAIN, catalogued_case, catalogued_cluster


def _optimizer_s(*, decomposes: bool) -> float:
    cluster = catalogued_cluster("a100-sxm-80gb", 1)
    execution = Execution(optimizer="low_rank", decomposes_gradients=decomposes)
    case = catalogued_case("llama-7b", cluster, execution=execution)
    return float(np.asarray(optimizer_s(case, CONSTANTS, layouts_of(PLAIN)))[0])


def test_a_step_has_its_share_of_the_decompositions() -> None:
    assert _optimizer_s(decomposes=True) - _optimizer_s(decomposes=False) == pytest.approx(600.0 / 200.0, rel=0.02)


@pytest.mark.parametrize(
    ("words", "decomposes"),
    [("galore_adamw", True), ("Q-GaLore", True), ("GaLore 8-bit layerwise", True), ("APOLLO", False), ("adamw", None)],
)
def test_words_tell_whether_projections_are_decomposed_or_drawn(words: str, decomposes: bool | None) -> None:
    assert named_framework(f"HF Trainer, {words}").practice.decomposes_gradients is decomposes
