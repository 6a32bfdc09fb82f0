"""Memory is what papers say training states and activations take.

Authorities: Rajbhandari et al. 2020 (ZeRO), Korthikanti et al. 2022 (activations), Dettmers et al. 2023 (QLoRA).
"""

from dataclasses import replace

import pytest

from estimator.catalogue import catalogue
from estimator.models.training import Method, MethodName
from estimator.models.workload import workload
from estimator.physics.case import Case
from estimator.physics.choice import setting_of
from estimator.physics.execution import Execution
from estimator.physics.layout import layouts_of
from estimator.physics.memory import Memory, memory_of
from estimator.physics.numbers import case_of
from estimator.question.cluster import Cluster
from estimator.question.question import Layout, Question
from tests import physics_cases

PLAIN = replace(physics_cases.PLAIN, micro_batch_size=1)
GPT_3, SEQUENCE, HIDDEN, HEADS, LAYERS = "gpt-3-175b", 2048, 12288, 96, 96


def _case(
    model: str, *, n_gpus: int = 1, sequence_length: int = SEQUENCE, method: MethodName = "full", unfused: bool = False
) -> Case:
    chip = catalogue.accelerator("a100-sxm-80gb").value.accelerator
    cluster = Cluster(
        accelerator=chip, n_gpus=n_gpus, gpus_per_node=min(8, n_gpus), scale_out_bytes_per_s=chip.scale_out_bytes_per_s
    )
    transformer = catalogue.transformer(model).value
    execution = Execution(attention="unfused" if unfused else "flash_2", base_bits=4 if method == "qlora" else None)
    return case_of(
        transformer,
        cluster,
        "bf16",
        Method(name=method),
        sequence_length=sequence_length,
        execution=execution,
    )


def _states_bytes(used: Memory) -> float:
    return float((used.weights_bytes + used.gradients_bytes + used.optimizer_bytes)[0])


def _parameters(model: str) -> int:
    return workload(catalogue.transformer(model).value).parameters


@pytest.mark.parametrize("ranks", [1, 64, 1024])
def test_fully_sharded_states_take_16_bytes_a_parameter_over_all_ranks(ranks: int) -> None:
    """Rajbhandari et al. 2020, section 3.1: 2 of weights, 2 of gradients, 12 of Adam with FP32 copies; figure 1."""
    used = memory_of(_case(GPT_3), layouts_of(replace(PLAIN, data_parallel=ranks, data_sharding="zero3")))
    assert _states_bytes(used) * ranks == pytest.approx(16 * _parameters(GPT_3), rel=1e-9)


def test_a_70b_model_takes_more_than_a_terabyte_to_train() -> None:
    """The same 16 bytes of 70e9 parameters are 1.12 TB."""
    used = memory_of(_case("llama-2-70b"), layouts_of(replace(PLAIN, data_parallel=64, data_sharding="zero3")))
    assert 64 * _states_bytes(used) == pytest.approx(1.12e12, rel=0.02)


@pytest.mark.parametrize(("sharding", "bytes_of_all", "bytes_of_a_share"), [("ddp", 18, 0), ("zero1", 6, 12)])
def test_states_in_megatron_are_weights_and_fp32_gradients_and_a_share_of_the_optimizer(
    sharding: str, bytes_of_all: int, bytes_of_a_share: int
) -> None:
    """Megatron-LM, distributed optimizer: 18 bytes a parameter without, 6 + 12/d with it (BF16, FP32 gradients)."""
    assert sharding in {"ddp", "zero1"}
    lay = replace(PLAIN, data_parallel=16, data_sharding="ddp" if sharding == "ddp" else "zero1")
    used = memory_of(_case("llama-3.1-8b"), layouts_of(lay))
    expected = (bytes_of_all + bytes_of_a_share / 16) * _parameters("llama-3.1-8b")
    assert _states_bytes(used) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("tensor", [1, 8])
def test_activations_are_34_bytes_and_the_scores(tensor: int) -> None:
    """Korthikanti et al. 2022, equations 1 and 4: s·b·h (34 + 5·a·s/h) a layer, over t with sequence parallelism."""
    lay = layouts_of(replace(PLAIN, tensor_parallel=tensor))
    used = memory_of(_case(GPT_3, n_gpus=tensor, unfused=True), lay).activations_bytes[0]
    expected = SEQUENCE * HIDDEN * (34 + 5 * HEADS * SEQUENCE / HIDDEN) / tensor * LAYERS
    assert used == pytest.approx(expected, rel=0.05)


