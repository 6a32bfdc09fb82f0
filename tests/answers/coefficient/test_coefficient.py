"""The 6 and the 8: their terms, their sources, and a model's own."""

from typing import Any, get_args

import pytest

from estimator.answers.coefficient.coefficient import exact_coefficient, rule_terms
from estimator.answers.coefficient.wording import worked_example
from estimator.base.errors import EstimatorError
from estimator.catalogue import catalogue
from estimator.models.coefficient import rule_passes
from estimator.models.parameters import takes_adapters
from estimator.models.training import Method, MethodName, Recompute
from tools.estimate_training_time import estimate_training_time
from tools.explain_coefficient import explain_coefficient


@pytest.mark.parametrize(
    ("method", "recompute", "coefficient"),
    [
        ("full", "none", 6),  # Kaplan et al. 2020, section 2.1
        ("full", "full", 8),  # Narayanan et al. 2021, equation 4
        ("full", "selective", 6),
        ("lora", "none", 4),  # Hu et al. 2021: no gradient of the base's weights
        ("qlora", "full", 6),
        ("frozen", "none", 4),
    ],
)
def test_the_terms_add_up_to_the_published_coefficient(
    method: MethodName, recompute: Recompute, coefficient: float
) -> None:
    terms = rule_terms(method, recompute)
    assert sum(term.flop_per_parameter_per_token for term in terms) == coefficient
    assert all(term.why and term.source for term in terms)


@pytest.mark.parametrize("method", get_args(MethodName))
@pytest.mark.parametrize("recompute", get_args(Recompute))
def test_the_explanation_and_the_rule_of_thumb_use_one_coefficient(method: MethodName, recompute: Recompute) -> None:
    total = sum(term.flop_per_parameter_per_token for term in rule_terms(method, recompute))
    assert total == rule_passes(method, recompute).coefficient


@pytest.mark.parametrize("model_id", ["llama-3.1-8b", "deepseek-v3", "gpt-3-175b", "gemma-3-27b", "llama-4-maverick"])
@pytest.mark.parametrize("method", get_args(MethodName))
@pytest.mark.parametrize("recompute", get_args(Recompute))
def test_the_parts_of_a_model_add_up_to_its_coefficient(
    model_id: str, method: MethodName, recompute: Recompute
) -> None:
    exact = exact_coefficient(
        catalogue.model(model_id).transformer, sequence_length=4096, method=Method(name=method), recompute=recompute
    )
    assert sum(term.coefficient for term in exact.terms) == pytest.approx(exact.coefficient, rel=1e-12)
    assert sum(term.parameters for term in exact.terms) == exact.total_parameters
    assert sum(term.active_parameters for term in exact.terms) == exact.active_parameters
    assert exact.full_square > exact.coefficient


def test_gpt_3s_own_coefficient_is_what_its_papers_formula_gives() -> None:
    """Authority: Narayanan et al. 2021, section 5.1, over the model's own parameters."""
    exact = exact_coefficient(
        catalogue.model("megatron-gpt-175b").transformer, sequence_length=2048, method=Method(), recompute="full"
    )
    published = 96 * 96 * 12_288**2 * (1 + 2048 / (6 * 12_288) + 51_200 / (16 * 96 * 12_288))
    assert exact.full_square == pytest.approx(published / exact.active_parameters, rel=1e-9)


def test_an_untied_embedding_is_shown_to_cost_nothing() -> None:
    explained = explain_coefficient(model="llama-3.1-8b")
    parts = {term.name: term for term in explained.exact_terms}
    assert parts["embedding lookup"].flops_per_token == 0
    assert parts["embedding lookup"].parameters == parts["logits"].parameters == 128_256 * 4096
    assert parts["logits"].flops_per_token == 6 * 128_256 * 4096


def test_experts_are_shown_as_held_and_as_visited() -> None:
    """Authority: DeepSeek-AI 2024: 256 routed experts a layer, 8 visited."""
    explained = explain_coefficient(model="deepseek-v3", activation_recompute="full")
    experts = next(term for term in explained.exact_terms if term.name == "experts")
    routed = 58 * 3 * 7168 * 2048
    router = 58 * 7168 * 256
    assert experts.parameters == 256 * routed + router
    assert experts.active_parameters == 8 * routed + router


