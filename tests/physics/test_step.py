"""The seconds of a step are the terms of its formulas, each worked out here once by hand.

Authority: the formulas in the docstrings of `physics.step` and `physics.network`, and their sources there; the
device, the model and the constants are invented, so that every term is a round number or a short sum.
"""

import math
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.catalogue import catalogue
from estimator.models.training import Method
from estimator.models.transformer import Transformer
from estimator.physics.case import Case, case_of
from estimator.physics.constants import Constants, prior_constants
from estimator.physics.layout import RECOMPUTES, ZERO_STAGES, Layouts, layouts_of
from estimator.physics.step import PARTS, StepTime, step_time
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.question import Layout

SEQUENCE, MICRO_BATCH, LAYERS, HIDDEN, FFN, VOCAB = 1024, 2, 2, 1024, 4096, 32768
TOKENS = MICRO_BATCH * SEQUENCE
WIDTHS = 3 * HIDDEN * HIDDEN + HIDDEN * HIDDEN + 2 * HIDDEN * FFN
PARAMETERS = LAYERS * WIDTHS + 2 * VOCAB * HIDDEN
MODEL = Transformer(
    id="small",
    name="small",
    n_layers=LAYERS,
    hidden=HIDDEN,
    ffn_hidden=FFN,
    gated_mlp=False,
    n_heads=8,
    n_kv_heads=8,
    head_dim=128,
    vocab=VOCAB,
    tied_embeddings=False,
)
CHIP = Accelerator(
    id="round",
    name="Round",
    vendor="NVIDIA",
    architecture="Ampere",
    family="ampere",
    segment="datacenter",
    year=2021,
    memory_bytes=80e9,
    memory_bandwidth_bytes_per_s=1e12,
    peak_flop_per_s={"bf16": 100e12},
    training_peak_flop_per_s=100e12,
    training_precision="bf16",
    measured_matmul_flop_per_s={"bf16": 80e12},
    fp16_accumulate_flop_per_s=None,
    shader_fp16_flop_per_s=None,
    scale_up_bytes_per_s=200e9,
    scale_up_kind="nvlink",
    scale_up_domain=8,
    gpus_per_node=8,
    pcie_bytes_per_s=32e9,
    scale_out_bytes_per_s=25e9,
    tdp_w=400.0,
    n_sm=100,
)
CONSTANTS = Constants(
    {
        **prior_constants(),
        "gemm_efficiency": 0.9,
        "gemm_tail_power": 0.5,
        "gemm_depth": 100.0,
        "gemm_bandwidth": 0.8,
        "flash_efficiency": 0.5,
        "residual_passes": 10.0,
        "hidden_passes": 3.0,
        "backward_traffic": 1.5,
        "stream_bandwidth": 0.8,
        "logits_passes": 5.0,
        "gradient_bytes": 4.0,
        "optimizer_bytes": 20.0,
        "layer_floor_s": 10e-3,
        "step_constant_s": 7e-3,
        "scale_up_fraction": 0.5,
        "scale_out_fraction": 0.4,
        "latency_s": 10e-6,
        "tensor_visible": 0.5,
        "pipeline_visible": 0.25,
        "gradient_visible": 0.2,
        "bubble": 1.0,
        "stage_imbalance": 0.5,
        "stragglers": 0.01,
        "shard_overlap": 0.5,
        "shard_slowdown": 0.1,
    }
)
UP_BYTES_PER_S, OUT_BYTES_PER_S, MEMORY_BYTES_PER_S = 100e9, 10e9, 0.8e12
"""What the fractions above leave of the links and of memory."""


def _case(n_gpus: int) -> Case:
    cluster = Cluster(
        accelerator=CHIP,
        n_gpus=n_gpus,
        gpus_per_node=min(8, n_gpus),
        scale_out_bytes_per_s=CHIP.scale_out_bytes_per_s,
    )
    return case_of(MODEL, cluster, "bf16", Method(), SEQUENCE, unfused=False)


PLAIN = Layout(
    tensor_parallel=1,
    pipeline_parallel=1,
    virtual_pipeline=1,
    context_parallel=1,
    expert_parallel=1,
    data_parallel=1,
    data_sharding="ddp",
    micro_batch_size=MICRO_BATCH,
    micro_batches=1,
    recompute="none",
)


def _step(n_gpus: int, lay: Layout = PLAIN) -> StepTime:
    return step_time(_case(n_gpus), layouts_of(lay), CONSTANTS)


