"""What DoRA's adapters cost beside LoRA's: the norm of each matrix that they lie beside, and what is scaled by it.

PEFT works the pair out as a matrix, by sending the identity through it, adds that to the weight, and takes the norm of
each row: in every forward pass, whatever is in the batch.
"""

from estimator.models.parameters import is_adapted
from estimator.models.training import WITH_ADAPTERS, Method
from estimator.models.workload import Workload
from estimator.physics.case import BROADCAST, Case, is_anywhere
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts
from estimator.physics.recomputation import where_recomputed

__all__ = ["decomposition", "decomposition_s", "is_decomposed"]

_WEIGHT_BYTES = 26.0
"""Bytes moved per weight: the pair as a matrix is written (2) and scaled (4), the weight widened to FP32 (6), both
added up (10), the sum read for its norms (4). PEFT 0.18's `DoraLinearLayer` under autocast, counted."""
_IDENTITY_BYTES = 12.0
"""The same per element of the identity, which is as wide as the matrix has inputs: zeroed, read and narrowed, read."""
_OUTPUT_PASSES = 17.0
"""Elements moved forward per element that leaves the matrix: what the base makes, and its pair, each scaled in FP32,
and added up (the same: 34 bytes)."""


def is_decomposed(method: Method) -> bool:
    """Return whether adapters are DoRA's."""
    return method.name in WITH_ADAPTERS and method.adapters == "decomposed"


def decomposition(table: Workload, method: Method, *, beside: float) -> dict[str, float]:
    """Return what is moved for it by field of `Case`; `beside`: the share of linear layers that have adapters."""
    if not is_decomposed(method):
        return {"decomposed": 0.0, "decomposed_bytes": 0.0, "decomposed_elements": 0.0}
    adapted = [gemm for gemm in table.gemms if is_adapted(gemm)]
    weights = sum(gemm.inputs * gemm.outputs * gemm.layers for gemm in adapted)
    identities = sum(gemm.n_parts * gemm.inputs**2 * gemm.layers for gemm in adapted)
    return {
        "decomposed": beside,
        "decomposed_bytes": beside * (_WEIGHT_BYTES * weights + _IDENTITY_BYTES * identities),
        "decomposed_elements": beside * _OUTPUT_PASSES * sum(g.outputs * g.layers * g.rate for g in adapted),
    }


def decomposition_s(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return seconds a micro-batch of the norms of adapted matrices, forward and forward again, whatever its tokens.

        bytes moved / bandwidth

    Norms are detached, so that nothing of them has gradients. Source: Liu et al. 2024 (DoRA), section 4.3.
    """
    if not is_anywhere(case.decomposed):
        return 0.0
    forwards = 1.0 + where_recomputed(lay, full=case.recomputed_share)
    moved = case.decomposed_bytes * forwards / (lay.tensor * lay.pipeline)
    return moved / (case.bandwidth_bytes_per_s * constants["stream_bandwidth"])
