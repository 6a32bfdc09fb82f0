"""Hugging Face configurations, family by family, and every way in which one can be wrong."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import EstimatorError, InvalidValueError, UnsupportedModelError
from estimator.catalogue import catalogue
from estimator.models.huggingface.config import configured_model, language_model, transformer_from_config
from estimator.models.huggingface.families import FAMILIES
from estimator.models.huggingface.unsupported import UNSUPPORTED
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer
from tests.places import PUBLISHED

_FOLDER = PUBLISHED / "hf_configs"
_CONFIGS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.json"))
}
_LLAMA = _CONFIGS["llama-3.1-8b"]


def _bare(transformer: Transformer) -> Transformer:
    """Return the transformer without what only the catalogue says of it."""
    return replace(transformer, id="", name="", source="", native_sequence_length=0)


def _text(model_id: str) -> Transformer:
    """Return the language model of a published file: presets of models that see are of their text part."""
    return language_model(_CONFIGS[model_id]).transformer


@pytest.mark.parametrize("model_id", _CONFIGS)
def test_a_configuration_gives_the_same_architecture_as_the_preset(model_id: str) -> None:
    """Authority: the model's own config.json, and the preset whose total equals the published one."""
    assert _bare(_text(model_id)) == _bare(catalogue.model(model_id).transformer)


@pytest.mark.parametrize("model_id", [name for name in _CONFIGS if catalogue.model(name).published_exact])
def test_a_configurations_total_equals_the_published_one_to_the_unit(model_id: str) -> None:
    """Authority: the parameter count of the model's checkpoint."""
    total = parameter_counts(_text(model_id)).total
    assert total == catalogue.model(model_id).published_parameters


def test_the_families_of_the_catalogue_are_read() -> None:
    """Authority: the project's scope."""
    read = {config.get("text_config", config).get("model_type") for config in _CONFIGS.values()}
    assert len(read) >= 35
    assert read <= set(FAMILIES)


@pytest.mark.parametrize("outer", ["grounding-dino", "mm-grounding-dino", "vision-text-dual-encoder"])
def test_an_encoder_of_text_inside_another_network_is_not_taken_for_it(outer: str) -> None:
    """Authority: their classes: a detector that reads a phrase, a pair of encoders."""
    bert = {"model_type": "bert", "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
    with pytest.raises(UnsupportedModelError, match=f"'{outer}' holds an encoder of text"):
        configured_model({"model_type": outer, "text_config": bert, "vision_config": {"model_type": "swin"}})


def test_a_multimodal_configuration_is_read_for_its_text_and_says_so() -> None:
    wrapped = json.loads((_FOLDER / "vision_language" / "fastvlm-7b.json").read_text(encoding="utf-8"))
    # A family whose encoder is not known here.
    configured = configured_model(
        {**wrapped, "model_type": "janus", "architectures": ["JanusForConditionalGeneration"]}
    )
    assert configured.transformer.n_layers == 28
    assert any("text_config" in note for note in configured.notes)


def test_a_module_beside_the_model_is_read() -> None:
    """Authority: DeepSeek-V3 has one multi-token-prediction module beside its 671B."""
    assert configured_model(_CONFIGS["deepseek-v3"]).transformer.prediction_modules == 1


def test_the_class_name_stands_in_for_a_missing_family() -> None:
    config = {key: value for key, value in _LLAMA.items() if key != "model_type"}
    assert _bare(transformer_from_config(config)) == _bare(catalogue.model("llama-3.1-8b").transformer)


@pytest.mark.parametrize(
    ("key", "model_id"),
    [
        ("hidden_size", "llama-3.1-8b"),
        ("num_hidden_layers", "llama-3.1-8b"),
        ("num_attention_heads", "llama-3.1-8b"),
        ("intermediate_size", "llama-3.1-8b"),
        ("vocab_size", "llama-3.1-8b"),
        ("kv_lora_rank", "deepseek-v3"),
        ("moe_intermediate_size", "deepseek-v3"),
        ("num_experts_per_tok", "mixtral-8x7b"),
    ],
)
def test_a_missing_key_is_named(key: str, model_id: str) -> None:
    config = {name: value for name, value in _CONFIGS[model_id].items() if name != key}
    with pytest.raises(InvalidValueError, match=rf"configuration lacks {key}\b"):
        transformer_from_config(config)


@pytest.mark.parametrize("value", ["4096", -1, 0, 0.5, 1e30, float("nan"), float("inf"), True, [], {}, [[["x"]]]])
@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "vocab_size", "num_key_value_heads"])
def test_a_value_no_model_can_have_is_refused_by_its_key(key: str, value: object) -> None:
    with pytest.raises(InvalidValueError, match=rf"^hf_config\.{key}: .* must be"):
        transformer_from_config({**_LLAMA, key: value})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_key_value_heads": 7}, "must divide num_attention_heads, which is 32"),
        ({"num_attention_heads": 31, "num_key_value_heads": None}, "must divide hidden_size, which is 4096"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings: 'yes' must be true or false"),
        ({"model_type": 7}, "must name the family"),
        ({"num_hidden_layers": 9999, "hidden_size": 10_000_000, "num_attention_heads": 1, "num_key_value_heads": 1},
         "no model has more than 1000T"),
        ({"text_config": 3}, "must be an object"),
    ],
)  # fmt: skip
def test_values_that_contradict_each_other_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        transformer_from_config({**_LLAMA, **changes})


