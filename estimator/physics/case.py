"""Inputs of the step-time and memory models besides the layout: model, device, network and software as plain numbers.

Every field broadcasts against the layouts of shape (L,): scalars for one question over many layouts, arrays of shape
(L,) for a table of published runs with one layout each.
"""

from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from estimator.models.parameters import lora_parameters
from estimator.models.training import EIGHT_BIT, Method
from estimator.models.transformer import Transformer
from estimator.models.workload import Gemm, Part, Shard, mean_keys, workload
from estimator.question.cluster import Accelerator, Cluster

__all__ = ["BROADCAST", "Case", "Matrix", "case_of", "matmul_ceiling_flop_per_s", "stacked"]

Numbers: TypeAlias = "float | NDArray[np.float64]"
BROADCAST: TypeAlias = Numbers

_CEILING_SHARE = {"cdna2": 0.75, "cdna3": 0.58, "cdna4": 0.65, "tpu": 0.95, "trainium": 0.85, "gaudi": 0.9}
"""Measured matmul rate over the datasheet's dense peak by family, for devices that nobody measured."""
_USUAL_CEILING_SHARE = {"datacenter": 0.82, "workstation": 0.85, "consumer": 0.95}
"""The same by segment, for families not listed above."""
_LOW_BIT_CEILING_SHARE = {"fp8": 0.74, "mxfp8": 0.72, "nvfp4": 0.62, "int8": 0.85}
"""Median of measured over rated 8-bit matmuls; 4-bit by the same trend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A weight matrix, `inputs` by `outputs`, in `layers` layers.

    Experts are `copies` of it, of which a token visits `visits`; `shard`: how tensor or expert parallelism divides it.
    """

    name: str
    part: Part
    shard: Shard
    inputs: Numbers
    outputs: Numbers
    layers: Numbers
    copies: Numbers
    visits: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Inputs of `step_time` and `memory_of` besides the layout; flags are 0 or 1, so that they broadcast too."""

    matrices: tuple[Matrix, ...]
    n_layers: Numbers
    n_expert_layers: Numbers
    hidden: Numbers
    vocab: Numbers
    n_experts: Numbers
    top_k: Numbers
    attention_flop: Numbers
    """Forward FLOPs of the attention core per token over all layers, causal mask skipped (FlashAttention)."""
    attention_square_flop: Numbers
    """The same over the full score matrix, as unfused attention works it out."""
    score_elements: Numbers
    """Elements of the score matrices per token over all layers."""
    kv_width: Numbers
    residual_elements: Numbers
    heads_elements: Numbers
    mlp_elements: Numbers
    expert_elements: Numbers
    routed_elements: Numbers
    """Activation elements per token over all layers: residual stream, Q/K/V, MLP, expert MLP, routed tokens."""
    shared_parameters: Numbers
    """Parameters that expert parallelism does not divide, embedding included."""
    expert_parameters: Numbers
    embedding_parameters: Numbers
    trained_share: Numbers
    """Trainable over all parameters: those with gradients and optimizer states."""
    weight_gradients: Numbers
    """1 where weight gradients are computed, 0 on a frozen base."""
    frozen_bytes: Numbers
    """Bytes per weight held for the forward pass: 2 in 16 bit, 0.55 in QLoRA's 4 bit with its scales."""
    gradient_bytes: Numbers
    """Bytes per gradient in the unsharded accumulation buffer."""
    offloads: Numbers
    """1 where weights, gradients and optimizer states lie in host memory, and the loss is computed in chunks."""
    host_activations: Numbers
    """Share of the activations that lies in host memory where nothing is split in stages."""
    sequence_length: Numbers
    n_gpus: Numbers
    gemm_flop_per_s: Numbers
    half_flop_per_s: Numbers
    """Achievable GEMM rates, measured on large matrices: at the question's precision, and at 16 bit."""
    gemm_bytes: Numbers
    low_bit: Numbers
    four_bit: Numbers
    bandwidth_bytes_per_s: Numbers
    balance: Numbers
    """Machine balance, 16-bit peak over memory bandwidth, relative to an A100's: more of it needs longer inner
    dimensions."""
    n_sm: Numbers
    scale_up_bytes_per_s: Numbers
    scale_up_domain: Numbers
    pcie: Numbers
    scale_out_bytes_per_s: Numbers
    memory_bytes: Numbers
    unfused: Numbers
    """1 where attention is unfused: it writes its score matrix to memory."""
    modern: Numbers
    """1 on Hopper and later NVIDIA datacenter chips."""
    flash_2: Numbers
    """1 where attention kernels are not written for the chip's own generation (FlashAttention 2 on Hopper)."""
    fused_experts: Numbers
    """1 where expert layers do not wait for the host, and dispatch and permutation are fused kernels."""
    hides_tensor_parallel: Numbers
    """1 where tensor-parallel collectives overlap with matmuls."""
    head_share: Numbers
    """Head dimension over 128, at most 1."""
    attention_share: Numbers
    """Attention FLOPs under a block-diagonal mask of packed short documents, over the causal mask's; 1 otherwise."""
    untuned: Numbers
    """1 on stacks without fused elementwise kernels."""
    sequence_parallel: Numbers
    """1 where tensor-parallel ranks split the residual stream (Korthikanti et al. 2022)."""


