"""A window that is a mask over all keys costs as much as no window, by the kernel that takes masks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.physics.constants import Constants
from estimator.physics.execution import Execution
from estimator.physics.kernels import attention_s
from estimator.physics.layout import layouts_of
from tests.physics_cases import CONSTANTS, MODEL, PLAIN, small_case

_TOKENS = 2_048.0
_LAY = layouts_of(PLAIN)


def _seconds(window: int, *, dense_masks: bool, memory_efficient: bool = False) -> float:
    execution = Execution(dense_masks=dense_masks, attention="memory_efficient" if memory_efficient else "flash_2")
    transformer = replace(MODEL, sliding_window=window, windowed_layers=MODEL.n_layers if window else 0)
    case = small_case(transformer=transformer, execution=execution)
    return float(np.asarray(attention_s(case, CONSTANTS, _LAY, _TOKENS))[0])


@given(window=st.integers(1, 1023))
def test_a_mask_hides_keys_and_saves_nothing(window: int) -> None:
    """All 1,024 keys of each query and what a kernel's ends cost, forward and 2.5 times that backward."""
    keys = 1024 + CONSTANTS["flash_start_keys"]
    flop = 2.0 * keys * MODEL.n_heads * 2 * MODEL.head_dim * MODEL.n_layers * _TOKENS * 3.5
    rate = 80e12 * 0.5 * CONSTANTS["memory_efficient_attention"]
    assert _seconds(window, dense_masks=True) == pytest.approx(flop / rate)
    assert _seconds(window, dense_masks=True, memory_efficient=True) == pytest.approx(flop / rate)


@given(window=st.sampled_from([0, 1024, 4096]))
def test_no_mask_is_needed_where_the_window_holds_all_keys(window: int) -> None:
    assert _seconds(window, dense_masks=True) == _seconds(0, dense_masks=False)


@given(micro_batch=st.sampled_from([1, 2, 4, 8]), window=st.sampled_from([0, 128]))
def test_samples_kept_apart_by_one_mask_cost_all_keys_of_the_micro_batch(micro_batch: int, window: int) -> None:
    execution = Execution(masked_batches=True, dense_masks=True)
    transformer = replace(MODEL, sliding_window=window, windowed_layers=MODEL.n_layers if window else 0)
    case = small_case(transformer=transformer, execution=execution)
    lay = layouts_of(replace(PLAIN, micro_batch_size=micro_batch))
    tokens = 1024.0 * micro_batch
    flop = 2.0 * 1024 * micro_batch * MODEL.n_heads * 2 * MODEL.head_dim * MODEL.n_layers * tokens * 3.5
    seconds = float(np.asarray(attention_s(case, CONSTANTS, lay, tokens))[0])
    assert seconds == pytest.approx(flop / (80e12 * 0.5 * CONSTANTS["memory_efficient_attention"]))


@given(window=st.integers(1, 512))
def test_a_window_of_a_kernel_that_knows_it_saves_what_it_hides(window: int) -> None:
    assert _seconds(window, dense_masks=False) < _seconds(0, dense_masks=False) < _seconds(window, dense_masks=True)


@given(window=st.sampled_from([0, 128, 4096]))
def test_a_mask_over_padding_costs_all_keys_of_every_layer(window: int) -> None:
    """Whether they have a window or none, by the kernel that takes masks."""
    transformer = replace(MODEL, sliding_window=window, windowed_layers=MODEL.n_layers // 2 if window else 0)
    case = small_case(transformer=transformer, execution=Execution(masked_rows=True, dense_masks=True))
    keys = 1024 + CONSTANTS["flash_start_keys"]
    flop = 2.0 * keys * MODEL.n_heads * 2 * MODEL.head_dim * MODEL.n_layers * _TOKENS * 3.5
    seconds = float(np.asarray(attention_s(case, CONSTANTS, _LAY, _TOKENS))[0])
    assert seconds == pytest.approx(flop / (80e12 * 0.5 * CONSTANTS["memory_efficient_attention"]))


def test_scores_move_twice_as_often_where_each_step_is_a_kernel() -> None:
    scores, products = (
        _unfused_s({"unfused_passes": 12.0}) - _unfused_s({"unfused_passes": 0.0}),
        _unfused_s({"unfused_passes": 0.0}),
    )
    assert _unfused_s({"unfused_passes": 12.0}, eager_scores=True) == pytest.approx(products + 2.0 * scores)


def _unfused_s(constants: dict[str, float], *, eager_scores: bool = False) -> float:
    case = small_case(execution=Execution(attention="unfused", eager_scores=eager_scores))
    return float(np.asarray(attention_s(case, Constants({**CONSTANTS, **constants}), _LAY, _TOKENS))[0])
