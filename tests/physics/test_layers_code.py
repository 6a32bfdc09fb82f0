"""What trainers' code adds to a layer: experts that the host goes through, and norms beyond two.

Authority: Transformers' modelling code, its kernels counted, as `physics.host_work` and `physics.kernels` say; device,
model and constants are invented.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from estimator.models.feed_forward import Experts
from estimator.models.training import Method
from estimator.physics.execution import Execution
from estimator.physics.kernels import traffic_s
from estimator.physics.launches import launches_s
from estimator.physics.layout import layouts_of
from tests.physics_cases import CONSTANTS, MEMORY_BYTES_PER_S, MODEL, PLAIN, small_case

TOKENS, LAYERS, HIDDEN, HEADS = 2048, 2, 1024, 8
EXPERTS = replace(MODEL, experts=Experts(n_experts=8, top_k=2, ffn_hidden=512))
LORA = Method(name="lora", lora_rank=16)
PLAIN_ROWS = layouts_of(PLAIN)


def test_a_loop_over_experts_launches_each_of_them() -> None:
    grouped, loop = (small_case(transformer=EXPERTS, execution=Execution(expert_loop=on)) for on in (False, True))
    per_pass_s = 100e-6 * LAYERS * 2.2
    assert launches_s(grouped, CONSTANTS, PLAIN_ROWS) == pytest.approx(per_pass_s * (16 + 20))
    each_s = 100e-6 * LAYERS * 8
    assert launches_s(loop, CONSTANTS, PLAIN_ROWS) == pytest.approx(per_pass_s * (16 + 20) + each_s * (12 + 33))
    slices = small_case(transformer=EXPERTS, execution=Execution(expert_loop=True, experts_in_one=True))
    assert launches_s(slices, CONSTANTS, PLAIN_ROWS) == pytest.approx(per_pass_s * (16 + 20) + each_s * (24 + 43))


def test_a_loop_over_experts_moves_gradients_as_long_as_all_tokens() -> None:
    """Zeroed, and added to the sum of the others': four passes, whether or not anything of an expert learns."""
    grouped, loop = (small_case(transformer=EXPERTS, execution=Execution(expert_loop=on)) for on in (False, True))
    more = traffic_s(loop, CONSTANTS, PLAIN_ROWS, TOKENS) - traffic_s(grouped, CONSTANTS, PLAIN_ROWS, TOKENS)
    assert more == pytest.approx(2.0 * TOKENS * LAYERS * 8 * 4 * HIDDEN / MEMORY_BYTES_PER_S)


@pytest.mark.parametrize(("method", "learns"), [(None, 1.0), (LORA, 0.0)])
def test_gradients_of_slices_are_as_large_as_what_they_are_cut_from(method: Method | None, learns: float) -> None:
    apart, in_one = (
        small_case(transformer=EXPERTS, method=method, execution=Execution(expert_loop=True, experts_in_one=one))
        for one in (False, True)
    )
    more = traffic_s(in_one, CONSTANTS, PLAIN_ROWS, TOKENS) - traffic_s(apart, CONSTANTS, PLAIN_ROWS, TOKENS)
    weights = LAYERS * 8 * 2 * HIDDEN * 512
    assert more == pytest.approx(learns * 2.0 * 4 * 8 * weights / MEMORY_BYTES_PER_S)


def test_deepspeed_gathers_each_matrix_of_experts_that_are_modules() -> None:
    zero3 = layouts_of(replace(PLAIN, data_parallel=8, data_sharding="zero3"))
    how = Execution(module_hooks=True, expert_loop=True)
    apart, in_one = (
        small_case(8, transformer=EXPERTS, execution=replace(how, experts_in_one=one)) for one in (False, True)
    )
    hooks = [float(np.asarray(case.expert_gathers)) for case in (apart, in_one)]
    assert hooks == [pytest.approx(0.2 * 3 * 8), 0.0]
    without = replace(apart, expert_gathers=0.0)
    more = launches_s(apart, CONSTANTS, zero3) - launches_s(without, CONSTANTS, zero3)
    assert more == pytest.approx(CONSTANTS["module_hook_s"] * hooks[0] * LAYERS * 2.0)


def test_the_second_fsdp_gathers_what_learns_and_what_does_not_together() -> None:
    """PEFT's policy for the first wraps each matrix of a pair by itself: two for each of six matrices a layer."""
    apart, together = (
        float(
            np.asarray(small_case(8, method=LORA, execution=Execution(eager_adapters=True, joins_pairs=joins)).gathers)
        )
        for joins in (False, True)
    )
    assert [apart, together] == pytest.approx([1.0 + 2 * 6, 1.0])


FURTHER_NORMS = [
    ({"norms_per_layer": None}, 0, 0),
    ({"norms_per_layer": 4}, 2, 2 * HIDDEN),
    ({"norms_per_layer": 1}, -1, -HIDDEN),
    ({"norms_per_layer": 2, "normed_heads": True}, 2, 2 * HEADS * 128),
]


@pytest.mark.parametrize(("told", "kernels", "elements"), FURTHER_NORMS)
@pytest.mark.parametrize("fused", [True, False])
def test_each_norm_beyond_two_a_layer_is_launched_and_moves_what_it_normalises(
    told: dict[str, Any], kernels: int, elements: int, fused: bool
) -> None:
    launched, passes = (1, 2.0) if fused else (8, 14.0)
    gated = replace(MODEL, gated_mlp=True)
    usual, other = (
        small_case(transformer=model, execution=Execution(fused_kernels=fused))
        for model in (gated, replace(gated, **told))
    )
    more_s = launches_s(other, CONSTANTS, PLAIN_ROWS) - launches_s(usual, CONSTANTS, PLAIN_ROWS)
    assert more_s == pytest.approx(100e-6 * launched * kernels * LAYERS * 2.2)
    moved_s = traffic_s(other, CONSTANTS, PLAIN_ROWS, TOKENS) - traffic_s(usual, CONSTANTS, PLAIN_ROWS, TOKENS)
    assert moved_s == pytest.approx(2.0 * TOKENS * LAYERS * passes * elements * 2.5 / MEMORY_BYTES_PER_S)
