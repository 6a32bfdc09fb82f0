"""A model as it was read from a configuration."""

from dataclasses import dataclass, field

from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts

__all__ = ["ConfiguredModel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredModel:
    """A model read from a configuration, and what was decided in reading it."""

    transformer: Transformer
    vectors: VectorFacts = field(default_factory=VectorFacts)
    notes: tuple[str, ...] = ()
