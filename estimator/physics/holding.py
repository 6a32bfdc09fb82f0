"""What a device holds for each weight, token and logit: widths in bytes, which follow from how a step is run."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from estimator.base.prior import Prior
from estimator.base.units import BITS_PER_BYTE
from estimator.models.parameters import is_adapted
from estimator.models.training import EIGHT_BIT, LOW_BIT
from estimator.models.workload import Workload
from estimator.physics.execution import Execution
from estimator.physics.recomputation import kept_by_name

__all__ = ["held_bytes", "saved_bytes", "whole_share"]

_KEPT_WIDE = "modulation"
"""Of a denoiser's products, what `fp8_scaled` leaves in 16 bits (musubi-tuner, FP8_OPTIMIZATION_EXCLUDE_KEYS)."""
_WIDENED_BY_AUTOGRAD = frozenset({"cast", "scaled"})
"""Kernels whose wide copy of a weight is an ordinary tensor, which PyTorch keeps for the gradient of its input; those
of libraries keep the packed weights and widen them again."""

_HALF, _SINGLE = 2.0, 4.0
_WIDE = frozenset({"fp32", "tf32"})
_EAGER = frozenset({"eager", "chunked"})
"""Losses of PyTorch's own kernels in FP32."""
_NF4_BYTES = 0.52
"""4.127 bits with doubly quantised scales (Dettmers et al. 2023, section 3)."""
_INT8_BYTES = 1.05
_SCALED = 1.05
"""Bytes with scales over those of the weights alone, of formats of other widths."""
_MXFP8_BYTES, _NVFP4_BYTES = 1.03, 0.56
"""A scale byte per 32 weights; one per 16."""
_MOMENTS: Mapping[str, float] = MappingProxyType(
    {"adamw": 2.0, "lion": 1.0, "muon": 1.1, "sgd": 0.0, "adafactor": 0.02, "low_rank": 0.35}
)
"""Moments of each trained weight, as wide as the optimizer holds them: AdamW two, Lion one, Muon one for matrices and
two for the embedding, plain SGD none, Adafactor a row and a column for each matrix. GaLore has two of rank 128 and a
projection for each matrix, a fifteenth of a weight at a hidden size of 4,096, and two for the embedding and the output
layer, an eighth of the weights of an 8B."""
_STREAMED_STATE_BYTES = 8.0
"""Weights, gradients and both moments in 16 bits (LLMQ's benchmarks: "adamw, bf16 states")."""
_EIGHT_BIT_MOMENTS = 2.03
"""Two of a byte each, with a scale for each block of 2,048 or less (Dettmers et al. 2022, section 2)."""
_EIGHT_BIT_STATES: Mapping[str, float] = MappingProxyType(
    {"adamw_8bit": _EIGHT_BIT_MOMENTS, "paged_adamw_8bit": _EIGHT_BIT_MOMENTS, "low_rank_8bit": 0.38}
)
"""By optimizer whose moments are in 8 bits. Of those of a low rank a byte each of what is counted above, but for the
projection, which stays in 16 bits."""
_EAGER_LOGIT_BYTES = Prior(
    low=10.0,
    mode=13.0,
    high=17.0,
    why="Held at once for a logit where each step of the loss is a kernel of its own: 16 bit, its FP32 copy, the "
    "shifted copy, the log-softmax, the gradient; the first may be freed early. Peaks of fms-acceleration's LoRA "
    "runs grow by 12.8 a logit, torchtitan's by 12",
)
_UPCAST_LOGIT_BYTES = Prior(
    low=14.0,
    mode=17.0,
    high=20.0,
    why="The same where the output layer was cast to FP32 before (PEFT's preparation of a 4-bit or 8-bit base): "
    "fms-acceleration's QLoRA runs grow by 16.9 a logit",
)
_FUSED_LOGIT_BYTES = Prior(
    low=4.0,
    mode=5.0,
    high=6.0,
    why="Logits in 16 bit and their gradient, in 16 bit or in FP32, where one kernel makes the loss of whole logits "
    "(SimuMax's peaks of Megatron on B200s grow by 4 a logit)",
)
_CAST_LOGIT_BYTES = Prior(
    low=6.0,
    mode=8.0,
    high=10.0,
    why="The same where the model hands its logits over in FP32, as Transformers' do (fms-acceleration's runs with "
    "fused cross-entropy grow by 8 a logit)",
)
_COMPILED_LOGIT_BYTES = Prior(
    low=4.0,
    mode=4.0,
    high=8.0,
    why="XLA keeps logits and their gradient in 16 bit and never writes what lies between (MaxText trains Llama 3.1 "
    "70B with 40,960 tokens on a chip of 32 GB, which leaves no room for more)",
)
_STREAM_INPUTS, _STREAM_REST = 2.0, 3.0
"""Copies of the residual stream a layer keeps: the inputs of QKV and of the MLP, which are outputs of norms; the inputs
of both norms and of the output projection (Korthikanti et al. 2022, section 4.1)."""
_EAGER_NORMS = 6.0
"""More copies where norms are not fused: an FP32 copy of the input counts twice, its normalised form once, for each of
two norms (Transformers' modelling code)."""
_SCALED_NORMS = 2.0
"""Of these, what is kept for the gradients of the norms' own weights: the normalised form, of each."""
_EAGER_HEADS = 1.0
"""More copies of Q and K where the rotary embedding is not fused."""
_SELECTIVE_SHARE = Prior(
    low=0.4,
    mode=0.55,
    high=0.75,
    why="Activations kept under selective recomputation, over all: norms, activations and some matmuls are run again "
    "(torchtitan's runs with and without a chunked loss)",
)


