"""Families whose configurations are read by code of their own, where the table of families does not reach.

A reader takes the whole configuration, refuses what it cannot price, and returns the model with its vectors counted.
"""

from collections.abc import Callable, Mapping

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config

__all__ = ["READERS", "READER_CLASSES", "TEXT_READERS", "Reader"]

Reader = Callable[[Config], ConfiguredModel]

READERS: Mapping[str, Reader] = {}
"""Reader of a whole configuration by `model_type`, or by the class name that diffusers writes."""

TEXT_READERS: Mapping[str, Reader] = {}
"""Reader of a language model, alone or inside a multimodal one, by `model_type`; heads and keys of prediction modules
are read for it."""

READER_CLASSES: Mapping[str, tuple[str, ...]] = {}
"""Stems of the class names that a text family goes by, where they are not its own name."""
