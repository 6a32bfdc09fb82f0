"""A second opinion beside the physics: the share of the matmul ceiling that runs of a kind reach.

It knows no kernels and no layouts, only what kind of run it is, so where it agrees with the step-time model two
independent reasons stand behind an answer, and where they part one of the assumptions does not hold.
"""

import math
from collections.abc import Mapping

import numpy as np

from estimator.models.flops import flop_counts
from estimator.physics.ceilings import matmul_ceiling_flop_per_s
from estimator.physics.choice import Setting
from estimator.physics.effects import bit_class, release

__all__ = ["FALLING", "RISING", "needed_s", "share_features", "share_log"]

_FEW_TOKENS = 16_384.0
"""Tokens a step and device beyond which more of them make a step no more efficient."""
_MID_YEAR, _MID_SIZE, _MID_LENGTH = 2024.5, math.log(1e10), math.log(4096.0)
RISING = frozenset({"tokens per device"})
FALLING = frozenset({"devices", "distance"})
"""Features whose coefficient has a sign by reason: more work a launch never lowers the share, and more devices or a
slower network never raise it."""


def share_features(setting: Setting) -> dict[str, float]:
    """Return what tells kinds of runs apart, by name: 1 for each word that applies, and centred logs of quantities.

    Only what is known before a layout is chosen, so that the second opinion never decides between layouts.
    """
    question, stack = setting.question, setting.stack
    cluster, chip = question.cluster, question.cluster.accelerator
    per_device = min(setting.global_batch * question.sequence_length / cluster.n_gpus, _FEW_TOKENS)
    spans = cluster.spans_network
    balance = matmul_ceiling_flop_per_s(chip, "bf16") / max(cluster.scale_out_bytes_per_s, 1.0)
    features = {
        "one": 1.0,
        f"tier {stack.tier}": 1.0,
        f"stack {stack.kin}": 1.0,
        f"method {question.method.name}": 1.0,
        f"device {chip.family} {chip.segment}": 1.0,
        f"bits {bit_class(question.precision)}": 1.0,
        "tokens per device": math.log(per_device / _FEW_TOKENS),
        "devices": math.log(cluster.n_gpus),
        "distance": math.log1p(balance / 1e4) if spans else 0.0,
        "size": math.log(max(float(setting.case.shared_parameters), 1.0)) - _MID_SIZE,
        "length": math.log(question.sequence_length) - _MID_LENGTH,
        "year": release(question) - _MID_YEAR,
    }
    if question.transformer.experts is not None:
        features["experts"] = 1.0
    return features


def share_log(features: Mapping[str, float], coefficients: Mapping[str, float]) -> float:
    """Return the log of the expected share of the ceiling; words that no run had count as 0."""
    return sum(value * coefficients.get(name, 0.0) for name, value in features.items())


def needed_s(setting: Setting) -> float:
    """Return seconds per token and device at the whole ceiling: FLOPs the model needs over the device's matmul rate."""
    question = setting.question
    flop = flop_counts(question.transformer, sequence_length=question.sequence_length, method=question.method).model
    return float(np.float64(flop) / matmul_ceiling_flop_per_s(question.cluster.accelerator, question.precision))
