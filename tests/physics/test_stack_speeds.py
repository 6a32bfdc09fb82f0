"""Stacks differ in time as they do in what they run, and the count of devices does not choose among them.

Constants are at their priors, so bounds are wide. Authorities are named at each test.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.base.errors import InfeasibleError
from estimator.catalogue import catalogue
from estimator.models.training import Method, MethodName
from estimator.physics.case import Case
from estimator.physics.choice import ranked_layouts, setting_of
from estimator.physics.constants import prior_constants
from estimator.physics.stacks import auto_stack
from estimator.physics.step import StepTime, step_time
from estimator.question.cluster import Accelerator
from estimator.question.practice import NOTHING_SAID, Practice
from estimator.question.question import LayoutRequest, Question
from tests.every import of_every
from tests.physics_cases import catalogued_cluster

PRIORS = prior_constants()
GIVEN = LayoutRequest(micro_batch_size=1, recompute="full", data_sharding="ddp")
DEVICES = [entry.accelerator for entry in catalogue.accelerators()]
_BOUNDLESS_BYTES = 1e15


def _asked(
    model: str,
    framework: str,
    *,
    chip: str = "h100-sxm",
    n_gpus: int = 1,
    method: MethodName = "full",
    length: int = 2048,
    batch: int | None = None,
    layout: LayoutRequest = GIVEN,
    practice: Practice = NOTHING_SAID,
) -> Question:
    """Return a question to devices that hold anything: what is compared is time."""
    cluster = catalogued_cluster(chip, n_gpus)
    chip_of_any_size = replace(cluster.accelerator, memory_bytes=_BOUNDLESS_BYTES)
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=replace(cluster, accelerator=chip_of_any_size),
        precision=cluster.accelerator.training_precision,
        method=Method(name=method),
        sequence_length=length,
        global_batch_sequences=batch or n_gpus,
        framework=framework,
        layout=layout,
        practice=practice,
    )


def _step_s(question: Question) -> float:
    priced = ranked_layouts(setting_of(question), PRIORS)
    return float(priced.seconds[priced.order[0]])


def _case(question: Question) -> Case:
    return setting_of(question).case


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
@pytest.mark.parametrize("length", [512, 2048])
def test_a_loop_over_128_experts_takes_several_times_as_long_as_grouped_products(
    method: MethodName, length: int
) -> None:
    """Transformers' Qwen3MoeSparseMoeBlock before release 5: a Python loop that waits for the device at each expert.

    What people report of Qwen3-30B-A3B against the dense Qwen3-32B, with a tenth of its active parameters: up to ten
    times slower.
    """
    loop = _asked("qwen3-30b-a3b", "huggingface", method=method, length=length)
    grouped_s = _step_s(replace(loop, practice=Practice(experts="grouped")))
    assert 2.0 < _step_s(loop) / grouped_s < 20.0
    dense_s = _step_s(_asked("qwen3-32b", "huggingface", method=method, length=length))
    assert 1.0 < _step_s(loop) / dense_s < 20.0


@pytest.mark.parametrize("framework", ["huggingface", "deepspeed", "lightning", "ms-swift", "trl", "llama-factory"])
def test_experts_of_transformers_models_are_looped_over_and_not_spread(framework: str) -> None:
    """Their trainers know data parallelism and its sharding only."""
    layouts = setting_of(_asked("qwen3-30b-a3b", framework, n_gpus=8, layout=LayoutRequest())).layouts
    assert set(layouts.knob("expert")) == {1.0}
    assert float(_case(_asked("qwen3-30b-a3b", framework)).operations_per_expert) > 0.0


@pytest.mark.parametrize("framework", ["megatron", "automodel", "torchtitan", "xtuner", "maxtext"])
def test_stacks_with_expert_parallelism_search_it(framework: str) -> None:
    """Their own documentation of expert parallelism."""
    layouts = setting_of(_asked("qwen3-30b-a3b", framework, n_gpus=8, layout=LayoutRequest())).layouts
    assert set(layouts.knob("expert")) == {1.0, 2.0, 4.0, 8.0}


@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
@pytest.mark.parametrize("chip", ["a100-sxm-80gb", "rtx-4090", "t4"])
def test_unsloth_is_faster_than_hugging_face(method: MethodName, chip: str) -> None:
    """Its own benchmarks say up to twice; Triton kernels for norms, rotary embedding, activations, LoRA and loss."""
    plain_s, fused_s = (
        _step_s(_asked("llama-3.1-8b", framework, chip=chip, method=method)) for framework in ("huggingface", "unsloth")
    )
    assert 1.03 < plain_s / fused_s < 3.0


@pytest.mark.parametrize("chip", ["v100-sxm2-32gb", "t4", "rtx-2080-ti"])
@pytest.mark.parametrize("framework", ["huggingface", "unsloth", "deepspeed", "trl", "fsdp"])
def test_volta_and_turing_have_attention_that_does_not_write_its_scores(chip: str, framework: str) -> None:
    """PyTorch's SDPA: its memory-efficient kernel runs from compute capability 5.0 on, FlashAttention 2 from 8.0."""
    asked = _asked("llama-2-7b", framework, chip=chip, length=4096)
    case = _case(asked)
    assert case.memory_efficient == 1.0
    assert case.unfused == 0.0
    unfused_s = _step_s(replace(asked, practice=Practice(attention="unfused")))
    assert 1.05 < unfused_s / _step_s(asked) < 3.0