def test_without_scores_and_dropout_activations_are_32_bytes() -> None:
    """The same, equation 6, less its two one-byte dropout masks, which models since 2022 are trained without."""
    used = memory_of(_case(GPT_3), layouts_of(PLAIN)).activations_bytes[0]
    assert used == pytest.approx(32 * SEQUENCE * HIDDEN * LAYERS, rel=0.05)


def test_full_recomputation_keeps_the_input_of_each_layer_and_one_layer_whole() -> None:
    """The same, section 5: 2·s·b·h a layer; the layer that is run again is whole while it is, gradients beside it."""
    used = memory_of(_case(GPT_3), layouts_of(replace(PLAIN, recompute="full"))).activations_bytes[0]
    assert SEQUENCE * HIDDEN * (2 * LAYERS + 34) < used < SEQUENCE * HIDDEN * (2 * LAYERS + 2 * 34)


def test_the_first_stage_holds_as_many_micro_batches_as_there_are_stages() -> None:
    """Narayanan et al. 2021, section 2.2 (1F1B): p micro-batches of L/p layers are all layers of one."""
    case = _case(GPT_3, n_gpus=8)
    alone = memory_of(case, layouts_of(PLAIN)).activations_bytes[0]
    piped = memory_of(case, layouts_of(replace(PLAIN, pipeline_parallel=8, micro_batches=64))).activations_bytes[0]
    assert piped == pytest.approx(alone, rel=1e-9)


def test_a_65b_model_is_fine_tuned_on_48_gb_in_four_bits_and_not_in_sixteen() -> None:
    """Dettmers et al. 2023, abstract: 780 GB in 16 bit, less than 48 GB with QLoRA."""
    lay = layouts_of(replace(PLAIN, recompute="full"))
    assert memory_of(_case("llama-65b", sequence_length=512, method="qlora"), lay).total_bytes[0] < 48e9
    assert memory_of(_case("llama-65b", sequence_length=512), lay).total_bytes[0] > 780e9


def test_gradients_and_optimizer_states_of_adapters_are_less_than_a_hundredth_of_all() -> None:
    """Hu et al. 2021, section 4.2: a frozen base has none, and at rank 16 adapters are less than a hundredth of it."""
    full, lora = (memory_of(_case("llama-3.1-8b", method=name), layouts_of(PLAIN)) for name in ("full", "lora"))
    assert lora.weights_bytes[0] == full.weights_bytes[0]
    assert lora.gradients_bytes[0] < 0.01 * full.gradients_bytes[0]
    assert lora.optimizer_bytes[0] < 0.01 * full.optimizer_bytes[0]


@pytest.mark.parametrize("knob", ["tensor_parallel", "context_parallel", "pipeline_parallel"])
def test_splitting_further_never_takes_more_on_a_device(knob: str) -> None:
    case = _case(GPT_3, n_gpus=512)
    totals = [memory_of(case, layouts_of(_split(knob, degree))).total_bytes[0] for degree in (1, 2, 4, 8)]
    assert totals == sorted(totals, reverse=True)


def test_a_tied_embedding_lies_whole_on_the_first_stage_and_on_the_last() -> None:
    """Narayanan et al. 2021: both stages hold a copy of it, and sum its gradients; an untied one has two halves."""
    pipeline = 4
    lay = layouts_of(replace(PLAIN, pipeline_parallel=pipeline, micro_batches=8))
    for model in ("qwen-2.5-1.5b", "llama-3.1-8b"):
        case = _case(model, n_gpus=pipeline)
        ends = case.output_parameters
        layers = case.shared_parameters - ends - case.embedding_parameters
        used = memory_of(case, lay)
        assert used.weights_bytes[0] == pytest.approx(2 * (layers / pipeline + ends))


def test_stages_that_do_not_divide_the_layers_are_as_full_as_the_fullest() -> None:
    """126 layers on 4 stages are 32 on the fullest; a stage less full than another does not help it."""
    case = _case("llama-3.1-405b", n_gpus=64)
    uneven, even = (
        memory_of(replace(case, n_layers=n), layouts_of(replace(PLAIN, pipeline_parallel=4, micro_batches=8)))
        for n in (126.0, 128.0)
    )
    layer = (case.shared_parameters - 2 * case.output_parameters) / 126
    assert uneven.weights_bytes[0] == pytest.approx(2 * (32 * layer + case.output_parameters))
    assert even.weights_bytes[0] < uneven.weights_bytes[0]