def _matmul_s(m: int, n: int, inner: int, *, tiles: int, slots: int) -> float:
    """Return a compute-bound matmul: `tiles` output tiles of 128 by 256 in waves that had room for `slots`."""
    balance = 100.0 / (312.0 / 2.039)
    filled = math.sqrt(tiles / slots)
    rate_flop_per_s = 80e12 * 0.9 * filled / (1.0 + 100.0 * balance / inner)
    return 2.0 * m * n * inner / rate_flop_per_s


# Forward, gradient of the input, gradient of the weight, of each matrix of one layer, for 2,048 tokens on 100 SMs.
LAYER_S = (
    _matmul_s(2048, 3072, 1024, tiles=16 * 12, slots=200)
    + _matmul_s(2048, 1024, 3072, tiles=16 * 4, slots=100)
    + _matmul_s(1024, 3072, 2048, tiles=8 * 12, slots=100)
    + _matmul_s(2048, 1024, 1024, tiles=16 * 4, slots=100) * 2
    + _matmul_s(1024, 1024, 2048, tiles=8 * 4, slots=100)
    + _matmul_s(2048, 4096, 1024, tiles=16 * 16, slots=300)
    + _matmul_s(2048, 1024, 4096, tiles=16 * 4, slots=100)
    + _matmul_s(1024, 4096, 2048, tiles=8 * 16, slots=200)
    + _matmul_s(2048, 1024, 4096, tiles=16 * 4, slots=100)
    + _matmul_s(2048, 4096, 1024, tiles=16 * 16, slots=300)
    + _matmul_s(4096, 1024, 2048, tiles=32 * 4, slots=200)
)
LOGITS_S = (
    _matmul_s(2048, 32768, 1024, tiles=16 * 128, slots=2100)
    + _matmul_s(2048, 1024, 32768, tiles=16 * 4, slots=100)
    + _matmul_s(1024, 32768, 2048, tiles=8 * 128, slots=1100)
    + 2.0 * TOKENS * VOCAB * 5.0 / MEMORY_BYTES_PER_S
)
# Two matmuls of 512 keys on average, forward, and five of the same size backward.
ATTENTION_S = TOKENS * LAYERS * 2.0 * 512 * 8 * (128 + 128) * 3.5 / (80e12 * 0.5)
# Residual stream ten times, heads (queries, keys, values) and MLP three times, and 1.5 times that backward.
STREAM_S = 2.0 * TOKENS * LAYERS * (10.0 * 1024 + 3.0 * (3 * 1024 + 4096)) * 2.5 / MEMORY_BYTES_PER_S
GRADIENT_S = 4.0 * PARAMETERS / MEMORY_BYTES_PER_S


def _launched_s(busy_s: float, floor_s: float) -> float:
    """Return the larger of kernels and launches, rounded: where both take as long, sqrt(0.06)/2 of it is lost."""
    return (busy_s + floor_s + math.sqrt((busy_s - floor_s) ** 2 + 0.06 * busy_s * floor_s)) / 2


def test_on_one_device_every_term_is_the_formulas() -> None:
    times = _step(1)
    busy_s = LAYERS * LAYER_S + ATTENTION_S + STREAM_S + GRADIENT_S
    assert times.compute_s[0] == pytest.approx(LAYERS * LAYER_S + LOGITS_S)
    assert times.attention_s[0] == pytest.approx(ATTENTION_S)
    assert times.memory_bound_s[0] == pytest.approx(STREAM_S + GRADIENT_S)
    assert times.communication_s[0] == times.bubble_s[0] == 0.0
    assert times.optimizer_s[0] == pytest.approx(20.0 * PARAMETERS / MEMORY_BYTES_PER_S)
    assert busy_s < LAYERS * 10e-3, "else launches do not show"
    launched_s = _launched_s(busy_s, LAYERS * 10e-3)
    assert launched_s < LAYERS * 10e-3 * 1.13, "else more than the rounding is added"
    assert times.other_s[0] == pytest.approx(launched_s - busy_s + 7e-3)
    assert times.total_s[0] == pytest.approx(launched_s + LOGITS_S + times.optimizer_s[0] + 7e-3)


