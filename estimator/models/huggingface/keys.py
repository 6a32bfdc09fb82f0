"""Which keys of a configuration change what a model costs, and which a family knows.

A key that looks structural, is set, and is not one that the family's class reads is never ignored: it says that the
model is not what its `model_type` says.
"""

import re
from collections.abc import Iterable

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.family import ExpertKeys, Family, Flag
from estimator.models.huggingface.reading import SYNONYMS, Config

__all__ = ["LATENT_KEYS", "UNIVERSAL", "known_keys", "refuse_unknown"]

LATENT_KEYS = ("q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")
UNIVERSAL = frozenset(
    {
        "architectures",
        "head_dim",
        "is_causal",
        "layer_types",
        "tie_word_embeddings",
        "use_bidirectional_attention",
        *SYNONYMS,
        *(other for others in SYNONYMS.values() for other in others),
        "max_window_layers",
        "num_key_value_heads",
    }
)
"""Keys that every family reads, or that change nothing by themselves."""

# Parts of names that tell a part of a network, or its shape. Each is read where a family knows it.
_STRUCTURAL = re.compile(
    r"""
    # Experts, and which layers have them.
    expert|moe|sparse|dense_replace|layer_freq|layer_interval|layer_period|mlp_only|dense_layers|every_n
    # Mixers that are not softmax attention.
    |mamba|ssm|conv(?!er)|recurr|rnn|lru_|^linear_|linear_att|delta|kda_|rwkv|xlstm|retention|state_size|state_dim
    |d_state|hybrid|time_step|time_mix|hyena|gla_
    # Attention to something else, or to a selection.
    |cross_att|crossatt|cross_layer|(^|_)cla(_|$)|encoder_|index_|indexer|compress|chunk_attention|ngram
    # Heads and widths that differ from the usual ones.
    |_lora_rank|_head_dim|head_dim_|v_dim|kv_channels|head_size|n_head_kv|num_kv_heads|kv_n_heads|num_query
    |multi_query|kv_shar|k_eq_v|query_groups|key_value_groups
    |bidirectional|is_causal|prefix_lm|non_causal
    # Layers that differ from one another.
    |layer_types|block_type|block_config|layer_config|layers_block|attn_type|attn_layer|attention_type
    |attention_layers|per_layer|_layer_ids|layer_list|layers_list|_pattern$
    # Layers run again, streams beside the residual one.
    |altup|laurel|hyper_conn|^hc_|(^|_)loops?(_|$)|cycles|universal|weight_sharing
    |zero_expert|(^|_)sinks?(_|$)|gating|_gate$|gate_type|gated_
    # Norms and biases, which decide the last digits.
    |qk_norm|qk_layernorm|qk_ln|query_norm|(^|_)bias$|bias_linear|^no_bias$
    |sliding|window
    # Vocabularies and widths of their own.
    |word_embed_proj|embedding_size|embed_proj|output_vocab|extra_vocab|additional_vocab|vocab_size_per
    |^share_|shared_|double_wide|intermediate_size_|_intermediate_size|ffn_mult|ffn_hidden|d_inner|hidden_size_
    |^(num|n)_\w*(layers|heads|blocks|modules|streams)$
    """,
    re.VERBOSE,
)
# Names that look so and are not: how routers choose and are trained, how kernels run, what text generation does.
_HARMLESS = re.compile(
    r"""
    ^_|^rope|rope_(theta|scaling|type|interleave|param|freq)|rotary|no_rope|_theta$
    |router_|aux_loss|z_loss|norm_topk|routed_scaling|expert_dtype|expert_capacity|moe_(renormalize|norm_|dropout
    |token|group|loss|capacity|use_aux|dtype|gate_act|impl|apply_router|statics|multimodal)
    |no_repeat_ngram|cross_attention_hidden_size|use_(flash|memory|cache)|_implementation$|^quantization
    |_token_id|_token_index|attention_value_scale|attention_multiplier|chunk_size_feed_forward|bias_dropout
    |num_return|num_beam|mm_|summary_|^use_sliding_window$|dropout
    """,
    re.VERBOSE,
)
_MTP = re.compile(r"mtp|nextn|next_n_|multi_token|predict_layers")


def known_keys(family: Family) -> frozenset[str]:
    """Return the keys that a family's row reads."""
    keys = {*family.knows, *family.defaults, *family.aliases, *(LATENT_KEYS if family.latent else ())}
    keys.update(other for others in family.aliases.values() for other in others)
    keys.update(rule.key for rule in family.vectors.values() if isinstance(rule, Flag))
    if family.ffn:
        keys.add(family.ffn)
    if family.experts is not None:
        keys.update(_named(family.experts))
    if family.window is not None:
        window = family.window
        keys.update((window.key, window.period_key, window.switch, window.first_layer))
    return frozenset(keys)


def refuse_unknown(config: Config, model_type: str, known: Iterable[str]) -> None:
    """Raise UnsupportedModelError where a structural key is set that the family does not know."""
    read = UNIVERSAL.union(known)
    for key, value in config.items():
        if key in read or _is_off(key, value) or _HARMLESS.search(key) or _MTP.search(key):
            continue
        if _STRUCTURAL.search(key):
            raise UnsupportedModelError(
                f"hf_config.{key[:60]}: {shown(value)} is something that {model_type} models do not have, and what it "
                "costs is not modelled here; take it out if the model does not have it either"
            )


def _is_off(key: str, value: object) -> bool:
    if key == "no_bias":
        return value is not False
    return value is None or value is False or value in (0, "", "none") or (isinstance(value, list | dict) and not value)


def _named(keys: ExpertKeys) -> set[str]:
    names = (
        keys.count, keys.top_k, keys.ffn, keys.shared_count, keys.shared_ffn, keys.first_dense, keys.last,
        keys.dense_list, keys.expert_list, keys.step, keys.kinds, keys.beside,
    )  # fmt: skip
    return {name for name in names if name}
