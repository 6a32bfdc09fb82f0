"""The matrices of a step: the architecture's, low-rank pairs beside them, and products that dispatch tokens."""

from dataclasses import replace

from estimator.models.operations import Gemm
from estimator.models.parameters import is_adapted
from estimator.models.passes import Passes
from estimator.models.workload import Workload
from estimator.physics.case import Matrix
from estimator.physics.execution import Execution
from estimator.physics.recomputation import again_in_full, again_where_named, named_parts

__all__ = ["adapter_matrices", "dispatch_matrices", "kept_wide", "matrix_of"]

_WIDE_NAMES = ("qkv", "attention", "latent")
_WIDE_LAYERS = 0.16
"""Share of a hybrid's layers that recipes for 4-bit training keep in 16 bits."""


def matrix_of(gemm: Gemm, passes: Passes, execution: Execution) -> Matrix:
    """Return one matrix as it is run: what of it learns, and what runs it again."""
    return Matrix(
        name=gemm.name,
        part=gemm.part,
        shard=gemm.shard,
        inputs=float(gemm.inputs),
        outputs=float(gemm.outputs),
        layers=float(gemm.layers),
        copies=float(gemm.copies),
        visits=gemm.visits * (execution.expert_capacity if gemm.shard == "expert" else 1.0),
        trained=passes.weight_gradient,
        passed=passes.input_gradient,
        rate=gemm.rate,
        taps=float(gemm.taps),
        groups=float(gemm.groups),
        again_full=again_in_full(gemm, execution),
        again_named=again_where_named(gemm, execution),
    )


def kept_wide(matrices: list[Matrix], table: Workload, precision: str) -> list[Matrix]:
    """Return the matrices of a step with those apart that a 4-bit recipe for state-space hybrids keeps in 16 bits.

    Attention's and latent projections, and all of the last layers. Source: Abecassis et al. 2025, section 4.1, for a
    hybrid (10 of 62 blocks); NVIDIA 2026 (Nemotron 3 Super), section 2, which names the projections. Published
    decoders' 4-bit steps hold theirs in what was fitted to them.
    """
    if precision != "nvfp4" or not table.scans:
        return matrices
    out: list[Matrix] = []
    for matrix in matrices:
        if matrix.part == "logits" or matrix.name.startswith(_WIDE_NAMES):
            out.append(replace(matrix, half=True))
        else:
            out.append(replace(matrix, layers=(1.0 - _WIDE_LAYERS) * matrix.layers))
            out.append(replace(matrix, layers=_WIDE_LAYERS * matrix.layers, half=True))
    return out


def dispatch_matrices(table: Workload, sequence_length: int, execution: Execution) -> tuple[Matrix, ...]:
    """Return the products that send tokens to places of experts and bring them back: tokens by places, one-hot.

    Each sequence has places of its own. What is sent learns through the first, what comes back and its weight through
    the second; the first runs again where experts do. Source: Lepikhin et al. 2020 (GShard), algorithm 1.
    """
    if not execution.one_hot_dispatch or not table.n_expert_layers:
        return ()
    places = sequence_length * table.top_k * execution.expert_capacity
    experts_again = float("up" in named_parts(execution))
    return tuple(
        Matrix(
            name=name,
            part="experts",
            shard="none",
            inputs=places,
            outputs=float(table.hidden),
            layers=float(table.n_expert_layers),
            copies=1.0,
            visits=1.0,
            trained=trained,
            again_full=runs_again,
            again_named=experts_again * runs_again,
        )
        for name, trained, runs_again in (("expert_dispatch", 0.0, 1.0), ("expert_combine", 1.0, 0.0))
    )


def adapter_matrices(table: Workload, rank: float, beside: float) -> tuple[Matrix, ...]:
    """Return the low-rank pairs beside adapted matrices: down to the rank, and up to each of its parts.

    `beside`: the share of the matrices on every linear layer that have one.
    """
    if not rank:
        return ()
    adapted = [gemm for gemm in table.gemms if is_adapted(gemm)]
    pairs = [
        ends
        for gemm in adapted
        for ends in (
            (f"{gemm.name}_down", gemm, float(gemm.inputs), rank * gemm.n_parts),
            (f"{gemm.name}_up", gemm, rank, float(gemm.outputs)),
        )
    ]
    return tuple(
        Matrix(
            name=name,
            part=gemm.part,
            shard="none",
            inputs=inputs,
            outputs=outputs,
            layers=beside * gemm.layers,
            copies=1.0,
            visits=1.0,
            trained=1.0,
            rate=gemm.rate,
            adapter=True,
        )
        for name, gemm, inputs, outputs in pairs
    )
