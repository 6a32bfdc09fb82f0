"""Read families with learned sparse attention: DeepSeek-V3.2 and its kin, DeepSeek-V4, MiniMax-M3.

Sources: their configuration classes and models in `transformers` 5.24.
"""

from dataclasses import replace
from typing import cast

from estimator.base.errors import InvalidValueError, UnsupportedModelError, shown
from estimator.models.feed_forward import Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.expert_layers import experts_of
from estimator.models.huggingface.family import DEEPSEEK_EXPERTS, ExpertKeys
from estimator.models.huggingface.keys import LATENT_KEYS, refuse_unknown
from estimator.models.huggingface.layered import kinds_of_layers, layered_model
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.standard import latent_attention
from estimator.models.mixers.given import Given
from estimator.models.mixers.indexed import CompressedAttention, Indexer
from estimator.models.mixers.mixer import Mixer, Operations
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.operations import Gemm, Stream
from estimator.models.vectors import VectorFacts

__all__ = [
    "EXPERT_KEYS",
    "INDEX_KEYS",
    "expert_layers_held",
    "indexer_of",
    "read_deepseek_v4",
    "read_indexed",
    "read_minimax_m3",
]

EXPERT_KEYS = (
    "n_routed_experts",
    "num_local_experts",
    "num_experts_per_tok",
    "n_shared_experts",
    "moe_intermediate_size",
    "first_k_dense_replace",
    "moe_layer_freq",
    "mlp_layer_types",
)
INDEX_KEYS = ("index_topk", "index_head_dim", "index_n_heads", "indexer_types", "qk_head_dim")
_KNOWN_V4 = (
    *EXPERT_KEYS,
    *INDEX_KEYS,
    "compress_rates",
    "compress_ratios",
    "compress_rope_theta",
    "hc_eps",
    "hc_mult",
    "hc_sinkhorn_iters",
    "num_hash_layers",
    "o_groups",
    "o_lora_rank",
    "q_lora_rank",
    "qk_rope_head_dim",
    "sliding_window",
)
_KNOWN_M3 = (
    *INDEX_KEYS,
    "dense_intermediate_size",
    "index_block_size",
    "index_local_blocks",
    "index_topk_blocks",
    "mlp_layer_types",
    "moe_layer_freq",
    "num_experts_per_tok",
    "num_local_experts",
    "num_experts",
    "shared_intermediate_size",
    "sparse_attention_config",
    "use_qk_norm",
    "qk_norm_type",
)
_ALIASES = {"n_routed_experts": ("num_local_experts",)}


def read_indexed(config: Config) -> ConfiguredModel:
    """Return a model with latent attention to the keys that an indexer selects (DeepSeek-V3.2, GLM-5).

    A layer whose `indexer_types` is `shared` uses the selection of the last that has an indexer.
    """
    model_type = str(config.get("model_type", "deepseek_v32"))
    refuse_unknown(config, model_type, (*EXPERT_KEYS, *INDEX_KEYS, *LATENT_KEYS))
    defaults = {"first_k_dense_replace": 3, "n_shared_experts": 1, "moe_layer_freq": 1}
    reading = Reading(config=config, defaults=defaults, model_type=model_type, aliases=_ALIASES)
    n_layers = reading.whole("num_hidden_layers")
    latent = latent_attention(reading)
    experts = experts_of(reading, DEEPSEEK_EXPERTS, n_layers)
    layer = SoftmaxAttention(
        layers=n_layers,
        heads=reading.whole("num_attention_heads"),
        kv_heads=reading.whole("num_attention_heads"),
        head_dim=latent.nope_head_dim + latent.rope_head_dim,
        latent=latent,
        selected=reading.whole("index_topk"),
    )
    kinds = kinds_of_layers(reading, "layer_types", n_layers, ["indexed_attention"] * n_layers)
    other = next((kind for kind in kinds if kind != "indexed_attention"), None)
    if other is not None:
        raise UnsupportedModelError(f"hf_config.layer_types: {shown(other)} beside indexed attention is not modelled")
    indexers = kinds_of_layers(reading, "indexer_types", n_layers, ["full"] * n_layers)
    indexer = indexer_of(reading, indexers.count("full"))
    dense = n_layers - expert_layers_held(experts, n_layers)
    return layered_model(
        reading,
        attention=[replace(layer, layers=1)] * n_layers,
        widths=[reading.whole("intermediate_size")] * dense,
        facts=VectorFacts(router_bias=True),
        experts=None if experts is None else replace(experts, layers=expert_layers_held(experts, n_layers)),
        mixers=(indexer,),
    )


