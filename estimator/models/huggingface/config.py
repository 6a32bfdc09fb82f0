"""A transformer out of a Hugging Face `config.json`: parameters to the unit, or a refusal that says why."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from estimator.base.errors import InvalidValueError, MissingValueError, UnsupportedModelError, shown
from estimator.models.feed_forward import Experts
from estimator.models.huggingface.adapters import ADAPTERS
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.families import FAMILIES, ExpertKeys, Family, Flag, WindowKeys
from estimator.models.huggingface.readers import MARKED, READERS, Reader
from estimator.models.huggingface.reading import Config, Reading, nested
from estimator.models.huggingface.unsupported import UNSUPPORTED, UNSUPPORTED_MARKS
from estimator.models.mixers.softmax import LatentAttention
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer
from estimator.models.typical import MOST_PARAMETERS
from estimator.models.vectors import VectorFacts, vector_parameters

__all__ = ["configured_model", "transformer_from_config"]

_LONGEST_NAME = 80
_WINDOWED = frozenset({"sliding_attention", "chunked_attention", "local", "local_attention"})
_GLOBAL = frozenset({"full_attention", "global", "global_attention"})


def transformer_from_config(config: Mapping[str, object]) -> Transformer:
    """Return the transformer that a Hugging Face configuration describes; see `configured_model`."""
    return configured_model(config).transformer


def configured_model(config: Mapping[str, object]) -> ConfiguredModel:
    """Return the transformer of a Hugging Face configuration, with notes on what was left aside.

    A multimodal configuration is read for its `text_config`. Keys that are left out take the default of the
    family's class in `transformers` 4.57.
    Raises InvalidValueError for a missing or impossible value, UnsupportedModelError for an architecture that
    is not a decoder-only transformer of equal layers.
    """
    if not config:
        raise InvalidValueError(
            "hf_config", "{}", "is empty; give the model's config.json, or leave hf_config out and name a preset"
        )
    reader = _reader(config)
    if reader is not None:
        return _checked(reader(config))
    text, notes = _text_part(config)
    model_type = _model_type(text)
    for key in ("is_encoder_decoder", "add_cross_attention"):
        if text.get(key) is True:
            raise UnsupportedModelError(
                f"hf_config: {key} is true, and only decoder-only transformers are modelled here"
            )
    family = FAMILIES[model_type]
    own_facts: Mapping[str, bool | int | str] = {}
    if family.adapted:
        text, own_facts = ADAPTERS[family.adapted](text)
    reading = Reading(config=text, defaults=family.defaults, model_type=model_type)
    bare = _transformer(reading, family, _name(config, model_type))
    vectors = _vector_facts(reading, family, own_facts)
    transformer = replace(bare, vector_parameters=vector_parameters(bare, vectors))
    if text.get("num_nextn_predict_layers"):
        notes += ("the multi-token-prediction module is not counted",)
    return _checked(ConfiguredModel(transformer=transformer, vectors=vectors, notes=notes))


def _reader(config: Config) -> Reader | None:
    """Return the reader of the family that a configuration states, by its name, its class or a key of its own."""
    kind = config.get("model_type") or config.get("_class_name")
    if kind is None:
        mark = next((mark for mark in MARKED if mark in config), None)
        return MARKED[mark] if mark else READERS.get(str(_architecture_family(config)))
    return READERS.get(str(kind))


def _checked(configured: ConfiguredModel) -> ConfiguredModel:
    """Return the model; raise InvalidValueError where it is larger than any can be."""
    total = parameter_counts(configured.transformer).total
    if total > MOST_PARAMETERS:
        raise InvalidValueError("hf_config", f"{total:.3g}", "parameters; no model has more than 1000T")
    return configured


def _text_part(config: Config) -> tuple[Config, tuple[str, ...]]:
    """Return the configuration of the language model inside a multimodal one, or the configuration itself."""
    for key in ("text_config", "llm_config", "language_config"):
        text = nested(config, key)
        if not text:
            continue
        outer = {"model_type": config["model_type"]} if "model_type" in config else {}
        # Some leave the inner model_type or the tie to the outer configuration.
        tied = {"tie_word_embeddings": config["tie_word_embeddings"]} if "tie_word_embeddings" in config else {}
        return {**outer, **tied, **text}, (f"only the language model ({key}) is counted, not the encoders beside it",)
    beside = "vision_config" in config or "audio_config" in config
    return config, ("only the language model is counted, not the encoders beside it",) if beside else ()


def _model_type(config: Config) -> str:
    """Return the family's name, taken from `architectures` where `model_type` is left out."""
    given = config.get("model_type")
    kind = config.get("_class_name") if given is None else given
    if kind is None:
        kind = _architecture_family(config)
    mark = next((mark for mark in UNSUPPORTED_MARKS if mark in config), None)
    if mark is not None and kind not in UNSUPPORTED:
        raise UnsupportedModelError(
            f"hf_config: {mark} marks {UNSUPPORTED_MARKS[mark]}, and only decoder-only transformers are modelled here"
        )
    if kind is None:
        raise MissingValueError("hf_config.model_type", 'the family, such as "llama"; it stands in every config.json')
    if not isinstance(kind, str):
        raise InvalidValueError(
            "hf_config.model_type", kind, 'must name the family, such as "llama"; it stands in every config.json'
        )
    if kind in FAMILIES:
        return kind
    if kind in UNSUPPORTED:
        raise UnsupportedModelError(
            f"hf_config: {shown(kind)} is {UNSUPPORTED[kind]}, and only decoder-only transformers are modelled here"
        )
    near = get_close_matches(kind[:_LONGEST_NAME], FAMILIES, n=3)
    hint = f"; the nearest families are {', '.join(near)}" if near else ""
    raise UnsupportedModelError(f"hf_config: model_type {shown(kind)} is not a family known here{hint}")


