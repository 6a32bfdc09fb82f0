"""The shapes that tools answer in, shared where they mean the same."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, FiniteFloat, WithJsonSchema

__all__ = [
    "AssumptionAnswer",
    "ComparableAnswer",
    "EvidenceAnswer",
    "LayoutAnswer",
    "MemoryAnswer",
    "NarrowingAnswer",
    "RuleAnswer",
    "RunnerUpAnswer",
    "SpreadAnswer",
    "TimeBreakdown",
    "WarningAnswer",
]


# A value may be text, a number or a truth: the portable schema has no word for that but none.
_Scalar = Annotated[str | FiniteFloat | int | bool, WithJsonSchema({"description": "Text, number or boolean"})]


class SpreadAnswer(BaseModel):
    """A value with its range; null where the note says what is missing."""

    value: FiniteFloat | None
    low: FiniteFloat | None
    high: FiniteFloat | None
    note: str


class RuleAnswer(BaseModel):
    """The rule of thumb: days at the usual utilization, and at its ends."""

    coefficient: FiniteFloat
    utilization: FiniteFloat
    days: FiniteFloat
    days_low: FiniteFloat = Field(description="At utilization 0.55")
    days_high: FiniteFloat = Field(description="At utilization 0.30")
    formula: str


class LayoutAnswer(BaseModel):
    """How a step is spread over the GPUs."""

    tensor_parallel: int
    pipeline_parallel: int
    virtual_pipeline: int
    context_parallel: int
    expert_parallel: int
    data_parallel: int
    data_sharding: str
    micro_batch_size: int
    micro_batches: int = Field(description="Micro-batches of one replica a step (gradient accumulation)")
    global_batch_sequences: int
    activation_recompute: str


class RunnerUpAnswer(BaseModel):
    """Another layout that may be as fast."""

    layout: LayoutAnswer
    step_seconds: FiniteFloat


class MemoryAnswer(BaseModel):
    """What the fullest GPU must hold."""

    per_gpu_gb: FiniteFloat
    capacity_gb: FiniteFloat
    fits: bool
    weights_gb: FiniteFloat
    gradients_gb: FiniteFloat
    optimizer_gb: FiniteFloat
    activations_gb: FiniteFloat
    other_gb: FiniteFloat
    host_gb_per_node: FiniteFloat = Field(description="What is offloaded to a node's own memory")


class TimeBreakdown(BaseModel):
    """Shares of a step, summing to 1."""

    compute: FiniteFloat
    attention: FiniteFloat
    memory_bound: FiniteFloat
    communication: FiniteFloat
    bubble: FiniteFloat
    optimizer: FiniteFloat
    other: FiniteFloat


class ComparableAnswer(BaseModel):
    """A published run near the question."""

    name: str
    gpu: str
    n_gpus: int
    published: str
    predicted_over_published: FiniteFloat | None
    source: str


class AssumptionAnswer(BaseModel):
    """One resolved input and where its value came from."""

    name: str
    value: _Scalar
    unit: str
    source: Literal["user", "catalogue", "default", "inferred", "searched"]
    note: str


class EvidenceAnswer(BaseModel):
    """What an answer rests on beside physics."""

    runs: int = Field(description="Published runs near the question")
    labs: int = Field(description="Whose they are")
    nearest: str | None = Field(description="Null where none is near")
    correction: FiniteFloat = Field(description="Per cent of time, by published runs and my_runs")
    note: str


class WarningAnswer(BaseModel):
    """What to know before relying on the answer."""

    code: str
    message: str


class NarrowingAnswer(BaseModel):
    """An input left open whose value would narrow the range."""

    argument: str
    narrows_by: FiniteFloat = Field(description="Share of the range, in logarithm, that would go")
    why: str