def read_deepseek_v4(config: Config) -> ConfiguredModel:
    """Return DeepSeek-V4: near keys and compressed far ones, hyper-connections, experts in every layer."""
    refuse_unknown(config, "deepseek_v4", _KNOWN_V4)
    defaults: Config = {"n_shared_experts": 1, "hc_mult": 4, "intermediate_size": config.get("moe_intermediate_size")}
    reading = Reading(config=config, defaults=defaults, model_type="deepseek_v4", aliases=_ALIASES)
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    rates = _rates(reading, n_layers)
    near = CompressedAttention(
        layers=1,
        heads=reading.whole("num_attention_heads"),
        head_dim=reading.whole("head_dim"),
        query_rank=reading.whole("q_lora_rank"),
        output_groups=reading.whole("o_groups"),
        output_rank=reading.whole("o_lora_rank"),
        window=reading.whole("sliding_window"),
    )
    sparse = min((rate for rate in rates if rate), default=0)
    mixers: list[Mixer] = []
    for rate in sorted(set(rates)):
        kind = replace(near, layers=rates.count(rate), rate=rate)
        if rate and rate == sparse and _selects(reading, rate, max(rates)):
            kind = replace(
                kind,
                overlapping=True,
                selected=reading.whole("index_topk"),
                index_heads=reading.whole("index_n_heads"),
                index_head_dim=reading.whole("index_head_dim"),
            )
        mixers.append(kind)
    keys = replace(DEEPSEEK_EXPERTS, first_dense="", step="")
    experts = experts_of(reading, keys, n_layers)
    return layered_model(
        reading,
        attention=(),
        widths=(),
        facts=VectorFacts(),
        experts=None if experts is None else replace(experts, layers=expert_layers_held(experts, n_layers)),
        mixers=(*mixers, _hyper_connections(reading, hidden, n_layers)),
        sinks=True,
    )


def read_minimax_m3(config: Config) -> ConfiguredModel:
    """Return MiniMax-M3's language model: grouped queries, and in sparse layers an indexer of blocks of keys."""
    refuse_unknown(config, "minimax_m3_vl_text", _KNOWN_M3)
    reading = Reading(config=_flat(config), defaults={}, model_type="minimax_m3_vl_text")
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    kinds = kinds_of_layers(reading, "layer_types", n_layers, ["full_attention"] * n_layers)
    other = next((kind for kind in kinds if kind not in ("full_attention", "minimax_m3_sparse")), None)
    if other is not None:
        raise UnsupportedModelError(f"hf_config.layer_types: {shown(other)} in a MiniMax-M3 is not modelled here")
    head_dim = reading.whole("head_dim")
    full = SoftmaxAttention(
        layers=1,
        heads=reading.whole("num_attention_heads"),
        kv_heads=reading.whole("num_key_value_heads"),
        head_dim=head_dim,
        own_vectors=2 * head_dim,
    )
    mixers: tuple[Mixer, ...] = ()
    selected = 0
    if "minimax_m3_sparse" in kinds:
        selected = reading.whole("index_topk_blocks") * reading.whole("index_block_size")
        width = reading.whole("index_head_dim")
        mixers = (
            Indexer(
                indexed_layers=kinds.count("minimax_m3_sparse"),
                heads=reading.whole("index_n_heads"),
                head_dim=width,
                query_inputs=hidden,
                weighs=False,
                own_vectors=2 * width,
            ),
        )
    keys = ExpertKeys(shared_ffn="shared_intermediate_size", step="moe_layer_freq")
    experts = experts_of(reading, keys, n_layers)
    sparse_layers = expert_layers_held(experts, n_layers)
    return layered_model(
        reading,
        attention=[replace(full, selected=0 if kind == "full_attention" else selected) for kind in kinds],
        widths=[reading.whole("dense_intermediate_size")] * (n_layers - sparse_layers),
        facts=VectorFacts(router_bias=True),
        experts=None if experts is None else replace(experts, layers=sparse_layers),
        mixers=mixers,
    )


