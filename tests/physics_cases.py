"""Inputs that the tests of the physics share: an invented device and model of round numbers, and catalogued ones."""

from dataclasses import replace
from typing import get_args

from hypothesis import strategies as st

from estimator.catalogue import catalogue
from estimator.models.training import Method
from estimator.models.transformer import Transformer
from estimator.physics.case import Case
from estimator.physics.constants import Constants, prior_constants
from estimator.physics.execution import Execution
from estimator.physics.layout import RECOMPUTES
from estimator.physics.numbers import case_of
from estimator.question.cluster import Accelerator, Cluster
from estimator.question.practice import LayerPart
from estimator.question.question import ZERO_STAGES, Layout

__all__ = [
    "CHIP",
    "CONSTANTS",
    "LAYER_PARTS",
    "MEMORY_BYTES_PER_S",
    "MODEL",
    "OUT_BYTES_PER_S",
    "PLAIN",
    "UP_BYTES_PER_S",
    "any_execution",
    "any_layout",
    "catalogued_case",
    "catalogued_cluster",
    "small_case",
]

MODEL = Transformer(
    id="small",
    name="small",
    n_layers=2,
    hidden=1024,
    ffn_hidden=4096,
    gated_mlp=False,
    n_heads=8,
    n_kv_heads=8,
    head_dim=128,
    vocab=32768,
    tied_embeddings=False,
)
CHIP = Accelerator(
    id="round",
    name="Round",
    vendor="NVIDIA",
    architecture="Ampere",
    chip="round",
    chip_year=2021,
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
    scale_out_bytes_per_s=12.5e9,
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
        "flash_start_keys": 256.0,
        "unfused_efficiency": 0.4,
        "unfused_passes": 12.0,
        "residual_passes": 10.0,
        "hidden_passes": 3.0,
        "backward_traffic": 1.5,
        "untuned_traffic": 2.0,
        "adapter_passes": 3.0,
        "eager_adapter_passes": 6.0,
        "stream_bandwidth": 0.8,
        "logits_passes": 5.0,
        "unfused_logits_passes": 15.0,
        "dequantize_passes": 2.0,
        "gptq_passes": 8.0,
        "gradient_bytes": 4.0,
        "optimizer_bytes": 20.0,
        "launch_s": 100e-6,
        "launch_hiding": 1.0,
        "hook_s": 500e-6,
        "module_hook_s": 800e-6,
        "micro_step_s": 9e-3,
        "step_constant_s": 7e-3,
        "scale_up_fraction": 0.5,
        "scale_out_fraction": 0.4,
        "pcie_fraction": 0.5,
        "pcie_host_fraction": 0.25,
        "host_link_fraction": 0.5,
        "host_bytes_per_s": 14e9,
        "latency_s": 10e-6,
        "tensor_visible": 0.5,
        "tensor_visible_beside": 0.25,
        "context_visible": 0.1,
        "pipeline_visible": 0.25,
        "gradient_visible": 0.2,
        "exchange_fraction": 0.5,
        "exchange_visible": 0.5,
        "exchange_visible_beside": 0.2,
        "routing_unevenness": 0.4,
        "expert_efficiency": 0.8,
        "expert_permutation": 8.0,
        "expert_start_s": 50e-6,
        "expert_floor_s": 2e-3,
        "fused_expert_overhead": 0.25,
        "spared_expert_overhead": 0.6,
        "bubble": 1.0,
        "stage_imbalance": 0.5,
        "stragglers": 0.01,
        "shard_overlap": 0.5,
        "shard_slowdown": 0.1,
    }
)
UP_BYTES_PER_S, OUT_BYTES_PER_S, MEMORY_BYTES_PER_S = 100e9, 5e9, 0.8e12
"""What the fractions above leave of the links and of memory."""
PLAIN = Layout(
    tensor_parallel=1,
    pipeline_parallel=1,
    virtual_pipeline=1,
    context_parallel=1,
    expert_parallel=1,
    data_parallel=1,
    data_sharding="ddp",
    micro_batch_size=2,
    micro_batches=1,
    recompute="none",
)
_SEQUENCE = 1024
LAYER_PARTS: tuple[LayerPart, ...] = get_args(LayerPart)
_degree = st.sampled_from([1, 2, 4, 8])
any_layout = st.builds(
    Layout,
    tensor_parallel=_degree,
    pipeline_parallel=_degree,
    virtual_pipeline=st.sampled_from([1, 2]),
    context_parallel=st.sampled_from([1, 2, 4]),
    expert_parallel=_degree,
    data_parallel=_degree,
    data_sharding=st.sampled_from(ZERO_STAGES),
    micro_batch_size=st.sampled_from([1, 2, 4]),
    micro_batches=st.integers(1, 64),
    recompute=st.sampled_from(RECOMPUTES),
)
any_execution = st.builds(
    Execution,
    attention=st.sampled_from(["flash_3", "flash_2", "memory_efficient", "unfused"]),
    fused_kernels=st.booleans(),
    launch=st.sampled_from(["eager", "compiled", "partial_graphs", "graphs"]),
    fused_loss=st.booleans(),
    expert_loop=st.booleans(),
    fused_experts=st.booleans(),
    spared_experts=st.booleans(),
    dispatcher=st.sampled_from([None, "alltoall", "deepep"]),
    exchange_overlap=st.booleans(),
    free_routing=st.booleans(),
    optimizer=st.sampled_from(["adamw", "paged_adamw_8bit", "muon"]),
    offload_optimizer=st.booleans(),
    offload_parameters=st.booleans(),
    overlap=st.booleans(),
    tensor_overlap=st.booleans(),
    dequantization=st.sampled_from(["bitsandbytes", "gptq", "fused"]),
    base_bits=st.sampled_from([None, 4, 8]),
    sequence_parallel=st.booleans(),
    module_hooks=st.booleans(),
    packed_short=st.booleans(),
    eager_adapters=st.booleans(),
    joined_adapters=st.booleans(),
    frees_gradients=st.booleans(),
    fused_accumulation=st.booleans(),
    recomputed=st.none() | st.frozensets(st.sampled_from(LAYER_PARTS)),
    drops_dead_code=st.booleans(),
    narrow_activations=st.booleans(),
    stages_alone=st.booleans(),
    expert_capacity=st.sampled_from([1.0, 1.25, 2.0]),
    one_hot_dispatch=st.booleans(),
)


