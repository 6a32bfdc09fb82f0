"""Seconds and bytes of scans, by hand and by what cannot be otherwise.

Authority: the formula in the docstring of `physics.kernels.scan_s`, and its sources there.
"""

from dataclasses import replace

import numpy as np
import pytest

from estimator.models.mixers.selective_scan import SelectiveScan
from estimator.models.mixers.state_space import StateSpace
from estimator.models.training import Method
from estimator.models.transformer import Transformer
from estimator.physics.constants import prior_constants
from estimator.physics.kernels import attention_s, scan_s
from estimator.physics.layout import layouts_of
from estimator.physics.step import step_time
from estimator.question.question import Layout
from tests.physics_cases import CHIP, MODEL, PLAIN, catalogued_case, catalogued_cluster, small_case

_TOKENS = 1024
_CONSTANTS = prior_constants()
_DUAL = replace(
    MODEL, attention_layers=0, mixers=(StateSpace(layers=2, heads=32, head_dim=64, state=128, groups=1, chunk=256),)
)
_STEPPED = replace(MODEL, attention_layers=0, mixers=(SelectiveScan(layers=2, inner=2048, state=16, step_rank=64),))
_HYBRIDS = ["nemotron-h-8b", "mamba2-2.7b", "mamba-2.8b", "qwen3-next-80b-a3b", "minimax-text-01", "rwkv-7-2.9b"]


def _seconds(transformer: Transformer, lay: Layout = PLAIN, method: Method | None = None) -> float:
    case = small_case(transformer=transformer, method=method)
    return float(np.asarray(scan_s(case, _CONSTANTS, layouts_of(lay), _TOKENS)).reshape(-1)[0])


def test_a_scan_takes_as_long_as_its_bytes_or_its_products() -> None:
    """By hand: states of 128 for 2,048 channels in chunks of 256, forward and three times that backward."""
    inner, state, chunk, layers = 2048, 128, 256, 2
    elements = 3 * inner + 4 * state + 4 * chunk + 6 * inner * state / chunk
    products = 4 * state * inner + 2 * chunk * (state + inner)
    vector = 2 * 4 * (inner + 2 * state)
    rate = CHIP.measured_matmul_flop_per_s["bf16"]
    compute_s = products / (rate * _CONSTANTS["scan_efficiency"]) + vector / (rate * _CONSTANTS["vector_share"])
    bytes_s = 2 * elements / (CHIP.memory_bandwidth_bytes_per_s * _CONSTANTS["scan_bandwidth"])
    forward_s = _TOKENS * layers * max(compute_s, bytes_s)
    assert _seconds(_DUAL) == pytest.approx(forward_s * (1 + _CONSTANTS["scan_backward"]))


@pytest.mark.parametrize("transformer", [_DUAL, _STEPPED])
def test_tensor_parallelism_divides_the_heads_of_a_scan(transformer: Transformer) -> None:
    assert _seconds(transformer, replace(PLAIN, tensor_parallel=4)) == pytest.approx(_seconds(transformer) / 4)


@pytest.mark.parametrize("transformer", [_DUAL, _STEPPED])
def test_recomputation_runs_a_scan_once_more(transformer: Transformer) -> None:
    passes = 1 + _CONSTANTS["scan_backward"]
    again = _seconds(transformer, replace(PLAIN, recompute="full"))
    assert again == pytest.approx(_seconds(transformer) * (passes + 1) / passes)


def test_a_model_without_scans_takes_no_time_for_them() -> None:
    assert _seconds(MODEL) == 0.0


@pytest.mark.parametrize("model_id", _HYBRIDS)
def test_a_longer_sequence_costs_a_scan_no_more_a_token(model_id: str) -> None:
    """What they are for: attention's part of a step grows with the sequence, theirs does not."""
    cluster = catalogued_cluster("h100-sxm", 8)
    short, long = (catalogued_case(model_id, cluster, sequence_length=length) for length in (4096, 65_536))
    lay = layouts_of(PLAIN)
    assert np.array_equal(scan_s(short, _CONSTANTS, lay, _TOKENS), scan_s(long, _CONSTANTS, lay, _TOKENS))
    if short.attention_flop:
        assert np.all(attention_s(long, _CONSTANTS, lay, _TOKENS) > attention_s(short, _CONSTANTS, lay, _TOKENS))


@pytest.mark.parametrize("model_id", _HYBRIDS)
def test_every_mixers_step_takes_time_and_no_part_is_negative(model_id: str) -> None:
    case = catalogued_case(model_id, catalogued_cluster("h100-sxm", 8))
    step = step_time(case, layouts_of(PLAIN), _CONSTANTS)
    assert np.all(step.total_s > 0)
    assert np.all(step.attention_s > 0)
    assert all(np.all(getattr(step, f"{part}_s") >= 0) for part in ("compute", "memory_bound", "bubble", "other"))
