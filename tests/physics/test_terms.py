"""Terms of a step beside those of a dense model on tuned kernels, each worked out here once by hand.

Authority: the formulas in the docstrings of `physics.kernels`, `physics.launches`, `physics.matmul` and
`physics.sharing`, and their sources there; device, model and constants are invented.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from estimator.models.feed_forward import Experts
from estimator.models.training import Method, Recompute
from estimator.physics.case import Case
from estimator.physics.constants import Constants
from estimator.physics.execution import Execution
from estimator.physics.kernels import attention_s, dequantization_s, logits_traffic_s, routing_s, traffic_s
from estimator.physics.launches import beside_launches_s, launches_s
from estimator.physics.layout import layouts_of
from estimator.physics.matmul import matmul_s, matrices_s
from estimator.physics.sharing import gradient_reduction_s, layer_communication_s, optimizer_s, sharded_s
from estimator.question.practice import AttentionKernel, Dequantization, Launch, OptimizerName
from estimator.question.question import Layout, Sharding
from tests.physics_cases import CHIP, CONSTANTS, MEMORY_BYTES_PER_S, MODEL, PLAIN, UP_BYTES_PER_S, small_case

TOKENS, LAYERS, HIDDEN, FFN, VOCAB, KEYS, HEADS = 2048, 2, 1024, 4096, 32768, 1024, 8
MATRICES = LAYERS * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * FFN)
PARAMETERS = MATRICES + 2 * VOCAB * HIDDEN
FLASH_S = TOKENS * LAYERS * 2.0 * (KEYS / 2) * HEADS * (128 + 128) * 1.25 * 3.5 / (80e12 * 0.5)
STREAM_S = 2.0 * TOKENS * LAYERS * (10.0 * 1024 + 3.0 * (3 * 1024 + 4096)) * 2.5 / MEMORY_BYTES_PER_S
EXPERTS = replace(MODEL, experts=Experts(n_experts=8, top_k=2, ffn_hidden=512))
LORA, QLORA = Method(name="lora", lora_rank=16), Method(name="qlora", lora_rank=16)
ADAPTERS = 16 * LAYERS * (3 * (1024 + 1024) + (1024 + 1024) + (1024 + 4096) + (4096 + 1024))
PLAIN_ROWS = layouts_of(PLAIN)


def _attention_s(case: Case, lay: Layout = PLAIN) -> float:
    return float(np.asarray(attention_s(case, CONSTANTS, layouts_of(lay), TOKENS))[0])


def test_unfused_attention_works_out_the_whole_square_and_moves_its_scores() -> None:
    """Two products of all keys forward and four backward, as long as three; scores in 16 bit moved twelve times."""
    case = small_case(execution=Execution(attention="unfused"))
    products_s = TOKENS * LAYERS * 2.0 * KEYS * HEADS * (128 + 128) / (80e12 * 0.4)
    scores_s = TOKENS * LAYERS * HEADS * KEYS * 2.0 * 12.0 / MEMORY_BYTES_PER_S
    assert _attention_s(case) == pytest.approx(3 * products_s + scores_s)
    assert _attention_s(case, replace(PLAIN, recompute="selective")) == pytest.approx(4 * products_s + scores_s * 4 / 3)


@pytest.mark.parametrize(
    ("kernel", "factor"), [("memory_efficient", "memory_efficient_attention"), ("flash_1", "flash_1")]
)
def test_older_attention_is_slower_by_a_factor(kernel: AttentionKernel, factor: str) -> None:
    case = small_case(execution=Execution(attention=kernel))
    assert _attention_s(case) == pytest.approx(FLASH_S / CONSTANTS[factor])


@pytest.mark.parametrize(("kernel", "factor"), [("flash_2", "flash_2_on_hopper"), ("flash_3", "flash_hopper")])
def test_on_hopper_attention_is_as_fast_as_its_generation(kernel: AttentionKernel, factor: str) -> None:
    case = small_case(chip=replace(CHIP, family="hopper"), execution=Execution(attention=kernel))
    assert _attention_s(case) == pytest.approx(FLASH_S / CONSTANTS[factor])


def test_the_ends_of_attention_take_as_long_whatever_the_precision() -> None:
    """Loading the first keys and writing the last sums is no product, and no slower for a slower unit."""
    endless = Constants({**CONSTANTS, "flash_start_keys": 0.0})
    lost_s = [
        _attention_s(case) - float(np.asarray(attention_s(case, endless, PLAIN_ROWS, TOKENS))[0])
        for case in (small_case(), small_case(precision="fp32"))
    ]
    assert lost_s[0] == pytest.approx(lost_s[1])


def test_narrow_heads_slow_attention() -> None:
    case = small_case(transformer=replace(MODEL, n_heads=16, n_kv_heads=16, head_dim=64))
    assert _attention_s(case) == pytest.approx(FLASH_S * 2 ** CONSTANTS["flash_head_power"])


def test_without_fused_kernels_more_is_moved_and_more_is_launched() -> None:
    case = small_case(execution=Execution(fused_kernels=False, fused_loss=False))
    gradients_s = 4.0 * PARAMETERS / MEMORY_BYTES_PER_S
    assert traffic_s(case, CONSTANTS, PLAIN_ROWS, TOKENS) == pytest.approx(2.0 * STREAM_S + gradients_s)
    loss_s = 2.0 * TOKENS * VOCAB * 15.0 / MEMORY_BYTES_PER_S
    assert logits_traffic_s(case, CONSTANTS, PLAIN_ROWS, TOKENS) == pytest.approx(loss_s)
    # Three kernels for each of a layer's six products and for the logits, four of attention.
    kernels = (3 * 6 + 4) * LAYERS + 3
    assert launches_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx(100e-6 * kernels * 2.2 + 9e-3)


def test_gates_and_rotary_embeddings_in_pieces_launch_twice_the_kernels() -> None:
    case = small_case(
        transformer=replace(MODEL, gated_mlp=True), execution=Execution(fused_kernels=False, fused_loss=False)
    )
    assert launches_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx(100e-6 * 45 * LAYERS * 2.2 + 9e-3)


def test_metrics_of_whole_logits_move_them_22_times_more() -> None:
    how = Execution(fused_kernels=False, fused_loss=False, loss="eager")
    plain, told = (small_case(execution=replace(how, loss_metrics=told)) for told in (False, True))
    more = logits_traffic_s(told, CONSTANTS, PLAIN_ROWS, TOKENS) - logits_traffic_s(
        plain, CONSTANTS, PLAIN_ROWS, TOKENS
    )
    assert more == pytest.approx(2.0 * TOKENS * VOCAB * 22.0 / MEMORY_BYTES_PER_S)


@pytest.mark.parametrize(
    ("method", "how", "copied"),
    [
        (Method(), Execution(loss="chunked"), 38.0),
        (Method(), Execution(loss="chunked", master_weights=False), 50.0),
        (LORA, Execution(loss="chunked"), 30.0),
        (QLORA, Execution(loss="chunked", base_bits=4, upcast_ends=True), 18.0),
    ],
)
def test_a_loss_in_chunks_copies_the_output_weights_for_each(method: Method, how: Execution, copied: float) -> None:
    """Held in FP32 they are narrowed, in 16 bit widened first; twice forward, and a gradient where they learn."""
    case = small_case(execution=how, method=method)
    weights = copied * HIDDEN * VOCAB / MEMORY_BYTES_PER_S
    for tokens, chunks in ((1.0, 1), (256.0, 1), (257.0, 2), (1024.0, 4)):
        logits = 2.0 * tokens * VOCAB * 59.0 / MEMORY_BYTES_PER_S
        assert logits_traffic_s(case, CONSTANTS, PLAIN_ROWS, tokens) == pytest.approx(logits + chunks * weights)


def test_in_fp32_activations_are_twice_as_wide() -> None:
    case = small_case(precision="fp32")
    gradients_s = 4.0 * PARAMETERS / MEMORY_BYTES_PER_S
    assert traffic_s(case, CONSTANTS, PLAIN_ROWS, TOKENS) == pytest.approx(2.0 * STREAM_S + gradients_s)


@pytest.mark.parametrize(("launch", "share"), [("compiled", 0.35), ("graphs", 0.05)])
def test_a_compiler_or_a_graph_leaves_a_share_of_the_hosts_work(launch: Launch, share: float) -> None:
    case = small_case(execution=Execution(launch=launch))
    assert launches_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx(share * 100e-6 * 16 * LAYERS * 2.2)


@pytest.mark.parametrize(("launch", "checkpoints"), [("eager", LAYERS), ("compiled", 0), ("graphs", 0)])
def test_a_layer_that_runs_again_is_a_checkpoint_of_the_hosts(launch: Launch, checkpoints: int) -> None:
    """States of random numbers are fetched and put back around it, where Python goes through it at all."""
    case = small_case(execution=Execution(launch=launch))
    share = {"eager": 1.0, "compiled": 0.35, "graphs": 0.05}[launch]
    again_s = share * 100e-6 * 16 * LAYERS + CONSTANTS["checkpoint_s"] * checkpoints
    rows = layouts_of(replace(PLAIN, recompute="full"))
    assert launches_s(case, CONSTANTS, rows) - launches_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx(again_s)


@pytest.mark.parametrize(("busy_s", "host_s", "both_s"), [(3.0, 4.0, 5.0), (4.0, 3.0, 5.0), (1.0, 0.0, 1.0)])
def test_device_and_host_hide_each_other_in_part(busy_s: float, host_s: float, both_s: float) -> None:
    """An exponent of 2 here: the root of the sum of squares."""
    assert beside_launches_s(CONSTANTS, busy_s, host_s) == pytest.approx(both_s)


def test_adapters_move_and_launch_more_and_leave_the_bases_gradients() -> None:
    case = small_case(method=LORA)
    # Three passes over what enters and leaves Q, K and V, the output, MLP up and MLP down; backward 1.5 times that.
    elements = LAYERS * (6 * 1024 + 2 * 1024 + 2 * (1024 + 4096))
    beside_s = 2.0 * TOKENS * 3.0 * elements * 2.5 / MEMORY_BYTES_PER_S
    assert traffic_s(case, CONSTANTS, PLAIN_ROWS, TOKENS) == pytest.approx(STREAM_S + beside_s)
    # Six kernels more on each of queries, keys, values, output, MLP up and MLP down.
    assert launches_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx(100e-6 * (16 + 6 * 6) * LAYERS * 2.2)
    assert optimizer_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx(20.0 * ADAPTERS / MEMORY_BYTES_PER_S)


@pytest.mark.parametrize("inner", [512.0, 4096.0, 32768.0])
def test_narrow_operands_lose_as_much_time_at_a_tiles_start_and_end(inner: float) -> None:
    """They are multiplied twice as fast between, so that what is lost is twice the share of a product."""
    chip = replace(CHIP, peak_flop_per_s={**CHIP.peak_flop_per_s, "fp8": 200e12})

    def lost_share(precision: str) -> float:
        case = small_case(chip=chip, precision=precision)
        short_s, long_s = (matmul_s(case, CONSTANTS, np.array(12800.0), 25600.0, k) / k for k in (inner, 1e12))
        return float(short_s / long_s) - 1.0

    assert lost_share("bf16") == pytest.approx(100.0 * 100.0 / (312.0 / 2.039) / inner)
    assert lost_share("fp8") == pytest.approx(2.0 * lost_share("bf16"))


def test_a_narrow_product_is_bound_by_memory() -> None:
    """From rank 16 up to the MLP's width: forward, its output is most of what is moved."""
    case = small_case(method=LORA)
    up = next(matrix for matrix in case.matrices if matrix.name == "mlp_up_up")
    [(_, forward_s, backward_s)] = matrices_s(case, CONSTANTS, [up], PLAIN_ROWS, TOKENS)
    moved_s = 2.0 * (2048 * 16 + 16 * 4096 + 2048 * 4096) / 0.8e12
    assert forward_s == pytest.approx(moved_s)
    depth = 100.0 * 100.0 / (312.0 / 2.039)
    of_input_s = 2.0 * 2048 * 16 * 4096 * (1 + depth / 4096) / (80e12 * 0.9 * math.sqrt(1 / 100))
    of_weight_s = 2.0 * 16 * 4096 * 2048 * (1 + depth / 2048) / (80e12 * 0.9 * math.sqrt(2 / 100))
    assert backward_s == pytest.approx(of_input_s + of_weight_s)


