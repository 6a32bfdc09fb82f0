"""Read Gemma 3n and Gemma 4: embeddings of each layer, shared keys, streams beside the residual one, two widths.

Sources: `Gemma3nTextConfig`, `Gemma4TextConfig` and their models in `transformers` 5.24.
"""

from dataclasses import replace

from estimator.base.errors import InvalidValueError
from estimator.models.feed_forward import Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.keys import refuse_unknown
from estimator.models.huggingface.layered import kinds_of_layers, layered_model
from estimator.models.huggingface.reading import Config, Reading, inside
from estimator.models.mixers.given import Given
from estimator.models.mixers.mixer import Operations
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.operations import Gemm, Stream
from estimator.models.vectors import VectorFacts

__all__ = ["read_gemma_3n", "read_gemma_4"]

_SLIDING, _FULL = "sliding_attention", "full_attention"
_SHARED = (
    "vocab_size_per_layer_input",
    "hidden_size_per_layer_input",
    "num_kv_shared_layers",
    "sliding_window",
    "attention_bias",
)
_KNOWN_3N = (
    *_SHARED,
    "altup_num_inputs",
    "altup_active_idx",
    "altup_coef_clip",
    "altup_correct_scale",
    "laurel_rank",
    "activation_sparsity_pattern",
)
_KNOWN_4 = (
    *_SHARED,
    "attention_k_eq_v",
    "enable_moe_block",
    "expert_intermediate_size",
    "global_head_dim",
    "moe_intermediate_size",
    "num_experts",
    "num_global_key_value_heads",
    "per_layer_config",
    "top_k_experts",
    "use_double_wide_mlp",
)
_DEFAULTS_3N: Config = {
    "altup_num_inputs": 4,
    "head_dim": 256,
    "hidden_size": 2048,
    "hidden_size_per_layer_input": 256,
    "intermediate_size": 16384,
    "laurel_rank": 64,
    "max_position_embeddings": 32768,
    "num_attention_heads": 8,
    "num_hidden_layers": 35,
    "num_key_value_heads": 2,
    "num_kv_shared_layers": 15,
    "sliding_window": 512,
    "vocab_size": 262_400,
    "vocab_size_per_layer_input": 262_144,
}
_DEFAULTS_4: Config = {
    "global_head_dim": 512,
    "head_dim": 256,
    "hidden_size": 2304,
    "hidden_size_per_layer_input": 256,
    "intermediate_size": 9216,
    "max_position_embeddings": 131_072,
    "num_attention_heads": 8,
    "num_hidden_layers": 30,
    "num_key_value_heads": 4,
    "sliding_window": 512,
    "vocab_size": 262_144,
    "vocab_size_per_layer_input": 262_144,
}


def read_gemma_3n(config: Config) -> ConfiguredModel:
    """Return a Gemma 3n language model: AltUp's streams, LAuReL, embeddings of each layer, keys of earlier layers."""
    refuse_unknown(config, "gemma3n_text", _KNOWN_3N)
    reading = Reading(config=config, defaults=_DEFAULTS_3N, model_type="gemma3n_text")
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    kinds = kinds_of_layers(reading, "layer_types", n_layers, [_kind(layer, 5) for layer in range(n_layers)])
    shared_from = n_layers - reading.optional("num_kv_shared_layers", 0)
    attention = [
        _attention(reading, kind, head_dim=reading.whole("head_dim"), reads_keys=layer >= shared_from)
        for layer, kind in enumerate(kinds)
    ]
    streams, rank = reading.whole("altup_num_inputs"), reading.whole("laurel_rank")
    shapes = (
        ("altup_router", hidden, streams, n_layers),
        ("altup_predict", streams, streams * streams, n_layers),
        ("altup_correct", streams, streams, n_layers),
        ("laurel_down", hidden, rank, n_layers),
        ("laurel_up", rank, hidden, n_layers),
        ("altup_streams", hidden, 2 * hidden, streams - 1),
    )
    beside = Given(
        given=Operations(
            gemms=_gemms(shapes),
            # Every stream is predicted before a layer and corrected after it.
            streams=(Stream(name="residual", width=(streams - 1) * hidden, layers=n_layers, shard="sequence"),),
        ),
        # The scale of what is corrected, the router's norm, and LAuReL's.
        own_vectors=3 * hidden * n_layers,
    )
    return layered_model(
        reading,
        attention=attention,
        widths=_widths(reading, n_layers),
        facts=VectorFacts(norms_per_layer=4),
        mixers=(beside, *_layer_embeddings(reading, hidden, n_layers)),
        tied=True,
        lookup=_layer_table(reading, n_layers),
    )


