"""Rewrite the configurations of irregular families with the keys that the others use."""

from collections.abc import Callable, Mapping
from typing import cast

from estimator.base.errors import UnsupportedModelError
from estimator.models.huggingface.reading import Config, nested

__all__ = ["ADAPTERS", "Adapted"]

Adapted = tuple[Config, Mapping[str, bool | int | str]]
"""A rewritten configuration, and the fields of VectorFacts that depend on several of its keys."""


def _chatglm(config: Config) -> Adapted:
    """ChatGLM says with a flag whether its key-value groups count."""
    grouped = config.get("multi_query_attention") is True
    groups = config.get("multi_query_group_num") if grouped else config.get("num_attention_heads")
    return {**config, "num_key_value_heads": groups, "head_dim": config.get("kv_channels")}, {}


def _dbrx(config: Config) -> Adapted:
    """DBRX nests its attention and expert keys."""
    attention, ffn = nested(config, "attn_config") or {}, nested(config, "ffn_config") or {}
    return {
        **config,
        "num_key_value_heads": attention.get("kv_n_heads"),
        "num_local_experts": ffn.get("moe_num_experts"),
        "num_experts_per_tok": ffn.get("moe_top_k"),
        "intermediate_size": ffn.get("ffn_hidden_size"),
    }, {}


def _exaone4(config: Config) -> Adapted:
    """EXAONE 4 spells its pattern of layers, LLLG: three local, one global."""
    pattern = config.get("sliding_window_pattern")
    return {**config, "sliding_window_pattern": len(pattern) if isinstance(pattern, str) else pattern}, {}


def _falcon(config: Config) -> Adapted:
    """Falcon has three generations of key-value heads and of norms."""
    heads = config.get("num_attention_heads", config.get("n_head"))
    grouped = config.get("num_kv_heads") or config.get("n_head_kv")
    new = config.get("new_decoder_architecture")
    # The file of Falcon-40B's first code says by its groups alone that it is of the new kind.
    if new is True or (new is None and config.get("n_head_kv") is not None):
        kv_heads = grouped or heads
        norms = 1 if config.get("num_ln_in_parallel_attn") == 1 else 2
    else:
        kv_heads = heads if config.get("multi_query") is False else 1
        norms = 2 if config.get("parallel_attn") is False else 1
    return {**config, "num_kv_heads": None, "num_key_value_heads": kv_heads}, {"norms_per_layer": norms}


def _gpt_bigcode(config: Config) -> Adapted:
    """GPT-BigCode shares one key-value head unless told otherwise."""
    kv_heads = config.get("num_attention_heads", config.get("n_head")) if config.get("multi_query") is False else 1
    return {**config, "num_key_value_heads": kv_heads}, {}


def _hunyuan_v1_moe(config: Config) -> Adapted:
    """Hunyuan states its experts layer by layer; layers that differ are not modelled."""
    stated = dict(config)
    for key in ("num_experts", "moe_topk", "num_shared_expert", "moe_intermediate_size"):
        value = config.get(key)
        each = cast("list[object]", value) if isinstance(value, list) else []
        if each:
            if any(one != each[0] for one in each):
                raise UnsupportedModelError(
                    f"hf_config.{key}: layers that differ in their experts are not modelled here"
                )
            stated[key] = each[0]
    width = stated.get("moe_intermediate_size")
    if width is not None:
        stated["intermediate_size"] = width
    return {"num_shared_expert": 1, **stated}, {}


def _hyperclovax(config: Config) -> Adapted:
    """HyperCLOVA X also norms what attention and MLP return, unless told otherwise."""
    return config, {"norms_per_layer": 2 if config.get("use_post_norm") is False else 4}


def _mpt(config: Config) -> Adapted:
    """MPT nests its attention keys, and has a learned position table unless it uses ALiBi or rotary positions."""
    attention, ffn = nested(config, "attn_config") or {}, nested(config, "ffn_config") or {}
    if ffn.get("ffn_type", "mptmlp") != "mptmlp":
        raise UnsupportedModelError(f"hf_config: MPT with {ffn['ffn_type']} blocks is not modelled here")
    biased = config.get("no_bias") is False
    rotary = attention.get("alibi") is True or attention.get("rope") is True
    learned = config.get("learned_pos_emb", True) is True and not rotary
    return {
        **config,
        "num_key_value_heads": attention.get("kv_n_heads"),
        "intermediate_size": _mpt_width(config),
    }, {"norm_vectors": 2 if biased else 1, "learned_positions": learned}


def _mpt_width(config: Config) -> object:
    width, ratio = config.get("d_model"), config.get("expansion_ratio", 4)
    if isinstance(width, int) and isinstance(ratio, int):
        return width * ratio
    return None


def _opt(config: Config) -> Adapted:
    """OPT-350M alone norms after each block; the rest norm once more at the end."""
    return config, {"outer_norms": 0} if config.get("do_layer_norm_before") is False else {}


def _qwen(config: Config) -> Adapted:
    """Qwen 1 states the width of both halves of its gated MLP together."""
    width = config.get("intermediate_size")
    if isinstance(width, int) and width % 2 == 0:
        config = {**config, "intermediate_size": width // 2}
    return {**config, "num_key_value_heads": None, "head_dim": config.get("kv_channels")}, {}


def _stablelm(config: Config) -> Adapted:
    """StableLM has one norm a layer where attention and MLP run side by side, and may norm its heads."""
    parallel = config.get("use_parallel_residual") is True
    qk_norm = "full" if config.get("qk_layernorm") is True else "none"
    return config, {"norms_per_layer": 1 if parallel else 2, "qk_norm": qk_norm}


ADAPTERS: Mapping[str, Callable[[Config], Adapted]] = {
    "chatglm": _chatglm,
    "dbrx": _dbrx,
    "exaone4": _exaone4,
    "falcon": _falcon,
    "gpt_bigcode": _gpt_bigcode,
    "hunyuan_v1_moe": _hunyuan_v1_moe,
    "hyperclovax": _hyperclovax,
    "mpt": _mpt,
    "opt": _opt,
    "qwen": _qwen,
    "stablelm": _stablelm,
}
"""How to rewrite each irregular family's configuration."""