def test_the_gradient_of_a_narrow_weight_over_many_positions_is_split_over_multiprocessors() -> None:
    """Authority: 64 by 64 outputs are one tile; over a million positions they take as long as reading operands does."""
    case, positions = replace(small_case(), n_sm=100.0), 2.0**20
    reading_s = 2.0 * 2 * 64 * positions / MEMORY_BYTES_PER_S
    assert float(matmul_s(case, CONSTANTS, 64.0, 64.0, positions)) == pytest.approx(reading_s, rel=0.05)


def test_products_of_transformers_are_tiled_as_ever() -> None:
    """Authority: the definition of a tall product; a micro-batch of 8,192 tokens of a model 1,024 wide is none."""
    case, wide = replace(small_case(), n_sm=100.0), 8192.0
    alone = float(matmul_s(case, CONSTANTS, wide, 1024.0, 1024.0))
    tiles, tile = math.ceil(wide / 128) * math.ceil(1024 / 256), 128 * 256
    filled = wide * 1024 / (math.ceil(tiles / 100) * 100 * tile)
    whole = float(matmul_s(replace(case, n_sm=0.0), CONSTANTS, wide, 1024.0, 1024.0))
    assert alone == pytest.approx(whole / filled ** CONSTANTS["gemm_tail_power"])


