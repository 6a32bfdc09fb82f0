"""What is held for a weight, a token and a logit follows from optimizer, precision and kernels.

Authorities: Rajbhandari et al. 2020 (mixed precision, ZeRO), Dettmers et al. 2022 and 2023 (8-bit optimizers, QLoRA),
Korthikanti et al. 2022 (activations), torchtune's recipes (BF16 alone), PEFT's preparation of a quantised base.
"""

from dataclasses import replace

import numpy as np
import pytest

from estimator.catalogue import catalogue
from estimator.models.training import Method, MethodName
from estimator.models.workload import workload
from estimator.physics.case import Case
from estimator.physics.choice import setting_of
from estimator.physics.execution import Execution, LossKernel
from estimator.physics.layout import layouts_of, where_sharded
from estimator.physics.memory import Memory, host_bytes_of, memory_of
from estimator.physics.numbers import case_of
from estimator.question.practice import OptimizerName, Practice
from estimator.question.question import Layout, LayoutRequest, Question, Sharding
from tests.physics_cases import PLAIN, catalogued_cluster

MODEL = "llama-3.1-8b"
TOKENS = 4096
ALONE = replace(PLAIN, micro_batch_size=1)
FULL = layouts_of(replace(ALONE, recompute="full"))


def _case(
    execution: Execution, *, precision: str = "bf16", method: MethodName = "full", model: str = MODEL, n_gpus: int = 1
) -> Case:
    return case_of(
        catalogue.transformer(model).value,
        catalogued_cluster("a100-sxm-80gb", n_gpus),
        precision,
        Method(name=method),
        sequence_length=TOKENS,
        execution=execution,
    )


def _used(case: Case, layout: Layout = ALONE) -> Memory:
    return memory_of(case, layouts_of(layout))


def _parameters(model: str = MODEL) -> int:
    return workload(catalogue.transformer(model).value).parameters


@pytest.mark.parametrize(
    ("optimizer", "master", "size"),
    [
        ("adamw", True, 12.0),  # an FP32 copy and two moments
        ("adamw", False, 4.0),  # two moments in BF16
        ("adamw_8bit", True, 6.03),
        ("adamw_8bit", False, 2.03),
        ("paged_adamw_8bit", False, 0.0),
        ("lion", True, 8.0),
        ("sgd", True, 4.0),
        ("adafactor", False, 0.04),
    ],
)
def test_an_optimizer_holds_its_moments_and_a_copy_of_16_bit_weights(
    optimizer: OptimizerName, master: bool, size: float
) -> None:
    used = _used(_case(Execution(optimizer=optimizer, master_weights=master)))
    assert used.optimizer_bytes[0] == pytest.approx(size * _parameters())


@pytest.mark.parametrize("optimizer", ["adamw", "adamw_8bit", "sgd"])
@pytest.mark.parametrize("offloaded", [False, True])
def test_a_moving_average_is_an_fp32_copy_on_the_device(optimizer: OptimizerName, *, offloaded: bool) -> None:
    """`EMAModel` of diffusers lies on the accelerator beside what is trained."""
    plain = Execution(optimizer=optimizer, offload_optimizer=offloaded)
    without, averaged = (_used(_case(one)) for one in (plain, replace(plain, averages_weights=True)))
    assert averaged.optimizer_bytes[0] - without.optimizer_bytes[0] == pytest.approx(4.0 * _parameters())
    steps = [_case(replace(plain, averages_weights=average)).optimizer_share for average in (False, True)]
    assert steps[0] < steps[1]


def test_adapters_stay_on_the_device_whose_moments_are_paged() -> None:
    held = {
        (paged, fetched): float(
            _used(
                _case(Execution(offload_optimizer=paged, offload_parameters=fetched), method="qlora")
            ).optimizer_bytes[0]
        )
        for paged, fetched in ((False, 0.0), (True, 0.0), (True, 1.0))
    }
    # Of AdamW's 12 bytes with the adapter itself, two moments go.
    assert held[True, 0.0] == pytest.approx(held[False, 0.0] / 3.0)
    assert held[True, 1.0] == 0.0


