"""The tool `explain_coefficient`: where the 6 or the 8 FLOPs per parameter and token come from."""

from pydantic import BaseModel, Field, FiniteFloat

from estimator.answers.coefficient.explanation import explanation
from tools import fields

__all__ = ["Explanation", "explain_coefficient"]


class CoefficientTerm(BaseModel):
    """One reason for FLOPs."""

    name: str
    flops_per_param_per_token: FiniteFloat
    why: str
    source: str


class ModelTerm(BaseModel):
    """One part of the model: what it holds and what it adds to the exact coefficient."""

    name: str
    parameters: int
    active_parameters: int
    flops_per_token: FiniteFloat
    coefficient: FiniteFloat
    why: str


class Explanation(BaseModel):
    """The rule's coefficient as a sum, and the model's own."""

    summary: str
    coefficient: FiniteFloat = Field(description="The rule's: the sum of terms")
    terms: list[CoefficientTerm]
    exact_coefficient: FiniteFloat | None = Field(
        description="Executed FLOPs per token over active parameters; null without a known architecture"
    )
    exact_terms: list[ModelTerm]
    formula: str
    worked_example: str
    when_it_fails: list[str]
    assumptions: list[str]
    sources: list[str]


def explain_coefficient(
    *,
    activation_recompute: fields.ActivationRecompute = "auto",
    method: fields.Method = "full",
    model: fields.Model = "",
    sequence_length: fields.SequenceLength = None,
    lora_rank: fields.LoraRank = None,
    detail: fields.Detail = "concise",
) -> Explanation:
    """Explain the 6 or 8 FLOPs per parameter and token term by term, and compute a model's exact coefficient."""
    explained = explanation(
        model=model,
        method=method,
        activation_recompute=activation_recompute,
        sequence_length=sequence_length,
        lora_rank=lora_rank,
        detailed=detail == "detailed",
    )
    exact = explained.exact
    return Explanation(
        summary=explained.summary,
        coefficient=explained.coefficient,
        terms=[
            CoefficientTerm(
                name=term.name,
                flops_per_param_per_token=term.flop_per_parameter_per_token,
                why=term.why,
                source=term.source,
            )
            for term in explained.terms
        ],
        exact_coefficient=None if exact is None else exact.coefficient,
        exact_terms=[
            ModelTerm(
                name=term.name,
                parameters=term.parameters,
                active_parameters=term.active_parameters,
                flops_per_token=term.flop_per_token,
                coefficient=term.coefficient,
                why=term.why,
            )
            for term in (exact.terms if exact else ())
        ],
        formula=explained.formula,
        worked_example=explained.worked_example,
        when_it_fails=list(explained.when_it_fails),
        assumptions=list(explained.assumptions),
        sources=list(explained.sources),
    )
