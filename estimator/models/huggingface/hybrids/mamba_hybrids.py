"""Hybrids of Mamba-2 and attention: Bamba, Falcon-H1, Granite 4, Nemotron-H and Plamo 2."""

from collections import Counter
from dataclasses import replace

from estimator.base.errors import InvalidValueError, UnsupportedModelError, shown
from estimator.models.feed_forward import Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.hybrids.common import (
    FULL,
    LINEAR,
    attention_biases,
    automatic,
    finished,
    kinds_of_layers,
    outline,
    reading_of,
)
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.state_space import StateSpace
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts

__all__ = ["bamba", "falcon_h1", "granite_hybrid", "nemotron_h", "plamo2"]

_MAMBA = {
    "mamba_n_heads": 128,
    "mamba_n_groups": 1,
    "mamba_d_state": 256,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
    "mamba_chunk_size": 256,
}
_NEMOTRON = {
    "mamba_num_heads": 128,
    "mamba_head_dim": 64,
    "ssm_state_size": 128,
    "n_groups": 8,
    "conv_kernel": 4,
    "chunk_size": 128,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
}
_PLAMO = {
    "mamba_step": 2,
    "mamba_d_state": 64,
    "mamba_d_conv": 4,
    "mamba_num_heads": 64,
    "mamba_chunk_size": 256,
    "hidden_size_per_head": 128,
}
_LEAST_STEP_RANK, _RANK_OF_STEP = 64, 16
_KINDS = frozenset({FULL, LINEAR})
_LETTERS = {"M": LINEAR, "E": "moe", "*": FULL, "-": "mlp"}
_MODULES = {**{kind: kind for kind in _LETTERS.values()}, "mamba": LINEAR, "attention": FULL}


def bamba(config: Config) -> ConfiguredModel:
    """Return Bamba: attention in the layers that `attn_layer_indices` lists, Mamba-2 in the others."""
    reading = reading_of(config, "bamba", _MAMBA)
    n_layers = reading.whole("num_hidden_layers")
    attending = len({place for place in reading.items("attn_layer_indices") if place in range(n_layers)})
    bare = outline(reading, ffn_hidden=reading.whole("intermediate_size"))
    return _beside_attention(reading, bare, attending, n_layers - attending)


def granite_hybrid(config: Config) -> ConfiguredModel:
    """Return Granite 4, dense (its shared MLP alone) or of experts beside the shared MLP."""
    reading = reading_of(config, "granitemoehybrid", _MAMBA)
    kinds = kinds_of_layers(reading, "layer_types", _KINDS)
    width = reading.whole("shared_intermediate_size")
    bare = outline(reading, ffn_hidden=width)
    if reading.optional("num_local_experts", 8):
        experts = Experts(
            n_experts=reading.whole("num_local_experts"),
            top_k=reading.whole("num_experts_per_tok"),
            ffn_hidden=reading.whole("intermediate_size"),
            shared_ffn_hidden=width,
        )
        bare = replace(bare, experts=experts)
    return _beside_attention(reading, bare, kinds[FULL], kinds[LINEAR])


def falcon_h1(config: Config) -> ConfiguredModel:
    """Return Falcon-H1: attention and Mamba-2 side by side in each layer, behind one norm."""
    reading = reading_of(config, "falcon_h1", {**_MAMBA, "mamba_d_ssm": 1024, "num_key_value_heads": 8})
    n_layers = reading.whole("num_hidden_layers")
    bare = outline(reading, ffn_hidden=reading.whole("intermediate_size"))
    inner = reading.whole("mamba_d_ssm")
    return _beside_attention(
        reading, bare, n_layers, n_layers, inner=inner, normed=reading.flag("mamba_rms_norm", default=False)
    )


def nemotron_h(config: Config) -> ConfiguredModel:
    """Return Nemotron-H or Nemotron 3: each layer is a mixer, an MLP or experts alone, behind one norm."""
    reading = reading_of(config, "nemotron_h", _NEMOTRON)
    kinds = _pattern(reading)
    n_layers = sum(kinds.values())
    experts = None
    if kinds["moe"]:
        experts = Experts(
            n_experts=reading.whole("n_routed_experts"),
            top_k=reading.whole("num_experts_per_tok"),
            ffn_hidden=reading.whole("moe_intermediate_size"),
            shared_ffn_hidden=reading.optional("moe_shared_expert_intermediate_size", 0),
            layers=kinds["moe"],
            latent=reading.optional("moe_latent_size", 0),
        )
    mixer = StateSpace(
        layers=kinds[LINEAR],
        heads=reading.whole("mamba_num_heads"),
        head_dim=reading.whole("mamba_head_dim"),
        state=_either(reading, "ssm_state_size", "mamba_state_dim"),
        groups=_either(reading, "n_groups", "mamba_n_groups"),
        convolution=_either(reading, "conv_kernel", "mamba_d_conv"),
        chunk=_either(reading, "chunk_size", "mamba_chunk_size"),
        biased_convolution=reading.flag("use_conv_bias", default=True),
        biased=reading.flag("use_bias", default=False),
    )
    width = reading.whole("intermediate_size") if kinds["mlp"] else 0
    bare = replace(
        outline(reading, n_layers=n_layers, ffn_hidden=width, gated_mlp=False),
        experts=experts,
        attention_layers=kinds[FULL],
        mlp_layers=kinds["mlp"] + kinds["moe"],
        mixers=(mixer,) if kinds[LINEAR] else (),
    )
    facts = attention_biases(reading, VectorFacts(norms_per_layer=1, mlp_bias=reading.flag("mlp_bias", default=False)))
    return finished(bare, facts)