def test_full_recomputation_runs_the_forward_pass_of_the_layers_again() -> None:
    """Chen et al. 2016: one more forward pass; the logits are not run again."""
    once, again = _step(1), _step(1, replace(PLAIN, recompute="full"))
    forward_s = (
        _matmul_s(2048, 3072, 1024, tiles=16 * 12, slots=200)
        + _matmul_s(2048, 1024, 1024, tiles=16 * 4, slots=100)
        + _matmul_s(2048, 4096, 1024, tiles=16 * 16, slots=300)
        + _matmul_s(2048, 1024, 4096, tiles=16 * 4, slots=100)
    )
    assert again.compute_s[0] - once.compute_s[0] == pytest.approx(LAYERS * forward_s)
    assert again.attention_s[0] == pytest.approx(ATTENTION_S * 4.5 / 3.5)
    assert again.memory_bound_s[0] == pytest.approx(STREAM_S * 3.5 / 2.5 + GRADIENT_S)


def test_gradient_reduction_is_a_ring_inside_one_node() -> None:
    """Thakur et al. 2005: (r − 1)/r of the bytes; 2 bytes of weights and 4 of gradients a parameter."""
    times = _step(8, replace(PLAIN, data_parallel=8, data_sharding="zero1"))
    gathered_s = 7 / 8 * 6.0 * PARAMETERS / UP_BYTES_PER_S + 3 * 10e-6
    assert times.communication_s[0] == pytest.approx(0.2 * gathered_s)
    assert times.optimizer_s[0] == pytest.approx(20.0 * PARAMETERS / 8 / MEMORY_BYTES_PER_S)


def test_gradient_reduction_across_nodes_uses_every_port_of_a_node() -> None:
    """Of four nodes, each of the eight ranks a node holds sends its eighth through its own port."""
    times = _step(32, replace(PLAIN, data_parallel=32, data_sharding="ddp"))
    across_s = 3 / 4 * 6.0 * PARAMETERS / (8 * OUT_BYTES_PER_S)
    inside_s = 7 / 8 * 6.0 * PARAMETERS / UP_BYTES_PER_S
    slow = 1.0 + 0.01 * 2
    assert times.communication_s[0] == pytest.approx(0.2 * (max(across_s, inside_s) + 5 * 10e-6) * slow)


def test_tensor_parallel_ranks_reduce_four_times_a_layer() -> None:
    """Shoeybi et al. 2019, figure 4: two all-reduces forward and two backward, each of 2 bytes an activation."""
    times = _step(8, replace(PLAIN, tensor_parallel=8))
    gather_s = 7 / 8 * 2.0 * TOKENS * HIDDEN / UP_BYTES_PER_S + 3 * 10e-6
    assert times.communication_s[0] == pytest.approx(0.5 * 4 * 2 * gather_s * LAYERS)


def test_a_pipeline_waits_for_its_stages_and_hands_activations_on() -> None:
    """Narayanan et al. 2021, section 2.2: (p − 1) stage times of bubble; activations forward, gradients back."""
    n, slow = 4, 1.0 + 0.01
    times = _step(16, replace(PLAIN, pipeline_parallel=2, data_parallel=8, micro_batches=n))
    # The other stage's ranks lie eight apart: in the next node.
    crossing_s = 0.25 * 2 * (2.0 * TOKENS * HIDDEN / OUT_BYTES_PER_S + 10e-6)
    shared = PARAMETERS / 2
    reduction_s = 0.2 * (7 / 8 * 6.0 * shared / UP_BYTES_PER_S + 3 * 10e-6)
    assert times.communication_s[0] == pytest.approx((n * crossing_s + reduction_s) * slow)
    tail_s = LOGITS_S * (0.5 + 0.5 / 2)
    assert times.compute_s[0] == pytest.approx(n * (LAYER_S + tail_s) * slow)
    stage_s = _launched_s(LAYER_S + (ATTENTION_S + STREAM_S + GRADIENT_S) / 2, 10e-3)
    assert times.bubble_s[0] == pytest.approx((stage_s + crossing_s + tail_s / 2) * slow)


def test_sharded_weights_are_gathered_behind_compute_as_far_as_it_lasts() -> None:
    """Rajbhandari et al. 2020, section 7: weights twice and gradients once; half of compute can hide them here."""
    times = _step(8, replace(PLAIN, data_parallel=8, data_sharding="zero3"))
    gathers_s = 3 * (7 / 8 * 2.0 * PARAMETERS / UP_BYTES_PER_S + 3 * 10e-6)
    hidden_s = 0.5 * (LAYERS * LAYER_S + ATTENTION_S + STREAM_S + GRADIENT_S + LOGITS_S)
    expected = max(gathers_s - hidden_s, 0.0) + 0.1 * min(gathers_s, hidden_s)
    assert times.communication_s[0] == pytest.approx(expected)


