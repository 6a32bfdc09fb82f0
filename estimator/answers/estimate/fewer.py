"""Negative strong scaling: whether fewer devices would train a given batch sooner than all that there are."""

import math
from collections.abc import Mapping
from dataclasses import replace

from estimator.base.errors import InfeasibleError
from estimator.models.flops import flop_counts
from estimator.physics.choice import Setting, ranked_layouts, setting_of
from estimator.physics.constants import Constants
from estimator.question.cluster import Cluster
from estimator.question.question import Caution, Layout

__all__ = ["fewer_would_do"]

_SHARES = ((3, 4), (2, 3), (1, 2), (1, 4))


def fewer_would_do(
    setting: Setting, constants: Constants, layout: Layout, breakdown: Mapping[str, float], step_s: float
) -> Caution | None:
    """Return a warning where a smaller cluster takes the same batch in less than `step_s`; None where none does.

    `step_s` is physical time; calibrated effects are the same on either.
    Looked at are clusters of three quarters, two thirds, a half, a quarter and the next smaller power of two.
    """
    question = setting.question
    n_gpus = question.cluster.n_gpus
    flop = flop_counts(question.transformer, sequence_length=question.sequence_length, method=question.method).model
    batch_flop = flop * question.sequence_length * setting.global_batch
    best_s, best = step_s, n_gpus
    for fewer in _smaller(question.cluster):
        # At the measured ceiling, all else free, so that nearly all questions are settled without a search.
        if batch_flop / (fewer * max(setting.case.gemm_flop_per_s, setting.case.half_flop_per_s)) >= best_s:
            continue
        taken_s = _step_s(setting, constants, fewer)
        if taken_s < best_s:
            best_s, best = taken_s, fewer
    if best == n_gpus:
        return None
    waits = breakdown["communication"] + breakdown["bubble"]
    degrees = f"tensor {layout.tensor_parallel} × pipeline {layout.pipeline_parallel} × data {layout.data_parallel}"
    return Caution(
        code="fewer_gpus_are_faster",
        message=f"{best:,} GPUs take a step {step_s / best_s - 1:.1%} faster than {n_gpus:,}: the fastest layout of a "
        f"batch of {setting.global_batch:,} sequences on {n_gpus:,} is {degrees}, and {waits:.0%} of it is "
        "communication and bubble; give a larger global_batch_sequences, or fewer GPUs",
    )


def _smaller(cluster: Cluster) -> list[int]:
    """Return counts to look at, each of whole nodes or within one."""
    n, node = cluster.n_gpus, cluster.gpus_per_node
    counts = {n * part // whole for part, whole in _SHARES if n * part % whole == 0}
    counts |= {1 << ((n - 1).bit_length() - 1)} if n > 1 else set()
    return sorted((count for count in counts if 0 < count < n and (count < node or count % node == 0)), reverse=True)


def _step_s(full: Setting, constants: Constants, n_gpus: int) -> float:
    """Return physical seconds of a step on `n_gpus`; infinity where it does not fit or divide."""
    cluster = full.question.cluster
    smaller = replace(cluster, n_gpus=n_gpus, gpus_per_node=min(n_gpus, cluster.gpus_per_node))
    asked = replace(full.question, cluster=smaller, global_batch_sequences=full.global_batch)
    try:
        posed = setting_of(asked)
    except InfeasibleError:
        return math.inf
    priced = ranked_layouts(posed, constants)
    best = priced.order[0]
    return float(priced.seconds[best]) if priced.fits[best] else math.inf
