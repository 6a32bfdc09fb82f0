"""Tokens of the device that the others wait for: its samples are the longest, or its experts have most to do."""

import numpy as np

from estimator.physics.case import BROADCAST, Case, is_anywhere
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts
from estimator.question.question import ZERO_STAGES

__all__ = ["busiest_share", "longest_tokens"]

_MEETS_EACH_MICRO_BATCH = float(ZERO_STAGES.index("zero2"))
"""ZeRO stage from which on devices meet in every micro-batch: to gather weights, or to reduce what they own of the
gradients. Below it, they meet once a step, and what one had too much of it may have had too little of before."""


def longest_tokens(case: Case, lay: Layouts) -> BROADCAST:
    """Return the tokens of a micro-batch on the device with most of them, shape (L,).

        tokens · (1 + u · ln(replicas) / sqrt(micro-batches between two meetings))

    u: by what share the longest of n micro-batches becomes longer with each e-fold of n; of log-normal lengths it grows
    about with ln n. The mean of several differs from device to device by one over the root of their number. Tensor
    ranks and stages of a replica have the same samples.
    """
    tokens = lay.micro_batch * case.sequence_length / lay.context
    if not is_anywhere(case.unevenness):
        return tokens
    alone = lay.micro_batches**-0.5
    meeting = np.where(lay.shard_stage >= _MEETS_EACH_MICRO_BATCH, 1.0, alone)
    return tokens * (1.0 + case.unevenness * np.log(lay.data) * meeting)


def busiest_share(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return the routed tokens of the rank with most of them over the mean of its expert-parallel group, shape (L,).

        1 + u · (1 − 1/ranks)      1 where each expert is made to get as many, as benchmarks do, or drops the rest

    One rank has them all, and no other to wait for. Of many the busiest is busier, but each holds fewer experts then.
    """
    if not is_anywhere(case.free_routing):
        return 1.0
    return 1.0 + constants["routing_unevenness"] * case.free_routing * (1.0 - 1.0 / lay.expert)
