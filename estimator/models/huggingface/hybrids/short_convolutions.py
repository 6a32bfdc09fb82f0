"""LFM2 and its kin: gated short convolutions in most layers, attention in the others."""

from dataclasses import replace

from estimator.models.feed_forward import Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.hybrids.common import (
    FULL,
    LINEAR,
    factor,
    finished,
    kinds_of_layers,
    outline,
    reading_of,
)
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.convolution import ShortConvolution
from estimator.models.vectors import VectorFacts

__all__ = ["lfm2", "lfm2_moe", "lfm3"]

_SHARED = {"num_key_value_heads": 8, "conv_L_cache": 3}
_WINDOWED = "sliding_attention"


def lfm2(config: Config) -> ConfiguredModel:
    """Return LFM2, whose MLP's width is worked out from a wider one."""
    reading = reading_of(config, "lfm2", _SHARED)
    width = reading.whole("block_ff_dim" if reading.value("block_ff_dim") is not None else "intermediate_size")
    if reading.flag("block_auto_adjust_ff_dim", default=True):
        width = _adjusted(reading, width)
    return _read(reading, width, None)


def lfm2_moe(config: Config) -> ConfiguredModel:
    """Return LFM2 with experts in all layers but the first few."""
    reading = reading_of(config, "lfm2_moe", _SHARED)
    experts = Experts(
        n_experts=reading.whole("num_experts"),
        top_k=reading.whole("num_experts_per_tok"),
        ffn_hidden=reading.whole("moe_intermediate_size"),
        first_dense_layers=reading.optional("num_dense_layers", 2),
    )
    return _read(reading, reading.whole("intermediate_size"), experts)


def lfm3(config: Config) -> ConfiguredModel:
    """Return LFM3: longer filters, windows, norms on both sides, and a gate of each head."""
    defaults = {"num_key_value_heads": 4, "conv_L_cache": 7, "head_dim": 128, "sliding_window": 256}
    reading = reading_of(config, "lfm3", defaults)
    read = _read(reading, reading.whole("intermediate_size"), None, norms=4)
    bare = read.transformer
    if not reading.flag("use_attention_gate", default=True):
        return read
    # A gate of each head is a matrix, but one so thin that it counts among the vectors.
    gates = bare.n_heads * bare.hidden * bare.n_attention_layers
    return finished(bare, read.vectors, others=gates)


def _adjusted(reading: Reading, width: int) -> int:
    """Return two thirds of `width`, times a factor, rounded up to a multiple (`Lfm2MLP` of Transformers)."""
    multiple = reading.optional("block_multiple_of", 256, least=1)
    narrow = int(factor(reading, "block_ffn_dim_multiplier", 1.0) * int(2 * width / 3))
    return -(-narrow // multiple) * multiple


def _read(reading: Reading, width: int, experts: Experts | None, *, norms: int = 2) -> ConfiguredModel:
    n_layers = reading.whole("num_hidden_layers")
    if reading.items("layer_types"):
        kinds = kinds_of_layers(reading, "layer_types", frozenset({FULL, LINEAR, _WINDOWED}))
        attending, windowed = kinds[FULL] + kinds[_WINDOWED], kinds[_WINDOWED]
    else:
        attending, windowed = len(reading.items("full_attn_idxs")) or n_layers, 0
    tied = reading.flag("tie_embedding", default=True)
    mixer = ShortConvolution(
        layers=n_layers - attending,
        taps=reading.whole("conv_L_cache"),
        biased=reading.flag("conv_bias", default=False),
    )
    bare = replace(
        outline(reading, ffn_hidden=width, tied=tied),
        experts=experts,
        attention_layers=attending,
        windowed_layers=windowed,
        sliding_window=reading.whole("sliding_window") if windowed else 0,
        mixers=(mixer,) if mixer.layers else (),
    )
    return finished(bare, VectorFacts(qk_norm="head", norms_per_layer=norms))