def read_gemma_4(config: Config) -> ConfiguredModel:
    """Return a Gemma 4 language model: two widths of heads, keys that are values or another layer's, experts beside."""
    refuse_unknown(config, "gemma4_text", _KNOWN_4)
    defaults = _DEFAULTS_4 if "unified" not in str(config.get("model_type")) else {**_DEFAULTS_4, **_UNIFIED}
    reading = Reading(config=config, defaults=defaults, model_type="gemma4_text")
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    kinds = list(kinds_of_layers(reading, "layer_types", n_layers, [_kind(layer, 6) for layer in range(n_layers)]))
    kinds[-1:] = [_FULL]
    shared_from = n_layers - reading.optional("num_kv_shared_layers", 0)
    k_is_v = reading.flag("attention_k_eq_v", default=False)
    own_heads = reading.whole("num_key_value_heads")
    wide_heads = reading.optional("num_global_key_value_heads", own_heads, least=1) if k_is_v else own_heads
    attention = [
        _attention(
            reading,
            kind,
            head_dim=_head_dim(reading, kind, layer),
            kv_heads=wide_heads if kind == _FULL else own_heads,
            reads_keys=layer >= shared_from,
            keys_are_values=k_is_v and kind == _FULL,
        )
        for layer, kind in enumerate(kinds)
    ]
    width = reading.whole("intermediate_size")
    doubled = reading.flag("use_double_wide_mlp", default=False)
    widths = [width * (2 if doubled and layer >= shared_from else 1) for layer in range(n_layers)]
    experts, mixers = None, _layer_embeddings(reading, hidden, n_layers)
    norms = 4
    if reading.flag("enable_moe_block", default=False):
        experts = Experts(
            n_experts=reading.whole("num_experts"),
            top_k=reading.whole("top_k_experts"),
            ffn_hidden=reading.whole("moe_intermediate_size"),
            layers=n_layers,
            dense_width=width,
        )
        widths, norms = [], 7
        # The router's scale of its input, and of each expert.
        mixers += (Given(given=Operations(), own_vectors=(hidden + experts.n_experts) * n_layers),)
    return layered_model(
        reading,
        attention=attention,
        widths=widths,
        facts=VectorFacts(norms_per_layer=norms),
        experts=experts,
        mixers=mixers,
        tied=True,
        lookup=_layer_table(reading, n_layers),
    )


_UNIFIED: Config = {"hidden_size_per_layer_input": None, "sliding_window": 1024, "max_position_embeddings": 262_144}


def _kind(layer: int, period: int) -> str:
    return _SLIDING if (layer + 1) % period else _FULL


def _head_dim(reading: Reading, kind: str, layer: int) -> int:
    """Return the width of a layer's heads, which may stand in `per_layer_config` under its number."""
    layers = reading.value("per_layer_config")
    if layers:
        own = inside(layers, f"{layer:02d}") or inside(layers, str(layer))
        return replace(reading, config={**reading.config, **own}).whole("head_dim")
    return reading.whole("global_head_dim" if kind == _FULL else "head_dim")


def _attention(
    reading: Reading,
    kind: str,
    *,
    head_dim: int,
    kv_heads: int = 0,
    reads_keys: bool = False,
    keys_are_values: bool = False,
) -> SoftmaxAttention:
    """Return one layer's attention; queries are normalised, and keys where the layer has its own."""
    if kind not in (_SLIDING, _FULL):
        raise InvalidValueError("hf_config.layer_types", kind, f"must be {_SLIDING} or {_FULL}")
    heads = reading.whole("num_attention_heads")
    kv_heads = kv_heads or reading.whole("num_key_value_heads")
    biased = reading.flag("attention_bias", default=False)
    biases = biased * (heads * head_dim + 2 * kv_heads * head_dim * (not reads_keys) + reading.whole("hidden_size"))
    both_ways = reading.value("use_bidirectional_attention") in ("all", True)
    window = reading.whole("sliding_window") if kind == _SLIDING else 0
    return SoftmaxAttention(
        layers=1,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        window=2 * (window // 2) + 1 if both_ways and window else window,
        keys_are_values=keys_are_values and not reads_keys,
        reads_keys=reads_keys,
        causal=not both_ways,
        own_vectors=head_dim * (1 if reads_keys else 2) + biases,
    )


def _widths(reading: Reading, n_layers: int) -> list[int]:
    """Return the widths of the MLPs, which may be a list."""
    if not isinstance(reading.value("intermediate_size"), list | tuple):
        return [reading.whole("intermediate_size")] * n_layers
    each = reading.items("intermediate_size")[:n_layers]
    single = [Reading(config={"intermediate_size": one}, defaults={}, model_type=reading.model_type) for one in each]
    if len(single) < n_layers:
        raise InvalidValueError("hf_config.intermediate_size", len(single), f"must have {n_layers} widths")
    return [one.whole("intermediate_size") for one in single]


def _layer_table(reading: Reading, n_layers: int) -> int:
    """Return the parameters of the embeddings of each layer, of which a token reads one row."""
    width = reading.optional("hidden_size_per_layer_input", 0)
    return width * n_layers * reading.whole("vocab_size_per_layer_input") if width else 0


def _layer_embeddings(reading: Reading, hidden: int, n_layers: int) -> tuple[Given, ...]:
    """Return what brings the embeddings of each layer in: one projection for all, a gate and a projection in each."""
    width = reading.optional("hidden_size_per_layer_input", 0)
    if not width:
        return ()
    shapes = (
        ("layer_inputs", hidden, n_layers * width, 1),
        ("layer_gate", hidden, width, n_layers),
        ("layer_projection", width, hidden, n_layers),
    )
    return (Given(given=Operations(gemms=_gemms(shapes)), own_vectors=width + hidden * n_layers),)


def _gemms(shapes: tuple[tuple[str, int, int, int], ...]) -> tuple[Gemm, ...]:
    return tuple(
        Gemm(name=name, part="mlp", inputs=inputs, outputs=outputs, layers=layers)
        for name, inputs, outputs, layers in shapes
        if layers
    )
