"""The release that nobody told, where a newer one's code multiplies experts otherwise."""

import math
from dataclasses import replace

from estimator.evidence.mixture import WORTH_SAYING, Doubt, Times
from estimator.physics.choice import Setting, fastest
from estimator.physics.constants import Constants
from estimator.physics.execution import execution_of
from estimator.physics.own_experts import LIBRARIES

__all__ = ["release_doubts"]

_GROUPED = 0.5
"""Share of those who train experts on Transformers' models, and name no release, that have its version 5: it came in
January 2026, environments of before still run, and most models with experts that people tune are older."""


def release_doubts(setting: Setting, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt whether experts are multiplied all at once, as from a release on, and not one after another.

    What is held of a quantised base differs as well, so that other layouts fit: they are searched.
    """
    question, stack = setting.question, setting.stack
    said = question.released is not None or question.practice.experts is not None
    if said or question.transformer.experts is None or not execution_of(question, stack).expert_loop:
        return ()
    newer = replace(question, released=stack.grouped_experts_since, global_batch_sequences=setting.global_batch)
    if stack.name in LIBRARIES:
        # A library has no release of the layers that run on it.
        newer = replace(newer, released=None, practice=replace(question.practice, experts="grouped"))
    best = None if execution_of(newer, stack).expert_loop else fastest(newer, constants)
    if best is None or abs(math.log(best.step_s / physical_s)) < WORTH_SAYING:
        return ()
    factor = best.step_s / physical_s
    loops, old = f"{stack.name} goes through experts one by one on Transformers 4", "transformers 4.57"
    if stack.name in LIBRARIES:
        loops, old = f"Transformers' layers are assumed on {stack.name}, one expert at a time", "expert parallelism"

    def words(times: Times) -> str:
        return (
            f"{loops}; on Transformers 5 (January 2026) a step would take "
            f"{times.told('', assumed='on Transformers 4')}, and the range holds both: "
            f'say "transformers 5.0" or "{old}" in framework'
        )

    ways = ((factor, _GROUPED),)
    return (Doubt(argument="framework", ways=ways, code="experts_one_by_one", words=words, asked=(newer,)),)
