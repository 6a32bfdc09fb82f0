"""From a question to its numbers: the architecture's table, the device's rates, and how a step is run."""

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from estimator.base.prior import Prior
from estimator.base.units import BITS_PER_BYTE
from estimator.models.operations import MAIN, Attention
from estimator.models.parameters import is_adapted, lora_parameters
from estimator.models.passes import Passes, passes_of, trained_share
from estimator.models.training import LOW_BIT, WITH_ADAPTERS, Method
from estimator.models.transformer import Transformer
from estimator.models.workload import Workload, workload
from estimator.physics.case import Case
from estimator.physics.ceilings import (
    convolution_precision,
    grouped_ceiling_flop_per_s,
    half_precision,
    matmul_ceiling_flop_per_s,
    on_shaders,
    peak_flop_per_s,
)
from estimator.physics.decomposition import decomposition, is_decomposed
from estimator.physics.execution import Execution
from estimator.physics.held_base import EIGHT_BITS
from estimator.physics.holding import held_bytes, whole_share
from estimator.physics.host_work import host_work
from estimator.physics.loading import USUAL_WORKERS, reading_s
from estimator.physics.matrices import adapter_matrices, dispatch_matrices, kept_wide, matrix_of
from estimator.physics.memory import usable_bytes
from estimator.physics.recomputation import (
    again_of_exchange,
    again_of_flop,
    named_parts,
)
from estimator.question.cluster import MATRIX_UNIT, Cluster
from estimator.question.practice import Dequantization
from estimator.question.reads import NO_READS, Reads

__all__ = ["case_of"]

_FOUR_BITS = 4
_OF_THEIR_OWN_FORMAT = frozenset({"bitsandbytes", "gptq"})
"""Libraries whose kernels expand 4 bits at once, and multiply inputs that are rounded to 8."""
_CAST_BYTES: Mapping[Dequantization, float] = MappingProxyType({"cast": 2.0, "scaled": 6.0, "quanto": 6.0})
"""Bytes moved of a weight beside reading it as it is held, where it is widened before its product: written in 16 bits;
read again, scaled and written again."""
_FAST_ATTENTION = frozenset({"hopper", "blackwell", "rubin"})
_CHUNK_COPIES, _WIDE_CHUNK_COPIES = 30.0, 18.0
"""Bytes moved per output weight and chunk of a loss in chunks, held in 16 bit and in FP32: widened and narrowed again,
forward twice, and read by three products (TRL 1.9's `_chunk` under autocast, counted)."""
_CHUNK_GRADIENTS = 20.0
"""The same for its gradient, where it learns: written, widened, narrowed, added up."""
_EAGER_SCORE_PASSES = 2.0
"""Times that a score is moved where each step is a kernel, over where one kernel scales, masks and normalises: of
Transformers' eager attention 26 in 16 bits, 12 of them forward (product 1, scaled 2, masked 2, softmax 3, cast 3,
product 1), of Megatron's 11 without dropout and 14 with it, counted."""
_DECOMPOSED_PER_S = Prior(
    low=2e10,
    mode=4.4e10,
    high=1.5e11,
    why="Weights times narrower width of which a second decomposes: the 224 matrices of LLaMA 7B take some ten minutes "
    "(Zhang et al. 2024, Q-GaLore, section 1); the host reduces them with the device, so that neither alone sets it",
)
_STEPS_PER_DECOMPOSITION = 200.0
"""`update_proj_gap` as GaLore's code and Transformers have it."""
_OPTIMIZER_SHARE = {
    "adamw": 1.0, "adamw_8bit": 0.6, "paged_adamw_8bit": 0.6, "adafactor": 0.8, "lion": 0.7, "sgd": 0.5, "muon": 1.5,
    "low_rank": 1.0, "low_rank_8bit": 1.0,
}  # fmt: skip
"""Bytes an optimizer's step moves over AdamW's: its states, in their width, and the weights and gradients."""

_AVERAGING = 0.6
"""The same of a moving average: 12 bytes of the 20 that AdamW moves, the weight read, the average read and written."""


