"""The seconds of a step are the terms of its formulas, each worked out here once by hand.

Authority: the formulas in the docstrings of `physics.step` and of the modules it adds up, and their sources there; the
device, the model and the constants are invented, so that every term is a round number or a short sum.
"""

import math
from dataclasses import replace

import pytest

from estimator.physics.constants import Constants
from estimator.physics.execution import Execution
from estimator.physics.layout import layouts_of
from estimator.physics.sharing import shown_s
from estimator.physics.step import StepTime, step_time
from estimator.question.question import Layout, Sharding
from tests.physics_cases import (
    CHIP,
    CONSTANTS,
    MEMORY_BYTES_PER_S,
    MODEL,
    OUT_BYTES_PER_S,
    PLAIN,
    UP_BYTES_PER_S,
    small_case,
)

TOKENS, LAYERS, HIDDEN, FFN, VOCAB = 2048, 2, 1024, 4096, 32768
PARAMETERS = LAYERS * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * FFN) + 2 * VOCAB * HIDDEN


def _step(n_gpus: int, lay: Layout = PLAIN, execution: Execution | None = None) -> StepTime:
    return step_time(small_case(n_gpus, execution=execution), layouts_of(lay), CONSTANTS)


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
# Two matmuls of 512 keys on average, forward, and five of the same size backward; 256 of 1,024 keys more to start.
ATTENTION_S = TOKENS * LAYERS * 2.0 * 512 * 8 * (128 + 128) * 1.25 * 3.5 / (80e12 * 0.5)
# Residual stream ten times, heads (queries, keys, values) and MLP three times, and 1.5 times that backward.
STREAM_S = 2.0 * TOKENS * LAYERS * (10.0 * 1024 + 3.0 * (3 * 1024 + 4096)) * 2.5 / MEMORY_BYTES_PER_S
GRADIENT_S = 4.0 * PARAMETERS / MEMORY_BYTES_PER_S
BUSY_S = LAYERS * LAYER_S + ATTENTION_S + STREAM_S + GRADIENT_S
# Sixteen kernels a layer forward, and 1.2 times as many backward.
HOST_S = 100e-6 * 16 * LAYERS * 2.2
LAUNCHED_S = math.hypot(BUSY_S, HOST_S)


def test_on_one_device_every_term_is_the_formulas() -> None:
    times = _step(1)
    assert times.compute_s[0] == pytest.approx(LAYERS * LAYER_S + LOGITS_S)
    assert times.attention_s[0] == pytest.approx(ATTENTION_S)
    assert times.memory_bound_s[0] == pytest.approx(STREAM_S + GRADIENT_S)
    assert times.communication_s[0] == times.bubble_s[0] == 0.0
    assert times.optimizer_s[0] == pytest.approx(20.0 * PARAMETERS / MEMORY_BYTES_PER_S)
    assert times.other_s[0] == pytest.approx(LAUNCHED_S - BUSY_S + 7e-3)
    assert times.total_s[0] == pytest.approx(LAUNCHED_S + LOGITS_S + times.optimizer_s[0] + 7e-3)


@pytest.mark.parametrize(
    ("data", "pipeline", "in_turn", "at_work"),
    [(1, 1, 0.0, 1), (2, 1, 0.0, 2), (8, 1, 0.0, 8), (2, 2, 0.0, 4), (2, 2, 1.0, 2)],
)
def test_peoples_small_steps_are_slower_the_more_devices_wait_for_one_another(
    data: int, pipeline: int, in_turn: float, at_work: int
) -> None:
    """Matrix products of 2,048 tokens, in full, by slowness ^ (1 - 1/n); those of 16,384 are as published."""
    slower = Constants({**CONSTANTS, "people_slowness": 3.0, "people_alone": 1.0})
    case = replace(small_case(data * pipeline), stages_alone=in_turn)
    for micro_batch, factor in ((2, 3.0 ** (1.0 - 1.0 / at_work)), (16, 1.0)):
        shards = replace(PLAIN, data_parallel=data, data_sharding="zero3", pipeline_parallel=pipeline)
        lay = layouts_of(replace(shards, micro_batch_size=micro_batch))
        published, people = (
            step_time(replace(case, as_people_run=flag), lay, slower).compute_s[0] for flag in (0.0, 1.0)
        )
        assert people == pytest.approx(factor * published)


@pytest.mark.parametrize(("sharding", "met"), [("ddp", 0.25), ("zero1", 0.25), ("zero2", 0.25), ("zero3", 1.0)])
def test_devices_that_share_gradients_alone_wait_once_a_step(sharding: Sharding, met: float) -> None:
    """In one of four micro-batches; where weights are shared, in each."""
    slower = Constants({**CONSTANTS, "people_slowness": 3.0, "people_alone": 1.0})
    lay = layouts_of(replace(PLAIN, data_parallel=8, data_sharding=sharding, micro_batch_size=2, micro_batches=4))
    published, people = (
        step_time(replace(small_case(8), as_people_run=flag), lay, slower).compute_s[0] for flag in (0.0, 1.0)
    )
    assert people == pytest.approx(3.0 ** (7.0 / 8.0 * met) * published)


