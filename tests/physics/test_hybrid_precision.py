"""How published recipes run hybrids beyond decoders' ways: what 4-bit training keeps wide, and which experts fuse.

Authority: Abecassis et al. 2025, section 4.1; NVIDIA/TransformerEngine pull requests 2769, 2981 and 3072.
"""

from dataclasses import replace

import numpy as np
import pytest

from estimator.calibrate.backtest import joined
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.physics.case import stacked
from estimator.physics.choice import nearest_setting
from estimator.physics.execution import execution_of
from estimator.physics.stacks import stack_named
from estimator.physics.step import step_time
from estimator.question.practice import Launch, Practice
from estimator.question.question import Question
from estimator.resolve.published import published_question
from tests.backtests import of_other_kinds

CONSTANTS = committed_calibration().constants
DECODER = next(published_question(run) for run in catalogue.runs() if run.precision == "nvfp4")


def _hybrid() -> Question:
    return next(run.question for run in of_other_kinds() if run.id == "nemotronh-004")


def _shares_wide(question: Question) -> dict[str, float]:
    """Return the share of each matrix's layers that stays in 16 bits."""
    wide: dict[str, float] = {}
    every: dict[str, float] = {}
    for matrix in nearest_setting(question).case.matrices:
        every[matrix.name] = every.get(matrix.name, 0.0) + float(matrix.layers)
        wide[matrix.name] = wide.get(matrix.name, 0.0) + float(matrix.layers) * matrix.half
    return {name: wide[name] / every[name] for name in every}


def test_a_4_bit_hybrid_keeps_attention_latents_and_its_last_layers_wide() -> None:
    shares = _shares_wide(_hybrid())
    assert all(shares[name] == 1.0 for name in ("qkv", "attention_out", "latent_down", "latent_up", "logits"))
    assert all(shares[name] == pytest.approx(0.16) for name in ("ssm_in", "expert_up", "expert_down", "shared_up"))


def test_nothing_else_is_kept_wide() -> None:
    """Neither of an 8-bit hybrid nor of a decoder: what decoders' recipes keep wide is in what was fitted to them."""
    for question in (replace(_hybrid(), precision="mxfp8"), DECODER):
        assert set(_shares_wide(question).values()) == {0.0}


def test_what_is_kept_wide_stays_so_beside_other_questions() -> None:
    """Many questions are priced as one: each takes what it takes alone."""
    settings = [nearest_setting(question) for question in (_hybrid(), DECODER, replace(_hybrid(), precision="mxfp8"))]
    first = [setting.layouts.taken(np.array([0])) for setting in settings]
    alone_s = [step_time(setting.case, lay, CONSTANTS).total_s[0] for setting, lay in zip(settings, first, strict=True)]
    together = stacked([setting.case for setting in settings])
    assert step_time(together, joined(first), CONSTANTS).total_s == pytest.approx(alone_s, rel=1e-9)


@pytest.mark.parametrize(
    ("gated", "released", "fused"),
    [(True, 2026.3, False), (True, 2026.4, True), (False, 2026.4, False), (False, 2026.6, True)],
)
def test_experts_without_a_gate_fuse_a_release_later(gated: bool, released: float, fused: bool) -> None:
    hybrid = _hybrid()
    question = replace(hybrid, transformer=replace(hybrid.transformer, gated_mlp=gated), released=released)
    assert execution_of(question, stack_named("nemo")).fused_experts is fused


@pytest.mark.parametrize(
    ("launch", "fused"), [(None, True), ("graphs", True), ("partial_graphs", False), ("eager", False)]
)
def test_experts_that_are_launched_one_by_one_wait_for_the_host(launch: Launch | None, fused: bool) -> None:
    """NVIDIA's recipes of one release replay whole steps on some devices, and on others attention and router alone."""
    question = replace(DECODER, released=2026.5, practice=Practice(launch=launch))
    assert execution_of(question, stack_named("nemo")).fused_experts is fused
    before = replace(question, released=2025.9)
    assert not execution_of(before, stack_named("nemo")).fused_experts


@pytest.mark.parametrize(
    ("said", "spared"),
    [
        (Practice(), False),
        (Practice(dispatcher="alltoall"), False),
        (Practice(launch="partial_graphs"), False),
        (Practice(dispatcher="deepep"), True),
        (Practice(dispatcher="hybridep", launch="partial_graphs"), True),
        (Practice(launch="graphs"), True),
    ],
)
def test_a_library_or_a_graph_of_whole_layers_spares_experts_part_of_their_waits(said: Practice, spared: bool) -> None:
    question = replace(DECODER, released=2025.9, practice=said)
    assert execution_of(question, stack_named("nemo")).spared_experts is spared
