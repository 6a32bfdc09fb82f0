"""What a trainer's code costs that multiplies every token with every expert, over one that sends tokens to theirs."""

from estimator.physics.choice import Setting, routed_case
from estimator.physics.constants import Constants
from estimator.physics.layout import Layouts
from estimator.physics.step import StepTime, step_time
from estimator.question.question import Caution

__all__ = ["all_experts_multiplied"]


def all_experts_multiplied(
    setting: Setting, rows: Layouts, times: StepTime, constants: Constants
) -> tuple[Caution, ...]:
    """Return a warning where every expert works on every token, by how much that is slower; `times` are of `rows`."""
    experts, routed = setting.question.transformer.experts, routed_case(setting)
    if experts is None or routed is None:
        return ()
    slower = float(times.total_s[0] / step_time(routed, rows, constants).total_s[0])
    message = (
        f"{setting.stack.name} runs this model by Transformers' code, which multiplies every token with all "
        f"{experts.n_experts} experts of a layer: a step takes {slower:.2g} times as long as with only those that a "
        "router chose; "
        'if your trainer has kernels for it, say "grouped experts" in framework'
    )
    return (Caution(code="all_experts_multiplied", message=message),)
