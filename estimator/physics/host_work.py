"""What a host does for each layer: kernels that it launches, as they are counted in frameworks' code."""

from estimator.models.operations import MAIN
from estimator.models.parameters import is_adapted
from estimator.models.transformer import Transformer
from estimator.models.workload import Workload
from estimator.physics.execution import Execution

__all__ = ["host_work"]

_OPERATIONS_UNFUSED = 45.0
"""Kernels a layer launches forward where none is fused: two norms of 7, rotary embedding 10, four projections,
attention and its reshapes 8, residuals 2, a gated MLP 5 (Transformers' modelling code, counted)."""
_OPERATIONS_PLAIN, _OPERATIONS_PLAIN_ATTENTION = 3.0, 4.0
"""The same where PyTorch has a kernel for all that is done: a product with its norm or activation and its sum or
dropout, and reshapes and attention's own kernel (BERT's and ViT's layers: 22; a convolution with its norm and
activation: 3; counted in Transformers' and torchvision's code)."""
_OPERATIONS_FUSED = 16.0
"""The same with fused norms, rotary embedding and activations (Transformer Engine's layer, counted)."""
_OPERATIONS_SCORES = 15.0
"""What unfused attention adds: transposes, batched products, scaling, mask, softmax, dropout (Megatron-LM of 2021)."""
_OPERATIONS_PER_OWN_ADAPTER = 6.0
"""Cast, dropout, two products, scaling, sum: where a stack has adapters of its own (Megatron's, Unsloth's)."""
_OPERATIONS_PER_ADAPTER = 9.0
"""The same by PEFT's linear layer under autocast: casts of the input to FP32 and back and of both pairs, two products,
scaling, sum. 8 forward and 11 backward, of which a pass has 2.2 (PEFT 0.21, counted by PyTorch's dispatcher); the
host's time for them, timed on a CPU with layers 64 wide, is 7 to 13 times that of an average kernel of such a layer."""
_OPERATIONS_PER_DECOMPOSED = 18.0
"""More where adapters are DoRA's: the identity made and sent through the pair, its casts, scale, sum and norm; the
quotient, what the base makes and the pair scaled, and added up (PEFT's `DoraLinearLayer`, counted)."""
_OPERATIONS_PER_QUANTISED = {4: 8.0, 8: 16.0}
"""By bits of the base. 4: finding the kernel, expanding scales and weights, and the cast of the result: few kernels and
much Python, timed likewise at 8 (bitsandbytes 0.50, `MatMul4Bit`); 8: rounding the input by rows, finding its outliers,
taking them out of it and of the weights, two products, scaling, sum (bitsandbytes' layers, counted)."""
_OPERATIONS_PER_WIDENED = {"cast": 1.0, "scaled": 2.0, "quanto": 4.0}
"""By what widens weights that are held alone in few bits: the cast, and its scale; through a tensor type of its own,
each is dispatched twice."""
_OPERATIONS_PER_NORM = {"eager": 8.0, "fused": 1.0}
"""Of a norm beyond a layer's two: casts, square, mean, root, two products (Transformers' RMSNorm, counted)."""
_OPERATIONS_PER_EXPERT, _BACKWARD_PER_EXPERT = 12.0, 33.0
"""Where an expert is a module: finding its tokens (which waits for the device twice), gathering them, three products,
weighing, scattering; backward 15 kernels and two sums by index, each a sort and some 15 more, launched from C++ at 0.7
of the cost, as a layer's others are (Transformers 4.57's Mixtral and Qwen3 counted by PyTorch's dispatcher; kernels of
`index_put_with_sort_kernel`)."""
_OPERATIONS_PER_SLICE, _BACKWARD_PER_SLICE = 24.0, 43.0
"""The same where experts are slices of one parameter, with biases and a clamped gate: each index waits for the device,
seven times in all (gpt-oss)."""
_LOOPED_PASSES = 4.0
"""Elements moved per element of all tokens, for each expert: its input's gradient is zeroed as long as they are, and
added to the sum of the others' (counted likewise)."""
_SLICED_PASSES = 4.0
"""The same per weight of all experts of a layer, for each expert whose slice learns."""
_PARTS_OF_EXPERT = 3.0
_TOGETHER = 0.2
"""Of a module's hook, for each of an expert's matrices that ZeRO-3 gathers with all of its layer as one module
(`set_z3_leaf_modules`): each is still cut out, joined and freed by Python."""
_OPERATIONS_EXPERTS = 20.0
"""Routing and grouped products of a layer of experts."""
_OPERATIONS_PER_SCAN = 8.0
"""Kernels a scan launches beyond what fused attention does: filter, decays, states, their passing, scores, output
(mamba_ssm's and flash-linear-attention's Python, counted)."""
_LAUNCH_SHARE = {"eager": 1.0, "compiled": 0.35, "partial_graphs": 0.4, "graphs": 0.05}
"""Of the host's work per kernel where a compiler fused kernels, or a graph launches them. Graphs of attention and
router leave dispatch, grouped products and their way back: about 14 of a layer's 36 kernels."""