def test_megatron_and_the_software_of_2021_multiply_attention_out_on_volta() -> None:
    """Transformer Engine and FlashAttention need Ampere; SDPA came with PyTorch 2.0, in 2023."""
    assert _case(_asked("gpt-3-175b", "megatron", chip="v100-sxm2-32gb")).unfused == 1.0
    old = replace(_asked("llama-2-7b", "huggingface", chip="v100-sxm2-32gb"), released=2021.5)
    assert _case(old).unfused == 1.0


@pytest.mark.parametrize(
    ("model", "tensor", "pipeline", "n_gpus"),
    [("llama-3.1-8b", 1, 1, 64), ("llama-3.1-70b", 8, 2, 64), ("gpt-3-175b", 8, 8, 128)],
)
@pytest.mark.parametrize("chip", ["h100-sxm", "b200-sxm"])
def test_megatron_without_its_overlap_flags_is_slower(
    model: str, tensor: int, pipeline: int, n_gpus: int, chip: str
) -> None:
    """Megatron-LM: --overlap-grad-reduce, --overlap-param-gather and --tp-comm-overlap are off unless given."""
    layout = LayoutRequest(
        tensor_parallel=tensor,
        pipeline_parallel=pipeline,
        virtual_pipeline=1,
        data_sharding="zero1",
        micro_batch_size=1,
        recompute="none",
    )
    overlapped = _asked(model, "megatron", chip=chip, n_gpus=n_gpus, length=4096, batch=128, layout=layout)
    plain = replace(overlapped, practice=Practice(overlap=False, tensor_overlap=False))
    assert 1.02 < _step_s(plain) / _step_s(overlapped) < 2.0


def test_kernels_made_for_hopper_quicken_long_contexts() -> None:
    """Shah et al. 2024 (FlashAttention 3), abstract: 1.5 to 2.0 times FlashAttention 2; at 1M tokens little else is."""
    layout = replace(GIVEN, tensor_parallel=8, pipeline_parallel=1, context_parallel=1)
    asked = _asked("llama-3.1-8b", "megatron", n_gpus=8, length=1 << 20, layout=layout)
    times = [_step_s(replace(asked, practice=Practice(attention=kernel))) for kernel in ("flash_2", "flash_3")]
    assert 1.2 < times[0] / times[1] < 2.2


def test_a_chip_of_low_peak_loses_less_of_it() -> None:
    """H20: an H100's memory and links, 148 of its 989 TFLOPS: what is not matmuls takes as long."""
    shares: list[float] = []
    for chip in ("h100-sxm", "h20-96gb"):
        asked = _asked("llama-3.1-8b", "nemo", chip=chip, n_gpus=8, length=4096, batch=64, layout=LayoutRequest())
        peak = asked.cluster.accelerator.training_peak_flop_per_s
        shares.append(6 * 8.03e9 * 4096 * 64 / _step_s(asked) / 8 / peak)
    assert shares[1] > 1.15 * shares[0]


@of_every(DEVICES)
def test_one_device_and_two_are_answered_for_one_stack(chip: Accelerator) -> None:
    methods: tuple[MethodName, ...] = ("full", "lora", "qlora", "frozen")
    for method in methods:
        one, two = (_asked("llama-3.1-8b", "auto", chip=chip.id, n_gpus=n_gpus, method=method) for n_gpus in (1, 2))
        stack = auto_stack(one.cluster.accelerator, method)
        assert setting_of(one).stack == setting_of(two).stack == stack, method


