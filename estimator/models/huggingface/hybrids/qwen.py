"""Qwen3-Next and Qwen3.5: gated delta rule in three layers of four, gated attention in the fourth."""

from dataclasses import replace

from estimator.models.feed_forward import Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.hybrids.common import FULL, LINEAR, finished, kinds_of_layers, outline, reading_of
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.mixers.delta_rule import DeltaRule
from estimator.models.vectors import VectorFacts

__all__ = ["qwen3_5", "qwen3_5_text", "qwen3_next"]

_DEFAULTS = {
    "head_dim": 256,
    "linear_conv_kernel_dim": 4,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "full_attention_interval": 4,
    "decoder_sparse_step": 1,
}
_KINDS = frozenset({FULL, LINEAR})


def qwen3_next(config: Config) -> ConfiguredModel:
    """Return Qwen3-Next: experts, shared ones among them, in every layer."""
    return _read(reading_of(config, "qwen3_next", _DEFAULTS))


def qwen3_5_text(config: Config) -> ConfiguredModel:
    """Return the language model of Qwen3.5 and 3.6, dense or of experts."""
    return _read(reading_of(config, str(config.get("model_type", "qwen3_5_text")), _DEFAULTS))


def qwen3_5(config: Config) -> ConfiguredModel:
    """Return the language model within a configuration of Qwen3.5 or 3.6, which see."""
    text = nested(config, "text_config")
    if text is None:
        return qwen3_5_text(config)
    tied = {"tie_word_embeddings": config["tie_word_embeddings"]} if "tie_word_embeddings" in config else {}
    read = qwen3_5_text({**tied, **text})
    return replace(read, notes=(*read.notes, "only the language model (text_config) is counted, not the encoder"))


def _read(reading: Reading) -> ConfiguredModel:
    kinds = kinds_of_layers(
        reading, "layer_types", _KINDS, every=reading.optional("full_attention_interval", 4, least=1)
    )
    experts = _experts(reading)
    mixer = DeltaRule(
        layers=kinds[LINEAR],
        key_heads=reading.whole("linear_num_key_heads"),
        value_heads=reading.whole("linear_num_value_heads"),
        key_dim=reading.whole("linear_key_head_dim"),
        value_dim=reading.whole("linear_value_head_dim"),
        convolution=reading.whole("linear_conv_kernel_dim"),
    )
    biased = reading.flag("attention_bias", default=False)
    width = reading.optional("intermediate_size", 0) if experts else reading.whole("intermediate_size")
    bare = replace(
        outline(reading, ffn_hidden=width),
        experts=experts,
        gated_attention=reading.flag("attn_output_gate", default=True),
        attention_layers=kinds[FULL],
        mixers=(mixer,) if kinds[LINEAR] else (),
    )
    facts = VectorFacts(
        qk_norm="head",
        query_bias=biased,
        kv_bias=biased,
        output_bias=biased,
        shared_expert_gate=bool(experts and experts.shared_ffn_hidden),
    )
    return finished(bare, facts)


def _experts(reading: Reading) -> Experts | None:
    """Return the experts; None where the configuration has none, as the dense models of 3.5."""
    if not reading.optional("num_experts", 0):
        return None
    n_layers = reading.whole("num_hidden_layers")
    dense = set(map(str, reading.items("mlp_only_layers")))
    step = reading.whole("decoder_sparse_step")
    sparse = sum(str(place) not in dense and (place + 1) % step == 0 for place in range(n_layers))
    return Experts(
        n_experts=reading.whole("num_experts"),
        top_k=reading.whole("num_experts_per_tok"),
        ffn_hidden=reading.whole("moe_intermediate_size"),
        shared_ffn_hidden=reading.optional("shared_expert_intermediate_size", 0),
        layers=sparse,
    )
