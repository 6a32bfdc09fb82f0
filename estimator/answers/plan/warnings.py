"""Which of an estimate's warnings are the plan's, too: those by which another plan may be the better one."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from estimator.answers.estimate.estimate import Estimate
from estimator.question.question import Caution

__all__ = ["LEVERS", "that_change_the_choice"]

LEVERS = ("mostly_waiting", "fewer_gpus_are_faster", "fewer_gpus_as_fast")
"""Codes of warnings that devices wait, with what would help."""
_TIMES = 1.5
"""Times as long, or as short, from which on what is told changes how many devices, or which, to take."""
_MOST = 3
_SAID_BY: Mapping[str, str] = MappingProxyType({"fewer_gpus_as_fast": "diminishing_returns"})
"""Codes of a plan's own warnings that say the same."""


def that_change_the_choice(estimate: Estimate, said: Collection[Caution]) -> tuple[Caution, ...]:
    """Return the most important warnings of a planned run by which it may take another time, or need not wait.

    At most three, none of which the plan has `said` in its own words. What its range need not hold is among them: a
    plan is not said to be sure without.
    """
    codes = {caution.code for caution in said}
    changing = (
        caution
        for caution in estimate.warnings
        if (caution.code in LEVERS or caution.times > _TIMES) and not codes & {caution.code, _SAID_BY.get(caution.code)}
    )
    return tuple(changing)[:_MOST]