def test_micro_batches_follow_one_another_and_the_optimizer_steps_once() -> None:
    one, five = _step(1), _step(1, replace(PLAIN, micro_batches=5))
    once_s = one.optimizer_s[0] + 7e-3
    assert five.total_s[0] - once_s == pytest.approx(5 * (one.total_s[0] - once_s))


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
    busy_s = BUSY_S + LAYERS * forward_s + ATTENTION_S / 3.5 + STREAM_S / 2.5
    host_s = HOST_S * 3.2 / 2.2 + CONSTANTS["checkpoint_s"] * LAYERS
    assert again.other_s[0] == pytest.approx(math.hypot(busy_s, host_s) - busy_s + 7e-3)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_full_recomputation_of_some_layers_costs_their_share_of_all(share: float) -> None:
    """Megatron's `block` method recomputes the first layers of a stage and keeps what the others made."""
    full = replace(PLAIN, recompute="full")
    none, some, every = _step(1), _step(1, full, Execution(recomputed_share=share)), _step(1, full)
    for part in ("compute_s", "attention_s", "memory_bound_s"):
        least, middle, most = (getattr(times, part)[0] for times in (none, some, every))
        assert most > least
        assert middle - least == pytest.approx(share * (most - least))


def test_gradient_reduction_is_a_ring_inside_one_node() -> None:
    """Thakur et al. 2005: (r − 1)/r of the bytes; 2 bytes of weights and 4 of gradients a parameter."""
    times = _step(8, replace(PLAIN, data_parallel=8, data_sharding="zero1"))
    gathered_s = 7 / 8 * 6.0 * PARAMETERS / UP_BYTES_PER_S + 3 * 10e-6
    assert gathered_s < 0.5 * LAUNCHED_S, "else it is waited for"
    assert times.communication_s[0] == pytest.approx(0.2 * gathered_s)
    assert times.optimizer_s[0] == pytest.approx(20.0 * PARAMETERS / 8 / MEMORY_BYTES_PER_S)


def test_what_half_a_micro_batch_is_too_short_to_hide_of_a_reduction_is_waited_for() -> None:
    """Each of the eight ranks of a node takes an eighth of what the other three nodes hold through its own port."""
    times = _step(32, replace(PLAIN, data_parallel=32, data_sharding="ddp"))
    across_s = (1 / 8 - 1 / 32) * 6.0 * PARAMETERS / OUT_BYTES_PER_S + 5 * 10e-6
    slow = 1.0 + 0.01 * 2
    assert times.communication_s[0] == pytest.approx((across_s - 0.5 * LAUNCHED_S) * slow)


def test_without_overlap_the_whole_reduction_is_waited_for() -> None:
    lay = replace(PLAIN, data_parallel=8, data_sharding="zero1")
    times = _step(8, lay, Execution(overlap=False))
    assert times.communication_s[0] == pytest.approx(7 / 8 * 6.0 * PARAMETERS / UP_BYTES_PER_S + 3 * 10e-6)


@pytest.mark.parametrize(("beside", "visible"), [(False, 0.5), (True, 0.25)])
def test_tensor_parallel_ranks_reduce_four_times_a_layer(beside: bool, visible: float) -> None:
    """Shoeybi et al. 2019, figure 4: two all-reduces forward and two backward, each of 2 bytes an activation."""
    lay = replace(PLAIN, tensor_parallel=8)
    times = _step(8, lay, Execution(tensor_overlap=beside))
    gather_s = 7 / 8 * 2.0 * TOKENS * HIDDEN / UP_BYTES_PER_S + 3 * 10e-6
    assert times.communication_s[0] == pytest.approx(visible * 4 * 2 * gather_s * LAYERS)


@pytest.mark.parametrize(("beside_s", "waited_s"), [(8.0, 5.0), (5.0, 5.0), (3.0, 7.0), (0.0, 10.0)])
def test_what_compute_is_too_short_to_hide_of_communication_is_waited_for(beside_s: float, waited_s: float) -> None:
    """Of 10 s half shows, or what is left beside shorter compute."""
    assert shown_s(10.0, 5.0, beside_s) == waited_s


