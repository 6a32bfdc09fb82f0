"""Whose layers with experts run on a library that does not tell, and on which release of Transformers.

DeepSpeed and FSDP shard any layers. Those of Transformers keep all experts on each device, and went through them one
by one before its version 5; who pretrains has others, and pays a part of it.
"""

import math
from dataclasses import replace

from estimator.evidence.mixture import HELD, TOLD_FROM, WORTH_SAYING, Doubt, borne
from estimator.evidence.releases import GROUPED, release_doubts
from estimator.evidence.stack_doubts import BEARABLE_STACK
from estimator.physics.choice import Setting, fastest
from estimator.physics.constants import Constants
from estimator.physics.execution import execution_of
from estimator.physics.own_experts import stack_running
from estimator.question.question import Caution, Question

__all__ = ["expert_doubts"]

_AS_LIKELY = 0.5
"""Share of layers of one's own from which on nobody is thought to tune, and so to put up with slow ones."""
_SAY = 'say "transformers 4.57", "transformers 5.0" or "expert parallelism" in framework'


def expert_doubts(setting: Setting, physical_s: float, constants: Constants) -> tuple[Doubt, ...]:
    """Return the doubt whose code multiplies experts, or of which release where it is known whose.

    Each is priced in the layouts that it has, with the batch that was taken.
    """
    question = setting.question
    share = question.own_experts_share
    if share is None:
        return release_doubts(setting, physical_s, constants)
    posed = replace(question, global_batch_sequences=setting.global_batch)
    of_transformers = _with(posed, own=False)
    both = question.released is None and execution_of(of_transformers, stack_running(of_transformers)).expert_loop
    if question.practice.own_experts:
        found = _seconds(of_transformers, constants)
        if found is None:
            return ()
        return _own_assumed(setting, share, found / physical_s, _grouped(of_transformers, physical_s, constants, both))
    own = _seconds(_with(posed, own=True), constants) if share > TOLD_FROM else None
    grouped = _grouped(of_transformers, physical_s, constants, both)
    return _transformers_assumed(setting, share, None if own is None else own / physical_s, grouped)


def _with(question: Question, *, own: bool) -> Question:
    return replace(question, practice=replace(question.practice, own_experts=own))


def _seconds(question: Question, constants: Constants) -> float | None:
    best = fastest(question, constants)
    return None if best is None else best.step_s


def _grouped(question: Question, physical_s: float, constants: Constants, both: bool) -> float | None:
    """Return how much longer a step takes on Transformers 5; None where it is run so already, or nothing fits."""
    if not both:
        return None
    found = _seconds(replace(question, practice=replace(question.practice, experts="grouped")), constants)
    return None if found is None else found / physical_s


def _own_assumed(setting: Setting, share: float, factor: float, grouped: float | None) -> tuple[Doubt, ...]:
    factors = [factor] if grouped is None else [factor, grouped]
    parts = [1.0] if grouped is None else [1.0 - GROUPED, GROUPED]
    ways = tuple(
        (each, borne((1.0 - share) * part, each, BEARABLE_STACK)) for each, part in zip(factors, parts, strict=True)
    )
    if max(abs(math.log(each)) for each in factors) < WORTH_SAYING:
        return ()
    told = f"{factor:.2g}"
    newer = "" if grouped is None or f"{grouped:.2g}" == told else f", {grouped:.2g} on its version 5"
    bear = sum(one for _, one in ways)
    few = f"about {bear:.0%} are thought to run" if bear > TOLD_FROM else "hardly anybody bears"
    stack = setting.stack
    held = not stack.spreads_under_zero3 and setting.question.layout.data_sharding == "zero3"
    spread = "not spread, which it does under ZeRO-1 and 2 alone" if held else "spread over devices"
    say = "ZeRO-2" if held else "expert parallelism"
    message = (
        f"layers of one's own are assumed on {stack.name}, their experts multiplied in groups and {spread}; in "
        f"Transformers', which {few} on so many tokens, a step would take {told} times as long{newer}: say "
        f'"{say}" or "Transformers" in framework'
    )
    caution = Caution(code="own_experts_assumed", message=message)
    return (Doubt(argument="framework", ways=ways, caution=caution),)


def _transformers_assumed(
    setting: Setting, share: float, own: float | None, grouped: float | None
) -> tuple[Doubt, ...]:
    # Of those whose layers would be slow, the more have others the slower they are, and the less they tune.
    bear = 1.0 - share
    if own is not None:
        bear *= borne(1.0, 1.0 / own, BEARABLE_STACK) ** min(1.0, share / _AS_LIKELY)
    ways = [] if grouped is None else [(grouped, bear * GROUPED)]
    ways += [] if own is None else [(own, 1.0 - bear)]
    if not ways or max(abs(math.log(factor)) for factor, _ in ways) < WORTH_SAYING:
        return ()
    parts = [] if grouped is None else [f"{grouped:.2g} times as long on version 5 (January 2026)"]
    parts += [] if own is None else [f"{own:.2g} times as long in layers of one's own that spread experts"]
    reached = min(its for _, its in ways) > 2.0 * HELD
    held = f", and the range holds {'both' if len(ways) == 1 else 'all'}" if reached else ""
    slow = "" if grouped is None else ", which before version 5 go through experts one by one"
    message = (
        f"{setting.stack.name} does not tell whose layers run: Transformers' are assumed{slow}; a step would take "
        f"{' and '.join(parts)}{held}: {_SAY}"
    )
    caution = Caution(code="experts_one_by_one" if slow else "own_experts_assumed", message=message)
    return (Doubt(argument="framework", ways=tuple(ways), caution=caution),)
