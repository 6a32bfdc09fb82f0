"""Global batches: the usual one of a model on a cluster, and those near a batch that more replicas can share."""

import math
from dataclasses import replace

from estimator.models.workload import workload
from estimator.physics.stacks import stack_of
from estimator.question.question import Question

__all__ = ["batch_shared_by_more", "global_batch_sequences", "nearest_batch"]

_TOKENS_PER_STEP = ((1e9, 0.5e6), (4e9, 1e6), (3e10, 4e6), (2e11, 8e6), (6e11, 16e6), (float("inf"), 60e6))
"""Usual tokens a step by parameters (Brown et al. 2020, table 2.1; Touvron et al. 2023; Grattafiori et al. 2024;
DeepSeek-AI 2024)."""
_MOST_EACH = 16.0
"""Usual sequences of a device at most: a few devices train with a few sequences each."""
_AS_USUAL = 0.25
"""How far from the usual batch one may lie that all devices, or half of them, share evenly. With a third, one device
more could halve it."""
_NEAR = 1 / 16
"""How far from a stated batch one may lie that stands in its place: it trains the same."""


def global_batch_sequences(question: Question) -> int:
    """Return the global batch in sequences: as given, or a usual one for the size of model and cluster.

    Large clusters train with the tokens a step that models of the size use, rounded so that as many devices as can
    have equally many sequences, or a power of two of them one. Stacks that split no model give every device a sequence
    at least.
    """
    if question.global_batch_sequences is not None:
        return question.global_batch_sequences
    n = question.cluster.n_gpus
    micro = question.layout.micro_batch_size or 1
    size = float(workload(question.transformer).parameters)
    tokens = next(tokens for limit, tokens in _TOKENS_PER_STEP if size <= limit)
    usual = min(tokens / question.sequence_length, _MOST_EACH * n)
    least = n
    if stack_of(question.framework, question.cluster.accelerator, n).model_parallel:
        whole = question.layout.tensor_parallel is not None and question.layout.pipeline_parallel is not None
        least = _replicas(question) if whole else 1
    share = n
    while True:
        batch = max(1, round(usual / (share * micro))) * share * micro
        if share % 2 or share // 2 % least or abs(batch / usual - 1.0) <= _AS_USUAL:
            return batch
        share //= 2


def nearest_batch(question: Question) -> Question:
    """Return `question` with the global batch nearest to its own that its stated layout divides."""
    unit = _replicas(question) * (question.layout.micro_batch_size or 1)
    batch = max(1, round((question.global_batch_sequences or unit) / unit)) * unit
    return replace(question, global_batch_sequences=batch)


def batch_shared_by_more(question: Question) -> int | None:
    """Return the batch near a stated one that most replicas can share; None where that is the stated one."""
    batch = question.global_batch_sequences
    micro = question.layout.micro_batch_size or 1
    replicas = _replicas(question)
    if batch is None or batch % (replicas * micro) == 0:
        return None
    least, most = math.ceil(batch * (1.0 - _NEAR) / micro), math.floor(batch * (1.0 + _NEAR) / micro)
    for share in (share for share in range(replicas, 1, -1) if replicas % share == 0):
        multiple = round(batch / (share * micro))
        if multiple and least <= share * multiple <= most:
            nearest = share * multiple * micro
            return None if nearest == batch else nearest
    return None


def _replicas(question: Question) -> int:
    """Return the most replicas that the stated part of a layout leaves room for."""
    layout = question.layout
    split = (layout.tensor_parallel or 1) * (layout.pipeline_parallel or 1) * (layout.context_parallel or 1)
    return max(1, question.cluster.n_gpus // split)
