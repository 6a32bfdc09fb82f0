"""Every family of Hugging Face configurations that a table row describes, under each name it goes by."""

from collections.abc import Mapping

from estimator.models.huggingface.architectures import normal
from estimator.models.huggingface.dense_families import DENSE
from estimator.models.huggingface.expert_families import WITH_EXPERTS
from estimator.models.huggingface.family import Family
from estimator.models.huggingface.readers import READER_CLASSES

__all__ = ["FAMILIES", "stems_of"]

_BY_NAME: Mapping[str, Family] = {**DENSE, **WITH_EXPERTS}

# What a checkpoint calls itself, where it is not the family's own name.
_SAME = {
    "RefinedWeb": "falcon",
    "RefinedWebModel": "falcon",
    "Yi": "llama",
    "gemma3": "gemma3_text",
    "glm4v_moe_text": "glm4_moe",
    "exaone4_5": "exaone4_5_text",
    "glm4v": "glm4v_text",
    "glm4v_moe": "glm4_moe",
    "gpt-sw3": "gpt2",
    "llama4": "llama4_text",
    "moonlight": "deepseek_v3",
    "phi4mm": "phi4_multimodal",
    "qwen2_5_vl": "qwen2",
    "qwen2_5_vl_text": "qwen2",
    "qwen2_vl": "qwen2",
    "qwen2_vl_text": "qwen2",
    "qwen3_vl_moe_text": "qwen3_moe",
    "qwen3_vl_text": "qwen3",
    "stablelm_epoch": "stablelm",
}
FAMILIES: Mapping[str, Family] = {**_BY_NAME, **{other: _BY_NAME[family] for other, family in _SAME.items()}}
"""How to read each `model_type`."""


def stems_of(model_type: str) -> frozenset[str]:
    """Return what the names of a family's classes begin with, in normal spelling: its own names, and others'."""
    family = FAMILIES.get(model_type)
    names = {model_type.removesuffix("_text"), model_type, *READER_CLASSES.get(model_type, ())}
    if family is not None:
        names.update(family.classes)
        names.update(name.removesuffix("_text") for name, row in FAMILIES.items() if row is family)
    return frozenset(normal(name) for name in names)
