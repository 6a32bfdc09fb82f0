"""Read families whose layers were found by search or grow from one to the next: DeciLM, OpenELM.

Sources: the code beside their weights (nvidia/Llama-3_3-Nemotron-Super-49B-v1, apple/OpenELM-270M).
"""

from dataclasses import replace
from typing import cast

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.keys import refuse_unknown
from estimator.models.huggingface.layered import layered_model
from estimator.models.huggingface.reading import Config, Reading, inside
from estimator.models.huggingface.standard import head_width
from estimator.models.mixers.given import Given
from estimator.models.mixers.mixer import Operations
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.operations import Gemm
from estimator.models.vectors import VectorFacts

__all__ = ["read_deci", "read_openelm"]

_MOST_MULTIPLE = 1_000
"""Hundred times the widest MLP over its model's width, or more."""


def read_deci(config: Config) -> ConfiguredModel:
    """Return a model that a search has cut (DeciLM, Nemotron-NAS): each block has its own heads and width, or none."""
    refuse_unknown(config, "nemotron-nas", ("block_configs", "num_key_value_heads_per_layer"))
    reading = Reading(config=config, defaults={}, model_type="nemotron-nas")
    hidden, heads = reading.whole("hidden_size"), reading.whole("num_attention_heads")
    head_dim = head_width(reading, hidden, heads)
    n_layers = reading.whole("num_hidden_layers")
    blocks = reading.items("block_configs") or _blocks(reading, heads)
    if len(blocks) < n_layers:
        raise InvalidValueError("hf_config.block_configs", len(blocks), f"must state each of {n_layers} blocks")
    attention: list[SoftmaxAttention] = []
    widths: list[int] = []
    linear = norms = 0
    for block in blocks[:n_layers]:
        part = _inner(reading, block, "attention")
        if part.flag("replace_with_linear", default=False):
            linear, norms = linear + 1, norms + 1
        elif not part.flag("no_op", default=False):
            group = part.whole("n_heads_in_group")
            if heads % group:
                raise InvalidValueError("hf_config.block_configs", group, f"must divide the {heads} heads")
            attention.append(SoftmaxAttention(layers=1, heads=heads, kv_heads=heads // group, head_dim=head_dim))
            norms += 1
        part = _inner(reading, block, "ffn")
        if part.flag("replace_with_linear", default=False):
            linear, norms = linear + 1, norms + 1
        elif not part.flag("no_op", default=False):
            widths.append(_deci_width(part, hidden))
            norms += 1
    replaced = Gemm(name="linear", part="mlp", inputs=hidden, outputs=hidden, layers=linear)
    extra = Given(given=Operations(gemms=(replaced,) if linear else ()), own_vectors=norms * hidden)
    return layered_model(
        reading, attention=attention, widths=widths, facts=VectorFacts(norms_per_layer=0), mixers=(extra,)
    )


def read_openelm(config: Config) -> ConfiguredModel:
    """Return OpenELM: heads and widths that grow from layer to layer."""
    known = (
        "num_query_heads", "num_kv_heads", "ffn_multipliers", "ffn_dim_divisor", "ffn_with_glu", "num_gqa_groups",
        "qkv_multipliers", "model_dim", "num_transformer_layers", "max_context_length", "share_input_output_layers",
        "normalize_qk_projections", "normalization_layer_name", "activation_fn_name", "head_dim",
    )  # fmt: skip
    refuse_unknown(config, "openelm", known)
    renamed = {
        "hidden_size": config.get("model_dim"),
        "num_hidden_layers": config.get("num_transformer_layers"),
        "max_position_embeddings": config.get("max_context_length"),
    }
    heads, kv_heads = _numbers(config, "num_query_heads"), _numbers(config, "num_kv_heads")
    multiples = _numbers(config, "ffn_multipliers")
    reading = Reading(
        config={**config, **renamed, "num_attention_heads": int(heads[0]), "num_key_value_heads": int(kv_heads[0])},
        defaults={"vocab_size": 32_000, "ffn_dim_divisor": 256},
        model_type="openelm",
    )
    n_layers, hidden = reading.whole("num_hidden_layers"), reading.whole("hidden_size")
    if not n_layers <= min(len(heads), len(kv_heads), len(multiples)):
        raise InvalidValueError("hf_config.num_query_heads", len(heads), f"must state each of {n_layers} layers")
    head_dim, divisor = reading.whole("head_dim"), reading.whole("ffn_dim_divisor")
    normed = reading.flag("normalize_qk_projections", default=True)
    attention = [
        SoftmaxAttention(layers=1, heads=int(h), kv_heads=int(k), head_dim=head_dim, own_vectors=2 * head_dim * normed)
        for h, k in zip(heads[:n_layers], kv_heads, strict=False)
    ]
    tied = reading.flag("share_input_output_layers", default=True)
    return layered_model(
        replace(reading, config={**reading.config, "tie_word_embeddings": tied}),
        attention=attention,
        widths=[_divisible(multiple * hidden, divisor) for multiple in multiples[:n_layers]],
        facts=VectorFacts(),
        gated_mlp=reading.flag("ffn_with_glu", default=True),
    )


def _blocks(reading: Reading, heads: int) -> tuple[object, ...]:
    """Return the blocks of a DeciLM that states its heads for keys layer by layer, and one width for all."""
    each = reading.items("num_key_value_heads_per_layer")
    if not all(type(one) is int and one > 0 and heads % one == 0 for one in each):
        raise InvalidValueError("hf_config.num_key_value_heads_per_layer", str(each), f"must divide the {heads} heads")
    width = {"intermediate_size": reading.value("intermediate_size")}
    return tuple({"attention": {"n_heads_in_group": heads // int(str(one))}, "ffn": width} for one in each)


def _inner(reading: Reading, block: object, key: str) -> Reading:
    """Return what a block says of its attention or its MLP."""
    part = inside(block, key)
    if not part:
        raise InvalidValueError("hf_config.block_configs", str(block), f"must state the {key} of each block")
    return replace(reading, config=part)


def _deci_width(part: Reading, hidden: int) -> int:
    """Return the width that a multiple of the model's means: two thirds of it, up to the next 256."""
    if part.value("intermediate_size") is not None:
        return part.whole("intermediate_size")
    multiple = part.value("ffn_mult")
    if not isinstance(multiple, int | float) or isinstance(multiple, bool) or not 0 < multiple < _MOST_MULTIPLE:
        raise InvalidValueError("hf_config.block_configs", multiple, "must have ffn_mult, a number above 0")
    width = int(2 * multiple * hidden / 3)
    return -(-width // 256) * 256


def _numbers(config: Config, key: str) -> list[float]:
    value = config.get(key)
    each = cast("list[object]", value) if isinstance(value, list) else []
    numbers = [float(one) for one in each if type(one) in (int, float) and isinstance(one, int | float)]
    if numbers and len(numbers) == len(each) and all(0 < number < _MOST_MULTIPLE for number in numbers):
        return numbers
    raise InvalidValueError(f"hf_config.{key}", str(each), "must be a list of a number above 0 for each layer")


def _divisible(width: float, divisor: int) -> int:
    """Return the multiple of `divisor` nearest to `width`, never more than a tenth below it."""
    near = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * width else near
