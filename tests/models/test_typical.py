"""A typical architecture for a bare parameter count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import InvalidValueError
from estimator.catalogue import catalogue
from estimator.models.flops import flop_counts
from estimator.models.parameters import parameter_counts
from estimator.models.typical import FEWEST_PARAMETERS, MOST_PARAMETERS, typical_experts, typical_transformer


@given(st.floats(min_value=5.0, max_value=15.0).map(lambda power: min(10.0**power, MOST_PARAMETERS)))
def test_a_typical_model_has_the_size_that_was_asked_for(parameters: float) -> None:
    """Authority: the promise of 2 %."""
    transformer = typical_transformer(parameters)
    assert parameter_counts(transformer).total == pytest.approx(parameters, rel=0.02)
    assert transformer.inferred
    assert transformer.n_heads * transformer.head_dim == transformer.hidden
    assert transformer.n_heads % transformer.n_kv_heads == 0


@pytest.mark.parametrize(
    ("parameters", "layers", "hidden"),
    [(8e9, (28, 36), (4096, 4096)), (7e10, (60, 88), (8192, 9216)), (4.05e11, (110, 132), (14336, 17408))],
)
def test_a_typical_model_looks_like_the_family_it_is_taken_from(
    parameters: float, layers: tuple[int, int], hidden: tuple[int, int]
) -> None:
    """Authority: Grattafiori et al. 2024, table 3 (32 × 4096, 80 × 8192, 126 × 16384)."""
    transformer = typical_transformer(parameters)
    assert layers[0] <= transformer.n_layers <= layers[1]
    assert hidden[0] <= transformer.hidden <= hidden[1]


@given(st.floats(min_value=7.0, max_value=13.0), st.floats(min_value=1.1, max_value=10.0))
def test_a_larger_model_takes_more_work_a_token(power: float, factor: float) -> None:
    small, large = (
        flop_counts(typical_transformer(size), sequence_length=2048).model
        for size in (10.0**power, 10.0**power * factor)
    )
    assert large > small


@pytest.mark.parametrize(
    "parameters", [0.0, -7e9, FEWEST_PARAMETERS / 2, MOST_PARAMETERS * 2, float("nan"), float("inf")]
)
def test_a_size_no_model_has_is_refused(parameters: float) -> None:
    with pytest.raises(InvalidValueError, match="model"):
        typical_transformer(parameters)


@given(st.floats(min_value=8.0, max_value=12.5), st.floats(min_value=1.05, max_value=50.0))
def test_typical_experts_have_the_sizes_that_were_asked_for(power: float, ratio: float) -> None:
    """Authority: the promise of 2 % of the total and 11 % of the active parameters."""
    active = 10.0**power
    transformer = typical_experts(active * ratio, active)
    counts = parameter_counts(transformer)
    assert counts.total == pytest.approx(active * ratio, rel=0.02)
    assert counts.active == pytest.approx(active, rel=0.11)
    assert transformer.inferred
    assert transformer.experts is not None
    assert transformer.experts.n_experts % 8 == 0
    assert transformer.experts.top_k < transformer.experts.n_experts


@pytest.mark.parametrize(
    ("total", "active", "experts", "visited"),
    # Qwen3 30B-A3B has 128 experts of which 8, gpt-oss-120b 128 of which 4, DeepSeek-V3 256 and one shared, of which 8.
    [(30e9, 3e9, (64, 256), (4, 12)), (120e9, 5e9, (64, 512), (4, 12)), (671e9, 37e9, (64, 512), (4, 12))],
)
def test_typical_experts_are_as_many_as_in_published_models(
    total: float, active: float, experts: tuple[int, int], visited: tuple[int, int]
) -> None:
    found = typical_experts(total, active).experts
    assert found is not None
    assert experts[0] <= found.n_experts <= experts[1]
    assert visited[0] <= found.top_k <= visited[1]


@pytest.mark.parametrize(
    "model_id",
    [
        "deepseek-v3",
        "glm-4.5-355b-a32b",
        "glm-4.5-air-106b-a12b",
        "kimi-k2",
        "minimax-m2",
        "qwen3-235b-a22b",
        "qwen3-30b-a3b",
        "qwen3-coder-480b-a35b",
    ],
)
def test_a_mixture_of_many_experts_by_its_size_alone_takes_the_flops_of_the_published_one(model_id: str) -> None:
    """Authority: each model's own configuration; within 6 % at 4,096 tokens."""
    published = catalogue.model(model_id).transformer
    counts = parameter_counts(published)
    told = typical_experts(float(counts.total), float(counts.active))
    own, guessed = (flop_counts(model, sequence_length=4096).model for model in (published, told))
    assert guessed == pytest.approx(own, rel=0.06)


@pytest.mark.parametrize(("total", "active"), [(3e9, 3e9), (3e9, 7e9), (2 * MOST_PARAMETERS, 1e9)])
def test_experts_that_are_all_active_are_refused(total: float, active: float) -> None:
    with pytest.raises(InvalidValueError, match="model"):
        typical_experts(total, active)