def test_bf16_alone_takes_eight_bytes_a_parameter() -> None:
    """The recipe full_finetune_single_device of torchtune: weights, gradients and both moments in BF16."""
    used = _used(_case(Execution(master_weights=False, gradient_bytes=2.0)))
    states = used.weights_bytes + used.gradients_bytes + used.optimizer_bytes
    assert states[0] == pytest.approx(8.0 * _parameters())


@pytest.mark.parametrize("precision", ["fp32", "tf32"])
def test_in_fp32_states_take_16_bytes_and_activations_twice_their_size(precision: str) -> None:
    """Nothing is copied: 4 of weights, 4 of gradients, 8 of moments."""
    wide, half = (_used(_case(Execution(), precision=given)) for given in (precision, "bf16"))
    states = wide.weights_bytes + wide.gradients_bytes + wide.optimizer_bytes
    assert states[0] == pytest.approx(16.0 * _parameters())
    assert wide.activations_bytes[0] == pytest.approx(2.0 * half.activations_bytes[0])


def test_host_memory_takes_the_optimizer_and_sharded_gradients() -> None:
    """Rajbhandari et al. 2021, ZeRO-Offload: gradients go to the host as they are reduced."""
    offloaded = _case(Execution(offload_optimizer=True, gradient_bytes=2.0), n_gpus=8)
    sharded: tuple[tuple[Sharding, float], ...] = (("zero1", 2.0 * _parameters()), ("zero2", 0.0))
    for sharding, gradient_bytes in sharded:
        used = _used(offloaded, replace(ALONE, data_parallel=8, data_sharding=sharding))
        assert used.optimizer_bytes[0] == 0.0
        assert used.gradients_bytes[0] == pytest.approx(gradient_bytes)


def _on_host(execution: Execution, layout: Layout, n_gpus: int, **run: MethodName) -> float:
    return float(host_bytes_of(_case(execution, n_gpus=n_gpus, **run), layouts_of(layout))[0])


@pytest.mark.parametrize("n_gpus", [1, 2, 8])
@pytest.mark.parametrize(
    ("execution", "size"),
    [
        (Execution(), 0.0),
        (Execution(optimizer="paged_adamw_8bit"), 2.03),
        (Execution(offload_optimizer=True, module_hooks=True), 16.0),
        (Execution(offload_optimizer=True, offload_parameters=1.0, module_hooks=True), 18.0),
        (Execution(offload_optimizer=True, offload_parameters=1.0), 16.0),
        (Execution(offload_optimizer=True, offload_parameters=1.0, master_weights=False), 8.0),
        (Execution(offload_optimizer=True, optimizer="sgd"), 8.0),
        (Execution(offload_parameters=1.0), 2.0),
        (Execution(offload_parameters=0.5), 1.0),
        (Execution(offload_optimizer=True, offload_parameters=1.0, states_on_disk=True), 0.0),
        (Execution(streams_layers=True), 8.0),
    ],
)
def test_a_node_holds_what_its_devices_offload(execution: Execution, size: float, n_gpus: int) -> None:
    """DeepSpeed's estimate_zero3_model_states_mem_needs: 16 bytes a parameter, 18 with weights; FSDP steps these."""
    layout = replace(ALONE, data_parallel=n_gpus, data_sharding="zero3")
    assert _on_host(execution, layout, n_gpus) == pytest.approx(size * _parameters(), rel=0.01)


def test_nodes_share_what_is_sharded_and_devices_repeat_what_is_not() -> None:
    offloaded = Execution(offload_optimizer=True, module_hooks=True)
    one, two = (_on_host(offloaded, replace(ALONE, data_parallel=n, data_sharding="zero3"), n_gpus=n) for n in (8, 16))
    assert two == pytest.approx(one / 2)
    repeated = _on_host(offloaded, replace(ALONE, data_parallel=8, data_sharding="ddp"), n_gpus=8)
    assert repeated == pytest.approx(8 * one)


def test_adapters_leave_the_host_next_to_nothing_but_what_is_fetched() -> None:
    """Pairs of rank 16 are half a per cent of an 8B."""
    states, weights = (
        _on_host(execution, ALONE, 1, method="lora")
        for execution in (Execution(offload_optimizer=True), Execution(offload_parameters=1.0))
    )
    assert 0.0 < states < 0.1 * _parameters()
    assert weights == pytest.approx(2.0 * _parameters(), rel=0.01)


