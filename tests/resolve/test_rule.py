"""The rule of thumb gives the figures its authors published, and behaves as a formula of its shape must."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.units import DAY_S
from estimator.models.coefficient import rule_passes
from estimator.models.training import MethodName, Recompute
from estimator.resolve.rule import UTILIZATION, RuleOfThumb

A100_FLOP_PER_S = 312e12
COUNTS = st.floats(min_value=1e6, max_value=1e15)


def _days(parameters: float, tokens: float, n_gpus: int, flop_per_s: float, coefficient: float) -> float:
    rule = RuleOfThumb(
        coefficient=coefficient, parameters=parameters, tokens=tokens, n_gpus=n_gpus, peak_flop_per_s=A100_FLOP_PER_S
    )
    return rule.training_s(flop_per_s / A100_FLOP_PER_S) / DAY_S


@pytest.mark.parametrize(
    ("parameters", "tokens", "n_gpus", "flop_per_s", "published_days"),
    [(175e9, 300e9, 1024, 140e12, 34), (1e12, 450e9, 3072, 163e12, 84)],
)
def test_the_rule_gives_the_days_that_its_authors_published(
    parameters: float, tokens: float, n_gpus: int, flop_per_s: float, published_days: float
) -> None:
    """Narayanan et al. 2021, section 5.1: 34 and 84 days, with 8 FLOPs per parameter and token."""
    assert _days(parameters, tokens, n_gpus, flop_per_s, 8) == pytest.approx(published_days, rel=0.01)


@pytest.mark.parametrize(
    ("method", "recompute", "coefficient"),
    [
        ("full", "none", 6),
        ("full", "selective", 6),
        ("full", "full", 8),
        ("lora", "none", 4),
        ("qlora", "full", 6),
        ("frozen", "none", 4),
    ],
)
def test_the_coefficient_counts_two_for_each_pass_over_the_weights(
    method: MethodName, recompute: Recompute, coefficient: float
) -> None:
    """Kaplan et al. 2020, section 2.1 (6); Narayanan et al. 2021, appendix (8); Hu et al. 2021 (no base gradient)."""
    assert rule_passes(method, recompute).coefficient == coefficient


def test_the_usual_utilization_lies_within_what_tuned_runs_reach() -> None:
    """Narayanan et al. 2021, table 1: 44 to 52 % of peak; the program's contract: 0.45, from 0.30 to 0.55."""
    assert (UTILIZATION.low, UTILIZATION.mode, UTILIZATION.high) == (0.30, 0.45, 0.55)


@given(parameters=COUNTS, tokens=COUNTS, n_gpus=st.integers(1, 10**6), utilization=st.floats(0.01, 1.0))
def test_time_is_linear_in_tokens_and_falls_with_gpus_and_utilization(
    parameters: float, tokens: float, n_gpus: int, utilization: float
) -> None:
    """The formula: work over rate."""

    def seconds(*, tokens: float = tokens, n_gpus: int = n_gpus, utilization: float = utilization) -> float:
        rule = RuleOfThumb(
            coefficient=6, parameters=parameters, tokens=tokens, n_gpus=n_gpus, peak_flop_per_s=A100_FLOP_PER_S
        )
        return rule.training_s(utilization)

    assert seconds() > 0
    assert seconds(tokens=2 * tokens) == pytest.approx(2 * seconds())
    assert seconds(n_gpus=2 * n_gpus) == pytest.approx(seconds() / 2)
    assert seconds(utilization=utilization / 2) == pytest.approx(2 * seconds())