def host_work(
    transformer: Transformer, table: Workload, *, adapters: float, execution: Execution, decomposed: bool = False
) -> dict[str, float]:
    """Return what the host does for a layer, by field of `Case`: kernels it launches, modules it gathers.

    `adapters`: the share of linear layers that have one beside them; `decomposed`: whether it is DoRA's.
    """
    linear = sum(gemm.n_parts * gemm.layers for gemm in table.gemms if is_adapted(gemm)) / table.pairs
    unfused = execution.attention == "unfused"
    eager = unfused or not execution.fused_kernels
    operations = _plain_operations(table) if _is_plain(transformer, table) else _OPERATIONS_UNFUSED
    if not eager:
        operations = min(operations, _OPERATIONS_FUSED)
    operations += unfused * _OPERATIONS_SCORES
    kernels = "eager" if eager and not _is_plain(transformer, table) else "fused"
    operations += _OPERATIONS_PER_NORM[kernels] * table.further_norms / table.pairs
    operations += _OPERATIONS_PER_SCAN * sum(scan.layers for scan in table.scans) / table.pairs
    joined = sum(gemm.layers for gemm in table.gemms if is_adapted(gemm)) / table.pairs
    beside = _OPERATIONS_PER_ADAPTER if execution.eager_adapters else _OPERATIONS_PER_OWN_ADAPTER
    beside += _OPERATIONS_PER_DECOMPOSED if decomposed else 0.0
    operations += (joined if execution.joined_adapters else linear) * beside * adapters
    operations += linear * _operations_per_quantised(execution)
    share = _LAUNCH_SHARE[execution.launch]
    # FSDP cannot hold as one what is trained and what is not: PEFT's policy for it wraps each matrix of a pair by
    # itself (`fsdp_auto_wrap_policy`; PEFT 0.21 beside seven matrices, counted: 15 units a layer).
    units = linear + 2.0 if execution.module_hooks else 1.0
    pairs_apart = execution.module_hooks or (execution.eager_adapters and not execution.joins_pairs)
    return {
        "operations": share * operations,
        "expert_operations": share * _OPERATIONS_EXPERTS,
        **_loop(table, execution, share),
        "launch_share": share,
        # Nothing of them is left in what is compiled or captured.
        "checkpoints": float(table.pairs) if execution.launch == "eager" else 0.0,
        "gathers": units + pairs_apart * 2.0 * linear * adapters,
        "module_hooks": float(execution.module_hooks),
        "eager_trainer": float(
            not execution.fused_kernels and execution.launch == "eager" and not execution.plain_loop
        ),
    }


def _loop(table: Workload, execution: Execution, share: float) -> dict[str, float]:
    """Return what a loop over the experts of a layer costs host and device; nothing where there is none."""
    loops = float(execution.expert_loop)
    forward, backward = _OPERATIONS_PER_EXPERT, _BACKWARD_PER_EXPERT
    if execution.experts_in_one:
        forward, backward = _OPERATIONS_PER_SLICE, _BACKWARD_PER_SLICE
    experts = table.n_experts * table.n_expert_layers
    sliced = loops * execution.experts_in_one * table.n_experts
    apart = loops * execution.module_hooks * (not execution.experts_in_one)
    return {
        "operations_per_expert": share * loops * forward,
        "backward_per_expert": share * loops * backward,
        "looped_elements": loops * _LOOPED_PASSES * experts * table.hidden,
        "sliced_elements": sliced * _SLICED_PASSES * table.expert_parameters,
        "expert_gathers": apart * _TOGETHER * _PARTS_OF_EXPERT * table.n_experts,
    }


def _operations_per_quantised(execution: Execution) -> float:
    """Return kernels that a quantised layer launches beside its product; 0 where they are fused with it."""
    if execution.base_bits is None or execution.dequantization == "fused":
        return 0.0
    by_bits = _OPERATIONS_PER_QUANTISED.get(execution.base_bits, 0.0)
    return _OPERATIONS_PER_WIDENED.get(execution.dequantization, by_bits)


def _is_plain(transformer: Transformer, table: Workload) -> bool:
    """Return whether a kernel of PyTorch's does each thing of a layer: nets of before Llama, and convolutions.

    The blocks of a U-Net have gates, and neither rotary embeddings nor norms in pieces.
    """
    convolved = any(gemm.taps > 1 and gemm.group == MAIN for gemm in table.gemms)
    gated = transformer.gated_mlp and not (transformer.media is not None and transformer.media.main and convolved)
    return not (gated or transformer.experts or table.scans)


def _plain_operations(table: Workload) -> float:
    """Return kernels forward of a pair of a mixer and an MLP without rotary embeddings or norms in pieces.

    The chunk and the product of a gate are not counted apart.
    """
    products = sum(gemm.n_parts * gemm.layers for gemm in table.gemms)
    attended = sum(attention.layers for attention in table.attentions)
    return (_OPERATIONS_PLAIN * products + _OPERATIONS_PLAIN_ATTENTION * attended) / table.pairs