def case_of(
    transformer: Transformer,
    cluster: Cluster,
    precision: str,
    method: Method,
    *,
    sequence_length: int,
    execution: Execution,
    reads: Reads = NO_READS,
    unevenness: float = 0.0,
    longest_row: float = 1.0,
) -> Case:
    """Return the inputs of the step-time and memory models for one question; every field is a scalar."""
    table = workload(transformer)
    chip = cluster.accelerator
    widths: dict[str, float] = dict.fromkeys(("residual", "heads", "mlp", "shared_mlp", "expert_mlp", "routed"), 0.0)
    for stream in table.streams:
        widths[stream.name] += stream.elements
    total = float(table.parameters)
    plan = passes_of(table, method)
    share = trained_share(table, plan)
    adapters = method.name in WITH_ADAPTERS
    trained = share * total
    rank = beside = 0.0
    if adapters:
        by_rank = float(lora_parameters(transformer, method.lora_rank))
        trained = by_rank if method.trainable_parameters is None else method.trainable_parameters
        # Fewer than every linear layer's are adapters beside some of them; more are of a higher rank.
        beside = min(1.0, trained / by_rank)
        rank = method.lora_rank * max(1.0, trained / by_rank)
    low_bit = precision in LOW_BIT
    wide = precision in {"fp32", "tf32"}
    half, convolved = half_precision(chip, precision), convolution_precision(chip, precision)
    # Slow products wait for no operands; narrow ones are fitted beside those of 16 bits.
    prologue_peak = peak_flop_per_s(chip, precision if wide else half)
    base_bits = execution.base_bits if execution.dequantization in _OF_THEIR_OWN_FORMAT else None
    rounds = _flag(base_bits == EIGHT_BITS and share < 1.0)
    quantised = (1.0 - share) * (1.0 - whole_share(table, execution))
    alone = cluster.scale_up_domain == chip.gpus_per_node == 1
    ceiling = matmul_ceiling_flop_per_s(chip, precision)
    # What a kernel loses at its ends is time: of slow products it is as much less work.
    end_share = ceiling / matmul_ceiling_flop_per_s(chip, half) if wide else 1.0
    head_share = min(1.0, transformer.head_dim / MATRIX_UNIT)
    attention_flop = [attention.flop_per_token(sequence_length) for attention in table.attentions]
    masked = [_behind_a_mask(attention, sequence_length, execution) for attention in table.attentions]
    skipped = [0.0 if hidden else flop for flop, hidden in zip(attention_flop, masked, strict=True)]
    own = [attention for attention in table.attentions if attention.group == MAIN]
    learns = plan.output.weight_gradient
    chunk_bytes = _chunk_bytes(execution, learns)
    return Case(
        matrices=(
            *kept_wide([matrix_of(gemm, plan.of_gemm(gemm), execution) for gemm in table.gemms], table, precision),
            *adapter_matrices(table, rank, beside),
            *dispatch_matrices(table, sequence_length, execution),
        ),
        named_recompute=_flag(execution.recomputed is not None),
        again_of_flop=again_of_flop(table.gemms, execution),
        again_exchange=again_of_exchange(execution),
        again_core=_flag("core" in named_parts(execution)),
        n_layers=float(table.n_layers),
        pairs=float(table.pairs),
        mixing_layers=float(sum(attention.layers for attention in own)),
        n_expert_layers=float(table.n_expert_layers),
        hidden=float(table.hidden),
        routed_width=float(table.routed_width) * execution.expert_capacity,
        logits=float(table.logits),
        output_parameters=float(table.output_parameters),
        n_experts=float(max(table.n_experts, 1)),
        top_k=float(max(table.top_k, 1)),
        attention_flop=sum(skipped),
        masked_batch_flop=sum(_square_flop(a, sequence_length) for a in table.attentions if execution.masked_batches),
        masked_attention_flop=sum(masked),
        attention_square_flop=sum(a.flop_per_token(sequence_length, causal=False) for a in table.attentions),
        attention_flop_per_key=end_share
        * sum(
            flop / attention.longest(sequence_length) for flop, attention in zip(skipped, table.attentions, strict=True)
        ),
        masked_flop_per_key=end_share
        * sum(
            flop / _over_all_keys(attention).longest(sequence_length)
            for flop, attention in zip(masked, table.attentions, strict=True)
        ),
        attention_passed=_passed(
            [(f, plan.of(a.group)) for f, a in zip(attention_flop, table.attentions, strict=True)]
        ),
        scan_matmul_flop=sum((scan.matmul_flop + scan.square_flop) * scan.layers * scan.rate for scan in table.scans),
        scan_vector_flop=sum(scan.vector_flop * scan.layers * scan.rate for scan in table.scans),
        scan_elements=sum(scan.elements * scan.layers * scan.rate for scan in table.scans),
        streams_passed=_passed([(stream.elements, plan.of(stream.group)) for stream in table.streams]),
        score_passes=_EAGER_SCORE_PASSES if execution.eager_scores else 1.0,
        score_elements=sum(
            a.heads * a.mean_keys(sequence_length, causal=False) * a.layers * a.rate for a in table.attentions
        ),
        kv_width=float(sum(a.kv_heads * (a.score_dim + a.value_dim) for a in own[:1])),
        residual_elements=widths["residual"],
        heads_elements=widths["heads"],
        mlp_elements=widths["mlp"] + widths["shared_mlp"],
        expert_elements=widths["expert_mlp"] * execution.expert_capacity,
        routed_elements=widths["routed"] * execution.expert_capacity,
        normed_elements=table.normed_elements,
        shared_parameters=total - table.expert_parameters,
        expert_parameters=float(table.expert_parameters),
        embedding_parameters=float(table.embedding_parameters),
        trained_share=trained / total,
        weight_gradients=share,
        adapters=_flag(adapters),
        eager_adapters=_flag(execution.eager_adapters),
        **decomposition(table, method, beside=beside),
        adapter_elements=beside * _adapted_elements(table, joined=execution.joined_adapters),
        rounded=(1.0 - share) * rounds,
        rounded_elements=_adapted_elements(table, joined=False) * rounds,
        dequantized=quantised * _flag(base_bits == _FOUR_BITS),
        widened_bytes=quantised * _widened_bytes(execution),
        slow_dequantization=_flag(execution.dequantization == "gptq"),
        offloads=_flag(execution.streams_layers),
        offload_optimizer=_flag(execution.offload_optimizer),
        states_on_disk=_flag(execution.states_on_disk),
        offload_parameters=execution.offload_parameters,
        swap_copies=float(execution.swap_copies),
        usable_bytes=usable_bytes(chip.memory_bytes),
        decomposition_s=_decomposition_s(table) if execution.decomposes_gradients else 0.0,
        optimizer_share=_OPTIMIZER_SHARE[execution.optimizer] + (_AVERAGING if execution.averages_weights else 0.0),
        host_activations=execution.host_activations,
        host_checkpoints=execution.host_checkpoints,
        recomputed_share=execution.recomputed_share,
        partitions_checkpoints=_flag(execution.partitions_checkpoints),
        sequence_length=float(sequence_length),
        reduces_once=_flag(execution.reduces_once),
        unevenness=unevenness,
        longest_row=longest_row,
        n_gpus=float(cluster.n_gpus),
        gemm_flop_per_s=ceiling,
        # Attention and logits run in 16 bit beside narrower matmuls, and as wide as the wider ones.
        half_flop_per_s=ceiling if wide else matmul_ceiling_flop_per_s(chip, half),
        convolution_flop_per_s=matmul_ceiling_flop_per_s(chip, convolved),
        grouped_flop_per_s=grouped_ceiling_flop_per_s(chip, half),
        shaders=_flag(on_shaders(chip, precision)),
        shader_convolutions=_flag(on_shaders(chip, convolved)),
        gemm_bytes={"nvfp4": 0.55, "fp32": 4.0, "tf32": 4.0}.get(precision, 1.0 if low_bit else 2.0),
        wide=_flag(wide),
        low_bit=_flag(low_bit),
        four_bit=_flag(precision == "nvfp4"),
        bandwidth_bytes_per_s=chip.memory_bandwidth_bytes_per_s,
        balance=(prologue_peak / chip.memory_bandwidth_bytes_per_s) / (312e12 / 2.039e12),
        narrowness=peak_flop_per_s(chip, precision) / peak_flop_per_s(chip, half) if low_bit else 1.0,
        n_sm=float(chip.n_sm) if chip.vendor == "NVIDIA" else 0.0,
        scale_up_bytes_per_s=math.inf if alone else chip.scale_up_bytes_per_s,
        scale_up_domain=float(cluster.scale_up_domain),
        pcie=_flag(chip.scale_up_kind == "pcie"),
        split_nodes=_flag(chip.scale_up_domain < chip.gpus_per_node),
        no_peer_access=_flag(chip.segment == "consumer"),
        gpus_per_node=float(min(cluster.gpus_per_node, cluster.n_gpus)),
        pcie_bytes_per_s=chip.pcie_bytes_per_s,
        scale_out_bytes_per_s=cluster.scale_out_bytes_per_s,
        memory_bytes=chip.memory_bytes,
        unfused=_flag(execution.attention == "unfused"),
        memory_efficient=_flag(execution.attention == "memory_efficient"),
        modern=_flag(chip.family in _FAST_ATTENTION and chip.segment == "datacenter"),
        flash_1=_flag(execution.attention == "flash_1"),
        flash_2=_flag(execution.attention != "flash_3"),
        fused_experts=_flag(execution.fused_experts),
        spared_experts=_flag(execution.spared_experts),
        plain_exchange=_flag(execution.dispatcher == "alltoall"),
        free_routing=_flag(execution.free_routing),
        exchange_overlap=_flag(execution.exchange_overlap),
        # Only matrix units want them so.
        channels_last=_flag(execution.channels_last or on_shaders(chip, convolved)),
        hides_tensor_parallel=_flag(execution.tensor_overlap),
        head_share=head_share,
        head_fill=min(1.0, transformer.head_dim / chip.matrix_unit) / head_share,
        sockets=_flag(execution.sockets),
        as_people_run=_flag(execution.as_people_run),
        attention_share=0.1 if execution.packed_short else 1.0,
        untuned=_flag(not execution.fused_kernels),
        unfused_loss=_flag(not execution.fused_loss and not execution.fused_kernels),
        whole_logits=_flag(not execution.fused_loss),
        loss_metrics=_flag(execution.loss_metrics),
        chunked_loss=_flag(execution.loss == "chunked"),
        chunk_bytes=chunk_bytes,
        unprepared_chunks=_chunk_bytes(execution, learns, prepared=False) / chunk_bytes,
        stages_alone=_flag(execution.stages_alone),
        no_overlap=_flag(not execution.overlap),
        fused_accumulation=_flag(execution.fused_accumulation),
        reading_s=reading_s(_waited_for(reads, execution)),
        loader_workers=float(USUAL_WORKERS if execution.loader_workers is None else execution.loader_workers),
        sequence_parallel=_flag(execution.sequence_parallel),
        **host_work(transformer, table, adapters=beside, execution=execution, decomposed=is_decomposed(method)),
        **held_bytes(
            table,
            precision,
            execution,
            trained=share,
            adapted=beside,
            gated=transformer.gated_mlp,
            decomposed=is_decomposed(method),
        ),
    )