def held_bytes(
    table: Workload,
    precision: str,
    execution: Execution,
    *,
    trained: float,
    adapted: float,
    gated: bool,
    decomposed: bool = False,
) -> dict[str, float]:
    """Return the widths that `memory_of` works with, by field of `Case`.

    `trained`: share of the base that learns; `adapted`: share of its linear layers that have adapters beside them;
    `decomposed`: whether what leaves those and their pairs is kept, to be scaled (DoRA).
    Source: Rajbhandari et al. 2020, section 3.1 (states); Korthikanti et al. 2022, section 4.1 (activations).
    """
    wide = precision in _WIDE
    whole = whole_share(table, execution)
    return {
        "frozen_bytes": _weight_bytes(trained, precision, execution.base_bits) * (1.0 - whole)
        + _weight_bytes(trained, precision, None) * whole,
        "widened_copy_bytes": _HALF * (1.0 - trained) * (1.0 - whole)
        if execution.base_bits is not None and execution.dequantization in _WIDENED_BY_AUTOGRAD
        else 0.0,
        "ends_bytes": _SINGLE if wide or execution.upcast_ends else _HALF,
        "unprepared_ends": _HALF / _SINGLE if execution.upcast_ends and not wide else 1.0,
        "unprepared_logits": _unprepared_logits(execution),
        "gradient_bytes": _SINGLE if wide and execution.gradient_bytes else execution.gradient_bytes,
        "bucket_bytes": _SINGLE if wide and execution.bucket_bytes else execution.bucket_bytes,
        "gradients_freed": 1.0 if execution.frees_gradients else 0.0,
        "optimizer_bytes": _optimizer_bytes(execution, wide=wide, adapters=adapted > 0.0),
        "paged_bytes": _paged_bytes(execution),
        "step_bytes": _step_bytes(execution, wide=wide),
        "host_state_bytes": _host_state_bytes(execution, wide=wide),
        "host_weights": _host_weights(execution, trained),
        "logit_bytes": _logit_bytes(execution) * (2.0 if wide and execution.loss not in _EAGER else 1.0),
        "gathered_layers": 1.0 if execution.gathers_modules else 2.0,
        "gathered_ends": 0.0 if execution.gathers_modules else 1.0,
        **_activation_bytes(
            table, precision, execution, trained=trained, adapted=adapted, gated=gated, decomposed=decomposed
        ),
    }


def saved_bytes(execution: Execution, precision: str, *, adapters: bool) -> tuple[float, float]:
    """Return the bytes that a checkpoint has for each trained weight: of itself, and with all that its optimizer has.

    Wherever either lies, on a device, in host memory or on pages of it, both are saved.
    """
    wide = precision in _WIDE
    optimizer = "adamw_8bit" if execution.optimizer == "paged_adamw_8bit" else execution.optimizer
    states = _optimizer_bytes(
        replace(execution, optimizer=optimizer, offload_optimizer=False), wide=wide, adapters=adapters
    )
    if adapters:
        return (_SINGLE if execution.master_weights or wide else _HALF), states
    weight = _SINGLE if wide else _HALF
    return weight, weight + states


def whole_share(table: Workload, execution: Execution) -> float:
    """Return the share of the layers' weights that stays in 16 bits beside a quantised base: experts, modulations."""
    layers = table.parameters - table.embedding_parameters - table.output_parameters
    if execution.dequantization == "scaled":
        return sum(gemm.parameters for gemm in table.gemms if _KEPT_WIDE in gemm.name) / layers
    return table.expert_parameters / layers if execution.whole_experts and layers else 0.0