def test_the_worked_example_is_the_published_run() -> None:
    """Authority: Narayanan et al. 2021, section 5.1: 34 days; equation 4 gives 33.9."""
    assert "33.9 days" in worked_example(rule_terms("full", "full"), None)


def test_who_asks_why_eight_is_told_the_second_forward_pass() -> None:
    explained = explain_coefficient(activation_recompute="full")
    assert explained.coefficient == 8
    assert explained.exact_coefficient is None
    assert [term.flops_per_param_per_token for term in explained.terms] == [2, 2, 2, 2]
    assert "once more" in explained.terms[-1].why
    assert any("1604.06174" in source for source in explained.sources)


def test_a_longer_sequence_raises_the_exact_coefficient_and_not_the_rules() -> None:
    short, long = (explain_coefficient(model="llama-3.1-8b", sequence_length=length) for length in ("2048", "128k"))
    assert short.coefficient == long.coefficient == 6
    assert short.exact_coefficient is not None
    assert long.exact_coefficient is not None
    assert long.exact_coefficient > 2 * short.exact_coefficient


def test_a_bare_size_says_that_an_architecture_was_inferred() -> None:
    explained = explain_coefficient(model="7B")
    assert explained.exact_coefficient is not None
    assert any("typical" in note for note in explained.assumptions)


@pytest.mark.parametrize(("model", "idles"), [("1.3B", False), ("7B", False), ("mixtral-8x7b", True)])
def test_only_a_mixture_of_experts_is_said_to_have_idle_ones(model: str, idles: bool) -> None:
    explained = explain_coefficient(model=model, sequence_length="2048", detail="detailed")
    assert ("idle experts" in explained.model_dump_json()) == idles


def test_another_architecture_gets_the_rule_and_is_told_why_no_more() -> None:
    """Never silently treated as one of those that are modelled."""
    explained = explain_coefficient(model="codet5-6b")
    assert explained.exact_coefficient is None
    assert any("no modelled architecture" in note for note in explained.assumptions)


def test_detail_adds_cases_and_takes_nothing_away() -> None:
    concise, detailed = (explain_coefficient(detail=detail) for detail in ("concise", "detailed"))
    assert set(concise.when_it_fails) < set(detailed.when_it_fails)
    assert concise.terms == detailed.terms


@pytest.mark.parametrize(
    "arguments",
    [
        {"model": "lama-3.1-8b"},
        {"model": "llama-3.1-8b", "sequence_length": "-1"},
        {"sequence_length": "nan"},
        {"sequence_length": "1e300"},
        {"model": "llama-3.1-8b", "method": "lora", "lora_rank": 0},
        {"model": "llama-3.1-8b", "lora_rank": 8},
        {"lora_rank": 8},
        {"method": "lora", "lora_rank": -1},
    ],
)
def test_a_bad_value_is_refused_in_one_sentence(arguments: dict[str, Any]) -> None:
    with pytest.raises(EstimatorError) as caught:
        explain_coefficient(**arguments)
    assert "\n" not in str(caught.value)


_OF_MEDIA = [
    entry.id for entry in catalogue.models() if entry.transformer.media is not None and entry.transformer.media.main
]


@pytest.mark.parametrize("model_id", _OF_MEDIA)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_model_of_pictures_or_sounds_has_one_coefficient_in_every_answer(model_id: str, method: MethodName) -> None:
    """Authority: the estimate, which counts what a position of one picture meets: a U-Net has few weights for most."""
    network = catalogue.model(model_id).transformer
    if method == "lora" and not takes_adapters(network):
        return
    run: dict[str, Any] = {"model": model_id, "method": method, "activation_recompute": "none"}
    estimate = estimate_training_time(**run, gpu="b300", n_gpus=8, samples="10k", detail="detailed")
    assert explain_coefficient(**run).exact_coefficient == pytest.approx(estimate.coefficient, rel=1e-4)
