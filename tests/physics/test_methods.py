"""What is trained costs what it takes: all of a model, a share of it, adapters, and a base in four bits.

Authorities: Kaplan et al. 2020 (two FLOPs a weight and gradient), Hu et al. 2021 (adapters), Dettmers et al. 2023
(four bits), Williams et al. 2009 (roofline).
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.answers.coefficient.coefficient import exact_coefficient
from estimator.catalogue import catalogue
from estimator.models.flops import OperationFlop, flop_counts
from estimator.models.parameters import lora_parameters, parameter_counts
from estimator.models.training import EIGHT_BIT, Method, MethodName, Recompute
from estimator.physics.case import stacked
from estimator.physics.ceilings import matmul_ceiling_flop_per_s
from estimator.physics.constants import Constants, prior_constants
from estimator.physics.effects import effect_keys, regime_keys
from estimator.physics.execution import Execution
from estimator.physics.kernels import rounding_s
from estimator.physics.layout import layouts_of
from estimator.physics.stacks import STACKS
from estimator.physics.step import step_time
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.practice import Dequantization
from estimator.question.question import Layout, Question
from tests.every import of_every
from tests.physics_cases import PLAIN, any_execution, any_layout, catalogued_case, catalogued_cluster, small_case

PRIORS = prior_constants()
PERFECT = Constants(
    {
        **PRIORS,
        **dict.fromkeys(
            (
                *("gemm_efficiency", "eight_bit_efficiency", "four_bit_efficiency", "expert_efficiency"),
                *("flash_efficiency", "flash_hopper", "flash_2_on_hopper", "flash_1", "unfused_efficiency"),
                "memory_efficient_attention",
            ),
            1.0,
        ),
        **dict.fromkeys(("gemm_tail_power", "gemm_depth", "flash_start_keys", "selective_share", "stragglers"), 0.0),
        **dict.fromkeys(("gemm_bandwidth", "stream_bandwidth"), 1e6),
        **{name: 1e-12 for name in PRIORS if name.endswith("_s")},
    }
)
"""Nothing is lost to shapes, kernels, memory or the host, so that matrix products are all that bounds a step."""
MODELS = ("llama-3.1-8b", "gpt2", "mixtral-8x7b", "deepseek-v3", "qwen3-30b-a3b")
DEVICES = [entry.accelerator for entry in catalogue.accelerators()]
PRECISIONS = ("bf16", "fp16", "fp8", "mxfp8", "nvfp4", "tf32", "fp32")
HALVES = ("bf16", "fp16")
model = st.sampled_from(MODELS)
gpu = st.sampled_from(["h100-sxm", "a100-sxm-80gb", "rtx-4090", "v100-sxm2-32gb", "b200-sxm", "mi300x"])


def _total_s(
    name: str,
    method: Method,
    lay: Layout = PLAIN,
    *,
    chip: str = "h100-sxm",
    precision: str = "bf16",
    execution: Execution | None = None,
) -> float:
    case = catalogued_case(
        name, catalogued_cluster(chip, 64), precision=precision, method=method, execution=execution or Execution()
    )
    return float(step_time(case, layouts_of(lay), PRIORS).total_s[0])


def _parameters(name: str) -> float:
    return float(parameter_counts(catalogue.transformer(name).value).total)


@given(name=model, chip=gpu, lay=any_layout, precision=st.sampled_from(["bf16", "fp8", "fp32"]), how=any_execution)
def test_a_frozen_model_of_which_all_is_trained_costs_what_full_training_costs(
    name: str, chip: str, lay: Layout, precision: str, how: Execution
) -> None:
    how = replace(how, base_bits=None)
    everything = Method(name="frozen", trainable_parameters=_parameters(name))
    times = [
        _total_s(name, method, lay, chip=chip, precision=precision, execution=how) for method in (Method(), everything)
    ]
    assert times[1] == pytest.approx(times[0], rel=1e-9)


@pytest.mark.parametrize("framework", ["huggingface", "nemo", "fsdp"])
def test_no_effect_of_adapters_is_on_what_has_none(framework: str) -> None:
    """Effects and ranges that were calibrated on adapters stand for them; a partly frozen model has none."""
    cluster = catalogued_cluster("h100-sxm", 8)
    full, frozen, lora = (
        Question(
            transformer=catalogue.transformer("llama-3.1-8b").value,
            cluster=cluster,
            precision="bf16",
            method=Method(name=name),
            sequence_length=4096,
            global_batch_sequences=8,
            framework=framework,
        )
        for name in ("full", "frozen", "lora")
    )
    stack = STACKS[framework]
    assert effect_keys(frozen, stack) == effect_keys(full, stack) != effect_keys(lora, stack)
    assert regime_keys(frozen, stack) == regime_keys(full, stack)


@given(
    name=model,
    chip=gpu,
    lay=any_layout,
    precision=st.sampled_from(["bf16", "fp8"]),
    shares=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    how=any_execution,
)
@settings(max_examples=120)
def test_training_more_of_a_model_never_takes_less_time(
    *, name: str, chip: str, lay: Layout, precision: str, shares: tuple[float, float], how: Execution
) -> None:
    how = replace(how, base_bits=None)
    less_s, more_s = (
        _total_s(
            name,
            Method(name="frozen", trainable_parameters=share * _parameters(name)),
            lay,
            chip=chip,
            precision=precision,
            execution=how,
        )
        for share in sorted(shares)
    )
    assert more_s >= less_s * (1 - 1e-12)


@of_every(MODELS)
def test_half_of_a_model_trained_costs_half_of_its_gradients(name: str) -> None:
    none, half, full = (
        _total_s(name, Method(name="frozen", trainable_parameters=share * _parameters(name)))
        for share in (0.0, 0.5, 1.0)
    )
    assert none < half < full
    assert half - none == pytest.approx((full - none) / 2, rel=0.05)


@given(
    name=model,
    chip=gpu,
    lay=any_layout,
    quantised=st.booleans(),
    ranks=st.lists(st.integers(1, 65_536), min_size=2, max_size=2, unique=True),
    how=any_execution,
)
@settings(max_examples=200)
def test_a_higher_rank_takes_longer(
    *, name: str, chip: str, lay: Layout, quantised: bool, ranks: list[int], how: Execution
) -> None:
    kind: MethodName = "qlora" if quantised else "lora"
    how = replace(how, base_bits=4 if quantised else None)
    low_s, high_s = (
        _total_s(name, Method(name=kind, lora_rank=rank), lay, chip=chip, execution=how) for rank in sorted(ranks)
    )
    # Longer stages hide a little more of what is sent between them, and of logits beside a layer less.
    assert high_s > 0.999 * low_s


@given(
    chip=st.sampled_from(DEVICES),
    name=model,
    lay=any_layout,
    method=st.builds(
        Method,
        name=st.sampled_from(["full", "lora", "qlora", "frozen"]),
        lora_rank=st.sampled_from([1, 16, 4096, 65536]),
    ),
    how=any_execution,
    data=st.data(),
)
@settings(max_examples=400)
def test_nothing_is_executed_faster_than_its_device_was_ever_measured_to(
    *, chip: Accelerator, name: str, lay: Layout, method: Method, how: Execution, data: st.DataObject
) -> None:
    """Each operation at the rate of its precision: attention, logits and adapters stay in 16 bit beside narrow ones."""
    precision = data.draw(st.sampled_from([one for one in PRECISIONS if one in chip.peak_flop_per_s]))
    step_s, least_s = _step_and_least_s(
        chip, precision, name, method=method, lay=lay, how=replace(how, packed_short=False)
    )
    assert step_s >= least_s * (1 - 1e-9)


@pytest.mark.parametrize("chip", DEVICES, ids=lambda chip: chip.id)
@pytest.mark.parametrize("name", ["llama-3.1-8b", "qwen3-30b-a3b"])
def test_no_device_is_passed_in_any_precision_by_any_method(chip: Accelerator, name: str) -> None:
    """Adapters of rank 4096 are as many FLOPs as the base; FP16 is a quarter of BF16 on Gaudi 3."""
    methods: tuple[MethodName, ...] = ("full", "lora", "qlora", "frozen")
    for precision in set(PRECISIONS) & set(chip.peak_flop_per_s):
        for method in methods:
            how = Execution(launch="graphs", attention="flash_3")
            asked = Method(name=method, lora_rank=4096)
            step_s, least_s = _step_and_least_s(chip, precision, name, method=asked, lay=PLAIN, how=how)
            assert step_s >= least_s * (1 - 1e-9)


def _step_and_least_s(
    chip: Accelerator, precision: str, name: str, *, method: Method, lay: Layout, how: Execution
) -> tuple[float, float]:
    """Return seconds of a step without losses, and of its FLOPs at the rates of their precisions, shared evenly."""
    n_gpus = lay.tensor_parallel * lay.pipeline_parallel * lay.context_parallel * lay.data_parallel
    cluster = Cluster(
        accelerator=chip,
        n_gpus=n_gpus,
        gpus_per_node=min(chip.gpus_per_node, n_gpus),
        scale_out_bytes_per_s=chip.scale_out_bytes_per_s,
    )
    case = catalogued_case(name, cluster, precision=precision, method=method, execution=how)
    recompute: Recompute = "full" if lay.recompute == "full" else "none"
    counts = flop_counts(catalogue.transformer(name).value, sequence_length=4096, method=method, recompute=recompute)
    narrow = precision in EIGHT_BIT or precision == "nvfp4"
    beside = next((half for half in HALVES if half in chip.peak_flop_per_s), precision) if narrow else precision
    tokens = lay.data_parallel * lay.micro_batches * lay.micro_batch_size * 4096

    def rate_flop_per_s(one: OperationFlop) -> float:
        wide = one.adapter or one.part == "logits" or one.name in {"router", "attention"}
        return _limit_flop_per_s(chip, beside if wide else precision)

    least_s = sum(one.total * tokens / n_gpus / rate_flop_per_s(one) for one in counts.operations)
    return float(step_time(case, layouts_of(lay), PERFECT).total_s[0]), least_s


def _limit_flop_per_s(chip: Accelerator, precision: str) -> float:
    """Return the best rate measured, or the datasheet's dense peak where nobody measured this or an equal precision."""
    equal = [
        rate
        for one, rate in chip.measured_matmul_flop_per_s.items()
        if one == precision or chip.peak_flop_per_s.get(one) == chip.peak_flop_per_s[precision]
    ]
    if precision in chip.measured_matmul_flop_per_s:
        return chip.measured_matmul_flop_per_s[precision]
    return max([*equal, chip.peak_flop_per_s[precision]])