def _waited_for(reads: Reads, execution: Execution) -> Reads:
    """Return what a step may wait for: pictures where it is told how many read them, numbers that become objects."""
    told = NO_READS if execution.loader_workers is None else reads
    return replace(told, numbers=reads.numbers if execution.lists_numbers else 0.0)


def _decomposition_s(table: Workload) -> float:
    """Return seconds a step of the decompositions of all gradients, n · m · min(n, m) each, the mean over all steps."""
    work = sum(
        gemm.inputs * width * min(gemm.inputs, width) * gemm.layers * gemm.copies
        for gemm in table.gemms
        if is_adapted(gemm)
        for width in gemm.fused or (gemm.outputs,)
    )
    return work / _DECOMPOSED_PER_S.mode / _STEPS_PER_DECOMPOSITION


def _widened_bytes(execution: Execution) -> float:
    """Return the bytes moved to widen a weight that is held alone in few bits; 0 where none is."""
    moved = _CAST_BYTES.get(execution.dequantization)
    if moved is None or execution.base_bits is None:
        return 0.0
    return execution.base_bits / BITS_PER_BYTE + moved


def _chunk_bytes(execution: Execution, trained: float, *, prepared: bool = True) -> float:
    wide = (prepared and execution.upcast_ends) or (trained > 0.0 and execution.master_weights)
    return (_WIDE_CHUNK_COPIES if wide else _CHUNK_COPIES) + _CHUNK_GRADIENTS * trained