@given(
    model=st.sampled_from(["gpt2", "llama-3.2-1b", "llama-3.1-8b", "qwen3-30b-a3b", "llama-3.1-70b"]),
    chip=st.sampled_from(
        [
            *("h100-sxm", "a100-sxm-80gb", "rtx-4090", "mi300x", "b200-sxm", "gb200", "t4"),
            *("gaudi3", "trainium2", "l40s"),
        ]
    ),
    method=st.sampled_from(["full", "lora", "qlora"]),
    length=st.sampled_from([1024, 4096]),
    framework=st.sampled_from(["auto", "auto", "huggingface", "fsdp", "nemo"]),
)
@settings(max_examples=60)
def test_where_memory_is_no_reason_two_devices_are_not_more_than_twice_as_fast_as_one(
    *, model: str, chip: str, method: MethodName, length: int, framework: str
) -> None:
    """A second device adds communication; all it saves is its share of the optimizer's step, and of experts."""
    times: list[StepTime] = []
    for n_gpus in (1, 2):
        asked = _asked(
            model,
            framework,
            chip=chip,
            n_gpus=n_gpus,
            method=method,
            length=length,
            batch=16 * n_gpus,
            layout=LayoutRequest(expert_parallel=1),
        )
        try:
            posed = setting_of(asked)
        except InfeasibleError:
            return
        best = ranked_layouts(posed, PRIORS).order[:1]
        times.append(step_time(posed.case, posed.layouts.taken(best), PRIORS))
    one, two = times
    assert two.total_s[0] * 1.02 >= one.total_s[0] - one.optimizer_s[0] / 2


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_scripts_of_fine_tuning_are_not_those_of_pretraining(method: MethodName) -> None:
    """LitGPT compiles what it pretrains and nothing that it fine-tunes: litgpt/pretrain.py, litgpt/finetune/lora.py."""
    tuned = _asked("llama-2-7b", "litgpt", chip="a100-sxm-80gb", method=method, length=128)
    compiled = replace(tuned, practice=Practice(launch="compiled", fused_kernels=True))
    assert _step_s(tuned) > 1.2 * _step_s(compiled)
    pretrained = _asked("pythia-160m", "litgpt", chip="a100-sxm-80gb", length=128)
    stated = replace(pretrained, practice=Practice(launch="compiled", fused_kernels=True))
    assert _step_s(pretrained) == pytest.approx(_step_s(stated))


@pytest.mark.parametrize("n_gpus", [2, 4, 8])
def test_layers_spread_over_devices_that_wait_for_one_another_are_as_fast_as_one(n_gpus: int) -> None:
    """Accelerate's `device_map` runs one device at a time (its guide to big model inference)."""
    alone = _asked("llama-2-7b", "huggingface", method="lora", batch=16)
    spread = _asked(
        "llama-2-7b",
        "huggingface",
        method="lora",
        n_gpus=n_gpus,
        batch=16,
        layout=replace(GIVEN, pipeline_parallel=n_gpus),
        practice=Practice(stages_alone=True),
    )
    piped = replace(spread, practice=NOTHING_SAID)
    assert 0.9 * _step_s(alone) < _step_s(spread) < 1.3 * _step_s(alone)
    assert _step_s(piped) < _step_s(spread)


@pytest.mark.parametrize(
    ("framework", "chip", "released", "fused"),
    [
        ("megatron", "h100-sxm", 2025.5, True),
        ("nemo", "gb200", 2026.1, True),
        ("llm.c", "a100-sxm-80gb", 2024.5, True),
        ("megatron", "a100-sxm-80gb", 2021.5, False),
        ("megatron", "mi300x", 2025.5, False),
        ("mindspeed", "ascend-910b", 2025.5, False),
        ("torchtitan", "h100-sxm", 2025.5, False),
        ("huggingface", "h100-sxm", 2025.5, False),
        ("maxtext", "tpu-v5e", 2025.5, False),
    ],
)
def test_gradients_are_added_up_by_products_where_a_stack_has_kernels_for_it(
    framework: str, chip: str, released: float, *, fused: bool
) -> None:
    """Megatron-LM's and llm.c's code; scripts of AMD and Huawei say `--no-gradient-accumulation-fusion`."""
    question = replace(_asked("llama-3.1-8b", framework, chip=chip), released=released)
    assert bool(setting_of(question).case.fused_accumulation) is fused