@pytest.mark.parametrize(("precision", "expanded_bytes"), [("bf16", 2.0), ("tf32", 4.0), ("fp32", 4.0)])
@pytest.mark.parametrize(("kernel", "times"), [("bitsandbytes", 2.0), ("gptq", 8.0), ("fused", 0.0)])
def test_a_four_bit_base_is_expanded_for_each_pass(
    kernel: Dequantization, times: float, precision: str, expanded_bytes: float
) -> None:
    """0.55 bytes packed and what is computed in of each weight of the layers; ends are not quantised."""
    case = small_case(method=QLORA, precision=precision, execution=Execution(base_bits=4, dequantization=kernel))
    expanded_s = MATRICES * (0.55 + expanded_bytes) * times / MEMORY_BYTES_PER_S
    cases: tuple[tuple[Recompute, int], ...] = (("none", 2), ("full", 3))
    for recompute, passes in cases:
        spent_s = dequantization_s(case, CONSTANTS, layouts_of(replace(PLAIN, recompute=recompute)))
        assert spent_s == pytest.approx(passes * expanded_s)


@pytest.mark.parametrize(("held_bytes", "summed_bytes"), [(4.0, 8.0), (2.0, 4.0)])
def test_a_gradient_is_added_to_its_sum_by_a_pass_of_its_own_or_by_its_product(
    held_bytes: float, summed_bytes: float
) -> None:
    """By its product the sum is read and written where 16 bits were written, and shows where memory is the limit."""
    slow = replace(CHIP, memory_bandwidth_bytes_per_s=1e8)
    apart, fused = (
        small_case(chip=slow, execution=Execution(gradient_bytes=held_bytes, fused_accumulation=fused))
        for fused in (False, True)
    )
    gradients_s = 4.0 * PARAMETERS / (1e8 * CONSTANTS["stream_bandwidth"])
    saved_s = traffic_s(apart, CONSTANTS, PLAIN_ROWS, TOKENS) - traffic_s(fused, CONSTANTS, PLAIN_ROWS, TOKENS)
    assert saved_s == pytest.approx(gradients_s)
    each, each_apart = (matrices_s(case, CONSTANTS, case.matrices, PLAIN_ROWS, TOKENS) for case in (fused, apart))
    for (matrix, forward_s, backward_s), (_, forward_apart_s, backward_apart_s) in zip(each, each_apart, strict=True):
        weights = np.asarray(matrix.inputs) * np.asarray(matrix.outputs)
        assert forward_s == pytest.approx(forward_apart_s)
        more_s = (summed_bytes - 2.0) * weights / (1e8 * CONSTANTS["gemm_bandwidth"])
        assert backward_s - backward_apart_s == pytest.approx(more_s)


