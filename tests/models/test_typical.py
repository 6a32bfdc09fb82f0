"""A typical architecture for a bare parameter count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import InvalidValueError
from estimator.models.flops import flop_counts
from estimator.models.parameters import parameter_counts
from estimator.models.typical import FEWEST_PARAMETERS, MOST_PARAMETERS, typical_transformer


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