def small_case(
    n_gpus: int = 1,
    *,
    transformer: Transformer = MODEL,
    chip: Accelerator = CHIP,
    method: Method | None = None,
    precision: str = "bf16",
    execution: Execution | None = None,
) -> Case:
    """Return the invented model on `n_gpus` of the invented device, sequences of 1,024 tokens."""
    cluster = Cluster(
        accelerator=chip, n_gpus=n_gpus, gpus_per_node=min(8, n_gpus), scale_out_bytes_per_s=chip.scale_out_bytes_per_s
    )
    return case_of(
        transformer,
        cluster,
        precision,
        method or Method(),
        sequence_length=_SEQUENCE,
        execution=execution or Execution(),
    )


def catalogued_cluster(gpu: str, n_gpus: int, **rates: float) -> Cluster:
    """Return a cluster of a catalogued device, its `memory`, `links`, `pcie`, `network` and `peak` times `rates`."""
    chip = catalogue.accelerator(gpu).value.accelerator
    peak = rates.get("peak", 1.0)
    chip = replace(
        chip,
        memory_bandwidth_bytes_per_s=chip.memory_bandwidth_bytes_per_s * rates.get("memory", 1.0),
        scale_up_bytes_per_s=chip.scale_up_bytes_per_s * rates.get("links", 1.0),
        pcie_bytes_per_s=chip.pcie_bytes_per_s * rates.get("pcie", 1.0),
        training_peak_flop_per_s=chip.training_peak_flop_per_s * peak,
        peak_flop_per_s={key: value * peak for key, value in chip.peak_flop_per_s.items()},
        measured_matmul_flop_per_s={key: value * peak for key, value in chip.measured_matmul_flop_per_s.items()},
    )
    return Cluster(
        accelerator=chip,
        n_gpus=n_gpus,
        gpus_per_node=min(chip.gpus_per_node, n_gpus),
        scale_out_bytes_per_s=chip.scale_out_bytes_per_s * rates.get("network", 1.0),
    )


def catalogued_case(
    model: str,
    cluster: Cluster,
    *,
    precision: str = "bf16",
    method: Method | None = None,
    execution: Execution | None = None,
    sequence_length: int = 4096,
) -> Case:
    """Return a catalogued model on `cluster`."""
    return case_of(
        catalogue.transformer(model).value,
        cluster,
        precision,
        method or Method(),
        sequence_length=sequence_length,
        execution=execution or Execution(base_bits=4 if method and method.name == "qlora" else None),
    )
