"""What a trainer's code costs that multiplies every token with every expert, over one that sends tokens to theirs."""

from dataclasses import replace

from estimator.physics.choice import Setting, posed_case
from estimator.physics.constants import Constants
from estimator.physics.execution import execution_of
from estimator.physics.layout import Layouts
from estimator.physics.step import StepTime, step_time
from estimator.question.question import Caution

__all__ = ["all_experts_multiplied"]


def all_experts_multiplied(
    setting: Setting, rows: Layouts, times: StepTime, constants: Constants
) -> tuple[Caution, ...]:
    """Return a warning where every expert works on every token, by how much that is slower; `times` are of `rows`."""
    question, experts = setting.question, setting.question.transformer.experts
    execution = execution_of(question, setting.stack)
    if experts is None or not execution.all_experts:
        return ()
    routed = step_time(posed_case(question, replace(execution, expert_capacity=1.0)), rows, constants)
    slower = float(times.total_s[0] / routed.total_s[0])
    message = (
        f"{setting.stack.name} runs this model by Transformers' code, which multiplies every token with all "
        f"{experts.n_experts} experts of a layer, {slower:.2g} times as long a step as with those that it is sent to: "
        'if your trainer has kernels for it, say "grouped experts" in framework'
    )
    return (Caution(code="all_experts_multiplied", message=message),)
