"""A model by whatever it is called: answered as what it is, with what was assumed, or asked about."""

import re

import pytest

from estimator.base.errors import InvalidValueError, UnknownNameError, UnsupportedModelError
from estimator.catalogue import catalogue
from estimator.catalogue.partial_names import begins_alike
from estimator.models.parameters import parameter_counts
from estimator.question.request import Request
from estimator.resolve.subject import Subject, resolved_subject


def _subject(model: str, method: str = "full") -> Subject:
    return resolved_subject(Request(model=model, gpu="h100-sxm", n_gpus=8, tokens="1B", method=method))


def _codes(subject: Subject) -> list[str]:
    return [caution.code for caution in subject.warnings]


@pytest.mark.parametrize(
    ("model", "total", "active"),
    [
        ("80B-A3B", 80e9, 3e9),
        ("80B A3B", 80e9, 3e9),
        ("80b_a3b", 80e9, 3e9),
        ("80B with 3B active", 80e9, 3e9),
        ("80B total, 3B active", 80e9, 3e9),
        ("80B/3B active", 80e9, 3e9),
        ("235B-A22B", 235e9, 22e9),
        ("1T-A32B", 1e12, 32e9),
        ("30B-A3.3B MoE", 30e9, 3.3e9),
        # Mixtral 8x7B has 46.7B, 12.9B of them active (Jiang et al. 2024).
        ("8x7B", 46.7e9, 12.9e9),
        ("8x22B", 141e9, 39e9),
        ("acme/house-MoE-16B-A2.4B", 16e9, 2.4e9),
        ("HouseMoE-1B-7B", 7e9, 1e9),
        ("Beyonder-4x7B-v3", 24.2e9, 12.9e9),
        ("mistralai/Mistral-Large-3-675B-Instruct-2512", 675e9, 41e9),
        ("mistral-large-2512", 675e9, 41e9),
        ("Snowflake/snowflake-arctic-instruct", 480e9, 17e9),
        ("zai-org/GLM-4.7", 355e9, 32e9),
    ],
)
def test_a_mixture_of_experts_is_one_by_its_name_and_never_dense(model: str, total: float, active: float) -> None:
    """Authority: total and active parameters as the name or the publisher tells them."""
    subject = _subject(model)
    assert subject.total_parameters == pytest.approx(total, rel=0.06)
    assert subject.active_parameters == pytest.approx(active, rel=0.06)
    assert subject.transformer is not None
    assert subject.transformer.experts is not None
    counts = parameter_counts(subject.transformer)
    assert counts.total == pytest.approx(subject.total_parameters, rel=0.02)
    assert counts.active == pytest.approx(subject.active_parameters, rel=0.11)
    assert "mixture-of-experts" in subject.assumptions[0].note


@pytest.mark.parametrize("model", ["80B-A3B", "8x7B", "80B with 3B active", "7B", "1.5B params", "70亿", "七十亿参数"])
def test_a_bare_size_is_an_answer_without_a_warning(model: str) -> None:
    """It is what was asked for, so that the assumption alone says it."""
    subject = _subject(model)
    assert subject.warnings == ()
    assert subject.assumptions[0].source == "inferred"


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("FooLM-13B", 13e9),
        ("acme/house-model-7b-chat", 7e9),
        ("Falcon3-10B-Instruct", 10e9),
        ("Llama-3.1-Minitron-4B-Width-Base", 4e9),
        ("princeton-nlp/Sheared-LLaMA-1.3B", 1.3e9),
        ("TencentARC/LLaMA-Pro-8B", 8e9),
        ("acme-gpt-350m", 350e6),
        ("sarvam-1-2b-v0.5", 2e9),
        ("nvidia/nemotron-3-8b-base-4k", 8e9),
    ],
)
def test_an_unknown_name_that_holds_a_size_is_answered_by_it_and_says_so(model: str, size: float) -> None:
    """The same for every name: the size is taken, the architecture assumed, and a warning names both."""
    subject = _subject(model)
    assert subject.name == model
    assert subject.total_parameters == size
    assert subject.transformer is not None
    assert subject.transformer.inferred
    assert _codes(subject) == ["model_not_catalogued"]
    assert "typical" in subject.warnings[0].message
    assert "not catalogued" in subject.assumptions[0].note