def test_sums_that_products_add_to_cost_nothing_where_their_rate_is_the_limit() -> None:
    fused, apart = small_case(execution=Execution(fused_accumulation=True)), small_case()
    of_fused_s, apart_s = (
        np.array([seconds for _, *seconds in matrices_s(case, CONSTANTS, case.matrices, PLAIN_ROWS, TOKENS)])
        for case in (fused, apart)
    )
    assert of_fused_s == pytest.approx(apart_s)


@pytest.mark.parametrize("top_k", [1, 2, 4])
def test_every_expert_that_a_token_visits_has_its_input_quantised(top_k: int) -> None:
    chip = replace(CHIP, peak_flop_per_s={**CHIP.peak_flop_per_s, "fp8": 200e12})
    network = replace(MODEL, experts=Experts(n_experts=8, top_k=top_k, ffn_hidden=512))
    wide, narrow = (small_case(transformer=network, chip=chip, precision=name) for name in ("bf16", "fp8"))
    inputs = 4.0 * HIDDEN + top_k * HIDDEN + top_k * 512
    moved_s = 2.0 * TOKENS * LAYERS * CONSTANTS["quantise_passes"] * inputs * 2.5 / MEMORY_BYTES_PER_S
    more_s = traffic_s(narrow, CONSTANTS, PLAIN_ROWS, TOKENS) - traffic_s(wide, CONSTANTS, PLAIN_ROWS, TOKENS)
    assert more_s == pytest.approx(moved_s)


