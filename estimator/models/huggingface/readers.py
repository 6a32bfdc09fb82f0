"""Families whose configurations are read by code of their own, where the table of families does not reach.

A reader takes the whole configuration, refuses what it cannot price, and returns the model with its vectors counted.
"""

from collections.abc import Callable, Mapping

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.cross_layer import read_hunyuan
from estimator.models.huggingface.gemma import read_gemma_3n, read_gemma_4
from estimator.models.huggingface.indexed_kin import read_axk2, read_dots3, read_hy_v4
from estimator.models.huggingface.irregular import read_laguna, read_longcat, read_mimo_v2, read_step
from estimator.models.huggingface.narrow import read_opt
from estimator.models.huggingface.other_attention import read_diffllama, read_jetmoe
from estimator.models.huggingface.reading import Config
from estimator.models.huggingface.searched import read_deci, read_openelm
from estimator.models.huggingface.sparse import read_deepseek_v4, read_indexed, read_minimax_m3

__all__ = ["READERS", "READER_CLASSES", "TEXT_READERS", "Reader"]

Reader = Callable[[Config], ConfiguredModel]

READERS: Mapping[str, Reader] = {}
"""Reader of a whole configuration by `model_type`, or by the class name that diffusers writes."""

TEXT_READERS: Mapping[str, Reader] = {
    "axk2": read_axk2,
    "deci": read_deci,
    "deepseek_v32": read_indexed,
    "deepseek_v4": read_deepseek_v4,
    "diffllama": read_diffllama,
    "dots3_note": read_dots3,
    "dots3_note_text": read_dots3,
    "gemma3n": read_gemma_3n,
    "gemma3n_text": read_gemma_3n,
    "gemma4": read_gemma_4,
    "gemma4_text": read_gemma_4,
    "gemma4_unified_text": read_gemma_4,
    "glm_moe_dsa": read_indexed,
    "hunyuan": read_hunyuan,
    "hy_v4": read_hy_v4,
    "jetmoe": read_jetmoe,
    "laguna": read_laguna,
    "longcat_flash": read_longcat,
    "mimo_v2": read_mimo_v2,
    "mimo_v2_flash": read_mimo_v2,
    "minimax_m3": read_minimax_m3,
    "minimax_m3_vl_text": read_minimax_m3,
    "nemotron-nas": read_deci,
    "openelm": read_openelm,
    "opt": read_opt,
    "step3p5": read_step,
    "step3p7": read_step,
}
"""Reader of a language model, alone or inside a multimodal one, by `model_type`; heads and keys of prediction modules
are read for it."""

READER_CLASSES: Mapping[str, tuple[str, ...]] = {
    "deci": ("DeciLM",),
    "minimax_m3": ("MiniMaxM3Sparse", "MiniMaxM3VL"),
    "minimax_m3_vl_text": ("MiniMaxM3VL",),
    "nemotron-nas": ("DeciLM",),
}
"""Stems of the class names that a text family goes by, where they are not its own name."""