@of_every(DEVICES)
def test_a_ceiling_is_what_was_measured_and_never_above_the_datasheet_where_nobody_did(chip: Accelerator) -> None:
    """Gaudi 3: FP16 has a quarter of BF16's rate (Intel's white paper), though one unit serves both."""
    for precision in set(PRECISIONS) & set(chip.peak_flop_per_s):
        assert matmul_ceiling_flop_per_s(chip, precision) <= _limit_flop_per_s(chip, precision) * (1 + 1e-12)


@pytest.mark.parametrize("name", ["llama-3.1-8b", "llama-2-7b", "qwen3-30b-a3b", "mixtral-8x7b"])
@pytest.mark.parametrize("chip", ["h100-sxm", "a100-sxm-80gb", "rtx-4090", "v100-sxm2-32gb"])
def test_a_four_bit_base_is_slower_than_a_16_bit_one_unless_its_kernels_are_fused(name: str, chip: str) -> None:
    """Dettmers et al. 2023, section 3: each weight is expanded before each product."""
    lay = replace(PLAIN, micro_batch_size=1, recompute="full")
    lora_s = _total_s(name, Method(name="lora"), lay, chip=chip)
    kernels: tuple[tuple[Dequantization, float], ...] = (("bitsandbytes", 1.02), ("gptq", 1.1))
    for kernel, least in kernels:
        how = Execution(base_bits=4, dequantization=kernel)
        assert _total_s(name, Method(name="qlora"), lay, chip=chip, execution=how) > least * lora_s
    fused = Execution(base_bits=4, dequantization="fused", launch="graphs")
    plain = Execution(launch="graphs")
    fused_s = _total_s(name, Method(name="qlora"), lay, chip=chip, execution=fused)
    assert fused_s == pytest.approx(_total_s(name, Method(name="lora"), lay, chip=chip, execution=plain), rel=0.01)


