"""Architectures by name, and their parameter totals to the unit."""

import re

import pytest

from estimator.base.errors import UnknownNameError
from estimator.base.names import normalised
from estimator.catalogue import catalogue
from estimator.catalogue.models import MODEL_FILLER, ModelEntry
from estimator.models.parameters import parameter_counts
from tests.every import of_every

_ENTRIES = catalogue.models()
_EXACT = [entry for entry in _ENTRIES if entry.published_exact]
_ROUNDED = [entry for entry in _ENTRIES if not entry.published_exact]
_NOMINAL_WITHIN = 0.03
"""What a model is called is at most this far from what it holds: Narayanan's 1.7B has 1.652B."""


@of_every(_EXACT)
def test_a_presets_total_equals_the_published_one_to_the_unit(entry: ModelEntry) -> None:
    """Authority: the parameter count in the model's checkpoint or paper, beside its source in the data file."""
    assert parameter_counts(entry.transformer).total == entry.published_parameters


@of_every(_ROUNDED)
def test_a_presets_total_is_near_the_size_it_is_called_by(entry: ModelEntry) -> None:
    """Authority: the size its publisher gives, rounded."""
    assert parameter_counts(entry.transformer).total == pytest.approx(entry.published_parameters, rel=_NOMINAL_WITHIN)


def test_at_least_eighty_five_totals_are_exact() -> None:
    """Authority: the project's scope."""
    assert len(_EXACT) >= 85


@pytest.mark.parametrize(
    ("model_id", "total", "active"),
    [
        # Published as "46.7B total, 12.9B active" (Jiang et al. 2024) and as checkpoint sizes.
        ("mixtral-8x7b", 46_702_792_704, 12_879_925_248),
        # "671B total, 37B active" (DeepSeek-AI 2024), the embedding counted.
        ("deepseek-v3", 671_026_419_200, 37_552_297_472),
        # "30.5B total, 3.3B active" (Qwen3 model card).
        ("qwen3-30b-a3b", 30_532_122_624, 3_353_032_704),
        ("llama-4-maverick", 400_711_848_960, 17_184_691_200),
    ],
)
def test_experts_count_in_the_total_and_only_the_visited_ones_among_the_active(
    model_id: str, total: int, active: int
) -> None:
    counts = parameter_counts(catalogue.model(model_id).transformer)
    assert (counts.total, counts.active) == (total, active)


@of_every(_ENTRIES)
def test_every_model_names_its_source_and_the_day_it_was_checked(entry: ModelEntry) -> None:
    """Authority: the project's rule that a number without a source is none."""
    assert entry.source
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", entry.checked)
    assert re.fullmatch(r"[a-z0-9]+(?:[.-][a-z0-9]+)*", entry.id)


@of_every(_ENTRIES)
def test_every_name_of_a_model_finds_that_model(entry: ModelEntry) -> None:
    """An alias that another model's name shadows would answer about the wrong one."""
    for name in (entry.id, entry.transformer.name, *entry.hugging_face_ids, *entry.aliases):
        assert catalogue.transformer(name).value.id == entry.id


@of_every(_ENTRIES)
def test_no_name_is_claimed_by_two_models(entry: ModelEntry) -> None:
    mine = {normalised(name, MODEL_FILLER) for name in (entry.id, entry.transformer.name, *entry.hugging_face_ids)}
    for other in _ENTRIES:
        if other.id != entry.id:
            assert not mine & {normalised(name, MODEL_FILLER) for name in (other.id, other.transformer.name)}


@of_every(_ENTRIES)
def test_widths_are_ones_a_model_can_have(entry: ModelEntry) -> None:
    t = entry.transformer
    assert t.n_heads % t.n_kv_heads == 0
    assert 0 <= t.windowed_layers <= t.n_layers
    assert (t.sliding_window > 0) == (t.windowed_layers > 0)
    if t.latent:
        assert t.head_dim == t.latent.nope_head_dim + t.latent.rope_head_dim
    if t.experts:
        assert t.experts.top_k <= t.experts.n_experts


@pytest.mark.parametrize(
    ("name", "model_id"),
    [
        ("meta-llama/Llama-3.1-8B", "llama-3.1-8b"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b"),
        ("llama 3.1 8b", "llama-3.1-8b"),
        ("Llama3.1_8B", "llama-3.1-8b"),
        ("llama-3-1-8b", "llama-3.1-8b"),
        ("llama3-8b", "llama-3-8b"),
        ("GPT3-175B", "gpt-3-175b"),
        ("gpt-3-175b", "gpt-3-175b"),
        ("opt-1-3b", "opt-1.3b"),
        ("opt-13b", "opt-13b"),
        ("deepseek-ai/DeepSeek-R1", "deepseek-v3"),
        ("mosaicml/mpt-7b", "mpt-7b-released"),
        ("mpt-7b", "mpt-7b"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5-7b"),
    ],
)
def test_a_model_is_found_by_what_people_call_it(name: str, model_id: str) -> None:
    match = catalogue.transformer(name)
    assert match.value.id == model_id
    assert not match.note


@pytest.mark.parametrize(
    ("name", "model_id"), [("gpt3", "gpt-3-175b"), ("llama 8b", "llama-3.1-8b"), ("mixtral", "mixtral-8x7b")]
)
def test_a_name_that_could_mean_several_says_which_was_taken(name: str, model_id: str) -> None:
    match = catalogue.transformer(name)
    assert match.value.id == model_id
    assert match.note


@pytest.mark.parametrize("name", ["llama-3-18b", "llama-3.1-80b", "gpt-4", "", "llama-3.1-8b-longer-than-any", "7B"])
def test_a_name_nobody_has_is_refused_rather_than_guessed(name: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown model"):
        catalogue.transformer(name)


def test_a_misspelt_name_is_told_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        catalogue.transformer("lama-3.1-8b")
    assert "llama-3.1-8b" in caught.value.nearest


@pytest.mark.parametrize("given", ["command r+", "Command-R+", "command r +", "CohereForAI/c4ai-command-r+"])
def test_a_plus_that_tells_models_apart_is_read(given: str) -> None:
    assert catalogue.model_id(given) == "command-r-plus-104b"
    assert catalogue.model_id("command r") not in {None, "command-r-plus-104b"}


def test_whatever_has_a_plus_in_its_name_is_found_by_the_sign_and_by_the_word() -> None:
    for entry in _ENTRIES:
        for name in (entry.id, *entry.aliases):
            signed = re.sub(r"[-_ ]plus\b", "+", name)
            assert normalised(signed, MODEL_FILLER) == normalised(name, MODEL_FILLER)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("AI Max+ 395", "ai max plus 395"),
        ("r+", "r plus"),
        ("h100+a100", "h100 a100"),
        ("a + b", "a b"),
        ("c++", "c plus"),
    ],
)
def test_a_plus_is_a_word_behind_one_and_no_sign_between_two(text: str, same: str) -> None:
    assert normalised(text) == normalised(same)
    with_sign, without = (catalogue.accelerator(name).value for name in ("AI Max+ 395", "AI Max 395"))
    assert with_sign == without
