"""Recurrences outside matrix units: RecurrentGemma, and RWKV from its fourth version to its seventh."""

from dataclasses import replace

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.hybrids.common import Heads, attention_biases, finished, outline, reading_of
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.gated_recurrence import GatedRecurrence
from estimator.models.mixers.rwkv import Rwkv, RwkvRanks
from estimator.models.vectors import VectorFacts

__all__ = ["recurrent_gemma", "rwkv4", "rwkv5", "rwkv6", "rwkv7"]

_PATTERN = ("recurrent", "recurrent", "attention")
_EAGLE, _FINCH = 5, 6
_WIDE = 4096
"""Width from which RWKV-6 doubles its ranks."""
_RANK_ROUNDING = 32


def recurrent_gemma(config: Config) -> ConfiguredModel:
    """Return RecurrentGemma: two recurrent layers, one of local attention, over and over."""
    defaults = {"attention_window_size": 2048, "conv1d_width": 4}
    reading = reading_of(config, "recurrent_gemma", defaults)
    pattern = tuple(map(str, reading.items("block_types"))) or _PATTERN
    n_layers = reading.whole("num_hidden_layers")
    attending = sum(pattern[place % len(pattern)] == "attention" for place in range(n_layers))
    # Both halves of the gated MLP are stated together.
    bare = outline(reading, ffn_hidden=reading.whole("intermediate_size") // 2, tied=True)
    mixer = GatedRecurrence(
        layers=n_layers - attending,
        inner=reading.optional("lru_width", bare.hidden, least=1),
        heads=bare.n_heads,
        convolution=reading.whole("conv1d_width"),
    )
    bare = replace(
        bare,
        attention_layers=attending,
        windowed_layers=attending,
        sliding_window=reading.whole("attention_window_size") if attending else 0,
        mixers=(mixer,) if mixer.layers else (),
    )
    facts = replace(attention_biases(reading, VectorFacts(mlp_bias=True)), output_bias=True)
    return finished(bare, facts)


def rwkv4(config: Config) -> ConfiguredModel:
    """Return RWKV-4."""
    return _rwkv(config, 4)


def rwkv5(config: Config) -> ConfiguredModel:
    """Return RWKV-5, Eagle."""
    return _rwkv(config, 5)


def rwkv6(config: Config) -> ConfiguredModel:
    """Return RWKV-6, Finch; its ranks are those of the publishers' class, which its file does not state."""
    return _rwkv(config, 6)


def rwkv7(config: Config) -> ConfiguredModel:
    """Return RWKV-7, Goose, as flash-linear-attention writes its file; ranks left out follow from the width."""
    return _rwkv(config, 7)


def _rwkv(config: Config, version: int) -> ConfiguredModel:
    reading = reading_of(config, f"rwkv{version}", {})
    hidden = reading.whole("hidden_size")
    inner = reading.optional("attention_hidden_size", hidden, least=1)
    width = 64
    for key in ("head_size", "head_dim"):
        width = reading.optional(key, width, least=1)
    ranks = _ranks(reading, hidden, version)
    # 5 and 6 narrow their MLP by an eighth, so that their gates take no parameters.
    default = int(hidden * 3.5) // 32 * 32 if version in {_EAGLE, _FINCH} else 4 * hidden
    bare = outline(
        reading,
        ffn_hidden=reading.optional("intermediate_size", default, least=1),
        gated_mlp=False,
        heads=Heads(count=inner // width, kv_count=inner // width, width=width),
    )
    mixer = Rwkv(layers=bare.n_layers, version=version, inner=inner, head_dim=width, ranks=ranks)
    facts = VectorFacts(norm_vectors=2, outer_norms=2)
    return finished(replace(bare, attention_layers=0, mixers=(mixer,)), facts)


def _ranks(reading: Reading, hidden: int, version: int) -> RwkvRanks:
    """Return the ranks of low-rank projections; 4 and 5 have none."""
    if version == _FINCH:
        doubled = 1 if hidden < _WIDE else 2
        return RwkvRanks(mix=32 * doubled, decay=64 * doubled)
    if version < _FINCH:
        return RwkvRanks()
    return RwkvRanks(
        decay=reading.optional("decay_low_rank_dim", _rank(1.8 * hidden**0.5), least=1),
        correction=reading.optional("a_low_rank_dim", _rank(1.8 * hidden**0.5), least=1),
        value=reading.optional("v_low_rank_dim", _rank(1.3 * hidden**0.5), least=1),
        gate=reading.optional("gate_low_rank_dim", _rank(0.6 * hidden**0.8), least=1),
    )


def _rank(exact: float) -> int:
    """Return a rank as the publishers round it."""
    return max(_RANK_ROUNDING, round(exact / _RANK_ROUNDING) * _RANK_ROUNDING)
