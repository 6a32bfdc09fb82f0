"""Unlike accelerators in one run."""

from dataclasses import dataclass

from estimator.question.cluster import Accelerator

__all__ = ["Pool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Some of a run's devices, which are alike."""

    accelerator: Accelerator
    count: int