def test_a_stage_of_a_model_that_starts_with_dense_layers_has_only_layers_with_experts() -> None:
    """DeepSeek-V3: three dense layers of 61, so that the fullest of 16 stages has four layers with experts."""
    case = _case("deepseek-v3", n_gpus=16)
    used = memory_of(case, layouts_of(replace(PLAIN, pipeline_parallel=16, micro_batches=32)))
    experts = 2 * case.expert_parameters * 4 / 58
    assert used.weights_bytes[0] > experts
    assert used.weights_bytes[0] < 1.2 * experts


def test_the_last_stage_holds_the_logits_where_that_is_more_than_the_first_holds() -> None:
    """Few layers and a large vocabulary: then the logits count, whatever the first stage has in flight."""
    case = _case("llama-3.1-8b", n_gpus=2)
    lay = layouts_of(replace(PLAIN, pipeline_parallel=2, micro_batches=8, recompute="full", micro_batch_size=8))
    logits = case.logit_bytes * 8 * SEQUENCE * case.logits
    with_logits = memory_of(replace(case, whole_logits=1.0), lay).total_bytes[0]
    assert with_logits > memory_of(replace(case, whole_logits=0.0), lay).total_bytes[0]
    assert with_logits > logits


@pytest.mark.parametrize(
    ("stack", "year", "size"),
    [("megatron", 2022, 4.0), ("megatron", 2026, 4.0), ("nemo", 2025, 2.0), ("huggingface", 2024, 2.0)],
)
def test_a_gradient_is_as_wide_as_its_stack_accumulates_it(stack: str, year: int, size: float) -> None:
    """Narayanan et al. 2021 reduce in FP32; PyTorch keeps a gradient in the precision of its weight."""
    assert setting_of(_question("h100-sxm", stack, year)).case.gradient_bytes == size


def test_a_coherent_host_takes_activations_of_a_model_without_stages() -> None:
    """Megatron-Bridge's recipes: Llama-3-70B on 64 GB200 keeps 20 to 40 of 80 layers in Grace's memory."""
    grace, plain = (setting_of(_question(chip, "nemo", 2026)).case for chip in ("gb200", "b200-sxm"))
    for pipeline, share in ((1, 0.5), (8, 1.0)):
        lay = layouts_of(replace(PLAIN, pipeline_parallel=pipeline, micro_batches=64))
        on_device, kept = (memory_of(case, lay).activations_bytes[0] for case in (grace, plain))
        assert on_device == pytest.approx(share * kept, rel=0.05)  # the layer at work is on the device


def _question(chip: str, stack: str, year: int) -> Question:
    accelerator = catalogue.accelerator(chip).value.accelerator
    cluster = Cluster(
        accelerator=accelerator, n_gpus=64, gpus_per_node=4, scale_out_bytes_per_s=accelerator.scale_out_bytes_per_s
    )
    return Question(
        transformer=catalogue.transformer("llama-3.1-8b").value,
        cluster=cluster,
        precision="bf16",
        sequence_length=SEQUENCE,
        global_batch_sequences=128,
        framework=stack,
        released=float(year),
    )


def _split(knob: str, degree: int) -> Layout:
    if knob == "tensor_parallel":
        return replace(PLAIN, tensor_parallel=degree)
    if knob == "context_parallel":
        return replace(PLAIN, context_parallel=degree)
    return replace(PLAIN, pipeline_parallel=degree, micro_batches=8)


def test_gradients_that_are_freed_come_as_what_was_kept_goes() -> None:
    """Alone and without accumulation: the output layer's beside what is kept, all at the end; else all beside it."""
    freed, held = (replace(physics_cases.small_case(), gradients_freed=flag) for flag in (1.0, 0.0))
    short, long, again, sharded = (
        replace(PLAIN, micro_batch_size=batch, micro_batches=times, data_parallel=ranks)
        for batch, times, ranks in ((1, 1, 1), (64, 1, 1), (1, 2, 1), (1, 1, 2))
    )
    for layout in (short, long, again, sharded):
        lay = layouts_of(layout)
        one, other = memory_of(freed, lay), memory_of(held, lay)
        assert one.activations_bytes[0] == other.activations_bytes[0]
        whole = float(other.gradients_bytes[0])
        if layout in (again, sharded):
            assert one.gradients_bytes[0] == whole
            continue
        assert 0.0 <= one.gradients_bytes[0] < whole
    output = physics_cases.MODEL.vocab * physics_cases.MODEL.hidden
    assert memory_of(freed, layouts_of(long)).gradients_bytes[0] == output * freed.gradient_bytes