def plamo2(config: Config) -> ConfiguredModel:
    """Return Plamo 2: attention in one layer of a few, Mamba in the others, norms before and after both halves.

    Source: pfnet/plamo-2-8b, its own modelling code, which Transformers has not.
    """
    reading = reading_of(config, "plamo2", _PLAMO)
    n_layers, every = reading.whole("num_hidden_layers"), reading.whole("mamba_step", least=2)
    places = [place for place in range(n_layers) if place % every == every // 2]
    # Where there are too few layers for one, the last attends.
    attending = len(places) or 1
    windowed = attending - len(set(map(str, reading.items("full_attention_idx"))))
    heads, width = reading.whole("mamba_num_heads"), reading.whole("hidden_size_per_head")
    bare = outline(reading, ffn_hidden=reading.whole("intermediate_size"), tied=True)
    window = reading.optional("attention_window_size", 2048) if windowed > 0 else 0
    bare = replace(
        bare,
        head_dim=width,
        attention_layers=attending,
        sliding_window=window,
        windowed_layers=windowed if window else 0,
    )
    mixer = StateSpace(
        layers=n_layers - attending,
        heads=heads,
        head_dim=width,
        state=reading.whole("mamba_d_state"),
        groups=1,
        convolution=reading.whole("mamba_d_conv"),
        chunk=reading.whole("mamba_chunk_size"),
        biased_convolution=False,
        normed=False,
        step_rank=max(_LEAST_STEP_RANK, bare.hidden // _RANK_OF_STEP),
    )
    # Each head has its own scale of queries and keys.
    scales = (bare.n_heads + bare.n_kv_heads) * width * attending
    return finished(
        replace(bare, mixers=(mixer,) if mixer.layers else ()), VectorFacts(norms_per_layer=4), others=scales
    )


def _either(reading: Reading, key: str, other: str) -> int:
    """Return the number at `key`, or at the name that files of the other kind have for it."""
    return reading.whole(key) if reading.config.get(other) is None else reading.whole(other)


def _pattern(reading: Reading) -> Counter[str]:
    """Return how many layers there are of each kind, from the pattern of letters or the list of names."""
    letters = reading.value("hybrid_override_pattern")
    listed = reading.items("layers_block_type") or reading.items("layer_types")
    if isinstance(letters, str) and letters:
        # Some mark where pipeline stages are cut.
        kinds = [_LETTERS.get(letter, letter) for letter in letters if letter != "|"]
    elif listed:
        kinds = [_MODULES.get(str(kind), str(kind)) for kind in listed]
    else:
        raise InvalidValueError(
            "hf_config", "nemotron_h", "configuration lacks hybrid_override_pattern; give the model's whole config.json"
        )
    strange = sorted(set(kinds) - set(_LETTERS.values()))
    if strange:
        raise UnsupportedModelError(f"hf_config: layers of type {shown(strange[0])} are not modelled in this family")
    return Counter(kinds)


def _beside_attention(
    reading: Reading, bare: Transformer, attending: int, scanning: int, *, inner: int | None = None, normed: bool = True
) -> ConfiguredModel:
    """Return a model whose layers attend, scan, or do both, and all have an MLP."""
    heads = reading.whole("mamba_n_heads")
    width = (reading.whole("mamba_expand") * bare.hidden if inner is None else inner) // heads
    biased = "projectors_bias" if reading.value("projectors_bias") is not None else "mamba_proj_bias"
    mixer = StateSpace(
        layers=scanning,
        heads=heads,
        head_dim=automatic(reading, "mamba_d_head", width),
        state=reading.whole("mamba_d_state"),
        groups=reading.whole("mamba_n_groups"),
        convolution=reading.whole("mamba_d_conv"),
        chunk=reading.whole("mamba_chunk_size"),
        biased_convolution=reading.flag("mamba_conv_bias", default=True),
        biased=reading.flag(biased, default=False),
        normed=normed,
    )
    facts = attention_biases(reading, VectorFacts(mlp_bias=reading.flag("mlp_bias", default=False)))
    return finished(replace(bare, attention_layers=attending, mixers=(mixer,) if scanning else ()), facts)
