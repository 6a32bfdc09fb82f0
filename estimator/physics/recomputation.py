"""What recomputation runs again of a layer's forward pass: all of it, or the parts whose results were not kept."""

from collections.abc import Iterable

import numpy as np

from estimator.models.operations import Gemm
from estimator.physics.case import BROADCAST, Case
from estimator.physics.constants import Constants
from estimator.physics.execution import Execution
from estimator.physics.layout import Layouts
from estimator.physics.matmul import Products
from estimator.physics.network import where
from estimator.question.practice import LayerPart

__all__ = [
    "again_in_full",
    "again_of_exchange",
    "again_of_flop",
    "again_share",
    "again_where_named",
    "kept_by_name",
    "named_parts",
    "products_again_s",
    "where_recomputed",
]

_INTO_LATENT = "latent_down"
"""A projection into the experts' width, in spite of its name."""


def where_recomputed(lay: Layouts, *, full: BROADCAST, selective: BROADCAST = 0.0) -> BROADCAST:
    """Return `full` where layouts recompute in full, `selective` where they do so in part, 0 elsewhere, shape (L,)."""
    return np.where(lay.recompute > 1, full, np.where(lay.recompute > 0, selective, 0.0))


def again_share(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return the share of the forward pass that recomputation runs again, attention core apart, shape (L,).

    Selective recomputation runs the attention core again where its scores were not kept (Korthikanti et al. 2022);
    with fused attention, which never keeps them, it runs norms, activations and some matmuls again, or the parts that
    its source names.
    """
    unnamed = _selective_share(case, constants)
    selective = where(case.named_recompute, np.maximum(unnamed, case.again_of_flop), unnamed)
    return where_recomputed(lay, full=case.recomputed_share, selective=selective)


def products_again_s(case: Case, constants: Constants, lay: Layouts, products: Products) -> BROADCAST:
    """Return the seconds of matrix products that recomputation runs again, those of all layers, shape (L,)."""
    unnamed = _selective_share(case, constants) * products.passed
    selective = where(case.named_recompute, products.where_named, unnamed)
    return where_recomputed(lay, full=case.recomputed_share * products.in_full, selective=selective)


def _selective_share(case: Case, constants: Constants) -> BROADCAST:
    return where(case.unfused, 0.0, constants["selective_share"])


def again_in_full(gemm: Gemm, execution: Execution) -> float:
    """Return the share of a product that full recomputation runs again.

    A layer's last product is for the next layer, whose input was kept: XLA leaves out what nothing reads, while eager
    frameworks call the whole layer again (Chen et al. 2016; JAX's checkpoint traces the forward pass into the backward
    one, where dead code goes).
    """
    return 0.0 if execution.drops_dead_code and _layer_part(gemm) == "down" else 1.0


def again_where_named(gemm: Gemm, execution: Execution) -> float:
    """Return the share of a product that runs again where its part was named; 0 for others."""
    return again_in_full(gemm, execution) if _layer_part(gemm) in named_parts(execution) else 0.0


def again_of_flop(gemms: Iterable[Gemm], execution: Execution) -> float:
    """Return the share of all layers' products, in FLOPs, whose parts were named: what lies between goes with them."""
    named = named_parts(execution)
    inside = [gemm for gemm in gemms if gemm.part != "logits"]
    total = sum(gemm.flop_per_token for gemm in inside)
    again = sum(gemm.flop_per_token for gemm in inside if _layer_part(gemm) in named)
    return again / total if total else 0.0


def again_of_exchange(execution: Execution) -> float:
    """Return the share of sending tokens to experts and back that runs again by name: there with what takes them in."""
    named = named_parts(execution)
    return 0.5 * ("up" in named) + 0.5 * ("down" in named)


def kept_by_name(execution: Execution, *, residual: float, heads: float, mlp: float, whole: float) -> float:
    """Return the share of a layer's activations that is kept where the parts run again that are `recomputed`.

        (input + outputs of all other parts) / whole      all in bytes per token

    Of the attention core and of the last products of attention and MLP they are as wide as the residual stream; of
    `qkv` they are the heads, of `up` the MLP's inner streams.
    """
    named = named_parts(execution)
    kept = residual
    kept += sum(residual for part in ("out", "down", "core") if part not in named)
    kept += heads if "qkv" not in named else 0.0
    kept += mlp if "up" not in named else 0.0
    return min(1.0, kept / whole)


def named_parts(execution: Execution) -> frozenset[LayerPart]:
    """Return the parts of a layer that are known to run again in selective recomputation."""
    return execution.recomputed or frozenset()


def _layer_part(gemm: Gemm) -> LayerPart:
    """Return the part of a layer that a matrix is: into heads or out of them, into the MLP or out of it."""
    if gemm.part == "attention":
        return "out" if gemm.name.endswith("_out") else "qkv"
    return "down" if gemm.name.endswith("_down") and gemm.name != _INTO_LATENT else "up"