@pytest.mark.parametrize(
    ("model", "nearest"),
    [
        ("Snowflake/snowflake-arctic-instruct", None),
        ("lama-3.3-9b", "llama-3.1-8b"),
        ("gemma-5-30b", "gemma-4-31b"),
        ("mistral-nova-22b", "mistral-small-22b"),
        ("deepseek-v5-900B-A40B", "deepseek-v3"),
    ],
)
def test_of_a_name_that_says_its_size_only_models_as_large_are_near(model: str, nearest: str | None) -> None:
    subject = _subject(model)
    (told,) = (caution.message for caution in subject.warnings)
    found = re.search(r"nearest names: ([^)]+)\)", told)
    near = found[1].split(", ") if found else []
    assert bool(near) == (nearest is not None)
    assert nearest is None or nearest in near
    for name in near:
        known = parameter_counts(catalogue.transformer(name).value).total
        assert 0.5 < known / subject.total_parameters < 2.0


@pytest.mark.parametrize("name", ["snowflake-arctic-medium", "Snowflake/arctic-embed-x", "lama-3.1", "mistrall"])
def test_no_name_is_near_that_begins_otherwise(name: str) -> None:
    """An id that begins otherwise is told by the name that looks alike."""
    assert all(begins_alike(name, near) for near in catalogue.nearest_models(name))


@pytest.mark.parametrize(
    ("model", "nearest"),
    [
        ("lama-3.1-8b", "llama-3.1-8b"),
        ("mistal-7b", "mistral-7b"),
        ("qwem2.5-7b", "qwen2.5-7b"),
        ("meta-llama/lama-3.1-8b", "llama-3.1-8b"),
    ],
)
def test_a_known_name_misspelt_is_asked_about(model: str, nearest: str) -> None:
    """Authority: the public contract: the nearest values that would do."""
    with pytest.raises(UnknownNameError) as caught:
        _subject(model)
    assert nearest in caught.value.nearest


