"""Mamba and Mamba-2: state spaces alone, in every layer."""

import math
from dataclasses import replace

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.hybrids.common import Heads, automatic, finished, outline, reading_of
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.selective_scan import SelectiveScan
from estimator.models.mixers.state_space import StateSpace
from estimator.models.vectors import VectorFacts

__all__ = ["falcon_mamba", "mamba", "mamba2", "mamba_ssm"]

_MAMBA = {"state_size": 16, "conv_kernel": 4, "expand": 2}
_MAMBA_2 = {"state_size": 128, "conv_kernel": 4, "expand": 2, "n_groups": 8, "chunk_size": 256, "head_dim": 64}
_RANK_OF_STEP = 16
"""The model's width over the rank of its steps, where that is left to the program."""
_OWN_HEAD_DIM = 64


def mamba(config: Config) -> ConfiguredModel:
    """Return Mamba."""
    return _mamba_1(reading_of(config, "mamba", _MAMBA))


def falcon_mamba(config: Config) -> ConfiguredModel:
    """Return Falcon-Mamba; its norms of step, B and C have no parameters."""
    return _mamba_1(reading_of(config, "falcon_mamba", _MAMBA))


def mamba2(config: Config) -> ConfiguredModel:
    """Return Mamba-2."""
    reading = reading_of(config, "mamba2", _MAMBA_2)
    heads = reading.whole("num_heads")
    width = reading.whole("head_dim")
    mixer = StateSpace(
        layers=reading.whole("num_hidden_layers"),
        heads=heads,
        head_dim=width,
        state=reading.whole("state_size"),
        groups=reading.whole("n_groups"),
        convolution=reading.whole("conv_kernel"),
        chunk=reading.whole("chunk_size"),
        biased_convolution=reading.flag("use_conv_bias", default=True),
        biased=reading.flag("use_bias", default=False),
    )
    return _alone(reading, mixer, Heads(count=heads, kv_count=heads, width=width), tied=False)


def mamba_ssm(config: Config) -> ConfiguredModel:
    """Return a model of the authors' own package, which states little but widths and layers."""
    own = nested(config, "ssm_cfg") or {}
    multiple = config.get("pad_vocab_size_multiple", 1)
    vocab = config.get("vocab_size")
    if not isinstance(vocab, int) or not isinstance(multiple, int) or multiple < 1:
        raise InvalidValueError("hf_config.vocab_size", vocab, "must be a whole number")
    shared = {
        "hidden_size": config.get("d_model"),
        "num_hidden_layers": config.get("n_layer"),
        "vocab_size": -(-vocab // multiple) * multiple,
        "tie_word_embeddings": config.get("tie_embeddings", True),
        "state_size": own.get("d_state"),
        "conv_kernel": own.get("d_conv"),
        "expand": own.get("expand"),
    }
    if own.get("layer") != "Mamba2":
        return mamba(shared)
    reading = reading_of(shared, "mamba2", _MAMBA_2)
    inner = reading.whole("expand") * reading.whole("hidden_size")
    width = own.get("headdim", _OWN_HEAD_DIM)
    heads = inner // width if isinstance(width, int) and width > 0 else None
    return mamba2({**shared, "head_dim": width, "num_heads": heads, "n_groups": own.get("ngroups", 1)})


def _mamba_1(reading: Reading) -> ConfiguredModel:
    hidden = reading.whole("hidden_size")
    mixer = SelectiveScan(
        layers=reading.whole("num_hidden_layers"),
        inner=_inner(reading, hidden),
        state=reading.whole("state_size"),
        step_rank=automatic(reading, "time_step_rank", math.ceil(hidden / _RANK_OF_STEP)),
        convolution=reading.whole("conv_kernel"),
        biased_convolution=reading.flag("use_conv_bias", default=True),
        biased=reading.flag("use_bias", default=False),
    )
    # Channels are independent, so that tensor parallelism may divide them however it likes.
    heads = Heads(count=hidden // _OWN_HEAD_DIM or 1, kv_count=hidden // _OWN_HEAD_DIM or 1, width=_OWN_HEAD_DIM)
    return _alone(reading, mixer, heads, tied=True)


def _inner(reading: Reading, hidden: int) -> int:
    """Return the inner width; some files state a factor that their width contradicts, which the width overrides."""
    return reading.optional("intermediate_size", reading.whole("expand") * hidden, least=1)


def _alone(reading: Reading, mixer: Mixer, heads: Heads, *, tied: bool) -> ConfiguredModel:
    """Return a model of one mixer a layer, with one norm before it, and no MLP."""
    bare = replace(outline(reading, tied=tied, heads=heads), attention_layers=0, mlp_layers=0, mixers=(mixer,))
    return finished(bare, VectorFacts(norms_per_layer=1))