def test_experts_are_routed_permuted_and_started_one_by_one() -> None:
    case = small_case(transformer=EXPERTS)
    spent_s = routing_s(case, CONSTANTS, PLAIN_ROWS)
    assert spent_s == pytest.approx((2e-3 + 50e-6 * 8) * LAYERS)
    elements = 10.0 * 1024 + 3.0 * (3 * 1024 + 2 * 512) + 8.0 * 2 * 1024
    moved_s = 2.0 * TOKENS * LAYERS * elements * 2.5 / MEMORY_BYTES_PER_S
    held = LAYERS * (4 * HIDDEN**2 + 8 * HIDDEN + 8 * 2 * HIDDEN * 512) + 2 * VOCAB * HIDDEN
    gradients_s = 4.0 * held / MEMORY_BYTES_PER_S
    assert traffic_s(case, CONSTANTS, PLAIN_ROWS, TOKENS) == pytest.approx(moved_s + gradients_s)
    fused = small_case(transformer=EXPERTS, execution=Execution(fused_experts=True))
    assert routing_s(fused, CONSTANTS, PLAIN_ROWS) == pytest.approx(0.25 * spent_s)


@pytest.mark.parametrize(("spared", "fused", "left"), [(False, False, 1.0), (True, False, 0.6), (True, True, 0.25)])
def test_part_of_what_experts_wait_for_can_be_spared(spared: bool, fused: bool, left: float) -> None:
    execution = Execution(spared_experts=spared, fused_experts=fused)
    spent_s = routing_s(small_case(transformer=EXPERTS), CONSTANTS, PLAIN_ROWS)
    case = small_case(transformer=EXPERTS, execution=execution)
    assert routing_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx(left * spent_s)


def test_another_micro_batch_is_worked_on_while_the_host_learns_how_many_tokens_come() -> None:
    """What starts each of the eight experts is as long as ever."""
    case = small_case(transformer=EXPERTS, execution=Execution(exchange_overlap=True))
    assert routing_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx((0.2 * 2e-3 + 50e-6 * 8) * LAYERS)


