"""Families whose configurations are read by code of their own, where the table of families does not reach.

A reader takes the whole configuration, refuses what it cannot price, and returns the model with its vectors counted.
"""

from collections.abc import Callable, Mapping

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.hybrids.linear_attention import (
    bailing_hybrid,
    bailing_linear,
    kimi_linear,
    minimax,
    olmo_hybrid,
    xlstm,
)
from estimator.models.huggingface.hybrids.mamba_1_hybrids import jamba, zamba, zamba2
from estimator.models.huggingface.hybrids.mamba_hybrids import bamba, falcon_h1, granite_hybrid, nemotron_h, plamo2
from estimator.models.huggingface.hybrids.qwen import qwen3_5, qwen3_5_text, qwen3_next
from estimator.models.huggingface.hybrids.recurrences import recurrent_gemma, rwkv4, rwkv5, rwkv6, rwkv7
from estimator.models.huggingface.hybrids.short_convolutions import lfm2, lfm2_moe, lfm3
from estimator.models.huggingface.hybrids.state_spaces import falcon_mamba, mamba, mamba2, mamba_ssm
from estimator.models.huggingface.reading import Config

__all__ = ["MARKED", "READERS", "Reader"]

Reader = Callable[[Config], ConfiguredModel]

READERS: Mapping[str, Reader] = {
    "bailing_hybrid": bailing_hybrid,
    "bailing_moe_linear": bailing_linear,
    "bailing_moe_linear_v2": bailing_linear,
    "bamba": bamba,
    "falcon_h1": falcon_h1,
    "falcon_mamba": falcon_mamba,
    "granitemoehybrid": granite_hybrid,
    "jamba": jamba,
    "kimi_linear": kimi_linear,
    "lfm2": lfm2,
    "lfm2_moe": lfm2_moe,
    "lfm3": lfm3,
    "mamba": mamba,
    "mamba2": mamba2,
    "minimax": minimax,
    "minimax_m1": minimax,
    "minimax_text_01": minimax,
    "nemotron_h": nemotron_h,
    "olmo_hybrid": olmo_hybrid,
    "plamo2": plamo2,
    "qwen3_5": qwen3_5,
    "qwen3_5_moe": qwen3_5,
    "qwen3_5_moe_text": qwen3_5_text,
    "qwen3_5_text": qwen3_5_text,
    "qwen3_next": qwen3_next,
    "recurrent_gemma": recurrent_gemma,
    "rwkv": rwkv4,
    "rwkv5": rwkv5,
    "rwkv6": rwkv6,
    "rwkv7": rwkv7,
    "xlstm": xlstm,
    "zamba": zamba,
    "zamba2": zamba2,
}
"""Reader by `model_type`, or by the class name that diffusers writes."""
MARKED: Mapping[str, Reader] = {"ssm_cfg": mamba_ssm}
"""Reader of files that state no family, by a key that only such have."""