def test_communication_that_outlasts_all_else_hides_the_host_too() -> None:
    """Links a hundred times slower: what the host takes to launch kernels meanwhile does not show."""
    case = small_case(8, chip=replace(CHIP, scale_up_bytes_per_s=2e9))
    lay = layouts_of(replace(PLAIN, tensor_parallel=8))
    quick = Constants({**CONSTANTS, "launch_s": 1e-9})
    assert step_time(case, lay, quick).total_s[0] == pytest.approx(step_time(case, lay, CONSTANTS).total_s[0])


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
    assert times.bubble_s[0] == pytest.approx((LAUNCHED_S / 2 + crossing_s + tail_s / 2) * slow)


def test_a_pipeline_is_as_slow_as_its_fullest_stage() -> None:
    """Two layers on eight stages: a stage holds one whole layer, four times its even share."""
    case = small_case(8)
    times = step_time(case, layouts_of(replace(PLAIN, pipeline_parallel=8)), CONSTANTS)
    assert times.attention_s[0] == pytest.approx(ATTENTION_S / LAYERS)


@pytest.mark.parametrize("vocab", [1024, 32768, 1024 * 1024])
@pytest.mark.parametrize("layers", [3, 4])
def test_logits_fill_the_layer_that_the_last_stage_is_spared(layers: int, vocab: int) -> None:
    """Three layers on two stages: the last has one and the logits. Of four each has two, and the logits come on top.

    Of what shows, half is spread over the stages.
    """
    case = small_case(2, transformer=replace(MODEL, n_layers=layers, vocab=vocab))
    small = replace(case, matrices=tuple(matrix for matrix in case.matrices if matrix.part != "logits"), logits=0.0)
    lay = layouts_of(replace(PLAIN, pipeline_parallel=2))
    times, without = (step_time(each, lay, CONSTANTS) for each in (case, small))
    alone = step_time(case, layouts_of(PLAIN), CONSTANTS)
    logits_s = alone.compute_s[0] - step_time(small, layouts_of(PLAIN), CONSTANTS).compute_s[0]
    # As long as the host makes it.
    parts = without.compute_s, without.attention_s, without.memory_bound_s, without.other_s
    layer_s = (sum(part[0] for part in parts) - CONSTANTS["step_constant_s"]) / 2
    spared_s = layer_s if layers == 3 else 0.0
    shown_s = times.compute_s[0] - without.compute_s[0]
    assert shown_s == pytest.approx((0.5 + 0.5 / 2) * max(logits_s - spared_s, 0.0))
    assert logits_s > 0.0


def test_interleaved_stages_hand_on_more_often_and_wait_less() -> None:
    """Narayanan et al. 2021, section 2.2: the bubble is divided by v, communication multiplied by it."""
    case = small_case(2, transformer=replace(MODEL, n_layers=4))
    lay = replace(PLAIN, pipeline_parallel=2, micro_batches=4)
    once, twice = (step_time(case, layouts_of(replace(lay, virtual_pipeline=v)), CONSTANTS) for v in (1, 2))
    crossing_s = 0.25 * 2 * (2.0 * TOKENS * HIDDEN / UP_BYTES_PER_S + 10e-6)
    assert once.communication_s[0] == pytest.approx(4 * crossing_s)
    assert twice.communication_s[0] == pytest.approx(4 * 2 * crossing_s)
    tail_s = LOGITS_S * (0.5 + 0.5 / 2)
    # The gradients of four layers and both embeddings are written; a stage of two layers is as long as all were.
    busy_s = BUSY_S - GRADIENT_S + 4.0 * (PARAMETERS + 2 * (4 * HIDDEN**2 + 2 * HIDDEN * FFN)) / 2 / MEMORY_BYTES_PER_S
    stage_s = math.hypot(busy_s, HOST_S)
    assert once.bubble_s[0] == pytest.approx(stage_s + crossing_s + tail_s / 2)
    assert twice.bubble_s[0] == pytest.approx((stage_s + 2 * crossing_s + tail_s / 2) / 2)


def test_sharded_weights_are_gathered_behind_compute_as_far_as_it_lasts() -> None:
    """Rajbhandari et al. 2020, section 7: weights twice and gradients once; half of what runs can hide them here."""
    times = _step(8, replace(PLAIN, data_parallel=8, data_sharding="zero3"))
    # A message a layer and pass.
    gathers_s = 3 * (7 / 8 * 2.0 * PARAMETERS / UP_BYTES_PER_S + LAYERS * 3 * 10e-6)
    launched_s = math.hypot(BUSY_S, HOST_S + 500e-6 * LAYERS * 2)
    hidden_s = 0.5 * (launched_s + LOGITS_S)
    expected = max(gathers_s - hidden_s, 0.0) + 0.1 * min(gathers_s, hidden_s)
    assert times.communication_s[0] == pytest.approx(expected)
    # The host's hook on each layer, forward and backward.
    assert times.other_s[0] == pytest.approx(launched_s - BUSY_S + 7e-3)
