"""Hybrids of Mamba or Mamba-2 and attention that few layers have, or that several share: Jamba, Zamba, Zamba2."""

import math
from collections import Counter
from dataclasses import replace

from estimator.models.feed_forward import Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.hybrids.common import (
    LINEAR,
    Heads,
    automatic,
    finished,
    kinds_of_layers,
    outline,
    reading_of,
)
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.selective_scan import SelectiveScan
from estimator.models.mixers.shared_block import SharedBlock
from estimator.models.mixers.state_space import StateSpace
from estimator.models.vectors import VectorFacts

__all__ = ["jamba", "zamba", "zamba2"]

_JAMBA = {
    "num_key_value_heads": 8,
    "num_experts_per_tok": 2,
    "num_experts": 16,
    "expert_layer_period": 2,
    "expert_layer_offset": 1,
    "attn_layer_period": 8,
    "attn_layer_offset": 4,
    "mamba_d_state": 16,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
}
_ZAMBA = {
    "mamba_d_state": 16,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "n_mamba_heads": 2,
    "attn_layer_period": 6,
    "attn_layer_offset": 4,
}
_ZAMBA_2 = {
    "mamba_d_state": 64,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "mamba_ngroups": 1,
    "n_mamba_heads": 8,
    "num_mem_blocks": 1,
    "adapter_rank": 128,
    "chunk_size": 256,
}
_RANK_OF_STEP = 16
_KINDS = frozenset({LINEAR, "hybrid"})
_FIRST_SHARED, _SECOND_SHARED = 2, 7
"""Zamba's first two places, which its period does not give."""


def jamba(config: Config) -> ConfiguredModel:
    """Return Jamba: attention in one layer of a period, experts in one of another, Mamba and MLPs in the rest."""
    reading = reading_of(config, "jamba", _JAMBA)
    n_layers = reading.whole("num_hidden_layers")
    attending = _periodic(reading, "attn_layer_period", "attn_layer_offset", n_layers)
    bare = outline(reading, ffn_hidden=reading.whole("intermediate_size"))
    sparse = _periodic(reading, "expert_layer_period", "expert_layer_offset", n_layers)
    if reading.whole("num_experts") > 1 and sparse:
        experts = Experts(
            n_experts=reading.whole("num_experts"),
            top_k=reading.whole("num_experts_per_tok"),
            ffn_hidden=bare.ffn_hidden,
            layers=sparse,
        )
        bare = replace(bare, experts=experts)
    mixer = replace(_scan(reading, bare.hidden, n_layers - attending), normed=True)
    return finished(replace(bare, attention_layers=attending, mixers=(mixer,)), VectorFacts())


def zamba(config: Config) -> ConfiguredModel:
    """Return Zamba: Mamba in every layer, and before some of them one block of attention and MLP that they share."""
    reading = reading_of(config, "zamba", _ZAMBA)
    kinds = _shared_places(reading)
    hidden = reading.whole("hidden_size")
    mixer = replace(_scan(reading, hidden, reading.whole("num_hidden_layers")), heads=reading.whole("n_mamba_heads"))
    return _sharing(reading, mixer, kinds["hybrid"], blocks=1, rank=0)


def zamba2(config: Config) -> ConfiguredModel:
    """Return Zamba2: Mamba-2 in every layer, shared blocks in turn, adapters of each use on their MLPs."""
    reading = reading_of(config, "zamba2", _ZAMBA_2)
    kinds = _shared_places(reading)
    heads = reading.whole("n_mamba_heads")
    inner = reading.whole("mamba_expand") * reading.whole("hidden_size")
    mixer = StateSpace(
        layers=reading.whole("num_hidden_layers"),
        heads=heads,
        head_dim=inner // heads,
        state=reading.whole("mamba_d_state"),
        groups=reading.whole("mamba_ngroups"),
        convolution=reading.whole("mamba_d_conv"),
        chunk=reading.whole("chunk_size"),
        biased_convolution=reading.flag("use_conv_bias", default=True),
        biased=reading.flag("add_bias_linear", default=False),
    )
    blocks = min(reading.whole("num_mem_blocks"), kinds["hybrid"])
    return _sharing(reading, mixer, kinds["hybrid"], blocks=blocks, rank=reading.whole("adapter_rank"))


def _periodic(reading: Reading, period: str, offset: str, n_layers: int) -> int:
    """Return how many layers of a period's one place there are."""
    every, first = reading.whole(period), reading.optional(offset, 0)
    return sum(place % every == first for place in range(n_layers))


def _shared_places(reading: Reading) -> Counter[str]:
    """Return how many layers have the shared block before them."""
    if reading.items("layers_block_type"):
        return kinds_of_layers(reading, "layers_block_type", _KINDS)
    n_layers = reading.whole("num_hidden_layers")
    listed = reading.items("hybrid_layer_ids")
    if listed:
        return Counter({"hybrid": len(listed), LINEAR: n_layers - len(listed)})
    every, first = reading.optional("attn_layer_period", 6, least=1), reading.optional("attn_layer_offset", 4)
    shared = {_FIRST_SHARED, _SECOND_SHARED} | {
        place for place in range(_SECOND_SHARED + 1, n_layers) if place % every == first
    }
    return Counter({"hybrid": len(shared), LINEAR: n_layers - len(shared)})


def _scan(reading: Reading, hidden: int, layers: int) -> SelectiveScan:
    return SelectiveScan(
        layers=layers,
        inner=reading.whole("mamba_expand") * hidden,
        state=reading.whole("mamba_d_state"),
        step_rank=automatic(reading, "mamba_dt_rank", math.ceil(hidden / _RANK_OF_STEP)),
        convolution=reading.whole("mamba_d_conv"),
        biased_convolution=reading.flag("mamba_conv_bias", default=True),
        biased=reading.flag("mamba_proj_bias", default=False),
    )


def _sharing(reading: Reading, mixer: Mixer, uses: int, *, blocks: int, rank: int) -> ConfiguredModel:
    """Return a model of one mixer a layer, and blocks of attention and MLP that `uses` layers share."""
    hidden = reading.whole("hidden_size")
    count = reading.whole("num_attention_heads")
    kv_count = reading.optional("num_key_value_heads", count, least=1)
    width = reading.optional("attention_head_dim", 2 * hidden // count, least=1)
    block = SharedBlock(
        layers=uses,
        blocks=blocks,
        heads=count,
        kv_heads=kv_count,
        head_dim=width,
        ffn_hidden=reading.optional("intermediate_size", 4 * hidden, least=1),
        adapter_rank=rank,
        adapted_attention=reading.flag("use_shared_attention_adapter", default=False),
    )
    bare = outline(reading, tied=True, heads=Heads(count=count, kv_count=kv_count, width=width))
    bare = replace(bare, attention_layers=0, mlp_layers=0, mixers=(mixer, block))
    return finished(bare, VectorFacts(norms_per_layer=1))