def matmul_ceiling_flop_per_s(accelerator: Accelerator, precision: str) -> float:
    """Return the achievable GEMM rate of the device at `precision`, measured on large matrices where anybody did.

    Else the datasheet's dense peak times the share that devices of its family or segment reach.
    """
    measured = accelerator.measured_matmul_flop_per_s
    peaks = accelerator.peak_flop_per_s
    half = peaks.get("bf16") or peaks.get("fp16") or accelerator.training_peak_flop_per_s
    half_measured = measured.get("bf16") or measured.get("fp16")
    if precision in {"bf16", "fp16"}:
        if half_measured:
            return half_measured
        share = _CEILING_SHARE.get(accelerator.family, _USUAL_CEILING_SHARE[accelerator.segment])
        return share * (peaks.get(precision) or accelerator.training_peak_flop_per_s)
    if precision in measured:
        return measured[precision]
    if precision == "mxfp8" and "fp8" in measured:
        return measured["fp8"]
    if precision in {"tf32", "fp32"}:
        share = (half_measured or 0.85 * half) / half
        return share * peaks.get(precision, peaks.get("fp32", half / 16))
    peak = peaks.get(precision) or peaks.get("fp8") or half
    if precision == "int8":
        peak = max(peak, half * 2)
    share = _LOW_BIT_CEILING_SHARE[precision]
    if accelerator.segment != "datacenter":
        share = min(1.0, share * 1.25)
    elif accelerator.family in _CEILING_SHARE:
        share = _CEILING_SHARE[accelerator.family]
    return share * peak