def indexer_of(reading: Reading, layers: int) -> Indexer:
    """Return the indexer of so many layers, its queries projected from the low rank of the model's own."""
    width = reading.whole("index_head_dim")
    return Indexer(
        indexed_layers=layers,
        heads=reading.whole("index_n_heads"),
        head_dim=width,
        query_inputs=latent_attention(reading).query_rank or reading.whole("hidden_size"),
        own_vectors=2 * width,
    )


def expert_layers_held(experts: Experts | None, n_layers: int) -> int:
    """Return how many layers have experts."""
    if experts is None:
        return 0
    if experts.layers is not None:
        return experts.layers
    return (n_layers - experts.first_dense_layers) // experts.layer_step


def _rates(reading: Reading, n_layers: int) -> list[int]:
    """Return how many tokens a compressed key stands for in each layer, 0 where there are none."""
    listed = reading.items("compress_ratios")
    if listed:
        if len(listed) < n_layers or not all(type(rate) is int and rate >= 0 for rate in listed):
            raise InvalidValueError("hf_config.compress_ratios", len(listed), f"must be {n_layers} whole numbers")
        return [rate for rate in listed if isinstance(rate, int)][:n_layers]
    stated = nested(reading.config, "compress_rates")
    by_kind = {"compressed_sparse_attention": 4, "heavily_compressed_attention": 128, "sliding_attention": 0}
    if stated is not None:
        inner = Reading(config=stated, defaults=by_kind, model_type=reading.model_type)
        by_kind.update({kind: inner.whole(kind, least=0) for kind in by_kind})
    usual = ["heavily_compressed_attention"] * 2 + [
        "compressed_sparse_attention",
        "heavily_compressed_attention",
    ] * n_layers
    kinds = kinds_of_layers(reading, "layer_types", n_layers, usual[:n_layers])
    other = next((kind for kind in kinds if kind not in by_kind), None)
    if other is not None:
        raise UnsupportedModelError(f"hf_config.layer_types: {shown(other)} in a DeepSeek-V4 is not modelled here")
    return [by_kind[kind] for kind in kinds]


def _selects(reading: Reading, rate: int, highest: int) -> bool:
    """Return whether keys of `rate` tokens are selected: those of the finer of two rates, or as their name says."""
    kinds = [kind for kind in reading.items("layer_types") if isinstance(kind, str)]
    return rate < highest or "compressed_sparse_attention" in kinds


def _hyper_connections(reading: Reading, hidden: int, n_layers: int) -> Given:
    """Return what mixes the residual streams before and after attention and MLP, and gathers them in the end.

    Source: `DeepseekV4HyperConnection`: from all streams, (2 + streams) · streams weights, three scales beside them.
    """
    streams = reading.whole("hc_mult")
    weights = (2 + streams) * streams
    return Given(
        given=Operations(
            gemms=(
                Gemm(name="stream_weights", part="mlp", inputs=streams * hidden, outputs=weights, layers=2 * n_layers),
                Gemm(name="stream_gather", part="mlp", inputs=streams * hidden, outputs=streams, layers=1),
            ),
            streams=(Stream(name="residual", width=(streams - 1) * hidden, layers=n_layers, shard="sequence"),),
        ),
        own_vectors=2 * n_layers * (weights + 3) + streams + 1,
    )


def _flat(config: Config) -> Config:
    """Return MiniMax-M3's configuration with what its published files nest."""
    within = nested(config, "sparse_attention_config")
    if within is None:
        return config
    names = {
        "index_n_heads": "sparse_num_index_heads",
        "index_head_dim": "sparse_index_dim",
        "index_block_size": "sparse_block_size",
        "index_topk_blocks": "sparse_topk_blocks",
    }
    flat: dict[str, object] = {name: within[other] for name, other in names.items() if other in within}
    sparse = within.get("sparse_attention_freq")
    if isinstance(sparse, list) and "layer_types" not in config:
        each = cast("list[object]", sparse)
        flat["layer_types"] = ["minimax_m3_sparse" if one else "full_attention" for one in each]
    return {**config, **flat}
