"""A model as it was read from a configuration."""

from collections.abc import Callable
from dataclasses import dataclass, field

from estimator.models.huggingface.reading import Config
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts

__all__ = ["ConfiguredModel", "Read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredModel:
    """A model read from a configuration, and what was decided in reading it."""

    transformer: Transformer
    vectors: VectorFacts = field(default_factory=VectorFacts)
    notes: tuple[str, ...] = ()


Read = Callable[[Config], ConfiguredModel]
"""What reads a configuration, whatever its family: readers of models that hold another one are given it."""