degree = st.sampled_from([1, 2, 4, 8])
catalogued = st.sampled_from(["llama-3.1-8b", "mixtral-8x7b", "deepseek-v3", "gpt-3-175b", "llama-3.1-70b"])
layout = st.builds(
    Layout,
    tensor_parallel=degree,
    pipeline_parallel=degree,
    virtual_pipeline=st.sampled_from([1, 2]),
    context_parallel=st.sampled_from([1, 2]),
    expert_parallel=degree,
    data_parallel=degree,
    data_sharding=st.sampled_from(ZERO_STAGES),
    micro_batch_size=st.sampled_from([1, 2, 4]),
    micro_batches=st.integers(1, 64),
    recompute=st.sampled_from(RECOMPUTES),
)


def _real_case(name: str, **rates: float) -> Case:
    chip = catalogue.accelerator("h100-sxm").value.accelerator
    chip = replace(
        chip,
        memory_bandwidth_bytes_per_s=chip.memory_bandwidth_bytes_per_s * rates.get("memory", 1.0),
        scale_up_bytes_per_s=chip.scale_up_bytes_per_s * rates.get("links", 1.0),
        peak_flop_per_s={key: value * rates.get("peak", 1.0) for key, value in chip.peak_flop_per_s.items()},
        measured_matmul_flop_per_s={
            key: value * rates.get("peak", 1.0) for key, value in chip.measured_matmul_flop_per_s.items()
        },
    )
    cluster = Cluster(
        accelerator=chip,
        n_gpus=512,
        gpus_per_node=8,
        scale_out_bytes_per_s=chip.scale_out_bytes_per_s * rates.get("network", 1.0),
    )
    return case_of(catalogue.transformer(name).value, cluster, "bf16", Method(), 4096, unfused=False)


def _total_s(case: Case, lay: Layouts) -> float:
    return float(step_time(case, lay, prior_constants()).total_s[0])


@given(name=catalogued, rows=st.lists(layout, min_size=1, max_size=6))
def test_many_layouts_at_once_equal_each_alone(name: str, rows: list[Layout]) -> None:
    """Vectorising must not change an answer."""
    case = _real_case(name)
    together = step_time(case, layouts_of(*rows), prior_constants())
    for index, row in enumerate(rows):
        alone = step_time(case, layouts_of(row), prior_constants())
        for field in fields(StepTime):
            assert getattr(together, field.name)[index] == pytest.approx(getattr(alone, field.name)[0], rel=1e-12)


@given(
    name=catalogued,
    row=layout,
    rate=st.sampled_from(["peak", "memory", "links", "network"]),
    factor=st.floats(1.0, 10.0),
)
def test_a_faster_device_or_network_never_slows_a_step(name: str, row: Layout, rate: str, factor: float) -> None:
    lay = layouts_of(row)
    assert _total_s(_real_case(name, **{rate: factor}), lay) <= _total_s(_real_case(name), lay) * (1 + 1e-12)


@given(name=catalogued, row=layout)
def test_recomputing_more_never_quickens_a_step(name: str, row: Layout) -> None:
    """It adds operations and takes none away; comparisons leave it out where less fits."""
    case = _real_case(name)
    times = [_total_s(case, layouts_of(replace(row, recompute=recompute))) for recompute in RECOMPUTES]
    assert times == sorted(times)


@given(name=catalogued, row=layout)
def test_a_steps_parts_are_finite_and_none_is_negative(name: str, row: Layout) -> None:
    times = step_time(_real_case(name), layouts_of(row), prior_constants())
    parts = np.array([getattr(times, f"{part}_s")[0] for part in PARTS])
    assert bool(np.all(np.isfinite(parts) & (parts >= 0)))
    assert float(times.total_s[0]) == pytest.approx(float(parts.sum()))


@given(name=catalogued, row=layout)
def test_no_step_is_faster_than_its_flops_at_the_measured_ceiling(name: str, row: Layout) -> None:
    """The roofline of Williams et al. 2009: six FLOPs a parameter of the layers and token, shared evenly."""
    case = _real_case(name)
    lay = layouts_of(row)
    share = lay.tensor * lay.pipeline * lay.context
    tokens = lay.micro_batch * lay.micro_batches * 4096
    visited = sum(
        np.asarray(m.inputs) * m.outputs * m.layers * m.visits for m in case.matrices if m.shard in {"column", "row"}
    )
    least_s = 6.0 * (visited - np.asarray(case.hidden) * case.vocab) * tokens / share / case.gemm_flop_per_s
    assert _total_s(case, lay) >= float(least_s[0])