def case_of(
    transformer: Transformer,
    cluster: Cluster,
    precision: str,
    method: Method,
    sequence_length: int,
    *,
    unfused: bool,
    flash_2: bool = False,
    hides_tensor_parallel: bool = False,
    fused_experts: bool = False,
    gradient_bytes: float = 4.0,
    offloads: bool = False,
    host_activations: float = 0.0,
    packed_short: bool = False,
    untuned: bool = False,
    sequence_parallel: bool = True,
) -> Case:
    """Return the inputs of the step-time and memory models for one question; every field is a scalar."""
    table = workload(transformer)
    chip = cluster.accelerator
    widths: dict[str, float] = dict.fromkeys(("residual", "heads", "mlp", "shared_mlp", "expert_mlp", "routed"), 0.0)
    for stream in table.streams:
        widths[stream.name] += float(stream.width * stream.layers)
    total = float(table.parameters)
    frozen = method.name != "full"
    trained = total
    if frozen:
        trained = method.trainable_parameters or float(lora_parameters(transformer, method.lora_rank))
    low_bit = precision in EIGHT_BIT or precision == "nvfp4"
    half = chip.peak_flop_per_s.get("bf16", chip.training_peak_flop_per_s)
    domain = min(cluster.gpus_per_node, max(chip.scale_up_domain, 1))
    if chip.scale_up_domain > cluster.gpus_per_node:
        domain = cluster.scale_up_domain
    return Case(
        matrices=tuple(_matrix(gemm) for gemm in table.gemms),
        n_layers=float(table.n_layers),
        n_expert_layers=float(table.n_expert_layers),
        hidden=float(table.hidden),
        vocab=float(table.vocab),
        n_experts=float(max(table.n_experts, 1)),
        top_k=float(max(table.top_k, 1)),
        attention_flop=sum(a.flop_per_token(sequence_length) for a in table.attentions),
        attention_square_flop=sum(a.flop_per_token(sequence_length, causal=False) for a in table.attentions),
        score_elements=sum(
            a.heads * mean_keys(sequence_length, a.window, causal=False) * a.layers for a in table.attentions
        ),
        kv_width=float(sum(a.kv_heads * (a.score_dim + a.value_dim) for a in table.attentions[:1])),
        residual_elements=widths["residual"],
        heads_elements=widths["heads"],
        mlp_elements=widths["mlp"] + widths["shared_mlp"],
        expert_elements=widths["expert_mlp"],
        routed_elements=widths["routed"],
        shared_parameters=total - table.expert_parameters,
        expert_parameters=float(table.expert_parameters),
        embedding_parameters=float(table.embedding_parameters),
        trained_share=trained / total,
        weight_gradients=0.0 if frozen else 1.0,
        frozen_bytes=_frozen_bytes(method, precision),
        gradient_bytes=gradient_bytes,
        offloads=1.0 if offloads else 0.0,
        host_activations=host_activations,
        sequence_length=float(sequence_length),
        n_gpus=float(cluster.n_gpus),
        gemm_flop_per_s=matmul_ceiling_flop_per_s(chip, precision),
        half_flop_per_s=matmul_ceiling_flop_per_s(chip, "bf16"),
        gemm_bytes={"nvfp4": 0.55, "fp32": 4.0, "tf32": 4.0}.get(precision, 1.0 if low_bit else 2.0),
        low_bit=1.0 if low_bit else 0.0,
        four_bit=1.0 if precision == "nvfp4" else 0.0,
        bandwidth_bytes_per_s=chip.memory_bandwidth_bytes_per_s,
        balance=(half / chip.memory_bandwidth_bytes_per_s) / (312e12 / 2.039e12),
        n_sm=float(chip.n_sm) if chip.vendor == "NVIDIA" else 0.0,
        scale_up_bytes_per_s=chip.scale_up_bytes_per_s,
        scale_up_domain=float(domain),
        pcie=1.0 if chip.scale_up_kind == "pcie" else 0.0,
        scale_out_bytes_per_s=cluster.scale_out_bytes_per_s,
        memory_bytes=chip.memory_bytes,
        unfused=1.0 if unfused else 0.0,
        modern=1.0 if chip.family in {"hopper", "blackwell", "rubin"} and chip.segment == "datacenter" else 0.0,
        flash_2=1.0 if flash_2 else 0.0,
        fused_experts=1.0 if fused_experts else 0.0,
        hides_tensor_parallel=1.0 if hides_tensor_parallel else 0.0,
        head_share=min(1.0, transformer.head_dim / 128.0),
        attention_share=0.1 if packed_short else 1.0,
        untuned=1.0 if untuned else 0.0,
        sequence_parallel=1.0 if sequence_parallel else 0.0,
    )


def _frozen_bytes(method: Method, precision: str) -> float:
    """Return bytes per weight held for the forward pass; a frozen base is held in the precision it is used in.

    NF4 takes 4.127 bits with doubly quantised scales (Dettmers et al. 2023, section 3), and embedding and norms stay in
    16 bit; MXFP8 has a scale byte per 32 weights, NVFP4 one per 16.
    """
    if method.name == "qlora":
        return 0.55
    if method.name == "full":
        return 2.0
    return {"fp8": 1.0, "mxfp8": 1.03, "nvfp4": 0.56}.get(precision, 2.0)


def _matrix(gemm: Gemm) -> Matrix:
    return Matrix(
        name=gemm.name,
        part=gemm.part,
        shard=gemm.shard,
        inputs=float(gemm.inputs),
        outputs=float(gemm.outputs),
        layers=float(gemm.layers),
        copies=float(gemm.copies),
        visits=float(gemm.visits),
    )


def stacked(cases: list[Case]) -> Case:
    """Return many scalar cases as one, each field an array of shape (L,); a matrix that a model lacks has 0 layers."""

    def column(name: str) -> NDArray[np.float64]:
        return np.array([getattr(case, name) for case in cases], dtype=np.float64)

    kinds = {matrix.name: matrix for case in cases for matrix in case.matrices}
    matrices: list[Matrix] = []
    for name, kind in kinds.items():
        rows = [next((m for m in case.matrices if m.name == name), None) for case in cases]

        def values(field: str, missing: float, rows: list[Matrix | None] = rows) -> NDArray[np.float64]:
            return np.array([missing if m is None else getattr(m, field) for m in rows], dtype=np.float64)

        matrices.append(
            Matrix(
                name=name,
                part=kind.part,
                shard=kind.shard,
                inputs=values("inputs", 128.0),
                outputs=values("outputs", 128.0),
                layers=values("layers", 0.0),
                copies=values("copies", 1.0),
                visits=values("visits", 1.0),
            )
        )
    columns = {f.name: column(f.name) for f in fields(Case) if f.name != "matrices"}
    return Case(matrices=tuple(matrices), **columns)