def _architecture_family(config: Config) -> str | None:
    """Return the family whose class name `architectures` begins with: LlamaForCausalLM is `llama`."""
    names = config.get("architectures")
    if not isinstance(names, list | tuple) or not names or not isinstance(names[0], str):
        return None
    stem = names[0][:_LONGEST_NAME].partition("For")[0].removesuffix("LMHeadModel").removesuffix("Model").casefold()
    every = (*FAMILIES, *READERS, *UNSUPPORTED)
    return next((kind for kind in every if kind.replace("_", "").replace("-", "").casefold() == stem), names[0])


def _name(config: Config, model_type: str) -> str:
    """Return what the configuration calls itself."""
    given = config.get("_name_or_path")
    return given[:_LONGEST_NAME] if isinstance(given, str) and given else f"{model_type} model"


def _transformer(reading: Reading, family: Family, name: str) -> Transformer:
    """Return the transformer, its vector parameters not yet counted."""
    hidden = reading.whole("hidden_size")
    heads = reading.whole("num_attention_heads")
    latent = _latent(reading) if family.latent else None
    kv_heads = heads if latent else reading.optional("num_key_value_heads", heads, least=1)
    if heads % kv_heads:
        raise InvalidValueError(
            "hf_config.num_key_value_heads", kv_heads, f"must divide num_attention_heads, which is {heads}"
        )
    n_layers = reading.whole("num_hidden_layers")
    window, windowed_layers = _window(reading, family.window, n_layers)
    return Transformer(
        id="hf-config",
        name=name,
        n_layers=n_layers,
        hidden=hidden,
        ffn_hidden=_ffn_hidden(reading, family, hidden),
        gated_mlp=family.gated_mlp,
        n_heads=heads,
        n_kv_heads=kv_heads,
        head_dim=latent.nope_head_dim + latent.rope_head_dim if latent else _head_dim(reading, hidden, heads),
        vocab=reading.whole("vocab_size"),
        tied_embeddings=reading.flag("tie_word_embeddings", default=family.tied),
        latent=latent,
        experts=_experts(reading, family.experts, n_layers) if family.experts else None,
        sliding_window=window if windowed_layers else 0,
        windowed_layers=windowed_layers,
        sinks=family.vectors.get("sinks", False) is True,
        native_sequence_length=reading.optional("max_position_embeddings", 4096, least=1),
        source="hf_config",
    )


def _head_dim(reading: Reading, hidden: int, heads: int) -> int:
    if reading.value("head_dim") is not None:
        return reading.whole("head_dim")
    if hidden % heads:
        raise InvalidValueError(
            "hf_config.num_attention_heads", heads, f"must divide hidden_size, which is {hidden}, or head_dim be given"
        )
    return hidden // heads