def test_expert_parallel_ranks_exchange_tokens_four_times_a_layer() -> None:
    """Lepikhin et al. 2020: dispatch and combine, forward and backward; each token to two of eight ranks."""
    case = small_case(8, transformer=EXPERTS)
    lay = layouts_of(replace(PLAIN, expert_parallel=8, data_parallel=8))
    once_s = 7 / 8 * 2 * 2.0 * TOKENS * HIDDEN / UP_BYTES_PER_S / 0.5 + 2 * 3 * 10e-6
    assert layer_communication_s(case, CONSTANTS, lay, TOKENS)[1] == pytest.approx(0.5 * 4 * once_s * LAYERS)
    # Fused kernels and libraries spare permutations and waits, and send the same bytes.
    for spared in (replace(case, fused_experts=1.0), replace(case, spared_experts=1.0)):
        visible_s = layer_communication_s(spared, CONSTANTS, lay, TOKENS)[1]
        assert visible_s == pytest.approx(0.5 * 4 * once_s * LAYERS)
    beside = small_case(8, transformer=EXPERTS, execution=Execution(exchange_overlap=True))
    total_s, visible_s = layer_communication_s(beside, CONSTANTS, lay, TOKENS)
    assert (total_s, visible_s) == pytest.approx((4 * once_s * LAYERS, 0.2 * 4 * once_s * LAYERS))


def test_context_parallel_ranks_pass_keys_and_values_round_a_ring() -> None:
    """Liu et al. 2023: keys and values forward, again backward, and their gradients."""
    case = small_case(8)
    lay = layouts_of(replace(PLAIN, context_parallel=8))
    tokens = TOKENS / 8
    passed_s = 7 / 8 * 2.0 * TOKENS * 2 * 1024 / UP_BYTES_PER_S + 3 * 10e-6
    assert layer_communication_s(case, CONSTANTS, lay, tokens)[1] == pytest.approx(0.1 * 3 * passed_s * LAYERS)


def test_a_sharded_four_bit_base_is_gathered_in_its_own_width() -> None:
    """0.52 bytes a weight of the layers, 2 of the ends' and of each adapter's, twice; then the adapters' gradients."""
    case = small_case(8, method=QLORA, execution=Execution(base_bits=4, overlap=False))
    lay = layouts_of(replace(PLAIN, data_parallel=8, data_sharding="zero3"))
    moved = 2 * (0.52 * MATRICES + 2.0 * 2 * VOCAB * HIDDEN + 2.0 * ADAPTERS) + 2.0 * ADAPTERS
    messages = 2 * LAYERS
    expected = 7 / 8 * moved / UP_BYTES_PER_S + messages * 3 * 10e-6
    assert sharded_s(case, CONSTANTS, lay, 1.0, 0.0) == pytest.approx(expected)


def test_deepspeed_gathers_and_hooks_each_module() -> None:
    """Six linear layers and two norms."""
    case = small_case(8, execution=Execution(module_hooks=True, overlap=False))
    lay = layouts_of(replace(PLAIN, data_parallel=8, data_sharding="zero3"))
    expected = 3 * (7 / 8 * 2.0 * PARAMETERS / UP_BYTES_PER_S + 8 * LAYERS * 3 * 10e-6)
    assert sharded_s(case, CONSTANTS, lay, 1.0, 0.0) == pytest.approx(expected)
    launched_s = 100e-6 * 16 * LAYERS * 2.2
    assert launches_s(case, CONSTANTS, lay) == pytest.approx(launched_s + CONSTANTS["module_hook_s"] * 8 * LAYERS * 2)


@pytest.mark.parametrize(("eager_adapters", "pairs"), [(True, 6), (False, 0)])
def test_fsdp_gathers_each_matrix_of_pefts_pairs_by_itself(*, eager_adapters: bool, pairs: int) -> None:
    """PEFT's `fsdp_auto_wrap_policy`: a layer is one unit, and each of the pairs beside its six matrices two more."""
    case = small_case(8, method=LORA, execution=Execution(overlap=False, eager_adapters=eager_adapters))
    assert float(case.gathers) == 1 + 2 * pairs
    lay = layouts_of(replace(PLAIN, data_parallel=8, data_sharding="zero3"))
    alone = layouts_of(PLAIN)
    hooks_s = launches_s(case, CONSTANTS, lay) - launches_s(case, CONSTANTS, alone)
    assert hooks_s == pytest.approx(CONSTANTS["hook_s"] * (1 + 2 * pairs) * LAYERS * 2)