@pytest.mark.parametrize("name", ["llama-3.1-8b", "llama-2-7b", "mistral-7b"])
@pytest.mark.parametrize("chip", ["a100-sxm-80gb", "rtx-4090", "t4"])
def test_a_base_of_8_bits_saves_memory_and_no_time(name: str, chip: str) -> None:
    """Dettmers et al. 2022 (LLM.int8()): inputs are rounded before each product, and outliers multiplied apart."""
    for micro_batch in (1, 8):
        lay = replace(PLAIN, micro_batch_size=micro_batch, recompute="full")
        plain, eight = (
            _total_s(name, Method(name="lora"), lay, chip=chip, execution=Execution(base_bits=bits))
            for bits in (None, 8)
        )
        assert 1.05 * plain < eight < 3.0 * plain


def test_a_base_of_8_bits_costs_nothing_where_nothing_is_frozen() -> None:
    """Neither alone nor beside a question whose base is frozen."""
    whole, beside = (
        small_case(method=Method(name=name), execution=Execution(base_bits=8)) for name in ("full", "lora")
    )
    together = stacked([whole, beside])
    assert whole.rounded_elements == 0.0 < beside.rounded_elements
    rounding = rounding_s(together, PRIORS, layouts_of(PLAIN, PLAIN), np.array([2048.0, 2048.0]))
    assert np.flatnonzero(rounding).tolist() == [1]