def test_checkpoints_in_host_memory_are_a_stream_for_each_layer() -> None:
    kept = float(host_bytes_of(_case(Execution(host_checkpoints=1.0)), FULL)[0])
    transformer = catalogue.transformer(MODEL).value
    layers = transformer.n_layers - 2  # two are on their way
    assert kept == pytest.approx(2.0 * TOKENS * transformer.hidden * layers, rel=0.01)


def test_weights_in_host_memory_leave_what_is_at_work() -> None:
    """Rajbhandari et al. 2021, ZeRO-Infinity."""
    kept, fetched = (_used(_case(Execution(offload_parameters=host))) for host in (False, True))
    assert fetched.weights_bytes[0] == 0.0
    assert 0.0 < fetched.other_bytes[0] - kept.other_bytes[0] < 0.3 * kept.weights_bytes[0]


@pytest.mark.parametrize(
    ("loss", "low", "high"),
    [("eager", 10.0, 17.0), ("cast", 6.0, 10.0), ("fused", 4.0, 6.0), ("compiled", 4.0, 6.0)],
)
def test_whole_logits_cost_what_their_kernels_copy(loss: LossKernel, low: float, high: float) -> None:
    """Logits are there with no layer at work beside them; 13 bytes in eager FP32, 4 to 6 fused."""
    execution = Execution(loss=loss, fused_loss=False)
    whole, none = (memory_of(replace(_case(execution), whole_logits=flag), FULL) for flag in (1.0, 0.0))
    logits = TOKENS * catalogue.transformer(MODEL).value.vocab
    layer = none.activations_bytes[0] - _case(execution).checkpoint_bytes * TOKENS
    held = whole.total_bytes[0] - none.total_bytes[0] + layer
    assert low * logits <= held <= high * logits


def test_a_chunked_loss_costs_next_to_nothing() -> None:
    """Liger, Cut Cross-Entropy, torchtune's chunks."""
    chunked, whole = (
        memory_of(_case(Execution(loss="eager", fused_loss=fused)), FULL).other_bytes[0] for fused in (True, False)
    )
    assert chunked < 0.2 * whole


def test_a_peft_prepared_base_keeps_a_residual_stream_in_fp32() -> None:
    """PEFT, prepare_model_for_kbit_training: whatever is not quantised is cast to FP32, so that its sums are too."""
    prepared, left = (
        _case(Execution(base_bits=4, upcast_ends=flag, loss="eager"), method="qlora") for flag in (True, False)
    )
    assert prepared.checkpoint_bytes == 2.0 * left.checkpoint_bytes
    ends = 2 * catalogue.transformer(MODEL).value.vocab * 4096
    more = _used(prepared).weights_bytes[0] - _used(left).weights_bytes[0]
    assert more == pytest.approx(2.0 * ends)


@pytest.mark.parametrize("framework", ["huggingface", "fastchat"])
def test_a_sharded_quantised_base_is_not_prepared(framework: str) -> None:
    """TRL: whatever is not quantised is not cast where 4-bit weights are sharded (`is_sharded_qlora`)."""
    base = Practice(base_bits=4, master_weights=True)
    alone = replace(_question(framework, practice=base), method=Method(name="qlora"))
    sharded = replace(
        alone,
        cluster=catalogued_cluster("a100-sxm-80gb", 4),
        global_batch_sequences=4,
        layout=replace(alone.layout, data_sharding="zero3"),
    )
    open_ = replace(sharded, layout=replace(sharded.layout, data_sharding=None))
    assert _ends_bytes(alone) == {0.0: {4.0}}
    assert _ends_bytes(sharded) == {3.0: {2.0}}
    # FastChat's script shards and does nothing else; the others do where they are told.
    assert _ends_bytes(open_) == ({3.0: {2.0}} if framework == "fastchat" else {0.0: {4.0}})


def _ends_bytes(question: Question) -> dict[float, set[float]]:
    """Return the bytes of a weight of embedding and output layer by the ZeRO stage of the layouts of a question."""
    setting = setting_of(question)
    layouts = setting.layouts.taken(np.arange(len(setting.layouts)))
    held = setting.case.ends_bytes * np.broadcast_to(
        where_sharded(layouts, setting.case.unprepared_ends), layouts.shard_stage.shape
    )
    return {float(stage): set(held[layouts.shard_stage == stage].tolist()) for stage in set(layouts.shard_stage)}