def _behind_a_mask(attention: Attention, sequence_length: int, execution: Execution) -> float:
    """Return forward FLOPs a token of attention that a mask over all keys restricts; 0 where it leaves keys out."""
    windowed = execution.dense_masks and 0 < attention.window < sequence_length
    return _square_flop(attention, sequence_length) if windowed or execution.masked_rows else 0.0


def _square_flop(attention: Attention, sequence_length: int) -> float:
    return _over_all_keys(attention).flop_per_token(sequence_length, causal=False)


def _over_all_keys(attention: Attention) -> Attention:
    return replace(attention, window=0, chunked=False)


def _flag(true: bool) -> float:
    return 1.0 if true else 0.0


def _passed(weighted: list[tuple[float, Passes]]) -> float:
    """Return the share of what is weighted that gradients pass through."""
    total = sum(weight for weight, _ in weighted)
    return sum(weight * passes.input_gradient for weight, passes in weighted) / total if total else 1.0


def _adapted_elements(table: Workload, *, joined: bool) -> float:
    """Return the elements of a token that enter or leave the matrices that `is_adapted`, over all layers.

    Each of a fused matrix's parts reads the input again, for a pair of its own or as a layer of 8 bits, unless they are
    `joined`.
    """
    return sum(
        ((1 if joined else gemm.n_parts) * gemm.inputs + gemm.outputs) * gemm.layers * gemm.rate
        for gemm in table.gemms
        if is_adapted(gemm)
    )