def test_more_experts_visited_than_there_are_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="num_experts_per_tok: 9 must be at most num_local_experts, which is 8"):
        transformer_from_config({**_CONFIGS["mixtral-8x7b"], "num_experts_per_tok": 9})


@pytest.mark.parametrize(("config", "message"), [({}, "is empty"), ({"hello": 1}, "model_type is missing: the family")])
def test_a_configuration_that_is_none_says_what_is_expected(config: dict[str, object], message: str) -> None:
    with pytest.raises(EstimatorError, match=message):
        transformer_from_config(config)


@pytest.mark.parametrize("kind", UNSUPPORTED)
def test_another_architecture_is_never_read_as_a_decoder(kind: str) -> None:
    """Even where every key a decoder needs is there."""
    with pytest.raises(UnsupportedModelError, match=UNSUPPORTED[kind]):
        transformer_from_config({**_LLAMA, "model_type": kind})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({**_LLAMA, "is_encoder_decoder": True}, "is_encoder_decoder is true"),
        ({**_LLAMA, "layer_types": ["linear_attention", "full_attention"] * 16}, "linear_attention.*hybrid"),
        ({**_LLAMA, "model_type": "lama"}, "is not a family known here, and none is read as another"),
        ({"_class_name": "StableCascadeUNet", "sample_size": 64}, "a diffusion model"),
        ({"architectures": ["ProphetNetForConditionalGeneration"], "d_model": 512}, "an encoder-decoder"),
        ({"architectures": ["RetNetForCausalLM"], "hidden_size": 512}, "state-space"),
        ({**_CONFIGS["opt-6.7b"], "mamba_d_state": 512}, "mamba_d_state"),
    ],
)
def test_what_is_not_modelled_is_refused_and_named(config: dict[str, object], message: str) -> None:
    with pytest.raises(UnsupportedModelError, match=message):
        transformer_from_config(config)


@pytest.mark.parametrize(
    ("model_id", "changes", "windowed"),
    [
        ("mistral-7b", {}, 32),
        ("mistral-7b", {"sliding_window": None}, 0),
        ("qwen2.5-7b", {"use_sliding_window": True, "max_window_layers": 20}, 8),
        ("gemma-2-9b", {}, 21),
        ("gemma-3-1b", {}, 22),
        ("gemma-3-1b", {"layer_types": ["full_attention"] * 20 + ["sliding_attention"] * 6}, 6),
    ],
)
def test_the_layers_with_a_window_are_the_familys(model_id: str, changes: dict[str, object], windowed: int) -> None:
    """Authority: the attention classes of `transformers`: all, none, from a layer on, every second, five of six."""
    assert transformer_from_config({**_CONFIGS[model_id], **changes}).windowed_layers == windowed


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def _answer(config: dict[str, object]) -> Transformer | str:
    """Return the transformer of a configuration, or the sentence that refuses it."""
    try:
        return transformer_from_config(config)
    except EstimatorError as error:
        return str(error)


@given(st.sampled_from(sorted(_CONFIGS)), st.data())
def test_nonsense_at_one_key_is_refused_in_a_sentence_or_read_as_something_finite(
    model_id: str, data: st.DataObject
) -> None:
    """No traceback, whatever stands there."""
    key = data.draw(st.sampled_from(sorted(_CONFIGS[model_id])))
    answer = _answer({**_CONFIGS[model_id], key: data.draw(_JUNK)})
    if isinstance(answer, str):
        assert 0 < len(answer) < 400
        assert "\n" not in answer
    else:
        assert 0 < parameter_counts(answer).total < 1e15


@given(st.dictionaries(st.sampled_from([*_LLAMA, "text_config", "layer_types", "_class_name"]) | st.text(), _JUNK))
def test_a_configuration_of_nonsense_is_answered_or_refused(config: dict[str, object]) -> None:
    answer = _answer(config)
    assert isinstance(answer, Transformer) or answer
