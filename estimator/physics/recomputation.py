"""What recomputation runs again of a layer's forward pass: all of it, or the parts whose results were not kept."""

from collections.abc import Iterable

from estimator.models.operations import Gemm
from estimator.physics.execution import Execution
from estimator.question.practice import LayerPart

__all__ = ["again_in_full", "again_of_exchange", "again_of_flop", "again_where_named", "kept_by_name"]

_INTO_LATENT = "latent_down"
"""A projection into the experts' width, in spite of its name."""


def layer_part(gemm: Gemm) -> LayerPart:
    """Return the part of a layer that a matrix is: into heads or out of them, into the MLP or out of it."""
    if gemm.part == "attention":
        return "out" if gemm.name.endswith("_out") else "qkv"
    return "down" if gemm.name.endswith("_down") and gemm.name != _INTO_LATENT else "up"


def again_in_full(gemm: Gemm, execution: Execution) -> float:
    """Return the share of a product that full recomputation runs again.

    A layer's last product is for the next layer, whose input was kept: XLA leaves out what nothing reads, while eager
    frameworks call the whole layer again (Chen et al. 2016; JAX's checkpoint traces the forward pass into the backward
    one, where dead code goes).
    """
    return 0.0 if execution.drops_dead_code and layer_part(gemm) == "down" else 1.0


def again_where_named(gemm: Gemm, execution: Execution) -> float:
    """Return the share of a product that runs again where its part was named; 0 for others."""
    named = execution.recomputed or frozenset()
    return again_in_full(gemm, execution) if layer_part(gemm) in named else 0.0


def again_of_flop(gemms: Iterable[Gemm], execution: Execution) -> float:
    """Return the share of all layers' products, in FLOPs, whose parts were named: what lies between goes with them."""
    named = execution.recomputed or frozenset()
    inside = [gemm for gemm in gemms if gemm.part != "logits"]
    total = sum(gemm.flop_per_token for gemm in inside)
    again = sum(gemm.flop_per_token for gemm in inside if layer_part(gemm) in named)
    return again / total if total else 0.0


def again_of_exchange(execution: Execution) -> float:
    """Return the share of sending tokens to experts and back that runs again by name: there with what takes them in."""
    named = execution.recomputed or frozenset()
    return 0.5 * ("up" in named) + 0.5 * ("down" in named)


def kept_by_name(execution: Execution, *, residual: float, heads: float, mlp: float, whole: float) -> float:
    """Return the share of the activations that is kept where `recomputed` parts are not.

    The layer's input, and of every part that does not run again its output: heads, the MLP's inner streams, and a
    residual stream each out of heads and out of the MLP.
    """
    named = execution.recomputed or frozenset()
    kept = residual
    kept += sum(residual for part in ("out", "down", "core") if part not in named)
    kept += heads if "qkv" not in named else 0.0
    kept += mlp if "up" not in named else 0.0
    return min(1.0, kept / whole)