def _ffn_hidden(reading: Reading, family: Family, hidden: int) -> int:
    """Return the dense MLP's width; that of a model with experts alone may be left out."""
    if family.ffn:
        return reading.whole(family.ffn)
    if family.ffn_multiple:
        return reading.optional("intermediate_size", family.ffn_multiple * hidden, least=1)
    return reading.whole("intermediate_size")


def _latent(reading: Reading) -> LatentAttention:
    return LatentAttention(
        query_rank=reading.optional("q_lora_rank", 0),
        kv_rank=reading.whole("kv_lora_rank"),
        nope_head_dim=reading.whole("qk_nope_head_dim"),
        rope_head_dim=reading.whole("qk_rope_head_dim"),
        value_head_dim=reading.whole("v_head_dim"),
    )


def _experts(reading: Reading, keys: ExpertKeys, n_layers: int) -> Experts | None:
    """Return the experts; None where the configuration of such a family has none."""
    if keys.count == "n_routed_experts" and reading.value(keys.count) is None:
        # DeepSeek's classes build a dense model then.
        return None
    count = reading.whole(keys.count)
    top_k = reading.whole(keys.top_k)
    if top_k > count:
        raise InvalidValueError(f"hf_config.{keys.top_k}", top_k, f"must be at most {keys.count}, which is {count}")
    width = reading.whole(keys.ffn)
    shared = reading.optional(keys.shared_count, 0) * width if keys.shared_count else 0
    dense = len(set(map(str, reading.items(keys.dense_list)))) if keys.dense_list else 0
    first_dense = dense or reading.optional(keys.first_dense, 0)
    step = reading.optional(keys.step, 1, least=1)
    if first_dense > n_layers or step > n_layers:
        raise InvalidValueError(
            f"hf_config.{keys.first_dense or keys.step}", max(first_dense, step), f"must be at most {n_layers} layers"
        )
    return Experts(
        n_experts=count,
        top_k=top_k,
        ffn_hidden=width,
        shared_ffn_hidden=reading.optional(keys.shared_ffn, 0) if keys.shared_ffn else shared,
        first_dense_layers=first_dense,
        layer_step=step,
    )


def _window(reading: Reading, keys: WindowKeys | None, n_layers: int) -> tuple[int, int]:
    """Return the window in keys and how many layers have it; `layer_types` says so outright where given."""
    kinds = [kind for kind in reading.items("layer_types") if isinstance(kind, str)]
    strange = sorted({kind for kind in kinds if kind not in _WINDOWED | _GLOBAL})
    if strange:
        raise UnsupportedModelError(
            f"hf_config: layers of type {shown(strange[0])} are not attention: a hybrid model, and only decoder-only "
            "transformers are modelled here"
        )
    if keys is None or not reading.optional(keys.key, 0):
        return 0, 0
    if keys.switch and not reading.flag(keys.switch, default=False):
        return 0, 0
    window = reading.whole(keys.key)
    if kinds:
        return window, min(sum(kind in _WINDOWED for kind in kinds), n_layers)
    if keys.first_layer:
        return window, max(n_layers - reading.optional(keys.first_layer, 0), 0)
    period = reading.optional(keys.period_key, keys.period, least=1) if keys.period_key else keys.period
    return window, n_layers - n_layers // period if period else n_layers


def _vector_facts(reading: Reading, family: Family, own_facts: Mapping[str, bool | int | str]) -> VectorFacts:
    """Return the family's vector flags, each fixed, read from its key, or worked out by the family's adapter."""
    facts: dict[str, Any] = {
        name: _truth(reading, rule) if isinstance(rule, Flag) else rule for name, rule in family.vectors.items()
    }
    facts.update(own_facts)
    if facts.get("learned_positions"):
        facts["learned_positions"] = reading.whole("max_position_embeddings") + family.extra_positions
    return VectorFacts(**facts)


def _truth(reading: Reading, rule: Flag) -> bool | str:
    if reading.flag(rule.key, default=rule.default) != rule.inverted:
        return rule.means
    return "none" if isinstance(rule.means, str) else False