def test_a_quantised_base_keeps_embedding_and_output_in_16_bit() -> None:
    """Llama 3.1 8B in bitsandbytes' NF4 with doubly quantised scales is a checkpoint of 5.7 GB."""
    used = _used(_case(Execution(base_bits=4), method="qlora"))
    assert used.weights_bytes[0] == pytest.approx(5.7e9, rel=0.03)


def test_inputs_of_8_bit_matmuls_take_a_byte_where_they_are_kept_as_multiplied() -> None:
    """Transformer Engine keeps the quantised inputs; torchao's Float8Linear the 16-bit ones."""
    kept, whole = (_used(_case(Execution(narrow_inputs=flag), precision="fp8")) for flag in (True, False))
    plain = _used(_case(Execution()))
    assert whole.activations_bytes[0] == plain.activations_bytes[0]
    assert 0.7 < kept.activations_bytes[0] / whole.activations_bytes[0] < 0.95


@pytest.mark.parametrize(("precision", "less"), [("fp8", True), ("nvfp4", True), ("bf16", False)])
def test_what_is_before_the_activation_takes_a_byte_where_it_is_kept_in_8_bits(precision: str, less: bool) -> None:
    """Llama-2 70B's adapters in FP8 leave no room on one H200 or B200 for its two streams in 16 bits."""
    kept, whole = (_case(Execution(narrow_activations=flag), precision=precision) for flag in (True, False))
    streams = 2 * catalogue.transformer(MODEL).value.ffn_hidden * catalogue.transformer(MODEL).value.n_layers
    saved = whole.kept_hidden_bytes - kept.kept_hidden_bytes
    assert saved == pytest.approx(streams if less else 0.0)


def test_what_the_optimizer_copies_counts_where_activations_are_less() -> None:
    """PyTorch's AdamW over lists of tensors makes one more moment.

    Full runs of fms-acceleration peak at the same bytes with 4 and 8 sequences, at 10 a parameter in BF16.
    """
    execution = Execution(master_weights=False, gradient_bytes=2.0, step_copies=True, fused_loss=True)
    case = replace(_case(execution), sequence_length=64.0)
    totals = [memory_of(case, layouts_of(replace(ALONE, micro_batch_size=n, recompute="full"))) for n in (4, 8)]
    first, second = (used.total_bytes[0] for used in totals)
    assert first == second
    assert first == pytest.approx(10.0 * _parameters(), rel=0.02)


def _question(framework: str, *, practice: Practice | None = None, released: float | None = None) -> Question:
    return Question(
        transformer=catalogue.transformer(MODEL).value,
        cluster=catalogued_cluster("a100-sxm-80gb", 1),
        precision="bf16",
        sequence_length=TOKENS,
        global_batch_sequences=1,
        layout=LayoutRequest(recompute="full", micro_batch_size=1),
        framework=framework,
        practice=practice or Practice(),
        released=released,
    )


@pytest.mark.parametrize(
    ("framework", "released", "size"),
    [
        ("huggingface", 2025.0, 12.0),
        ("huggingface", 2026.5, 4.0),  # Transformers 5 loads a checkpoint as it is stored
        ("llama-factory", 2026.0, 12.0),
        ("torchtune", 2025.0, 4.0),
        ("unsloth", 2025.0, 2.03),
        ("deepspeed", 2025.0, 12.0),
    ],
)
def test_trainers_keep_fp32_weights_or_do_not(framework: str, released: float, size: float) -> None:
    assert setting_of(_question(framework, released=released)).case.optimizer_bytes == pytest.approx(size)


def test_deepspeeds_engine_keeps_fp32_weights_whatever_the_trainer_loads() -> None:
    alone, engine = (
        setting_of(_question("axolotl", practice=Practice(optimizer="adamw", zero_engine=given))).case
        for given in (None, "deepspeed")
    )
    assert alone.optimizer_bytes == 4.0
    assert engine.optimizer_bytes == 12.0