def _weight_bytes(trained: float, precision: str, base_bits: int | None) -> float:
    """Return bytes per weight held for the forward pass: 16 or 32 bit if trained, as it is used if frozen."""
    kept = _SINGLE if precision in _WIDE else _HALF
    frozen = {"fp8": 1.0, "mxfp8": _MXFP8_BYTES, "nvfp4": _NVFP4_BYTES}.get(precision, kept)
    if base_bits is not None:
        frozen = {4: _NF4_BYTES, 8: _INT8_BYTES}.get(base_bits, _SCALED * base_bits / BITS_PER_BYTE)
    return trained * kept + (1.0 - trained) * frozen


def _optimizer_bytes(execution: Execution, *, wide: bool, adapters: bool) -> float:
    """Return bytes per trained weight: moments, and an FP32 copy of the weight where it is held in 16 bit.

    And adapters themselves, which are no part of the base's weights: that copy is all that there is of them. A moving
    average of what is trained lies beside it, on the device wherever the moments are (`EMAModel` of diffusers).
    """
    average = _SINGLE if execution.averages_weights else 0.0
    return average + _stepped_bytes(execution, wide=wide, adapters=adapters)


def _stepped_bytes(execution: Execution, *, wide: bool, adapters: bool) -> float:
    """Return the same of what the optimizer itself steps."""
    copy = _SINGLE if execution.master_weights and not wide else 0.0
    if adapters:
        copy = _SINGLE if execution.master_weights or wide else _HALF
    if execution.offload_optimizer:
        # Adapters are part of the model, wherever their moments lie; who fetches weights fetches them as well.
        return copy if adapters and not execution.offload_parameters else 0.0
    if execution.optimizer == "paged_adamw_8bit":
        return copy  # pages that are not in use lie in host memory
    if execution.optimizer in _EIGHT_BIT_STATES:
        return copy + _EIGHT_BIT_STATES[execution.optimizer]
    return copy + _MOMENTS[execution.optimizer] * (_SINGLE if execution.master_weights or wide else _HALF)


def _paged_bytes(execution: Execution) -> float:
    """Return bytes per trained weight of moments that are paged between a device and its host."""
    return _EIGHT_BIT_STATES[execution.optimizer] if execution.optimizer == "paged_adamw_8bit" else 0.0


def _host_state_bytes(execution: Execution, *, wide: bool) -> float:
    """Return bytes per trained weight in host memory.

    A host that updates has the weight, its moments and its gradient as wide as they are updated, 16 in all of AdamW in
    FP32 (DeepSpeed, `estimate_zero3_model_states_mem_needs`); paged moments lie there alone.
    """
    if execution.states_on_disk:
        return 0.0
    if execution.streams_layers:
        return _STREAMED_STATE_BYTES
    if not execution.offload_optimizer:
        return _paged_bytes(execution)
    width = _SINGLE if execution.master_weights or wide else _HALF
    moments = _EIGHT_BIT_STATES.get(execution.optimizer)
    moments = _MOMENTS[execution.optimizer] * width if moments is None else moments
    return width + moments + (width if execution.gradient_bytes else 0.0)


def _host_weights(execution: Execution, trained: float) -> float:
    """Return the share of the fetched weights that host memory holds beside what is updated there.

    What FSDP steps are the weights that it gathers; DeepSpeed has a copy of those in 16 bits (18 bytes in all).
    """
    if execution.states_on_disk:
        return 0.0
    return 1.0 - trained if execution.offload_optimizer and not execution.module_hooks else 1.0


def _step_bytes(execution: Execution, *, wide: bool) -> float:
    """Return bytes per trained weight that the optimizer's step holds besides: one more moment, or gradient in FP32."""
    if not execution.step_copies or execution.offload_optimizer or execution.optimizer not in {"adamw", "lion"}:
        return 0.0
    return _SINGLE if execution.master_weights or wide else _HALF


def _unprepared_logits(execution: Execution) -> float:
    """Return the bytes held for each logit where trainers leave the output layer as it was loaded, over the usual."""
    if not execution.upcast_ends:
        return 1.0
    return _logit_bytes(replace(execution, upcast_ends=False)) / _logit_bytes(execution)


