"""What a plan is asked for and what it holds: the inverse of an estimate."""

from dataclasses import dataclass
from typing import Literal

from estimator.answers.estimate.estimate import Estimate
from estimator.question.question import Assumption, Caution
from estimator.question.request import Quantity, Request

__all__ = ["BudgetUnit", "Limits", "Option", "Plan", "PlanRequest", "SolveFor"]

BudgetUnit = Literal["USD", "GPU-hours"]
SolveFor = Literal["n_gpus", "tokens", "model_size", "layout", "gpu"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """A plan as a caller asks for it; None is what was left out."""

    solve_for: SolveFor
    deadline: Quantity | None
    budget: Quantity | None
    tokens_per_parameter: Quantity | None
    model: Quantity | None
    gpu: Quantity | None
    n_gpus: Quantity | None
    common: Request
    """All else; its model, gpu and n_gpus are put in for each trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a plan must keep to."""

    deadline_s: float | None
    budget: float | None
    """In `budget_unit`."""
    budget_unit: BudgetUnit = "USD"
    deadline_assumed: bool = False
    """Whether nobody set the deadline, and a budget alone would leave open how many devices train for how long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to train, priced."""

    why: str
    meets: bool
    """Whether it keeps to the limits, by its point estimate, and fits in memory."""
    estimate: Estimate
    usual: bool = False
    """Whether it is what the stack does unless it is told, beside a faster one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The answer to a `PlanRequest`."""

    request: PlanRequest
    limits: Limits
    solution: Option
    """Keeps to the limits by its point estimate: even odds."""
    sure: Option | None
    """Keeps to them by the far end of its range; None where there is no range, no limit, or no such way."""
    alternatives: tuple[Option, ...]
    """Best first."""
    at_most: Option | None
    """On the most devices that the budget pays for, where those taken are fewer; None where none says how many."""
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Caution, ...]