@pytest.mark.parametrize(
    ("method", "precision", "bits", "held"),
    [
        (Method(), "fp8", None, 2.0),
        (Method(), "fp32", None, 4.0),
        (Method(name="lora"), "bf16", None, 2.0),
        (Method(name="lora"), "fp8", None, 1.0),
        (Method(name="qlora"), "bf16", 4, 0.52),
        (Method(name="lora"), "bf16", 8, 1.05),
        (Method(name="frozen", trainable_parameters=8_030_261_248 / 2), "fp8", None, 1.5),
    ],
)
def test_a_weight_is_held_as_it_is_trained_or_as_it_is_used(
    method: Method, precision: str, bits: int | None, held: float
) -> None:
    """What is trained needs 16 bit; NF4 has 4.127 bits with its scales (Dettmers et al. 2023)."""
    cluster = catalogued_cluster("h100-sxm", 1)
    how = Execution(base_bits=bits)
    case = catalogued_case("llama-3.1-8b", cluster, precision=precision, method=method, execution=how)
    assert case.frozen_bytes == pytest.approx(held, rel=1e-6)


@given(name=model, rank=st.integers(1, 512), kind=st.sampled_from(["lora", "qlora"]), given_count=st.booleans())
def test_adapters_are_counted_alike_as_parameters_as_flops_and_as_time(
    name: str, rank: int, kind: MethodName, given_count: bool
) -> None:
    """Six FLOPs a trained weight; the pairs that are timed hold as many; the explanation shows them."""
    transformer = catalogue.transformer(name).value
    trained = lora_parameters(transformer, rank)
    method = Method(name=kind, lora_rank=rank)
    if given_count:
        method = Method(name=kind, lora_rank=16, trainable_parameters=float(trained))
    counts = flop_counts(transformer, sequence_length=4096, method=method)
    assert sum(one.total for one in counts.operations if one.adapter) == pytest.approx(6 * trained)
    case = catalogued_case(name, catalogued_cluster("h100-sxm", 1), method=method)
    pairs = [one for one in case.matrices if one.adapter]
    assert sum(one.inputs * one.outputs * one.layers for one in pairs) == pytest.approx(trained)
    assert float(case.trained_share) * _parameters(name) == pytest.approx(trained)
    explained = exact_coefficient(transformer, sequence_length=4096, method=method, recompute="none")
    shown = next(term for term in explained.terms if term.name == "adapters")
    assert shown.flop_per_token == pytest.approx(6 * trained)