def _logit_bytes(execution: Execution) -> float:
    """Return bytes held at once for each logit, as far as logits are whole, on the device with the output layer."""
    if execution.loss in _EAGER:
        return _UPCAST_LOGIT_BYTES.mode if execution.upcast_ends else _EAGER_LOGIT_BYTES.mode
    if execution.loss == "compiled":
        return _COMPILED_LOGIT_BYTES.mode
    return _CAST_LOGIT_BYTES.mode if execution.loss == "cast" else _FUSED_LOGIT_BYTES.mode


def _activation_bytes(
    table: Workload,
    precision: str,
    execution: Execution,
    *,
    trained: float,
    adapted: float,
    gated: bool,
    decomposed: bool,
) -> dict[str, float]:
    """Return bytes per token over all layers: what tensor parallelism divides, what not, and layers' inputs alone.

        residual · (2 inputs of matmuls + 3) + heads + MLP before and after its activation + tokens as experts take them

    An MLP keeps its inputs, 1 or 2 streams of its width, and its output, which is the input of a matmul. Where 8-bit
    recipes keep the inputs of matmuls as they were multiplied, they take a byte. Gradients of weights alone need the
    inputs of matmuls and what norms scale: a frozen base keeps neither, and adapters keep inputs of their own.
    """
    width: dict[str, float] = dict.fromkeys(("residual", "heads", "mlp", "shared_mlp", "expert_mlp", "routed"), 0.0)
    for stream in table.streams:
        width[stream.name] += stream.elements
    element = _SINGLE if precision in _WIDE else _HALF
    narrow = _narrow_bytes(precision) if execution.narrow_inputs else element
    eager = 1.0 if execution.eager_layers else 0.0
    streams = 2.0 if gated else 1.0
    before = 1.0 if execution.narrow_activations and precision in LOW_BIT else element
    mlp = before + (trained * narrow + eager * element) / streams
    norms = _EAGER_NORMS - (1.0 - trained) * _SCALED_NORMS
    residual = (_STREAM_REST + eager * norms) * element + trained * _STREAM_INPUTS * narrow
    # Places that are left empty, or for tokens that are dropped, show in no published peak.
    copies = execution.expert_capacity if execution.all_experts else 1.0
    inner = mlp * (width["mlp"] + width["shared_mlp"] + copies * width["expert_mlp"])
    scanned = sum(scan.kept * scan.layers * scan.rate for scan in table.scans)
    selective = 1.0 if execution.drops_scores_alone else _SELECTIVE_SHARE.mode
    if execution.recomputed is not None:
        heads = element * width["heads"]
        whole = residual * width["residual"] + heads + inner
        selective = kept_by_name(execution, residual=element * width["residual"], heads=heads, mlp=inner, whole=whole)
    further = eager * norms / 2.0 * element * table.normed_elements
    return {
        "kept_residual_bytes": residual * width["residual"] + further,
        "kept_hidden_bytes": (1.0 + eager * _EAGER_HEADS) * element * width["heads"]
        + inner
        + narrow * copies * width["routed"]
        + _SINGLE * scanned
        + adapted * (_adapter_bytes(table, execution, narrow) + decomposed * _scaled_bytes(table)),
        "selective_share": selective,
        "checkpoint_bytes": (_SINGLE if execution.upcast_ends else element) * width["residual"],
    }


def _adapter_bytes(table: Workload, execution: Execution, narrow: float) -> float:
    """Return bytes per token over all layers of the inputs of adapters on every linear layer.

    PEFT casts the input to its pairs' FP32 for each pair, those of queries, keys and values too; what a fused layer
    takes in is kept once.
    """
    adapted = [gemm for gemm in table.gemms if is_adapted(gemm)]
    if not execution.eager_adapters:
        return narrow * sum(gemm.inputs * gemm.layers * gemm.rate for gemm in adapted)
    return _SINGLE * sum(gemm.n_parts * gemm.inputs * gemm.layers * gemm.rate for gemm in adapted)


def _scaled_bytes(table: Workload) -> float:
    """Return bytes per token over all layers of what is kept to be scaled: the base's in 16 bits, its pair's in 32."""
    outputs = sum(gemm.outputs * gemm.layers * gemm.rate for gemm in table.gemms if is_adapted(gemm))
    return (_HALF + _SINGLE) * outputs


def _narrow_bytes(precision: str) -> float:
    """Return bytes of a matmul's input as it was multiplied."""
    if precision == "nvfp4":
        return _NVFP4_BYTES
    return _MXFP8_BYTES if precision == "mxfp8" else 1.0 if precision in EIGHT_BIT else _HALF
