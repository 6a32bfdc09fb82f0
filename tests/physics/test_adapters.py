"""What low-rank pairs beside a frozen base cost: matrices, elements moved, launches."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.models.parameters import lora_parameters
from estimator.models.training import Method
from estimator.physics.case import Case
from estimator.physics.execution import Execution
from estimator.physics.kernels import traffic_s
from estimator.physics.launches import launches_s
from estimator.physics.layout import layouts_of
from estimator.physics.network import gather_s, group
from tests.physics_cases import CONSTANTS, MEMORY_BYTES_PER_S, MODEL, PLAIN, small_case

_TOKENS = 2_048.0
_RANK = 16
_EAGER = Execution(fused_kernels=False, eager_adapters=True)
_PAIRS = (Execution(), Execution(joined_adapters=True))


def _case(share: float = 1.0, execution: Execution | None = None) -> Case:
    trained = share * lora_parameters(MODEL, _RANK)
    method = Method(name="lora", lora_rank=_RANK, trainable_parameters=trained)
    return small_case(method=method, execution=execution)


@pytest.mark.parametrize(("execution", "passes"), [(Execution(), 3.0), (_EAGER, 6.0)], ids=["fused", "eager"])
def test_what_enters_and_leaves_an_adapted_matrix_is_moved(execution: Execution, passes: float) -> None:
    """Elements times passes, forward and 1.5 times that backward, 2 bytes each."""
    case = _case(execution=execution)
    # Queries, keys, values and the output, gate, up and down: inputs and outputs of each.
    hidden, kv, ffn = MODEL.hidden, MODEL.n_kv_heads * MODEL.head_dim, MODEL.ffn_hidden
    layer = 2 * 2 * hidden + 2 * (hidden + kv) + (3 if MODEL.gated_mlp else 2) * (hidden + ffn)
    assert case.adapter_elements == MODEL.n_layers * layer
    without = replace(case, adapter_elements=0.0)
    lay = layouts_of(PLAIN)
    added_s = traffic_s(case, CONSTANTS, lay, _TOKENS) - traffic_s(without, CONSTANTS, lay, _TOKENS)
    moved = 2.0 * _TOKENS * passes * MODEL.n_layers * layer * (1.0 + 1.5)
    assert added_s == pytest.approx(moved / MEMORY_BYTES_PER_S)


def test_one_pair_beside_a_fused_matrix_reads_its_input_once() -> None:
    """Megatron's queries, keys and values are one matrix, gate and up another; PEFT's each have a pair of their own."""
    apart, joined = (small_case(method=Method(name="lora", lora_rank=_RANK), execution=one) for one in _PAIRS)
    spared = (2 + MODEL.gated_mlp) * MODEL.hidden * MODEL.n_layers
    assert apart.adapter_elements - joined.adapter_elements == spared
    assert joined.operations < apart.operations


@given(share=st.floats(0.01, 1.0))
def test_fewer_trained_parameters_are_adapters_beside_fewer_matrices(share: float) -> None:
    part, whole = _case(share, _EAGER), _case(1.0, _EAGER)
    base = small_case(execution=_EAGER)
    assert part.adapter_elements == pytest.approx(share * whole.adapter_elements)
    launched = [float(case.operations - base.operations) for case in (part, whole)]
    assert launched[0] == pytest.approx(share * launched[1])
    ranks = [[min(float(m.inputs), float(m.outputs)) for m in case.matrices if m.adapter] for case in (part, whole)]
    assert ranks[0] == ranks[1]


@given(times=st.floats(1.0, 8.0))
def test_more_of_them_are_of_a_higher_rank_beside_the_same(times: float) -> None:
    wide, whole = _case(times), _case(1.0)
    assert wide.adapter_elements == whole.adapter_elements
    pairs = [sum(one.inputs * one.outputs * one.layers for one in c.matrices if one.adapter) for c in (wide, whole)]
    assert pairs[0] == pytest.approx(times * pairs[1])


@given(slowness=st.floats(1.0, 5.0))
def test_hosts_of_peoples_own_and_what_they_send_are_slower_and_devices_and_slots_are_not(slowness: float) -> None:
    constants = type(CONSTANTS)({**CONSTANTS, "surroundings_slowness": slowness})
    chosen, own = (replace(small_case(8, execution=_EAGER), as_people_run=flag) for flag in (0.0, 1.0))
    lay = layouts_of(PLAIN)
    assert launches_s(own, constants, lay) == pytest.approx(slowness * launches_s(chosen, constants, lay))
    apart = [replace(case, gpus_per_node=1.0, scale_up_domain=1.0) for case in (chosen, own)]
    by_adapters = [replace(case, scale_out_bytes_per_s=50e9) for case in apart]
    by_hosts = [
        replace(case, scale_out_bytes_per_s=12.5e9, sockets=flag) for case, flag in zip(apart, (0.0, 1.0), strict=True)
    ]
    in_slots = [replace(case, pcie=1.0) for case in (chosen, own)]
    for cases, times in ((by_hosts, min(slowness, 4.0)), (by_adapters, 1.0), (in_slots, 1.0)):
        gathered = [
            gather_s(group(case, constants, np.array([8.0]), 1.0), 1e9, messages=np.array([0.0])) for case in cases
        ]
        assert gathered[1] == pytest.approx(times * gathered[0])
    assert traffic_s(own, constants, lay, _TOKENS) == traffic_s(chosen, constants, lay, _TOKENS)


def test_slow_products_wait_for_no_operands() -> None:
    """The prologue grows with the balance of the rate at hand: vector units, a sixteenth of the 16-bit one's."""
    half, single = (small_case(precision=precision) for precision in ("bf16", "fp32"))
    assert float(single.balance) == pytest.approx(float(half.balance) / 16.0)
