"""What runs again of a layer, and what is worked on for nothing: half-filled matrix units, experts' empty places.

Authority: Chen et al. 2016 (a layer's forward pass runs again from its input), and the operations of a layer.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.models.feed_forward import Experts
from estimator.models.mixers.state_space import StateSpace
from estimator.models.training import Method, Recompute
from estimator.physics.case import BROADCAST, Case
from estimator.physics.constants import prior_constants
from estimator.physics.execution import Execution
from estimator.physics.kernels import attention_s, dequantization_s, rounding_s, scan_s
from estimator.physics.layout import layouts_of
from estimator.physics.memory import memory_of
from estimator.physics.sharing import layer_communication_s
from estimator.physics.step import step_time
from estimator.question.practice import LayerPart
from tests.physics_cases import CHIP, LAYER_PARTS, MODEL, PLAIN, catalogued_case, catalogued_cluster, small_case

CONSTANTS = prior_constants()
MODELS = ("llama-3.1-8b", "mixtral-8x7b", "deepseek-v3", "gpt-3-175b")
parts = st.frozensets(st.sampled_from(LAYER_PARTS))
model = st.sampled_from(MODELS)


def _step_s(name: str, recompute: Recompute, execution: Execution) -> float:
    case = catalogued_case(name, catalogued_cluster("h100-sxm", 1), execution=execution)
    layout = replace(PLAIN, recompute=recompute)
    return float(step_time(case, layouts_of(layout), CONSTANTS).total_s[0])


@given(name=model, named=parts, more=st.sampled_from(LAYER_PARTS))
def test_each_part_that_runs_again_costs_and_frees_memory(
    name: str, named: frozenset[LayerPart], more: LayerPart
) -> None:
    together: frozenset[LayerPart] = named.union([more])
    fewer, all_of_them = Execution(recomputed=named - {more}), Execution(recomputed=together)
    assert _step_s(name, "selective", all_of_them) > _step_s(name, "selective", fewer)
    layout = layouts_of(replace(PLAIN, recompute="selective"))
    kept = [
        memory_of(
            catalogued_case(name, catalogued_cluster("h100-sxm", 1), execution=execution), layout
        ).activations_bytes[0]
        for execution in (fewer, all_of_them)
    ]
    assert kept[1] <= kept[0]


@pytest.mark.parametrize("name", MODELS)
def test_naming_every_part_costs_what_full_recomputation_does(name: str) -> None:
    for compiled in (False, True):
        named = Execution(recomputed=frozenset(LAYER_PARTS), drops_dead_code=compiled)
        assert _step_s(name, "selective", named) == pytest.approx(_step_s(name, "full", named), rel=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_a_compiler_saves_the_last_product_of_a_layer_and_no_more(name: str) -> None:
    """The share of the step is that of one product of the MLP's, forward: less than a sixth of its time."""
    eager, compiled = (_step_s(name, "full", Execution(drops_dead_code=drops)) for drops in (False, True))
    assert 5 / 6 * eager < compiled < eager
    parts_but_the_last = Execution(recomputed=frozenset(LAYER_PARTS) - {"down"})
    assert compiled == pytest.approx(_step_s(name, "selective", parts_but_the_last), rel=0.02)


_FULL = layouts_of(replace(PLAIN, data_parallel=8, expert_parallel=4, recompute="full"))
_TOKENS = np.array([2048.0])
_UNFUSED = small_case(8, execution=Execution(attention="unfused"))
_SCANS = replace(MODEL, mixers=(StateSpace(layers=2, heads=32, head_dim=64, state=128, groups=1, chunk=256),))
_EXPERTS = replace(MODEL, experts=Experts(n_experts=8, top_k=2, ffn_hidden=512))
_OF_8_BITS = small_case(8, method=Method(name="lora"), execution=Execution(base_bits=8))
_OF_4_BITS = small_case(8, method=Method(name="qlora"), execution=Execution(base_bits=4))


def _attention(case: Case) -> BROADCAST:
    return attention_s(case, CONSTANTS, _FULL, _TOKENS)


def _scan(case: Case) -> BROADCAST:
    return scan_s(case, CONSTANTS, _FULL, _TOKENS)


def _communication(case: Case) -> BROADCAST:
    return layer_communication_s(case, CONSTANTS, _FULL, _TOKENS)[0]


def _rounding(case: Case) -> BROADCAST:
    return rounding_s(case, CONSTANTS, _FULL, _TOKENS)


def _dequantization(case: Case) -> BROADCAST:
    return dequantization_s(case, CONSTANTS, _FULL)


@pytest.mark.parametrize(
    ("case", "spent"),
    [
        (_UNFUSED, _attention),
        (small_case(8, transformer=_SCANS), _scan),
        (small_case(8, transformer=_EXPERTS), _communication),
        (_OF_8_BITS, _rounding),
        (_OF_4_BITS, _dequantization),
    ],
)
def test_full_recomputation_of_half_the_layers_costs_half(case: Case, spent: Callable[[Case], BROADCAST]) -> None:
    none, half, every = (float(np.max(spent(replace(case, recomputed_share=share)))) for share in (0.0, 0.5, 1.0))
    assert none != every
    assert half == pytest.approx((none + every) / 2.0)


def test_scores_of_layers_that_do_not_run_again_are_kept() -> None:
    freed = [
        [float(memory_of(replace(case, recomputed_share=share), _FULL).activations_bytes[0]) for share in (0.0, 1.0)]
        for case in (_UNFUSED, replace(_UNFUSED, unfused=0.0))
    ]
    unfused, fused = (kept - dropped for kept, dropped in freed)
    assert unfused > fused > 0.0


@pytest.mark.parametrize(("unit", "slower"), [(128, 1.0), (256, 2.0)])
def test_a_matrix_unit_is_idle_beside_heads_narrower_than_it(unit: int, slower: float) -> None:
    """Eight heads of 128 are as many operations as four of 256, and fill half of a unit of 256."""
    wide = replace(MODEL, n_heads=4, n_kv_heads=4, head_dim=256)
    narrow_s, wide_s = (
        attention_s(
            small_case(transformer=net, chip=replace(CHIP, matrix_unit=unit)), CONSTANTS, layouts_of(PLAIN), _TOKENS
        )
        for net in (MODEL, wide)
    )
    assert narrow_s == pytest.approx(slower * wide_s)


@given(capacity=st.sampled_from([1.0, 1.25, 1.5, 2.0]), one_hot=st.booleans())
def test_places_of_experts_that_stay_empty_are_worked_on(*, capacity: float, one_hot: bool) -> None:
    even = _step_s("mixtral-8x7b", "none", Execution(expert_capacity=1.0, one_hot_dispatch=one_hot))
    more = _step_s("mixtral-8x7b", "none", Execution(expert_capacity=capacity, one_hot_dispatch=one_hot))
    assert even <= more <= capacity * even
    if one_hot:
        assert more > _step_s("mixtral-8x7b", "none", Execution(expert_capacity=capacity))
