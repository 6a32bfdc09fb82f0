"""Read families that have an indexer beside more of their own: Hy-V4, dots3, A.X K2.

Sources: their configuration classes and models in `transformers` 5.24.
"""

from dataclasses import replace

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.expert_layers import experts_of
from estimator.models.huggingface.family import DEEPSEEK_EXPERTS
from estimator.models.huggingface.keys import LATENT_KEYS, refuse_unknown
from estimator.models.huggingface.layered import kinds_of_layers, layered_model
from estimator.models.huggingface.reading import Config, Reading, inside
from estimator.models.huggingface.sparse import (
    EXPERT_KEYS,
    INDEX_KEYS,
    expert_layers_held,
    indexer_of,
)
from estimator.models.huggingface.standard import latent_attention
from estimator.models.mixers.given import Given
from estimator.models.mixers.mixer import Mixer, Operations
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.operations import Gemm, Stream
from estimator.models.vectors import VectorFacts

__all__ = ["read_axk2", "read_dots3", "read_hy_v4"]

_READ = (*EXPERT_KEYS, *INDEX_KEYS, *LATENT_KEYS)
_DEFAULTS: Config = {"first_k_dense_replace": 1, "n_shared_experts": 1, "moe_layer_freq": 1}


def read_hy_v4(config: Config) -> ConfiguredModel:
    """Return a Hy-V4: gated latent attention with sinks to selected keys, residual streams that are mixed."""
    refuse_unknown(config, "hy_v4", (*_READ, "hc_mult", "hc_magnitude", "hc_eps", "learnable_sink_init"))
    reading = _reading(config, "hy_v4")
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    layer = _layer(reading, gated=True)
    layer = replace(layer, own_vectors=layer.heads)
    usual = ["shared" if layer_index and (layer_index - 1) % 4 else "full" for layer_index in range(n_layers)]
    indexers = kinds_of_layers(reading, "indexer_types", n_layers, usual)
    streams = reading.optional("hc_mult", 4, least=1)
    mixed = Given(
        given=Operations(
            gemms=(
                _gemm("stream_weights", streams * hidden, 2 * streams, 2 * n_layers),
                _gemm("stream_gather", streams * hidden, streams, 1),
            ),
            streams=(Stream(name="residual", width=(streams - 1) * hidden, layers=n_layers, shard="sequence"),),
        ),
        own_vectors=2 * n_layers * (2 * streams + 2) + streams + 1,
    )
    return _model(reading, [layer] * n_layers, (indexer_of(reading, indexers.count("full")), mixed), sinks=True)


def read_dots3(config: Config) -> ConfiguredModel:
    """Return a dots3: layers with an indexer, and sliding ones with ranks of their own; a gate of each head."""
    refuse_unknown(
        config, "dots3_note", (*_READ, "per_layer_config", "shared_experts_intermediate_size", "sliding_window")
    )
    reading = _reading(config, "dots3_note")
    n_layers = reading.whole("num_hidden_layers")
    kinds = kinds_of_layers(reading, "layer_types", n_layers, ["indexed_attention"] * n_layers)
    own = reading.value("per_layer_config")
    layers: list[SoftmaxAttention] = []
    for number, kind in enumerate(kinds):
        inner = inside(own, f"{number:02d}") or inside(own, str(number))
        layer = replace(_layer(replace(reading, config={**config, **inner})), head_gates=True)
        layer = replace(layer, own_vectors=reading.whole("qk_rope_head_dim"))
        if kind == "sliding_attention":
            layer = replace(layer, selected=0, window=reading.whole("sliding_window"))
        layers.append(layer)
    return _model(reading, layers, (indexer_of(reading, kinds.count("indexed_attention")),))


def read_axk2(config: Config) -> ConfiguredModel:
    """Return an A.X K2: queries and a gate projected from both low ranks, norms that a narrow MLP scales."""
    refuse_unknown(config, "axk2", (*_READ, "gated_norm_rank"))
    reading = _reading(config, "axk2")
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    layer, rank = _layer(reading), reading.whole("gated_norm_rank")
    latent = latent_attention(reading)
    gate = layer.heads * latent.value_head_dim
    experts = experts_of(reading, DEEPSEEK_EXPERTS, n_layers)
    norms = n_layers + expert_layers_held(experts, n_layers)
    low = latent.query_rank
    beside = Given(
        given=Operations(
            gemms=(
                _gemm("norm_down", hidden, rank, norms),
                _gemm("norm_up", rank, hidden, norms),
                # Queries see the gate's low rank too, and the gate the queries'.
                _gemm("query_gate", low, layer.heads * layer.head_dim, n_layers),
                _gemm("gate_up", 2 * low, gate, n_layers),
            )
        )
    )
    return _model(reading, [layer] * n_layers, (indexer_of(reading, n_layers), beside))


def _reading(config: Config, model_type: str) -> Reading:
    return Reading(
        config=config,
        defaults=_DEFAULTS,
        model_type=model_type,
        aliases={"n_routed_experts": ("num_local_experts",)},
    )


def _layer(reading: Reading, *, gated: bool = False) -> SoftmaxAttention:
    latent, heads = latent_attention(reading), reading.whole("num_attention_heads")
    return SoftmaxAttention(
        layers=1,
        heads=heads,
        kv_heads=heads,
        head_dim=latent.nope_head_dim + latent.rope_head_dim,
        latent=latent,
        gated=gated,
        selected=reading.whole("index_topk"),
    )


def _model(
    reading: Reading, layers: list[SoftmaxAttention], mixers: tuple[Mixer, ...], *, sinks: bool = False
) -> ConfiguredModel:
    n_layers = len(layers)
    experts = experts_of(reading, DEEPSEEK_EXPERTS, n_layers)
    held = expert_layers_held(experts, n_layers)
    return layered_model(
        reading,
        attention=layers,
        widths=[reading.whole("intermediate_size")] * (n_layers - held),
        facts=VectorFacts(router_bias=True),
        experts=None if experts is None else replace(experts, layers=held),
        mixers=mixers,
        sinks=sinks,
    )


def _gemm(name: str, inputs: int, outputs: int, layers: int) -> Gemm:
    return Gemm(name=name, part="mlp", inputs=inputs, outputs=outputs, layers=layers)
