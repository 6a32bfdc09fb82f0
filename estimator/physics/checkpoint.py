"""Bytes of a checkpoint: weights alone, or with all that the optimizer needs to go on."""

from dataclasses import dataclass

from estimator.models.training import WITH_ADAPTERS
from estimator.physics.choice import posed_case
from estimator.physics.execution import execution_of
from estimator.physics.holding import saved_bytes
from estimator.physics.stacks import Stack
from estimator.question.question import Question

__all__ = ["CheckpointBytes", "checkpoint_bytes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointBytes:
    """Bytes of one checkpoint over all files."""

    weights: float
    """What a model is used with: of adapters they alone, else all weights, frozen ones among them."""
    states: float
    """The same with what the optimizer has for each trained weight."""


def checkpoint_bytes(question: Question, stack: Stack) -> CheckpointBytes:
    """Return the bytes of a checkpoint of `question` as `stack` trains it.

        weights · 2 + trained weights · (4 in FP32 + 8 of AdamW's moments) = 14 a weight of full training in 16 bit

    Source: Rajbhandari et al. 2020, section 3.1. PEFT saves adapters without their base.
    """
    execution = execution_of(question, stack)
    case = posed_case(question, execution)
    weights = float(case.shared_parameters + case.expert_parameters)
    trained = float(case.trained_share) * weights
    adapters = question.method.name in WITH_ADAPTERS
    weight, states = saved_bytes(execution, question.precision, adapters=adapters)
    kept = (trained if adapters else weights) * weight
    return CheckpointBytes(weights=kept, states=kept + trained * (states - weight))
