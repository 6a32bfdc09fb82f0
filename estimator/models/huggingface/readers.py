"""Families whose configurations are read by code of their own, where the table of families does not reach.

A reader takes the whole configuration, refuses what it cannot price, and returns the model with its vectors counted.
"""

from collections.abc import Callable, Mapping

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.hybrids.qwen import qwen3_5, qwen3_5_text, qwen3_next
from estimator.models.huggingface.reading import Config

__all__ = ["READERS", "Reader"]

Reader = Callable[[Config], ConfiguredModel]

READERS: Mapping[str, Reader] = {
    "qwen3_5": qwen3_5,
    "qwen3_5_moe": qwen3_5,
    "qwen3_5_moe_text": qwen3_5_text,
    "qwen3_5_text": qwen3_5_text,
    "qwen3_next": qwen3_next,
}
"""Reader by `model_type`, or by the class name that diffusers writes."""