@pytest.mark.parametrize("model", ["gpt-4", "claude", "acme-large", "Mistral-Large-4"])
def test_an_unknown_name_without_a_size_is_asked_about(model: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown model"):
        _subject(model)


@pytest.mark.parametrize("model", ["Foo-MoE-16B", "house-17B-16E", "acme-1.5T", "house-700B-chat"])
def test_experts_without_an_active_size_are_asked_about(model: str) -> None:
    """A dense model of the total would take ten times the time."""
    with pytest.raises(InvalidValueError, match="how many parameters are active"):
        _subject(model)


def test_another_architecture_is_told_to_be_one() -> None:
    """Authority: the architecture's paper; no decoder's name is offered instead."""
    subject = _subject("google/flan-t5-11b")
    assert subject.transformer is None
    assert _codes(subject) == ["architecture_not_modelled"]
    assert "encoder-decoder" in subject.warnings[0].message


@pytest.mark.parametrize(
    ("model", "kind", "mixes"),
    [
        ("microsoft/Phi-4-mini-flash-reasoning-3.8B", "hybrid", True),
        ("Zyphra/Zamba2-1.2B", "hybrid", True),
        ("rwkv 30b", "state-space", True),
        ("samba-3.8b", "hybrid", True),
        ("apple/OpenELM-3B", "layers differ in width", False),
    ],
)
def test_what_is_mostly_a_decoder_is_a_typical_one_of_its_size_and_kind(model: str, kind: str, mixes: bool) -> None:
    """A rule of thumb knows neither its stack nor whether it fits."""
    subject = _subject(model)
    assert subject.transformer is not None
    assert bool(subject.transformer.mixers) == mixes
    assert parameter_counts(subject.transformer).total == pytest.approx(subject.total_parameters, rel=0.02)
    assert _codes(subject) == ["model_not_catalogued"]
    assert kind in subject.warnings[0].message
    assert "hf_config" in subject.warnings[0].message


@pytest.mark.parametrize("model", ["nvidia/Hymba-Base", "togethercomputer/StripedHyena-Nous"])
def test_another_architecture_without_a_size_is_refused_as_what_it_is(model: str) -> None:
    with pytest.raises(UnsupportedModelError, match=r"hybrid|sparse attention"):
        _subject(model)


def test_a_fine_tune_is_counted_as_its_base() -> None:
    ours, base = _subject("lmsys/vicuna-7b-v1.5"), _subject("llama-2-7b")
    assert (ours.transformer, ours.total_parameters) == (base.transformer, base.total_parameters)
    assert "Llama 2 7B" in ours.assumptions[0].note


@pytest.mark.parametrize(
    "model",
    [
        "Qwen3-Next-80B-A3B",
        "Qwen/Qwen3-Next-80B-A3B-Instruct-FP8",
        "moonshotai/Kimi-Linear-48B-A3B-Instruct",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16",
        "nvidia/Nemotron-H-8B",
        "nvidia/Nemotron-H-56B-Base-8K",
        "nemotron_h-47b",
        "nvidia/NVIDIA-Nemotron-Nano-9B-v2",
        "tiiuae/Falcon-H1-34B-Instruct",
        "tiiuae/falcon-mamba-7b",
        "mistralai/Mamba-Codestral-7B-v0.1",
        "Zyphra/Zamba2-7B",
        "google/recurrentgemma-9b",
        "meta-llama/Llama-3.2-11B-Vision-Instruct",
        "google/gemma-3n-E4B-it",
        "baidu/ERNIE-4.5-21B-A3B-PT",
        "tencent/Hunyuan-A13B-Instruct",
        "meituan-longcat/LongCat-Flash-Chat",
        "nvidia/Llama-3_3-Nemotron-Super-49B-v1",
        "openbmb/MiniCPM-2B-sft-bf16",
        "deepseek-ai/DeepSeek-V3.2",
        "zai-org/GLM-5",
        "granite-4.0-h-tiny",
    ],
)
def test_a_model_of_another_architecture_that_is_catalogued_is_priced_as_it_is(model: str) -> None:
    """By its own layers, not as a typical decoder of its size."""
    subject = _subject(model)
    assert subject.transformer is not None
    assert not subject.transformer.inferred
    assert "architecture_not_modelled" not in _codes(subject)


@pytest.mark.parametrize(
    ("said", "alike"),
    [
        ("7 billion parameter llama 2", "llama-2-7b"),
        ("13B llama 2", "llama-2-13b"),
        ("llama 3.1 8 billion", "llama-3.1-8b"),
        ("7-billion-parameter model", "7B"),
        ("150 million params", "150M"),
        ("1,5 Mrd Parameter", "1.5B"),
        ("7 milliards de paramètres", "7B"),
        ("70亿参数", "7B"),
        ("about seven billion", "7B"),
        ("dreambooth sdxl", "sdxl"),
        ("textual inversion sd-1.5", "sd-1.5"),
        ("fine-tuning of llama-3.1-8b", "llama-3.1-8b"),
    ],
)
def test_a_model_is_the_same_however_its_size_and_its_training_are_said(said: str, alike: str) -> None:
    def network(model: str) -> object:
        return resolved_subject(Request(model=model, gpu="h100", n_gpus=8)).transformer

    assert network(said) == network(alike)


@pytest.mark.parametrize("said", ["dreambooth sdxl", "sdxl lora", "llama-3.1-8b qlora"])
def test_a_way_of_training_in_a_models_name_is_told_of(said: str) -> None:
    """All weights are counted unless the method says otherwise, and whoever says LoRA means another run."""
    doubted = resolved_subject(Request(model=said, gpu="h100", n_gpus=8))
    told = resolved_subject(Request(model=said, gpu="h100", n_gpus=8, method="lora"))
    assert "method_in_model_name" in {warning.code for warning in doubted.warnings}
    assert "method_in_model_name" not in {warning.code for warning in told.warnings}


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("rwkv 7b", "rwkv-6-7b"),
        ("RWKV-14B", "rwkv-4-14b"),
        ("mamba 3b", "mamba-2.8b"),
        ("OLMo 3", "olmo-3-7b"),
        ("granite moe", "granite-3.0-3b-a800m"),
        ("MiniCPM", "minicpm-2b"),
        ("mBART", "mbart-large-50"),
        ("CodeGemma", "gemma-7b"),
        ("dolphin 2.9", "llama-3-8b"),
        ("BioGPT", "gpt-2-350m"),
    ],
)
def test_a_family_without_its_version_or_size_is_one_of_it_and_not_a_plain_transformer(name: str, model: str) -> None:
    subject = resolved_subject(Request(model=name, gpu="h100", n_gpus=1, tokens="1B"))
    assert subject.transformer is not None
    assert subject.transformer.id == model
    assert next(one.note for one in subject.assumptions if one.name == "model")


@pytest.mark.parametrize(
    "name",
    [
        "a 3 billion parameter model",
        "3-billion-parameter LLM",
        "3bn model",
        "3 billion",
        "a three billion parameter model",
        "three billion params",
        "Three-billion-parameter transformer",
    ],
)
def test_a_size_in_words_is_a_size(name: str) -> None:
    subject = resolved_subject(Request(model=name, gpu="h100", n_gpus=1, tokens="1B"))
    assert subject.total_parameters == 3e9
    assert not subject.warnings


@pytest.mark.parametrize("name", ["one point five billion parameters", "a one point five billion parameter model"])
def test_a_decimal_point_may_be_a_word(name: str) -> None:
    assert _subject(name).total_parameters == 1.5e9