@pytest.mark.parametrize("expert", [1, 8])
def test_adapters_are_not_divided_by_expert_parallelism(expert: int) -> None:
    """They lie on attention alone here, so that each rank has all of them: 6 bytes each are reduced."""
    case = small_case(8, transformer=EXPERTS, method=LORA, execution=Execution(overlap=False))
    lay = layouts_of(replace(PLAIN, data_parallel=8, expert_parallel=expert))
    adapters = 16 * LAYERS * (3 * (1024 + 1024) + (1024 + 1024))
    expected = 7 / 8 * 6.0 * adapters / UP_BYTES_PER_S + 3 * 10e-6
    assert gradient_reduction_s(case, CONSTANTS, lay, 0.0) == pytest.approx(expected)
    assert optimizer_s(case, CONSTANTS, lay) == pytest.approx(20.0 * adapters / MEMORY_BYTES_PER_S)


@pytest.mark.parametrize("sharding", ["ddp", "zero3"])
def test_weights_in_host_memory_are_fetched_for_each_pass_even_on_one_device(sharding: Sharding) -> None:
    """Rajbhandari et al. 2021: fetched forward and backward, gradients sent back; half of PCIe's 32 GB/s."""
    case = small_case(execution=Execution(offload_parameters=True, overlap=False))
    lay = layouts_of(replace(PLAIN, data_sharding=sharding))
    assert sharded_s(case, CONSTANTS, lay, 1.0, 0.0) == pytest.approx(3 * 2.0 * PARAMETERS / 16e9)


def test_an_optimizer_in_host_memory_is_as_slow_as_that_and_its_link() -> None:
    """28 bytes a parameter at the host's rate; 16-bit gradients down and weights up over half of PCIe."""
    case = small_case(execution=Execution(offload_optimizer=True))
    assert optimizer_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx(PARAMETERS * (28.0 / 14e9 + 4.0 / 16e9))


@pytest.mark.parametrize(("optimizer", "share"), [("adamw_8bit", 0.6), ("sgd", 0.5), ("muon", 1.5)])
def test_an_optimizer_moves_its_states(optimizer: OptimizerName, share: float) -> None:
    case = small_case(execution=Execution(optimizer=optimizer))
    assert optimizer_s(case, CONSTANTS, PLAIN_ROWS) == pytest.approx(share * 20.0 * PARAMETERS / MEMORY_BYTES_PER_S)


def test_replicas_of_a_hybrid_shard_reduce_their_gradients_once_a_step() -> None:
    """Zhao et al. 2023 (FSDP), section 3.2.2: an all-reduce of each rank's share over the replicas."""
    case = small_case(8, execution=Execution(overlap=False))
    lay = replace(
        layouts_of(replace(PLAIN, data_parallel=8, data_sharding="zero3")), shard_group=layouts_of(PLAIN).data * 4
    )
    expected = 2 * (1 / 2 * 2.0 * PARAMETERS / 4 / UP_BYTES_PER_S + 10e-6)
    assert gradient_reduction_s(case, CONSTANTS, lay, 0.0) == pytest.approx(expected)


@pytest.mark.parametrize(("virtual", "micro_batches", "turns"), [(1, 8, 1), (2, 8, 4), (2, 3, 3), (4, 4, 4)])
def test_an_interleaved_stage_reduces_a_chunk_beside_its_others(virtual: int, micro_batches: int, turns: int) -> None:
    """It takes as many micro-batches as there are stages through each chunk in turn (Narayanan et al. 2021, fig. 4)."""
    case = small_case(8, transformer=replace(MODEL, n_layers=16))
    lay = replace(PLAIN, pipeline_parallel=4, virtual_pipeline=virtual, data_parallel=2, micro_batches=micro_batches)
    rows = layouts_of(lay)
    whole_s = float(np.asarray(gradient_reduction_s(case, CONSTANTS, rows, 0.0))[0])
    stage_s = 0.1 * whole_s
    waited_s = whole_s - 0.5 * stage_s * turns
    assert gradient_reduction_s(case, CONSTANTS, rows, stage_s) == pytest.approx(max(waited_s, 0.2 * whole_s))
